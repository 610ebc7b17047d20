"""Gather alerts into groups: what shares its labels and its reader is told in one message, after a short wait.

The semantics are Alertmanager's (prometheus.io/docs/alerting/latest/alertmanager): a group's first message waits
`group_wait`; what joins later waits until `group_interval` after the last message. One thing is ours: an alert does not
wait behind messages that told of nothing urgent.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.database import add_new
from stakeholders.letters.subject import Subject
from stakeholders.store import alert_groups, alerts, cases

__all__ = ["enter", "group_of", "labels_of"]

_TRIES = 5  # a group that goes at the very moment in which something joins it


def labels_of(config: Config, kind: str, one: Subject, level: int = 0) -> dict[str, Any]:
    """Give what the members of a subject's group share: the labels of [alerts] group_by, and of what kind they are.

    A crisis is a group of its own, so that it is never one line among others.
    """
    labels: dict[str, Any] = {name: one.label(name) for name in config.settings.alerts.group_by}
    labels["kind"] = kind
    if one.kind == "crisis":
        labels["crisis"] = one.case_id
    if level:
        labels["level"] = level
    return labels


def group_of(channel: str, recipient: str, labels: dict[str, Any]) -> str:
    """Give the key of a group: the same labels and reader, the same key."""
    told = json.dumps([channel, recipient.casefold(), labels], sort_keys=True)
    return f"g.{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def enter(
    connection: Connection,
    config: Config,
    kind: str,
    channel: str,
    recipient: str,
    one: Subject,
    at: datetime,
    now: datetime,
    level: int = 0,
) -> str | None:
    """Let a message that may go at `at` join its group, and say when that is told; None where nothing is gathered.

    In the caller's transaction, which writes the row with the key that is given back. It locks the group until its end.
    """
    settings = config.settings.alerts
    if not settings.grouping:
        return None
    labels = labels_of(config, kind, one, level)
    key = group_of(channel, recipient, labels)
    group = _hold(connection, key, channel, recipient, labels, now)
    soonest = max(at, now) + (settings.group_wait if at <= now else settings.group_wait * 0)
    usual = soonest if group.sent_at is None else max(soonest, group.sent_at + settings.group_interval)
    flush = usual if group.next_at is None else min(group.next_at, usual)
    if (
        one.priority == "alert"
        and flush > soonest
        and not _urgent(connection, config, kind, channel, recipient, one, now)
    ):
        flush = soonest
    if flush != group.next_at:
        connection.execute(alert_groups.update().where(alert_groups.c.key == key).values(next_at=flush))
    return key


def _hold(
    connection: Connection, key: str, channel: str, recipient: str, labels: dict[str, Any], now: datetime
) -> sa.Row[Any]:
    row = {"key": key, "channel": channel, "recipient": recipient, "labels": labels, "first_at": now, "sent": 0}
    for _ in range(_TRIES):
        add_new(connection, alert_groups, [row], ("key",))
        found = connection.execute(
            sa.select(alert_groups).where(alert_groups.c.key == key).with_for_update()
        ).one_or_none()
        if found is not None:
            return found
    raise LookupError(f"the group {key} goes as often as it comes")


def _urgent(
    connection: Connection, config: Config, kind: str, channel: str, recipient: str, one: Subject, now: datetime
) -> bool:
    """Tell whether this reader heard of an alert like this one less than `group_interval` ago, so that it may wait."""
    since = now - config.settings.alerts.group_interval
    heard = (
        sa.select(alerts.c.id)
        .join(cases, cases.c.id == alerts.c.case_id)
        .where(
            alerts.c.state == "sent",
            alerts.c.next_try > since,  # every row that is sent later than that: the index leads with it
            alerts.c.sent_at > since,
            alerts.c.kind == kind,
            alerts.c.channel == channel,
            alerts.c.recipient == recipient,
            alerts.c.department == one.department,
            cases.c.priority == "alert",
            cases.c.brand == one.brand,
            cases.c.kind == one.kind,
        )
        .limit(1)
    )
    return connection.scalar(heard) is not None
