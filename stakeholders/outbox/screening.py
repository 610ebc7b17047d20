"""Look at each message once more before it goes: muted by a silence or a crisis, or needed no longer.

A muted row keeps its place and its reason; when nothing mutes it any more and nobody has seen to its case, it is told.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.database import Store
from listener.reason import N_, Reason, to_json
from stakeholders.case import PROGRAM, record
from stakeholders.casework.step import hold
from stakeholders.letters.subject import Subject, subjects_of
from stakeholders.outbox.grouping import enter
from stakeholders.outbox.inhibition import inhibited
from stakeholders.outbox.quiet import heard_at
from stakeholders.outbox.silences import silenced
from stakeholders.store import alerts, cases

__all__ = ["CASE_KINDS", "Screened", "admit", "change", "release", "screen"]

log = logging.getLogger("escucha.stakeholders")

CASE_KINDS: Final = ("case", "copy", "escalated")  # messages that tell of one case
SEEN = N_("somebody saw to the case before this went out")
GONE = N_("the case was merged or set aside before this went out")
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Screened:
    """Hold what may go out, by row id, and why the rest does not."""

    clear: frozenset[int]
    muted: dict[int, Reason] = field(default_factory=dict)
    withdrawn: dict[int, str] = field(default_factory=dict)


def screen(connection: Connection, config: Config, rows: Iterable[sa.Row[Any]], now: datetime) -> Screened:
    """Judge outbox rows at `now`; what belongs to no case is clear. Nothing is changed."""
    rows = list(rows)
    subjects = subjects_of(connection, [row for row in rows if row.kind in CASE_KINDS])
    withdrawn = {row.id: why for row in rows if row.id in subjects and (why := _over(row, subjects[row.id]))}
    asked = {key: one for key, one in subjects.items() if key not in withdrawn}
    muted = silenced(connection, asked, now)
    muted = inhibited(connection, config, {key: one for key, one in asked.items() if key not in muted}) | muted
    return Screened(frozenset(row.id for row in rows) - muted.keys() - withdrawn.keys(), muted, withdrawn)


def _over(row: sa.Row[Any], one: Subject) -> str | None:
    """Say why a message is needed no longer; a copy is for information, so that it goes out when the case is done."""
    if one.merged or one.status == "dismissed":
        return GONE
    if row.kind == "copy":
        return None
    if one.status not in ("new", "acknowledged"):
        return SEEN
    if row.kind == "escalated":
        return SEEN if one.status != "new" else None  # a case that woke was seen once, and waits again
    seen = one.acknowledged_at is not None and one.acknowledged_at > row.created_at
    return SEEN if seen else None  # who acknowledged before it became more urgent still hears of that


def admit(store: Store, config: Config, rows: Sequence[sa.Row[Any]], now: datetime) -> frozenset[int]:
    """Mute and withdraw what must not go out, with its history, in one commit; give the ids of what may."""
    with store.read() as connection:
        found = screen(connection, config, rows, now)
    if not found.muted and not found.withdrawn:
        return found.clear
    with store.write() as connection:
        hold(connection, *{row.case_id for row in rows if row.id not in found.clear})
        held = _in_state(connection, [row.id for row in rows if row.id not in found.clear], "pending")
        for row in held:
            if row.id in found.withdrawn:
                change(connection, row, state="withdrawn", error=found.withdrawn[row.id])
                continue
            why = to_json([found.muted[row.id]])[0]
            change(connection, row, state="muted", muted_by=why)
            told = {"recipient": row.recipient, "kind": row.kind, "why": why}
            record(connection, row.case_id, now, PROGRAM, "muted", after=told)
    log.info("send: %d muted, %d needed no longer", len(found.muted), len(found.withdrawn))
    return found.clear


def release(store: Store, config: Config, now: datetime) -> int:
    """Let muted messages wait for their sending again when nothing mutes them and their case is still new.

    Gives how many; meant to be called before every sending.
    """
    still = sa.and_(cases.c.id == alerts.c.case_id, cases.c.status == "new", cases.c.merged_into.is_(None))
    asked = sa.select(alerts).join(cases, still).where(alerts.c.state == "muted")
    with store.read() as connection:
        rows = connection.execute(asked).all()
        clear = screen(connection, config, rows, now).clear if rows else frozenset()
    if not clear:
        return 0
    # One commit a group, and no case is held: who files a case holds that first, and then its group.
    parts: dict[tuple[str, str, str], list[int]] = {}
    for row in rows:
        if row.id in clear:
            parts.setdefault((row.kind, row.channel, row.recipient), []).append(row.id)
    return sum(_free(store, config, ids, now) for ids in parts.values())


def _free(store: Store, config: Config, ids: Sequence[int], now: datetime) -> int:
    freed = 0
    with store.write() as connection:
        held = _in_state(connection, ids, "muted")
        subjects = subjects_of(connection, held)
        for row in held:
            one = subjects.get(row.id)
            if one is None or one.status != "new":
                continue
            at = heard_at(config.settings, row.department or one.department, one.priority, now)  # type: ignore[arg-type]
            key = enter(connection, config, row.kind, row.channel, row.recipient, one, at, now, row.level)
            change(connection, row, state="pending", muted_by=None, next_try=at, group_key=key)
            freed += 1
    return freed


def change(connection: Connection, row: sa.Row[Any], **values: Any) -> None:
    """Change an outbox row that the caller holds."""
    connection.execute(alerts.update().where(alerts.c.id == row.id).values(**values))


def _in_state(connection: Connection, ids: Sequence[int], state: str) -> list[sa.Row[Any]]:
    held: list[sa.Row[Any]] = []
    for start in range(0, len(ids), _CHUNK):
        mine = sa.and_(alerts.c.id.in_(ids[start : start + _CHUNK]), alerts.c.state == state)
        held.extend(connection.execute(sa.select(alerts).where(mine).order_by(alerts.c.id).with_for_update()).all())
    return held
