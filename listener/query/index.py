"""Keep the full-text index: the words of every stored post, on SQLite in an FTS5 table, on PostgreSQL under GIN.

`listener.query.words` cuts the words, the databases only keep them, so that they find what a match in Python finds.
SQLite: https://sqlite.org/fts5.html (tokenizer ascii, which leaves words of ours whole); PostgreSQL:
https://www.postgresql.org/docs/current/datatype-textsearch.html (a tsvector made of quoted words, without positions).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.query.caseindex import forget_in_cases, index_cases, index_in_cases, is_kept
from listener.query.words import words_of
from listener.store import posts

__all__ = ["compact", "forget_posts", "index_all", "index_new", "index_posts"]

_BATCH = 500
_INDEXES = ("post_words", "case_words")
_SMALL = 256 * 2**20  # bytes that PostgreSQL may write anew while nobody reads them
_ADD = {
    "sqlite": "INSERT INTO post_words (rowid, words) VALUES (?, ?)",
    "postgresql": "INSERT INTO post_words (post_id, words, lexemes) SELECT id, words, CAST(lexemes AS tsvector) "
    "FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS told (id, words, lexemes)",
}
_ID = {"sqlite": "rowid", "postgresql": "post_id"}


def index_new(connection: Connection, texts: Sequence[tuple[int, str]]) -> None:
    """Put the words of posts just stored into the index, (id, text) each, in the caller's transaction."""
    _add(connection, texts)


def index_posts(connection: Connection, ids: Iterable[int]) -> None:
    """Put the words of stored posts into the index, in the caller's transaction; call it for edited ones."""
    for chunk in _chunks(ids):
        rows = connection.execute(sa.select(posts.c.id, posts.c.text).where(posts.c.id.in_(chunk))).all()
        _delete(connection, chunk)
        _add(connection, [(row.id, row.text) for row in rows])
        index_in_cases(connection, chunk)


def index_all(connection: Connection) -> int:
    """Make the whole index again from the stored posts; give how many there are. A later program may fold otherwise."""
    connection.execute(sa.text("DELETE FROM post_words"))
    last, count = -1, 0
    while True:
        rows = connection.execute(
            sa.select(posts.c.id, posts.c.text).where(posts.c.id > last).order_by(posts.c.id).limit(_BATCH)
        ).all()
        if not rows:
            if is_kept(connection):  # not yet while the first migrations run
                index_cases(connection)
            return count
        _add(connection, [(row.id, row.text) for row in rows])
        last, count = rows[-1].id, count + len(rows)


def forget_posts(connection: Connection, ids: Iterable[int]) -> None:
    """Take posts out of the index, in the caller's transaction; their words leave the files with `compact`.

    Posts that are deleted leave it by themselves (a trigger, a foreign key).
    """
    for chunk in _chunks(ids):
        with _wiping(connection):
            _delete(connection, chunk)
            forget_in_cases(connection, chunk)


def compact(connection: Connection) -> None:
    """Write the index anew without what was taken out, so that no file of it holds those words any more.

    SQLite: FTS5's optimize, with freed pages wiped; the write-ahead log still holds old pages until its checkpoint,
    which comes by itself. PostgreSQL: VACUUM on a connection of its own, so call it after the commit of the deletion;
    an index under 256 MB is written anew, of a larger one freed bytes stay until other words are written over them.
    """
    if connection.dialect.name == "sqlite":
        with _wiping(connection):
            for name in _INDEXES:
                connection.execute(sa.text(f"INSERT INTO {name} ({name}) VALUES ('optimize')"))  # noqa: S608 - ours
        return
    apart = connection.engine.execution_options(isolation_level="AUTOCOMMIT")
    with apart.connect() as own:
        for name in _INDEXES:
            small = (own.scalar(sa.text(f"SELECT pg_total_relation_size('{name}')")) or 0) < _SMALL
            own.execute(sa.text("SET lock_timeout = '5s'"))
            try:
                own.execute(sa.text(f"VACUUM (FULL) {name}" if small else f"VACUUM {name}"))
            except sa.exc.OperationalError:  # somebody reads for long: what is freed is overwritten later
                own.execute(sa.text(f"VACUUM {name}"))
            finally:
                own.execute(sa.text("RESET lock_timeout"))


class _wiping:  # noqa: N801 - reads as a verb in `with`
    """Have SQLite overwrite what is deleted, which it does not do by itself (https://sqlite.org/pragma.html)."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.before: str | None = None

    def __enter__(self) -> None:
        if self.connection.dialect.name == "sqlite":
            self.before = str(self.connection.exec_driver_sql("PRAGMA secure_delete").scalar())
            self.connection.exec_driver_sql("PRAGMA secure_delete = ON")

    def __exit__(self, *_: object) -> None:
        if self.before is not None:
            names = {"0": "OFF", "1": "ON", "2": "FAST"}
            self.connection.exec_driver_sql(f"PRAGMA secure_delete = {names[self.before]}")


def _delete(connection: Connection, chunk: Sequence[int]) -> None:
    column = _ID[connection.dialect.name]
    statement = sa.text(f"DELETE FROM post_words WHERE {column} = :id")  # noqa: S608 - one of two constants
    connection.execute(statement, [{"id": one} for one in chunk])


def _add(connection: Connection, texts: Sequence[tuple[int, str]]) -> None:
    if not texts:
        return
    if connection.dialect.name == "sqlite":
        found = [(id_, f" {' '.join(words_of(text))} ") for id_, text in texts]
        connection.exec_driver_sql(_ADD["sqlite"], found)
        return
    cut = [words_of(text) for _, text in texts]
    lexemes = [" ".join(f"'{word}'" for word in dict.fromkeys(words)) for words in cut]  # a word holds no quote
    sent = ([id_ for id_, _ in texts], [f" {' '.join(words)} " for words in cut], lexemes)
    connection.exec_driver_sql(_ADD["postgresql"], sent)


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    known = sorted(set(ids))
    for start in range(0, len(known), _BATCH):
        yield known[start : start + _BATCH]
