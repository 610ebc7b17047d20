"""Read a case: its state, its history, its posts; an employee's name never leaves this file toward human resources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import Author, Mention
from listener.reason import Reason, from_json
from listener.store import mentions, posts, read_mention, select_mentions
from listener.taxonomy import Department, Stakeholder
from sentiment.store import verdict_from_row, verdicts
from sentiment.verdict import Verdict
from stakeholders.deciding.decision import Decision, decision_from_row
from stakeholders.deciding.facts import Case
from stakeholders.scope import tell_hidden
from stakeholders.store import case_mentions, cases, decisions, events

__all__ = [
    "CaseMention",
    "Event",
    "case_from_row",
    "case_mentions_of",
    "count_people",
    "history",
    "is_masked",
    "masked",
    "read_case",
]


@dataclass(frozen=True, slots=True)
class Event:
    """Hold one line of a case's history; nothing is ever changed or removed in it."""

    id: int
    case_id: int
    at: datetime
    who: str
    what: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    seal: str | None = None  # see stakeholders.casework.seal; None: written before there were seals


@dataclass(frozen=True, slots=True)
class CaseMention:
    """Hold one post of a case with what was judged and decided of it; `masked` tells that the author is hidden."""

    mention_id: int
    how: str  # opened | thread | repeat | merged | spike
    mention: Mention
    verdict: Verdict | None
    decision: Decision | None
    masked: bool = False


def is_masked(stakeholder: Stakeholder | str, department: Department | str) -> bool:
    """Tell whether the author must stay hidden: an employee is never named to human resources."""
    return stakeholder == "employee" and department == "human_resources"


def masked(mention: Mention) -> Mention:
    """Give the mention without anything that names its author: account, profile and the post's address."""
    post = replace(mention.post, author=Author(), url=None, native_id="", in_reply_to=None, thread=None, raw={})
    return replace(mention, post=post)


# Made once: every move of a case asks them, and making a statement takes longer than answering it.
_OPENED = sa.select(case_mentions.c.mention_id).where(
    case_mentions.c.case_id == sa.bindparam("case"), case_mentions.c.how == "opened"
)
_CASE = sa.select(cases).where(cases.c.id == sa.bindparam("case"))
_DETAIL = sa.select(decisions.c.detail).where(decisions.c.mention_id.in_(_OPENED))
_NOBODY = sa.func.max(sa.case((case_mentions.c.author_id.is_(None), 1), else_=0))
_PEOPLE = (
    sa.select(
        case_mentions.c.case_id,
        sa.func.count().label("mentions"),
        (sa.func.count(case_mentions.c.author_id.distinct()) + _NOBODY).label("people"),
    )
    .where(case_mentions.c.case_id.in_(sa.bindparam("cases", expanding=True)))
    .group_by(case_mentions.c.case_id)
)


def read_case(connection: Connection, case_id: int) -> Case | None:
    """Read a case with its counts and the reasons of the mention that opened it; None when there is none.

    A crisis was opened by a rise, whose parts are its reasons, for `outbreak.say_cause`.
    """
    row = connection.execute(_CASE, {"case": case_id}).one_or_none()
    if row is None:
        tell_hidden(connection, f"case {case_id}")
        return None
    counted = count_people(connection, [case_id]).get(case_id, (0, 0))
    if row.kind == "crisis":
        from stakeholders.spikes.crisis import reasons_of

        if because := reasons_of(connection, case_id):
            return case_from_row(row, counted, because)
    detail = connection.scalar(_DETAIL, {"case": case_id})
    return case_from_row(row, counted, from_json((detail or {}).get("because", ())))


def case_from_row(row: sa.Row[Any], counted: tuple[int, int] = (0, 0), reasons: tuple[Reason, ...] = ()) -> Case:
    """Rebuild a Case from a row of the table; `counted` is (mentions, people)."""
    return Case(
        id=row.id,
        brand=row.brand,
        department=row.department,
        copies=tuple(row.copies),
        priority=row.priority,
        stakeholder=row.stakeholder,
        status=row.status,
        owner=row.owner,
        opened_at=row.opened_at,
        due_at=row.due_at,
        acknowledged_at=row.acknowledged_at,
        answered_at=row.answered_at,
        closed_at=row.closed_at,
        mentions=counted[0],
        people=counted[1],
        version=row.version,
        reasons=reasons,
        kind=row.kind,
        snoozed_until=row.snoozed_until,
        merged_into=row.merged_into,
        ticket_id=row.ticket_id,
        ticket_url=row.ticket_url,
    )


def count_people(connection: Connection, case_ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Count the mentions and the distinct authors of each case; all authors that are not told count as one."""
    rows = connection.execute(_PEOPLE, {"cases": list(case_ids)})
    return {row.case_id: (row.mentions, row.people) for row in rows}


def history(connection: Connection, case_id: int, merged: bool = False) -> list[Event]:
    """Read the history of a case, oldest first; with `merged`, the lines of the cases that are part of it now too."""
    mine = events.c.case_id == case_id
    if merged:  # one list of cases: for an OR of two conditions PostgreSQL reads all events
        mine = events.c.case_id.in_(
            sa.select(cases.c.id).where(sa.or_(cases.c.id == case_id, cases.c.merged_into == case_id))
        )
    rows = connection.execute(sa.select(events).where(mine).order_by(events.c.id))
    return [Event(row.id, row.case_id, row.at, row.who, row.what, row.before, row.after, row.seal) for row in rows]


def case_mentions_of(connection: Connection, case_id: int) -> list[CaseMention]:
    """Read the posts of a case with author, verdict and decision, oldest first; an employee's without author."""
    department = connection.scalar(sa.select(cases.c.department).where(cases.c.id == case_id))
    rows = connection.execute(
        select_mentions()
        .add_columns(case_mentions.c.how)
        .join(case_mentions, case_mentions.c.mention_id == mentions.c.id)
        .where(case_mentions.c.case_id == case_id)
        .order_by(posts.c.published_at, mentions.c.id)
    ).all()
    ids = [row.mention_id for row in rows]
    judged = {
        row.mention_id: verdict_from_row(row)
        for row in connection.execute(sa.select(verdicts).where(verdicts.c.mention_id.in_(ids), verdicts.c.current))
    }
    decided = {
        row.mention_id: decision_from_row(row)
        for row in connection.execute(sa.select(decisions).where(decisions.c.mention_id.in_(ids)))
    }
    found = []
    for row in rows:
        decision = decided.get(row.mention_id)
        hide = decision is not None and is_masked(decision.speaker.label.name, department or "")
        mention = masked(read_mention(row)) if hide else read_mention(row)
        if hide and decision is not None:  # its reasons quote the profile
            label = replace(decision.speaker.label, because=())
            decision = replace(decision, speaker=replace(decision.speaker, label=label, entry=None))
        found.append(CaseMention(row.mention_id, row.how, mention, judged.get(row.mention_id), decision, hide))
    return found
