"""Put a case off until a time, and wake it then; its due time does not move, and a reply does not end the snooze."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.reason import N_, reason, to_json
from stakeholders.casework.step import PROGRAM, UNFINISHED, NotPossible, change, give, hold, lock, refuse_over
from stakeholders.deciding.facts import Case
from stakeholders.store import case_mentions, cases

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["LONGEST", "snooze", "wake", "wake_due"]

log = logging.getLogger("escucha.stakeholders")

LONGEST = timedelta(days=366)
_ITS_TIME = N_("the time came that it was put off to")


def snooze(
    connection: Connection, case_id: int, who: str, now: datetime, until: datetime, version: int | None = None
) -> Case:
    """Put a case off until a time (aware); snoozed once more, it is put off to the new time.

    It is then seen by a person, so nobody is asked to acknowledge it meanwhile. Its clock runs on: an answer may become
    overdue in the snooze and is counted so. Raises NotPossible for a time that is past or more than a year away, and
    for a case that owes no answer.
    """
    until = aware(until)
    row = lock(connection, case_id, version, now)
    refuse_over(connection, row, now)
    if row.status not in UNFINISHED:
        raise NotPossible(reason(N_("This case was answered: there is nothing to put off")))
    if not now < until <= now + LONGEST:
        raise NotPossible(reason(N_("Put a case off to a time that is still to come, within a year")))
    if row.snoozed_until == until:
        return give(connection, case_id)  # a second click
    changes = {"status": "snoozed", "snoozed_until": until, "acknowledged_at": row.acknowledged_at or now}
    before = {"status": row.status} | ({"until": row.snoozed_until.isoformat()} if row.snoozed_until else {})
    after = {"status": "snoozed", "until": until.isoformat()}
    change(connection, row, changes, now, who, "snoozed", before, after)
    return give(connection, case_id)


def wake(connection: Connection, case_id: int, who: str, now: datetime, version: int | None = None) -> Case:
    """End a snooze: the case is new, so that somebody takes it again; a case that does not sleep stays as it is."""
    row = lock(connection, case_id, version, now)
    if row.status != "snoozed":
        return give(connection, case_id)
    after = {"status": "new"} | ({"note": to_json([reason(_ITS_TIME)])[0]} if who == PROGRAM else {})
    before = {"status": "snoozed", "until": row.snoozed_until.isoformat() if row.snoozed_until else None}
    change(connection, row, {"status": "new", "snoozed_until": None}, now, who, "woke", before, after)
    return give(connection, case_id)


def wake_due(connection: Connection, config: Config, now: datetime) -> int:
    """Wake every case whose time came and tell its department, in the caller's transaction; give how many.

    Run twice or killed between two commits, each case wakes and is told once. Brands that are no longer watched sleep
    on.
    """
    from stakeholders.alerts import queue_case

    now = aware(now)
    brands = [brand.key for brand in config.settings.watched()]
    slept = sa.and_(cases.c.status == "snoozed", cases.c.snoozed_until <= now, cases.c.brand.in_(brands))
    ids = list(connection.scalars(sa.select(cases.c.id).where(slept).order_by(cases.c.id)))
    woken = 0
    for case_id, row in hold(connection, *ids).items():
        # Somebody may have put it off again before the row was ours.
        if row.status != "snoozed" or row.snoozed_until is None or row.snoozed_until > now:
            continue
        case = wake(connection, case_id, PROGRAM, now)
        woken += 1
        shown = _newest(connection, case_id)
        if shown is not None:
            queue_case(connection, config, case, shown, False, now)
    if woken:
        log.info("snooze: %d cases woke", woken)
    return woken


def _newest(connection: Connection, case_id: int) -> int | None:
    """Give the latest post of a case, which a message shows; None when all were removed."""
    mine = sa.select(case_mentions.c.mention_id).where(case_mentions.c.case_id == case_id)
    return connection.scalar(mine.order_by(case_mentions.c.mention_id.desc()).limit(1))
