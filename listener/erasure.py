"""Erase posts for good: a tombstone without words stays, and the text leaves every table, index and file of the store.

X asks for it within 24 hours (developer agreement), Reddit for all that its users delete, and the GDPR's article 17 for
whoever asks. Deleting a row is not enough: SQLite leaves old bytes in pages and in its log, PostgreSQL in dead rows, so
`compact()` rewrites the store afterwards (https://sqlite.org/lang_vacuum.html).
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import Store, add_new, add_or_update
from listener.intake import digest_of
from listener.query.index import compact as compact_index
from listener.query.index import forget_posts
from listener.store import authors, clean, cursors, posts, quarantine, tombstones

__all__ = ["Why", "compact", "count_removed", "erase_posts", "find_by_handle"]

log = logging.getLogger("escucha.erasure")

Why = Literal["deleted", "erased"]  # at the source, or on request

CHUNK = 500  # values bound in one IN list
SMALL = 256 * 2**20  # bytes: a SQLite file up to this size is rewritten after every erasure
REST = timedelta(hours=12)  # a larger one not sooner than so long after the last time
_COMPACTED = "/erasure"  # a row of the cursor table: the tombstones there were when the store was last rewritten
_SHORT = 4  # characters: a shorter id stands by chance in any text
_HEAD = 60  # characters of a text that are enough to know it by


def erase_posts(
    connection: Connection, source: str, native_ids: Iterable[str], why: Why, now: datetime, *, always: bool = False
) -> tuple[int, ...]:
    """Erase posts of a source with all that this room holds of them, in the caller's transaction; give their row ids.

    A tombstone (SHA-256 of source and id, the reason, the time) keeps each from coming back; what was not stored gets
    one only with `always`. Mentions and all that hangs on them go with the post; an author without a post left goes,
    and so do set-aside items that hold the id or the text. A second call changes nothing.
    """
    wanted = list(dict.fromkeys(clean(one) or "" for one in native_ids))
    found = list(_select(connection, source, wanted))
    buried = wanted if always else [row.native_id for row in found]
    add_new(
        connection,
        tombstones,
        [{"digest": digest_of(source, one), "source": source, "why": why, "at": now} for one in buried],
        ("digest",),
    )
    _drop_aside(connection, source, buried, [row.text for row in found])
    if not found:
        return ()
    ids = [row.id for row in found]
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")  # freed cells and pages are overwritten with zeros
    forget_posts(connection, ids)
    for start in range(0, len(ids), CHUNK):
        connection.execute(posts.delete().where(posts.c.id.in_(ids[start : start + CHUNK])))
    _drop_authors(connection, sorted({row.author_id for row in found if row.author_id is not None}))
    log.info("erase: %d posts of %s, %s", len(ids), source, why)
    return tuple(ids)


def _select(connection: Connection, source: str, native_ids: Sequence[str]) -> Iterator[Any]:
    for start in range(0, len(native_ids), CHUNK):
        chosen = posts.c.native_id.in_(native_ids[start : start + CHUNK])
        yield from connection.execute(
            sa.select(posts.c.id, posts.c.native_id, posts.c.author_id, posts.c.text).where(
                posts.c.source == source, chosen
            )
        ).all()


def _drop_authors(connection: Connection, ids: Sequence[int]) -> None:
    for start in range(0, len(ids), CHUNK):
        alone = sa.and_(
            authors.c.id.in_(ids[start : start + CHUNK]),
            sa.not_(sa.exists().where(posts.c.author_id == authors.c.id)),
        )
        connection.execute(authors.delete().where(alone))


def _drop_aside(connection: Connection, source: str, native_ids: Sequence[str], texts: Sequence[str]) -> None:
    """Drop what was set aside and holds one of these posts: an item that was not read, or an answer kept as it came.

    One pass over each body with one automaton, since a body may have 64 kB and a sweep thousands of ids.
    """
    rows = sa.select(quarantine.c.id, quarantine.c.position, quarantine.c.body).where(quarantine.c.source == source)
    needles = _needles(native_ids, texts)
    if not needles:
        return
    import ahocorasick

    automaton = ahocorasick.Automaton()
    for needle, is_id in needles.items():
        automaton.add_word(needle, (len(needle), is_id))
    automaton.make_automaton()
    ids = frozenset(native_ids)
    doomed = []
    for row in connection.execute(rows, execution_options={"yield_per": 100}):
        named = row.position.rpartition(" ")[2] in ids
        if named or any(
            not is_id or _stands_alone(row.body, end + 1 - length, end + 1)
            for end, (length, is_id) in automaton.iter(row.body)
        ):
            doomed.append(row.id)
    for start in range(0, len(doomed), CHUNK):
        connection.execute(quarantine.delete().where(quarantine.c.id.in_(doomed[start : start + CHUNK])))


def _needles(native_ids: Sequence[str], texts: Sequence[str]) -> dict[str, bool]:
    """Give what to look for: ids of some length, and the beginnings of texts, plain and as JSON writes them."""
    found = {one: True for one in native_ids if len(one) >= _SHORT}
    for text in texts:
        head = text.strip()[:_HEAD]
        if len(head) >= 3 * _SHORT:
            for form in (head, json.dumps(head)[1:-1], json.dumps(head, ensure_ascii=False)[1:-1]):
                found[form] = False
    # Ids of one character would be found everywhere; such an item is known by its position alone.
    return found or dict.fromkeys(native_ids, True)


def _stands_alone(body: str, start: int, end: int) -> bool:
    before, after = body[start - 1 : start], body[end : end + 1]
    return not (before.isalnum() or before == "_") and not (after.isalnum() or after == "_")


def find_by_handle(connection: Connection, handle: str, source: str | None = None) -> dict[str, list[str]]:
    """Find the posts of an account by its handle, name or id, upper or lower case: source → native ids."""
    key = handle.strip().removeprefix("@").casefold()
    same = sa.or_(
        authors.c.handle == handle.strip().removeprefix("@"),
        sa.func.lower(authors.c.handle) == key,
        sa.func.lower(authors.c.name) == key,
        authors.c.key == key,
        authors.c.native_id == handle.strip(),
    )
    query = sa.select(posts.c.source, posts.c.native_id).join(authors, authors.c.id == posts.c.author_id).where(same)
    if source is not None:
        query = query.where(posts.c.source == source)
    found: dict[str, list[str]] = {}
    for row in connection.execute(query.order_by(posts.c.id)):
        found.setdefault(row.source, []).append(row.native_id)
    return found


def count_removed(connection: Connection, start: datetime, end: datetime) -> int:
    """Count the posts that were removed in a stretch of time, at the source or on request, of every source."""
    within = sa.and_(tombstones.c.at >= start, tombstones.c.at < end)
    return connection.scalar(sa.select(sa.func.count()).select_from(tombstones).where(within)) or 0


def compact(store: Store, now: datetime, *, at_once: bool = False) -> bool:
    """Rewrite the store where something was erased since the last time, so that no old byte stays; tell whether it was.

    Runs outside of any transaction. SQLite: the full-text index is merged, the file is rewritten (VACUUM; for a moment
    nobody else can write) and the log is cut. PostgreSQL: VACUUM frees dead rows, whose bytes are then written over.
    Where a reader is in the way nothing is lost: the next call does it. A large file is rewritten twice a day at most,
    or `at_once`.
    """
    with store.read() as connection:
        last = connection.execute(sa.select(cursors).where(cursors.c.source == _COMPACTED)).one_or_none()
        buried = connection.scalar(sa.select(sa.func.count()).select_from(tombstones)) or 0  # it only grows
    if not buried or (last is not None and last.value == str(buried)):
        return False
    path = Path(store.engine.url.database or "")
    on_sqlite = store.engine.dialect.name == "sqlite"
    large = on_sqlite and path.is_file() and path.stat().st_size > SMALL
    if large and not at_once and last is not None and now - last.updated_at < REST:
        return False
    with store.write() as connection:
        compact_index(connection)
    done = _rewrite_sqlite(store) if on_sqlite else _vacuum(store)
    if done:
        row = {"source": _COMPACTED, "value": str(buried), "updated_at": now}
        with store.write() as connection:
            add_or_update(connection, cursors, [row], ("source",))
    return done


def _rewrite_sqlite(store: Store) -> bool:
    raw = store.engine.raw_connection()
    try:
        held: Any = raw.driver_connection
        held.execute("VACUUM")
        held.execute("PRAGMA busy_timeout=500")  # a reader that stays is not waited for
        busy = held.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except sqlite3.OperationalError as error:  # somebody writes, or the disk has no room for a second copy
        log.warning("erase: the database could not be rewritten now: %s", error)
        return False
    finally:
        raw.invalidate()  # the next one is opened with the usual settings
    return not busy


def _vacuum(store: Store) -> bool:
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")
    return True
