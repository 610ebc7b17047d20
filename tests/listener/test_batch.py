"""Many rows at once: the same rows as one by one, sums that a count of them gives, and no way around a guard."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from listener.batch import insert_new, moment_form, read_among
from listener.database import Store
from listener.errors import StoreError
from listener.intake import save_page
from listener.mention import Author, Mention, Metrics, Post, Term
from listener.query import parse
from listener.query.search import count as count_found
from listener.store import authors, clean, mentions, posts
from listener.sums.rollup import fold, recount, rollup_changes, rollup_days, rollups

NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)
KEYS = ("source", "key")


def write_authors(connection: Connection, *keys: str) -> list[int | None]:
    return insert_new(connection, authors, KEYS, [("x", key) for key in keys], KEYS)


def test_rows_get_ids_in_their_order_and_are_read_back_by_them(store: Store) -> None:
    facts = ("native_id", "verified", "followers")
    with store.write() as connection:
        first = insert_new(
            connection, authors, (*KEYS, *facts), [("x", "a", "1", True, 0), ("x", "b", None, None, 7)], KEYS
        )
        second = write_authors(connection, "c")
        assert insert_new(connection, authors, KEYS, [], KEYS) == []
    ids = [*first, *second]
    assert len(set(ids)) == 3
    with store.read() as connection:
        rows = {row.id: row for row in connection.execute(sa.select(authors))}
    assert [rows[one].key for one in ids] == ["a", "b", "c"]
    assert [(rows[one].native_id, rows[one].verified, rows[one].followers) for one in ids] == [
        ("1", True, 0), (None, None, 7), (None, None, None),
    ]  # fmt: skip


MOMENTS = (
    datetime(2026, 5, 4, 15, 0, 0, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=timezone(timedelta(hours=-5, minutes=-30))),
    datetime(1969, 7, 20, 20, 17, 40, 7, tzinfo=timezone(timedelta(hours=14))),
    datetime(213, 1, 2, 3, 4, 5, tzinfo=UTC),
)


def test_a_time_is_written_as_the_tables_write_it_and_never_without_a_zone(store: Store) -> None:
    columns = ("source", "native_id", "text", "published_at", "collected_at", "raw")
    with store.write() as connection:
        form = moment_form(connection)
        rows = [("x", str(n), "", form(at), form(at), "{}") for n, at in enumerate(MOMENTS)]
        insert_new(connection, posts, columns, rows, ("source", "native_id"))
        for n, at in enumerate(MOMENTS):
            row = {"source": "y", "native_id": str(n), "text": "", "published_at": at, "collected_at": at, "raw": {}}
            connection.execute(posts.insert().values(row))
        written = connection.exec_driver_sql("SELECT native_id, published_at, collected_at, raw FROM post").all()
        assert len(set(written)) == len(MOMENTS)
        with pytest.raises(ValueError, match="without a zone"):
            form(datetime(2026, 5, 4))  # noqa: DTZ001 - that is the point


def test_any_text_is_found_among_many(store: Store) -> None:
    texts = [
        "ñandú",
        "😀",
        "a'b\"c",
        "back\\slash \\u0041",
        "line\nbreak\x1f",
        "",
        "100%",
        "{1,NULL}",
        *map(str, range(2_000)),
    ]
    with store.write() as connection:
        write_authors(connection, *texts)
        found = read_among(connection, authors, ("key",), "key", [*texts, "nobody"], "x")
        assert sorted(row.key for row in found) == sorted(texts)
        assert read_among(connection, authors, ("id",), "key", ["1"], "y") == []
        assert len(read_among(connection, authors, ("id",), "key", ["1", "2", "1"])) == 2
        assert read_among(connection, authors, ("id",), "key", []) == []


def test_what_another_process_stores_at_the_same_moment_is_stored_once(store: Store, hold: Callable[..., Any]) -> None:
    shared = Post("x", "both", "Nítido no anda", NOW, Author("ana", followers=3))
    own = Post("x", "own", "Nítido anda", NOW, Author("eva"))
    saved = []

    def save_both() -> None:
        heard = [Mention(post, "nitido", "own", ()) for post in (shared, own)]
        with store.write() as connection:
            saved.append(save_page(connection, "x", [shared, own], heard, [], None, NOW))

    with store.write() as connection:
        save_page(connection, "x", [shared], [Mention(shared, "nitido", "own", ())], [], None, NOW)
        other = hold(save_both)
    other.join(30)
    assert [(one.new, one.mentions, one.edited) for one in saved] == [(1, 1, ())]
    with store.read() as connection:
        for table, number in ((posts, 2), (mentions, 2), (authors, 2)):
            assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == number
        assert connection.scalar(sa.select(authors.c.followers).where(authors.c.key == "ana")) == 3


@pytest.fixture
def hold(store: Store) -> Callable[..., threading.Thread]:
    """Give a function that starts another writer and comes back when that one waits for the first."""

    def start(work: Callable[[], None]) -> threading.Thread:
        other = threading.Thread(target=work)
        other.start()
        if store.engine.dialect.name == "postgresql":
            waits = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            until = time.monotonic() + 30
            with store.engine.connect() as watcher:
                while not watcher.exec_driver_sql(waits).scalar():
                    assert other.is_alive()
                    assert time.monotonic() < until
                    watcher.rollback()
        return other

    return start


def test_a_limited_view_of_the_database_lets_nothing_of_this_past(store: Store) -> None:
    limited = store.guarded_by(lambda statement: statement)
    with limited.write() as connection, pytest.raises(StoreError, match="limited"):
        write_authors(connection, "a")
    with limited.read() as connection, pytest.raises(StoreError, match="limited"):
        read_among(connection, authors, ("id",), "key", ["a"])


def sums(connection: Connection) -> set[tuple[Any, ...]]:
    fold(connection)
    assert connection.scalar(sa.select(sa.func.count()).select_from(rollup_changes)) == 0
    rows = [*connection.execute(sa.select(rollups)), *connection.execute(sa.select(rollup_days))]
    return {tuple(row) for row in rows if any(row[4:])}


WORDS = ("si", "no", "ñ 😀", "a\x00b \ud800")


def a_page(draw: random.Random) -> tuple[list[Post], list[Mention]]:
    """Make a page of few ids, so that pages repeat and edit each other's posts, and a page its own."""
    page = []
    for _ in range(draw.randrange(1, 9)):
        number = draw.randrange(12)
        author = Author(
            draw.choice(("ana", "Ana", "eva", None)), followers=draw.choice((None, 1, 2)), bio=draw.choice((None, "b"))
        )
        at = NOW - timedelta(minutes=7 * number)
        text = f"claro {draw.choice(WORDS)} {number}"
        raw = {"n": number, "text": text, "deep": [draw.choice((1.5, float("nan"), None))]}
        page.append(
            Post("x", f"n{number}", text, at, author, metrics=Metrics(likes=draw.choice((None, 0, 5))), raw=raw)
        )
    heard = [
        Mention(post, brand, "own", (Term(0, 5, "claro"),))
        for post in page for brand in ("claro", "otra", "claro") if draw.random() < 0.7
    ]  # fmt: skip
    return page, heard


@pytest.mark.parametrize("seed", range(3))
def test_pages_that_repeat_and_edit_each_other_leave_what_a_plain_telling_says(store: Store, seed: int) -> None:
    draw = random.Random(seed)
    told: dict[str, tuple[str, datetime, int | None]] = {}
    named: set[tuple[str, str]] = set()
    people: dict[str, dict[str, Any]] = {}
    for _ in range(25):
        page, heard = a_page(draw)
        last = {post.native_id: post for post in page}
        before = dict(told)
        for key, post in last.items():
            text = clean(post.text) or ""
            _, at, likes = before.get(key, (None, post.published_at, None))
            if before.get(key, ("",))[0] != text:
                told[key] = (text, at, likes if post.metrics.likes is None else post.metrics.likes)
        changed = {key for key in last if told[key][0] != before.get(key, ("",))[0]}
        named |= {
            (one.post.native_id, one.brand)
            for one in heard
            if one.post is last[one.post.native_id] and one.post.native_id in changed
        }
        latest = {post.author.handle.casefold(): post.author for post in last.values() if post.author.handle}
        for key, author in latest.items():
            kept = people.setdefault(key, {"handle": None, "followers": None, "bio": None})
            kept |= {name: value for name in kept if (value := getattr(author, name)) is not None}
        with store.write() as connection:
            saved = save_page(connection, "x", page, heard, [], None, NOW)
        assert saved.new == len(changed - set(before))
        assert len(saved.edited) == len(changed & set(before))
    with store.write() as connection:
        rows = connection.execute(sa.select(posts)).all()
        assert {row.native_id: (row.text, row.published_at, row.likes) for row in rows} == told
        assert all(row.raw["n"] == int(row.native_id[1:]) and row.raw["deep"] in ([1.5], [None]) for row in rows)
        joined = sa.select(posts.c.native_id, mentions.c.brand).join_from(mentions, posts)
        assert sorted(tuple(row) for row in connection.execute(joined)) == sorted(named)
        stored = {
            row.key: {name: getattr(row, name) for name in ("handle", "followers", "bio")}
            for row in connection.execute(sa.select(authors))
        }
        assert stored == people
        for word in ("si", "no", "n", "ab", "claro"):
            assert count_found(connection, parse(word)) == sum(
                word in text.replace("ñ", "n").split() for text, _, _ in told.values()
            )
        kept_sums = sums(connection)
        recount(connection)
        assert sums(connection) == kept_sums
        assert kept_sums


def test_a_page_that_fails_leaves_later_rows_to_be_summed_as_ever(store: Store) -> None:
    columns = ("source", "native_id", "text", "published_at", "collected_at", "raw")
    with store.write() as connection:
        form = moment_form(connection)
        row = ("x", "1", "", form(NOW), form(NOW), "{}")
        with pytest.raises(sa.exc.SQLAlchemyError), connection.begin_nested():
            insert_new(connection, posts, columns, [row, ("x", "2", None, *row[3:])], ("source", "native_id"))
        save_page(connection, "x", [Post("x", "3", "a", NOW)], [], [], None, NOW)
        connection.execute(
            posts.insert().values(source="x", native_id="4", text="", published_at=NOW, collected_at=NOW, raw={})
        )
        kept = sums(connection)
        recount(connection)
        assert sums(connection) == kept
        assert sum(row[4] for row in kept) == 4  # two posts, by hour and by day
