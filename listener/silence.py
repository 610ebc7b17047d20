"""Find sources that answer and bring nothing: by each source's own habit, at the same hours of its past weeks.

A key that lost a permission, a search that a platform changed, a feed that moved: such a source fails at nothing and
stays empty. Nights and weekends of a quiet source are no silence, so a stretch is compared with the same hours one to
four weeks before; three times the usual interval is the least.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.gaps import find_gaps
from listener.store import runs

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from listener.config import Config

__all__ = ["HISTORY", "SLOT", "Silence", "find_silences", "judge"]

HISTORY = timedelta(days=28)
SLOT = timedelta(minutes=10)  # what came within ten minutes is one arrival: a thread of answers is one event
LEAST = 20  # arrivals in the history; a source of fewer has no habit
TIMES = 3  # the usual interval
WEEKS = 4
_READ = timedelta(days=7 * WEEKS + 7)  # so far back lie the same hours of the fourth week
KNOWN = 2  # weeks that must have been heard
EXPECTED = (
    12.0  # arrivals at the same hours of past weeks, on average: by chance alone, none comes once in 160,000 times
)
FEWEST = 6  # and in the poorest of those weeks: a campaign or a holiday is not the habit

_WEEK = 7 * 86400.0  # seconds
_Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Silence:
    """Hold the silence of a source that answers: nothing new since, where usually so much comes in that time."""

    source: str
    since: datetime  # the last arrival
    usual: timedelta  # the interval that 19 of 20 arrivals keep to
    expected: int  # arrivals in the same hours of past weeks, on average
    weeks: int  # how many past weeks were heard then


def judge(
    source: str, arrivals: Sequence[float], unheard: Sequence[_Span], every: timedelta, now: float
) -> Silence | None:
    """Tell whether a source is silent at `now`; None when it is not, or nothing can be said. Times are POSIX seconds.

    `arrivals` are sorted: one moment for each slot in which something new came. `unheard` are the stretches that do not
    count: nobody listened, or a holiday. They are no silence, and a past week that has one in those hours says nothing.
    A silence lasts until something comes, however long that takes: its first week is what is compared.
    """
    if len(arrivals) < LEAST:
        return None
    last = arrivals[-1]
    known = arrivals[bisect_left(arrivals, last - HISTORY.total_seconds()) :]
    steps = sorted(two - one for one, two in pairwise(known) if not _missed(unheard, one, two))
    if len(steps) < LEAST - 1:
        return None
    usual = max(steps[int(len(steps) * 0.95)], every.total_seconds())
    for start, end in _heard(last, unheard, now):
        if end - start < TIMES * usual:
            continue
        end = min(end, start + _WEEK)
        counts = []
        for back in range(1, WEEKS + 1):
            one, two = start - back * _WEEK, end - back * _WEEK
            if one >= arrivals[0] and not _missed(unheard, one, two):
                counts.append(bisect_right(arrivals, two) - bisect_right(arrivals, one))
        if len(counts) >= KNOWN and min(counts) >= FEWEST and sum(counts) >= EXPECTED * len(counts):
            average = round(sum(counts) / len(counts))
            return Silence(source, datetime.fromtimestamp(last, UTC), timedelta(seconds=usual), average, len(counts))
    return None


def _heard(last: float, unheard: Sequence[_Span], now: float) -> Iterator[_Span]:
    """Give the stretches since the last arrival in which somebody listened; those of the first two weeks."""
    missed = sorted(span for span in unheard if span[1] > last and span[0] < now)
    starts = [last, *(end for _, end in missed)]
    ends = [*(start for start, _ in missed), now]
    for start, end in zip(starts, ends, strict=True):
        if start < end and start - last <= 2 * _WEEK:
            yield start, end


def _missed(unheard: Sequence[_Span], start: float, end: float) -> bool:
    return any(one < end and two > start for one, two in unheard)


def find_silences(connection: Connection, config: Config, now: datetime, known: Collection[str] = ()) -> list[Silence]:
    """Find the connected sources that answer and are silent at `now`, in the order of the configuration.

    Those in `known` are left out: nothing has come from them since they were found silent. A source that fails, waits
    or was not asked lately is not silent: its health says so. Source: the run table.
    """
    found = []
    for name in (one for one in config.sources if one not in known):
        every = config.settings.sources[name].every
        newest = _newest(connection, name, every, now)
        if newest is None or not _came_before(connection, name, newest, now):
            continue
        first, last = newest - _READ, min(now, newest + 3 * timedelta(seconds=_WEEK))
        gaps = find_gaps(connection, first, last, now, name)
        unheard = [(gap.start.timestamp(), gap.end.timestamp()) for gap in gaps]
        unheard += _holidays(config.settings.instance.country, config.zone, first, last)
        silence = judge(name, _arrivals(connection, name, newest), unheard, every, now.timestamp())
        if silence is not None:
            found.append(silence)
    return found


def _newest(connection: Connection, source: str, every: timedelta, now: datetime) -> datetime | None:
    """Give when a source that answers brought something last; None when it does not answer, or that was just now."""
    ended, brought = _last_runs()
    last = connection.execute(ended, {"name": source}).one_or_none()
    if last is None or last.outcome != "ok" or now - last.started_at > max(timedelta(hours=2), TIMES * every):
        return None
    newest = connection.scalar(brought, {"name": source})
    return newest if newest is not None and now - newest >= TIMES * max(every, SLOT) else None


@cache
def _last_runs() -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Give the queries of a source's last run that ended and its last that brought something: asked of each source."""
    mine, at = runs.c.source == sa.bindparam("name"), runs.c.started_at
    ended = sa.select(runs.c.outcome, at).where(mine, runs.c.outcome != "running")
    brought = sa.select(at).where(mine, runs.c.new > 0)
    return ended.order_by(at.desc(), runs.c.id.desc()).limit(1), brought.order_by(at.desc()).limit(1)


def _came_before(connection: Connection, source: str, newest: datetime, now: datetime) -> bool:
    """Tell whether enough came at the same hours of past weeks; a few short ranges of an index, asked every minute.

    Through a night this says no, and the closer look is spared.
    """
    week, counts = timedelta(seconds=_WEEK), []
    for back in range(1, WEEKS + 3):
        start, end = newest - back * week, min(now, newest + 3 * week) - back * week
        at = sa.and_(runs.c.started_at > start, runs.c.started_at <= end)
        slots = sa.select(sa.func.count(_slot().distinct())).where(runs.c.source == source, runs.c.new > 0, at)
        counts.append(connection.scalar(slots) or 0)
    return max(counts) >= EXPECTED and sum(count >= FEWEST for count in counts) >= KNOWN


def _slot() -> sa.ColumnElement[int]:
    return sa.cast(sa.extract("epoch", runs.c.started_at), sa.BigInteger) // int(SLOT.total_seconds())


def _holidays(country: str, zone: ZoneInfo, first: datetime, last: datetime) -> list[_Span]:
    """Give the public holidays of a country that touch a stretch, each as a whole local day."""
    import holidays

    try:
        known = holidays.country_holidays(country.upper(), years=range(first.year, last.year + 1))
    except NotImplementedError:
        return []
    found = []
    for day in known:
        start, end = (datetime.combine(day + timedelta(days=one), time(), zone) for one in (0, 1))
        if start < last and end > first:
            found.append((start.timestamp(), end.timestamp()))
    return sorted(found)


def _arrivals(connection: Connection, source: str, newest: datetime) -> list[float]:
    """Give when something new came, in POSIX seconds: the last run that brought any in each slot, oldest first."""
    at = runs.c.started_at
    query = (
        sa.select(sa.func.max(at, type_=at.type))
        .where(runs.c.source == source, runs.c.new > 0, at >= newest - _READ, at <= newest)
        .group_by(_slot())
    )
    return sorted(moment.timestamp() for moment in connection.scalars(query))
