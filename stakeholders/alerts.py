"""Keep the outbox: a message is a row written in the commit that causes it; sending stands in stakeholders.outbox.

Who must hear of a case is decided here, once for each reader; when, and together with what, by its group and the quiet
hours of its department.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import add_new
from listener.reason import N_, Reason, reason, to_json
from listener.redaction import redact
from listener.store import runs
from listener.taxonomy import PRIORITIES, Department
from stakeholders.channels import split_address
from stakeholders.deciding.facts import Case
from stakeholders.letters.letter import ANSWERS
from stakeholders.letters.subject import Subject, case_subjects
from stakeholders.outbox.grouping import enter
from stakeholders.outbox.quiet import heard_at, quiet_until
from stakeholders.outbox.rota import on_duty
from stakeholders.outbox.screening import CASE_KINDS
from stakeholders.outbox.sending import Sent, send_due
from stakeholders.store import alerts, events

if TYPE_CHECKING:
    from listener.config import Config
    from stakeholders.counting.period import Period

__all__ = [
    "Sent",
    "addresses_of",
    "muted",
    "outbox_row",
    "queue_case",
    "queue_mention",
    "queue_source",
    "send_due",
    "told",
]

COPIED = N_("for information: {department} answers, {copied} is copied")
NO_ADDRESS = N_("{department} has no address for alerts, so {other} is told")
ON_DUTY = N_("{quote_who} is on duty for {department}")
ROSE = N_("the case became more urgent: it is now {priority}")
JOINED = N_("another post joined the case and made it more urgent: it is now {priority}")
REOPENED = N_("the case was opened again")
WOKE = N_("the case was put off until now, and its time came")
SOURCE_DOWN = N_("the source {quote_source} keeps failing, so nothing new is heard from it")
NAMED = N_("{quote_who} named you in a note")


@dataclass(frozen=True, slots=True)
class _Reader:
    """Hold one address that must hear of a case, and why."""

    kind: str  # case | copy
    department: Department
    channel: str
    recipient: str
    why: Reason

    @property
    def address(self) -> tuple[str, str]:
        return self.channel, self.recipient.casefold()


def addresses_of(config: Config, department: Department) -> tuple[list[tuple[str, str]], bool]:
    """Give (channel, recipient) of everyone told for a department, and whether they are its own or the widest net's."""
    own = config.settings.departments.get(department)
    if own is not None and own.alert:
        return split_address(own.alert), True
    widest = config.settings.departments.get("communications")
    return split_address(widest.alert if widest is not None else ()), False


def queue_case(connection: Connection, config: Config, case: Case, mention_id: int, joined: bool, now: datetime) -> int:
    """Queue who must hear of a case, in the caller's transaction; give how many messages are new.

    An address is told once for a case, and again only when the case became more urgent, was opened again or woke; so
    calling this for every mention that joins is right. `mention_id` is the mention that the message shows. In quiet
    hours an alert goes to whoever is on duty, and what is only important waits for their end.
    """
    begun = _begun(connection, case.id)
    opening = 1 + len(begun)
    known = _known(connection, case, opening)
    rank = PRIORITIES.index(case.priority)
    rows: list[dict[str, Any]] = []
    taken = set[tuple[str, str]]()
    subject: Subject | None = None
    for one in _wanted(config, case, now):
        # A copy says "for information"; whoever owes the answer now hears that too. Otherwise once is enough; and a
        # department that was told through whoever was on duty is not told again when the day begins.
        heard = [told for told in known if told.recipient == one.address]
        told_so = [told for told in known if told.recipient == one.address or told.department == one.department]
        enough = any(told.rank <= rank and (told.kind == one.kind or told.kind == "case") for told in told_so)
        if one.address in taken or enough:
            continue
        taken.add(one.address)
        why = one.why
        if any(told.rank > rank for told in heard):
            why = reason(JOINED if joined else ROSE, priority=case.priority)
        elif opening > 1 and one.kind == "case":
            woke = begun[-1] == "woke"
            why = reason(JOINED, priority=case.priority) if woke and joined else reason(WOKE if woke else REOPENED)
        if subject is None:
            subject = case_subjects(connection, [(case.id, mention_id)]).get((case.id, mention_id))
        at = heard_at(config.settings, one.department, case.priority, now)
        row = outbox_row(_key(case, opening, rank, one), one.kind, one.channel, one.recipient, why, now)
        row |= {"case_id": case.id, "department": one.department, "payload": {"mention_id": mention_id}, "next_try": at}
        if subject is not None:
            about = replace(subject, department=one.department, priority=case.priority)
            row["group_key"] = enter(connection, config, one.kind, one.channel, one.recipient, about, at, now)
        rows.append(row)
    return len(add_new(connection, alerts, rows, ("key",)))


def _wanted(config: Config, case: Case, now: datetime) -> list[_Reader]:
    """List who hears of a case, those who must answer first."""
    wanted: list[_Reader] = []
    found, own = _readers(config, case, case.department, now)
    for channel, to, who in found:
        why = reason(ANSWERS, department=case.department)
        if who is not None:
            why = reason(ON_DUTY, quote_who=who, department=case.department)
        elif not own:
            why = reason(NO_ADDRESS, department=case.department, other="communications")
        wanted.append(_Reader("case", case.department, channel, to, why))
    for copied in case.copies if config.settings.alerts.copies else ():
        why = reason(COPIED, department=case.department, copied=copied)
        wanted.extend(_Reader("copy", copied, *pair[:2], why) for pair in _readers(config, case, copied, now)[0])
    return wanted


def _readers(
    config: Config, case: Case, department: Department, now: datetime
) -> tuple[list[tuple[str, str, str | None]], bool]:
    """Give whom a department has told: whoever is on duty for an alert in its quiet hours, else its own addresses."""
    if case.priority == "alert" and quiet_until(config.settings, department, now) is not None:
        duty = on_duty(config.settings, department, now)
        if duty is not None and duty.addresses:
            return [(channel, to, duty.who) for channel, to in duty.addresses], True
    found, own = addresses_of(config, department)
    return [(channel, to, None) for channel, to in found], own


def _key(case: Case, opening: int, rank: int, one: _Reader) -> str:
    # The opening time tells apart the case 1 of two databases: a receiver must not drop one as a repeat of the other.
    told = f"{one.address[0]}:{one.address[1]}/{case.opened_at.timestamp():.3f}"
    return f"{one.kind}.{case.id}.{opening}.{rank}.{hashlib.sha256(told.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class _Told:
    """Hold as what, and how urgently, somebody was told of this opening of a case."""

    kind: str
    rank: int
    department: str | None
    recipient: tuple[str, str]


def _known(connection: Connection, case: Case, opening: int) -> list[_Told]:
    rows = connection.execute(
        sa.select(alerts.c.key, alerts.c.kind, alerts.c.department, alerts.c.channel, alerts.c.recipient).where(
            alerts.c.case_id == case.id, alerts.c.kind.in_(("case", "copy"))
        )
    )
    known = []
    for row in rows:
        match row.key.split("."):
            case [_, _, told_opening, rank, _] if told_opening == str(opening) and rank.isdigit():
                known.append(_Told(row.kind, int(rank), row.department, (row.channel, row.recipient.casefold())))
    return known


def _begun(connection: Connection, case_id: int) -> Sequence[str]:
    """Give how a case began anew, each time: reopened or woke, oldest first."""
    wanted = sa.and_(events.c.case_id == case_id, events.c.what.in_(("reopened", "woke")))
    return connection.scalars(sa.select(events.c.what).where(wanted).order_by(events.c.id)).all()


def outbox_row(key: str, kind: str, channel: str, recipient: str, why: Reason, now: datetime) -> dict[str, Any]:
    """Give a row of the outbox that is due at once and belongs to no group."""
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
        "group_key": None,
        "level": 0,
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
        row = outbox_row(f"source.{seal}", "source", channel, recipient, reason(SOURCE_DOWN, quote_source=source), now)
        told = {"source": source, "kind": kind, "message": redact(message)[:500], "since": (since or now).isoformat()}
        rows.append(row | {"department": "communications", "payload": told})
    return len(add_new(connection, alerts, rows, ("key",)))


def queue_mention(
    connection: Connection,
    config: Config,  # noqa: ARG001 - every function that queues takes it, so that callers need not know which do
    case_id: int,
    person: str,
    address: str,
    who: str,
    note_event_id: int,
    now: datetime,
) -> int:
    """Queue word to a colleague whom a note names, once a note and address; give how many messages are new.

    `address` is mail:name@example.org or a channel's, a bare mail address too; `note_event_id` is the note's line in
    the history of the case. It is never gathered, and goes out in quiet hours too: a colleague asks.
    """
    (channel, recipient) = split_address([address if ":" in address else f"mail:{address}"])[0]
    # The moment tells apart the note 1 of two databases.
    stamp = connection.scalar(sa.select(events.c.at).where(events.c.id == note_event_id)) or now
    about = f"{case_id}/{note_event_id}/{stamp.timestamp():.3f}/{channel}:{recipient.casefold()}"
    key = f"mention.{note_event_id}.{hashlib.sha256(about.encode()).hexdigest()[:16]}"
    row = outbox_row(key, "mention", channel, recipient, reason(NAMED, quote_who=who), now)
    row |= {"case_id": case_id, "payload": {"person": person, "who": who, "event_id": note_event_id}}
    return len(add_new(connection, alerts, [row], ("key",)))


def muted(connection: Connection, period: Period) -> int:
    """Count the messages queued in a period that are muted now: kept, and told when nothing mutes them any more."""
    return _counted(connection, alerts.c.state == "muted", alerts.c.created_at, period)


def told(connection: Connection, period: Period) -> int:
    """Count what readers were told of cases in a period: each case and reader once, however it was gathered."""
    sent = sa.and_(alerts.c.state == "sent", alerts.c.kind.in_(CASE_KINDS))
    return _counted(connection, sent, alerts.c.sent_at, period)


def _counted(connection: Connection, which: Any, when: sa.Column[Any], period: Period) -> int:
    within = sa.and_(which, when >= period.start, when < period.end)
    return connection.scalar(sa.select(sa.func.count()).select_from(alerts).where(within)) or 0
