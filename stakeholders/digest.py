"""Write the weekly letter: gather its figures once, keep them, and send the same to every reader."""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.database import add_new
from listener.mention import aware
from listener.reason import reason
from listener.reason import to_json as reasons_to_json
from listener.store import mentions, runs
from stakeholders import charts
from stakeholders.channels import Message, Picture, split_address
from stakeholders.figures import Figures, from_json, gather, seal, to_json
from stakeholders.headline import Sentence, sentences
from stakeholders.outline import Outline, lay_out
from stakeholders.period import Period, last_whole_week, midnight, week_name
from stakeholders.store import alerts, digests
from stakeholders.wording import Wording

__all__ = [
    "Digest",
    "Letter",
    "build",
    "due_week",
    "letter_for",
    "queue_due",
    "render_html",
    "render_text",
    "write",
    "write_letter",
]

log = logging.getLogger("escucha.stakeholders")

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Digest:
    """Hold a week's letter: all figures, the three sentences, who reads it, and the seal of the figures."""

    figures: Figures
    headline: tuple[Sentence, ...]
    wording: Wording
    url: str
    instance: str
    hash: str  # same data, same hash

    @property
    def outline(self) -> Outline:
        """Word the letter."""
        return lay_out(self.figures, self.headline, self.wording, url=self.url, instance=self.instance, seal=self.hash)


class Letter(NamedTuple):
    """Hold a written letter; `pictures` by content id."""

    subject: str
    html: str
    text: str
    pictures: dict[str, bytes]


def build(connection: Connection, config: Config, week: str, brand: str, lang: str, now: datetime) -> Digest:
    """Count a week ("2026-W46") of a brand of ours as it stands at `now`; raises EscuchaError for one that is none."""
    return _digest(config, gather(connection, config, week, brand, now), lang)


def _digest(config: Config, figures: Figures, lang: str) -> Digest:
    instance = config.settings.instance
    wording = Wording(lang, instance.country, config.zone)
    return Digest(figures, sentences(figures), wording, config.public_url, instance.name, seal(figures))


def render_html(digest: Digest, inline: Literal["cid", "data"] = "data") -> str:
    """Write the letter as one HTML page without remote content; pictures by content id for mail, or inside the page."""
    return _html(digest, _draw(digest), inline)


def render_text(digest: Digest) -> str:
    """Write the letter as plain text; charts are given in words."""
    from stakeholders.letter import render

    return render("digest.txt.j2", letter=digest.outline)


def _html(digest: Digest, pictures: dict[str, bytes], inline: Literal["cid", "data"]) -> str:
    from base64 import b64encode

    from stakeholders.letter import render

    sources = {
        name: f"cid:{name}" if inline == "cid" else "data:image/png;base64," + b64encode(body).decode("ascii")
        for name, body in pictures.items()
    }
    return render(
        "digest.html.j2", letter=digest.outline, pictures=sources, lang=digest.wording.lang, width=charts.WIDTH
    )


def _draw(digest: Digest) -> dict[str, bytes]:
    """Draw the pictures that the outline asks for, by name."""
    figures, wording = digest.figures, digest.wording
    wanted = {block.name for section in digest.outline.sections for block in section.blocks if block.kind == "picture"}
    drawn = {}
    if "volume" in wanted:
        drawn["volume"] = charts.draw_volume(figures.days, wording)
    if "shares" in wanted:
        drawn["shares"] = charts.draw_shares(figures.shares, figures.names, figures.brand, wording)
    if "voices" in wanted:
        drawn["voices"] = charts.draw_voices(figures.spoke, wording)
    return drawn


def write(connection: Connection, config: Config, week: str | None, brand: str | None, now: datetime) -> Digest:
    """Count the letter of a week; the last whole week and the first brand of ours when None."""
    name = week or week_name(last_whole_week(now, config.zone).first_day)
    key = brand or next(iter(config.settings.brands), "")
    return build(connection, config, name, key, _language(config), now)


def _language(config: Config) -> str:
    return config.settings.digest.language or config.language


def due_week(config: Config, now: datetime) -> Period:
    """Give the last week whose letter is due at `now`: it is due on the [digest] day and hour after it, local time."""
    table = config.settings.digest
    last = last_whole_week(now, config.zone)
    day = midnight(last.last_day + timedelta(days=1 + _DAYS.index(table.day)), config.zone).astimezone(config.zone)
    # Wall-clock time: on the day clocks change, eight o'clock stays eight o'clock.
    return last if aware(now) >= datetime.combine(day.date(), table.at, tzinfo=config.zone) else last.previous()


def queue_due(connection: Connection, config: Config, now: datetime) -> int:
    """Queue the letters due at `now` and keep their figures, in the caller's transaction; give how many are new.

    Each goes out once per week, brand and address; one that was missed (the machine was off) goes out at the next call.
    A week in which this instance neither asked a source nor holds a mention has no letter.
    """
    period = due_week(config, now)
    name, lang = week_name(period.first_day), _language(config)
    rows: list[dict[str, Any]] = [
        {
            "key": _key(name, brand, f"{channel}:{recipient}"),
            "kind": "digest",
            "channel": channel,
            "recipient": recipient,
            "reason": reasons_to_json([reason("the weekly letter about {quote_brand}", quote_brand=table.name)])[0],
            "payload": {"digest": f"{name}/{brand}/{lang}"},
            "state": "pending",
            "tries": 0,
            "next_try": now,
            "created_at": now,
        }
        for brand, table in config.settings.brands.items()
        for channel, recipient in split_address(config.settings.digest.to)
    ]
    known = set(connection.scalars(sa.select(alerts.c.key).where(alerts.c.key.in_([row["key"] for row in rows]))))
    rows = [row for row in rows if row["key"] not in known]
    if not rows or not _existed(connection, period):
        return 0
    for archive in dict.fromkeys(row["payload"]["digest"] for row in rows):
        _keep(connection, config, archive, now)
    queued = len(add_new(connection, alerts, rows, ("key",)))
    log.info("digest: %d letters of %s queued", queued, name)
    return queued


def _key(name: str, brand: str, address: str) -> str:
    """Name a letter for good: it becomes the Message-ID (RFC 5322), where an address or a space could not stand."""
    reader = hashlib.sha256(f"{brand}/{address.casefold()}".encode()).hexdigest()[:16]
    return f"digest/{name}/{re.sub('[^A-Za-z0-9_-]', '-', brand)}/{reader}"


def _existed(connection: Connection, period: Period) -> bool:
    heard = sa.select(mentions.c.id).where(mentions.c.hour >= period.first_hour, mentions.c.hour < period.end_hour)
    asked = sa.select(runs.c.id).where(runs.c.started_at >= period.start, runs.c.started_at < period.end)
    return any(connection.scalar(query.limit(1)) is not None for query in (asked, heard))


def _keep(connection: Connection, config: Config, key: str, now: datetime) -> None:
    """Keep a week's figures as they are counted now, unless they are kept already."""
    if connection.scalar(sa.select(digests.c.id).where(digests.c.key == key)) is not None:
        return
    name, brand, lang = key.split("/")
    figures = gather(connection, config, name, brand, now)
    row = {
        "key": key,
        "week": name,
        "brand": brand,
        "lang": lang,
        "figures": to_json(figures),
        "hash": seal(figures),
        "created_at": now,
    }
    add_new(connection, digests, [row], ("key",))


def letter_for(connection: Connection, config: Config, alert_row: sa.Row[Any]) -> Letter:
    """Write the letter of an outbox row from the figures kept for it, so that a late letter says what the others said.

    Raises LookupError when the figures are gone.
    """
    key = str((alert_row.payload or {}).get("digest"))
    kept = connection.execute(sa.select(digests).where(digests.c.key == key)).one_or_none()
    if kept is None:
        raise LookupError(f"digest {key}")
    digest = _digest(config, from_json(kept.figures), kept.lang)
    pictures = _draw(digest)
    return Letter(digest.outline.subject, _html(digest, pictures, "cid"), render_text(digest), pictures)


def write_letter(connection: Connection, config: Config, row: sa.Row[Any], now: datetime) -> Message:
    """Write the message of an outbox row of kind "digest" for its channel."""
    letter = letter_for(connection, config, row)
    return Message(
        key=row.key,
        recipient=row.recipient,
        subject=letter.subject,
        text=letter.text,
        at=now,
        html=letter.html,
        pictures=tuple(Picture(name, body) for name, body in letter.pictures.items()),
        lang=(row.payload or {}).get("digest", "").rpartition("/")[2] or None,
    )
