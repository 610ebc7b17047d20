from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from listener.errors import NotAllowed, RateLimited, Refused, Unreachable, Unreadable
from listener.fetch import Egress
from listener.mention import Brand, Forecasts, Rechecks
from listener.sources import hackernews
from tests.listener.sources.conftest import NOW
from tests.servers.hackernews import START, Index, hit, page
from tests.servers.web import Answer, Web, serving

ONE = (Brand("nitido", "Nítido"),)


def source(web: Web, egress: Egress, **settings: Any) -> hackernews.Source:
    return hackernews.Source("hn", hackernews.Settings(base_url=web.url, **settings), egress, now=lambda: NOW)


# ---- one item


def test_a_comment_becomes_a_post() -> None:
    raw = hit(
        3, "It&#x27;s <i>down</i><p>again <a href='https://x.example/a'>https:&#x2F;&#x2F;x.example</a>", points=None
    )
    post = hackernews.post_from(raw, source="hn")
    assert post.text == "It's down again https://x.example"
    assert (post.native_id, post.in_reply_to, post.thread) == ("1003", "7", "5")
    assert int(post.published_at.timestamp()) == START + 3
    assert (post.author.handle, post.author.url) == ("ana", "https://news.ycombinator.com/user?id=ana")
    assert post.url == "https://news.ycombinator.com/item?id=1003"
    assert (post.metrics.likes, post.metrics.replies) == (None, None)
    assert "_highlightResult" not in post.raw


def test_a_story_becomes_a_post() -> None:
    raw = {"objectID": "9", "created_at": "2026-05-04T11:00:00Z", "title": "Show HN: Nítido", "url": "https://x.example",
           "story_text": "Hi <p>there", "points": 12, "num_comments": 3, "author": "a b", "new": [1]}  # fmt: skip
    post = hackernews.post_from(raw, source="hn")
    assert (post.text, post.thread, post.in_reply_to) == ("Show HN: Nítido\nHi there", "9", None)
    assert (post.metrics.likes, post.metrics.replies) == (12, 3)
    assert post.author.url == "https://news.ycombinator.com/user?id=a%20b"


BAD: list[Any] = [None, 7, "x", [], {}, {"objectID": "5"}, {"created_at_i": 5}]
BAD += [hit(1, created_at_i="x", created_at="soon"), hit(1, objectID=None), hit(1, created_at_i=10**17)]


@pytest.mark.parametrize("bad", BAD)
def test_one_bad_item_is_kept_aside_and_the_rest_of_its_page_goes_on(local: Egress, collect: Any, bad: Any) -> None:
    with serving(lambda asked: page([hit(4), bad, hit(2)], 1, 3)) as web:
        assert collect(source(web, local), ONE) == 2
    assert (collect.error, len(collect.rejected())) == (None, 1)


# ---- asking


def test_every_name_is_a_phrase_of_its_own(local: Egress, collect: Any, brands: tuple[Brand, ...]) -> None:
    with serving(Index([hit(1, "Nítido no anda"), hit(2, "nada")])) as web:
        assert collect(source(web, local), brands) == 1
        assert collect(source(web, local, comments=False), brands) == 0
    first = web.asked[0]
    assert first.path == "/api/v1/search_by_date"
    assert (first.query["tags"], first.query["hitsPerPage"]) == ("(story,comment)", "100")
    assert [asked.query["query"] for asked in web.asked[:2]] == ['"Nítido"', '"Nitido Móvil"']
    assert "numericFilters" not in first.query
    assert web.asked[2].query["tags"] == "story"
    assert web.asked[2].query["numericFilters"] == f"created_at_i>={START + 1 - 1800}"


def test_more_than_a_search_gives_is_read_by_time(local: Egress, collect: Any) -> None:
    index = Index([hit(number, "Nítido") for number in range(57)], ceiling=20)
    with serving(index) as web:
        collect(source(web, local, page_size=10, max_pages=100), ONE)
        assert (collect.error, len(collect.ids())) == (None, 57)


def test_a_second_that_holds_more_than_a_search_gives_ends_it(local: Egress, collect: Any) -> None:
    index = Index([hit(number, "Nítido", at=START) for number in range(30)], ceiling=20)
    with serving(index) as web:
        collect(source(web, local, page_size=10, max_pages=100), ONE)
        assert collect.error is None
        assert len(web.asked) <= 4
        assert len(collect.ids()) == 20


def test_a_burst_is_read_completely_over_the_next_polls(local: Egress, collect: Any) -> None:
    index = Index([hit(number, "Nítido") for number in range(3)])
    with serving(index) as web:
        reading = source(web, local, page_size=10, max_pages=2)
        collect(reading, ONE)
        index.hits += [hit(number * 10, "Nítido") for number in range(1, 200)]
        for _ in range(25):
            collect(reading, ONE)
            assert collect.error is None
        assert set(collect.ids()) == {one["objectID"] for one in index.hits}
        before = len(web.asked)
        collect(reading, ONE)
        assert len(web.asked) - before == 1


def test_a_late_item_and_an_edit_are_read(local: Egress, collect: Any) -> None:
    index = Index([hit(1000, "Nítido")])
    with serving(index) as web:
        collect(source(web, local), ONE)
        index.hits += [hit(500, "Nítido")]
        index.hits[0] = hit(1000, "Nítido, editado")
        collect(source(web, local), ONE)
    assert collect.ids() == ["1500", "2000"]
    assert "Nítido, editado" in [post.text for one in collect.pages for post in one.posts]


def test_a_fault_in_the_middle_loses_nothing(local: Egress, collect: Any) -> None:
    index = Index([hit(number, "Nítido") for number in range(25)])
    broken = [True]
    with serving(lambda asked: Answer(b"", 503) if broken[0] and asked.query["page"] == "1" else index(asked)) as web:
        reading = source(web, local, page_size=10)
        collect(reading, ONE)
        assert isinstance(collect.error, Unreachable)
        assert (len(collect.ids()), collect.cursor("hn")) == (10, None)
        broken[0] = False
        collect(reading, ONE)
        assert (collect.error, len(collect.ids())) == (None, 25)


def test_a_server_that_sends_the_same_page_for_ever_is_stopped(local: Egress, collect: Any) -> None:
    with serving(lambda asked: page([hit(1)], 99, 99)) as web:
        collect(source(web, local, page_size=1, max_pages=50), ONE)
        assert isinstance(collect.error, Unreadable)
        assert len(web.asked) < 6


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(b"", 429, {"Retry-After": "30"}), RateLimited),
        (Answer(b"down", 500), Unreachable),
        (Answer(b"", 404), Unreachable),
        (Answer(b'{"message":"no","status":403}', 403), NotAllowed),
        (Answer(b'{"message":"invalid","status":400}', 400), Unreadable),
        (Answer(b'{"message":"invalid","status":400}'), Unreadable),
        (Answer(b"<html>hola</html>"), Unreadable),
        (Answer(b""), Unreadable),
        (Answer(b"[]"), Unreadable),
        (Answer(b'{"hits": [{"objectID"'), Unreadable),
        (Answer(b"[" * 50_000), Unreadable),
        (Answer(b"x" * 1000, fault="reset"), Unreachable),
        (Answer(b"x" * 1000, fault="short"), Unreachable),
        (Answer(b"", 302, {"Location": "http://10.0.0.1/"}), Refused),
        (page([], 0, 0), None),
    ],
)
def test_every_fault_is_one_of_our_own_errors_and_the_cursor_stays(
    local: Egress, collect: Any, answer: Answer, error: type[Exception] | None
) -> None:
    with serving(lambda asked: answer) as web:
        collect(source(web, local), ONE)
    assert isinstance(collect.error, error) if error else collect.error is None
    assert (collect.cursor("hn") is None) == (error is not None)
    assert len(web.asked) == 1


# ---- what is still there


def test_a_recheck_tells_what_is_gone_and_how_the_rest_reads_now(local: Egress) -> None:
    with serving(Index([hit(1, "editado"), hit(2, comment_text=None)])) as web:
        reading = source(web, local)
        assert isinstance(reading, Rechecks)
        assert not isinstance(reading, Forecasts)
        pages = list(reading.recheck(["1001", "1002", "1003", "../x"]))
    assert [(post.native_id, post.text) for one in pages for post in one.posts] == [("1001", "editado")]
    assert [one for found in pages for one in found.gone] == ["1002", "1003"]
    assert "children" not in pages[0].posts[0].raw


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(b"<h1>Not Found</h1>", 404), Unreachable),
        (Answer(b"", 404), Unreachable),
        (Answer(b"{}", 404), Unreachable),
        (Answer(b"{}", 200), Unreadable),
        (Answer(b'{"id": 999, "text": null}', 200), Unreadable),
        (Answer(b"", 429), RateLimited),
        (Answer(b"x" * 100, fault="reset"), Unreachable),
    ],
)
def test_what_is_not_the_indexs_own_word_never_erases_a_post(
    local: Egress, answer: Answer, error: type[Exception]
) -> None:
    with serving(lambda asked: answer) as web, pytest.raises(error):
        list(source(web, local).recheck(["1001"]))


# ---- the rest


def test_probe_cost_and_hosts(local: Egress, brands: tuple[Brand, ...]) -> None:
    with serving(Index()) as web:
        source(web, local).probe()
        assert source(web, local, max_pages=3).cost(brands).facts == {"requests": 6}
        assert source(web, local).hosts() == {"127.0.0.1"}
    with serving(lambda asked: Answer(b"x", 500)) as web, pytest.raises(Unreachable):
        source(web, local).probe()


def test_the_place_to_go_on_from_is_a_time_of_each_name(local: Egress, collect: Any) -> None:
    with serving(Index([hit(9, "Nítido")])) as web:
        collect(source(web, local), ONE)
    (state,) = json.loads(collect.cursor("hn")).values()
    assert datetime.fromisoformat(state["last"]) == datetime.fromtimestamp(START + 9, NOW.tzinfo)


@pytest.mark.parametrize("wrong", [{"base_url": "hn"}, {"page_size": 1001}, {"max_pages": 0}, {"unknown": 1}])
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        hackernews.Settings(**wrong)


def test_every_setting_stands_in_the_page(request: pytest.FixtureRequest) -> None:
    text = (request.config.rootpath / "docs" / "sources" / "hackernews.md").read_text("utf-8")
    assert [name for name in hackernews.Settings.model_fields if f"\n{name} = " not in text] == []
