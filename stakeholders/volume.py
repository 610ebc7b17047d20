"""Count mentions by local day, and keep a day on which nobody listened apart from a day on which nobody spoke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.store import mentions, posts
from stakeholders.counts import counted, moment_of, named, tally
from stakeholders.hearing import heard_days
from stakeholders.period import Day, Period

__all__ = ["DayCount", "volume_by_day"]


@dataclass(frozen=True, slots=True)
class DayCount:
    """Count a brand's mentions of one local day; all None when no source was heard that day: a gap is never zero."""

    day: date
    brand: str
    mentions: int | None
    negative: int | None
    neutral: int | None
    positive: int | None
    unsure: int | None


def volume_by_day(connection: Connection, period: Period, brands: Sequence[str] | None = None) -> list[DayCount]:
    """Count mentions by local day and brand, days in order and brands as given (None: those mentioned, by key).

    A day on which no source was heard and nothing was imported later is unknown: its counts are None.
    """
    wanted = named(period, None) if brands is None else sa.and_(named(period, None), mentions.c.brand.in_(brands))
    query = (
        sa.select(mentions.c.brand, mentions.c.hour, *tally())
        .select_from(counted())
        .where(wanted)
        .group_by(mentions.c.brand, mentions.c.hour)
    )
    days = period.days
    sums: dict[tuple[date, str], list[int]] = {}
    for row in connection.execute(query):
        told = sums.setdefault((_day_of(days, row.hour), row.brand), [0] * 5)
        for place, number in enumerate(row[2:]):
            told[place] += number
    known = _known_days(connection, period)
    keys = sorted({brand for _, brand in sums}) if brands is None else list(dict.fromkeys(brands))
    found = []
    for day in days:
        for brand in keys:
            numbers = sums.get((day.date, brand), [0] * 5) if day.date in known else [None] * 5
            found.append(DayCount(day.date, brand, *numbers))
    return found


def _day_of(days: Sequence[Day], hour: int) -> date:
    place = min((hour - days[0].first) // 24, len(days) - 1)  # right, or one off where clocks changed
    while hour < days[place].first:
        place -= 1
    while hour >= days[place].end:
        place += 1
    return days[place].date


def _known_days(connection: Connection, period: Period) -> frozenset[date]:
    """Give the local days on which a source was heard, or from which posts came later (an import)."""
    heard = heard_days(connection, period)
    found = set(heard)
    for day in period.days:
        if day.date not in heard:
            at = posts.c.published_at
            query = sa.select(posts.c.id).where(at >= moment_of(day.first), at < moment_of(day.end)).limit(1)
            if connection.scalar(query) is not None:
                found.add(day.date)
    return frozenset(found)
