"""Move a case: open, join, acknowledge, assign, answer, close, dismiss, reopen, note; each with its line of history.

Every function takes an open connection. A `version` that is no longer the case's raises Stale and says who changed
what, so that two people never answer the same case unawares; without it the latest state is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.reason import N_, reason, to_json
from listener.settings import Settings
from listener.taxonomy import Priority, Stakeholder
from stakeholders.casework.dossier import Event, case_mentions_of, history, is_masked, masked, read_case
from stakeholders.casework.snooze import snooze, wake
from stakeholders.casework.step import (
    PROGRAM,
    TRANSITIONS,
    Acknowledgement,
    NotPossible,
    Stale,
    ago,
    change,
    check,
    first,
    give,
    lock,
    record,
    refuse_over,
)
from stakeholders.deciding.facts import Case, Route
from stakeholders.deciding.priority import RANKS
from stakeholders.sla import due_at
from stakeholders.store import case_mentions, cases

__all__ = [
    "PROGRAM",
    "Acknowledgement",
    "Event",
    "NotPossible",
    "Note",
    "Stale",
    "acknowledge",
    "answer",
    "assign",
    "case_mentions_of",
    "close",
    "dismiss",
    "history",
    "is_masked",
    "join",
    "masked",
    "note",
    "open_case",
    "read_case",
    "record",
    "reopen",
    "reroute",
    "snooze",
    "wake",
]

Note = str | Mapping[str, Any] | None  # a person's words, or a reason as JSON
_URGENT = N_("a more urgent post joined")
_SEEN = ("acknowledged", "snoozed", "answered", "closed", "dismissed")
# Who opened it again knows nothing of the first answer's clock; escalation begins anew with it.
_AFRESH: Mapping[str, Any] = dict.fromkeys(("acknowledged_at", "answered_at", "closed_at", "snoozed_until")) | {
    "status": "new",
    "escalated": 0,
}


def open_case(
    connection: Connection,
    settings: Settings,
    mention_id: int,
    brand: str,
    route: Route,
    stakeholder: Stakeholder,
    thread: str | None,
    now: datetime,
) -> Case:
    """Open a case on a mention; for a mention that stands in a case already, give that one and change nothing."""
    taken = _case_of(connection, mention_id)
    if taken is not None:
        return give(connection, taken)
    row = {
        "key": f"mention:{mention_id}",
        "brand": brand,
        "department": route.department,
        "copies": list(route.copies),
        "priority": route.priority,
        "rank": RANKS[route.priority],
        "stakeholder": stakeholder,
        "status": "new",
        "thread": thread,
        "opened_at": now,
        "due_at": due_at(route.priority, route.department, settings, now, stakeholder),
        "version": 1,
    }
    case_id = connection.execute(cases.insert().values(**row).returning(cases.c.id)).scalar_one()
    connection.execute(case_mentions.insert().values(mention_id=mention_id, case_id=case_id, how="opened"))
    after = {"mention": mention_id, "department": route.department, "priority": route.priority, "rule": route.rule}
    record(connection, case_id, now, PROGRAM, "opened", after=after, held=True)
    return give(connection, case_id)


def join(
    connection: Connection,
    settings: Settings,
    case_id: int,
    mention_id: int,
    how: str,
    priority: Priority,
    now: datetime,
    reopen: bool = True,
) -> Case:
    """Add a mention to a case, by `how` "thread" or "repeat"; a mention that is in a case already changes nothing.

    A more urgent mention raises the case, and its due time never moves later. With `reopen`, an answered, closed or
    dismissed case is new again, with a fresh clock. A snooze stays, unless the mention is more urgent than the case.
    """
    row = lock(connection, case_id, None, now)
    if row.merged_into is not None:
        return join(connection, settings, row.merged_into, mention_id, how, priority, now, reopen)
    if _case_of(connection, mention_id) is not None:
        return give(connection, case_id)
    connection.execute(case_mentions.insert().values(mention_id=mention_id, case_id=case_id, how=how))
    changes: dict[str, Any] = {}
    raised = RANKS[priority] < row.rank
    urgency: Priority = priority if raised else row.priority
    if raised:
        changes |= {"priority": priority, "rank": RANKS[priority]}
    again = reopen and row.status in ("answered", "closed", "dismissed")
    wakes = raised and row.status == "snoozed"
    if again:
        changes |= _AFRESH
    elif wakes:
        changes |= {"status": "new", "snoozed_until": None}
    due = due_at(urgency, row.department, settings, now, row.stakeholder)
    if again:
        changes["due_at"] = due
    elif raised and due is not None:
        changes["due_at"] = due if row.due_at is None else min(due, row.due_at)
    before = {"priority": row.priority} if raised else None
    after = {"mention": mention_id, "how": how} | ({"priority": priority} if raised else {})
    change(connection, row, changes, now, PROGRAM, "joined", before, after)
    if again:
        record(connection, case_id, now, PROGRAM, "reopened", {"status": row.status}, {"status": "new"})
    elif wakes:
        woke = {"status": "new", "note": to_json([reason(_URGENT)])[0]}
        record(connection, case_id, now, PROGRAM, "woke", {"status": "snoozed"}, woke)
    return give(connection, case_id)


def acknowledge(
    connection: Connection, case_id: int, who: str, now: datetime, version: int | None = None
) -> Acknowledgement:
    """Say that a person has seen the case; a second time changes nothing and tells who was first.

    Of a case that was merged, the one that it is part of now: a link in a mail outlives a merge.
    """
    row = lock(connection, case_id, None, now)
    if row.merged_into is not None:
        return acknowledge(connection, row.merged_into, who, now)
    if row.status != "new":
        by, at = first(connection, case_id, _SEEN, row)
        return Acknowledgement(give(connection, case_id), by, at, again=True)
    check(connection, row, version, now)
    changes = {"status": "acknowledged", "acknowledged_at": row.acknowledged_at or now}
    change(connection, row, changes, now, who, "acknowledged", {"status": "new"}, {"status": "acknowledged"})
    return Acknowledgement(give(connection, case_id), who, now, again=False)


def assign(
    connection: Connection, case_id: int, who: str, now: datetime, owner: str | None, version: int | None = None
) -> Case:
    """Give the case to a person, or to nobody with None; the same owner again changes nothing."""
    row = lock(connection, case_id, version, now)
    refuse_over(connection, row, now)
    owner = (owner or "").strip() or None
    if owner != row.owner:
        change(connection, row, {"owner": owner}, now, who, "assigned", {"owner": row.owner}, {"owner": owner})
    return give(connection, case_id)


def answer(
    connection: Connection, case_id: int, who: str, now: datetime, note: str | None = None, version: int | None = None
) -> Case:
    """Say that the author was answered; the program itself publishes nothing. Raises NotPossible a second time."""
    row = lock(connection, case_id, version, now)
    refuse_over(connection, row, now)
    if row.status == "answered":
        by, at = first(connection, case_id, ("answered",), row)
        sentence = N_("{quote_who} answered this case already ({ago} ago)")
        raise NotPossible(reason(sentence, quote_who=by, ago=ago(at, now)))
    changes = {"status": "answered", "answered_at": now, "acknowledged_at": row.acknowledged_at or now}
    changes["snoozed_until"] = None
    after = {"status": "answered"} | ({"note": note} if note else {})
    change(connection, row, changes, now, who, "answered", {"status": row.status}, after)
    return give(connection, case_id)


def close(
    connection: Connection, case_id: int, who: str, now: datetime, note: Note = None, version: int | None = None
) -> Case:
    """Close the case, answered or not; a later post of its thread opens it again."""
    row = lock(connection, case_id, version, now)
    refuse_over(connection, row, now)
    after = {"status": "closed"} | ({"note": note} if note else {})
    changes = {"status": "closed", "closed_at": now, "snoozed_until": None}
    change(connection, row, changes, now, who, "closed", {"status": row.status}, after)
    return give(connection, case_id)


def dismiss(
    connection: Connection, case_id: int, who: str, now: datetime, why: str, version: int | None = None
) -> Case:
    """Put the case away as noise, which owes nobody an answer; `why` is asked, since learning is done from it.

    Raises NotPossible without a reason and for a case that was answered or put away already.
    """
    row = lock(connection, case_id, version, now)
    refuse_over(connection, row, now)
    if row.status == "answered":
        raise NotPossible(reason(N_("This case was answered, so it was no noise: close it instead")))
    if not why.strip():
        raise NotPossible(reason(N_("Say in a few words why this is noise")))
    changes = {"status": "dismissed", "closed_at": now, "snoozed_until": None}
    after = {"status": "dismissed", "note": why.strip()}
    change(connection, row, changes, now, who, "dismissed", {"status": row.status}, after)
    return give(connection, case_id)


def reopen(
    connection: Connection,
    settings: Settings,
    case_id: int,
    who: str,
    now: datetime,
    note: str | None = None,
    version: int | None = None,
) -> Case:
    """Open an answered, closed or dismissed case again, with a fresh clock; a snoozed one is woken.

    Raises NotPossible for a case that waits already and for one that is part of another.
    """
    row = lock(connection, case_id, version, now)
    if row.merged_into is not None:
        refuse_over(connection, row, now)
    if row.status == "snoozed":
        return wake(connection, case_id, who, now)
    if row.status not in TRANSITIONS["reopened"]:
        raise NotPossible(reason(N_("This case is open already")))
    due = due_at(row.priority, row.department, settings, now, row.stakeholder)
    after = {"status": "new"} | ({"note": note.strip()} if note and note.strip() else {})
    change(connection, row, {**_AFRESH, "due_at": due}, now, who, "reopened", {"status": row.status}, after)
    return give(connection, case_id)


def note(connection: Connection, case_id: int, who: str, now: datetime, text: str) -> Case:
    """Write a note into the history, at any status; the case itself and its version stay."""
    lock(connection, case_id, None, now)
    if not text.strip():
        raise NotPossible(reason(N_("An empty note says nothing: write a few words")))
    record(connection, case_id, now, who, "note", after={"note": text.strip()})
    return give(connection, case_id)


def reroute(
    connection: Connection,
    settings: Settings,
    case_id: int,
    route: Route,
    stakeholder: Stakeholder,
    priority: Priority,
    who: str,
    now: datetime,
) -> Case:
    """Send a case where a corrected label leads; its clock starts at the opening, so a correction buys no time."""
    row = lock(connection, case_id, None, now)
    if row.merged_into is not None:
        refuse_over(connection, row, now)
    wanted: dict[str, Any] = {
        "department": route.department,
        "copies": list(route.copies),
        "priority": priority,
        "rank": RANKS[priority],
        "stakeholder": stakeholder,
    }
    changes = {name: value for name, value in wanted.items() if getattr(row, name) != value}
    if changes:
        told = tuple(name for name in changes if name != "rank")
        if "priority" in changes or "department" in changes:
            start = now if priority == "alert" and row.priority != "alert" else row.opened_at
            changes["due_at"] = due_at(priority, route.department, settings, start, stakeholder)
        before = {name: getattr(row, name) for name in told}
        after = {name: wanted[name] for name in told}
        change(connection, row, changes, now, who, "rerouted", before, after)
    return give(connection, case_id)


def _case_of(connection: Connection, mention_id: int) -> int | None:
    return connection.scalar(sa.select(case_mentions.c.case_id).where(case_mentions.c.mention_id == mention_id))
