from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from listener.errors import NotAllowed, RateLimited, SourceError, Unreachable, Unreadable
from listener.fetch import Egress
from listener.mention import Page, Post
from listener.platforms.catchup import OVERLAP, Ask, Found, Plan, catch_up
from listener.platforms.graph import Answer as Told
from listener.platforms.graph import Graph, next_of
from tests.servers.graph import SECRET, TOKEN, Edges, failing
from tests.servers.web import Answer, Asked, Web, serving

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LOCAL = Egress(frozenset({"127.0.0.1"}), frozenset({"127.0.0.1"}))


def graph(web: Web, token: str = TOKEN) -> Graph:
    settings = SimpleNamespace(base_url=web.url, access_token=SecretStr(token), app_secret=SecretStr(SECRET))
    return Graph("pages", settings, LOCAL)


def ask(answer: Answer | Callable[[Asked], Answer], **more: Any) -> Told:
    serve = answer if callable(answer) else lambda asked: answer
    with serving(serve) as web, graph(web) as asking:
        return asking.get("111", {"fields": "id"}, **more)


def refused(answer: Answer) -> SourceError:
    with pytest.raises(SourceError) as caught:
        ask(answer)
    assert TOKEN not in str(caught.value)
    assert TOKEN.encode() not in caught.value.body
    return caught.value


def test_the_key_travels_in_a_header_with_a_proof_and_never_in_the_address() -> None:
    asked: list[Asked] = []

    def serve(one: Asked) -> Answer:
        asked.append(one)
        return Answer(b'{"id": "111"}')

    assert ask(serve).body == {"id": "111"}
    assert asked[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert set(asked[0].query) == {"fields", "appsecret_proof"}
    assert len(asked[0].query["appsecret_proof"]) == 64
    assert TOKEN not in json.dumps(asked[0].query)


@pytest.mark.parametrize(
    ("code", "subcode", "status", "kind"),
    [
        (4, None, 403, RateLimited),
        (17, 2446079, 400, RateLimited),
        (32, None, 400, RateLimited),
        (341, None, 400, RateLimited),
        (613, 1487742, 400, RateLimited),
        (80001, None, 400, RateLimited),
        (190, 463, 400, NotAllowed),
        (102, None, 401, NotAllowed),
        (3, None, 400, NotAllowed),
        (10, None, 403, NotAllowed),
        (200, None, 403, NotAllowed),
        (299, None, 400, NotAllowed),
        (100, 33, 400, NotAllowed),
        (100, None, 400, Unreadable),
        (1, None, 400, Unreachable),
        (2, None, 500, Unreachable),
        (99999, None, 400, Unreadable),
        (4, None, 200, RateLimited),
    ],
)
def test_errors_of_graph_become_ours_whatever_their_status(
    code: int, subcode: int | None, status: int, kind: type[SourceError]
) -> None:
    assert type(refused(failing(code, subcode, status))) is kind


def test_the_recorded_errors_are_understood(shared: Path) -> None:
    for name in ("error.json", "base/error_data.json"):
        body = (shared / "payloads" / "meta" / name).read_bytes()
        assert isinstance(refused(Answer(body, 400)), Unreadable)


def test_a_limit_waits_as_long_as_graph_says() -> None:
    usage = json.dumps({"111": [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 19}]})
    error = refused(failing(4, None, 403, **{"X-Business-Use-Case-Usage": usage}))
    assert isinstance(error, RateLimited)
    assert error.until is not None
    assert abs(error.until - datetime.now(UTC) - timedelta(minutes=19)) < timedelta(minutes=1)
    plain = refused(failing(4))
    assert isinstance(plain, RateLimited)
    assert plain.until is None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b""),
        Answer(b"<html>down</html>"),
        Answer(b"[]"),
        Answer(b'{"data": [{"id"'),
        Answer(b"[" * 100_000),
        Answer(f'{{"data": [], "next": "https://graph.facebook.com/?access_token={TOKEN}'.encode()),
        Answer(f'{{"error": {{"code": 100, "message": "bad {TOKEN} {SECRET}"}}}}'.encode(), 400),
    ],
)
def test_what_is_no_answer_is_unreadable_and_its_body_holds_no_key(answer: Answer) -> None:
    error = refused(answer)
    assert type(error) is Unreadable
    assert SECRET.encode() not in error.body


def test_usage_is_a_quota_in_percent_and_nonsense_is_none() -> None:
    told = Answer(b"{}", headers={"X-App-Usage": '{"call_count":28,"total_time":93,"total_cputime":25}'})
    quota = ask(told).quota
    assert quota is not None
    assert (quota.left, quota.limit, quota.resets_at) == (7, 100, None)
    for odd in ("", "no json", "[]", '"x"', '{"call_count": -1}', '{"call_count": "many"}', "[" * 9000):
        assert ask(Answer(b"{}", headers={"X-App-Usage": odd})).quota is None
    over = ask(Answer(b"{}", headers={"X-Page-Usage": '{"call_count":140}'})).quota
    assert over is not None
    assert over.left == 0


def test_the_next_page_is_a_token_and_never_an_address() -> None:
    link = "https://evil.example/steal?access_token=x&limit=5&until=162&__paging_token=abc"
    assert next_of({"paging": {"next": link}}, "pages") == (("until", "162"), ("__paging_token", "abc"))
    assert next_of({"paging": {"cursors": {"after": "q"}, "next": link}}, "pages") == (("after", "q"),)
    # Graph gives a cursor with the last page too; only an address says that there is more.
    assert next_of({"paging": {"cursors": {"after": "q"}}}, "pages") is None
    assert next_of({}, "pages") is None
    with pytest.raises(Unreadable):
        next_of({"paging": {"next": "https://[broken"}}, "pages")


def test_one_object_that_is_gone_is_found_among_many() -> None:
    objects = {f"9_{n}": {"id": f"9_{n}"} for n in range(50) if n not in (7, 31)}
    with serving(Edges({}, objects)) as web, graph(web) as asking:
        there, gone = asking.look_up([f"9_{n}" for n in range(50)], "id")
        assert set(there) == set(objects)
        assert sorted(gone) == ["9_31", "9_7"]
        assert len(web.asked) < 30


def test_an_object_that_graph_will_not_show_is_not_called_gone() -> None:
    with serving(lambda asked: failing(100, None)) as web, graph(web) as asking:
        assert asking.look_up(["9_1"], "id") == ({}, [])
    with serving(lambda asked: Answer(b"{}")) as web, graph(web) as asking:
        assert asking.look_up(["9_1", "9_2"], "id") == ({}, [])
    with serving(lambda asked: failing(10)) as web, graph(web) as asking, pytest.raises(NotAllowed):
        asking.look_up(["9_1"], "id")


# ---- catching up


def read(one: Ask, body: Mapping[str, Any], since: datetime) -> Found:
    posts = [Post("pages", item["id"], "text", NOW) for item in body["data"]]
    asks = [Ask(f"{item['id']}/comments") for item in body["data"] if item.get("more")]
    token = next_of(body, "pages")
    return Found(posts, (), [*asks, *([Ask(one.path, token)] if token else [])])


def plan(most: int = 100) -> Plan:
    return Plan(("111/feed",), lambda path: {}, read, 7, most)


WORLD = Edges(
    {
        "111/feed": [[{"id": "a", "more": True}, {"id": "b"}], [{"id": "c", "more": True}], [{"id": "d"}]],
        "a/comments": [[{"id": "a1"}], [{"id": "a2"}]],
        "c/comments": [[{"id": "c1"}]],
    }
)
ALL = ["a", "a1", "a2", "b", "c", "c1", "d"]


def poll(serve: Any, cursor: str | None, most: int = 100, now: datetime = NOW) -> tuple[list[Page], SourceError | None]:
    pages: list[Page] = []
    with serving(serve) as web, graph(web) as asking:
        try:
            pages += catch_up(asking, plan(most), cursor, now)
        except SourceError as error:
            return pages, error
    return pages, None


def ids(*groups: list[Page]) -> list[str]:
    return sorted(post.native_id for pages in groups for page in pages for post in page.posts)


def last(pages: list[Page], cursor: str | None = None) -> str | None:
    return next((page.cursor for page in reversed(pages) if page.cursor is not None), cursor)


def test_every_edge_is_read_once_and_the_next_sweep_begins_where_this_one_did() -> None:
    pages, error = poll(WORLD, None)
    assert error is None
    assert ids(pages) == ALL
    assert json.loads(last(pages) or "") == {"done": {"until": NOW.isoformat()}}
    told: list[datetime] = []
    later = Plan(("111/feed",), lambda path: {}, lambda one, body, since: told.append(since) or Found(), 7, 9)
    with serving(WORLD) as web, graph(web) as asking:
        list(catch_up(asking, later, last(pages), NOW + timedelta(hours=1)))
    assert told == [NOW - OVERLAP]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_what_does_not_fit_into_a_poll_is_read_at_the_next_ones(most: int) -> None:
    cursor, found = None, []
    for turn in range(20):
        pages, error = poll(WORLD, cursor, most, NOW + timedelta(minutes=turn))
        assert error is None
        assert len(pages) <= most
        found.append(pages)
        cursor = last(pages, cursor)
        if "open" not in json.loads(cursor or "{}"):
            break
    assert ids(*found) == ALL
    # The next sweep begins where this one began, not where it ended.
    assert json.loads(cursor or "") == {"done": {"until": NOW.isoformat()}}


@pytest.mark.parametrize("fault", [Answer(b"", 500), Answer(b"<html>"), failing(4), failing(190, 463, 401)])
@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 5])
def test_a_fault_at_any_request_loses_nothing(fault: Answer, at: int) -> None:
    turns = iter(range(100))
    broken, error = poll(lambda asked: fault if next(turns) == at else WORLD(asked), None)
    assert error is not None
    rest, error = poll(WORLD, last(broken))
    assert error is None
    assert ids(broken, rest) == ALL  # nothing was asked twice either


def test_a_page_that_names_itself_as_the_next_is_a_loop_and_the_place_before_it_stays() -> None:
    def serve(asked: Asked) -> Answer:
        told = WORLD.page(asked.path.strip("/"), asked.query.get("after")) if asked.query.get("after") else None
        if told is None or asked.path != "/111/feed":
            return WORLD(asked)
        return Answer(
            json.dumps({**told, "paging": {"cursors": {"after": "page1"}, "next": "https://x/?after=page1"}}).encode()
        )

    broken, error = poll(serve, None)
    assert type(error) is Unreadable
    assert broken[-1].cursor is None
    rest, error = poll(WORLD, last(broken))
    assert error is None
    assert set(ids(broken, rest)) == set(ALL)


def test_a_post_that_comes_twice_is_no_loop() -> None:
    twice = Edges({**WORLD.edges, "111/feed": [WORLD.edges["111/feed"][0], WORLD.edges["111/feed"][0]]})
    pages, error = poll(twice, None)
    assert error is None
    assert sorted(set(ids(pages))) == ["a", "a1", "a2", "b"]


def test_a_token_that_expired_over_night_starts_the_sweep_again() -> None:
    first, _ = poll(WORLD, None, 1)

    expired = iter([True])

    def serve(asked: Asked) -> Answer:
        old = asked.path == "/111/feed" and "after" in asked.query and next(expired, False)
        return failing(100) if old else WORLD(asked)

    rest, error = poll(serve, last(first))
    assert error is None
    assert sorted(set(ids(rest))) == ALL


def test_a_post_that_went_meanwhile_stops_nothing() -> None:
    without = Edges({path: pages for path, pages in WORLD.edges.items() if path != "a/comments"})
    pages, error = poll(without, None)
    assert error is None
    assert ids(pages) == ["a", "b", "c", "c1", "d"]
    assert json.loads(last(pages) or "") == {"done": {"until": NOW.isoformat()}}


@pytest.mark.parametrize(
    "cursor", ["", "x", "[]", '{"open": 5}', '{"open": {"queue": [5]}}', '{"done": {"until": 1e99}}']
)
def test_a_damaged_cursor_begins_anew(cursor: str) -> None:
    pages, error = poll(WORLD, cursor)
    assert error is None
    assert ids(pages) == ALL
