"""Keep the outbox: a message is a row written in the commit that causes it; it is sent, then marked, under one key.

Killed between the wire and the mark, it goes out once more with the same key (Message-ID), so that a receiver can drop
the repeat; it is never lost (transactional outbox; Alertmanager's "at least once").
"""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import Store, add_new
from listener.errors import DeliveryError
from listener.reason import N_, Reason, reason, to_json
from listener.redaction import redact
from listener.store import runs
from listener.taxonomy import PRIORITIES, Department
from stakeholders.channels import Line, open_line, split_address
from stakeholders.facts import Case
from stakeholders.letter import ANSWERS, write_letter
from stakeholders.store import alerts, events

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["Sent", "addresses_of", "queue_case", "queue_source", "send_due"]

log = logging.getLogger("escucha.stakeholders")

LEASE = timedelta(minutes=5)
HAND = 25  # rows claimed at a time: what a killed sender holds back for the length of its lease
LONGEST = timedelta(hours=1)

COPIED = N_("for information: {department} answers, {copied} is copied")
NO_ADDRESS = N_("{department} has no address for alerts, so {other} is told")
ROSE = N_("the case became more urgent: it is now {priority}")
JOINED = N_("another post joined the case and made it more urgent: it is now {priority}")
REOPENED = N_("the case was opened again")
SOURCE_DOWN = N_("the source {quote_source} keeps failing, so nothing new is heard from it")


@dataclass(frozen=True, slots=True)
class Sent:
    """Count what a round of sending did: taken by the channel, still waiting in all, and refused for good."""

    sent: int = 0
    waiting: int = 0
    refused: int = 0


def addresses_of(config: Config, department: Department) -> tuple[list[tuple[str, str]], bool]:
    """Give (channel, recipient) of everyone told for a department, and whether they are its own or the widest net's."""
    own = config.settings.departments.get(department)
    if own is not None and own.alert:
        return split_address(own.alert), True
    widest = config.settings.departments.get("communications")
    return split_address(widest.alert if widest is not None else ()), False


def queue_case(connection: Connection, config: Config, case: Case, mention_id: int, joined: bool, now: datetime) -> int:
    """Queue who must hear of a case, in the caller's transaction; give how many messages are new.

    An address is told once for a case, and again only when the case became more urgent or was opened again; so calling
    this for every mention that joins is right. `mention_id` is the mention that the message shows.
    """
    opening = 1 + _count(connection, case.id, "reopened")
    wanted = _wanted(config, case)
    known = _known(connection, case, opening, [(channel, to) for _, _, channel, to, _ in wanted])
    rank = PRIORITIES.index(case.priority)
    rows, taken = [], set[tuple[str, str]]()
    for kind, department, channel, recipient, why in wanted:
        address = (channel, recipient.casefold())
        told = known.get(address, [])
        # A copy says "for information"; whoever owes the answer now hears that too. Otherwise once is enough.
        if address in taken or any(at <= rank and (as_kind == kind or as_kind == "case") for as_kind, at in told):
            continue
        taken.add(address)
        if any(at > rank for _, at in told):
            why = reason(JOINED if joined else ROSE, priority=case.priority)
        elif opening > 1 and kind == "case":
            why = reason(REOPENED)
        rows.append(
            _row(_key(case, opening, rank, kind, address), kind, channel, recipient, why, now)
            | {"case_id": case.id, "department": department, "payload": {"mention_id": mention_id}}
        )
    return len(add_new(connection, alerts, rows, ("key",)))


def _wanted(config: Config, case: Case) -> list[tuple[str, Department, str, str, Reason]]:
    """List who hears of a case, those who must answer first: kind, department, channel, recipient, why."""
    wanted: list[tuple[str, Department, str, str, Reason]] = []
    found, own = addresses_of(config, case.department)
    why = (
        reason(ANSWERS, department=case.department)
        if own
        else reason(NO_ADDRESS, department=case.department, other="communications")
    )
    wanted.extend(("case", case.department, channel, to, why) for channel, to in found)
    for copied in case.copies if config.settings.alerts.copies else ():
        why = reason(COPIED, department=case.department, copied=copied)
        wanted.extend(("copy", copied, channel, to, why) for channel, to in addresses_of(config, copied)[0])
    return wanted


def _key(case: Case, opening: int, rank: int, kind: str, address: tuple[str, str]) -> str:
    # The opening time tells apart the case 1 of two databases: a receiver must not drop one as a repeat of the other.
    seal = hashlib.sha256(f"{address[0]}:{address[1]}/{case.opened_at.timestamp():.3f}".encode()).hexdigest()[:16]
    return f"{kind}.{case.id}.{opening}.{rank}.{seal}"


def _known(
    connection: Connection, case: Case, opening: int, found: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], list[tuple[str, int]]]:
    """Tell as what and how urgently each address was told of this opening; by key, so that no scan is needed."""
    keys = {
        _key(case, opening, rank, kind, (channel, to.casefold())): ((channel, to.casefold()), kind, rank)
        for channel, to in found
        for kind in ("case", "copy")
        for rank in range(len(PRIORITIES))
    }
    known: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for key in connection.scalars(sa.select(alerts.c.key).where(alerts.c.key.in_(keys))):
        address, kind, rank = keys[key]
        known.setdefault(address, []).append((kind, rank))
    return known


def _count(connection: Connection, case_id: int, what: str) -> int:
    wanted = sa.select(sa.func.count()).where(events.c.case_id == case_id, events.c.what == what)
    return connection.scalar(wanted) or 0


def _row(key: str, kind: str, channel: str, recipient: str, why: Reason, now: datetime) -> dict[str, Any]:
    return {
        "key": key,
        "kind": kind,
        "case_id": None,
        "channel": channel,
        "recipient": recipient,
        "department": None,
        "reason": to_json([why])[0],
        "payload": None,
        "state": "pending",
        "tries": 0,
        "next_try": now,
        "created_at": now,
    }


def queue_source(connection: Connection, config: Config, source: str, kind: str, message: str, now: datetime) -> int:
    """Queue word of a source that keeps failing to the widest net, once an outage; give how many messages are new.

    An outage lasts from the first failed run after a good one to the next good one.
    """
    ended = sa.select(runs.c.started_at).where(runs.c.source == source)
    good = connection.scalar(ended.where(runs.c.outcome == "ok").order_by(runs.c.started_at.desc()).limit(1))
    failing = ended.where(runs.c.outcome.not_in(("ok", "running")), runs.c.started_at > good if good else sa.true())
    since = connection.scalar(failing.order_by(runs.c.started_at).limit(1))
    rows = []
    for channel, recipient in addresses_of(config, "communications")[0]:
        stamp = since.timestamp() if since else 0.0
        seal = hashlib.sha256(f"{source}/{stamp:.3f}/{channel}:{recipient.casefold()}".encode()).hexdigest()[:24]
        row = _row(f"source.{seal}", "source", channel, recipient, reason(SOURCE_DOWN, quote_source=source), now)
        told = {"source": source, "kind": kind, "message": redact(message)[:500], "since": (since or now).isoformat()}
        rows.append(row | {"department": "communications", "payload": told})
    return len(add_new(connection, alerts, rows, ("key",)))


def _no_step(name: str) -> None:
    """Do nothing between two steps; tests put a SIGKILL here."""


def send_due(
    store: Store, config: Config, now: datetime, step: Callable[[str], None] = _no_step, limit: int = 200
) -> Sent:
    """Send what is due at `now`, oldest first, at most `limit`; each is marked when taken, together with its history.

    A letter that fails for now waits twice as long each time, up to an hour; a channel that does not answer ends the
    round for all its letters. Never raises for a channel or a letter.
    """
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
            for row in rows:
                if row.channel in down or monotonic() - claimed_at > LEASE.total_seconds() / 2:
                    continue  # its claim ends by itself; sending on a claim that may have ended could double
                try:
                    line = held.get(row.channel)
                    if line is None or not line.alive:
                        line = held[row.channel] = _open(lines, row.channel, config)
                    line.send(_write(store, config, row, now))
                except _Away as error:
                    down.append(row.channel)
                    _wait(store, config, row, str(error), now, [other.id for other in rows], error.until)
                except DeliveryError as error:
                    if error.retry:
                        _wait(store, config, row, str(error), now, until=error.until)
                    else:
                        _mark(store, row, {"state": "refused", "tries": row.tries + 1, "error": str(error)}, now)
                        refused += 1
                else:
                    step("mail sent")
                    _mark(store, row, {"state": "sent", "tries": row.tries + 1, "sent_at": now, "error": None}, now)
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
    killed sender held is due again by itself.
    """
    due = sa.and_(alerts.c.state == "pending", alerts.c.next_try <= now, alerts.c.channel.not_in(down))
    oldest = sa.select(alerts.c.id).where(due).order_by(alerts.c.created_at, alerts.c.id).limit(many)
    with store.write() as connection:
        # Two statements: inside an UPDATE, PostgreSQL may run such a subquery more than once and pass its limit.
        ids = connection.scalars(oldest.with_for_update(skip_locked=True)).all()
        claimed = connection.execute(
            alerts.update().where(alerts.c.id.in_(ids), due).values(next_try=now + passed + LEASE).returning(*alerts.c)
        ).all()
    return sorted(claimed, key=lambda row: (row.created_at, row.id))


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
    pending = sa.and_(alerts.c.state == "pending", alerts.c.channel == row.channel)
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


def _mark(store: Store, row: sa.Row[Any], values: dict[str, Any], now: datetime) -> None:
    with store.write() as connection:
        marked = connection.execute(
            alerts.update().where(alerts.c.id == row.id, alerts.c.state == "pending").values(**values)
        )
        if marked.rowcount and row.case_id is not None and values["state"] == "sent":
            told = {"recipient": row.recipient, "kind": row.kind}
            connection.execute(
                events.insert().values(case_id=row.case_id, at=now, who="escucha", what="told", after=told)
            )
