"""Count working time: shifts and breaks, public and regional holidays, right across clock changes.

A shift opens at the first moment at which the clock on the wall shows its opening hour or later, and closes likewise:
an hour that the clock skips is not worked, and one that it shows twice is worked twice.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from listener.mention import aware
from listener.tables.sla import DAYS

__all__ = [
    "Hours",
    "Ruler",
    "Shift",
    "business_day_after",
    "due",
    "is_worked",
    "plain_hours",
    "shifts_between",
    "working_time",
]

log = logging.getLogger("escucha.stakeholders")

Shift = tuple[int, int]  # minutes since midnight; past 1440 is the next day
_FURTHEST = 366 * 20  # days looked ahead before saying that the clock never runs out


@dataclass(frozen=True, slots=True)
class Hours:
    """Hold when a team works: shifts by weekday from Monday on, the zone of the wall clock, and which days are free."""

    week: tuple[tuple[Shift, ...], ...]
    zone: ZoneInfo
    country: str | None = None  # two letters: whose holidays are kept
    region: str | None = None
    holidays: bool = True
    categories: tuple[str, ...] = ()  # beside the public holidays
    free: frozenset[date | tuple[int, int]] = field(default_factory=frozenset)  # (month, day): every year
    worked: frozenset[date | tuple[int, int]] = field(default_factory=frozenset)
    usual: tuple[Shift, ...] = ()  # of a worked day whose weekday has none


def plain_hours(
    days: tuple[str, ...], opens: time, closes: time, zone: ZoneInfo, country: str | None = None, holidays: bool = True
) -> Hours:
    """Give hours with one shift on each of some weekdays ("mon"…)."""
    shift = (60 * opens.hour + opens.minute, 60 * closes.hour + closes.minute)
    week = tuple((shift,) if day in days else () for day in DAYS)
    return Hours(week, zone, country, holidays=holidays, usual=(shift,))


def is_worked(day: date, hours: Hours) -> bool:
    """Tell whether anybody works on a local day: a worked day of the team goes before its free days and holidays."""
    yearly = (day.month, day.day)
    if day in hours.worked or yearly in hours.worked:
        return True
    if day in hours.free or yearly in hours.free or not hours.week[day.weekday()]:
        return False
    return not hours.holidays or day not in _holidays(hours.country, hours.region, hours.categories, day.year)


def business_day_after(day: date, count: int, hours: Hours) -> date:
    """Give the `count`-th business day after a day, which itself never counts; the day itself for 0.

    Raises ValueError for a negative count, or hours in which nobody ever works.
    """
    if count < 0:
        raise ValueError("a clock cannot run backwards")
    for _ in range(_FURTHEST):
        if count == 0:
            return day
        day += timedelta(days=1)
        count -= is_worked(day, hours)
    raise ValueError("nobody works in these hours: the clock would never run out")


def due(start: datetime, within: timedelta, hours: Hours, round_the_clock: bool = False) -> datetime:
    """Give the UTC moment at which `within` has passed since `start`: of working time, unless round the clock.

    Raises ValueError for a naive time, a negative span, or hours in which nobody ever works.
    """
    start = aware(start)
    if within < timedelta(0):
        raise ValueError("a clock cannot run backwards")
    if round_the_clock:
        return start + within
    left = within
    for opened, closed in shifts_between(start, hours):
        if closed - opened >= left:
            return opened + left
        left -= closed - opened
    raise ValueError("nobody works in these hours: the clock would never run out")


def working_time(start: datetime, end: datetime, hours: Hours) -> timedelta:
    """Give the working time between two aware moments; zero when the end is not after the start."""
    start, end = aware(start), aware(end)
    worked = timedelta(0)
    if end <= start:
        return worked
    for opened, closed in shifts_between(start, hours):
        if opened >= end:
            break
        worked += min(closed, end) - opened
    return worked


class Ruler:
    """Measure working time again and again within one stretch of time: its shifts are worked out once."""

    def __init__(self, hours: Hours, start: datetime, end: datetime) -> None:
        self._start, self._end = aware(start), aware(end)
        self._shifts: list[tuple[datetime, datetime]] = []
        self._opens: list[datetime] = []
        self._before: list[timedelta] = []  # worked before each shift
        worked = timedelta(0)
        for opened, closed in shifts_between(self._start, hours):
            if opened >= self._end:
                break
            self._shifts.append((opened, closed))
            self._opens.append(opened)
            self._before.append(worked)
            worked += closed - opened

    def worked(self, start: datetime, end: datetime) -> timedelta:
        """Give the working time between two moments; zero when the end is not after the start.

        Raises ValueError for a moment outside of the stretch.
        """
        if end <= start:
            return timedelta(0)
        if start < self._start or end > self._end:
            raise ValueError("this ruler is too short")
        return self._until(end) - self._until(start)

    def _until(self, moment: datetime) -> timedelta:
        place = bisect_right(self._opens, moment) - 1
        if place < 0:
            return timedelta(0)
        opened, closed = self._shifts[place]
        return self._before[place] + min(moment, closed) - opened


def shifts_between(start: datetime, hours: Hours) -> Iterator[tuple[datetime, datetime]]:
    """Yield in UTC, in order and never twice, each stretch of work that is not over at `start`, cut to begin there."""
    start = over = aware(start)
    first = start.astimezone(hours.zone).date() - timedelta(days=2)  # yesterday's night shift may still run
    for ahead in range(_FURTHEST):
        for opened, closed in _shifts_of(first + timedelta(days=ahead), hours):
            begin = max(opened, over)  # shifts that overlap are worked once
            if closed > begin:
                yield begin, closed
                over = closed


def _shifts_of(day: date, hours: Hours) -> list[tuple[datetime, datetime]]:
    if not is_worked(day, hours):
        return []
    shifts = hours.week[day.weekday()] or hours.usual
    return [(_moment(day, opens, hours.zone), _moment(day, closes, hours.zone)) for opens, closes in sorted(shifts)]


def _moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Give the first moment in UTC at which the clock on the wall shows a minute of a day, or has jumped past it."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    # The clock jumps over it. PEP 495: the two folds lie on both sides of the jump, which is then halved in on.
    before, after = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), moment
    old = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == old else (before, middle)
    return after


@lru_cache(maxsize=1024)
def _holidays(country: str | None, region: str | None, categories: tuple[str, ...], year: int) -> frozenset[date]:
    if country is None:
        return frozenset()
    import holidays

    wanted = ("public", *categories) if categories else None
    try:
        return frozenset(holidays.country_holidays(country.upper(), subdiv=region, years=year, categories=wanted))
    except (NotImplementedError, ValueError):
        log.warning("no public holidays are known for %s %s: every weekday counts as worked", country, region or "")
        return frozenset()
