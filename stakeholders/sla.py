"""Count due times in working hours: the team's days, hours, zone and public holidays, right across clock changes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from listener.mention import aware
from listener.settings import Settings
from listener.taxonomy import Department, Priority

__all__ = ["Hours", "due", "due_at", "hours_of", "within", "working_time"]

log = logging.getLogger("escucha.stakeholders")

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FURTHEST = 366 * 20  # days looked ahead before saying that the clock never runs out


@dataclass(frozen=True, slots=True)
class Hours:
    """Hold when a team works: weekdays ("mon"…), local opening and closing, and the country whose holidays are kept."""

    days: tuple[str, ...]
    opens: time
    closes: time
    zone: ZoneInfo
    country: str | None = None  # two letters
    holidays: bool = True


def hours_of(settings: Settings) -> Hours:
    """Give the working hours of a configuration."""
    sla, instance = settings.sla, settings.instance
    zone = ZoneInfo(instance.timezone)
    return Hours(tuple(sla.days), sla.opens, sla.closes, zone, instance.country, sla.holidays)


def within(priority: Priority, department: Department, settings: Settings) -> tuple[timedelta, bool] | None:
    """Give how long a department has, and whether its clock runs round the clock; None: no answer is owed.

    A department's own `alert_within` / `important_within` goes before [sla].
    """
    table = settings.departments.get(department)
    match priority:
        case "alert":
            return (table.alert_within if table else None) or settings.sla.alert, True
        case "important":
            return (table.important_within if table else None) or settings.sla.important, False
        case _:
            return None


def due_at(priority: Priority, department: Department, settings: Settings, start: datetime) -> datetime | None:
    """Give when a case that starts now must be answered, in UTC; None when no answer is owed."""
    clock = within(priority, department, settings)
    return None if clock is None else due(start, clock[0], hours_of(settings), clock[1])


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
    for opened, closed in _shifts(start, hours):
        begin = max(opened, start)
        if closed - begin >= left:
            return begin + left
        left -= closed - begin
    raise ValueError("nobody works in these hours: the clock would never run out")


def working_time(start: datetime, end: datetime, hours: Hours) -> timedelta:
    """Give the working time between two aware moments; zero when the end is not after the start."""
    start, end = aware(start), aware(end)
    worked = timedelta(0)
    if end <= start:
        return worked
    for opened, closed in _shifts(start, hours):
        if opened >= end:
            break
        worked += min(closed, end) - max(opened, start)
    return worked


def _shifts(start: datetime, hours: Hours) -> Iterator[tuple[datetime, datetime]]:
    """Yield opening and closing in UTC of each working day that is not over at `start`."""
    first = start.astimezone(hours.zone).date() - timedelta(days=1)
    for ahead in range(_FURTHEST):
        day = first + timedelta(days=ahead)
        if _DAYS[day.weekday()] not in hours.days or (hours.holidays and day in _holidays(hours.country, day.year)):
            continue
        # Opening and closing are read on the wall of that day: on a day of clock change it is 23 or 25 hours long.
        opened = datetime.combine(day, hours.opens, hours.zone).astimezone(UTC)
        closed = datetime.combine(day, hours.closes, hours.zone).astimezone(UTC)
        if closed > max(opened, start):
            yield opened, closed


@lru_cache(maxsize=256)
def _holidays(country: str | None, year: int) -> frozenset[date]:
    if country is None:
        return frozenset()
    import holidays

    try:
        return frozenset(holidays.country_holidays(country.upper(), years=year))
    except NotImplementedError:
        log.warning("no public holidays are known for %s: every weekday counts as worked", country)
        return frozenset()
