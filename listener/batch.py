"""Write and find many rows at once, as fast as each database takes them.

SQLite takes a hundred rows a statement (what it does at the start and end of each costs as much as the row when a
trigger looks on), PostgreSQL all by one statement over arrays. `listener.database.add_new` is
for a few rows; here SQLAlchemy's work for each row is left out, so values come in the form that the driver wants: times
by `moment_form`, JSON as text.
Sources: https://sqlite.org/lang_insert.html (VALUES of several rows), https://sqlite.org/limits.html (32,766 values),
https://www.postgresql.org/docs/current/functions-array.html (unnest of several arrays)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql

from listener.sums.rollup import adding_once

__all__ = ["insert_new", "moment_form", "read_among"]

_ROWS = 100  # a statement of SQLite: more make it no faster


def read_among(
    connection: Connection,
    table: sa.Table,
    names: Sequence[str],
    key: str,
    values: Iterable[str],
    source: str | None = None,
) -> Sequence[Any]:
    """Read the rows of a table whose column `key` holds one of many texts, of one source where that is said.

    `names` are the columns wanted, as the driver gives them. The texts are bound as one value, so that the statement is
    the same for any number of them.
    """
    listed = list(values)
    if connection.dialect.name == "sqlite":
        sent: tuple[Any, ...] = (json.dumps(listed, ensure_ascii=False),)
    else:
        sent = (listed,)
    asked = _asked(table, tuple(names), key, source is not None, connection.dialect.name)
    return connection.exec_driver_sql(asked, sent if source is None else (*sent, source)).all()


@lru_cache(maxsize=64)
def _asked(table: sa.Table, names: tuple[str, ...], key: str, of_source: bool, dialect: str) -> str:
    mark, among = ("?", "IN (SELECT value FROM json_each(?))") if dialect == "sqlite" else ("%s", "= ANY(%s::text[])")
    only = f" AND source = {mark}" if of_source else ""
    return f"SELECT {', '.join(names)} FROM {table.name} WHERE {key} {among}{only}"  # noqa: S608 - names of our own tables


def moment_form(connection: Connection) -> Callable[[datetime], str | datetime]:
    """Give the function that turns an aware time into what `insert_new` writes for a `Moment`.

    It raises ValueError for a naive time.
    """
    return _text_of if connection.dialect.name == "sqlite" else _in_utc


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _text_of(moment: datetime) -> str:
    at = _in_utc(moment)
    day = "%04d-%02d-%02d %02d:%02d:%02d.%06d"  # as SQLAlchemy writes it, faster than strftime and isoformat
    return day % (at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond)


def insert_new(
    connection: Connection, table: sa.Table, names: Sequence[str], rows: Sequence[tuple[Any, ...]], keys: Sequence[str]
) -> list[int | None]:
    """Insert rows that the caller did not find in the table, in the caller's transaction; give their ids in order.

    `names` are the columns of `rows` in their order; the table has an integer primary key `id`. None is the id of a row
    whose key columns another process of PostgreSQL wrote at the same moment: that one stays as it is. SQLite has one
    writer, so there a row with the keys of another is an IntegrityError.
    """
    if not rows:
        return []
    # What no row of a page tells is left out: the driver takes longer to bind a NULL than the database to store it.
    columns = {name: told for name, told in zip(names, zip(*rows, strict=True), strict=True) if _is_told(told)}
    if connection.dialect.name == "sqlite":
        # Nobody else writes before the commit, and SQLite itself would give a row the largest id and one.
        last = connection.exec_driver_sql(f"SELECT max(id) FROM {table.name}").scalar() or 0  # noqa: S608 - our own
        numbers = range(last + 1, last + 1 + len(rows))
        with adding_once(connection, table.name, last):
            _insert_rows(connection, table.name, ("id", *columns), zip(numbers, *columns.values(), strict=True))
        return list(numbers)
    sent = tuple(list(told) for told in columns.values())
    stored = connection.exec_driver_sql(_many_rows(table, tuple(columns), tuple(keys)), sent).all()
    ids = {tuple(row[1:]): row[0] for row in stored}
    return [ids.get(key) for key in zip(*(columns[name] for name in keys), strict=True)]


def _is_told(column: tuple[Any, ...]) -> bool:
    return column.count(None) != len(column)


def _insert_rows(connection: Connection, table: str, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    """Insert rows into a table of SQLite, `names` being their columns; the rest of a hundred goes one by one."""
    given = list(rows)
    whole = len(given) - len(given) % _ROWS
    for start in range(0, whole, _ROWS):
        told = tuple(chain.from_iterable(given[start : start + _ROWS]))
        connection.exec_driver_sql(_insert(table, tuple(names), _ROWS), told)
    if whole < len(given):
        connection.exec_driver_sql(_insert(table, tuple(names), 1), given[whole:])


@lru_cache(maxsize=64)
def _insert(table: str, names: tuple[str, ...], count: int) -> str:
    rows = ", ".join([f"({', '.join('?' * len(names))})"] * count)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES {rows}"  # noqa: S608 - names of our own tables


@lru_cache(maxsize=64)
def _many_rows(table: sa.Table, names: tuple[str, ...], keys: tuple[str, ...]) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    arrays = ", ".join(f"%s::{table.c[name].type.compile(dialect)}[]" for name in names)
    columns, unique = ", ".join(names), ", ".join(keys)
    return (
        f"INSERT INTO {table.name} ({columns}) SELECT * FROM unnest({arrays}) "  # noqa: S608 - names of our own tables
        f"ON CONFLICT ({unique}) DO NOTHING RETURNING id, {unique}"
    )
