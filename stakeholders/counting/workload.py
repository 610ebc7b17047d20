"""Count a department's work: what came by day, how long it took, what waits, what was sent to the wrong one.

A digest and the page of departments read these; how cases were answered is counted by `stakeholders.counting.response`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from stakeholders.counting.pace import Spans, read_paces
from stakeholders.counting.period import Period
from stakeholders.counting.response import Response, in_order, measure, waiting
from stakeholders.lists.filters import Filters
from stakeholders.lists.sieve import conditions
from stakeholders.store import cases, events

__all__ = [
    "Routed",
    "Waiting",
    "Work",
    "count_routed",
    "count_waiting",
    "read_work",
    "routed_by_department",
    "waiting_by_department",
]

_EVERY = 2**31
_REROUTED = sa.text("event.what = 'rerouted'")  # written out as in the partial index


@dataclass(frozen=True, slots=True)
class Waiting:
    """Count what waits in the inbox at a moment, exactly as the inbox counts it with the same filters."""

    open: int
    alerts: int
    overdue: int
    nobody: int  # of the open: nobody took them
    snoozed: int


@dataclass(frozen=True, slots=True)
class Routed:
    """Count the cases that were first sent to these departments in a period, and those that had to go elsewhere."""

    first: int
    moved: int

    @property
    def right(self) -> int:
        """Give how many were right the first time."""
        return self.first - self.moved


@dataclass(frozen=True, slots=True)
class Work:
    """Hold a department's work in a period and what waits at its end; `response` is None when nothing came.

    `came` counts the new cases of each local day; their sum is `response.cases`. `acknowledge` and `answer` hold the
    time that each case took which got so far, shortest first: what the medians of `response` are of. `broken` counts
    the clocks that ran out: answered late, or still waiting and overdue; those kept are `response.within_clock`. A
    clock that still runs is neither, nor is one of a case that was put away or closed with nothing to say.
    """

    department: str
    response: Response | None
    routed: Routed
    waiting: Waiting
    came: Mapping[date, int]
    acknowledge: Sequence[timedelta] = ()
    answer: Sequence[timedelta] = ()
    broken: int = 0

    @property
    def clocks(self) -> tuple[int, int]:
        """Give how many clocks were kept, of how many that are over."""
        kept = self.response.within_clock if self.response else 0
        return kept, kept + self.broken


def count_waiting(connection: Connection, brand: str | None, names: Sequence[str], now: datetime) -> Waiting:
    """Count what waits for some departments, or for all when none is named; each case once."""
    found = [one for name, one in waiting_by_department(connection, brand, now).items() if not names or name in names]
    return Waiting(
        open=sum(one.open for one in found),
        alerts=sum(one.alerts for one in found),
        overdue=sum(one.overdue for one in found),
        nobody=sum(one.nobody for one in found),
        snoozed=sum(one.snoozed for one in found),
    )


def waiting_by_department(connection: Connection, brand: str | None, now: datetime) -> dict[str, Waiting]:
    """Count what waits for each department that has something waiting; a case counts where it lies, once."""
    return {name: one for name, (one, _) in _waiting(connection, brand, now, sa.true()).items()}


def _waiting(
    connection: Connection, brand: str | None, now: datetime, opened: sa.ColumnElement[bool]
) -> dict[str, tuple[Waiting, int]]:
    """Count what waits by department, and of it what is late and fits a condition, the snoozed among it."""
    open_here, put_off = waiting(brand)
    late = sa.and_(*conditions(connection, Filters(status="all", overdue=True), now))
    number = sa.func.count()
    told = (
        number.label("cases"),
        number.filter(cases.c.priority == "alert").label("alerts"),
        number.filter(late).label("overdue"),
        number.filter(cases.c.owner.is_(None)).label("nobody"),
        number.filter(late, opened).label("late"),
    )
    found = {}
    for row in connection.execute(sa.select(cases.c.department, *told).where(open_here).group_by(cases.c.department)):
        found[row.department] = Waiting(row.cases, row.alerts, row.overdue, row.nobody, 0), row.late
    query = sa.select(cases.c.department, sa.and_(late, opened).label("late")).where(put_off)
    for department, is_late in connection.execute(in_order(query)):
        one, many = found.get(department, (Waiting(0, 0, 0, 0, 0), 0))
        found[department] = replace(one, snoozed=one.snoozed + 1), many + bool(is_late)
    return {name: found[name] for name in sorted(found)}


def count_routed(connection: Connection, period: Period, brand: str | None, names: Sequence[str]) -> Routed:
    """Count the cases by the department that they were sent to first, and those that left it since."""
    found = [one for name, one in routed_by_department(connection, period, brand).items() if not names or name in names]
    return Routed(sum(one.first for one in found), sum(one.moved for one in found))


def routed_by_department(connection: Connection, period: Period, brand: str | None) -> dict[str, Routed]:
    """Count the cases of a period by the department that they were sent to first, and those that left it since."""
    query = sa.select(cases.c.department, sa.func.count()).where(_opened(period, brand)).group_by(cases.c.department)
    return _routed(connection, period, brand, {row[0]: row[1] for row in connection.execute(query)})


def _routed(connection: Connection, period: Period, brand: str | None, lie: Mapping[str, int]) -> dict[str, Routed]:
    """Put back the cases that left the department they were sent to first; `lie` counts all by where they lie now."""
    # No case leaves a department before it is opened. The limit holds SQLite to read these few before any case.
    left = (
        sa.select(events.c.id, events.c.case_id, events.c.before, events.c.after)
        .where(_REROUTED, events.c.at >= period.start)
        .limit(_EVERY)
        .subquery("gone")
    )
    moves = (
        sa.select(left.c.case_id, left.c.before, left.c.after, cases.c.department)
        .join(cases, cases.c.id == left.c.case_id)
        .where(_opened(period, brand))
        .order_by(left.c.id.desc())
    )
    first: dict[int, tuple[str, str]] = {}  # case → the department it lies in, the one it was sent to
    for row in connection.execute(moves):
        was = (row.before or {}).get("department")
        if was and (row.after or {}).get("department") not in (None, was):
            first[row.case_id] = row.department, was  # the newest first, so that the oldest has the last word
    counted = {name: [number, 0] for name, number in lie.items()}
    for now, was in first.values():
        counted[now][0] -= 1
        told = counted.setdefault(was, [0, 0])
        told[0] += 1
        told[1] += 1
    return {name: Routed(*counted[name]) for name in sorted(counted) if counted[name][0]}


def read_work(connection: Connection, period: Period, brand: str | None, now: datetime) -> list[Work]:
    """Gather the work of each department to which something came or for which something waits, most cases first."""
    paces = {one.department: one for one in read_paces(connection, period, brand)}
    responses = {one.department: one for one in measure(paces.values())}
    routed = _routed(connection, period, brand, {name: one.cases for name, one in paces.items()})
    waits_for = _waiting(connection, brand, now, _opened(period, brand))
    nothing = Waiting(0, 0, 0, 0, 0), 0
    found = []
    for name in {*responses, *routed, *waits_for}:
        pace, (waits, late) = paces.get(name), waits_for.get(name, nothing)
        found.append(
            Work(
                department=name,
                response=responses.get(name),
                routed=routed.get(name, Routed(0, 0)),
                waiting=waits,
                came=pace.by_day(period) if pace else {},
                acknowledge=Spans(pace.acknowledge) if pace else Spans(),
                answer=Spans(pace.answer) if pace else Spans(),
                broken=(pace.late if pace else 0) + late,
            )
        )
    return sorted(found, key=lambda one: (-(one.response.cases if one.response else 0), one.department))


def _opened(period: Period, brand: str | None) -> sa.ColumnElement[bool]:
    """Give the condition of `stakeholders.counting.response`: opened in the period, and part of no other case."""
    opened = sa.and_(cases.c.opened_at >= period.start, cases.c.opened_at < period.end, cases.c.merged_into.is_(None))
    return opened if brand is None else sa.and_(opened, cases.c.brand == brand)
