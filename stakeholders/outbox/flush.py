"""Tell groups: freeze what goes out in one message in a commit of its own, so that a kill neither loses nor mixes it.

A frozen message is a row of the outbox with a key that never changes; its members carry that key as `group_key`. What
joins the group afterwards belongs to the next message, whatever happens to this one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.database import Store, add_new
from listener.reason import N_, reason, to_json
from stakeholders.letters.subject import subjects_of
from stakeholders.outbox.grouping import group_of, labels_of
from stakeholders.outbox.quiet import heard_at
from stakeholders.outbox.screening import admit, change, screen
from stakeholders.store import alert_groups, alerts, cases

__all__ = ["flush_due", "repeat_due"]

TOGETHER = N_("{count} cases are told in one message, so that nobody has to read {count}")
REPEATED = N_("nobody has acknowledged {count} cases that were told before")
TOLD_LATER = N_("a later message to the same reader tells of the same case")
IDLE = timedelta(days=1)  # a group without news for so long is forgotten; the next one begins anew
_MOST = 500  # groups in one round
_CHUNK = 500


def flush_due(store: Store, config: Config, now: datetime, step: Callable[[str], None]) -> int:
    """Freeze the messages of every group that is due at `now`, one commit a group; give how many messages."""
    with store.read() as connection:
        due = sa.select(alert_groups.c.key).where(alert_groups.c.next_at <= now).order_by(alert_groups.c.next_at)
        keys = connection.scalars(due.limit(_MOST)).all()
        rows = [row for key in keys for row in _waiting(connection, key) if row.next_try <= now]
    if not keys:
        return 0
    clear = admit(store, config, rows, now)
    made = 0
    for key in keys:
        with store.write() as connection:
            made += _flush(connection, config, key, clear, now)
        step("group sealed")
    return made


def _waiting(connection: Connection, key: str) -> Sequence[sa.Row[Any]]:
    waits = sa.and_(alerts.c.state == "pending", alerts.c.group_key == key)
    return connection.execute(sa.select(alerts).where(waits).order_by(alerts.c.created_at, alerts.c.id)).all()


def _held(connection: Connection, key: str, *which: sa.ColumnElement[bool]) -> sa.Row[Any] | None:
    mine = sa.select(alert_groups).where(alert_groups.c.key == key, *which)
    return connection.execute(mine.with_for_update(skip_locked=True)).one_or_none()


def _flush(connection: Connection, config: Config, key: str, clear: frozenset[int], now: datetime) -> int:
    group = _held(connection, key, alert_groups.c.next_at <= now)
    if group is None:  # another process is at it
        return 0
    waiting = _waiting(connection, key)
    ready = {row.case_id: row for row in waiting if row.id in clear}  # the last row of a case stands for it
    for row in waiting:
        if row.id in clear and ready[row.case_id].id != row.id:
            change(connection, row, state="withdrawn", error=TOLD_LATER)
    rest = [row.next_try for row in waiting if row.id not in clear]
    after = now + config.settings.alerts.group_interval if ready else now
    values: dict[str, Any] = {"next_at": max(min(rest), after) if rest else None}
    rows = list(ready.values())
    if rows:
        values |= {"sent": group.sent + 1, "sent_at": now}
    if len(rows) == 1:
        change(connection, rows[0], group_key=rows[0].key, next_try=now)
    elif rows:
        told = {"kind": group.labels.get("kind", "case"), "since": group.sent_at and group.sent_at.isoformat()}
        message = _message(connection, group, rows[0].department, reason(TOGETHER, count=len(rows)), told, now)
        ids = [row.id for row in rows]
        for start in range(0, len(ids), _CHUNK):
            part = alerts.c.id.in_(ids[start : start + _CHUNK])
            connection.execute(alerts.update().where(part).values(group_key=message, next_try=now))
    connection.execute(alert_groups.update().where(alert_groups.c.key == key).values(**values))
    return bool(rows)


def _message(
    connection: Connection, group: sa.Row[Any], department: str | None, why: Any, told: dict[str, Any], now: datetime
) -> str:
    """Write the row of a message that tells of many; give its key, which no other message of any instance has."""
    seal = hashlib.sha256(f"{group.key}/{group.first_at.timestamp():.6f}".encode()).hexdigest()[:24]
    key = f"group.{seal}.{group.sent + 1}"
    row = {
        "key": key,
        "kind": "group",
        "case_id": None,
        "channel": group.channel,
        "recipient": group.recipient,
        "department": department,
        "reason": to_json([why])[0],
        "payload": told,
        "state": "pending",
        "tries": 0,
        "next_try": now,
        "created_at": now,
        "group_key": key,
    }
    add_new(connection, alerts, [row], ("key",))
    return key


def repeat_due(store: Store, config: Config, now: datetime, step: Callable[[str], None]) -> int:
    """Tell again what nobody acknowledged `repeat_interval` after it was told; give how many messages.

    A group without news for a day, and with nothing to repeat, is forgotten.
    """
    interval = config.settings.alerts.repeat_interval
    idle = sa.and_(alert_groups.c.next_at.is_(None), alert_groups.c.sent_at <= now - (interval or IDLE))
    with store.read() as connection:
        keys = connection.scalars(sa.select(alert_groups.c.key).where(idle).limit(_MOST)).all()
    made = 0
    for key in keys:
        with store.write() as connection:
            group = _held(connection, key, idle)
            if group is None:
                continue
            found = _unseen(connection, config, group, now) if interval is not None else None
            if found:
                made += _repeat(connection, config, group, found, now)
            elif group.sent_at <= now - IDLE:
                connection.execute(alert_groups.delete().where(alert_groups.c.key == key))
        if made:
            step("group sealed")
    return made


def _unseen(connection: Connection, config: Config, group: sa.Row[Any], now: datetime) -> list[sa.Row[Any]]:
    """Give the rows of a group that told of a case which is still new, one a case."""
    if group.labels.get("kind") != "case":
        return []
    rows = connection.execute(
        sa.select(alerts)
        .join(cases, sa.and_(cases.c.id == alerts.c.case_id, cases.c.status == "new", cases.c.merged_into.is_(None)))
        .where(
            alerts.c.state == "sent",
            alerts.c.kind == "case",
            alerts.c.channel == group.channel,
            alerts.c.recipient == group.recipient,
        )
        .order_by(alerts.c.id)
    ).all()
    subjects = subjects_of(connection, rows)
    mine = {
        row.case_id: row
        for row in rows
        if row.id in subjects
        and group_of(row.channel, row.recipient, labels_of(config, "case", subjects[row.id])) == group.key
    }
    clear = screen(connection, config, mine.values(), now).clear
    return [row for row in mine.values() if row.id in clear]


def _repeat(
    connection: Connection, config: Config, group: sa.Row[Any], rows: Sequence[sa.Row[Any]], now: datetime
) -> int:
    subjects = subjects_of(connection, rows)
    first = min((one.priority for one in subjects.values()), key=("alert", "important", "routine").index)
    department: Any = rows[0].department
    if heard_at(config.settings, department, first, now) > now:  # type: ignore[arg-type]  # the column holds them
        return 0
    told = {"kind": "repeat", "cases": [row.case_id for row in rows], "since": group.sent_at.isoformat()}
    _message(connection, group, department, reason(REPEATED, count=len(rows)), told, now)
    values = {"sent": group.sent + 1, "sent_at": now}
    connection.execute(alert_groups.update().where(alert_groups.c.key == group.key).values(**values))
    return 1
