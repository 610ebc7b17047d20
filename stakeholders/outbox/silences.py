"""Keep silences: who asked for quiet about what, why, and until when; what they mute is told when they end."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy import Connection

from listener.config import Config
from listener.reason import N_, Reason, reason
from listener.tables.alertcheck import check_matchers
from listener.tables.alerting import Matchers
from listener.taxonomy import OPEN_STATUSES
from stakeholders.case import NotPossible
from stakeholders.letters.subject import case_subjects, fits, said, subjects_of
from stakeholders.store import alerts, case_mentions, cases, silences

__all__ = [
    "Preview",
    "Silence",
    "active_silences",
    "add_silence",
    "end_silence",
    "preview_silence",
    "read_silences",
    "silenced",
]

log = logging.getLogger("escucha.stakeholders")
K = TypeVar("K")

SILENCED = N_("silence {number} of {quote_author}: {quote_why}")
NO_AUTHOR = N_("A silence needs an author: say who asks for it")
NO_WHY = N_("A silence needs a reason: write a few words")
NOT_AFTER = N_("A silence must end after it begins, and after now")
TOO_LONG = N_("A silence may last {hours} hours at most ([alerts] longest_silence)")
NO_SILENCE = N_("There is no silence {number}")
ENDED = N_("Silence {number} has ended already")
WRONG = N_("This cannot be silenced: {quote_fault}")


@dataclass(frozen=True, slots=True)
class Silence:
    """Hold one silence; it mutes from `starts_at` until `ends_at`, which moves when somebody ends it."""

    id: int
    author: str
    why: str
    matchers: Matchers
    starts_at: datetime
    ends_at: datetime
    created_at: datetime
    ended_by: str | None = None

    def active(self, now: datetime) -> bool:
        """Tell whether it mutes at `now`."""
        return self.starts_at <= now < self.ends_at


@dataclass(frozen=True, slots=True)
class Preview:
    """Hold what a silence would mean: open cases like it, and messages of the last days that it would have muted."""

    cases: tuple[int, ...]
    told: int
    days: int
    spared: int  # open cases that it leaves alone, because a legal clock runs and it does not name them


def add_silence(
    connection: Connection,
    config: Config,
    author: str,
    why: str,
    matchers: Matchers,
    starts_at: datetime,
    ends_at: datetime,
    now: datetime,
) -> Silence:
    """Add a silence in the caller's transaction; raises NotPossible, in words for people, for one that cannot be."""
    author, why = " ".join(author.split()), " ".join(why.split())
    longest = config.settings.alerts.longest_silence
    if not author:
        raise NotPossible(reason(NO_AUTHOR))
    if not why:
        raise NotPossible(reason(NO_WHY))
    if ends_at <= max(starts_at, now):
        raise NotPossible(reason(NOT_AFTER))
    if ends_at - max(starts_at, now) > longest:
        raise NotPossible(reason(TOO_LONG, hours=int(longest.total_seconds() // 3600)))
    fault = next(check_matchers(matchers, "silence", config.settings, "matchers"), None)
    if fault is not None:
        raise NotPossible(reason(WRONG, quote_fault=str(fault)))
    row = {
        "author": author[:200],
        "why": why[:500],
        "matchers": matchers.told(),
        "starts_at": starts_at,
        "ends_at": ends_at,
        "created_at": now,
    }
    number = connection.execute(silences.insert().values(**row).returning(silences.c.id)).scalar_one()
    log.info("silence: %d begins", number)
    return Silence(number, row["author"], row["why"], matchers, starts_at, ends_at, now)  # type: ignore[arg-type]


def end_silence(connection: Connection, silence_id: int, who: str, now: datetime) -> Silence:
    """End a silence now; what it muted and nobody has seen to is told by the next sending. Raises NotPossible."""
    row = connection.execute(sa.select(silences).where(silences.c.id == silence_id).with_for_update()).one_or_none()
    if row is None:
        raise NotPossible(reason(NO_SILENCE, number=silence_id))
    if row.ends_at <= now:
        raise NotPossible(reason(ENDED, number=silence_id))
    values = {"ends_at": now, "starts_at": min(row.starts_at, now), "ended_by": who}
    ended = connection.execute(
        silences.update().where(silences.c.id == silence_id).values(**values).returning(silences)
    )
    found = _read(ended.one())
    if found is None:
        raise NotPossible(reason(NO_SILENCE, number=silence_id))
    return found


def read_silences(connection: Connection, start: datetime, end: datetime | None = None) -> list[Silence]:
    """Read the silences that mute at any time from `start` to `end` (open when None), the first to begin first."""
    query = sa.select(silences).where(silences.c.ends_at > start)
    if end is not None:
        query = query.where(silences.c.starts_at < end)
    rows = connection.execute(query.order_by(silences.c.starts_at, silences.c.id))
    return [one for row in rows if (one := _read(row)) is not None]


def active_silences(connection: Connection, now: datetime) -> list[Silence]:
    """Read the silences that mute at `now`."""
    return [one for one in read_silences(connection, now) if one.active(now)]


def silenced(connection: Connection, subjects: Mapping[K, Any], now: datetime) -> dict[K, Reason]:
    """Give which subjects are silenced at `now`, each with the reason; the silence that began first is named."""
    found: dict[K, Reason] = {}
    for one in active_silences(connection, now) if subjects else ():
        meant = {key: about for key, about in subjects.items() if key not in found and fits(one.matchers, about)}
        if meant and one.matchers.query is not None:
            keep = said(connection, one.matchers.query, meant)
            meant = {key: about for key, about in meant.items() if key in keep}
        why = reason(SILENCED, number=one.id, quote_author=one.author, quote_why=one.why)
        found |= dict.fromkeys(meant, why)
    return found


def preview_silence(connection: Connection, matchers: Matchers, now: datetime, days: int = 7) -> Preview:
    """Tell what a silence would mean without adding it."""
    opened = sa.select(case_mentions.c.case_id, case_mentions.c.mention_id).join(
        cases, cases.c.id == case_mentions.c.case_id
    )
    rows = connection.execute(opened.where(case_mentions.c.how == "opened", cases.c.status.in_(OPEN_STATUSES))).all()
    open_ones = case_subjects(connection, [(row.case_id, row.mention_id) for row in rows])
    wide = matchers.model_copy(update={"legal": True})
    meant = {key: about for key, about in open_ones.items() if fits(wide, about)}
    since = now - timedelta(days=days)
    sent = sa.select(alerts).where(alerts.c.state == "sent", alerts.c.sent_at > since, alerts.c.case_id.is_not(None))
    told = subjects_of(connection, connection.execute(sent).all())
    would = {key: about for key, about in told.items() if fits(matchers, about)}
    if matchers.query is not None:
        keep = said(connection, matchers.query, meant)
        meant = {key: about for key, about in meant.items() if key in keep}
        would = {key: would[key] for key in said(connection, matchers.query, would)}
    muted = sorted(about.case_id for about in meant.values() if fits(matchers, about))
    return Preview(tuple(muted), len(would), days, len(meant) - len(muted))


def _read(row: sa.Row[Any]) -> Silence | None:
    try:
        matchers = Matchers.model_validate(row.matchers)
    except ValidationError:
        log.warning("silence: %d cannot be read, so it mutes nothing", row.id)
        return None
    return Silence(row.id, row.author, row.why, matchers, row.starts_at, row.ends_at, row.created_at, row.ended_by)
