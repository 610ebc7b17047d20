"""Keep sums of mentions by hour and by local day beside them, changed by triggers in the transaction of the change.

Whoever writes a post, a mention, a verdict, a decision or a place in a case, by whatever statement, changes the sums
in the same commit; deletions and cascades too (listener/sums/addends.py says what). SQLite has one writer, so its
triggers add to the sums themselves. On PostgreSQL two writers of the same hour would wait for each other, or lock each
other out, so there the triggers only append to `rollup_change`, every reader adds both up, and `fold` brings them
together from time to time. Days are those of one zone (listener/sums/localday.py), which `keep_days` sets.
Sources: https://sqlite.org/lang_createtrigger.html, https://www.postgresql.org/docs/current/trigger-definition.html
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import metadata
from listener.sums.addends import DAILY, DAY_ONLY, KEYS, SUMS, TRIGGERS, part
from listener.sums.localday import UTC_ZONE, day_sql, write_zone, zones

__all__ = [
    "adding_once",
    "fold",
    "install",
    "install_cases",
    "keep_days",
    "recount",
    "rollup_changes",
    "rollup_days",
    "rollups",
]

_LOCK = 7_021_998  # an arbitrary number that only folding and counting ask PostgreSQL for
_LOCK_ALL = "LOCK TABLE post, mention, verdict, decision, case_mention, run IN SHARE ROW EXCLUSIVE MODE"


def _sums() -> list[sa.Column[int]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in SUMS]


rollups = sa.Table(
    "rollup",
    metadata,
    # kind, source, dimension, stakeholder (empty: not routed): relevant mentions by that label; text: relevant ones
    # whose post says it first; heard: all of the brand; excluded, corrected: as `Honest` says; case: relevant ones in a
    # case by how they came into it ("opened/unrouted": while not decided); collected: posts by source, whatever they
    # name (brand is empty); brought: what was new, by source and the hour of the run
    sa.Column("facet", sa.Text, primary_key=True),
    sa.Column("brand", sa.Text, primary_key=True),
    sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, primary_key=True),
    *_sums(),
    sqlite_with_rowid=False,
)

rollup_days = sa.Table(
    "rollup_day",
    metadata,
    # the same by local day, and by two labels at once ("press/governance"), and body ("press/Diario Uno")
    sa.Column("facet", sa.Text, primary_key=True),
    sa.Column("brand", sa.Text, primary_key=True),
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),  # local days since 1970
    sa.Column("name", sa.Text, primary_key=True),
    *_sums(),
    sqlite_with_rowid=False,
)

rollup_changes = sa.Table(  # PostgreSQL: what was not folded yet; SQLite: marks of `adding_once`, none after a commit
    "rollup_change",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("facet", sa.Text, nullable=False),
    sa.Column("brand", sa.Text, nullable=False),
    sa.Column("hour", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    *_sums(),
    sa.Index("ix_rollup_change_facet_brand_hour", "facet", "brand", "hour"),
)

_MANY = {("post", "AFTER INSERT"), ("mention", "AFTER INSERT")}  # rows that come by hundreds in one statement
_HOURLY = ("heard", "labels", "speaker", "excluded", "corrected", "case", "text", "collected", "brought")
_COLUMNS = ", ".join((*KEYS, *SUMS))
_DAY_COLUMNS = ", ".join(("facet", "brand", "day", "name", *SUMS))
_TOTALS = ", ".join(f"sum({name})" for name in SUMS)
_INSIDE = ", ".join(f"'{facet}'" for facet in DAY_ONLY)


def _upsert(table: str, key: str) -> str:
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in SUMS)
    return f"ON CONFLICT (facet, brand, {key}, name) DO UPDATE SET {added}"


_UPSERT, _DAY_UPSERT = _upsert("rollup", "hour"), _upsert("rollup_day", "day")


def install(connection: Connection) -> None:
    """Make the triggers and count everything once; the tables exist. For migrations."""
    if connection.scalar(sa.select(sa.func.count()).select_from(zones)) == 0:
        write_zone(connection, ZoneInfo(UTC_ZONE))
    for statement in _statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
    recount(connection)


def keep_days(connection: Connection, zone: ZoneInfo) -> bool:
    """Keep the days of a zone, in the caller's transaction; tell whether that was new, and they were counted anew."""
    if not write_zone(connection, zone):
        return False
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        connection.exec_driver_sql(_LOCK_ALL)
    _fold(connection)
    connection.execute(rollup_days.delete())
    _add_days(connection)
    _count_day_only(connection)
    return True


@contextmanager
def adding_once(connection: Connection, table: str, last: int) -> Iterator[None]:
    """Let the rows that the block inserts into a table, with ids over `last`, be added to the sums at its end, at once.

    SQLite has triggers of rows only, and adding each row by itself takes longer than writing it. A mark says from which
    id on its triggers leave rows alone; when the mark goes, a trigger adds those rows up. It never outlives the block,
    nor the caller's transaction. Nothing to do on PostgreSQL, nor for tables that nobody sums up.
    """
    if connection.dialect.name != "sqlite" or (table, "AFTER INSERT") not in _MANY:
        yield
        return
    mark = f"INSERT INTO rollup_change ({_COLUMNS}) VALUES (?, '', ?, '', 0, 0, 0, 0, 0)"  # noqa: S608 - constants of the program
    connection.exec_driver_sql(mark, (table, last))
    try:
        yield
    finally:
        connection.exec_driver_sql("DELETE FROM rollup_change WHERE facet = ?", (table,))


def recount(connection: Connection) -> None:
    """Count all sums anew from the rows, in the caller's transaction: what the triggers would have come to."""
    dialect = connection.dialect.name
    if dialect == "postgresql":  # a writer between the counting and the commit would be lost or counted twice
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        connection.exec_driver_sql(_LOCK_ALL)
    for table in (rollup_changes, rollup_days, rollups):
        connection.execute(table.delete())
    for name in _HOURLY:
        _count_hours(connection, name)
    if dialect == "postgresql":  # on SQLite a trigger of the hourly sums has filled the days already
        _add_days(connection)
    _count_day_only(connection)


def install_cases(connection: Connection) -> None:
    """Make the triggers anew and count what stands in cases, in place of the copies alone. For migration 0012."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_LOCK_ALL)
        _fold(connection)
    for statement in _statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
    for table in (rollups, rollup_days):
        connection.execute(table.delete().where(table.c.facet.in_(("repeat", "case"))))
    _count_hours(connection, "case")
    if connection.dialect.name == "postgresql":
        _add_days(connection, "WHERE facet = 'case'")


def _count_hours(connection: Connection, name: str) -> None:
    counted = part(name, 1, connection.dialect.name)
    added = f"SELECT facet, brand, hour, name, {_TOTALS} FROM ({counted}) t GROUP BY facet, brand, hour, name"  # noqa: S608 - constants of the program
    connection.exec_driver_sql(f"INSERT INTO rollup ({_COLUMNS}) {added}")


def _add_days(connection: Connection, which: str = "") -> None:
    day = day_sql("rollup.hour")
    connection.exec_driver_sql(
        f"INSERT INTO rollup_day ({_DAY_COLUMNS}) SELECT facet, brand, {day}, name, {_TOTALS} FROM rollup {which} "  # noqa: S608 - constants of the program
        f"GROUP BY facet, brand, {day}, name"
    )


def _count_day_only(connection: Connection) -> None:
    day = day_sql("t.hour")
    for name in ("pairs", "speaker pairs", "body"):
        counted = part(name, 1, connection.dialect.name)
        connection.exec_driver_sql(
            f"INSERT INTO rollup_day ({_DAY_COLUMNS}) SELECT facet, brand, {day}, name, {_TOTALS} FROM ({counted}) t "  # noqa: S608 - constants of the program
            f"GROUP BY facet, brand, {day}, name"
        )


def fold(connection: Connection) -> int:
    """Bring what was appended since the last time into the sums, in the caller's transaction; give how many rows.

    Only PostgreSQL has something to fold. Two processes never fold at once: the second one gives 0.
    """
    if connection.dialect.name != "postgresql":
        return 0
    if not connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(_LOCK))):
        return 0
    return _fold(connection)


def _fold(connection: Connection) -> int:
    if connection.dialect.name != "postgresql":
        return 0
    gone = f"DELETE FROM rollup_change RETURNING {_COLUMNS}"  # noqa: S608 - constants of the program
    hours = (
        f"INSERT INTO rollup ({_COLUMNS}) SELECT facet, brand, hour, name, {_TOTALS} FROM gone "  # noqa: S608 - constants of the program
        f"WHERE facet NOT IN ({_INSIDE}) GROUP BY facet, brand, hour, name {_UPSERT}"
    )
    dated = f"SELECT facet, brand, {day_sql('gone.hour')} AS day, name, {', '.join(SUMS)} FROM gone"  # noqa: S608 - constants of the program
    days = (
        f"INSERT INTO rollup_day ({_DAY_COLUMNS}) SELECT facet, brand, day, name, {_TOTALS} FROM ({dated}) t "  # noqa: S608 - constants of the program
        f"GROUP BY facet, brand, day, name {_DAY_UPSERT}"
    )
    taken = connection.exec_driver_sql(
        f"WITH gone AS ({gone}), hours AS ({hours}), days AS ({days}) SELECT count(*) FROM gone"  # noqa: S608 - constants of the program
    )
    return int(taken.scalar_one())


def _statements(dialect: str) -> Iterator[str]:
    """Give the statements that make the triggers, each instead of one of the same name."""
    if dialect == "sqlite":
        yield from _day_triggers()
    for table, when, condition, parts, of in TRIGGERS:
        timing, event = when.split()[:2]
        name = f"rollup_{table}_{timing}_{event}".lower() + ("_cluster" if when.endswith("cluster") else "")
        told = f"WHEN ({condition})" if condition else ""
        if (table, when) in _MANY:  # many rows at once
            yield from _once(dialect, table, name, parts, of)
            continue
        if dialect == "sqlite":
            adds = "; ".join(_add(one, sign, of) for one, sign in parts)
            yield f"DROP TRIGGER IF EXISTS {name}"
            yield f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW {told} BEGIN {adds}; END"
            continue
        adds = "; ".join(
            f"INSERT INTO rollup_change ({_COLUMNS}) SELECT {_COLUMNS} FROM ({part(one, sign, dialect, of)}) t"  # noqa: S608 - constants of the program
            for one, sign in parts
        )
        # Two who change the verdict, the decision and the text of one mention must see each other's work.
        mine = of if of.startswith("m.") else of.replace("p.id", "m.post_id")
        alone = ("collected", 1) in parts or table in ("mention", "run") or when.endswith("published_at")
        lock = "" if alone else f"PERFORM 1 FROM mention m WHERE {mine} ORDER BY m.id FOR NO KEY UPDATE; "
        given = "OLD" if event == "DELETE" else "NEW"
        yield (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {lock}{adds}; RETURN {given}; END $$"
        )
        yield f"DROP TRIGGER IF EXISTS {name} ON {table}"
        yield f"CREATE TRIGGER {name} {when} ON {table} FOR EACH ROW {told} EXECUTE FUNCTION {name}()"


def _once(dialect: str, table: str, name: str, parts: tuple[tuple[str, int], ...], of: str) -> Iterator[str]:
    """Give the triggers of rows that come by hundreds in one statement, which add them up before they write."""
    yield f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if dialect == "postgresql" else "")
    if dialect == "postgresql":  # of a statement, which sees all its rows
        counted = [part(one, sign, dialect).replace(f"FROM {table} ", "FROM fresh ") for one, sign in parts]
        adds = "; ".join(f"INSERT INTO rollup_change ({_COLUMNS}) {_summed(query)}" for query in counted)
        yield (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {adds}; RETURN NULL; END $$"
        )
        yield (
            f"CREATE TRIGGER {name} AFTER INSERT ON {table} REFERENCING NEW TABLE AS fresh "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )
        return
    # SQLite has triggers of rows only: those behind a mark are left to the trigger of the mark when it goes.
    marked = f"SELECT 1 FROM rollup_change c WHERE c.facet = '{table}' AND c.brand = '' AND c.hour < NEW.id"  # noqa: S608 - constants of the program
    adds = "; ".join(_add(one, sign, of) for one, sign in parts)
    yield f"CREATE TRIGGER {name} AFTER INSERT ON {table} FOR EACH ROW WHEN NOT EXISTS ({marked}) BEGIN {adds}; END"
    behind = [part(one, sign, dialect, of.replace("= NEW.id", "> OLD.hour")) for one, sign in parts]
    adds = "; ".join(f"INSERT INTO rollup ({_COLUMNS}) {_summed(query)} {_UPSERT}" for query in behind)
    yield f"DROP TRIGGER IF EXISTS {name}_once"
    yield (
        f"CREATE TRIGGER {name}_once AFTER DELETE ON rollup_change FOR EACH ROW WHEN OLD.facet = '{table}' "
        f"BEGIN {adds}; END"
    )


def _summed(query: str) -> str:
    return f"SELECT facet, brand, hour, name, {_TOTALS} FROM ({query}) t WHERE true GROUP BY facet, brand, hour, name"  # noqa: S608 - constants of the program


def _add(name: str, sign: int, of: str) -> str:
    query = part(name, sign, "sqlite", of)
    if name not in DAILY:
        return f"INSERT INTO rollup ({_COLUMNS}) {query} {_UPSERT}"
    dated = f"SELECT facet, brand, {day_sql('t.hour')}, name, {', '.join(SUMS)} FROM ({query}) t WHERE true"  # noqa: S608 - constants of the program
    return f"INSERT INTO rollup_day ({_DAY_COLUMNS}) {dated} {_DAY_UPSERT}"


def _day_triggers() -> Iterator[str]:
    """Give the triggers that carry a change of an hour's sum into its day's."""
    for event, change in (("insert", "NEW.{0}"), ("update", "NEW.{0} - OLD.{0}")):
        values = ", ".join(change.format(name) for name in SUMS)
        day = day_sql("NEW.hour")
        added = f"INSERT INTO rollup_day ({_DAY_COLUMNS}) VALUES (NEW.facet, NEW.brand, {day}, NEW.name, {values})"  # noqa: S608 - constants of the program
        yield f"DROP TRIGGER IF EXISTS rollup_day_{event}"
        yield (
            f"CREATE TRIGGER rollup_day_{event} AFTER {event} ON rollup FOR EACH ROW BEGIN {added} {_DAY_UPSERT}; END"
        )
