"""List the cases that matter in one line each: those that most people joined, and those that need somebody now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.store import authors, mentions, posts
from listener.taxonomy import OPEN_STATUSES
from stakeholders.casework.dossier import count_people
from stakeholders.casework.step import UNFINISHED
from stakeholders.counting.period import Period
from stakeholders.letters.quote import quote
from stakeholders.store import case_mentions, cases, decisions

__all__ = ["CaseLine", "needing_cases", "top_cases"]

# Only those who speak for an institution are named in a letter; anybody else may be a private person.
_NAMED = frozenset({"regulator", "government", "press", "peer_company", "consumer_association"})
# Written out as in the partial index of the inbox, so that both databases see that it serves.
_OPEN = sa.text("cases.status IN ({})".format(", ".join(f"'{status}'" for status in OPEN_STATUSES)))
_OVER = sa.text("cases.status NOT IN ({})".format(", ".join(f"'{status}'" for status in OPEN_STATUSES)))
_STEP = 200  # cases whose people are counted at a time


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


def top_cases(
    connection: Connection, period: Period, brand: str | None, limit: int, now: datetime | None = None
) -> list[CaseLine]:
    """List the cases opened in a period that most people joined, then the most urgent; overdue at `now`, if given.

    A case has no more people than mentions, so people are counted from the case with most mentions downward, until no
    other can have as many as the last one of the list.
    """
    mine: list[sa.ColumnElement[bool]] = [
        cases.c.merged_into.is_(None)
    ]  # what was merged counts in the case that it is part of
    if brand is not None:
        mine.append(cases.c.brand == brand)
    number = sa.select(sa.func.count()).where(case_mentions.c.case_id == cases.c.id).scalar_subquery()
    query = (
        sa.select(cases.c.id, cases.c.rank, number.label("mentions"))
        .where(cases.c.opened_at >= period.start, cases.c.opened_at < period.end, *mine)
        .order_by(sa.desc("mentions"), cases.c.id)
    )
    best: list[tuple[int, int, int, int]] = []
    with connection.execute(query.execution_options(yield_per=_STEP)) as found:  # few of them are ever looked at
        for step in found.partitions():
            if len(best) >= limit and step[0].mentions < -best[-1][0]:
                break
            people = count_people(connection, [row.id for row in step])
            for row in step:
                count, persons = people.get(row.id, (0, 0))
                best.append((-persons, row.rank, -count, row.id))
            best = sorted(best)[:limit]
    return _lines(connection, [one[3] for one in best], now)


def needing_cases(connection: Connection, brand: str | None, now: datetime, limit: int) -> list[CaseLine]:
    """List the open cases that are alerts or overdue at `now`, most urgent first, whenever they were opened.

    A snoozed case stands among them once it is overdue.
    """
    late = sa.and_(cases.c.answered_at.is_(None), cases.c.due_at < aware(now))
    found: list[tuple[tuple[int, bool, float, int], int]] = []
    for wanted in (
        sa.and_(_OPEN, sa.or_(cases.c.priority == "alert", late)),
        sa.and_(_OVER, cases.c.status == "snoozed", late),
    ):
        query = sa.select(cases.c.rank, cases.c.due_at, cases.c.id).where(wanted, cases.c.merged_into.is_(None))
        if brand is not None:
            # added to, so that the index of what is open is read and not that of all cases of the brand
            query = query.where(cases.c.brand.concat("") == brand)
        query = query.order_by(cases.c.rank, sa.nulls_last(cases.c.due_at), cases.c.id).limit(limit)
        for row in connection.execute(query):
            due = row.due_at.timestamp() if row.due_at is not None else 0.0
            found.append(((row.rank, row.due_at is None, due, row.id), row.id))
    return _lines(connection, [number for _, number in sorted(found)[:limit]], aware(now))


def _lines(connection: Connection, wanted: Sequence[int], now: datetime | None) -> list[CaseLine]:
    if not wanted:
        return []
    rows = {row.id: row for row in connection.execute(sa.select(cases).where(cases.c.id.in_(wanted)))}
    people = count_people(connection, wanted)
    # the mention that opened it speaks for the case; ids grow, so the first one is the oldest
    opener = sa.func.coalesce(
        sa.func.min(case_mentions.c.mention_id).filter(case_mentions.c.how == "opened"),
        sa.func.min(case_mentions.c.mention_id),
    )
    query = sa.select(case_mentions.c.case_id, opener.label("opener")).where(case_mentions.c.case_id.in_(wanted))
    first = {row.case_id: row.opener for row in connection.execute(query.group_by(case_mentions.c.case_id))}
    openers = {row.mention_id: row for row in connection.execute(_openers(list(first.values())))}
    return [
        _line(rows[one], people.get(one, (0, 0)), openers.get(first.get(one)), now) for one in wanted if one in rows
    ]


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


def _line(row: sa.Row[Any], counted: tuple[int, int], opener: sa.Row[Any] | None, now: datetime | None) -> CaseLine:
    late = row.due_at is not None and now is not None and row.due_at < now and row.answered_at is None
    return CaseLine(
        id=row.id,
        priority=row.priority,
        status=row.status,
        department=row.department,
        stakeholder=row.stakeholder,
        mentions=counted[0],
        people=counted[1],
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
