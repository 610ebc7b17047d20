from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from listener.errors import MissingLibrary, NotAllowed, RateLimited, Refused, Unreachable, Unreadable
from listener.fetch import Egress
from listener.mention import Author, Hole, Metrics
from listener.sources import google_play
from tests.servers.play import Reviews, answer, review, two_pages
from tests.servers.web import Answer, Web, serving

APP = "pe.nitido.mi"


def source(web: Web, egress: Egress, **settings: Any) -> google_play.Source:
    settings = {"apps": {"nitido": APP}, **settings}
    return google_play.Source("google_play", google_play.Settings(base_url=web.url, **settings), egress)


def answering(*answers: Answer) -> Any:
    given = iter(answers)
    return lambda asked: next(given)


# ---- reading


def test_reviews_of_every_page_are_stored_once(local: Egress, collect: Any) -> None:
    with serving(two_pages()) as web:
        reading = source(web, local)
        assert collect(reading) == 3
        assert collect.error is None
        assert collect.ids() == ["r1", "r2", "r3"]
        assert web.asked[0].query == {"hl": "es", "gl": "pe"}
        web.asked.clear()
        assert collect(reading) == 0
        assert len(web.asked) == 1


def test_what_a_review_says_arrives_and_the_developers_answer_does_not(local: Egress, collect: Any) -> None:
    with serving(two_pages()) as web:
        collect(source(web, local))
    post = collect.pages[0].posts[0]
    assert post.text == "se cierra sola"
    assert post.author == Author(name="Ana")
    assert (post.about, post.lang) == ("nitido", "es")
    assert post.metrics == Metrics(likes=4)
    assert post.published_at == datetime.fromtimestamp(1_777_900_000, UTC)
    assert post.url == f"https://play.google.com/store/apps/details?id={APP}&reviewId=r1"
    assert (post.raw["score"], post.raw["appVersion"], post.raw["app"]) == (1, "7.2", APP)
    assert "Lamentamos" not in repr(post)


def test_a_time_when_clocks_were_put_back_is_not_an_hour_off(
    local: Egress, collect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    monkeypatch.setenv("TZ", "Europe/Madrid")
    time.tzset()
    try:
        moments = [1_761_437_400, 1_761_441_000]  # 02:10 twice, on 26 October 2025
        pages = [[review(f"r{n}", at=moment) for n, moment in enumerate(moments)]]
        with serving(Reviews({APP: pages})) as web:
            collect(source(web, local))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [int(post.published_at.timestamp()) for post in collect.pages[0].posts] == moments


def test_an_app_without_reviews_is_no_failure_until_it_had_some(local: Egress, collect: Any) -> None:
    server = Reviews({})
    with serving(server) as web:
        reading = source(web, local)
        assert collect(reading) == 0
        assert collect.error is None
        server.pages[APP] = [[review("r1")]]
        assert collect(reading) == 1
        server.pages[APP] = []
        collect(reading)
    assert type(collect.error) is Unreadable


def test_new_and_edited_reviews_are_read_until_the_known_ones(local: Egress, collect: Any) -> None:
    server = Reviews({APP: [[review(f"r{n}", at=1_777_900_000 - n) for n in range(20)]]})
    with serving(server) as web:
        reading = source(web, local)
        collect(reading)
        fresh = [review("r5", "ya funciona", at=1_777_990_000), review("n1", at=1_777_980_000)]
        server.pages[APP] = [fresh, *server.pages[APP], [review("never asked for")]]
        web.asked.clear()
        assert collect(reading) == 1
        assert len(web.asked) == 2
    assert next(post.text for post in collect.pages[0].posts) == "ya funciona"


def test_more_reviews_than_a_poll_may_read_leave_a_hole_that_is_told(local: Egress, collect: Any) -> None:
    server = Reviews({APP: [[review("old", at=1_777_000_000)]]})
    with serving(server) as web:
        reading = source(web, local, max_pages=2)
        collect(reading)
        server.pages[APP] = [[review(f"r{p}", at=1_777_900_000 - p)] for p in range(9)]
        assert collect(reading) == 2
        holes = [hole for page in collect.pages for hole in page.holes]
    start, end = (datetime.fromtimestamp(moment, UTC) for moment in (1_777_000_000, 1_777_899_999))
    assert holes == [Hole(start, end, google_play._MORE_THAN_READ)]


# ---- the library


def test_certificates_are_still_checked_after_the_library_was_imported(local: Egress, collect: Any) -> None:
    with serving(two_pages()) as web:
        collect(source(web, local))
    assert ssl._create_default_https_context is ssl.create_default_context


def test_certificates_are_checked_again_when_somebody_else_imported_it(
    local: Egress, collect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssl, "_create_default_https_context", ssl._create_unverified_context)
    with serving(two_pages()) as web:
        collect(source(web, local))
    assert ssl._create_default_https_context is ssl.create_default_context


def test_a_fault_is_asked_once_and_never_read_as_no_reviews(local: Egress, collect: Any) -> None:
    with serving(lambda asked: Answer(b"oops", 500)) as web:
        collect(source(web, local))
        assert len(web.asked) == 1
    assert type(collect.error) is Unreachable


def test_without_the_library_the_sentence_names_the_extra(
    local: Egress, collect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "google_play_scraper", None)
    with serving(two_pages()) as web:
        collect(source(web, local))
    assert isinstance(collect.error, MissingLibrary)
    assert "escucha[google_play]" in str(collect.error)


# ---- faults


@pytest.mark.parametrize("bad", [None, 5, "x", [], {}, ["id"], review("r", text=""), review("r", at="ayer")])
def test_a_strange_review_is_kept_aside_and_the_rest_of_its_page_goes_on(bad: Any, local: Egress, collect: Any) -> None:
    with serving(answering(answer([bad, review("r1")]))) as web:
        assert collect(source(web, local)) == 1
    assert collect.error is None
    assert len(collect.rejected()) == 1


WHOLE = answer([review("r9")]).body
FAULTS = {
    "429": (Answer(status=429, headers={"Retry-After": "30"}), RateLimited),
    "asked too often, with 200": (
        Answer(b')]}\'\n\n[["er",null,"com.google.play.gateway.proto.PlayGatewayError"]]'),
        RateLimited,
    ),
    "403": (Answer(b"no", 403), NotAllowed),
    "404": (Answer(b"no", 404), Unreachable),
    "500": (Answer(b"oops", 500), Unreachable),
    "503": (Answer(b"oops", 503), Unreachable),
    "reset mid-body": (Answer(WHOLE, fault="reset"), Unreachable),
    "short body": (Answer(WHOLE, fault="short"), Unreachable),
    "truncated": (Answer(WHOLE[:-20]), Unreadable),
    "HTML 200": (Answer(b"<html>Before you continue</html>"), Unreadable),
    "empty 200": (Answer(b""), Unreadable),
    "no list inside": (Answer(b')]}\'\n\n[["wrb.fr","oCPfdb",null]]'), Unreadable),
    "another format": (Answer(b')]}\'\n\n[["wrb.fr","oCPfdb","{}"]]'), Unreadable),
    "items that are none": (Answer(b')]}\'\n\n[["wrb.fr","oCPfdb","[5]"]]'), Unreadable),
    "not UTF-8": (Answer(b")]}'\n\n\xff"), Unreadable),
    "deep nesting": (Answer(b")]}'\n\n" + b"[" * 100_000), Unreadable),
    "redirect elsewhere": (Answer(status=302, headers={"Location": "http://example.org/"}), Refused),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_after_a_good_page_keeps_that_page_and_the_cursor(fault: str, local: Egress, collect: Any) -> None:
    broken, kind = FAULTS[fault]
    with serving(answering(answer([review("r1"), review("r2")], "page1"), broken)) as web:
        assert collect(source(web, local)) == 2
    assert type(collect.error) is kind
    assert collect.cursor("google_play") is None


def test_a_platform_that_repeats_its_page_token_is_stopped(local: Egress, collect: Any) -> None:
    with serving(lambda asked: answer([review("r1")], "page1")) as web:
        collect(source(web, local, max_pages=50))
        assert len(web.asked) <= 3
    assert type(collect.error) is Unreadable


def test_an_app_that_cannot_be_read_does_not_stop_the_others(local: Egress, collect: Any) -> None:
    with serving(answering(Answer(b"<html>"), answer([review("r1")]))) as web:
        assert collect(source(web, local, apps={"brisatel": "pe.brisatel", "nitido": APP})) == 1
    assert type(collect.error) is Unreadable


def test_nothing_leaves_but_to_the_configured_host(collect: Any) -> None:
    with serving(two_pages()) as web:
        collect(source(web, Egress(frozenset({"play.google.com"}))))
        assert type(collect.error) is Refused
        assert web.asked == []


def test_probe_reads_the_first_page(local: Egress) -> None:
    with serving(two_pages()) as web:
        source(web, local).probe()
        assert len(web.asked) == 1
    with serving(lambda asked: Answer(b"<html>")) as web, pytest.raises(Unreadable):
        source(web, local).probe()


@pytest.mark.parametrize(
    "wrong", [{"apps": {}}, {"apps": {"a": 'x",7]'}}, {"country": "peru"}, {"base_url": "ftp://x"}]
)
def test_settings_refuse_what_cannot_be_asked(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        google_play.Settings.model_validate({"apps": {"nitido": APP}, **wrong})
