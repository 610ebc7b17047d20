"""Leases: one process at a time works on a job, a dead one's lease runs out, and a clock set back stalls nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from listener.clock import job_of, plan, settle_job
from listener.database import Store
from listener.errors import Unreachable
from listener.lease import HELD, Leases, claim_job, is_set_back, pull_back, read_held, take
from listener.policy import LeaseLost
from listener.store import cursors, jobs
from tests.servers.web import Answer, Asked, serving

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)
EVERY = timedelta(minutes=10)
ONE = job_of("one")


@pytest.fixture
def planned(store: Store) -> Store:
    with store.write() as connection:
        plan(connection, [ONE, job_of("two")], NOW)
    return store


def test_a_leased_job_is_nobody_elses_until_the_lease_runs_out(planned: Store) -> None:
    with planned.write() as connection:
        assert claim_job(connection, ONE, NOW, "a")
        assert not claim_job(connection, ONE, NOW, "b")
        assert not claim_job(connection, ONE, NOW, "b", due=False)
        assert not claim_job(connection, ONE, NOW + HELD - timedelta(seconds=1), "b")
        assert claim_job(connection, ONE, NOW + HELD, "b")


def test_a_job_that_is_not_due_is_taken_only_on_request(planned: Store) -> None:
    with planned.write() as connection:
        settle_job(connection, ONE, EVERY, NOW, None)
        assert not claim_job(connection, ONE, NOW, "a")
        assert claim_job(connection, ONE, NOW, "a", due=False)


def test_renewing_keeps_a_lease_and_a_released_one_is_free_at_once(planned: Store) -> None:
    leases = Leases(planned, lambda: datetime.now(UTC), held=timedelta(seconds=0.4))
    hold = leases.claim(ONE)
    assert hold is not None
    time.sleep(0.9)  # more than two leases long: the thread that renews is real
    with planned.read() as connection:
        held = read_held(connection, ONE, datetime.now(UTC))
    assert held is not None
    assert held.holder == leases.holder
    assert hold.stopping() is False
    with planned.write() as connection:
        assert leases.release(connection, hold)
        assert read_held(connection, ONE, datetime.now(UTC)) is None
    leases.close()


def test_who_lost_the_lease_stores_nothing_any_more(planned: Store) -> None:
    clock = [0.0]
    mine = Leases(planned, held=HELD, elapsed=lambda: clock[0])
    hold = mine.claim(ONE)
    assert hold is not None
    clock[0] = 59.0
    assert hold.stopping() is False
    clock[0] = 61.0  # stopped by SIGSTOP, say: the lease has run out unrenewed
    with pytest.raises(LeaseLost):
        hold.stopping()
    with planned.write() as connection:
        connection.execute(jobs.update().values(holder="another"))

    def store_late() -> None:
        with planned.write() as connection:
            connection.execute(cursors.insert().values(source="one", value="late", updated_at=NOW))
            hold.fence(connection)

    with pytest.raises(LeaseLost):
        store_late()
    with planned.write() as connection:
        assert not mine.release(connection, hold)
        assert connection.scalar(sa.select(jobs.c.holder).where(jobs.c.name == ONE)) == "another"
        assert connection.scalar(sa.select(sa.func.count()).select_from(cursors)) == 0
    mine.close()


def test_the_renewing_thread_notices_that_another_has_the_lease(planned: Store) -> None:
    mine = Leases(planned)
    hold = mine.claim(ONE)
    assert hold is not None
    mine.renew()
    assert not hold.lost
    with planned.write() as connection:
        connection.execute(jobs.update().values(holder="another"))
    mine.renew()
    assert hold.lost
    mine.close()


def test_outside_of_the_clock_a_job_is_taken_for_a_block_and_left_to_whoever_has_it(planned: Store) -> None:
    with take(planned, job_of("never planned")) as hold:
        assert hold is not None
        with take(planned, job_of("never planned")) as other:
            assert other is None
    with take(planned, job_of("never planned")) as hold:
        assert hold is not None


def test_a_clock_set_back_an_hour_stalls_no_job(planned: Store) -> None:
    with planned.write() as connection:
        assert claim_job(connection, ONE, NOW, "a")
        connection.execute(jobs.update().values(holder=None, held_until=None))
        settle_job(connection, ONE, EVERY, NOW, None, lambda: 0.0)
        settle_job(connection, job_of("two"), EVERY, NOW, Unreachable("two", "x"), lambda: 1.0)  # never started
        back = NOW - timedelta(hours=1)
        assert is_set_back(connection, back)
        pull_back(connection, back)
        due = {row.name: row.next_due for row in connection.execute(sa.select(jobs))}
        assert due[ONE] - back == EVERY
        assert due[job_of("two")] == back
        assert not is_set_back(connection, back)


def test_clocks_that_differ_by_a_minute_pull_nothing_back(planned: Store) -> None:
    with planned.write() as connection:
        assert claim_job(connection, ONE, NOW, "a")
        settle_job(connection, ONE, EVERY, NOW, None, lambda: 0.0)
        connection.execute(jobs.update().values(holder=None, held_until=None))
        assert not is_set_back(connection, NOW - timedelta(minutes=1))


def test_a_lease_that_a_clock_set_back_made_endless_is_cut_and_its_holder_keeps_it(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/one.db")  # on PostgreSQL leases are counted in the database's own time
    store.migrate()
    moment = [NOW]
    living, other = Leases(store, lambda: moment[0]), Leases(store, lambda: moment[0])
    with store.write() as connection:
        plan(connection, [ONE], NOW)
    assert living.claim(ONE) is not None
    moment[0] = NOW - timedelta(hours=1)
    with store.write() as connection:
        pull_back(connection, moment[0])
    assert other.claim(ONE, due=False) is None
    living.renew()  # alive: it goes on for as long as it likes
    moment[0] += HELD - timedelta(seconds=1)
    assert other.claim(ONE, due=False) is None
    moment[0] += timedelta(seconds=2)  # not renewed any more: dead
    assert other.claim(ONE, due=False) is not None
    living.close()
    other.close()
    store.close()


class Counting:
    """A server that counts how many requests for one source are open at once."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.open: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.polls: Counter[str] = Counter()
        self.hang = threading.Event()
        self.came = threading.Event()

    def answer(self, asked: Asked) -> Answer:
        with self.lock:
            self.open[asked.path] += 1
            self.polls[asked.path] += 1
            self.most[asked.path] = max(self.most[asked.path], self.open[asked.path])
        self.came.set()
        if self.hang.is_set():
            return Answer(fault="hang")  # stays open until the test ends
        time.sleep(0.005)  # long enough for the others to ask at the same time if they may
        with self.lock:
            self.open[asked.path] -= 1
        return Answer(b"ok")


@contextmanager
def driver(*words: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(ROOT / "tests" / "lease_driver.py"), *map(str, words)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def go(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def test_two_processes_never_poll_one_source_at_the_same_time(store: Store, store_url: str) -> None:
    counting = Counting()
    with store.write() as connection:
        plan(connection, [job_of("one"), job_of("two")], datetime.now(UTC) - timedelta(seconds=1))
    with (
        serving(counting.answer) as web,
        driver(store_url, web.url, 40, 60, "one", "two") as first,
        driver(store_url, web.url, 40, 60, "one", "two") as second,
    ):
        go(first, second)
        assert first.wait(60) == second.wait(60) == 0
    assert sum(counting.polls.values()) == 80
    assert counting.polls.keys() == counting.most.keys() == {"/one", "/two"}
    assert set(counting.most.values()) == {1}


def test_a_killed_processs_lease_runs_out_and_another_takes_over(store: Store, store_url: str) -> None:
    counting = Counting()
    counting.hang.set()
    with store.write() as connection:
        plan(connection, [ONE], datetime.now(UTC) - timedelta(seconds=1))
    with serving(counting.answer) as web:
        with driver(store_url, web.url, 1, 1.5, "one") as first:
            go(first)
            assert counting.came.wait(30)
            first.send_signal(signal.SIGKILL)
            first.wait(30)
        counting.hang.clear()
        with store.read() as connection:
            assert read_held(connection, ONE, datetime.now(UTC)) is not None, "held by the dead"
        with driver(store_url, web.url, 1, 1.5, "one") as second:
            go(second)
            assert second.wait(30) == 0
    assert counting.polls == {"/one": 2}
