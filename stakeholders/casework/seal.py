"""Seal a case's history: each line's seal covers the line and the seal before it, so that a change shows.

Without a secret the chain shows what was changed behind the program's back, not a forger who seals everything anew;
against that stand the seals that left the house (exported files, ticket webhooks): docs/cases.md says what is found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.reason import N_, Reason, reason
from stakeholders.store import cases, events

__all__ = ["Broken", "has_seal", "next_seal", "rewrite", "seal_of", "verify"]

_STATE = ("status", "owner", "department", "priority")  # what a history tells and the case's row holds
# The steps whose "after" tells the state; other lines may use these words for something else.
_STEPS = frozenset(
    {
        "acknowledged",
        "answered",
        "assigned",
        "closed",
        "dismissed",
        "joined",
        "merged",
        "opened",
        "reopened",
        "rerouted",
        "snoozed",
        "woke",
    }
)


@dataclass(frozen=True, slots=True)
class Broken:
    """Hold the first line of a history that does not fit its seal; `place` counts from 1, `event_id` may be gone."""

    case_id: int
    place: int
    event_id: int | None
    why: Reason


def seal_of(
    previous: str,
    case_id: int,
    at: datetime,
    who: str,
    what: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> str:
    """Seal one line: SHA-256 in hex over the seal before it and the line as canonical JSON.

    Canonical: keys sorted, no spaces, ASCII, values as the table gives them back (RFC 8785 in spirit; no number here
    has more than one way to be written).
    """
    line = [case_id, at.astimezone(UTC).isoformat(), who, what, _stored(before), _stored(after)]
    return hashlib.sha256(f"{previous}\n{_canonical(line)}".encode()).hexdigest()


def next_seal(
    connection: Connection,
    case_id: int,
    at: datetime,
    who: str,
    what: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> str:
    """Give the seal of the line that is about to be written; the caller holds the case's row."""
    last = (
        sa.select(events.c.id, events.c.seal).where(events.c.case_id == case_id).order_by(events.c.id.desc()).limit(1)
    )
    row = connection.execute(last).one_or_none()
    # Lines from before there were seals are covered together by the first seal after them.
    previous = "" if row is None else row.seal or _ground(_lines(connection, case_id))
    return seal_of(previous, case_id, at, who, what, before, after)


def verify(connection: Connection, case_id: int) -> Broken | None:
    """Give the first line of a case's history that does not fit; None when all do.

    Found: a line changed, taken out, put in or moved; an end cut off, when what the case's row holds was told there.
    """
    rows = _lines(connection, case_id)
    broken = _check_chain(case_id, rows)
    if broken is not None:
        return broken
    case = connection.execute(sa.select(*(cases.c[name] for name in _STATE)).where(cases.c.id == case_id)).one_or_none()
    if case is None:
        return None
    told = _told(rows)
    for name, value in case._mapping.items():
        if name in told and told[name] != value:
            facts = {"quote_name": name, "quote_told": str(told[name]), "quote_now": str(value)}
            sentence = N_("the history ends with {quote_name} = {quote_told}, and the case holds {quote_now}")
            return Broken(case_id, len(rows) + 1, None, reason(sentence, **facts))
    if not rows:
        return Broken(case_id, 1, None, reason(N_("the history is empty")))
    return None


def has_seal(connection: Connection, case_id: int, seal: str) -> bool:
    """Tell whether a seal that left the house (an export, a webhook) still stands in a case's history.

    A seal that a lawful removal replaced is named by the line that tells of it.
    """
    for row in _lines(connection, case_id):
        if row.seal == seal or (row.what == "resealed" and seal in (row.before or {}).get("seals", ())):
            return True
    return False


def rewrite(
    connection: Connection, case_id: int, changes: Mapping[int, tuple[Any, Any]], who: str, now: datetime
) -> None:
    """Take what must not stay out of lines (event id → new before and after), and seal the history anew.

    A line "resealed" keeps the seals that were replaced, so that files exported before still prove. A history that did
    not fit its seals before is not sealed anew, since that would hide it.
    """
    from stakeholders.casework.step import hold, record

    if not changes:
        return
    hold(connection, case_id)
    rows = _lines(connection, case_id)
    whole = _check_chain(case_id, rows) is None
    for event_id, (before, after) in changes.items():
        wanted = sa.and_(events.c.id == event_id, events.c.case_id == case_id)
        connection.execute(events.update().where(wanted).values(before=before, after=after))
    if not whole or not any(row.seal for row in rows):
        return
    rows = _lines(connection, case_id)
    seal, replaced = _ground([row for row in rows if row.seal is None]), []
    for row in rows:
        if row.seal is not None:
            seal = seal_of(seal, case_id, row.at, row.who, row.what, row.before, row.after)
            if seal != row.seal:
                replaced.append(row.seal)
                connection.execute(events.update().where(events.c.id == row.id).values(seal=seal))
    places = [place for place, row in enumerate(rows, 1) if row.id in changes]
    record(connection, case_id, now, who, "resealed", {"seals": replaced}, {"lines": places})


def _lines(connection: Connection, case_id: int) -> Sequence[sa.Row[Any]]:
    return connection.execute(sa.select(events).where(events.c.case_id == case_id).order_by(events.c.id)).all()


def _check_chain(case_id: int, rows: Sequence[sa.Row[Any]]) -> Broken | None:
    start = next((place for place, row in enumerate(rows) if row.seal is not None), len(rows))
    seal = _ground(rows[:start])
    for place, row in enumerate(rows[start:], start + 1):
        if row.seal is None:
            return Broken(case_id, place, row.id, reason(N_("this line has no seal")))
        seal = seal_of(seal, case_id, row.at, row.who, row.what, row.before, row.after)
        if seal != row.seal:
            told = N_("this line, or what stood before it, is not what was sealed")
            return Broken(case_id, place, row.id, reason(told))
    return None


def _ground(rows: Iterable[sa.Row[Any]]) -> str:
    """Give what the first seal stands on: nothing, or all that was written before there were seals."""
    seal = ""
    for row in rows:
        # Another beginning than a sealed line's, so that taking seals away shows too.
        seal = seal_of(seal or "unsealed", row.case_id, row.at, row.who, row.what, row.before, row.after)
    return seal


def _told(rows: Iterable[sa.Row[Any]]) -> dict[str, Any]:
    """Give the state that a history ends with, as far as it tells it."""
    told: dict[str, Any] = {}
    for row in rows:
        if row.what == "opened":
            told["status"] = "new"
        if row.what in _STEPS:
            told |= {name: value for name, value in (row.after or {}).items() if name in _STATE}
    return told


def _stored(value: Mapping[str, Any] | None) -> Any:
    """Give a value as the table gives it back: text and tuples come back as JSON has them."""
    return None if value is None else json.loads(json.dumps(value, default=str))


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
