"""The filtered stream, against a server that speaks it: nothing is lost between two connections, nothing paid twice."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from listener.errors import NotAllowed, RateLimited, Unreachable, Unreadable
from listener.fetch import Egress
from listener.mention import Brand, Page
from listener.platforms.tweet import id_at
from listener.sources import x
from tests.servers.web import Answer
from tests.servers.x import TOKEN
from tests.servers.xworld import World, x_world

LOCAL = Egress(frozenset({"127.0.0.1"}), frozenset({"127.0.0.1"}))
BRANDS = (Brand("nitido", "Nítido", names=("Nítido",)),)
START = id_at(datetime.now(UTC) - timedelta(hours=3))
OURS = "escucha x "


def source(world: World, **settings: Any) -> x.Source:
    told = {"mode": "stream", "listen": timedelta(seconds=0.5), **settings}
    return x.Source("x", x.Settings(bearer_token=SecretStr(TOKEN), base_url=world.url, **told), LOCAL)


def new(number: int) -> int:
    return START + (number << 30)


class Poll:
    """Poll once; keep the pages, the error and the cursor of the last page that had one."""

    def __init__(self, reading: x.Source, cursor: str | None = None, brands: Any = BRANDS) -> None:
        self.pages: list[Page] = []
        self.times: list[float] = []
        self.error: Exception | None = None
        self.cursor = cursor
        try:
            for page in reading.collect(brands, cursor):
                self.pages.append(page)
                self.times.append(time.monotonic())
                self.cursor = page.cursor or self.cursor
        except (RateLimited, NotAllowed, Unreachable, Unreadable) as error:
            self.error = error

    @property
    def ids(self) -> list[int]:
        return [int(post.native_id) for page in self.pages for post in page.posts]

    def billed(self, unit: str) -> int:
        return sum(page.billed.get(unit, 0) for page in self.pages)


def test_a_stream_brings_posts_with_their_authors_and_ends_by_itself() -> None:
    with x_world() as world:
        feeder = threading.Thread(
            target=lambda: (world.connected.wait(10), world.feed(*(world.post(new(n)) for n in range(3))))
        )
        feeder.start()
        poll = Poll(source(world))
        feeder.join()
        assert world.left.wait(5), "the connection was left open"
    assert poll.error is None
    assert poll.ids == [new(n) for n in range(3)]
    assert poll.pages[-1].cursor is not None
    assert {post.author.handle for page in poll.pages for post in page.posts} == {"user7"}
    assert (poll.billed("post"), poll.billed("user")) == (3, 1)


def test_a_silent_stream_gives_a_page_at_least_every_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("listener.platforms.xstream._PULSE", 0.1)
    with x_world() as world:
        poll = Poll(source(world))
    gaps = [later - sooner for sooner, later in zip(poll.times, poll.times[1:], strict=False)]
    assert poll.error is None
    assert len(gaps) >= 3
    assert max(gaps) < 1
    assert poll.ids == []


def test_signs_of_life_and_broken_lines_do_not_end_the_stream() -> None:
    with x_world() as world:
        world.feed(
            b"\r\n", b'{"data": {"id": "1', b"\r\n", b"\r\n", b"[" * 50_000 + b"\r\n", {"odd": 1}, b"nope\xff\r\n"
        )
        world.feed({"data": {"id": "5"}}, {"data": {"id": str(new(1)), "text": "sin regla"}})
        poll = Poll(source(world))
    assert poll.error is None
    assert poll.ids == [new(1)]
    assert sum(len(page.rejected) for page in poll.pages) == 5


def test_what_passed_between_two_connections_is_searched_for_and_paid_once() -> None:
    with x_world() as world:
        reading = source(world)
        world.search.ids = [new(0)]
        first = Poll(reading)
        assert first.ids == [new(0)]
        assert world.left.wait(5)
        world.search.ids += [new(1), new(2)]  # said while nobody was connected
        world.feed(world.post(new(3)))
        second = Poll(reading, first.cursor)
        world.search.ids.append(new(3))  # the index has it late: the overlap brings it once more
        assert world.left.wait(5)
        world.feed(world.post(new(4)))
        third = Poll(reading, second.cursor)
    assert sorted(set(second.ids)) == [new(0), new(1), new(2), new(3)]
    assert second.billed("post") == 3
    assert {new(3), new(4)} <= set(third.ids)
    assert third.billed("post") == 1
    assert (second.billed("user"), third.billed("user")) == (1, 0)  # an author is charged once a day, too
    assert not any(page.holes for poll in (first, second, third) for page in poll.pages)


def test_without_catching_up_the_time_between_is_told_as_a_hole() -> None:
    with x_world() as world:
        reading = source(world, catch_up=False)
        first = Poll(reading)
        second = Poll(reading, first.cursor)
        assert "GET /2/tweets/search/recent" not in world.paths()
    assert [page.holes for page in first.pages if page.holes] == []
    (hole,) = (hole for page in second.pages for hole in page.holes)
    assert timedelta(0) < hole.end - hole.start < timedelta(seconds=30)


@pytest.mark.parametrize("end", ["fin", "rst", b"zz\r\n"])
def test_a_stream_that_breaks_at_once_is_a_failure_and_keeps_what_came(end: Any) -> None:
    with x_world() as world:
        world.feed(world.post(new(1)), end) if end != b"zz\r\n" else world.feed(
            world.post(new(1)), {"errors": [1]}, "fin"
        )
        began = time.monotonic()
        poll = Poll(source(world, listen=timedelta(seconds=20)))
        assert time.monotonic() - began < 5
        assert sum(path.endswith("/search/stream") for path in world.paths()) == 1, "it connected again by itself"
    assert type(poll.error) is Unreachable
    assert poll.ids == [new(1)]
    assert poll.cursor is not None


def test_a_stream_that_ends_after_a_while_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("listener.platforms.xstream._SHORT", 0.0)
    with x_world() as world:
        world.feed(world.post(new(1)), "fin")
        poll = Poll(source(world, listen=timedelta(seconds=20)))
    assert poll.error is None
    assert poll.ids == [new(1)]


def test_a_caller_that_stops_between_two_pages_hangs_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("listener.platforms.xstream._PULSE", 0.1)
    with x_world() as world:
        pages = source(world, listen=timedelta(minutes=5)).collect(BRANDS, None)
        next(pages)
        began = time.monotonic()
        pages.close()  # type: ignore[attr-defined]
        assert world.left.wait(5)
        assert time.monotonic() - began < 3
    assert not [thread for thread in threading.enumerate() if thread.name == "escucha-stream"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(b'{"title": "ConnectionException"}', 429), RateLimited),
        (Answer(b"oops", 503), Unreachable),
        (Answer(b"{}", 401), NotAllowed),
        (Answer(b"{}", 403), NotAllowed),
    ],
)
def test_a_stream_that_may_not_be_opened_is_one_of_our_errors(answer: Answer, kind: type) -> None:
    with x_world() as world:
        world.answers["/2/tweets/search/stream"] = answer
        poll = Poll(source(world))
    assert type(poll.error) is kind
    assert poll.pages == []


# ---- rules


def test_only_our_own_rules_are_touched_and_only_when_they_differ() -> None:
    with x_world() as world:
        world.rules = {"90": {"value": "cats", "tag": "somebody else"}, "91": {"value": "old", "tag": OURS + "0"}}
        reading = source(world)
        first = Poll(reading)
        assert first.error is None
        assert "90" in world.rules
        assert "91" not in world.rules
        (mine,) = (rule for rule in world.rules.values() if rule["tag"].startswith(OURS))
        assert mine["value"] == '"Nítido" -is:retweet' or "Nítido" in mine["value"]
        writes = world.paths().count("POST /2/tweets/search/stream/rules")
        Poll(reading, first.cursor)
        assert world.paths().count("POST /2/tweets/search/stream/rules") == writes


def test_posts_that_only_somebody_elses_rule_brought_are_paid_and_left_out() -> None:
    with x_world() as world:
        world.rules = {"90": {"value": "cats", "tag": "somebody else"}}
        world.feed(world.post(new(1), rule="90"))
        poll = Poll(source(world))
    assert poll.ids == []
    assert poll.billed("post") == 1


def test_a_rule_that_x_does_not_take_is_told() -> None:
    with x_world() as world:
        world.answers["/2/tweets/search/stream/rules"] = Answer(
            b'{"meta": {}, "errors": [{"title": "UnprocessableEntity"}]}'
        )
        poll = Poll(source(world))
    assert type(poll.error) is Unreadable
    assert "GET /2/tweets/search/stream" not in world.paths()


def test_without_brands_nothing_is_asked() -> None:
    with x_world() as world:
        assert Poll(source(world), brands=()).pages == []
        assert world.paths() == []
