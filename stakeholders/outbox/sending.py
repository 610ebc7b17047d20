"""Send what the outbox owes: claimed, looked at once more, sent, then marked, under one key that never changes.

Killed between the wire and the mark, a message goes out once more with the same key (Message-ID, Idempotency-Key), so
that a receiver can drop the repeat; it is never lost (transactional outbox; Alertmanager's "at least once").
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from listener.database import Store
from listener.errors import DeliveryError
from stakeholders.case import PROGRAM, record
from stakeholders.casework.step import hold
from stakeholders.casework.ticket import take_answer
from stakeholders.channels import Line, open_line
from stakeholders.letters.letter import write_letter
from stakeholders.outbox.flush import flush_due, repeat_due
from stakeholders.outbox.screening import CASE_KINDS, SEEN, admit, release
from stakeholders.store import alerts, cases

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["Sent", "send_due"]

log = logging.getLogger("escucha.stakeholders")

LEASE = timedelta(minutes=5)
HAND = 25  # rows claimed at a time: what a killed sender holds back for the length of its lease
LONGEST = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Sent:
    """Count what a round of sending did: taken by the channel, still waiting in all, and refused for good."""

    sent: int = 0
    waiting: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class _Parcel:
    """Hold one message: its own row, and the rows of the cases that it tells of together."""

    row: sa.Row[Any]
    members: tuple[sa.Row[Any], ...] = ()


def _no_step(name: str) -> None:
    """Do nothing between two steps; tests put a SIGKILL here."""


def send_due(
    store: Store, config: Config, now: datetime, step: Callable[[str], None] = _no_step, limit: int = 200
) -> Sent:
    """Send what is due at `now`, oldest first, at most `limit`; each is marked when taken, together with its history.

    Before it, what nothing mutes any more comes back, and the groups that are due are told. A letter that fails for now
    waits twice as long each time, up to an hour; a channel that does not answer ends the round for all its letters.
    Never raises for a channel or a letter.
    """
    release(store, config, now)
    flush_due(store, config, now, step)
    repeat_due(store, config, now, step)
    sent = refused = 0
    down: list[str] = []
    began = monotonic()
    with ExitStack() as lines:
        held: dict[str, Line] = {}
        while (left := limit - sent - refused) > 0:
            claimed_at = monotonic()
            rows = _claim(store, now, timedelta(seconds=claimed_at - began), min(HAND, left), down)
            if not rows:
                break
            step("mail claimed")
            parcels = _look_again(store, config, rows, now)
            for parcel in parcels:
                row = parcel.row
                if row.channel in down or monotonic() - claimed_at > LEASE.total_seconds() / 2:
                    continue  # its claim ends by itself; sending on a claim that may have ended could double
                try:
                    line = held.get(row.channel)
                    if line is None or not line.alive:
                        line = held[row.channel] = _open(lines, row.channel, config)
                    answer = line.send(_write(store, config, row, now))
                except _Away as error:
                    down.append(row.channel)
                    _wait(store, config, row, str(error), now, [other.id for other in rows], error.until)
                except DeliveryError as error:
                    if error.retry:
                        _wait(store, config, row, str(error), now, until=error.until)
                    else:
                        _mark(store, parcel, {"state": "refused", "error": str(error)}, now)
                        refused += 1
                else:
                    step("mail sent")
                    _mark(store, parcel, {"state": "sent", "sent_at": now, "error": None}, now, answer)
                    sent += 1
                    step("mail marked")
    with store.read() as connection:
        waiting = connection.scalar(sa.select(sa.func.count()).where(alerts.c.state == "pending")) or 0
    if sent or refused or waiting:
        log.info("send: %d sent, %d waiting, %d refused", sent, waiting, refused)
    return Sent(sent, waiting, refused)


class _Away(DeliveryError):
    """Say that the channel itself does not answer, so that no other letter need be tried."""


def _open(lines: ExitStack, channel: str, config: Config) -> Line:
    try:
        return lines.enter_context(open_line(channel, config))
    except DeliveryError as error:
        if error.retry:
            raise _Away(str(error), until=error.until) from None
        raise


def _write(store: Store, config: Config, row: sa.Row[Any], now: datetime) -> Any:
    try:
        with store.read() as connection:
            return write_letter(connection, config, row, now)
    except Exception as error:
        # One letter that cannot be written must not hold up the others; it waits, and says so.
        log.exception("send: the letter %s cannot be written", row.key)
        raise DeliveryError(f"the letter cannot be written: {type(error).__name__}") from error


def _claim(store: Store, now: datetime, passed: timedelta, many: int, down: list[str]) -> list[sa.Row[Any]]:
    """Take the oldest rows that are due, so that no other process sends them too.

    The table has no lease column and needs none: `next_try` is pushed past the lease in a commit of its own, so what a
    killed sender held is due again by itself. A row that waits in a group, or goes with another, is not taken.
    """
    alone = sa.or_(alerts.c.group_key.is_(None), alerts.c.group_key == alerts.c.key)
    due = sa.and_(alerts.c.state == "pending", alerts.c.next_try <= now, alone, alerts.c.channel.not_in(down))
    oldest = sa.select(alerts.c.id).where(due).order_by(alerts.c.created_at, alerts.c.id).limit(many)
    with store.write() as connection:
        # Two statements: inside an UPDATE, PostgreSQL may run such a subquery more than once and pass its limit.
        ids = connection.scalars(oldest.with_for_update(skip_locked=True)).all()
        claimed = connection.execute(
            alerts.update().where(alerts.c.id.in_(ids), due).values(next_try=now + passed + LEASE).returning(*alerts.c)
        ).all()
    return sorted(claimed, key=lambda row: (row.created_at, row.id))


def _look_again(store: Store, config: Config, rows: Sequence[sa.Row[Any]], now: datetime) -> list[_Parcel]:
    """Leave out what was muted or seen to meanwhile; a message about many goes as long as one of them is left."""
    groups = [row.key for row in rows if row.kind == "group"]
    members: dict[str, list[sa.Row[Any]]] = {key: [] for key in groups}
    if groups:
        with store.read() as connection:
            with_it = sa.and_(alerts.c.group_key.in_(groups), alerts.c.kind != "group", alerts.c.state == "pending")
            for row in connection.execute(sa.select(alerts).where(with_it).order_by(alerts.c.id)):
                members[row.group_key].append(row)
    single = [row for row in rows if row.kind in CASE_KINDS]
    clear = admit(store, config, [*single, *(one for group in members.values() for one in group)], now)
    parcels = []
    for row in rows:
        if row.kind != "group":
            if row.kind not in CASE_KINDS or row.id in clear:
                parcels.append(_Parcel(row))
            continue
        left = tuple(one for one in members[row.key] if one.id in clear)
        if left or _unseen(store, row):
            parcels.append(_Parcel(row, left))
        else:
            _mark(store, _Parcel(row), {"state": "withdrawn", "error": SEEN}, now)
    return parcels


def _unseen(store: Store, row: sa.Row[Any]) -> bool:
    """Tell whether a repeated message still has something to repeat."""
    told = (row.payload or {}).get("cases")
    with store.read() as connection:
        still = sa.select(cases.c.id).where(cases.c.id.in_(told or []), cases.c.status == "new")
        return bool(told) and connection.scalar(still.limit(1)) is not None


def _wait(
    store: Store,
    config: Config,
    row: sa.Row[Any],
    error: str,
    now: datetime,
    together: Sequence[int] = (),
    until: datetime | None = None,
) -> None:
    """Let a row wait up to its doubled wait, with full jitter, and never less than the channel asks (`until`).

    With `together`, all that its channel owes waits too; where a channel asks to wait, all for the same recipient.
    """
    tries = row.tries + 1
    longest = min(config.settings.alerts.retry_every * 2 ** min(row.tries, 20), LONGEST)
    jitter = random.Random(f"{row.key}/{tries}")  # seeded, so that the same history gives the same waits
    later = now + max(longest * jitter.random(), timedelta(seconds=1))
    if until is not None:
        later = max(later, min(until, now + LONGEST))
    alone = sa.or_(alerts.c.group_key.is_(None), alerts.c.group_key == alerts.c.key)
    pending = sa.and_(alerts.c.state == "pending", alone, alerts.c.channel == row.channel)
    with store.write() as connection:
        if until is not None:
            alike = sa.and_(pending, alerts.c.recipient == row.recipient, alerts.c.next_try < later)
            connection.execute(alerts.update().where(alike).values(next_try=later))
        if together:
            # What is due, and what this round claimed; not another's claim. Untried, so their own count of tries stays.
            others = sa.and_(pending, sa.or_(alerts.c.next_try <= now, alerts.c.id.in_(together)))
            connection.execute(alerts.update().where(others).values(next_try=later, error=error))
        connection.execute(
            alerts.update().where(pending, alerts.c.id == row.id).values(next_try=later, tries=tries, error=error)
        )


def _mark(store: Store, parcel: _Parcel, values: dict[str, Any], now: datetime, answer: bytes | None = None) -> None:
    """Mark a message with all that it told of, and write it into the history of each case, in one commit."""
    row = parcel.row
    told = [one for one in (row, *parcel.members) if one.case_id is not None]
    repeated: list[int] = (row.payload or {}).get("cases", []) if row.kind == "group" else []
    with store.write() as connection:
        hold(connection, *{*(one.case_id for one in told), *repeated})
        mine = sa.and_(alerts.c.id == row.id, alerts.c.state == "pending")
        if not connection.execute(alerts.update().where(mine).values(**values, tries=row.tries + 1)).rowcount:
            return
        ids = [one.id for one in parcel.members]
        for start in range(0, len(ids), 500):
            part = sa.and_(alerts.c.id.in_(ids[start : start + 500]), alerts.c.state == "pending")
            connection.execute(alerts.update().where(part).values(**values, tries=row.tries + 1, next_try=now))
        if values["state"] != "sent":
            return
        if row.kind == "crm":  # a program was told, nobody has read anything yet
            take_answer(connection, row.case_id, row.recipient, answer or b"", now)
            return
        for one in told:
            after = {"recipient": one.recipient, "kind": one.kind} | ({"with": len(told)} if parcel.members else {})
            record(connection, one.case_id, now, PROGRAM, "told", after=after)
        held = set(connection.scalars(sa.select(cases.c.id).where(cases.c.id.in_(repeated)))) if repeated else set()
        for case_id in sorted(held):
            record(connection, case_id, now, PROGRAM, "told", after={"recipient": row.recipient, "kind": "repeat"})
