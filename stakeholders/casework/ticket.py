"""Keep the number a case has in the team's own system, and tell that system of every step by a signed webhook.

The history is what is told: a step that has no row in the outbox yet gets one, so no step is lost, whoever took it and
whatever was killed; each has one key, "crm.CASE.LINE.…", the same at every try.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import add_new
from listener.reason import N_, reason, to_json
from listener.store import clean
from stakeholders.casework.step import NotPossible, give, lock, record, refuse_over
from stakeholders.deciding.facts import Case
from stakeholders.store import alerts, cases, events

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["PAST", "Ticket", "queue_crm", "queue_crm_due", "read_answer", "set_ticket", "take_answer"]

PAST = timedelta(days=3)  # what happened longer ago is not told to a system that was connected since
_LINES = 50_000  # of the history that are looked at: it grows by less in PAST, and an old archive is not read whole
_BATCH = 500
_LONGEST_ID, _LONGEST_URL = 200, 2000
_WEBHOOK = "webhook:"  # stands before a channel's name as who
_TOLD = N_("your own system is told of every step of a case")


@dataclass(frozen=True, slots=True)
class Ticket:
    """Hold the number and the address of a case in the team's own system; None: not told."""

    id: str | None
    url: str | None


def set_ticket(
    connection: Connection,
    case_id: int,
    ticket_id: str | None,
    ticket_url: str | None,
    who: str,
    now: datetime,
    version: int | None = None,
) -> Case:
    """Write which ticket of the team's own system this case is; None or "" takes it away.

    Raises NotPossible for an address that is no web address and for what is too long.
    """
    row = lock(connection, case_id, version, now)
    if row.merged_into is not None:
        refuse_over(connection, row, now)
    ticket = Ticket(_plain(ticket_id), _plain(ticket_url))
    if ticket.id is not None and len(ticket.id) > _LONGEST_ID:
        raise NotPossible(reason(N_("A ticket's number has at most {count} characters"), count=_LONGEST_ID))
    if ticket.url is not None and not _is_address(ticket.url):
        raise NotPossible(reason(N_("A ticket's address starts with https:// and has no spaces")))
    if (ticket.id, ticket.url) != (row.ticket_id, row.ticket_url):
        changes = {"ticket_id": ticket.id, "ticket_url": ticket.url}
        before = {"ticket": row.ticket_id, "url": row.ticket_url}
        # The version stays: nobody who is about to answer need look again for this.
        connection.execute(cases.update().where(cases.c.id == case_id).values(**changes))
        record(connection, case_id, now, who, "ticketed", before, {"ticket": ticket.id, "url": ticket.url})
    return give(connection, case_id)


def read_answer(body: bytes) -> Ticket | None:
    """Read {"ticket_id": …, "ticket_url": …} from what a webhook answered; None when it tells no ticket.

    What cannot be read, is too long or is no web address is left out: an answer is a stranger's input.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    number, url = told.get("ticket_id"), told.get("ticket_url")
    if isinstance(number, int) and not isinstance(number, bool):
        number = str(number) if abs(number) < 10**18 else None
    number = _plain(number) if isinstance(number, str) else None
    url = _plain(url) if isinstance(url, str) else None
    ticket = Ticket(
        number if number is not None and len(number) <= _LONGEST_ID else None,
        url if url is not None and _is_address(url) else None,
    )
    return ticket if ticket != Ticket(None, None) else None


def take_answer(connection: Connection, case_id: int, channel: str, body: bytes, now: datetime) -> Ticket | None:
    """Keep the ticket that a webhook channel answered with, if it told one; what a person wrote stays.

    Never raises for what was answered. Of a merged case, the case that it is part of takes it when it has none.
    """
    ticket = read_answer(body)
    row = connection.execute(sa.select(cases).where(cases.c.id == case_id)).one_or_none()
    if ticket is None or row is None:
        return None
    if row.merged_into is not None:
        if row.ticket_id is not None or row.ticket_url is not None:
            return None
        return take_answer(connection, row.merged_into, channel, body, now)
    lines = sa.select(events.c.who).where(events.c.case_id == case_id, events.c.what == "ticketed")
    last = connection.scalar(lines.order_by(events.c.id.desc()).limit(1))
    kept = row.ticket_id is not None or row.ticket_url is not None
    if kept if last is None else not last.startswith(_WEBHOOK):
        return None
    # A system that tells only one of the two at a later step does not take the other back.
    wanted = Ticket(ticket.id or row.ticket_id, ticket.url or row.ticket_url)
    set_ticket(connection, case_id, wanted.id, wanted.url, _WEBHOOK + channel, now)
    return wanted


def queue_crm(connection: Connection, config: Config, case_id: int, what: str, event_id: int, now: datetime) -> int:
    """Queue word of one step of a case to every channel of [crm], once; give how many messages are new.

    The row's payload is the document that goes out as it stands; no text of a post is in it, and names of colleagues
    only for a channel that is internal.
    """
    if what not in config.settings.crm.steps:
        return 0
    found = sa.select(events).where(events.c.id == event_id, events.c.case_id == case_id)
    line, case = connection.execute(found).one_or_none(), give(connection, case_id)
    if line is None:
        return 0
    rows = [
        {
            "key": f"{_prefix(case_id, event_id)}{_seal(name, case)}",
            "kind": "crm",
            "case_id": case_id,
            "channel": "webhook",
            "recipient": name,
            "department": case.department,
            "reason": to_json([reason(_TOLD)])[0],
            "payload": _document(config, name, case, line),
            "state": "pending",
            "tries": 0,
            "next_try": now,
            "created_at": now,
        }
        for name in config.settings.crm.channels
    ]
    return len(add_new(connection, alerts, rows, ("key",)))


def queue_crm_due(connection: Connection, config: Config, now: datetime) -> int:
    """Queue word of every step of the last days that a channel of [crm] was not told of, in the order they happened.

    A stage: run twice, or killed before its commit, each step is queued once. Give how many messages are new.
    """
    queued = 0
    brands = [brand.key for brand in config.brands]
    last = connection.scalar(sa.select(sa.func.max(events.c.id))) or 0
    for name in config.settings.crm.channels:
        numbers = (sa.cast(column, sa.Text) for column in (events.c.case_id, events.c.id))
        prefix = sa.literal("crm.") + next(numbers) + "." + next(numbers) + "."  # as _prefix writes it
        told = sa.exists().where(
            alerts.c.case_id == events.c.case_id,
            alerts.c.kind == "crm",
            alerts.c.recipient == name,
            sa.func.substr(alerts.c.key, 1, sa.func.length(prefix)) == prefix,
        )
        pending = (
            sa.select(events.c.id, events.c.case_id, events.c.what)
            .join(cases, cases.c.id == events.c.case_id)
            .where(
                events.c.id > last - _LINES,
                events.c.at >= now - PAST,
                events.c.what.in_(config.settings.crm.steps),
                cases.c.brand.in_(brands),
                ~told,
            )
            .order_by(events.c.id)
            .limit(_BATCH)
        )
        for row in connection.execute(pending).all():
            queued += queue_crm(connection, config, row.case_id, row.what, row.id, now)
    return queued


def _document(config: Config, name: str, case: Case, line: sa.Row[Any]) -> dict[str, Any]:
    """Write what a channel is told of a step; its schema stands in docs/cases.md."""
    table = config.settings.channels.get(name)
    inside = table is not None and table.internal
    return {
        "type": f"case.{line.what}",
        "timestamp": _iso(line.at),
        "data": {
            "instance": config.settings.instance.name,
            "step": line.what,
            "line": line.id,
            "seal": line.seal,
            "who": line.who if inside else None,
            "case": {
                "id": case.id,
                "brand": case.brand,
                "kind": case.kind,
                "department": case.department,
                "copies": list(case.copies),
                "priority": case.priority,
                "stakeholder": case.stakeholder,
                "status": case.status,
                "owner": case.owner if inside else None,
                "opened_at": _iso(case.opened_at),
                "due_at": _iso(case.due_at),
                "acknowledged_at": _iso(case.acknowledged_at),
                "answered_at": _iso(case.answered_at),
                "closed_at": _iso(case.closed_at),
                "snoozed_until": _iso(case.snoozed_until),
                "merged_into": case.merged_into,
                "posts": case.mentions,
                "people": case.people,
                "ticket_id": case.ticket_id,
                "ticket_url": case.ticket_url,
                "url": f"{config.public_url}/case?id={case.merged_into or case.id}",
            },
        },
    }


def _prefix(case_id: int, event_id: int) -> str:
    return f"crm.{case_id}.{event_id}."


def _seal(name: str, case: Case) -> str:
    # The opening time tells apart the case 1 of two databases: a receiver must not drop one as a repeat of the other.
    return hashlib.sha256(f"{name}/{case.opened_at.timestamp():.3f}".encode()).hexdigest()[:16]


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()


def _plain(text: str | None) -> str | None:
    """Give a text in one line that both databases hold; None for an empty one."""
    return " ".join((clean(text) or "").split()) or None


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        return False
    plain = url.isprintable() and not any(sign.isspace() for sign in url) and len(url) <= _LONGEST_URL
    return parts.scheme in ("https", "http") and named and plain
