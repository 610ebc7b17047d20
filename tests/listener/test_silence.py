"""Silence: a source that answers and brings nothing, judged on its own habit, without crying wolf."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.config import Config, parse
from listener.database import Store
from listener.silence import HISTORY, find_silences, judge
from listener.store import runs

MONDAY = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
HOUR, DAY = 3600.0, 86400.0
QUARTER = timedelta(minutes=15)


def office(days: int, seed: int = 1, every: float = 900.0) -> list[float]:
    """Give the arrivals of a source that is busy from 8 to 18 h on working days and closed else."""
    draw, found = random.Random(seed), []
    for day in range(days):
        if day % 7 < 5:
            at = MONDAY + day * DAY + 8 * HOUR
            while at < MONDAY + day * DAY + 18 * HOUR:
                if draw.random() < 0.8:
                    found.append(at)
                at += every
    return found


def silent(arrivals: list[float], now: float, unheard: Any = (), every: timedelta = QUARTER) -> bool:
    return judge("x", [at for at in arrivals if at <= now], unheard, every, now) is not None


def test_nights_and_weekends_of_a_quiet_source_are_no_silence() -> None:
    arrivals = office(63)
    assert not any(silent(arrivals, MONDAY + 35 * DAY + hour * HOUR) for hour in range(24 * 28))


def test_a_source_that_dies_on_a_working_morning_is_told_the_same_day() -> None:
    arrivals = [at for at in office(70) if at < MONDAY + 42 * DAY + 10 * HOUR]
    told = next(hour for hour in range(48) if silent(arrivals, MONDAY + 42 * DAY + hour * HOUR))
    assert 11 <= told <= 16


def test_a_source_that_dies_on_a_friday_night_is_told_on_monday() -> None:
    arrivals = [at for at in office(70) if at < MONDAY + 46 * DAY + 18 * HOUR]
    died = MONDAY + 46 * DAY + 18 * HOUR
    told = next(hour for hour in range(100) if silent(arrivals, died + hour * HOUR))
    assert 62 <= told <= 72, "Monday, 8 to 18 h"


def test_a_silence_lasts_until_something_comes_however_long() -> None:
    arrivals = [at for at in office(70) if at < MONDAY + 42 * DAY + 10 * HOUR]
    assert all(silent(arrivals, MONDAY + day * DAY) for day in range(43, 200))
    found = judge("x", arrivals, (), QUARTER, MONDAY + 100 * DAY)
    assert found is not None
    assert found.since == datetime.fromtimestamp(arrivals[-1], UTC)
    assert found.expected >= 12
    assert not silent([*arrivals, MONDAY + 99 * DAY + 12 * HOUR], MONDAY + 99 * DAY + 12.5 * HOUR)


def test_time_in_which_nobody_listened_is_no_silence() -> None:
    arrivals = [at for at in office(70) if at < MONDAY + 42 * DAY + 10 * HOUR]
    now = MONDAY + 42 * DAY + 18 * HOUR
    assert silent(arrivals, now)
    assert not silent(arrivals, now, [(MONDAY + 42 * DAY + 10 * HOUR, now - HOUR)])
    later = MONDAY + 43 * DAY + 18 * HOUR
    assert silent(arrivals, later, [(MONDAY + 42 * DAY + 10 * HOUR, now - HOUR)]), "it is judged on when it was heard"


def test_past_weeks_that_nobody_heard_say_nothing() -> None:
    arrivals = [at for at in office(70) if at < MONDAY + 42 * DAY + 10 * HOUR]
    deaf = [(MONDAY + day * DAY, MONDAY + (day + 1) * DAY) for day in (14, 21, 28, 35)]
    heard = [at for at in arrivals if not any(start <= at < end for start, end in deaf)]
    assert not silent(heard, MONDAY + 42 * DAY + 17 * HOUR, deaf)


def test_a_source_without_a_habit_is_never_silent() -> None:
    assert not silent(office(3), MONDAY + 40 * DAY)
    assert not silent([MONDAY + day * DAY for day in range(19)], MONDAY + 60 * DAY)
    assert not silent([], MONDAY)


def test_a_slow_source_is_given_three_times_its_own_interval() -> None:
    """Thirty arrivals a day, but asked once in twelve hours: an empty poll is no news."""
    arrivals = [MONDAY + place * 12 * HOUR for place in range(100)]
    every = timedelta(hours=12)
    assert not silent(arrivals, arrivals[-1] + 35 * HOUR, every=every)
    assert silent(arrivals, arrivals[-1] + 7 * DAY, every=every)


def traffic(draw: random.Random, rate: float, days: int) -> list[float]:
    """Give arrivals by the hour: Poisson, fewer at night and at weekends, and one day that falls out unannounced."""
    night = (
        0.2,
        0.1,
        0.1,
        0.1,
        0.1,
        0.1,
        0.3,
        0.7,
        1.2,
        1.6,
        1.7,
        1.7,
        1.6,
        1.6,
        1.6,
        1.6,
        1.6,
        1.6,
        1.7,
        1.8,
        1.8,
        1.6,
    )
    slump = draw.randrange(28, days)
    found = []
    for hour in range(days * 24):
        day = hour // 24
        mean = rate / 24 * (night[hour % 24] if hour % 24 < 22 else 0.6) * (0.5 if day % 7 > 4 else 1.2)
        at, left = MONDAY + hour * HOUR, mean * (0.4 if day == slump else 1)
        while left > 0 and (step := draw.expovariate(1)) < left:
            found.append(at + HOUR * draw.random())
            left -= step
    return sorted(found)


def test_false_alarms_are_rare_and_a_dead_source_of_fifty_posts_a_day_is_found_within_one() -> None:
    """A small part of the simulation whose figures stand in docs/health.md."""
    alarms, found = 0, []
    for seed in range(12):
        arrivals = traffic(random.Random(seed), 50, 60)
        known, last = 0, 0.0
        for beat in range(28 * 24, 60 * 24):
            now = MONDAY + beat * HOUR
            while known < len(arrivals) and arrivals[known] <= now:
                known += 1
            if known and now - arrivals[known - 1] > 2 * HOUR:  # else it cannot be silent
                told = judge("x", arrivals[:known], (), QUARTER, now)
                if told is not None and arrivals[known - 1] != last:
                    alarms, last = alarms + 1, arrivals[known - 1]
        dead = MONDAY + (50 + seed % 7) * DAY + 11 * HOUR
        alive = [at for at in arrivals if at < dead]
        found.append(next((hour for hour in range(100) if silent(alive, dead + hour * HOUR)), 100))
    assert alarms <= 1, "one a source in 60 days would be 6"
    assert sorted(found)[10] <= 24, found


@pytest.fixture
def config(tmp_path: Path) -> Config:
    table: dict[str, Any] = {
        "brands": {"a": {"name": "A"}},
        "departments": {"communications": {"alert": ["mail:a@example.org"]}},
        "sources": {
            "x": {"kind": "file", "path": "x", "every": "15 minutes"},
            "busy": {"kind": "file", "path": "y", "every": "15 minutes"},
        },
    }
    return parse(table, tmp_path, {})


NOW = datetime(2026, 4, 13, 17, tzinfo=UTC)  # a Monday


def write(connection: sa.Connection, source: str, dead: datetime | None, outcome: str = "ok") -> None:
    rows, at, step = [], NOW - HISTORY - timedelta(days=10), 0
    while at <= NOW:
        new = int(8 <= at.hour < 20 and step % 3 > 0 and (dead is None or at < dead))
        rows.append({"source": source, "started_at": at, "finished_at": at, "outcome": "ok", "new": new})
        at, step = at + QUARTER, step + 1
    rows[-1]["outcome"] = outcome
    connection.execute(runs.insert(), rows)


def test_only_the_source_that_answers_and_brings_nothing_is_silent(store: Store, config: Config) -> None:
    with store.write() as connection:
        write(connection, "x", NOW - timedelta(hours=8))
        write(connection, "busy", None)
        (found,) = find_silences(connection, config, NOW)
    assert (found.source, found.weeks) == ("x", 4)
    assert NOW - found.since < timedelta(hours=8, minutes=31)


def test_a_source_that_fails_is_not_silent_but_failing(store: Store, config: Config) -> None:
    with store.write() as connection:
        write(connection, "x", NOW - timedelta(hours=8), outcome="not allowed")
        assert find_silences(connection, config, NOW) == []


def test_a_public_holiday_is_like_no_other_day(store: Store, config: Config) -> None:
    good_friday = datetime(2026, 4, 3, 23, tzinfo=UTC)  # 18:00 in Lima
    with store.write() as connection:
        rows, at = [], good_friday - HISTORY - timedelta(days=10)
        while at <= good_friday + timedelta(days=3):
            holiday = (
                datetime(2026, 4, 2, 5, tzinfo=UTC) <= at < datetime(2026, 4, 4, 5, tzinfo=UTC)
            )  # and the Thursday
            new = int(8 <= at.hour < 20 and not holiday and at < good_friday)
            rows.append({"source": "x", "started_at": at, "finished_at": at, "outcome": "ok", "new": new})
            at += QUARTER
        connection.execute(runs.insert(), rows)
        assert find_silences(connection, config, good_friday) == []
        assert [one.source for one in find_silences(connection, config, good_friday + timedelta(days=3))] == ["x"]


def test_a_source_that_nobody_asks_is_not_silent(store: Store, config: Config) -> None:
    with store.write() as connection:
        write(connection, "x", None)
        assert find_silences(connection, config, NOW + timedelta(days=1)) == []
