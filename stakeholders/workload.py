"""Count a department's work: what came by day, how long it took, what waits, what was sent to the wrong one.

A digest and the page of departments read these; how cases were answered is counted by `stakeholders.response`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from stakeholders.inbox import NOBODY, Filters, count_facets, count_inbox
from stakeholders.period import Period
from stakeholders.response import Response, response_times
from stakeholders.step import UNFINISHED
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
    acknowledge: tuple[timedelta, ...] = ()
    answer: tuple[timedelta, ...] = ()
    broken: int = 0

    @property
    def clocks(self) -> tuple[int, int]:
        """Give how many clocks were kept, of how many that are over."""
        kept = self.response.within_clock if self.response else 0
        return kept, kept + self.broken


def count_waiting(connection: Connection, brand: str | None, names: Sequence[str], now: datetime) -> Waiting:
    """Count what waits for some departments, or for all when none is named; each case once."""

    def count(**more: Any) -> int:
        return count_inbox(connection, _filters(brand, department=tuple(names), **more), now)

    return Waiting(
        open=count(),
        alerts=count(priority=("alert",)),
        overdue=count(overdue=True),
        nobody=count(owner=NOBODY),
        snoozed=count(status="snoozed"),
    )


def waiting_by_department(connection: Connection, brand: str | None, now: datetime) -> dict[str, Waiting]:
    """Count what waits for each department that has something waiting; a case counts where it lies, once."""

    def count(**more: Any) -> dict[str, int]:
        return count_facets(connection, _filters(brand, **more), now, ("department",))["department"]

    parts = (count(), count(priority=("alert",)), count(overdue=True), count(owner=NOBODY), count(status="snoozed"))
    names = sorted({name for part in parts for name in part})
    return {name: Waiting(*(part.get(name, 0) for part in parts)) for name in names}


def count_routed(connection: Connection, period: Period, brand: str | None, names: Sequence[str]) -> Routed:
    """Count the cases by the department that they were sent to first, and those that left it since."""
    found = [one for name, one in routed_by_department(connection, period, brand).items() if not names or name in names]
    return Routed(sum(one.first for one in found), sum(one.moved for one in found))


def routed_by_department(connection: Connection, period: Period, brand: str | None) -> dict[str, Routed]:
    """Count the cases of a period by the department that they were sent to first, and those that left it since."""
    opened = _opened(period, brand)
    first = {
        row.id: row.department for row in connection.execute(sa.select(cases.c.id, cases.c.department).where(opened))
    }
    left: set[int] = set()
    moves = (
        sa.select(events.c.case_id, events.c.before, events.c.after)
        .join(cases, cases.c.id == events.c.case_id)
        .where(opened, events.c.what == "rerouted")
        .order_by(events.c.id.desc())
    )
    for row in connection.execute(moves):
        was = (row.before or {}).get("department")
        if was and (row.after or {}).get("department") not in (None, was):
            first[row.case_id] = was  # the newest first, so that the oldest has the last word
            left.add(row.case_id)
    counted: dict[str, list[int]] = {}
    for case_id, department in first.items():
        told = counted.setdefault(department, [0, 0])
        told[0] += 1
        told[1] += case_id in left
    return {name: Routed(*counted[name]) for name in sorted(counted)}


def read_work(connection: Connection, period: Period, brand: str | None, now: datetime) -> list[Work]:
    """Gather the work of each department to which something came or for which something waits, most cases first."""
    responses = {one.department: one for one in response_times(connection, period, brand)}
    routed = routed_by_department(connection, period, brand)
    waiting = waiting_by_department(connection, brand, now)
    query = (
        sa.select(
            cases.c.department,
            cases.c.opened_at,
            cases.c.acknowledged_at,
            cases.c.answered_at,
            cases.c.due_at,
            cases.c.status,
        )
        .where(_opened(period, brand))
        .order_by(cases.c.id)
    )
    came: dict[str, dict[date, int]] = {}
    spans: dict[tuple[str, str], list[timedelta]] = {}
    broken: dict[str, int] = {}
    for row in connection.execute(query):
        day = row.opened_at.astimezone(period.zone).date()
        days = came.setdefault(row.department, {})
        days[day] = days.get(day, 0) + 1
        for name, until in (("acknowledge", row.acknowledged_at), ("answer", row.answered_at)):
            if until is not None:
                spans.setdefault((row.department, name), []).append(until - row.opened_at)
        if row.due_at is not None:
            late = row.answered_at is None and row.status in UNFINISHED and row.due_at < now
            late = late or (row.answered_at is not None and row.answered_at > row.due_at)
            broken[row.department] = broken.get(row.department, 0) + late
    nothing = Waiting(0, 0, 0, 0, 0)
    found = [
        Work(
            department=name,
            response=responses.get(name),
            routed=routed.get(name, Routed(0, 0)),
            waiting=waiting.get(name, nothing),
            came=came.get(name, {}),
            acknowledge=tuple(sorted(spans.get((name, "acknowledge"), ()))),
            answer=tuple(sorted(spans.get((name, "answer"), ()))),
            broken=broken.get(name, 0),
        )
        for name in {*responses, *routed, *waiting}
    ]
    return sorted(found, key=lambda one: (-(one.response.cases if one.response else 0), one.department))


def _filters(brand: str | None, **more: Any) -> Filters:
    return Filters(brand=() if brand is None else (brand,), **more)


def _opened(period: Period, brand: str | None) -> sa.ColumnElement[bool]:
    """Give the condition of `stakeholders.response`: opened in the period, and part of no other case."""
    opened = sa.and_(cases.c.opened_at >= period.start, cases.c.opened_at < period.end, cases.c.merged_into.is_(None))
    return opened if brand is None else sa.and_(opened, cases.c.brand == brand)
