"""Count mentions by local day, and keep a day on which nobody listened apart from a day on which nobody spoke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.store import posts
from stakeholders.counting.counts import moment_of
from stakeholders.counting.hearing import heard_days
from stakeholders.counting.period import Period
from stakeholders.counting.tally import add_up, date_of, is_limited, source_sums, sums_by

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
    days = period.days
    given = sums_by(connection, period, brands, "kind")
    query = sa.select(given.c.brand, given.c.day, *add_up(given)).group_by(given.c.brand, given.c.day)
    sums: dict[tuple[date, str], list[int]] = {}
    for brand, day, *numbers in connection.execute(query.having(sa.func.sum(given.c.mentions) > 0)).all():
        sums[date_of(day), brand] = [int(number) for number in numbers]
    known = _known_days(connection, period)
    keys = sorted({brand for _, brand in sums}) if brands is None else list(dict.fromkeys(brands))
    found = []
    for day in days:
        for brand in keys:
            numbers = sums.get((day.date, brand), [0] * 5) if day.date in known else [None] * 5
            found.append(DayCount(day.date, brand, *numbers))
    return found


def _known_days(connection: Connection, period: Period) -> frozenset[date]:
    """Give the local days on which a source was heard, or from which posts came, be it later (an import)."""
    days = period.days
    found: set[date] = set()
    if not is_limited(connection):
        sums = source_sums(connection, period, "collected")
        query = sa.select(sums.c.day).group_by(sums.c.day).having(sa.func.sum(sums.c.mentions) > 0)
        found = {date_of(one) for one in connection.scalars(query).all()}
        if len(found) == len(days):  # as ever: then nobody need ask of thousands of runs when each source was heard
            return frozenset(found)
    heard = heard_days(connection, period)
    found |= heard
    for day in days if is_limited(connection) else ():
        if day.date not in heard:
            at = posts.c.published_at
            query = sa.select(posts.c.id).where(at >= moment_of(day.first), at < moment_of(day.end)).limit(1)
            if connection.scalar(query) is not None:
                found.add(day.date)
    return frozenset(found)
