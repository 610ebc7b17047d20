"""Tell whether a figure really changed: two periods are compared by 95 % intervals, never by their numbers alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sentiment.interval import Z, wilson
from stakeholders.counting.period import Period
from stakeholders.insight import Net, Share, overlap

__all__ = [
    "Direction",
    "Growth",
    "before",
    "direction",
    "growth",
    "median_interval",
    "part_direction",
    "span_direction",
]

Direction = Literal["up", "down", "same", "unknown"]  # same: no measurable change; unknown: nothing to compare with
_FEWEST_DAYS = 5  # of each period: of fewer, how much days differ cannot be told
_FEWEST = 10  # mentions of both periods together
_EXACT = 200  # items: beyond, the normal approximation of the binomial gives the same ranks


@dataclass(frozen=True, slots=True)
class Growth:
    """Hold how a number of mentions changed: now by day / before by day, with its 95 % interval."""

    mentions: int | None
    mentions_before: int | None
    ratio: float | None
    low: float | None
    high: float | None
    direction: Direction


def before(period: Period, now: datetime) -> tuple[Period, Period]:
    """Give a period as far as it is over at `now`, and the stretch before it up to the same hour of its last day."""
    earlier = period.previous()
    if not period.start < now < period.end:
        return period, earlier
    return Period(period.start, now, period.zone), Period(
        earlier.start, min(earlier.end, earlier.start + (now - period.start)), period.zone
    )


def direction(one: Share | Net | None, two: Share | Net | None) -> Direction:
    """Tell where a share or a net sentiment went since the period `two`, by `insight.overlap`."""
    told, earlier = _value(one), _value(two)
    if one is None or two is None or told is None or earlier is None:
        return "unknown"
    if overlap(one, two):
        return "same"
    return "up" if told > earlier else "down"


def part_direction(part: tuple[int, int], earlier: tuple[int, int]) -> Direction:
    """Tell where a part (k of n) went since the period before, by Wilson's intervals."""
    if not part[1] or not earlier[1]:
        return "unknown"
    return _apart(wilson(*part), wilson(*earlier))


def growth(days: Sequence[int | None], earlier: Sequence[int | None]) -> Growth:
    """Tell how many more mentions a day brought than in the period before, from counts by day; None: not heard.

    The interval is that of the ratio of two rates on the logarithm's scale, widened by how much days really differ: the
    Pearson dispersion of the days around their period's mean, never below that of chance alone (quasi-Poisson:
    McCullagh and Nelder, Generalized Linear Models, 2nd ed. 1989, 6.2).
    """
    heard = [count for count in days if count is not None]
    then = [count for count in earlier if count is not None]
    told = (sum(heard) if heard else None, sum(then) if then else None)
    few = min(len(heard), len(then)) < _FEWEST_DAYS or sum(heard) + sum(then) < _FEWEST
    if few or not sum(heard) or not sum(then):
        return Growth(*told, None, None, None, "unknown")
    ratio = (sum(heard) / len(heard)) / (sum(then) / len(then))
    misfit = sum(_misfit(counts) for counts in (heard, then))
    scale = max(1.0, misfit / (len(heard) + len(then) - 2))
    half = Z * math.sqrt(scale * (1 / sum(heard) + 1 / sum(then)))
    low, high = ratio * math.exp(-half), ratio * math.exp(half)
    return Growth(*told, ratio, low, high, "up" if low > 1 else "down" if high < 1 else "same")


def median_interval(spans: Sequence[timedelta]) -> tuple[timedelta, timedelta] | None:
    """Give the 95 % interval of a median of sorted spans by their order; None of fewer than six, where there is none.

    It asks for no shape of the distribution (David and Nagaraja, Order Statistics, 3rd ed. 2003, 7.1).
    """
    size = len(spans)
    if size < 6:
        return None
    if size > _EXACT:
        place = max(1, math.floor(size / 2 - Z * math.sqrt(size) / 2))
    else:
        place, below = 0, 0
        while (below := below + math.comb(size, place)) <= 0.025 * 2**size:
            place += 1
    return spans[place - 1], spans[size - place]


def span_direction(spans: Sequence[timedelta], earlier: Sequence[timedelta]) -> Direction:
    """Tell where a median time went since the period before; unknown where one of them has too few for an interval."""
    one, two = median_interval(spans), median_interval(earlier)
    if one is None or two is None:
        return "unknown"
    return _apart(*(tuple(part.total_seconds() for part in pair) for pair in (one, two)))  # type: ignore[arg-type]


def _apart(one: tuple[float, float], two: tuple[float, float]) -> Direction:
    if one[0] > two[1]:
        return "up"
    return "down" if one[1] < two[0] else "same"


def _misfit(counts: Sequence[int]) -> float:
    mean = sum(counts) / len(counts)
    return sum((count - mean) ** 2 / mean for count in counts)


def _value(one: Share | Net | None) -> float | None:
    return one.share if isinstance(one, Share) else one.net if isinstance(one, Net) else None
