"""Say which digests there are and when each is due: the directors' week, and what [[digests]] adds for a team."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.errors import EscuchaError
from listener.mention import aware
from listener.tables.digests import DAYS, Cadence, Digest, DigestTable
from stakeholders.counting.period import Period, last_whole_week, midnight, week, week_name
from stakeholders.store import digests

__all__ = ["Edition", "due_day", "due_week", "editions_due", "read_edition", "running", "since_the_last", "written_for"]

_DAY = timedelta(days=1)
_LONGEST = timedelta(days=7)  # a daily digest after a downtime reaches back no further


@dataclass(frozen=True, slots=True)
class Edition:
    """Hold one digest to write: about which brand and stretch of time, for whom, in which language.

    `name` is empty for the directors' week of [digest]; `departments` empty means every one of them.
    """

    brand: str
    lang: str
    period: Period
    cadence: Cadence = "weekly"
    name: str = ""
    departments: tuple[str, ...] = ()
    to: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Name the stretch of time: "2026-W46", or the last day of a daily one: "2026-11-22"."""
        weekly = self.cadence == "weekly"
        return week_name(self.period.first_day) if weekly else self.period.last_day.isoformat()

    @property
    def key(self) -> str:
        """Name it for good: what was kept under this key is never counted again."""
        return "/".join(part for part in (self.label, self.brand, self.lang, self.name) if part)

    @property
    def about_work(self) -> bool:
        """Tell whether it is a team's list of work; else it is the directors' letter about the brand."""
        return bool(self.departments) or self.cadence == "daily"

    @property
    def scope(self) -> dict[str, Any] | None:
        """Give what the archive keeps of it beside brand and language; None for the directors' week."""
        if not self.name:
            return None
        return {
            "name": self.name,
            "cadence": self.cadence,
            "departments": list(self.departments),
            "from": self.period.start.isoformat(),
            "to": self.period.end.isoformat(),
        }


def due_week(config: Config, now: datetime, table: Digest | DigestTable | None = None) -> Period:
    """Give the last week whose letter is due at `now`: it is due on the table's day and hour after it, local time."""
    asked = table or config.settings.digest
    last = last_whole_week(now, config.zone)
    first = last.last_day + timedelta(days=1 + DAYS.index(asked.day))
    return last if aware(now) >= _clock(config, first, asked.at) else last.previous()


def due_day(config: Config, now: datetime, table: DigestTable) -> Period:
    """Give the last local day whose digest is due at `now`: it is due at the table's hour of the day after it."""
    today = aware(now).astimezone(config.zone).date()
    before = timedelta(days=1 if aware(now) >= _clock(config, today, table.at) else 2)
    day = today - before
    return Period(midnight(day, config.zone), midnight(day + timedelta(days=1), config.zone), config.zone)


def editions_due(config: Config, now: datetime) -> Iterator[Edition]:
    """Give the latest edition due of every digest of the configuration, one a brand; the directors' week first."""
    settings = config.settings
    directors = settings.digest
    for brand in settings.brands:
        lang = directors.language or config.language
        yield Edition(brand, lang, due_week(config, now), to=tuple(directors.to))
    for table in settings.digests:
        period = due_day(config, now, table) if table.cadence == "daily" else due_week(config, now, table)
        for brand in table.brands or settings.brands:
            lang = table.language or config.language
            yield Edition(brand, lang, period, table.cadence, table.name, tuple(table.departments), tuple(table.to))


def since_the_last(connection: Connection, edition: Edition) -> Edition:
    """Let a daily digest begin where the one before it ended, so that after a downtime one tells of every day missed.

    At most a week is told; the first one of its name tells of its own day.
    """
    if edition.cadence != "daily":
        return edition
    earlier = (
        sa.select(digests.c.scope)
        .where(digests.c.brand == edition.brand, digests.c.key.endswith(f"/{edition.name}", autoescape=True))
        .order_by(digests.c.id.desc())
        .limit(60)
    )
    scopes = [scope for scope in connection.scalars(earlier) if scope and scope.get("name") == edition.name]
    ends = [end for scope in scopes if (end := datetime.fromisoformat(scope["to"])) <= edition.period.start]
    period = edition.period
    start = max(max(ends, default=period.start), midnight(period.last_day - _LONGEST + timedelta(days=1), period.zone))
    return replace(edition, period=Period(start, period.end, period.zone))


def written_for(config: Config, name: str | None, label: str | None, brand: str | None, now: datetime) -> Edition:
    """Give the edition that a person asks for: by the name of a [[digests]] table, week or day, and brand's key.

    The directors' letter, the last whole week or day, and the first brand where nothing is said; raises EscuchaError
    for a name, a stretch of time or a brand that is none.
    """
    settings = config.settings
    table = next((one for one in settings.digests if one.name == name), None)
    if name and table is None:
        known = ", ".join(one.name for one in settings.digests) or "none"
        raise EscuchaError(f"there is no digest '{name}' in config.toml; known: {known}")
    keys = (table.brands if table else None) or list(settings.brands)
    key = brand or next(iter(keys), "")
    if key not in settings.brands:
        raise EscuchaError(f"there is no brand '{key}' of ours in config.toml; known: {', '.join(settings.brands)}")
    cadence: Cadence = table.cadence if table else "weekly"
    lang = (table.language if table else settings.digest.language) or config.language
    edition = Edition(key, lang, _stretch(config, cadence, label, now), cadence)
    if table is None:
        return edition
    return replace(edition, name=table.name, departments=tuple(table.departments), to=tuple(table.to))


def running(config: Config, name: str | None, brand: str | None, now: datetime) -> Edition:
    """Give the edition that runs now, this week or today, of the directors or of a [[digests]] table."""
    edition = written_for(config, name, None, brand, now)
    today = aware(now).astimezone(config.zone).date()
    label = week_name(today) if edition.cadence == "weekly" else today.isoformat()
    return written_for(config, name, label, brand, now)


def read_edition(config: Config, row: sa.Row[Any]) -> Edition:
    """Give the edition of a kept digest, as it was when it was counted."""
    scope: Mapping[str, Any] = row.scope or {}
    if not scope:
        return Edition(row.brand, row.lang, week(row.week, config.zone))
    start, end = datetime.fromisoformat(scope["from"]), datetime.fromisoformat(scope["to"])
    period = Period(start, end, config.zone)
    return Edition(row.brand, row.lang, period, scope["cadence"], scope["name"], tuple(scope.get("departments", ())))


def _stretch(config: Config, cadence: Cadence, label: str | None, now: datetime) -> Period:
    zone = config.zone
    if cadence == "weekly":
        if label is None:
            return last_whole_week(now, zone)
        try:
            return week(label, zone)
        except ValueError as error:
            raise EscuchaError(str(error)) from None
    try:  # a day written as a week or without dashes is a slip, although Python would read it
        day = datetime.strptime(label, "%Y-%m-%d").date() if label else aware(now).astimezone(zone).date() - _DAY  # noqa: DTZ007
    except ValueError:
        raise EscuchaError(f"'{label}' is not a day; write it as 2026-11-22") from None
    return Period(midnight(day, zone), midnight(day + timedelta(days=1), zone), zone)


def _clock(config: Config, day: date, at: time) -> datetime:
    """Give a wall-clock time of a local day: on the day clocks change, eight o'clock stays eight o'clock."""
    local = midnight(day, config.zone).astimezone(config.zone).date()
    return aware(datetime.combine(local, at, tzinfo=config.zone))
