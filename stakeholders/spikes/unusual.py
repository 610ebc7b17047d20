"""Find the days on which far more was said than such a day usually brings, and say what drove them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import median

from sqlalchemy import Connection

from stakeholders.counting.period import Period, midnight
from stakeholders.counting.volume import DayCount, volume_by_day
from stakeholders.spikes.drivers import loudest_of, new_words

__all__ = ["Unusual", "unusual_days"]

_BAR = 3.5  # of the modified z-score (Iglewicz and Hoaglin 1993)
_LEAST = 20  # mentions: below, a day is not worth a director's minute
_WEEKS = 4
_READ = 120  # posts of a day, and of the weeks before: a page may have to explain several days


@dataclass(frozen=True, slots=True)
class Unusual:
    """Hold one unusual day: what came, what was expected of such a day, and what drove it."""

    day: date
    brand: str | None
    mentions: int
    negative: int
    expected: float  # median of the same weekday in the four weeks before
    low: float  # the range in which a day is usual
    high: float
    sample: int  # how many such days were heard: 3 or 4
    score: float  # modified z-score
    words: tuple[str, ...]  # what is said that day and not before, strongest first
    stakeholder: str | None  # who spoke most, None when not routed yet


def unusual_days(connection: Connection, period: Period, brand: str | None) -> list[Unusual]:
    """Find days whose volume is over the median of the same weekday in the four weeks before by a robust z above 3.5.

    The scale is 1.4826 × MAD, and never less than what chance alone gives a count (√median); days with fewer than 20
    mentions or fewer than three such days to compare with are left out. Source: Iglewicz and Hoaglin, "How to Detect
    and Handle Outliers", 1993.
    """
    start = midnight(period.first_day - timedelta(weeks=_WEEKS), period.zone)
    long = Period(start, period.end, period.zone)
    counts = _by_day(volume_by_day(connection, long, None if brand is None else [brand]))
    found = []
    for day in (one.date for one in period.days):
        before = [counts.get(day - timedelta(weeks=back)) for back in range(1, _WEEKS + 1)]
        told = [number[0] for number in before if number is not None]
        now = counts.get(day)
        if now is None or now[0] < _LEAST or len(told) < _WEEKS - 1:
            continue
        middle = median(told)
        if now[0] <= middle:
            continue
        spread = 1.4826 * median(abs(number - middle) for number in told)
        scale = max(spread, math.sqrt(max(middle, 1.0)))
        score = (now[0] - middle) / scale
        if score > _BAR:
            low, high = max(0.0, middle - _BAR * scale), middle + _BAR * scale
            starts, ends = midnight(day, period.zone), midnight(day + timedelta(days=1), period.zone)
            today = Period(starts, ends, period.zone)
            earlier = Period(midnight(day - timedelta(weeks=_WEEKS), period.zone), starts, period.zone)
            words = new_words(connection, today, earlier, brand, most=_READ)
            found.append(Unusual(day, brand, *now, middle, low, high, len(told), score, words, None))
    spoke = loudest_of(connection, [one.day for one in found], period.zone, brand)
    return [replace(one, stakeholder=spoke.get(one.day)) for one in found]


def _by_day(rows: Iterable[DayCount]) -> dict[date, tuple[int, int]]:
    """Add brands together; days that nobody heard are absent."""
    sums: dict[date, tuple[int, int]] = {}
    for row in rows:
        if row.mentions is not None and row.negative is not None:
            mentioned, negative = sums.get(row.day, (0, 0))
            sums[row.day] = (mentioned + row.mentions, negative + row.negative)
    return sums
