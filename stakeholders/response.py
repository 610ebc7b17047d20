"""Count how cases were answered, and list the cases that matter, the same for pages, digest and API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.store import authors, mentions, posts
from listener.taxonomy import OPEN_STATUSES
from stakeholders.period import Period
from stakeholders.quote import quote
from stakeholders.step import UNFINISHED
from stakeholders.store import case_mentions, cases, decisions

__all__ = [
    "CaseCounts",
    "CaseLine",
    "OpenNow",
    "Response",
    "case_counts",
    "needing_cases",
    "open_now",
    "response_times",
    "top_cases",
]

# Only those who speak for an institution are named in a letter; anybody else may be a private person.
_NAMED = frozenset({"regulator", "government", "press", "peer_company", "consumer_association"})
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


@dataclass(frozen=True, slots=True)
class CaseLine:
    """Hold a case in one line; `quote` is short and masked, `who` is given for institutions only."""

    id: int
    priority: str
    status: str
    department: str
    stakeholder: str
    mentions: int
    people: int
    opened_at: datetime
    due_at: datetime | None
    overdue: bool
    source: str
    who: str | None
    quote: str


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


def top_cases(
    connection: Connection, period: Period, brand: str | None, limit: int, now: datetime | None = None
) -> list[CaseLine]:
    """List the cases opened in a period that most people joined, then the most urgent; overdue at `now`, if given."""
    order: tuple[Any, ...] = (sa.desc("people"), cases.c.rank, sa.desc("mentions"), cases.c.id)
    return _lines(connection, _opened(period, brand), order, limit, now)


def needing_cases(connection: Connection, brand: str | None, now: datetime, limit: int) -> list[CaseLine]:
    """List the open cases that are alerts or overdue at `now`, most urgent first, whenever they were opened.

    A snoozed case stands among them once it is overdue.
    """
    needing = sa.and_(_of(brand), _WAITING, _needing(now))
    return _lines(connection, needing, (cases.c.rank, sa.nulls_last(cases.c.due_at), cases.c.id), limit, now)


def _lines(
    connection: Connection, wanted: sa.ColumnElement[bool], order: Iterable[Any], limit: int, now: datetime | None
) -> list[CaseLine]:
    # As stakeholders.dossier counts: all authors that the platform did not tell are one person.
    nobody = sa.func.max(sa.case((sa.and_(posts.c.id.is_not(None), posts.c.author_id.is_(None)), 1), else_=0))
    query = (
        sa.select(
            cases,
            sa.func.count(mentions.c.id).label("mentions"),
            (sa.func.count(posts.c.author_id.distinct()) + nobody).label("people"),
            # the mention that opened it speaks for the case; ids grow, so the first one is the oldest
            sa.func.coalesce(
                sa.func.min(mentions.c.id).filter(case_mentions.c.how == "opened"), sa.func.min(mentions.c.id)
            ).label("opener"),
        )
        .select_from(
            cases.outerjoin(case_mentions, case_mentions.c.case_id == cases.c.id)
            .outerjoin(mentions, mentions.c.id == case_mentions.c.mention_id)
            .outerjoin(posts, posts.c.id == mentions.c.post_id)
        )
        .where(wanted)
        .group_by(*cases.c)
        .order_by(*order)
        .limit(limit)
    )
    rows = connection.execute(query).all()
    openers = {row.mention_id: row for row in connection.execute(_openers([row.opener for row in rows if row.opener]))}
    return [_line(row, openers.get(row.opener), now) for row in rows]


def _openers(wanted: list[int]) -> sa.Select[Any]:
    return (
        sa.select(
            mentions.c.id.label("mention_id"),
            mentions.c.source,
            posts.c.text,
            authors.c.name,
            authors.c.handle,
            decisions.c.stakeholder,
            decisions.c.detail,
        )
        .select_from(
            mentions.join(posts)
            .outerjoin(authors, authors.c.id == posts.c.author_id)
            .outerjoin(decisions, decisions.c.mention_id == mentions.c.id)
        )
        .where(mentions.c.id.in_(wanted))
    )


def _line(row: sa.Row[Any], opener: sa.Row[Any] | None, now: datetime | None) -> CaseLine:
    late = row.due_at is not None and now is not None and row.due_at < now and row.answered_at is None
    return CaseLine(
        id=row.id,
        priority=row.priority,
        status=row.status,
        department=row.department,
        stakeholder=row.stakeholder,
        mentions=row.mentions,
        people=row.people,
        opened_at=row.opened_at,
        due_at=row.due_at,
        overdue=late and row.status in UNFINISHED,
        source=opener.source if opener else "",
        who=_who(opener),
        quote=quote(opener.text) if opener else "",
    )


def _who(opener: sa.Row[Any] | None) -> str | None:
    """Name an institution that speaks; nobody is named on a guess."""
    if opener is None or opener.stakeholder not in _NAMED:
        return None
    if ((opener.detail or {}).get("speaker") or {}).get("unsure"):
        return None
    name = opener.name or opener.handle
    return quote(name, 60) if name else None
