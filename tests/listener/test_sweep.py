"""The sweep: what is deleted or edited at the source is so here within a day; restart-safe, polite, in doubt slow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa

from listener.config import parse
from listener.database import Store
from listener.errors import RateLimited, Unreadable
from listener.intake import Saved, save_page
from listener.mention import Page, Post
from listener.policy import BudgetUsedUp
from listener.store import cursors, posts, tombstones
from listener.sweep import AGAIN, EVERY, ROUND, Swept, job_of_sweep, oldest_check, sweep_source, swept_sources

NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)
OLD = NOW - timedelta(days=2)


def post(native_id: str, text: str | None = None) -> Post:
    return Post("board", native_id, text or f"Nítido {native_id}", OLD)


def save(connection: sa.Connection, source: str, page: Page, now: datetime) -> Saved:
    return save_page(connection, source, page.posts, [], page.rejected, page.cursor, now)


class Board:
    """Stand in for a platform: it tells of the ids that it is asked for, a page of `size` at a time."""

    name = "board"

    def __init__(self, there: dict[str, str], size: int = 10) -> None:
        self.there, self.size = there, size
        self.asked: list[list[str]] = []
        self.silent: set[str] = set()
        self.fails_at: int | None = None
        self.extra: tuple[str, ...] = ()

    def recheck(self, native_ids: Sequence[str]) -> Iterator[Page]:
        for start in range(0, len(native_ids), self.size):
            if self.fails_at == len(self.asked):
                raise RateLimited(self.name, "slow down")
            wanted = list(native_ids[start : start + self.size])
            self.asked.append(wanted)
            known = [one for one in wanted if one not in self.silent]
            still = tuple(post(one, self.there[one]) for one in known if one in self.there)
            yield Page(still, "a cursor", gone=(*(one for one in known if one not in self.there), *self.extra))


class Billed(Board):
    dearest_page: ClassVar = {"post": 10}

    def forecast(self, brands: Any) -> Any:
        raise AssertionError("nobody asks for it here")


def fill(store: Store, count: int, published: datetime = OLD, collected: datetime = OLD) -> dict[str, str]:
    texts = {f"p{number:04d}": f"Nítido p{number:04d}" for number in range(count)}
    found = [Post("board", one, text, published) for one, text in texts.items()]
    with store.write() as connection:
        save_page(connection, "board", found, [], (), None, collected)
    return texts


def sweep(store: Store, board: Board, now: datetime = NOW, **more: Any) -> Swept:
    return sweep_source(store, board, "board", now, save, **more)


def stored(store: Store) -> dict[str, str]:
    with store.read() as connection:
        return {row.native_id: row.text for row in connection.execute(sa.select(posts.c.native_id, posts.c.text))}


def test_what_is_gone_is_erased_what_changed_is_an_edit_and_the_rest_stays(store: Store) -> None:
    there = fill(store, 25)
    del there["p0003"], there["p0020"]
    there["p0007"] = "Nítido, corregido"
    done = sweep(store, Board(there))
    assert done == Swept("board", checked=23, gone=2, edited=1, left=0)
    assert stored(store) == there
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(tombstones)) == 2
        assert connection.scalar(sa.select(cursors.c.value).where(cursors.c.source == "board")) is None
        assert oldest_check(connection, "board") == NOW


def test_a_post_is_asked_after_again_before_a_day_has_passed_and_not_at_once(store: Store) -> None:
    assert timedelta(days=1) > AGAIN + ROUND + EVERY
    board = Board(fill(store, 5))
    sweep(store, board)
    assert sweep(store, board, NOW + timedelta(hours=12)).checked == 0
    checks = [now for hour in range(1, 30) if sweep(store, board, now := NOW + timedelta(hours=hour)).checked]
    assert [check - NOW < timedelta(days=1) for check in checks] == [True]
    assert sweep(store, board, checks[0], again=timedelta(0)).checked == 5, "a person may ask for all"


def test_the_longest_waiting_are_asked_first_and_the_rest_is_left_to_the_next_sweep(store: Store) -> None:
    board = Board(fill(store, 30))
    first = sweep(store, board, stopping=lambda: len(board.asked) == 2)
    assert (first.checked, first.left) == (20, 10)
    second = sweep(store, board, NOW + EVERY)
    assert (second.checked, second.left) == (10, 0)
    assert sorted(one for page in board.asked for one in page) == sorted(board.there)


def test_a_limit_is_told_to_the_clock_and_what_was_checked_stays_checked(store: Store) -> None:
    board = Board(fill(store, 30))
    del board.there["p0001"]
    board.fails_at = 1
    with pytest.raises(RateLimited):
        sweep(store, board)
    assert "p0001" not in stored(store)
    board.fails_at = None
    assert sweep(store, board, NOW + EVERY).checked == 20


def test_killed_between_two_pages_the_next_sweep_goes_on_there(store: Store) -> None:
    board = Board(fill(store, 30))

    def killed(name: str) -> None:
        if len(board.asked) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(store, board, step=killed)
    assert sweep(store, board, NOW + EVERY) == Swept("board", checked=10)


def test_a_used_up_budget_asks_for_nothing_more(store: Store) -> None:
    board = Billed(fill(store, 30))

    def pay() -> None:
        if len(board.asked) == 1:
            raise BudgetUsedUp("board")

    with pytest.raises(BudgetUsedUp):
        sweep(store, board, pay=pay)
    assert len(board.asked) == 1


def test_old_posts_of_a_platform_that_charges_are_asked_after_once_a_week(store: Store) -> None:
    there = fill(store, 4, published=NOW - timedelta(days=40), collected=NOW - timedelta(days=40))
    billed, free = Billed(there), Board(there)
    assert sweep(store, billed).checked == 4
    assert sweep(store, billed, NOW + timedelta(days=2)).checked == 0
    assert sweep(store, billed, NOW + timedelta(days=7)).checked == 4
    assert sweep(store, free, NOW + timedelta(days=8)).checked == 4


def test_posts_of_which_the_platform_says_nothing_stay_and_do_not_stand_in_the_way(store: Store) -> None:
    board = Board(fill(store, 12))
    board.silent = {"p0000", "p0001"}
    assert sweep(store, board).checked == 12
    assert len(stored(store)) == 12
    assert sweep(store, board, NOW + EVERY).checked == 0


def test_an_id_that_was_not_asked_for_is_nobodys_business(store: Store) -> None:
    board = Board(fill(store, 5))
    with store.write() as connection:
        save_page(connection, "board", [post("fresh")], [], (), None, NOW)
    board.extra = ("fresh",)
    assert sweep(store, board).gone == 0
    assert "fresh" in stored(store)


def test_a_platform_that_loses_everything_at_once_is_believed_only_when_it_says_so_again(store: Store) -> None:
    there = fill(store, 60)
    with pytest.raises(Unreadable, match="nearly all posts are gone"):
        sweep(store, Board({}))
    assert len(stored(store)) == 60
    with pytest.raises(Unreadable):
        sweep(store, Board({}), NOW + timedelta(minutes=10))
    assert sweep(store, Board(there), NOW + EVERY).gone == 0, "it had a fault"
    later = NOW + timedelta(days=1)
    with pytest.raises(Unreadable):
        sweep(store, Board({}), later)
    assert sweep(store, Board({}), later + EVERY).gone == 60


def test_a_platform_that_answers_for_one_post_at_a_time_is_doubted_the_same(store: Store) -> None:
    there = fill(store, 60)
    with pytest.raises(Unreadable):
        sweep(store, Board({}, size=1))
    assert len(stored(store)) == 60, "none is erased before the doubt"
    for number in range(30):
        del there[f"p{number:04d}"]
    assert sweep(store, Board(there, size=1), NOW + EVERY).gone == 30
    assert stored(store) == there


def test_a_whole_page_of_removed_posts_is_believed_while_the_others_are_there(store: Store) -> None:
    there = fill(store, 100)
    for number in range(30):
        del there[f"p{number:04d}"]
    assert sweep(store, Board(there)).gone == 30


def test_a_few_posts_that_are_all_gone_are_believed_at_once(store: Store) -> None:
    fill(store, 3)
    assert sweep(store, Board({})).gone == 3


def test_only_sources_that_can_tell_are_swept(tmp_path: Path, store: Store) -> None:
    table: dict[str, Any] = {
        "brands": {"a": {"name": "A"}},
        "departments": {"communications": {"alert": ["mail:a@example.org"]}},
        "sources": {
            "files": {"kind": "file", "path": "in"},
            "x": {"kind": "x", "bearer_token": "t"},
            "off": {"kind": "x", "bearer_token": "t", "enabled": False},
        },
    }
    assert swept_sources(parse(table, tmp_path, {})) == ("x",)
    assert job_of_sweep("x") == "sweep/x"
    assert sweep_source(store, object(), "files", NOW, save) == Swept("files")
