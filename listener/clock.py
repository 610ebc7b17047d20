"""Decide when each job is due: `schedule` is the metronome, due times and back-off live in the database.

`schedule` (https://schedule.readthedocs.io) starves every job behind one that raises, remembers nothing and reads the
wall clock, so it only beats once a second here. What is due is read from the job table; each source has one worker
thread of its own, so a hanging platform delays nobody else; a restart polls first what waited longest, once. Waits are
decided in listener/policy.py, and who may work on a job in listener/lease.py.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from time import monotonic
from traceback import format_tb
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from listener.database import Store, add_new
from listener.errors import EscuchaError, SourceError
from listener.lease import Hold, Leases, claim_job, is_set_back, lease_time, pull_back
from listener.policy import USED_UP, BudgetUsedUp, LeaseLost, Stuck, next_due
from listener.store import jobs, runs

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["CYCLE", "Clock", "Job", "claim_job", "job_of", "plan", "read_due", "settle_job"]

log = logging.getLogger("escucha.clock")

CYCLE = "cycle"  # the stages after collecting
FAREWELL = 10.0  # seconds that running jobs have, all together, to finish their page when the clock stops


class Job(NamedTuple):
    """Hold a job beside the polls: how often it is due, and what it does; the error of its turn or None."""

    every: timedelta
    work: Callable[[datetime], SourceError | None]


def job_of(source: str) -> str:
    """Name the job that polls a source."""
    return f"collect/{source}"


def plan(connection: sa.Connection, names: Sequence[str], now: datetime) -> None:
    """Write the jobs that are not in the table yet as due at once; forget those that the configuration dropped."""
    add_new(connection, jobs, [{"name": name, "next_due": now, "failures": 0} for name in names], ("name",))
    connection.execute(jobs.delete().where(jobs.c.name.not_in(names)))


def read_due(connection: sa.Connection, now: datetime) -> list[str]:
    """Name the jobs that are due and nobody works on, those that waited longest first."""
    at = lease_time(connection, now)
    free = sa.or_(jobs.c.holder.is_(None), jobs.c.held_until.is_(None), jobs.c.held_until <= at)
    due = sa.select(jobs.c.name).where(jobs.c.next_due <= now, free)
    return list(connection.scalars(due.order_by(jobs.c.next_due, jobs.c.name)))


def settle_job(
    connection: sa.Connection,
    name: str,
    every: timedelta,
    now: datetime,
    error: SourceError | None,
    chance: Callable[[], float] = random.random,
) -> int:
    """Write when a job is due again, counted from its end; give how many times in a row it has failed now.

    A used-up budget is no failure: the count stays as it was.
    """
    failed = connection.scalar(sa.select(jobs.c.failures).where(jobs.c.name == name)) or 0
    failures = 0 if error is None else failed if isinstance(error, BudgetUsedUp) else failed + 1
    row: dict[str, Any] = {
        "next_due": next_due(now, every, failures, error, chance),
        "failures": failures,
        "error": str(error).encode("utf-8", "replace").decode() if error else None,  # a file name may hold anything
    }
    if error is None:
        row["last_ok"] = now
    connection.execute(jobs.update().where(jobs.c.name == name).values(**row))
    return failures


class Clock:
    """Run an instance: `collect(name, now)` gives the error of a poll or None, `cycle(now)` runs the later stages.

    `others` are further jobs by name ("sweep/x"). A poll asks `hold_of(source).stopping()` between two pages.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        collect: Callable[[str, datetime], SourceError | None],
        cycle: Callable[[datetime], None],
        *,
        others: Mapping[str, Job] | None = None,
        tell: Callable[[sa.Connection, str, SourceError, int, datetime], None] = lambda *_: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        self.config = config
        self.store = store
        self.collect = collect
        self.cycle = cycle
        self.others = dict(others or {})
        self.tell = tell
        self.now = now
        self.leases = Leases(store, now, elapsed=elapsed)
        self.every = {job_of(name): config.settings.sources[name].every for name in config.sources}
        self.every |= {name: job.every for name, job in self.others.items()}
        self.every[CYCLE] = config.settings.clock.cycle
        self._elapsed = elapsed
        self._queues: dict[str, SimpleQueue[bool]] = {name: SimpleQueue() for name in self.every}
        self._busy: set[str] = set()
        self._holds: dict[str, Hold] = {}
        self._stuck: dict[str, float] = {}  # job → when it was last told as stuck
        self._lock = threading.Lock()
        self._stop = threading.Event()

    def hold_of(self, source: str, *, kind: str = "collect") -> Hold | None:
        """Give the lease under which this process polls (or sweeps) a source right now; None outside of a turn."""
        return self._holds.get(f"{kind}/{source}")

    def work(self, name: str, *, due: bool = True) -> bool:
        """Do one job now and write when it is due again; whatever it raises, the clock goes on.

        False when it was left alone: another process works on it, or, with `due`, it is not due any more.
        """
        hold = self.leases.claim(name, due=due, stop=self._stop.is_set)
        if hold is None:
            return False
        self._holds[name] = hold
        try:
            error = self._attempt(name, self.now())
            with self.store.write() as connection:
                if not self.leases.release(connection, hold):
                    return True  # told as stuck meanwhile, or taken over: what is written there is not ours to change
                self._settle(connection, name, error)
        finally:
            self.leases.give_up(hold)
            self._holds.pop(name, None)
            self._stuck.pop(name, None)
        return True

    def _attempt(self, name: str, started: datetime) -> SourceError | None:
        source = name.partition("/")[2] or name
        try:
            if name == CYCLE:
                self.cycle(started)
                return None
            if name in self.others:
                return self.others[name].work(started)
            return self.collect(source, started)
        except SourceError as raised:
            return raised
        except EscuchaError as raised:
            log.error("%s failed: %s", name, type(raised).__name__)
            return SourceError(source, str(raised))
        except Exception as raised:  # noqa: BLE001 - one job's fault must not stop the clock; it is logged and shown
            # The message may quote a post, so only the places in the code are logged.
            log.error("%s: %s\n%s", name, type(raised).__name__, "".join(format_tb(raised.__traceback__)))
            return SourceError(source, f"an unexpected fault: {type(raised).__name__}")

    def _settle(self, connection: sa.Connection, name: str, error: SourceError | None) -> None:
        now, (kind, _, source) = self.now(), name.partition("/")
        before = connection.scalar(sa.select(jobs.c.error).where(jobs.c.name == name))
        failures = settle_job(connection, name, self.every[name], now, error)
        if kind == "collect" and (isinstance(error, BudgetUsedUp) or before == USED_UP):
            from listener.budget import note_resumed, note_stop

            (note_stop if isinstance(error, BudgetUsedUp) else note_resumed)(connection, source, now)
        if error is not None and kind == "collect" and not isinstance(error, (BudgetUsedUp, LeaseLost)):
            self.tell(connection, source, error, failures, now)

    def prepare(self) -> None:
        """Write the jobs of the configuration into the table."""
        with self.store.write() as connection:
            plan(connection, list(self.every), self.now())
            pull_back(connection, self.now())

    def run_once(self) -> list[str]:
        """Do every source's job and then the cycle, once, due or not; give the names of those that were done.

        A job that another process works on is left to it.
        """
        self.prepare()
        names = [job_of(name) for name in self.config.sources] + [CYCLE]
        try:
            return [name for name in names if self.work(name, due=False)]
        finally:
            self.leases.close()

    def run(self, stop: threading.Event) -> None:
        """Run until `stop` is set; then running jobs finish their page and commit."""
        import schedule

        threads = self.start(stop)
        metronome = schedule.Scheduler()
        metronome.every(1).seconds.do(self.beat)
        self.beat()
        while not stop.wait(min(max(metronome.idle_seconds or 0, 0.05), 1)):
            if (metronome.idle_seconds or 0) > 2:  # schedule reads the wall clock: summer time ended
                metronome.clear()
                metronome.every(1).seconds.do(self.beat)
            metronome.run_pending()
        began = monotonic()
        for queue in self._queues.values():
            queue.put(False)  # who waits for work need not wait for its time-out
        for thread in threads:
            thread.join(timeout=max(FAREWELL - (monotonic() - began), 0.01))
        self.leases.close()

    def start(self, stop: threading.Event) -> list[threading.Thread]:
        """Start a thread for each job, which works whenever `beat()` finds it due, until `stop` is set."""
        self._stop = stop
        self.prepare()
        threads = [
            threading.Thread(target=self._serve, args=(name, stop), name=f"escucha-{name}", daemon=True)
            for name in self.every
        ]
        for thread in threads:
            thread.start()
        return threads

    def beat(self) -> None:
        """Wake the worker of each job that is due; never raises, since schedule would beat no more."""
        try:
            with self.store.read() as connection:
                set_back = is_set_back(connection, self.now())
            if set_back:
                with self.store.write() as connection:
                    pull_back(connection, self.now())
            with self.store.read() as connection:
                due = read_due(connection, self.now())
            self._tell_stuck()
        except Exception:  # noqa: BLE001 - the database may be away for a moment
            log.error("the job table could not be read; the next beat tries again")
            return
        for name in due:
            with self._lock:
                if name in self._busy or name not in self._queues:
                    continue
                self._busy.add(name)
            self._queues[name].put(True)

    def busy(self) -> frozenset[str]:
        """Name the jobs that are woken or at work in this process."""
        with self._lock:
            return frozenset(self._busy)

    def _tell_stuck(self) -> None:
        """Tell a poll that has not moved for the clock's patience as failed; its lease ends, its thread is left alone.

        Told again for each further patience, unless another process has polled the source well meanwhile.
        """
        patience = self.config.settings.clock.patience.total_seconds()
        for name, hold in list(self._holds.items()):
            moved = max(hold.moved, self._stuck.get(name, hold.moved))
            if name == CYCLE or self._elapsed() - moved < patience:
                continue
            error = Stuck(name.partition("/")[2])
            log.error("%s has not moved for %d s; it is left alone", name, patience)
            with self.store.write() as connection:
                first = name not in self._stuck
                hold.lost = True
                ours = self.leases.release(connection, hold)
                free = sa.and_(jobs.c.name == name, jobs.c.holder.is_(None), jobs.c.error.is_not(None))
                if ours or (not first and connection.scalar(sa.select(jobs.c.name).where(free))):
                    self._settle(connection, name, error)
                    mine = sa.and_(runs.c.source == error.source, runs.c.started_at >= hold.since)
                    open_runs = sa.and_(mine, runs.c.outcome == "running")
                    told = {"outcome": error.kind, "error": str(error), "finished_at": self.now()}
                    connection.execute(runs.update().where(open_runs).values(**told))
            self._stuck[name] = self._elapsed()

    def _serve(self, name: str, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                if not self._queues[name].get(timeout=0.5):
                    continue
            except Empty:
                continue
            try:
                self.work(name)
            except Exception:  # noqa: BLE001 - the database may be away while the job is settled; it stays due
                log.error("%s could not be settled; it is tried again", name)
                stop.wait(5)
            finally:
                with self._lock:
                    self._busy.discard(name)
