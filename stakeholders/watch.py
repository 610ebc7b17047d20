"""Tell communications that a source answers and brings nothing: one letter a silence; its end is noted."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import add_new
from listener.reason import N_, reason, say, to_json
from listener.silence import Silence, find_silences
from listener.store import runs
from stakeholders.store import alerts
from stakeholders.wording import Wording

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["Quiet", "queue_silence", "queue_silences", "read_quiet", "word_silence"]

SILENT = N_("the source {quote_source} answers and brings nothing new")


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hold a silence that was told: nothing new after `since`; `until` is empty while it lasts."""

    source: str
    since: datetime
    until: datetime | None
    expected: int  # arrivals in the same hours of past weeks, on average


def queue_silences(connection: Connection, config: Config, now: datetime) -> int:
    """Queue word of every source that has fallen silent, and note which silences are over; give how many are new.

    In the caller's transaction; meant to be called in every cycle.
    """
    told = _note_ends(connection)
    found = find_silences(connection, config, now, told)
    return sum(queue_silence(connection, config, silence, now) for silence in found)


def queue_silence(connection: Connection, config: Config, silence: Silence, now: datetime) -> int:
    """Queue word of one silence to the widest net, once; give how many messages are new."""
    from stakeholders.alerts import addresses_of

    told = {
        "source": silence.source,
        "since": silence.since.isoformat(),
        "until": None,
        "usual": int(silence.usual.total_seconds()),
        "expected": silence.expected,
        "weeks": silence.weeks,
    }
    rows = [
        {
            "key": f"silence.{_seal(silence, channel, recipient)}",
            "kind": "silent",
            "case_id": None,
            "channel": channel,
            "recipient": recipient,
            "department": "communications",
            "reason": to_json([reason(SILENT, quote_source=silence.source)])[0],
            "payload": told,
            "state": "pending",
            "tries": 0,
            "next_try": now,
            "created_at": now,
        }
        for channel, recipient in addresses_of(config, "communications")[0]
    ]
    # Asked first: the cycle comes by every minute, and an insert that changes nothing would still number its rows.
    keys = [row["key"] for row in rows]
    known = set(connection.scalars(sa.select(alerts.c.key).where(alerts.c.key.in_(keys))))
    return len(add_new(connection, alerts, [row for row in rows if row["key"] not in known], ("key",)))


def _seal(silence: Silence, channel: str, recipient: str) -> str:
    about = f"{silence.source}/{silence.since.timestamp():.3f}/{channel}:{recipient.casefold()}"
    return hashlib.sha256(about.encode()).hexdigest()[:24]


def _note_ends(connection: Connection) -> frozenset[str]:
    """Write when a silence ended into what was told of it, and give the sources whose silence goes on.

    Word that was not sent yet is not sent any more when the silence is over.
    """
    still = set()
    for row in connection.execute(sa.select(alerts).where(alerts.c.kind == "silent")).all():
        if row.payload["until"] is not None:
            continue
        after = runs.c.started_at > datetime.fromisoformat(row.payload["since"])
        heard = sa.select(runs.c.started_at).where(runs.c.source == row.payload["source"], runs.c.new > 0, after)
        back = connection.scalar(heard.order_by(runs.c.started_at).limit(1))
        if back is not None:
            values: dict[str, Any] = {"payload": {**row.payload, "until": back.isoformat()}}
            if row.state == "pending":
                values["state"] = "withdrawn"
            connection.execute(alerts.update().where(alerts.c.id == row.id).values(**values))
        else:
            still.add(row.payload["source"])
    return frozenset(still)


def read_quiet(connection: Connection, start: datetime, end: datetime) -> tuple[Quiet, ...]:
    """Read the silences that reach into a stretch of time, by source and time."""
    found = set()
    for told in connection.scalars(sa.select(alerts.c.payload).where(alerts.c.kind == "silent")):
        since = datetime.fromisoformat(told["since"])
        until = datetime.fromisoformat(told["until"]) if told["until"] else None
        if since < end and (until is None or until > start):
            found.add(Quiet(told["source"], since, until, told["expected"]))
    return tuple(sorted(found, key=lambda one: (one.source, one.since)))


def word_silence(config: Config, row: sa.Row[Any], lang: str) -> tuple[str, dict[str, Any]]:
    """Word the letter of an outbox row of kind "silent": its subject and what the template fills in."""
    from stakeholders.letters.letter import clock, plain

    told: Mapping[str, Any] = row.payload or {}
    name = plain(told["source"])
    headline = say(N_("«{quote_source}» answers and brings nothing new"), lang, quote_source=name)
    usual = Wording(lang, config.settings.instance.country, config.zone).span(timedelta(seconds=told["usual"]))
    rows: list[tuple[str, str, list[str]]] = [
        (say(N_("Source"), lang), name, []),
        (say(N_("Last new post"), lang), clock(datetime.fromisoformat(told["since"]), row.created_at, config), []),
        (say(N_("Usually"), lang), say(N_("something new at least every {quote_span}"), lang, quote_span=usual), []),
        (
            say(N_("At these hours"), lang),
            say(N_("new posts {count} times, on average"), lang, count=told["expected"]),
            [say(N_("in the {count} weeks before"), lang, count=told["weeks"])],
        ),
    ]
    means = N_(
        "Perhaps nothing is being said. Or the platform no longer shows it to us: a search, a permission or an address "
        "may have changed without an error."
    )
    look = N_("Look for the brand on the platform itself. If there are new posts, run: escucha check")
    return f"[{say(N_('Source'), lang)}] {headline}", {
        "alert": False,
        "chip": say(N_("Source"), lang),
        "crumbs": name,
        "number": "",
        "headline": headline,
        "subline": say(N_("Its zero may not be a zero."), lang),
        "quote": None,
        "rows": rows,
        "lists": [
            (say(N_("What this means"), lang), [say(means, lang)]),
            (say(N_("What to do"), lang), [say(look, lang)]),
        ],
        "button": None,
        "link": (f"{config.public_url}/sources", say(N_("See the sources"), lang)),
    }
