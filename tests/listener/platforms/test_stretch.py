from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from listener.errors import Unreadable
from listener.mention import Hole, Page, Post
from listener.platforms.stretch import Found, Stretches

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
NOW = START + timedelta(days=1)


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def post(minute: float, key: str = "") -> Post:
    return Post("s", f"{minute}{key}", "hola", at(minute))


class Search:
    """Give posts newest first, so many a page."""

    def __init__(self, *posts: Post, size: int = 2) -> None:
        self.posts = list(posts)
        self.size = size
        self.asked: list[tuple[datetime | None, datetime | None, str | None]] = []

    def __call__(self, low: datetime | None, high: datetime | None, token: str | None) -> Found:
        self.asked.append((low, high, token))
        fitting = [one for one in self.posts if (low is None or low <= one.published_at)]
        fitting = [one for one in fitting if high is None or one.published_at <= high]
        fitting.sort(key=lambda one: one.published_at, reverse=True)
        start = int(token or 0)
        more = str(start + self.size) if start + self.size < len(fitting) else None
        return Found(Page(tuple(fitting[start : start + self.size])), more)


class Reader:
    def __init__(self, search: Any, most: int = 2) -> None:
        self.search = search
        self.most = most
        self.state: dict[str, dict[str, Any]] = {}
        self.seen: set[str] = set()
        self.holes: list[Hole] = []

    def poll(self) -> list[Page]:
        stretches = Stretches("s", lambda: NOW, self.most, timedelta(minutes=10))
        pages = []
        for page in stretches.read(self.search, "q", json.loads(json.dumps(self.state))):
            pages.append(page)
            self.seen |= {one.native_id for one in page.posts}
            self.holes += page.holes
            self.state = json.loads(page.cursor) if page.cursor else self.state
        return pages


def test_the_cursor_comes_with_the_last_page_and_the_next_poll_begins_before_it() -> None:
    reader = Reader(Search(post(1), post(2), post(30)))
    assert [page.cursor is not None for page in reader.poll()] == [False, True]
    assert reader.state == {"q": {"last": at(30).isoformat()}}
    reader.poll()
    assert reader.search.asked[-1] == (at(20), None, None)


def test_what_does_not_fit_is_read_by_the_next_polls_the_first_poll_aside() -> None:
    search = Search(*(post(minute) for minute in range(100)))
    reader = Reader(search, most=3)
    reader.poll()
    assert reader.seen == {str(minute) for minute in range(94, 100)}
    search.posts += [post(minute) for minute in range(100, 200)]
    for _ in range(60):
        reader.poll()
    assert reader.seen >= {str(minute) for minute in range(94, 200)}
    assert reader.holes == []
    assert "left" not in reader.state["q"]


def test_a_moment_that_holds_more_than_a_poll_may_read_is_told_as_a_hole_and_left() -> None:
    search = Search(post(0))
    reader = Reader(search)
    reader.poll()
    search.posts += [post(5, f"-{number}") for number in range(20)]
    for _ in range(8):
        reader.poll()
    assert {(hole.start, hole.end) for hole in reader.holes} == {(at(-10), at(5))}
    assert "left" not in reader.state["q"]


def test_a_post_from_the_first_year_does_not_stop_the_next_poll() -> None:
    search = Search(Post("s", "old", "hola", datetime.min.replace(tzinfo=UTC)))
    reader = Reader(search)
    reader.poll()
    search.posts.append(post(1))
    reader.poll()
    assert reader.seen == {"old", "1"}


def test_a_post_from_the_future_does_not_hide_what_comes_until_then() -> None:
    reader = Reader(Search(post(60 * 24 * 365)))
    reader.poll()
    assert reader.state["q"]["last"] == NOW.isoformat()


@pytest.mark.parametrize("state", [{"last": "soon"}, {"last": 5}, {"last": None, "left": [1]}, {"left": [["x", "y"]]}])
def test_a_damaged_state_counts_as_none(state: dict[str, Any]) -> None:
    reader = Reader(Search(post(1)))
    reader.state = {"q": state}
    reader.poll()
    assert reader.search.asked[0] == (None, None, None)


def test_a_token_that_comes_again_is_a_loop() -> None:
    reader = Reader(lambda low, high, token: Found(Page((post(1), post(2))), "same"), most=50)
    with pytest.raises(Unreadable, match="again and again"):
        reader.poll()
    assert reader.state == {}


def test_pages_that_bring_nothing_new_are_a_loop_whatever_their_tokens() -> None:
    reader = Reader(lambda low, high, token: Found(Page((post(1),)), str(int(token or 0) + 1)), most=50)
    with pytest.raises(Unreadable, match="again and again"):
        reader.poll()


def test_an_empty_search_says_nothing_of_the_place_to_go_on_from() -> None:
    reader = Reader(Search())
    (page,) = reader.poll()
    assert page.cursor == '{"q": {}}'
    reader.poll()
    assert reader.search.asked[-1] == (None, None, None)
