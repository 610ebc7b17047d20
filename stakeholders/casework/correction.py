"""Take what a person says of a label: that it is right, or a correction, by which the decision and the case move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.reason import N_, reason, to_json
from listener.store import mentions, read_mention, select_mentions
from listener.taxonomy import DIMENSIONS, INTENTS, OPEN_STATUSES, SENTIMENTS, STAKEHOLDERS, Status
from sentiment.store import read_verdict, save_verdicts
from sentiment.verdict import Label, Verdict
from stakeholders.case import PROGRAM, NotPossible, close, history, record, reroute, wake
from stakeholders.casework.dossier import read_case
from stakeholders.casework.merging import stand_in
from stakeholders.casework.step import OVER, change, give, lock
from stakeholders.deciding.decision import (
    Correction,
    Decision,
    change_decision,
    decision_from_row,
    keep_correction,
    read_decision,
)
from stakeholders.deciding.facts import Case
from stakeholders.deciding.priority import RANKS
from stakeholders.regulation.mark import mark
from stakeholders.sla import due_at
from stakeholders.store import case_mentions, cases, decisions

if TYPE_CHECKING:
    from stakeholders.desk import Desk

__all__ = ["LABELS_OF", "confirm", "correct"]

LABELS_OF: Mapping[str, tuple[str, ...]] = {
    "relevant": ("true", "false"),
    "sentiment": SENTIMENTS,
    "dimension": DIMENSIONS,
    "intent": INTENTS,
    "stakeholder": STAKEHOLDERS,
}

# The note of a closing by a correction; it also tells that closing from a person's, which a correction never undoes.
_MOOT = N_("After the correction no post of it needs an answer")


def correct(
    desk: Desk, connection: Connection, mention_id: int, head: str, name: str, who: str, now: datetime
) -> Decision:
    """Correct one label of a mention in the caller's transaction; see Desk.correct."""
    if name not in LABELS_OF.get(head, ()):
        raise NotPossible(reason(N_("«{quote_name}» is no label of «{quote_head}»"), quote_name=name, quote_head=head))
    desk.lock(connection)
    row = connection.execute(select_mentions().where(mentions.c.id == mention_id)).one_or_none()
    old, verdict = _decided(connection, mention_id)
    if row is None:
        raise _undecided(mention_id)
    speaker = old.speaker
    current = _current(old, verdict, head)
    before = current.name
    if before == name and current.confidence == 1.0:
        return old  # a second click
    if head == "stakeholder":
        label = Label(name, 1.0, (reason(N_("{quote_who} said so"), quote_who=who),))
        speaker = replace(speaker, label=label)
    else:
        verdict = verdict.corrected(head, name, verdict.engine)  # type: ignore[arg-type]
        save_verdicts(connection, [(mention_id, verdict)], now, who)
    mention = read_mention(row)
    speaker, facts, route = desk.decide(mention, verdict, speaker)
    corrected = Correction(head, before, name, who, now, current.confidence, current.unsure)
    new = change_decision(connection, old, speaker, route, corrected)
    case_id = connection.scalar(sa.select(case_mentions.c.case_id).where(case_mentions.c.mention_id == mention_id))
    changed = {head: before, "mention": mention_id}, {head: name, "mention": mention_id}
    if case_id is None:
        desk.recall(connection, facts.brand, row.published_at)
        case = desk.file(connection, row, mention, facts, route, now)
        if case is not None:
            record(connection, case.id, now, who, "corrected", *changed)
        return new
    record(connection, case_id, now, who, "corrected", *changed)
    if connection.scalar(sa.select(cases.c.kind).where(cases.c.id == case_id)) == "crisis":
        if route.opens_case and not old.route.opens_case and _leave(connection, case_id, mention_id):
            desk.recall(connection, facts.brand, row.published_at)
            case = desk.file(connection, row, mention, facts, route, now)
            if case is not None and case.id != case_id:
                left = {"case": case.id, "mentions": [mention_id]}
                change(connection, lock(connection, case_id, None, now), {}, now, PROGRAM, "split", None, left)
        else:
            mark(connection, desk.config.settings, case_id, mention_id, facts, now)
        return new  # one post moves no crisis, which a rise of many opened
    mark(connection, desk.config.settings, case_id, mention_id, facts, now)
    _move(desk, connection, case_id, mention_id, who, now)
    return new


def confirm(desk: Desk, connection: Connection, mention_id: int, head: str, who: str, now: datetime) -> Decision:
    """Keep that a person found a label right as it is, in the caller's transaction; nothing else changes.

    What a person has said of that label already stands. Raises NotPossible for a label that is none and for a mention
    that was not decided yet.
    """
    if head not in LABELS_OF:
        raise NotPossible(reason(N_("There is no label «{quote_head}»"), quote_head=head))
    desk.lock(connection)
    old, verdict = _decided(connection, mention_id)
    if any(one.head == head for one in old.corrections):
        return old
    label = _current(old, verdict, head)
    confirmed = Correction(head, label.name, label.name, who, now, label.confidence, label.unsure)
    return keep_correction(connection, old, confirmed)


def _decided(connection: Connection, mention_id: int) -> tuple[Decision, Verdict]:
    old, verdict = read_decision(connection, mention_id), read_verdict(connection, mention_id)
    if old is None or verdict is None:
        raise _undecided(mention_id)
    return old, verdict


def _undecided(mention_id: int) -> NotPossible:
    return NotPossible(reason(N_("The mention {number} is not decided yet"), number=mention_id))


def _current(decision: Decision, verdict: Verdict, head: str) -> Label:
    label: Label = decision.speaker.label if head == "stakeholder" else getattr(verdict, head)
    return label


def _move(desk: Desk, connection: Connection, case_id: int, mention_id: int, who: str, now: datetime) -> None:
    """Let a case follow its mentions: the first that still needs an answer leads, the most urgent sets the clock."""
    rows = connection.execute(
        sa.select(decisions)
        .join(case_mentions, case_mentions.c.mention_id == decisions.c.mention_id)
        .where(case_mentions.c.case_id == case_id)
        .order_by(sa.case((case_mentions.c.how == "opened", 0), else_=1), decisions.c.id)
    )
    needing = [one for one in map(decision_from_row, rows) if one.route.opens_case]
    case = read_case(connection, case_id)
    if case is None:
        return
    if not needing:
        if case.status not in OVER:
            close(connection, case_id, PROGRAM, now, note=to_json([reason(_MOOT)])[0])
        return
    first = needing[0]
    urgent = min(needing, key=lambda one: RANKS[one.route.priority]).route.priority
    speaking = first.speaker.label.name
    moved = reroute(connection, desk.config.settings, case_id, first.route, speaking, urgent, PROGRAM, now)  # type: ignore[arg-type]
    standing = _standing(connection, case)
    if standing in ("answered", *OVER) and RANKS[urgent] < RANKS[case.priority]:
        # It was finished as something less urgent: who answers now could not know, so the clock starts now.
        due = due_at(urgent, moved.department, desk.config.settings, now, moved.stakeholder)
        moved = _reopen(connection, moved, "new", due, who, now)
    elif standing != case.status:
        moved = _reopen(connection, moved, "answered" if standing == "answered" else "new", moved.due_at, who, now)
    if moved.status == "snoozed" and RANKS[moved.priority] < RANKS[case.priority]:
        moved = wake(connection, case_id, who, now)
    if moved.version != case.version and moved.status in OPEN_STATUSES:
        from stakeholders.alerts import queue_case

        queue_case(connection, desk.config, moved, mention_id, False, now)


def _leave(connection: Connection, crisis_id: int, mention_id: int) -> bool:
    """Take a post that owes an answer of its own now out of a crisis; the last one stays, since it stands for it."""
    mine = sa.select(case_mentions.c.mention_id).where(case_mentions.c.case_id == crisis_id)
    if connection.scalar(mine.where(case_mentions.c.mention_id != mention_id).limit(1)) is None:
        return False
    connection.execute(case_mentions.delete().where(case_mentions.c.mention_id == mention_id))
    stand_in(connection, crisis_id)
    return True


def _standing(connection: Connection, case: Case) -> Status:
    """Give the status of a case as if no correction had closed it; what a person closed or dismissed is so."""
    if case.status == "closed" and case.merged_into is None:
        closed = next((one for one in reversed(history(connection, case.id)) if one.what == "closed"), None)
        note = (closed.after or {}).get("note") if closed is not None else None
        sentence = note.get("sentence") if isinstance(note, Mapping) else note  # plain in histories of before
        if closed is not None and closed.before and sentence == _MOOT:
            return cast("Status", closed.before["status"])
    return case.status


def _reopen(connection: Connection, case: Case, status: Status, due: datetime | None, who: str, now: datetime) -> Case:
    """Open a finished case again; as answered again when it had been and nothing more is owed."""
    changes: dict[str, Any] = {"status": status, "closed_at": None, "due_at": due}
    if status == "new":
        changes |= {"acknowledged_at": None, "answered_at": None, "escalated": 0}
    row = lock(connection, case.id, None, now)
    change(connection, row, changes, now, who, "reopened", {"status": case.status}, {"status": status})
    return give(connection, case.id)
