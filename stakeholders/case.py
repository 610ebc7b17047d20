"""Move a case: open, join, acknowledge, assign, answer, close, note; each change and its history in one transaction.

Every function takes an open connection. A `version` that is no longer the case's raises Stale and says who changed
what, so that two people never answer the same case unawares; without it the latest state is changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.errors import EscuchaError
from listener.reason import N_, Reason, reason
from listener.settings import Settings
from listener.taxonomy import Priority, Stakeholder
from stakeholders.dossier import Event, case_mentions_of, history, is_masked, masked, read_case
from stakeholders.facts import Case, Route
from stakeholders.priority import RANKS
from stakeholders.sla import due_at
from stakeholders.store import case_mentions, cases, events

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
    "history",
    "is_masked",
    "join",
    "masked",
    "note",
    "open_case",
    "read_case",
    "record",
    "reroute",
]

Note = str | Mapping[str, Any] | None  # a person's words, or a reason as JSON
PROGRAM = "escucha"  # who, when the program itself does it

# What a reader of a case must know of before acting; a mail that went out or a note changes nothing.
_SILENT = ("told", "note", "clocked")
_MOVED = N_("{quote_who} changed this case meanwhile ({ago} ago): look at it again")
_CHANGED = {
    "assigned": N_("{quote_who} gave this case to somebody else ({ago} ago): look at it again"),
    "answered": N_("{quote_who} answered this case meanwhile ({ago} ago): look at it again"),
    "joined": N_("Another post joined this case meanwhile ({ago} ago): look at it again"),
}


class Stale(EscuchaError):
    """Say that somebody changed the case meanwhile; `reason` is worded for people."""

    def __init__(self, case_id: int, why: Reason) -> None:
        self.case_id = case_id
        self.reason = why
        super().__init__(why.say("en"))


class NotPossible(EscuchaError):
    """Say that a case, as it is, cannot take this step; `reason` is worded for people."""

    def __init__(self, why: Reason) -> None:
        self.reason = why
        super().__init__(why.say("en"))


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Hold the answer to "I have seen it": by whom and when it was first seen, and whether this was a repeat."""

    case: Case
    who: str
    at: datetime
    again: bool


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
        return _read(connection, taken)
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
    record(connection, case_id, now, PROGRAM, "opened", after=after)
    return _read(connection, case_id)


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

    A more urgent mention raises the case, and its due time never moves later. With `reopen`, an answered or closed
    case is new again, with a fresh clock.
    """
    row = _lock(connection, case_id, None, now)
    if _case_of(connection, mention_id) is not None:
        return _read(connection, case_id)
    connection.execute(case_mentions.insert().values(mention_id=mention_id, case_id=case_id, how=how))
    changes: dict[str, Any] = {}
    raised = RANKS[priority] < row.rank
    urgency: Priority = priority if raised else row.priority
    if raised:
        changes |= {"priority": priority, "rank": RANKS[priority]}
    again = reopen and row.status in ("answered", "closed")
    if again:
        changes |= {"status": "new", "acknowledged_at": None, "answered_at": None, "closed_at": None}
    due = due_at(urgency, row.department, settings, now, row.stakeholder)
    if again:
        changes["due_at"] = due
    elif raised and due is not None:
        changes["due_at"] = due if row.due_at is None else min(due, row.due_at)
    before = {"priority": row.priority} if raised else None
    after = {"mention": mention_id, "how": how} | ({"priority": priority} if raised else {})
    _change(connection, row, changes, now, PROGRAM, "joined", before, after)
    if again:
        record(connection, case_id, now, PROGRAM, "reopened", {"status": row.status}, {"status": "new"})
    return _read(connection, case_id)


def acknowledge(
    connection: Connection, case_id: int, who: str, now: datetime, version: int | None = None
) -> Acknowledgement:
    """Say that a person has seen the case; a second time changes nothing and tells who was first."""
    row = _lock(connection, case_id, None, now)
    if row.status != "new":
        first = _first(connection, case_id, ("acknowledged", "answered", "closed"), row)
        return Acknowledgement(_read(connection, case_id), first[0], first[1], again=True)
    _check(connection, row, version, now)
    changes = {"status": "acknowledged", "acknowledged_at": now}
    _change(connection, row, changes, now, who, "acknowledged", {"status": "new"}, {"status": "acknowledged"})
    return Acknowledgement(_read(connection, case_id), who, now, again=False)


def assign(
    connection: Connection, case_id: int, who: str, now: datetime, owner: str | None, version: int | None = None
) -> Case:
    """Give the case to a person, or to nobody with None; the same owner again changes nothing."""
    row = _lock(connection, case_id, version, now)
    _refuse_closed(connection, row, now)
    owner = (owner or "").strip() or None
    if owner != row.owner:
        _change(connection, row, {"owner": owner}, now, who, "assigned", {"owner": row.owner}, {"owner": owner})
    return _read(connection, case_id)


def answer(
    connection: Connection, case_id: int, who: str, now: datetime, note: str | None = None, version: int | None = None
) -> Case:
    """Say that the author was answered; the program itself publishes nothing. Raises NotPossible a second time."""
    row = _lock(connection, case_id, version, now)
    _refuse_closed(connection, row, now)
    if row.status == "answered":
        by, at = _first(connection, case_id, ("answered",), row)
        sentence = N_("{quote_who} answered this case already ({ago} ago)")
        raise NotPossible(reason(sentence, quote_who=by, ago=_ago(at, now)))
    changes = {"status": "answered", "answered_at": now, "acknowledged_at": row.acknowledged_at or now}
    after = {"status": "answered"} | ({"note": note} if note else {})
    _change(connection, row, changes, now, who, "answered", {"status": row.status}, after)
    return _read(connection, case_id)


def close(
    connection: Connection, case_id: int, who: str, now: datetime, note: Note = None, version: int | None = None
) -> Case:
    """Close the case, answered or not; a later post of its thread opens it again."""
    row = _lock(connection, case_id, version, now)
    _refuse_closed(connection, row, now)
    after = {"status": "closed"} | ({"note": note} if note else {})
    _change(connection, row, {"status": "closed", "closed_at": now}, now, who, "closed", {"status": row.status}, after)
    return _read(connection, case_id)


def note(connection: Connection, case_id: int, who: str, now: datetime, text: str) -> Case:
    """Write a note into the history, at any status; the case itself and its version stay."""
    _lock(connection, case_id, None, now)
    if not text.strip():
        raise NotPossible(reason(N_("An empty note says nothing: write a few words")))
    record(connection, case_id, now, who, "note", after={"note": text.strip()})
    return _read(connection, case_id)


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
    row = _lock(connection, case_id, None, now)
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
        _change(connection, row, changes, now, who, "rerouted", before, after)
    return _read(connection, case_id)


def record(
    connection: Connection,
    case_id: int,
    at: datetime,
    who: str,
    what: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Append one line to a case's history."""
    connection.execute(events.insert().values(case_id=case_id, at=at, who=who, what=what, before=before, after=after))


def _read(connection: Connection, case_id: int) -> Case:
    if (case := read_case(connection, case_id)) is None:
        raise NotPossible(reason(N_("There is no case {number}"), number=case_id))
    return case


def _lock(connection: Connection, case_id: int, version: int | None, now: datetime) -> sa.Row[Any]:
    row = connection.execute(sa.select(cases).where(cases.c.id == case_id).with_for_update()).one_or_none()
    if row is None:
        raise NotPossible(reason(N_("There is no case {number}"), number=case_id))
    _check(connection, row, version, now)
    return row


def _check(connection: Connection, row: sa.Row[Any], version: int | None, now: datetime) -> None:
    if version is None or version == row.version:
        return
    last = [event for event in history(connection, row.id) if event.what not in _SILENT][-1]
    raise Stale(row.id, reason(_CHANGED.get(last.what, _MOVED), quote_who=last.who, ago=_ago(last.at, now)))


def _refuse_closed(connection: Connection, row: sa.Row[Any], now: datetime) -> None:
    if row.status == "closed":
        by, at = _first(connection, row.id, ("closed",), row)
        sentence = N_("{quote_who} closed this case ({ago} ago); a new post of its thread opens it again")
        raise NotPossible(reason(sentence, quote_who=by, ago=_ago(at, now)))


def _first(connection: Connection, case_id: int, what: tuple[str, ...], row: sa.Row[Any]) -> tuple[str, datetime]:
    """Tell who took one of these steps first since the case was last opened, and when."""
    found: tuple[str, datetime] | None = None
    for event in history(connection, case_id):
        if event.what == "opened" or (event.what == "reopened" and (event.after or {}).get("status") == "new"):
            found = None  # a correction that was taken back leaves an answered case answered
        elif event.what in what and found is None:
            found = event.who, event.at
    return found or (PROGRAM, row.opened_at)


def _change(
    connection: Connection,
    row: sa.Row[Any],
    changes: Mapping[str, Any],
    now: datetime,
    who: str,
    what: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> None:
    connection.execute(cases.update().where(cases.c.id == row.id).values(**changes, version=row.version + 1))
    record(connection, row.id, now, who, what, before, after)


def _case_of(connection: Connection, mention_id: int) -> int | None:
    return connection.scalar(sa.select(case_mentions.c.case_id).where(case_mentions.c.mention_id == mention_id))


def _ago(at: datetime, now: datetime) -> str:
    minutes = max(1, int((now - at).total_seconds()) // 60)  # the three languages write the units alike
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} d"
