"""Keep how often each source is asked, and when nobody heard it for long: what gaps are told by, kept by triggers.

A page would else read every run of four months. Kept are how many steps between two runs there were by UTC day and
length, and each step between two successful runs that is longer than any source may miss. The start of a run never
changes; its outcome does. One process at a time writes the runs of a source (listener/lease.py).
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import Moment, metadata

__all__ = ["LONG", "SHORT", "install", "recount", "run_habits", "run_pauses"]

LONG = 7_200  # seconds: shorter steps between two successful runs are no pause
SHORT = 40  # minutes: all steps up to this are as one; three times that is not longer than LONG

run_habits = sa.Table(
    "run_habit",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),  # UTC, since 1970, of the later run
    sa.Column("since", sa.Integer, primary_key=True, autoincrement=False),  # the day of the run before it
    sa.Column("minutes", sa.Integer, primary_key=True, autoincrement=False),  # between them, rounded up
    sa.Column("steps", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)

run_pauses = sa.Table(
    "run_pause",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("ended_at", Moment, primary_key=True),
    sa.Column("started_at", Moment, primary_key=True),
    sqlite_with_rowid=False,
)

_EPOCH = {
    "sqlite": "CAST(strftime('%s', {0}) AS INTEGER)",
    "postgresql": "CAST(floor(extract(epoch FROM {0})) AS BIGINT)",
}


def _step(one: str, two: str, dialect: str) -> str:
    """Give the columns day, since and minutes of the step between two times."""
    first, last = _EPOCH[dialect].format(one), _EPOCH[dialect].format(two)
    minutes = f"CASE WHEN {last} - {first} <= {SHORT * 60} THEN {SHORT} ELSE ({last} - {first} + 59) / 60 END"
    return f"{last} / 86400 AS day, {first} / 86400 AS since, {minutes} AS minutes"


def _beside(row: str, after: bool, *, well: bool) -> str:
    """Give the query of the time of the run of the same source before or after one; only successful runs if `well`."""
    sign, order = (">", "ASC") if after else ("<", "DESC")
    return (
        f"(SELECT r.started_at FROM run r WHERE r.source = {row}.source AND r.started_at {sign}= {row}.started_at "  # noqa: S608 - constants of this file
        f"AND (r.started_at {sign} {row}.started_at OR r.id {sign} {row}.id)"
        f"{' AND r.outcome = ' + chr(39) + 'ok' + chr(39) if well else ''} "
        f"ORDER BY r.started_at {order}, r.id {order} LIMIT 1)"
    )


def _count_steps(row: str, sign: int, dialect: str) -> str:
    """Give the statement that puts a run between its neighbours, or takes it out from between them."""
    near = (
        f"(SELECT {_beside(row, False, well=False)} AS one, {row}.started_at AS here, "
        f"{_beside(row, True, well=False)} AS two) n"
    )
    parts = (("one", "here", sign), ("here", "two", sign), ("one", "two", -sign))
    steps = " UNION ALL ".join(
        f"SELECT {row}.source AS source, {_step(f'n.{a}', f'n.{b}', dialect)}, {number} AS steps FROM {near} "  # noqa: S608 - constants of this file
        f"WHERE n.{a} IS NOT NULL AND n.{b} IS NOT NULL"
        for a, b, number in parts
    )
    keys = "source, day, since, minutes"
    totals = f"SELECT {keys}, sum(steps) FROM ({steps}) s WHERE true GROUP BY {keys}"  # noqa: S608 - constants of this file
    return (
        f"INSERT INTO run_habit ({keys}, steps) {totals} "
        f"ON CONFLICT ({keys}) DO UPDATE SET steps = run_habit.steps + excluded.steps"
    )


def _mark_pauses(row: str, sign: int, dialect: str) -> Iterator[str]:
    """Give the statements for a successful run that comes (1) or goes (-1) between its neighbours."""
    one, two = _beside(row, False, well=True), _beside(row, True, well=True)
    here = f"{row}.started_at"
    apart, joined = ((one, here), (here, two)), ((one, two),)
    gone, made = (joined, apart) if sign > 0 else (apart, joined)
    for start, end in gone:
        yield f"DELETE FROM run_pause WHERE source = {row}.source AND started_at = {start} AND ended_at = {end}"  # noqa: S608 - constants of this file
    for start, end in made:
        length = f"{_EPOCH[dialect].format('p.two')} - {_EPOCH[dialect].format('p.one')}"
        yield (
            f"INSERT INTO run_pause (source, started_at, ended_at) SELECT {row}.source, p.one, p.two "  # noqa: S608 - constants of this file
            f"FROM (SELECT {start} AS one, {end} AS two) p WHERE p.one IS NOT NULL AND p.two IS NOT NULL "
            f"AND {length} >= {LONG} ON CONFLICT (source, ended_at, started_at) DO NOTHING"
        )


def install(connection: Connection) -> None:
    """Make the triggers and count everything once; the two tables exist. For migrations."""
    dialect = connection.dialect.name
    for name, when, condition, statements in _triggers(dialect):
        told, body = f"WHEN ({condition})" if condition else "", "; ".join(statements)
        if dialect == "sqlite":
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
            connection.exec_driver_sql(f"CREATE TRIGGER {name} {when} ON run FOR EACH ROW {told} BEGIN {body}; END")
            continue
        # Before the row: a trigger after it would see all rows of its statement at once, the later ones too.
        when, given = when.replace("AFTER", "BEFORE"), "OLD" if "DELETE" in when else "NEW"
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {body}; RETURN {given}; END $$"
        )
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON run")
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {when} ON run FOR EACH ROW {told} EXECUTE FUNCTION {name}()")
    recount(connection)


def _triggers(dialect: str) -> Iterator[tuple[str, str, str, list[str]]]:
    yield "run_habit_insert", "AFTER INSERT", "", [_count_steps("NEW", 1, dialect)]
    yield "run_habit_delete", "AFTER DELETE", "", [_count_steps("OLD", -1, dialect)]
    came = list(_mark_pauses("NEW", 1, dialect))
    went = list(_mark_pauses("OLD", -1, dialect))
    yield "run_pause_insert", "AFTER INSERT", "NEW.outcome = 'ok'", came
    yield "run_pause_came", "AFTER UPDATE OF outcome", "NEW.outcome = 'ok' AND OLD.outcome <> 'ok'", came
    yield "run_pause_went", "AFTER UPDATE OF outcome", "NEW.outcome <> 'ok' AND OLD.outcome = 'ok'", went
    yield "run_pause_delete", "AFTER DELETE", "OLD.outcome = 'ok'", went


def recount(connection: Connection) -> None:
    """Count all steps anew from the runs, in the caller's transaction."""
    dialect = connection.dialect.name
    for table in (run_habits, run_pauses):
        connection.execute(table.delete())
    before = "lag(started_at) OVER (PARTITION BY source ORDER BY started_at, id) AS before"
    connection.exec_driver_sql(
        f"INSERT INTO run_habit (source, day, since, minutes, steps) SELECT source, day, since, minutes, count(*) FROM "  # noqa: S608 - constants of this file
        f"(SELECT source, {_step('s.before', 's.started_at', dialect)} "
        f"FROM (SELECT source, started_at, {before} FROM run) s WHERE s.before IS NOT NULL) t "
        "GROUP BY source, day, since, minutes"
    )
    length = f"{_EPOCH[dialect].format('s.started_at')} - {_EPOCH[dialect].format('s.before')}"
    connection.exec_driver_sql(
        f"INSERT INTO run_pause (source, started_at, ended_at) SELECT DISTINCT source, before, started_at FROM "  # noqa: S608 - constants of this file
        f"(SELECT source, started_at, {before} FROM run WHERE outcome = 'ok') s WHERE {length} >= {LONG}"
    )
