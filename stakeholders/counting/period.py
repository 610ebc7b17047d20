"""Cut time into local weeks and days, and days into the UTC hours that mentions are counted by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from listener.mention import aware

__all__ = ["Day", "Period", "last_days", "last_whole_week", "midnight", "to_day_end", "week", "week_name"]


@dataclass(frozen=True, slots=True)
class Day:
    """Hold one local day and its UTC hours since 1970: first ≤ hour < end (23 to 25 of them where clocks change)."""

    date: date
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Period:
    """Hold a stretch of time, start ≤ t < end, and the zone in which its days are counted.

    An hour belongs to the day in which it begins; zones that are off by half an hour lend half an hour to a neighbour,
    the same in every figure.
    """

    start: datetime
    end: datetime
    zone: ZoneInfo

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", aware(self.start))
        object.__setattr__(self, "end", aware(self.end))
        if self.end <= self.start:
            raise ValueError(f"a period must end after it starts: {self.start.isoformat()} to {self.end.isoformat()}")

    @property
    def first_hour(self) -> int:
        """Give the first UTC hour counted."""
        return _hour(self.start)

    @property
    def end_hour(self) -> int:
        """Give the first UTC hour that is no longer counted."""
        return _hour(self.end)

    @property
    def first_day(self) -> date:
        """Give the local day in which the period starts."""
        return self.start.astimezone(self.zone).date()

    @property
    def last_day(self) -> date:
        """Give the last local day of which something is in the period."""
        return (self.end - timedelta(microseconds=1)).astimezone(self.zone).date()

    @property
    def days(self) -> tuple[Day, ...]:
        """Give the local days, each with its hours; together they hold every hour of the period once."""
        return _cut(self)

    def previous(self, count: int = 1) -> Period:
        """Give the stretch before it, as many local days long; with `count`, that many stretches before."""
        if self._whole_days():
            length = timedelta(days=len(self.days) * count)
            ends = timedelta(days=len(self.days) * (count - 1))
            return Period(
                midnight(self.first_day - length, self.zone), midnight(self.first_day - ends, self.zone), self.zone
            )
        span = self.end - self.start
        return Period(self.start - span * count, self.start - span * (count - 1), self.zone)

    def _whole_days(self) -> bool:
        after = self.last_day + timedelta(days=1)
        return self.start == midnight(self.first_day, self.zone) and self.end == midnight(after, self.zone)


@lru_cache(maxsize=256)  # a page cuts the same few periods for every figure
def _cut(period: Period) -> tuple[Day, ...]:
    first, zone = period.first_day, period.zone
    dates = [first + timedelta(days=step) for step in range((period.last_day - first).days + 1)]
    edges = [period.first_hour, *(_hour(midnight(day, zone)) for day in dates[1:]), period.end_hour]
    return tuple(Day(day, edges[place], edges[place + 1]) for place, day in enumerate(dates))


def _hour(moment: datetime) -> int:
    """Give the first whole hour since 1970 that begins at a moment or after it."""
    return int(-(-moment.timestamp() // 3600))


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Give the moment a local day begins, in UTC; where clocks skip midnight, the first moment of that day."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def to_day_end(now: datetime, days: int, zone: ZoneInfo) -> timedelta:
    """Give how long it is to 23:59 of the local day `days` from now, the same end for all that is written in a day."""
    return midnight(now.astimezone(zone).date() + timedelta(days=days + 1), zone) - timedelta(minutes=1) - now


def week(name: str, zone: ZoneInfo) -> Period:
    """Read an ISO week ("2026-W46"): Monday 00:00 to the next Monday 00:00, local; ValueError for anything else."""
    try:
        year, _, number = name.partition("-W")
        monday = date.fromisocalendar(int(year), int(number), 1)
    except ValueError:
        raise ValueError(f"'{name}' is not a week; write it as 2026-W46") from None
    return Period(midnight(monday, zone), midnight(monday + timedelta(days=7), zone), zone)


def week_name(day: date) -> str:
    """Name the ISO week of a day: "2026-W46"."""
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02d}"


def last_whole_week(now: datetime, zone: ZoneInfo) -> Period:
    """Give the last local week, Monday to Sunday, that is over at `now`."""
    today = aware(now).astimezone(zone).date()
    return week(week_name(today - timedelta(days=7)), zone)


def last_days(count: int, now: datetime, zone: ZoneInfo) -> Period:
    """Give the last local days up to the end of today; today counts as one and may still be running."""
    if count < 1:
        raise ValueError("a period has at least one day")
    tomorrow = aware(now).astimezone(zone).date() + timedelta(days=1)
    return Period(midnight(tomorrow - timedelta(days=count), zone), midnight(tomorrow, zone), zone)
