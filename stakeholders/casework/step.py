"""Take one step of a case: hold its row, refuse what is late or cannot be, change it, and write the line of history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.errors import EscuchaError
from listener.reason import N_, Reason, reason
from listener.store import clean
from listener.taxonomy import OPEN_STATUSES, Status
from stakeholders.casework.dossier import history, read_case
from stakeholders.casework.seal import next_seal
from stakeholders.deciding.facts import Case
from stakeholders.scope import tell_hidden
from stakeholders.store import cases, events

__all__ = [
    "OVER",
    "PROGRAM",
    "SILENT",
    "TAKEN_BACK",
    "TRANSITIONS",
    "UNFINISHED",
    "Acknowledgement",
    "NotPossible",
    "Stale",
    "ago",
    "change",
    "check",
    "first",
    "give",
    "hold",
    "lock",
    "record",
    "refuse_over",
]

PROGRAM = "escucha"  # who, when the program itself does it
UNFINISHED: tuple[Status, ...] = (*OPEN_STATUSES, "snoozed")  # an answer may still be owed
OVER: tuple[Status, ...] = ("closed", "dismissed")
TAKEN_BACK = "taken_back"  # in a line's `after`: it undoes a step, and every clock runs on as if that was never taken

# What each step may turn a status into; the same table stands in docs/cases.md, and a test holds every history to it.
TRANSITIONS: Mapping[str, Mapping[Status, tuple[Status, ...]]] = {
    "acknowledged": {"new": ("acknowledged",)},
    "answered": dict.fromkeys(UNFINISHED, ("answered",)),
    "snoozed": dict.fromkeys(UNFINISHED, ("snoozed",)),
    "woke": {"snoozed": ("new",)},
    "closed": dict.fromkeys((*UNFINISHED, "answered"), ("closed",)),
    "dismissed": dict.fromkeys(UNFINISHED, ("dismissed",)),
    # Taking a correction back leaves an answered case answered; a split that undoes a merge gives back what was.
    "reopened": {"answered": ("new",), "closed": ("new", "answered"), "dismissed": ("new",)},
    "merged": dict.fromkeys((*UNFINISHED, "answered", "closed", "dismissed"), ("closed",)),
}

# Lines that change nothing which a person could overwrite unawares: a refusal never names them as what was changed.
SILENT = frozenset(
    {
        "clocked",
        "corrected",
        "drafted",
        "escalated",
        "muted",
        "note",
        "resealed",
        "returned",
        "signed",
        "submitted",
        "ticketed",
        "told",
        "used",
    }
)

_MOVED = N_("{quote_who} changed this case meanwhile ({ago} ago): look at it again")
_CHANGED = {
    "opened": _MOVED,
    "acknowledged": N_("{quote_who} acknowledged this case meanwhile ({ago} ago): look at it again"),
    "assigned": N_("{quote_who} gave this case to somebody else ({ago} ago): look at it again"),
    "answered": N_("{quote_who} answered this case meanwhile ({ago} ago): look at it again"),
    "closed": N_("{quote_who} closed this case meanwhile ({ago} ago): look at it again"),
    "dismissed": N_("{quote_who} dismissed this case as noise meanwhile ({ago} ago): look at it again"),
    "joined": N_("Another post joined this case meanwhile ({ago} ago): look at it again"),
    "merged": N_("{quote_who} merged this case with another meanwhile ({ago} ago): look at it again"),
    "reopened": N_("This case was opened again meanwhile ({ago} ago): look at it again"),
    "rerouted": N_("This case went to other hands or another priority meanwhile ({ago} ago): look at it again"),
    "snoozed": N_("{quote_who} snoozed this case meanwhile ({ago} ago): look at it again"),
    "split": N_("{quote_who} took posts out of this case meanwhile ({ago} ago): look at it again"),
    "woke": N_("The snooze of this case ended meanwhile ({ago} ago): look at it again"),
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


def record(
    connection: Connection,
    case_id: int,
    at: datetime,
    who: str,
    what: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    held: bool = False,
) -> int:
    """Append one sealed line to a case's history, holding the case's row so that two lines never share a seal.

    `held` tells that the caller holds or made the row in this transaction. Gives the id of the line; a stable name for
    what happened.
    """
    if not held:
        hold(connection, case_id)
    line = {"at": at, "who": clean(who) or "", "what": what, "before": before, "after": after}
    seal = next_seal(connection, case_id, **line)  # type: ignore[arg-type]
    row = events.insert().values(case_id=case_id, seal=seal, **line)
    return int(connection.execute(row.returning(events.c.id)).scalar_one())


def hold(connection: Connection, *case_ids: int) -> dict[int, sa.Row[Any]]:
    """Hold the rows of cases until the end of the transaction, in the order of their numbers: no two wait in a ring.

    A message that goes out reads the row meanwhile: only its key is free (PostgreSQL: FOR NO KEY UPDATE).
    """
    wanted = sa.select(cases).where(cases.c.id.in_(case_ids)).order_by(cases.c.id).with_for_update(key_share=True)
    held = {row.id: row for row in connection.execute(wanted)}
    for number in sorted({*case_ids} - {*held}):
        tell_hidden(connection, f"case {number}")
    return held


def lock(connection: Connection, case_id: int, version: int | None, now: datetime) -> sa.Row[Any]:
    """Hold a case's row and give it; raises NotPossible without one and Stale for another version."""
    row = hold(connection, case_id).get(case_id)
    if row is None:
        raise NotPossible(reason(N_("There is no case {number}"), number=case_id))
    check(connection, row, version, now)
    return row


def check(connection: Connection, row: sa.Row[Any], version: int | None, now: datetime) -> None:
    """Raise Stale, saying who changed what and how long ago, unless the version is the row's; None is any."""
    if version is None or version == row.version:
        return
    told = [event for event in history(connection, row.id) if event.what not in SILENT]
    what, who, at = (told[-1].what, told[-1].who, told[-1].at) if told else ("opened", PROGRAM, row.opened_at)
    raise Stale(row.id, reason(_CHANGED.get(what, _MOVED), quote_who=who, ago=ago(at, now)))


def refuse_over(connection: Connection, row: sa.Row[Any], now: datetime) -> None:
    """Raise NotPossible for a case that is closed, dismissed or part of another, saying by whom and since when."""
    if row.merged_into is not None:
        raise NotPossible(reason(N_("This case is part of case {number} now"), number=row.merged_into))
    if row.status not in OVER:
        return
    by, at = first(connection, row.id, (row.status,), row)
    sentence = N_("{quote_who} closed this case ({ago} ago); a new post of its thread opens it again")
    if row.status == "dismissed":
        sentence = N_("{quote_who} dismissed this case as noise ({ago} ago); open it again first")
    raise NotPossible(reason(sentence, quote_who=by, ago=ago(at, now)))


def first(connection: Connection, case_id: int, what: Iterable[str], row: sa.Row[Any]) -> tuple[str, datetime]:
    """Tell who took one of these steps first since the case was last opened, and when."""
    wanted, found = tuple(what), None
    for event in history(connection, case_id):
        again = event.what in ("reopened", "woke") and (event.after or {}).get("status") == "new"
        if event.what == "opened" or again:
            found = None  # a correction that was taken back leaves an answered case answered
        elif event.what in wanted and found is None:
            found = event.who, event.at
    return found or (PROGRAM, row.opened_at)


def change(
    connection: Connection,
    row: sa.Row[Any],
    changes: Mapping[str, Any],
    now: datetime,
    who: str,
    what: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> int:
    """Change a case's row, which the caller holds, count its version up and write the line; give the line's id."""
    connection.execute(cases.update().where(cases.c.id == row.id).values(**changes, version=cases.c.version + 1))
    return record(connection, row.id, now, who, what, before, after, held=True)


def give(connection: Connection, case_id: int) -> Case:
    """Read a case that must be there; raises NotPossible without one."""
    if (case := read_case(connection, case_id)) is None:
        raise NotPossible(reason(N_("There is no case {number}"), number=case_id))
    return case


def ago(at: datetime, now: datetime) -> str:
    """Say how long ago in the unit that fits; the three languages write these units alike."""
    seconds = max(1, int((now - at).total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} d"
