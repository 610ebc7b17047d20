"""The clock: memory in the database, back-off that survives a restart, no job starves another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.clock import CYCLE, Clock, next_due, plan, read_due, settle_job
from listener.config import Config, parse
from listener.database import Store
from listener.errors import NotAllowed, RateLimited, SourceError, Unreachable
from listener.store import jobs

NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)
EVERY = timedelta(minutes=10)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    table: dict[str, Any] = {
        "brands": {"a": {"name": "A"}},
        "departments": {"communications": {"alert": ["mail:a@example.org"]}},
        "sources": {name: {"kind": "file", "path": name, "every": "10 minutes"} for name in ("one", "two", "three")},
    }
    return parse(table, tmp_path, {})


def due_after(failures: int, error: SourceError | None, chance: float = 1.0) -> timedelta:
    return next_due(NOW, EVERY, failures, error, lambda: chance) - NOW


def test_a_job_that_went_well_is_due_after_its_span_and_up_to_a_tenth_more() -> None:
    assert due_after(0, None, 0.0) == EVERY
    assert due_after(0, None, 1.0) == EVERY * 1.1


def test_back_off_doubles_with_full_jitter_up_to_a_quarter_of_an_hour() -> None:
    error = Unreachable("x", "no answer")
    assert [due_after(n, error) for n in (1, 2, 3)] == [timedelta(seconds=s) for s in (60, 120, 240)]
    assert due_after(60, error) == timedelta(minutes=15)
    assert due_after(60, error, 0.0) == timedelta(seconds=1)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (timedelta(minutes=3), timedelta(minutes=3)),
        (timedelta(days=3650), timedelta(hours=1)),
        (timedelta(seconds=-5), timedelta(seconds=1)),
    ],
)
def test_a_platforms_limit_is_honoured_between_a_second_and_an_hour(asked: timedelta, given: timedelta) -> None:
    assert due_after(1, RateLimited("x", "slow down", until=NOW + asked)) == given


def test_a_refused_key_is_tried_again_once_an_hour() -> None:
    assert due_after(1, NotAllowed("x", "the key is refused")) == timedelta(hours=1)


def test_due_times_and_failures_are_remembered_by_the_database(store: Store) -> None:
    with store.write() as connection:
        plan(connection, ["collect/one", CYCLE], NOW)
        assert settle_job(connection, "collect/one", EVERY, NOW, Unreachable("one", "x"), lambda: 1.0) == 1
        assert settle_job(connection, "collect/one", EVERY, NOW, Unreachable("one", "x"), lambda: 1.0) == 2
    with store.write() as connection:  # another start of the program
        plan(connection, ["collect/one", CYCLE], NOW + timedelta(seconds=1))
        assert read_due(connection, NOW + timedelta(seconds=1)) == [CYCLE]
        assert read_due(connection, NOW + timedelta(seconds=121)) == [CYCLE, "collect/one"]
        assert settle_job(connection, "collect/one", EVERY, NOW, None) == 0


def test_a_job_that_the_configuration_dropped_is_forgotten(store: Store) -> None:
    with store.write() as connection:
        plan(connection, ["collect/one", CYCLE], NOW)
        plan(connection, [CYCLE], NOW)
        assert list(connection.scalars(sa.select(jobs.c.name))) == [CYCLE]


def test_after_a_week_of_downtime_each_source_is_polled_once(config: Config, store: Store) -> None:
    polled: list[str] = []
    moment = [NOW]

    def collect(name: str, now: datetime) -> None:
        polled.append(name)

    clock = Clock(config, store, collect, lambda now: None, now=lambda: moment[0])
    clock.run_once()
    polled.clear()
    moment[0] += timedelta(days=7)
    with store.read() as connection:
        for name in read_due(connection, moment[0]):
            clock.work(name)
    with store.read() as connection:
        assert read_due(connection, moment[0]) == []
    assert sorted(polled) == ["one", "three", "two"]


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_source_that_hangs_or_raises_does_not_delay_the_others(
    config: Config, store: Store, stop: threading.Event
) -> None:
    seen: dict[str, threading.Event] = {name: threading.Event() for name in ("one", "two", "three", CYCLE)}
    release = threading.Event()

    def collect(name: str, now: datetime) -> SourceError | None:
        seen[name].set()
        if name == "one":
            release.wait(30)
        if name == "two":
            raise RecursionError("a library's fault")
        return None

    clock = Clock(config, store, collect, lambda now: seen[CYCLE].set())
    running = threading.Thread(target=clock.run, args=(stop,))
    running.start()
    try:
        assert all(event.wait(20) for event in seen.values())
    finally:
        release.set()
        stop.set()
        running.join(20)
    assert not running.is_alive()
    with store.read() as connection:
        rows = {row.name: row for row in connection.execute(sa.select(jobs))}
    assert rows["collect/two"].failures == 1
    assert rows["collect/two"].error == "an unexpected fault: RecursionError"
    assert rows["collect/three"].failures == 0


def test_a_repeated_failure_is_told_with_its_count(config: Config, store: Store) -> None:
    told: list[tuple[str, int]] = []
    error = Unreachable("one", "no answer")
    clock = Clock(
        config,
        store,
        lambda name, now: error if name == "one" else None,
        lambda now: None,
        tell=lambda connection, name, error, failures, now: told.append((name, failures)),
    )
    for _ in range(3):
        clock.run_once()
    assert told == [("one", 1), ("one", 2), ("one", 3)]
