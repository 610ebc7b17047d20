"""Measure how fast pages of posts are stored with full text and sums, against bare writing by the driver.

In one run both sides are given the same pages of 500 posts, with the one mention that a matcher found in each, and
commit once a page, into tables with the same indexes, settings and durability. The bare side makes its rows by hand and
hands them to sqlite3's executemany, or to psycopg's COPY and executemany; it asks for no known post or author, cuts no
words and keeps no sums.
Turn by turn, so that a busy machine slows all. `rows_ready` leaves the making of rows out of the bare side's time, not
out of ours.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from bench.archive import NOW, Archive
from bench.postgres import running
from listener.database import Store
from listener.intake import save_page
from listener.mention import Author, Mention, Post, Term

__all__ = ["main"]

_PAGE = 500
_AUTHORS = 3_000
_GOAL = 0.35  # of sqlite3's executemany, rows made by hand
_BARE = (
    ("author", "id, source, key, handle, name", 5),
    ("post", "id, source, native_id, url, text, lang, author_id, published_at, collected_at, raw", 10),
    ("mention", "id, post_id, brand, kind, terms, source, published_at, hour", 8),
)

_Times = tuple[float, float]  # seconds by the clock, and of this process's work alone
_Rows = tuple[list[tuple[object, ...]], ...]
_Write = Callable[[_Rows], None]
_Page = tuple[list[Post], list[Mention]]


def _pages(count: int) -> list[_Page]:
    """Make pages of posts by many people, published over a day, with what was heard in them."""
    words, start = Archive(1_000).words, NOW.astimezone(UTC) - timedelta(days=1)
    pages: list[_Page] = [([], []) for _ in range(count)]
    for n in range(count * _PAGE):
        text = " ".join(words[(n * 31 + step * step * 7) % len(words)] for step in range(18))
        at = start + timedelta(seconds=n * 86_400 / (count * _PAGE))
        author = Author(handle=f"u{n % _AUTHORS}", name=f"Persona {n % _AUTHORS}")
        address = f"https://x.example/{n}"
        post = Post("x", f"n{n}", f"nitido {text}", at, author, url=address, lang="es")
        found, heard = pages[n // _PAGE]
        found.append(post)
        heard.append(Mention(post, "nitido", "own", (Term(0, 6, "nitido"),)))
    return pages


def _write(store: Store, page: _Page) -> None:
    with store.write() as connection:
        save_page(connection, "x", *page, [], "cursor", NOW)


def _rows(page: _Page, written: Callable[[datetime], object]) -> _Rows:
    """Make the rows of a page by hand, in the order of _BARE."""
    rows: _Rows = ([], [], [])
    collected = written(NOW)
    for post in page[0]:
        n = int(post.native_id[1:]) + 1
        at, hour = written(post.published_at), int(post.published_at.timestamp() // 3600)
        if n <= _AUTHORS:
            rows[0].append((n, "x", post.author.handle, post.author.handle, post.author.name))
        author = (n - 1) % _AUTHORS + 1
        rows[1].append((n, "x", post.native_id, post.url, post.text, post.lang, author, at, collected, "{}"))
        rows[2].append((n, n, "nitido", "own", '[[0,6,"nitido"]]', "x", at, hour))
    return rows


def _text(at: datetime) -> str:
    day = "%04d-%02d-%02d %02d:%02d:%02d.%06d"  # faster than strftime and isoformat
    return day % (at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond)


def _insert(mark: str, table: str, names: str, width: int) -> str:
    return f"INSERT INTO {table} ({names}) VALUES ({', '.join([mark] * width)})"


def _bare_sqlite(url: str) -> tuple[_Write, Callable[[], None]]:
    """Open a migrated database without triggers, with the settings of ours; give its writer and what closes it."""
    connection = sqlite3.connect(str(sa.make_url(url).database), isolation_level=None)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")

    def write(rows: _Rows) -> None:
        connection.execute("BEGIN IMMEDIATE")
        for (table, names, width), lines in zip(_BARE, rows, strict=True):
            connection.executemany(_insert("?", table, names, width), lines)
        connection.execute("COMMIT")

    return write, connection.close


def _bare_postgresql(url: str, by_copy: bool) -> tuple[_Write, Callable[[], None]]:
    """Do the same for PostgreSQL, by COPY or by executemany."""
    import psycopg

    connection = psycopg.connect(url)
    connection.execute("SET session_replication_role = replica")  # no triggers but foreign keys, which are checked so:
    for table in ("post", "mention"):
        for (name,) in connection.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", (table,)
        ).fetchall():
            connection.execute(f'DROP TRIGGER "{name}" ON {table}')
    connection.execute("SET session_replication_role = origin")
    connection.commit()

    def write(rows: _Rows) -> None:
        with connection.cursor() as cursor:
            for (table, names, width), lines in zip(_BARE, rows, strict=True):
                if not by_copy:
                    cursor.executemany(_insert("%s", table, names, width), lines)
                    continue
                with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for line in lines:
                        copy.write_row(line)
        connection.commit()

    return write, connection.close


def _measure(
    store: Store,
    bare: dict[str, tuple[_Write, Callable[[], None]]],
    written: Callable[[datetime], object],
    pages: Sequence[_Page],
) -> dict[str, _Times]:
    """Give the median seconds of a page: full, each bare way, and rows (the making of them alone)."""
    turns: dict[str, list[_Times]] = {name: [] for name in ("full", "rows", *bare)}
    for page in pages:
        turns["full"].append(_timed(lambda page=page: _write(store, page)))  # type: ignore[misc]
        rows: list[_Rows] = []
        turns["rows"].append(_timed(lambda page=page, rows=rows: rows.append(_rows(page, written))))  # type: ignore[misc]
        for name, (write, _) in bare.items():
            turns[name].append(_timed(lambda write=write, rows=rows: write(rows[0])))  # type: ignore[misc]
    for _, close in bare.values():
        close()
    return {name: (median(one[0] for one in told), median(one[1] for one in told)) for name, told in turns.items()}


def _timed(work: Callable[[], object]) -> _Times:
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def _migrated(url: str) -> str:
    store = Store(url)
    store.migrate()
    store.close()
    return url


def _create(server: str, names: Sequence[str]) -> dict[str, str]:
    """Create empty databases on a server that waits for the disk at every commit, as SQLite does; give their URLs."""
    engine = sa.create_engine(sa.make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.exec_driver_sql(f"ALTER SYSTEM SET {setting} = on")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
        for number, _ in enumerate(names):
            connection.exec_driver_sql(f"CREATE DATABASE ingest_{number}")
    engine.dispose()
    made = (sa.make_url(server).set(database=f"ingest_{number}") for number, _ in enumerate(names))
    return {name: url.render_as_string(hide_password=False) for name, url in zip(names, made, strict=True)}


def _counts(url: str) -> list[Any]:
    store = Store(url)
    with store.read() as connection:
        counts = [connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() for table, _, _ in _BARE]
    store.close()
    return counts


def _told(database: str, count: int, found: dict[str, _Times], way: str) -> dict[str, object]:
    (full, work), (ready, ready_work), (rows, rows_work) = found["full"], found[way], found["rows"]
    bare = ready + rows
    row: dict[str, object] = {"bench": "ingest", "database": database, "posts": count * _PAGE}
    row |= {"posts_per_s": round(_PAGE / full), "alternative": f"bare {way}, no full text, no sums"}
    row |= {"alternative_per_s": round(_PAGE / bare), "ratio": round(bare / full, 3)}
    if database == "sqlite":  # which works in this process alone: what other work of the machine does not touch
        row["work_ratio"] = round((ready_work + rows_work) / work, 3)
    return row | {"rows_ready_per_s": round(_PAGE / ready), "rows_ready_ratio": round(ready / full, 3)}


def main(count: int = 20) -> None:
    """Print posts a second of all ways on both databases, and the ratio of ours to each bare one."""
    pages = _pages(count)
    with tempfile.TemporaryDirectory() as folder:
        urls = {name: _migrated(f"sqlite:///{folder}/{name}.db") for name in ("full", "bare")}
        store = Store(urls["full"])
        way = "sqlite3 executemany"
        found = _measure(store, {way: _bare_sqlite(urls["bare"])}, _text, pages)
        store.close()
        assert _counts(urls["full"]) == _counts(urls["bare"])
        print(json.dumps(_told("sqlite", count, found, way) | {"goal": _GOAL}), flush=True)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        ways = {"psycopg COPY": True, "psycopg executemany": False}
        urls = {name: _migrated(url) for name, url in _create(server, ("full", *ways)).items()}
        store = Store(urls["full"])
        found = _measure(store, {one: _bare_postgresql(urls[one], ways[one]) for one in ways}, lambda at: at, pages)
        store.close()
        for way in ways:
            assert _counts(urls["full"]) == _counts(urls[way])
            print(json.dumps(_told("postgresql", count, found, way)), flush=True)


if __name__ == "__main__":
    main()
