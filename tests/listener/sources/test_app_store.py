from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from listener.errors import NotAllowed, RateLimited, Refused, Unreachable, Unreadable
from listener.fetch import Egress
from listener.mention import Author, Hole, Metrics
from listener.sources import app_store
from tests.servers.appstore import APP, Reviews, feed, review, two_pages
from tests.servers.web import Answer, Web, serving

PLACE = "pe 123456789"


def source(web: Web, egress: Egress, **settings: Any) -> app_store.Source:
    settings = {"apps": {"nitido": "123456789"}, **settings}
    return app_store.Source("app_store", app_store.Settings(base_url=web.url, **settings), egress)


def answering(*answers: Answer) -> Any:
    given = iter(answers)
    return lambda asked: next(given)


def at(minutes: int) -> str:
    return (datetime(2026, 5, 4, tzinfo=UTC) + timedelta(minutes=minutes)).isoformat()


# ---- reading


def test_reviews_of_every_page_are_stored_once_and_the_app_itself_is_none(local: Egress, collect: Any) -> None:
    with serving(two_pages()) as web:
        reading = source(web, local)
        assert collect(reading) == 3
        assert collect.error is None
        assert collect.ids() == ["r1", "r2", "r3"]
        assert collect.rejected() == []
        web.asked.clear()
        assert collect(reading) == 0
        assert len(web.asked) == 1  # the first page ends with what is known


def test_what_a_review_says_arrives(local: Egress, collect: Any) -> None:
    with serving(two_pages()) as web:
        collect(source(web, local))
    post = collect.pages[0].posts[0]
    assert post.text == "Mala\nse cierra sola"
    assert post.author == Author(name="ana", url="https://itunes.apple.com/pe/reviews/id1")
    assert (post.about, post.country) == ("nitido", "PE")
    assert post.metrics == Metrics(likes=2)
    assert post.published_at == datetime(2026, 5, 4, 16, 12, tzinfo=UTC)
    assert post.raw["im:rating"] == {"label": "1"}
    assert "★" not in post.text


@pytest.mark.parametrize("entry", [review("r1"), [review("r1")], [APP, review("r1")], [APP, None, review("r1")]])
def test_one_review_is_found_whatever_form_the_feed_has(entry: Any, local: Egress, collect: Any) -> None:
    with serving(answering(feed(entry), feed(None))) as web:
        assert collect(source(web, local)) == 1
    assert collect.error is None


def test_an_app_without_reviews_is_no_failure_until_it_had_some(local: Egress, collect: Any) -> None:
    server = Reviews({})
    with serving(server) as web:
        reading = source(web, local)
        assert collect(reading) == 0
        assert collect.error is None
        server.pages[PLACE] = [[review("r1")]]
        assert collect(reading) == 1
        before = collect.cursor("app_store")
        server.pages[PLACE] = []
        collect(reading)
    assert type(collect.error) is Unreadable
    assert collect.cursor("app_store") == before


def test_every_country_has_its_own_place(local: Egress, collect: Any) -> None:
    server = Reviews({PLACE: [[review("r1")]], "cl 123456789": [[review("r2")]]})
    with serving(server) as web:
        assert collect(source(web, local, countries=("PE", "cl"))) == 2
    assert sorted(json.loads(collect.cursor("app_store") or "")) == ["cl 123456789", PLACE]
    assert {post.country for page in collect.pages for post in page.posts} == {"PE", "CL"}


def test_new_reviews_are_read_until_the_known_ones(local: Egress, collect: Any) -> None:
    reviews = [review(f"r{n:03}", at=at(-n)) for n in range(120)]
    server = Reviews({PLACE: [reviews[70:]]})
    with serving(server) as web:
        reading = source(web, local)
        assert collect(reading) == 50
        server.pages[PLACE] = [reviews[start : start + 50] for start in range(0, 120, 50)]
        web.asked.clear()
        assert collect(reading) == 70
        assert len(web.asked) == 2
        assert [hole for page in collect.pages for hole in page.holes] == []


def test_an_edited_review_is_given_again(local: Egress, collect: Any) -> None:
    server = Reviews({PLACE: [[review("r2", at=at(2)), review("r1", at=at(1))]]})
    with serving(server) as web:
        reading = source(web, local)
        collect(reading)
        server.pages[PLACE] = [[review("r1", "ya funciona", at=at(3)), review("r2", at=at(2))]]
        collect(reading)
    assert next(post.text for page in collect.pages for post in page.posts) == "Mala\nya funciona"


def test_more_reviews_than_the_platform_shows_leave_a_hole_that_is_told(local: Egress, collect: Any) -> None:
    server = Reviews({PLACE: [[review("old", at=at(0))]]})
    with serving(server) as web:
        reading = source(web, local, max_pages=2)
        collect(reading)
        server.pages[PLACE] = [[review(f"r{p}", at=at(100 - p))] for p in range(9)]
        assert collect(reading) == 2
        holes = [hole for page in collect.pages for hole in page.holes]
    assert holes == [Hole(datetime.fromisoformat(at(0)), datetime.fromisoformat(at(99)), app_store._PAST_REACH)]


# ---- faults


@pytest.mark.parametrize("bad", [5, "x", [], {"im:rating": {}}, {"id": {"label": "9"}, "title": {"label": "x"}}])
def test_a_strange_review_is_kept_aside_and_the_rest_of_its_page_goes_on(bad: Any, local: Egress, collect: Any) -> None:
    with serving(answering(feed([bad, review("r1")]), feed(None))) as web:
        assert collect(source(web, local)) == 1
    assert collect.error is None
    assert len(collect.rejected()) == 1


WHOLE = feed([review("r9")]).body
FAULTS = {
    "429": (Answer(status=429, headers={"Retry-After": "30"}), RateLimited),
    "403": (Answer(b"no", 403), NotAllowed),
    "404": (Answer(b"no", 404), Unreachable),
    "500": (Answer(b"oops", 500), Unreachable),
    "503": (Answer(b"oops", 503), Unreachable),
    "reset mid-body": (Answer(WHOLE, fault="reset"), Unreachable),
    "short body": (Answer(WHOLE, fault="short"), Unreachable),
    "truncated JSON": (Answer(WHOLE[:-20]), Unreadable),
    "HTML 200": (Answer(b"<html>Maintenance</html>"), Unreadable),
    "empty 200": (Answer(b""), Unreadable),
    "empty object": (Answer(b"{}"), Unreadable),
    "empty feed": (Answer(b'{"feed": {}}'), Unreadable),
    "entries that are none": (Answer(b'{"feed": {"entry": 5}}'), Unreadable),
    "deep nesting": (Answer(b"[" * 100_000), Unreadable),
    "redirect elsewhere": (Answer(status=302, headers={"Location": "http://example.org/"}), Refused),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_after_a_good_page_keeps_that_page_and_the_cursor(fault: str, local: Egress, collect: Any) -> None:
    answer, kind = FAULTS[fault]
    with serving(answering(feed([review("r1"), review("r2")]), answer)) as web:
        assert collect(source(web, local)) == 2
    assert type(collect.error) is kind
    assert collect.cursor("app_store") is None


def test_a_page_that_comes_again_and_again_is_stopped(local: Egress, collect: Any) -> None:
    with serving(lambda asked: feed([review("r1"), review("r2")])) as web:
        collect(source(web, local))
        assert len(web.asked) == 2
    assert type(collect.error) is Unreadable


def test_an_app_that_cannot_be_read_does_not_stop_the_others(local: Egress, collect: Any) -> None:
    with serving(answering(Answer(b"{}"), feed([review("r1")]), feed(None))) as web:
        assert collect(source(web, local, apps={"brisatel": "1", "nitido": "123456789"})) == 1
    assert type(collect.error) is Unreadable


def test_probe_reads_the_first_page(local: Egress) -> None:
    with serving(two_pages()) as web:
        source(web, local).probe()
        assert len(web.asked) == 1
    with serving(lambda asked: Answer(b"<html>")) as web, pytest.raises(Unreadable):
        source(web, local).probe()


@pytest.mark.parametrize(
    "wrong", [{"apps": {}}, {"apps": {"a": "x"}}, {"countries": ["peru"]}, {"base_url": "ftp://x"}]
)
def test_settings_refuse_what_cannot_be_asked(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        app_store.Settings.model_validate({"apps": {"nitido": "id1"}, **wrong})
