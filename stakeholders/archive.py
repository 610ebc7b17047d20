"""List the digests that were kept, and queue a test of one for a reader that the configuration knows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.database import add_new
from listener.errors import EscuchaError
from listener.mention import aware
from listener.reason import N_, Reason, reason, to_json
from stakeholders.channels import split_address
from stakeholders.store import alerts, digests

__all__ = ["Kept", "NotKnown", "known_readers", "list_digests", "queue_test"]


class NotKnown(EscuchaError):
    """Say that a test cannot be sent; `reason` is worded for people."""

    def __init__(self, why: Reason) -> None:
        self.reason = why
        super().__init__(why.say("en"))


@dataclass(frozen=True, slots=True)
class Kept:
    """Hold what the list shows of a digest: for whom, about when, and how many readers it went to."""

    key: str
    label: str  # 2026-W46, or 2026-11-22
    brand: str
    lang: str
    name: str  # empty: the directors' week
    cadence: str
    departments: tuple[str, ...]
    created_at: datetime
    hash: str
    readers: int  # letters queued
    sent: int  # of them sent


def list_digests(connection: Connection, limit: int = 200) -> list[Kept]:
    """List the digests kept, the newest first, each with how many letters of it were queued and sent."""
    columns = [column for column in digests.c if column.name != "figures"]
    kept = connection.execute(sa.select(*columns).order_by(digests.c.id.desc()).limit(limit)).all()
    counts: dict[str, list[int]] = {}
    if kept:
        since = min(row.created_at for row in kept)
        rows = connection.execute(
            sa.select(alerts.c.payload, alerts.c.state).where(alerts.c.kind == "digest", alerts.c.created_at >= since)
        )
        for payload, state in rows:
            told = payload or {}
            if not told.get("test"):
                count = counts.setdefault(str(told.get("digest")), [0, 0])
                count[0] += 1
                count[1] += state == "sent"
    return [_kept(row, *counts.get(row.key, (0, 0))) for row in kept]


def _kept(row: sa.Row[Any], readers: int, sent: int) -> Kept:
    scope = row.scope or {}
    return Kept(
        key=row.key,
        label=row.week,
        brand=row.brand,
        lang=row.lang,
        name=scope.get("name", ""),
        cadence=scope.get("cadence", "weekly"),
        departments=tuple(scope.get("departments", ())),
        created_at=row.created_at,
        hash=row.hash,
        readers=readers,
        sent=sent,
    )


def known_readers(config: Config) -> tuple[str, ...]:
    """Give the mail addresses that the configuration names: a test goes to no other, so no stranger is written to."""
    settings = config.settings
    lists: list[Iterable[str]] = [settings.digest.to, *(table.to for table in settings.digests)]
    lists += [table.alert for table in settings.departments.values()]
    found = [recipient for told in lists for channel, recipient in split_address(told) if channel == "mail"]
    found += [person.mail for person in settings.people.values() if person.mail]
    return tuple(dict.fromkeys(found))


def queue_test(connection: Connection, config: Config, key: str, address: str, lang: str, now: datetime) -> bool:
    """Queue a kept digest once more, to one known reader, marked as a test; give False where it was just queued.

    A second press within the same minute sends nothing twice. Raises NotKnown for an address or a digest that is not
    known.
    """
    if address not in known_readers(config):
        raise NotKnown(reason(N_("A test goes only to an address of config.toml")))
    if connection.scalar(sa.select(digests.c.id).where(digests.c.key == key)) is None:
        raise NotKnown(reason(N_("This digest is not kept any more")))
    mark = f"{key}/{address.casefold()}/{lang}/{aware(now):%Y%m%d%H%M}"
    row = {
        "key": f"digest-test/{hashlib.sha256(mark.encode()).hexdigest()[:32]}",
        "kind": "digest",
        "channel": "mail",
        "recipient": address,
        "reason": to_json([reason(N_("a test of a digest, asked for on its page"))])[0],
        "payload": {"digest": key, "lang": lang, "test": True},
        "state": "pending",
        "tries": 0,
        "next_try": aware(now),
        "created_at": aware(now),
    }
    return bool(add_new(connection, alerts, [row], ("key",)))
