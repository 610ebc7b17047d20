"""Open the database, SQLite or PostgreSQL, with the same schema, types and transactions on both.

SQLite runs with WAL, synchronous=FULL, a 10 s busy timeout and BEGIN IMMEDIATE for every write
(https://sqlite.org/wal.html); PostgreSQL through psycopg 3. Every room hangs its tables on the one `metadata`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.types import TypeDecorator

from listener.errors import StoreError
from listener.stamp import Watch

__all__ = ["Guard", "JSONText", "Moment", "Store", "add_new", "add_or_update", "metadata"]

Guard = Callable[[sa.Executable], sa.Executable]  # gives a statement back that reads and changes only what may be seen

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """Keep an aware time as UTC on both databases (SQLite forgets the zone, so it is put back on reading)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse a naive time and turn an aware one into UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Give the time back aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JSONText(TypeDecorator[Any]):
    """Keep a JSON value as text, the same on both databases."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        """Write compact ASCII JSON, in which NUL and lone surrogates are escapes that any database holds."""
        return None if value is None else json.dumps(value, separators=(",", ":"), default=str)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        """Read the value back."""
        return None if value is None else json.loads(value)


class Store:
    """Open the database of an instance; `write()` and `read()` give connections in a transaction."""

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self.url = url
        location = sa.make_url(url)
        if location.get_backend_name() == "sqlite":
            if location.database and location.database != ":memory:":
                Path(location.database).expanduser().parent.mkdir(parents=True, exist_ok=True)
            # An error must not print the values of a statement: they are people's words.
            options = {"timeout": 10, "check_same_thread": False}
            self.engine = sa.create_engine(location, connect_args=options, hide_parameters=True)
            event.listen(self.engine, "connect", _prepare_sqlite)
            if not durable:  # for data that can be made again: nothing waits for the disk
                event.listen(self.engine, "connect", _trust_memory)
            event.listen(self.engine, "begin", _begin_sqlite)
        elif location.get_backend_name() == "postgresql":
            self.engine = sa.create_engine(
                location.set(drivername="postgresql+psycopg"), pool_pre_ping=True, hide_parameters=True
            )
            event.listen(self.engine, "connect", _prepare_postgresql)
        else:
            raise StoreError(
                f"[store] url: '{location.get_backend_name()}' is not a database that Escucha knows; "
                "write sqlite:///folder/escucha.db or postgresql://user@host/name"
            )

        self._watch = Watch(self.engine)
        event.listen(self.engine, "before_execute", _apply_guard, retval=True)
        event.listen(self.engine, "before_cursor_execute", _refuse_unguarded)

    def guarded_by(self, guard: Guard) -> Store:
        """Give the same database behind a guard: every statement passes it, and SQL written as text is refused.

        The guard stands where statements leave the program, so that no page, export or API call can forget it. Both
        stores share their connections; closing one closes both.
        """
        guarded = copy.copy(self)
        guarded.engine = self.engine.execution_options(guard=guard)
        return guarded

    def migrate(self) -> None:
        """Bring the tables to the version of this program; safe to call at every start and from two processes."""
        from listener.migrations import upgrade

        upgrade(self.engine)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a write transaction: all of the block is committed, or nothing."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one moment and writes nothing."""
        with self.engine.connect().execution_options(reading=True) as connection, connection.begin():
            yield connection

    def stamp(self) -> Hashable:
        """Give a value that differs from an earlier one when anything was committed in between, by whatever process."""
        return self._watch.read()

    def close(self) -> None:
        """Close every connection."""
        self._watch.close()
        self.engine.dispose()


def _apply_guard(
    connection: Connection, statement: Any, many: Any, one: Any, _options: Mapping[str, Any]
) -> tuple[Any, Any, Any]:
    guard = connection.get_execution_options().get("guard")
    return (statement if guard is None else guard(statement)), many, one


def _refuse_unguarded(connection: Connection, _cursor: Any, sql: str, _values: Any, context: Any, _many: bool) -> None:
    """Let nothing past a guard that it could not read: SQL handed to the driver as text is not a statement to it."""
    if connection.get_execution_options().get("guard") is None or context.compiled is not None:
        return
    if sql not in ("BEGIN", "BEGIN IMMEDIATE"):
        raise StoreError("this view of the database is limited, and SQL written as text could read past its limits")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not open transactions of its own: see _begin_sqlite
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_postgresql(connection: Any, _: Any) -> None:
    # Pages ask much of little: to start other processes for a question takes longer than to answer it.
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
    connection.commit()


def _trust_memory(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def add_new(
    connection: Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]], keys: Sequence[str]
) -> list[sa.Row[Any]]:
    """Insert the rows whose key columns are not there yet; give the primary and key columns of those that were new."""
    if not rows:
        return []
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    wanted = _keys_of(table, keys)
    added: list[sa.Row[Any]] = []
    for start in range(0, len(rows), 500):  # SQLite allows 32,766 bound values a statement
        chunk = [dict(row) for row in rows[start : start + 500]]
        statement = insert(table).on_conflict_do_nothing(index_elements=list(keys)).returning(*wanted)
        added.extend(connection.execute(statement, chunk))
    return added


def _keys_of(table: sa.Table, keys: Sequence[str]) -> list[sa.Column[Any]]:
    return [table.c[name] for name in dict.fromkeys((*(column.name for column in table.primary_key), *keys))]


def add_or_update(
    connection: Connection,
    table: sa.Table,
    rows: Sequence[Mapping[str, Any]],
    keys: Sequence[str],
    *,
    keep_told: bool = False,
) -> list[sa.Row[Any]]:
    """Insert rows or overwrite those with the same key columns; give id and keys of all.

    With `keep_told`, a None never overwrites what was told before.
    """
    if not rows:
        return []
    statement = _upserting(connection.dialect.name, table, tuple(rows[0]), tuple(keys), keep_told)
    given: list[sa.Row[Any]] = []
    for start in range(0, len(rows), 500):
        given.extend(connection.execute(statement, [dict(row) for row in rows[start : start + 500]]))
    return given


@lru_cache(maxsize=64)  # making the statement takes longer than asking it
def _upserting(
    dialect: str, table: sa.Table, names: tuple[str, ...], keys: tuple[str, ...], keep_told: bool
) -> ReturningInsert[Any]:
    statement = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    changes = {
        name: sa.func.coalesce(statement.excluded[name], table.c[name]) if keep_told else statement.excluded[name]
        for name in names
        if name not in keys
    }
    return statement.on_conflict_do_update(index_elements=keys, set_=changes).returning(*_keys_of(table, keys))
