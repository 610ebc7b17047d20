"""The clock: memory in the database, back-off that survives a restart, no job starves another."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa

from listener.clock import CYCLE, Clock, Job, plan, read_due, settle_job
from listener.config import Config, parse
from listener.database import Store
from listener.errors import NotAllowed, RateLimited, SourceError, Unreachable
from listener.intake import save_page
from listener.lease import take
from listener.mention import Page, Post
from listener.policy import Guard, next_due
from listener.store import jobs, posts, read_cursor, runs

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
    assert due_after(4, error) == timedelta(minutes=8)
    assert due_after(4, error, 0.0) == timedelta(seconds=1)


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


def settled(clock: Clock, *, but: frozenset[str] = frozenset()) -> None:
    """Wait until no job is at work any more, but those that hang."""
    ended = monotonic() + 20
    while clock.busy() - but:
        assert monotonic() < ended, clock.busy()
        threading.Event().wait(0.001)


def test_others_keep_their_polls_beside_a_source_that_always_raises_and_one_that_hangs(
    tmp_path: Path, stop: threading.Event
) -> None:
    table: dict[str, Any] = {
        "brands": {"a": {"name": "A"}},
        "departments": {"communications": {"alert": ["mail:a@example.org"]}},
        "sources": {
            name: {"kind": "file", "path": name, "every": "10 minutes"}
            for name in ("hangs", "raises", "three", "four", "five")
        },
    }
    store = Store(f"sqlite:///{tmp_path}/escucha.db", durable=False)
    store.migrate()
    moment, polls, release = [NOW], Counter[str](), threading.Event()

    def collect(name: str, now: datetime) -> SourceError | None:
        polls[name] += 1
        if name == "hangs":
            release.wait(60)
        if name == "raises":
            raise RecursionError("a library's fault")
        return None

    clock = Clock(parse(table, tmp_path, {}), store, collect, lambda now: None, now=lambda: moment[0])
    threads = clock.start(stop)
    hangs = frozenset({"collect/hangs"})
    beats = 12 * 60
    for _ in range(beats):  # twelve hours, a beat a minute
        clock.beat()
        settled(clock, but=hangs)
        moment[0] += timedelta(minutes=1)
    release.set()
    stop.set()
    for thread in threads:
        thread.join(20)
    clock.leases.close()
    store.close()
    assert polls["hangs"] == 1, "never polled beside itself"
    # A turn is due 10 to 11 minutes after the last and met at the next beat: 11 or 12 beats apart, always.
    fewest = beats // 12
    assert all(polls[name] >= 0.99 * fewest for name in ("three", "four", "five")), polls
    assert polls["raises"] <= 5 + beats // 15, "an open circuit is asked once in 15 minutes"


def test_a_poll_that_does_not_move_is_told_as_stuck_and_left_alone_until_it_returns(
    config: Config, store: Store, stop: threading.Event
) -> None:
    passed, polls, told = [0.0], Counter[str](), list[tuple[str, str, int]]()
    hangs, came = threading.Event(), threading.Event()

    def collect(name: str, now: datetime) -> SourceError | None:
        polls[name] += 1
        if name == "one" and not hangs.is_set():
            with store.write() as connection:
                connection.execute(runs.insert().values(source=name, started_at=now, outcome="running"))
            came.set()
            hangs.wait(60)
        return None

    def tell(connection: Any, name: str, error: SourceError, failures: int, now: datetime) -> None:
        told.append((name, error.kind, failures))

    clock = Clock(config, store, collect, lambda now: None, tell=tell, now=lambda: moment[0], elapsed=lambda: passed[0])
    moment = [NOW]
    threads = clock.start(stop)
    clock.beat()
    assert came.wait(20)
    settled(clock, but=frozenset({"collect/one"}))
    passed[0] = 599.0
    clock.beat()
    assert told == []
    for turn in (1, 2, 3):  # told again for each further patience, so that the third reaches people
        passed[0] = turn * 601.0
        moment[0] += timedelta(minutes=10)
        clock.beat()
        assert told == [("one", "stuck", number) for number in range(1, turn + 1)]
    settled(clock, but=frozenset({"collect/one"}))
    with store.read() as connection:
        row = connection.execute(sa.select(jobs).where(jobs.c.name == "collect/one")).one()
        outcomes = list(connection.scalars(sa.select(runs.c.outcome)))
    assert (row.holder, row.failures) == (None, 3), "another process may poll it"
    assert outcomes == ["stuck"]
    assert polls["one"] == 1, "this one may not, while its thread hangs"
    assert polls["two"] > 1
    hangs.set()
    settled(clock)
    moment[0] += timedelta(hours=2)
    clock.beat()
    settled(clock)
    assert polls["one"] == 2
    with store.read() as connection:
        assert connection.scalar(sa.select(jobs.c.failures).where(jobs.c.name == "collect/one")) == 0
    stop.set()
    for thread in threads:
        thread.join(20)
    clock.leases.close()


def test_a_poll_that_moves_is_never_stuck_however_long_it_takes(config: Config, store: Store) -> None:
    passed, told = [0.0], list[str]()

    def collect(name: str, now: datetime) -> SourceError | None:
        for _ in range(9):
            passed[0] += 300.0
            clock.leases.renew()  # its own thread keeps to real time
            hold = clock.hold_of(name)
            assert hold is not None
            assert not hold.stopping()
            clock.beat()
        return None

    clock = Clock(config, store, collect, lambda now: None, tell=lambda *_: told.append("told"), now=lambda: NOW,
                  elapsed=lambda: passed[0])  # fmt: skip
    clock.run_once()
    assert told == []


def test_the_metronome_goes_on_when_local_time_is_set_back(
    config: Config, tmp_path: Path, stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    import schedule

    store = Store(f"sqlite:///{tmp_path}/escucha.db")
    store.migrate()

    back, beats = [timedelta()], []

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) - back[0]

    monkeypatch.setattr(schedule, "datetime", SimpleNamespace(datetime=Shifted, timedelta=timedelta))
    clock = Clock(config, store, lambda name, now: None, lambda now: None)
    enough = threading.Event()

    def beat() -> None:
        beats.append(1)
        back[0] = timedelta(hours=1)  # summer time ends
        if len(beats) == 3:
            enough.set()

    monkeypatch.setattr(clock, "beat", beat)
    running = threading.Thread(target=clock.run, args=(stop,))
    running.start()
    assert enough.wait(15)
    stop.set()
    running.join(20)
    store.close()


def test_a_stop_leaves_no_half_page_and_keeps_what_was_read(tmp_path: Path) -> None:
    """Fifty stops, each somewhere in a poll of a hundred pages of ten posts."""
    table: dict[str, Any] = {
        "brands": {"a": {"name": "A"}},
        "departments": {"communications": {"alert": ["mail:a@example.org"]}},
        "sources": {"one": {"kind": "file", "path": "one", "every": "1 second"}},
    }
    store = Store(f"sqlite:///{tmp_path}/escucha.db", durable=False)
    store.migrate()
    config, chance, stored = parse(table, tmp_path, {}), random.Random(7), 0
    clock: Clock | None = None
    stop, at = threading.Event(), 0

    def pages(start: int) -> Iterator[Page]:
        for number in range(start, start + 100):
            if number == start + at:
                stop.set()
            yield Page(tuple(Post("one", f"{number}.{n}", "x", NOW) for n in range(10)), str(number + 1))

    def collect(name: str, now: datetime) -> SourceError | None:
        hold = clock.hold_of(name) if clock is not None else None
        assert hold is not None
        with store.read() as connection:
            start = int(read_cursor(connection, name) or 0)
        for page in Guard(pages(start), name, seconds=None, stopping=hold.stopping):
            with store.write() as connection:
                save_page(connection, name, page.posts, [], page.rejected, page.cursor, now)
                hold.fence(connection)
        return None

    for _ in range(50):
        stop, at = threading.Event(), chance.randrange(1, 40)
        clock = Clock(config, store, collect, lambda now: None)
        with store.write() as connection:
            connection.execute(jobs.delete())  # due at once
        clock.run(stop)
        with store.read() as connection:
            found = connection.scalar(sa.select(sa.func.count()).select_from(posts)) or 0
            assert found == 10 * int(read_cursor(connection, "one") or 0), "posts and cursor are one commit"
            assert found - stored == 10 * (at + 1), "it stopped after the page at hand"
            assert connection.scalar(sa.select(jobs.c.holder).where(jobs.c.name == "collect/one")) is None
        stored = found
    store.close()


def test_jobs_beside_the_polls_run_on_their_own_span_and_not_on_request(config: Config, store: Store) -> None:
    swept: list[datetime] = []
    sweep = Job(timedelta(hours=6), lambda now: swept.append(now))
    clock = Clock(config, store, lambda name, now: None, lambda now: None, others={"sweep/one": sweep}, now=lambda: NOW)
    assert "sweep/one" not in clock.run_once()
    assert clock.work("sweep/one")
    assert not clock.work("sweep/one"), "not due"
    with store.read() as connection:
        due = connection.scalar(sa.select(jobs.c.next_due).where(jobs.c.name == "sweep/one"))
    assert due is not None
    assert timedelta(hours=6) <= due - NOW <= timedelta(hours=6.6)
    assert len(swept) == 1


def test_a_job_that_another_process_works_on_is_left_to_it(config: Config, store: Store) -> None:
    polled: list[str] = []
    clock = Clock(config, store, lambda name, now: polled.append(name), lambda now: None)
    clock.prepare()
    with take(store, "collect/two") as hold:
        assert hold is not None
        assert sorted(clock.run_once()) == ["collect/one", "collect/three", CYCLE]
    assert sorted(polled) == ["one", "three"]


def test_due_times_count_from_the_end_of_a_poll(config: Config, store: Store) -> None:
    moment = [NOW]

    def collect(name: str, now: datetime) -> SourceError | None:
        moment[0] += timedelta(minutes=4)  # a stream that listens
        return None

    clock = Clock(config, store, collect, lambda now: None, now=lambda: moment[0])
    clock.prepare()
    clock.work("collect/one")
    with store.read() as connection:
        due = connection.scalar(sa.select(jobs.c.next_due).where(jobs.c.name == "collect/one"))
    assert due is not None
    assert due >= NOW + timedelta(minutes=14)


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
