"""Write the digests: gather the figures once, keep them, and send the same to every reader.

The directors' week is about the brand (`figures` in stakeholders.counting), a team's digest about its work (`load`).
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.database import add_new
from listener.reason import N_, reason
from listener.reason import to_json as reasons_to_json
from listener.store import mentions, runs
from stakeholders.channels import Message, Picture, split_address
from stakeholders.counting.figures import Figures, gather
from stakeholders.counting.load import Load, gather_load
from stakeholders.counting.period import Period
from stakeholders.counting.sealed import from_json, seal, to_json
from stakeholders.edition import Edition, due_week, editions_due, read_edition, since_the_last, written_for
from stakeholders.letters.rendering import (
    Digest,
    digest_of,
    draw,
    html_of,
    plain_figures,
    render_html,
    render_pdf,
    render_text,
)
from stakeholders.scope import tell_hidden
from stakeholders.store import alerts, digests

__all__ = [
    "Digest",
    "Letter",
    "build",
    "due_week",
    "keep",
    "letter_for",
    "plain_figures",
    "queue_due",
    "read_digest",
    "render_html",
    "render_pdf",
    "render_text",
    "write",
    "write_letter",
]

log = logging.getLogger("escucha.stakeholders")


class Letter(NamedTuple):
    """Hold a written letter; `pictures` by content id."""

    subject: str
    html: str
    text: str
    pictures: dict[str, bytes]


def build(
    connection: Connection,
    config: Config,
    week_of: str | Edition,
    brand: str,
    lang: str,
    now: datetime,
) -> Digest:
    """Count a week ("2026-W46") of a brand of ours as it stands at `now`; raises EscuchaError for one that is none.

    With an edition for the week, count that one instead.
    """
    if isinstance(week_of, Edition):
        return digest_of(config, _count(connection, config, week_of, now), week_of.lang)
    return digest_of(config, gather(connection, config, week_of, brand, now), lang)


def _count(connection: Connection, config: Config, edition: Edition, now: datetime) -> Figures | Load:
    if edition.about_work:
        return gather_load(connection, config, edition, now)
    return gather(connection, config, edition.label, edition.brand, now)


def write(
    connection: Connection,
    config: Config,
    week_of: str | None,
    brand: str | None,
    now: datetime,
    name: str | None = None,
    lang: str | None = None,
) -> Digest:
    """Count the letter of a week, or the digest of a [[digests]] table and its week or day; see `written_for`."""
    edition = written_for(config, name, week_of, brand, now)
    return build(connection, config, replace(edition, lang=lang or edition.lang), edition.brand, edition.lang, now)


def queue_due(connection: Connection, config: Config, now: datetime) -> int:
    """Queue the digests due at `now` and keep their figures, in the caller's transaction; give how many are new.

    Each goes out once per name, stretch of time, brand and address; after a downtime the latest one goes out at the
    next call. A stretch in which this instance neither asked a source nor holds a mention has no digest.
    """
    queued = 0
    for edition in editions_due(config, now):
        rows = [_row(edition, config, address, now) for address in split_address(edition.to)]
        known = set(connection.scalars(sa.select(alerts.c.key).where(alerts.c.key.in_([row["key"] for row in rows]))))
        rows = [row for row in rows if row["key"] not in known]
        if not rows or not _existed(connection, edition.period):
            continue
        keep(connection, config, edition, now)
        added = len(add_new(connection, alerts, rows, ("key",)))
        queued += added
        log.info("digest: %d letters of %s queued", added, edition.key)
    return queued


def _row(edition: Edition, config: Config, address: tuple[str, str], now: datetime) -> dict[str, Any]:
    channel, recipient = address
    told = reason("the weekly letter about {quote_brand}", quote_brand=config.settings.brands[edition.brand].name)
    if edition.name:
        told = reason("the digest «{quote_name}»", quote_name=edition.name)
    return {
        "key": _key(edition, f"{channel}:{recipient}"),
        "kind": "digest",
        "channel": channel,
        "recipient": recipient,
        "reason": reasons_to_json([told])[0],
        "payload": {"digest": edition.key},
        "state": "pending",
        "tries": 0,
        "next_try": now,
        "created_at": now,
    }


def _key(edition: Edition, address: str) -> str:
    """Name a letter for good: it becomes the Message-ID (RFC 5322), where an address or a space could not stand."""
    reader = hashlib.sha256(f"{edition.brand}/{address.casefold()}".encode()).hexdigest()[:16]
    about = "/".join(re.sub("[^A-Za-z0-9_-]", "-", part) for part in (edition.brand, edition.name) if part)
    return f"digest/{edition.label}/{about}/{reader}"


def _existed(connection: Connection, period: Period) -> bool:
    heard = sa.select(mentions.c.id).where(mentions.c.hour >= period.first_hour, mentions.c.hour < period.end_hour)
    asked = sa.select(runs.c.id).where(runs.c.started_at >= period.start, runs.c.started_at < period.end)
    return any(connection.scalar(query.limit(1)) is not None for query in (asked, heard))


def keep(connection: Connection, config: Config, edition: Edition, now: datetime) -> None:
    """Keep the figures as they are counted now, unless they are kept already."""
    if connection.scalar(sa.select(digests.c.id).where(digests.c.key == edition.key)) is not None:
        return
    edition = since_the_last(connection, edition)
    figures = _count(connection, config, edition, now)
    row = {
        "key": edition.key,
        "week": edition.label,
        "brand": edition.brand,
        "lang": edition.lang,
        "figures": to_json(figures),
        "hash": seal(figures),
        "scope": edition.scope,
        "created_at": now,
    }
    add_new(connection, digests, [row], ("key",))


def read_digest(connection: Connection, config: Config, key: str, lang: str | None = None) -> Digest:
    """Read a kept digest as it went out, in its own language or another; raises LookupError when it is gone."""
    kept = connection.execute(sa.select(digests).where(digests.c.key == key)).one_or_none()
    if kept is None:
        tell_hidden(connection, "a digest")
        raise LookupError(f"digest {key}")
    kind: type[Figures | Load] = Load if read_edition(config, kept).about_work else Figures
    figures = from_json(kind, kept.figures)
    return digest_of(config, figures, lang or kept.lang, kept.hash)


def letter_for(connection: Connection, config: Config, alert_row: sa.Row[Any]) -> Letter:
    """Write the letter of an outbox row from the figures kept for it, so that a late letter says what the others said.

    Raises LookupError when the figures are gone.
    """
    return _letter(_asked(connection, config, alert_row))


def _letter(digest: Digest) -> Letter:
    pictures = draw(digest)
    return Letter(digest.outline.subject, html_of(digest, pictures, "cid"), render_text(digest), pictures)


def _asked(connection: Connection, config: Config, alert_row: sa.Row[Any]) -> Digest:
    """Read the digest of an outbox row as its reader may see it; a test may ask for another language."""
    from stakeholders.privacy.masking import is_shown_whole, masked_for

    payload = alert_row.payload or {}
    digest = read_digest(connection, config, str(payload.get("digest")), payload.get("lang"))
    channel, recipient = alert_row.channel, alert_row.recipient
    if is_shown_whole(config, channel, recipient):
        return digest
    return replace(digest, veil=lambda text: masked_for(text, channel, config, recipient))


def write_letter(connection: Connection, config: Config, row: sa.Row[Any], now: datetime) -> Message:
    """Write the message of an outbox row of kind "digest" for its channel."""
    digest = _asked(connection, config, row)
    letter, outline = _letter(digest), digest.outline
    if (row.payload or {}).get("test"):
        subject = digest.wording.say(N_("Test: {quote_subject}"), quote_subject=letter.subject)
        letter = letter._replace(subject=subject)
    return Message(
        key=row.key,
        recipient=row.recipient,
        subject=letter.subject,
        text=letter.text,
        at=now,
        html=letter.html,
        pictures=tuple(Picture(name, body) for name, body in letter.pictures.items()),
        lang=digest.wording.lang,
        title=letter.subject,
        lines=tuple(block.words for block in outline.sentences),
        links=(outline.open,),
    )
