"""Count how cases were answered, the same for pages, digest and API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.taxonomy import OPEN_STATUSES
from stakeholders.period import Period
from stakeholders.step import UNFINISHED
from stakeholders.store import cases

__all__ = [
    "CaseCounts",
    "OpenNow",
    "Response",
    "case_counts",
    "open_now",
    "response_times",
]

_OPEN = cases.c.status.in_(OPEN_STATUSES)
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
    row = connection.execute(
        sa.select(
            sa.func.count().filter(_OPEN).label("open"),
            sa.func.count().filter(_OPEN, cases.c.priority == "alert").label("alerts"),
            sa.func.count().filter(_OPEN, _overdue(now)).label("overdue"),
            sa.func.count().filter(_needing(now)).label("needing"),
            sa.func.count().filter(cases.c.status == "snoozed").label("snoozed"),
            sa.func.count().filter(cases.c.status == "snoozed", _overdue(now)).label("snoozed_overdue"),
        ).where(_of(brand), _WAITING)
    ).one()
    return OpenNow(**row._mapping)


def response_times(connection: Connection, period: Period, brand: str | None) -> list[Response]:
    """Measure how each department answered the cases opened in a period, most cases first."""
    acknowledged = _medians(connection, period, brand, cases.c.acknowledged_at)
    answered = _medians(connection, period, brand, cases.c.answered_at)
    rows = connection.execute(
        sa.select(
            cases.c.department,
            sa.func.count().label("cases"),
            sa.func.count(cases.c.acknowledged_at).label("acknowledged"),
            sa.func.count(cases.c.answered_at).label("measured"),
            sa.func.count(cases.c.due_at).filter(cases.c.status != "dismissed").label("clocked"),
            sa.func.count().filter(cases.c.status == "dismissed").label("dismissed"),
            sa.func.count().filter(cases.c.answered_at <= cases.c.due_at).label("within_clock"),
            sa.func.count().filter(_closed_unanswered()).label("closed_unanswered"),
        )
        .where(_opened(period, brand))
        .group_by(cases.c.department)
        .order_by(sa.func.count().desc(), cases.c.department)
    )
    return [
        Response(
            median_acknowledge=acknowledged.get(row.department),
            median_answer=answered.get(row.department),
            **row._mapping,
        )
        for row in rows
    ]


def _medians(connection: Connection, period: Period, brand: str | None, until: sa.Column[Any]) -> dict[str, timedelta]:
    """Take the median time from opening by department, in the database: the mean of the middle one or two in order."""
    seconds = sa.extract("epoch", until) - sa.extract("epoch", cases.c.opened_at)
    ranked = (
        sa.select(
            cases.c.department,
            seconds.label("seconds"),
            sa.func.row_number().over(partition_by=cases.c.department, order_by=seconds).label("place"),
            sa.func.count().over(partition_by=cases.c.department).label("all"),
        )
        .where(_opened(period, brand), until.is_not(None))
        .subquery()
    )
    middle = sa.and_(2 * ranked.c.place >= ranked.c.all, 2 * ranked.c.place <= ranked.c.all + 2)
    query = sa.select(ranked.c.department, sa.func.avg(ranked.c.seconds)).where(middle).group_by(ranked.c.department)
    return {department: timedelta(seconds=round(float(mean))) for department, mean in connection.execute(query)}
