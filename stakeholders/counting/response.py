"""Count how cases were answered, the same for pages, digest and API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.taxonomy import OPEN_STATUSES
from stakeholders.casework.step import UNFINISHED
from stakeholders.counting.pace import Pace, median_of, read_paces
from stakeholders.counting.period import Period
from stakeholders.store import cases

__all__ = [
    "CaseCounts",
    "OpenNow",
    "Response",
    "case_counts",
    "in_order",
    "measure",
    "open_now",
    "response_times",
    "unfinished",
    "waiting",
]

_OPEN = cases.c.status.in_(OPEN_STATUSES)
_NAMES = ", ".join(f"'{status}'" for status in OPEN_STATUSES)  # written out as in the partial indexes
_WAITING = cases.c.status.in_(UNFINISHED)  # a snooze stops no clock


@dataclass(frozen=True, slots=True)
class CaseCounts:
    """Count the cases opened in a period by what became of them until `now`.

    acknowledged, answered and closed each count all that ever got so far. What was merged into another case counts
    there only: opened = answered + closed_unanswered + dismissed + open.
    """

    opened: int
    alerts: int  # of priority alert
    acknowledged: int
    answered: int
    closed: int
    open: int  # nobody answered yet, snoozed or not
    overdue: int  # of the open: past the clock, snoozed or not
    answered_in_time: int  # of the answered that had a clock
    answered_late: int = 0  # of the answered that had a clock
    closed_unanswered: int = 0  # closed, and nobody answered: a corrected label, nothing to say
    dismissed: int = 0  # put away as noise
    snoozed: int = 0  # of the open: put off

    def reconciles(self) -> bool:
        """Tell whether the sums agree."""
        return self.opened == self.answered + self.closed_unanswered + self.dismissed + self.open


@dataclass(frozen=True, slots=True)
class OpenNow:
    """Count every case that is open at a moment, whenever it was opened; the snoozed stand beside the open."""

    open: int  # new or acknowledged: what the inbox shows
    alerts: int  # of the open
    overdue: int  # of the open
    needing: int = 0  # open and alerts or overdue, and the snoozed that are overdue: what `needing_cases` lists
    snoozed: int = 0
    snoozed_overdue: int = 0  # of the snoozed


@dataclass(frozen=True, slots=True)
class Response:
    """Hold how a department answered the cases opened in a period; a median is of those measured, None when of none.

    cases = measured + closed_unanswered + dismissed + open. What was put away as noise owed no answer: it has no clock
    here; a snooze stops none.
    """

    department: str
    cases: int
    median_acknowledge: timedelta | None
    median_answer: timedelta | None
    within_clock: int  # answered before they were due
    measured: int  # answered: what median_answer is of
    acknowledged: int = 0  # what median_acknowledge is of
    clocked: int = 0  # had a clock, answered or not
    closed_unanswered: int = 0
    dismissed: int = 0

    @property
    def open(self) -> int:
        """Give how many nobody answered or closed yet."""
        return self.cases - self.measured - self.closed_unanswered - self.dismissed


def _of(brand: str | None) -> sa.ColumnElement[bool]:
    own = cases.c.merged_into.is_(None)  # what was merged counts in the case that it is part of
    return own if brand is None else sa.and_(own, cases.c.brand == brand)


def _opened(period: Period, brand: str | None) -> sa.ColumnElement[bool]:
    return sa.and_(_of(brand), cases.c.opened_at >= period.start, cases.c.opened_at < period.end)


def _overdue(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(_WAITING, cases.c.answered_at.is_(None), cases.c.due_at < aware(now))


def _needing(now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(sa.and_(_OPEN, cases.c.priority == "alert"), _overdue(now))


def _closed_unanswered() -> sa.ColumnElement[bool]:
    return sa.and_(cases.c.status == "closed", cases.c.answered_at.is_(None))


def case_counts(connection: Connection, period: Period, brand: str | None, now: datetime) -> CaseCounts:
    """Count the cases opened in a period, of one brand or of all, and what became of them until `now`."""
    row = connection.execute(
        sa.select(
            sa.func.count().label("opened"),
            sa.func.count().filter(cases.c.priority == "alert").label("alerts"),
            sa.func.count().filter(cases.c.acknowledged_at.is_not(None)).label("acknowledged"),
            sa.func.count().filter(cases.c.answered_at.is_not(None)).label("answered"),
            sa.func.count().filter(cases.c.status == "closed").label("closed"),
            sa.func.count().filter(_WAITING).label("open"),
            sa.func.count().filter(cases.c.status == "snoozed").label("snoozed"),
            sa.func.count().filter(cases.c.status == "dismissed").label("dismissed"),
            sa.func.count().filter(_overdue(now)).label("overdue"),
            sa.func.count().filter(cases.c.answered_at <= cases.c.due_at).label("answered_in_time"),
            sa.func.count().filter(cases.c.answered_at > cases.c.due_at).label("answered_late"),
            sa.func.count().filter(_closed_unanswered()).label("closed_unanswered"),
        ).where(_opened(period, brand))
    ).one()
    return CaseCounts(**row._mapping)


def open_now(connection: Connection, brand: str | None, now: datetime) -> OpenNow:
    """Count the cases that nobody answered at `now`, whenever they were opened."""
    open_here, put_off = waiting(brand)
    number = sa.func.count()
    row = connection.execute(
        sa.select(
            number.label("open"),
            number.filter(cases.c.priority == "alert").label("alerts"),
            number.filter(_overdue(now)).label("overdue"),
            number.filter(_needing(now)).label("needing"),
        ).where(open_here)
    ).one()
    snoozed = [bool(late) for late in connection.scalars(in_order(sa.select(_overdue(now)).where(put_off)))]
    return OpenNow(
        open=row.open,
        alerts=row.alerts,
        overdue=row.overdue,
        needing=row.needing + sum(snoozed),
        snoozed=len(snoozed),
        snoozed_overdue=sum(snoozed),
    )


def waiting(brand: str | None) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Give the conditions for the cases that are open, and for those that are snoozed, of one brand or of all.

    What was merged into another case is in neither.
    """
    own = cases.c.merged_into.is_(None)
    open_here, put_off = unfinished(brand)
    return sa.and_(own, open_here), sa.and_(own, put_off)


def unfinished(brand: str | None) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    """Give the conditions for the cases that are open, and for those that are snoozed, merged or not.

    What waits is few and a brand's cases are many, so the brand is put in a way that no index of brands is taken.
    """
    ours = sa.true() if brand is None else cases.c.brand.concat("") == brand
    open_here, over = (sa.text(f"cases.status {word} ({_NAMES})") for word in ("IN", "NOT IN"))
    return sa.and_(ours, open_here), sa.and_(ours, cases.c.status == "snoozed", over)


def in_order(query: sa.Select[Any]) -> sa.Select[Any]:
    """Ask for cases of one status in the order of their index: else SQLite reads all, for any status may be half."""
    return query.order_by(cases.c.rank, cases.c.due_at, cases.c.id)


def response_times(connection: Connection, period: Period, brand: str | None) -> list[Response]:
    """Measure how each department answered the cases opened in a period, most cases first."""
    return measure(read_paces(connection, period, brand))


def measure(paces: Iterable[Pace]) -> list[Response]:
    """Measure how each department answered, from what was read of its cases, most cases first."""
    found = [
        Response(
            department=one.department,
            cases=one.cases,
            median_acknowledge=median_of(one.acknowledge),
            median_answer=median_of(one.answer),
            within_clock=one.in_time,
            measured=len(one.answer),
            acknowledged=len(one.acknowledge),
            clocked=one.clocked,
            closed_unanswered=one.closed_unanswered,
            dismissed=one.dismissed,
        )
        for one in paces
    ]
    return sorted(found, key=lambda one: (-one.cases, one.department))
