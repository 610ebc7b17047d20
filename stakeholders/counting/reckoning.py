"""Account for every mention and every case of a period: what became of each, so that the sums agree to the item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.store import mentions
from stakeholders.counting.counts import counted, named
from stakeholders.counting.period import Period
from stakeholders.counting.tally import is_limited, kept_fates
from stakeholders.store import case_mentions, cases, decisions

__all__ = ["CaseFates", "MentionFates", "case_fates", "mention_fates"]


@dataclass(frozen=True, slots=True)
class MentionFates:
    """Count the mentions about the brand by where they went; relevant = opened + joined + alone + waiting."""

    relevant: int
    opened: int  # a case of its own
    joined: int  # a case that another mention had opened: its thread, a copy, a crisis, a case put together by hand
    alone: int  # decided, and nothing to answer: no case
    waiting: int  # not routed yet

    def reconciles(self) -> bool:
        """Tell whether the sums agree."""
        return self.relevant == self.opened + self.joined + self.alone + self.waiting


@dataclass(frozen=True, slots=True)
class CaseFates:
    """Count the cases opened in a period by what became of them; made is the sum of all the others."""

    made: int
    answered: int
    open: int
    snoozed: int
    closed: int  # without an answer
    dismissed: int  # as noise
    merged: int  # into another case, where they count

    def reconciles(self) -> bool:
        """Tell whether the sums agree."""
        parts = (self.answered, self.open, self.snoozed, self.closed, self.dismissed, self.merged)
        return self.made == sum(parts)


def mention_fates(connection: Connection, period: Period, brand: str | None) -> MentionFates:
    """Count where the mentions of a period went that are about a brand, or about any when None."""
    if is_limited(connection):
        return _count_fates(connection, period, brand)
    told = kept_fates(connection, period, brand)
    return MentionFates(alone=told["relevant"] - told["opened"] - told["joined"] - told["waiting"], **told)


def _count_fates(connection: Connection, period: Period, brand: str | None) -> MentionFates:
    """Count from the rows themselves, for a reader who sees only a part of them."""
    inside = case_mentions.c.mention_id.is_not(None)
    decided = decisions.c.id.is_not(None)
    row = connection.execute(
        sa.select(
            sa.func.count().label("relevant"),
            sa.func.count().filter(case_mentions.c.how == "opened").label("opened"),
            sa.func.count().filter(case_mentions.c.how != "opened").label("joined"),
            sa.func.count().filter(sa.not_(inside), decided).label("alone"),
            sa.func.count().filter(sa.not_(inside), sa.not_(decided)).label("waiting"),
        )
        .select_from(
            counted()
            .outerjoin(case_mentions, case_mentions.c.mention_id == mentions.c.id)
            .outerjoin(decisions, decisions.c.mention_id == mentions.c.id)
        )
        .where(named(period, brand))
    ).one()
    return MentionFates(**row._mapping)


def case_fates(connection: Connection, period: Period, brand: str | None, departments: Sequence[str] = ()) -> CaseFates:
    """Count what became of the cases opened in a period, of all departments or of those named; each counts once."""
    merged = cases.c.merged_into.is_not(None)
    fate = sa.case(
        (merged, "merged"),
        (cases.c.status == "dismissed", "dismissed"),
        (cases.c.status == "snoozed", "snoozed"),
        (cases.c.answered_at.is_not(None), "answered"),
        (cases.c.status == "closed", "closed"),
        else_="open",
    ).label("fate")
    query = sa.select(fate, sa.func.count()).where(cases.c.opened_at >= period.start, cases.c.opened_at < period.end)
    if brand is not None:
        query = query.where(cases.c.brand == brand)
    if departments:
        query = query.where(cases.c.department.in_(list(departments)))
    found = {row[0]: row[1] for row in connection.execute(query.group_by(fate))}
    names = ("answered", "open", "snoozed", "closed", "dismissed", "merged")
    return CaseFates(sum(found.values()), *(found.get(name, 0) for name in names))
