"""Find what was owed and not given: clocks not kept, incidents and departments without an answer, legal days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.mention import aware
from sentiment.interval import wilson
from stakeholders.counting.period import Period
from stakeholders.counting.response import CaseCounts, in_order, unfinished
from stakeholders.lists.caseline import CaseLine
from stakeholders.store import cases

__all__ = [
    "Incident",
    "Kept",
    "LegalDay",
    "Silent",
    "gravest_first",
    "incidents",
    "kept",
    "legal_days",
    "silent_departments",
]

SILENT = 3  # cases that waited a day, below which a department is not called silent
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """Hold how many clocks were kept of those that ran out or were answered, with the 95 % interval of the share."""

    of: int
    in_time: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Incident:
    """Hold a crisis that nobody has answered yet."""

    case: int
    began: datetime
    department: str


@dataclass(frozen=True, slots=True)
class Silent:
    """Count the cases of a department that waited a day or past their time, of which it touched none."""

    department: str
    cases: int


@dataclass(frozen=True, slots=True)
class LegalDay:
    """Hold an open case whose legal clock runs: by when, by which rule, and whether the day has passed."""

    case: int
    department: str
    rule: str
    body: str
    resolve_by: datetime
    late: bool
    about: Mapping[str, str] = field(default_factory=dict)  # language → the matter in words


def kept(counts: CaseCounts) -> Kept | None:
    """Give how many clocks were kept: in time, of all that were answered or ran out; None when none did yet."""
    of = counts.answered_in_time + counts.answered_late + counts.overdue
    if not of:
        return None
    low, high = wilson(counts.answered_in_time, of)
    return Kept(of, counts.answered_in_time, counts.answered_in_time / of, low, high)


def _of(brand: str | None, departments: Sequence[str]) -> sa.ColumnElement[bool]:
    asked: list[sa.ColumnElement[bool]] = [sa.true()]
    if brand is not None:
        asked.append(cases.c.brand == brand)
    if departments:
        asked.append(cases.c.department.in_(list(departments)))
    return sa.and_(*asked)


def incidents(
    connection: Connection, brand: str | None, departments: Sequence[str] = (), limit: int = 3
) -> list[Incident]:
    """List the crises that nobody has answered, the oldest first."""
    open_here, _ = unfinished(brand)
    waiting = sa.and_(open_here, _of(None, departments), cases.c.kind == "crisis", cases.c.answered_at.is_(None))
    query = sa.select(cases.c.id, cases.c.opened_at, cases.c.department).where(waiting)
    rows = connection.execute(query.order_by(cases.c.opened_at, cases.c.id).limit(limit))
    return [Incident(row.id, row.opened_at, row.department) for row in rows]


def silent_departments(
    connection: Connection, period: Period, brand: str | None, now: datetime, departments: Sequence[str] = ()
) -> list[Silent]:
    """Find departments that touched none of their cases of a period: not seen, not answered, not closed, by nobody.

    Only cases that waited a day or whose time has passed count, and three of them at least.
    """
    waited = sa.or_(cases.c.opened_at <= aware(now) - _DAY, cases.c.due_at < aware(now))
    touched = sa.or_(cases.c.acknowledged_at.is_not(None), cases.c.status != "new", cases.c.owner.is_not(None))
    opened = sa.and_(cases.c.opened_at >= period.start, cases.c.opened_at < period.end, cases.c.merged_into.is_(None))
    query = (
        sa.select(cases.c.department, sa.func.count().label("cases"))
        .where(_of(brand, departments), opened, waited)
        .group_by(cases.c.department)
        .having(sa.func.count() >= SILENT, sa.func.count().filter(touched) == 0)
        .order_by(sa.func.count().desc(), cases.c.department)
    )
    return [Silent(row.department, row.cases) for row in connection.execute(query)]


def legal_days(
    connection: Connection,
    config: Config,
    brand: str | None,
    now: datetime,
    until: datetime,
    departments: Sequence[str] = (),
    limit: int = 5,
) -> list[LegalDay]:
    """List the open cases whose legal clock runs out before `until` or has run out, the earliest first."""
    from stakeholders.regulation import rules_of

    running = sa.and_(_of(None, departments), cases.c.answered_at.is_(None), cases.c.regulatory_due_at < until)
    columns = (cases.c.id, cases.c.department, cases.c.regulatory_rule, cases.c.regulatory_due_at)
    # The law does not know that a case was put off: a snoozed one is listed too.
    open_here, put_off = (sa.select(*columns).where(running, one) for one in unfinished(brand))
    every = [*connection.execute(open_here), *connection.execute(in_order(put_off))]
    rows = sorted(every, key=lambda row: (row.regulatory_due_at, row.id))[:limit]
    rules = {rule.id: rule.table for rule in rules_of(config.settings)}
    found = []
    for row in rows:
        table = rules.get(row.regulatory_rule)
        found.append(
            LegalDay(
                case=row.id,
                department=row.department,
                rule=row.regulatory_rule or "",
                body=(table.body if table else None) or row.regulatory_rule or "",
                resolve_by=row.regulatory_due_at,
                late=row.regulatory_due_at < aware(now),
                about={str(lang): words for lang, words in table.about.items()} if table else {},
            )
        )
    return found


def gravest_first(
    lines: Sequence[CaseLine], crises: Sequence[Incident], legal: Sequence[LegalDay], most: int
) -> tuple[CaseLine, ...]:
    """Choose the cases that a letter lists: incidents, then those past a legal day, then the others as they came."""
    grave = {one.case for one in crises}
    late = {one.case for one in legal if one.late}
    return tuple(sorted(lines, key=lambda line: (line.id not in grave, line.id not in late))[:most])
