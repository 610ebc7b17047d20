"""Decide when each job is due: `schedule` is the metronome, due times and back-off live in the database.

`schedule` (https://schedule.readthedocs.io) starves every job behind one that raises and remembers nothing, so it
only beats once a second here. What is due is read from the job table; each source has one worker thread of its own,
so a hanging platform delays nobody else; a restart polls first what waited longest.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from traceback import format_tb
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from listener.database import Store, add_new, add_or_update
from listener.errors import EscuchaError, NotAllowed, RateLimited, SourceError
from listener.store import jobs

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["CYCLE", "Clock", "claim_job", "job_of", "next_due", "plan", "read_due", "settle_job"]

log = logging.getLogger("escucha.clock")

CYCLE = "cycle"  # the stages after collecting
CLAIM = timedelta(minutes=5)
LONGEST_WAIT = timedelta(minutes=15)
LONGEST_LIMIT = timedelta(hours=1)  # what a platform may ask us to wait; an absurd reset is clamped to it


def job_of(source: str) -> str:
    """Name the job that polls a source."""
    return f"collect/{source}"


def next_due(
    now: datetime, every: timedelta, failures: int, error: SourceError | None, chance: Callable[[], float]
) -> datetime:
    """Give when a job is due again: every + 0–10 % when it went well, else full-jitter back-off.

    Back-off doubles from 30 s up to 15 minutes (Brooker, "Exponential Backoff and Jitter", AWS 2015); a platform's
    own limit is honoured between 1 s and 1 h; a refused key is tried once an hour.
    """
    if error is None:
        return now + every * (1 + 0.1 * chance())
    if isinstance(error, RateLimited) and error.until is not None:
        return min(max(error.until, now + timedelta(seconds=1)), now + LONGEST_LIMIT)
    if isinstance(error, NotAllowed):
        return now + max(every, LONGEST_LIMIT)
    longest = min(timedelta(seconds=30 * (1 << min(failures, 10))), LONGEST_WAIT)
    return now + max(timedelta(seconds=1), longest * chance())


def plan(connection: sa.Connection, names: Sequence[str], now: datetime) -> None:
    """Write the jobs that are not in the table yet as due at once; forget those that the configuration dropped."""
    add_new(connection, jobs, [{"name": name, "next_due": now, "failures": 0} for name in names], ("name",))
    connection.execute(jobs.delete().where(jobs.c.name.not_in(names)))


def read_due(connection: sa.Connection, now: datetime) -> list[str]:
    """Name the jobs that are due, those that waited longest first."""
    return list(connection.scalars(sa.select(jobs.c.name).where(jobs.c.next_due <= now).order_by(jobs.c.next_due)))


def claim_job(connection: sa.Connection, name: str, now: datetime) -> bool:
    """Take a due job for this process; False when it is not due, or another process has just taken it.

    A process that is killed at work gives the job back when the claim runs out.
    """
    taken = jobs.update().where(jobs.c.name == name, jobs.c.next_due <= now).values(next_due=now + CLAIM)
    return connection.execute(taken).rowcount == 1


def settle_job(
    connection: sa.Connection,
    name: str,
    every: timedelta,
    now: datetime,
    error: SourceError | None,
    chance: Callable[[], float] = random.random,
) -> int:
    """Write when a job is due again; give how many times in a row it has failed now."""
    failed = connection.scalar(sa.select(jobs.c.failures).where(jobs.c.name == name)) or 0
    failures = failed + 1 if error is not None else 0
    row: dict[str, Any] = {
        "name": name,
        "next_due": next_due(now, every, failures, error, chance),
        "last_start": now,
        "failures": failures,
        "error": str(error).encode("utf-8", "replace").decode() if error else None,  # a file name may hold anything
    }
    if error is None:
        row["last_ok"] = now
    add_or_update(connection, jobs, [row], ("name",))
    return failures


class Clock:
    """Run an instance: `collect(name, now)` gives the error of a poll or None, `cycle(now)` runs the later stages."""

    def __init__(
        self,
        config: Config,
        store: Store,
        collect: Callable[[str, datetime], SourceError | None],
        cycle: Callable[[datetime], None],
        *,
        tell: Callable[[sa.Connection, str, SourceError, int, datetime], None] = lambda *_: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.config = config
        self.store = store
        self.collect = collect
        self.cycle = cycle
        self.tell = tell
        self.now = now
        self.every = {job_of(name): config.settings.sources[name].every for name in config.sources}
        self.every[CYCLE] = config.settings.clock.cycle
        self._queues: dict[str, SimpleQueue[bool]] = {name: SimpleQueue() for name in self.every}
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def work(self, name: str, *, due: bool = True) -> None:
        """Do one job now and write when it is due again; whatever it raises, the clock goes on.

        With `due`, a job that another process has taken meanwhile is left to it.
        """
        started = self.now()
        with self.store.write() as connection:
            if not claim_job(connection, name, started) and due:
                return
        error: SourceError | None = None
        source = name.removeprefix("collect/")
        try:
            if name == CYCLE:
                self.cycle(started)
            else:
                error = self.collect(source, started)
        except SourceError as raised:
            error = raised
        except EscuchaError as raised:
            error = SourceError(source, str(raised))
            log.error("%s failed: %s", name, type(raised).__name__)
        except Exception as raised:  # noqa: BLE001 - one job's fault must not stop the clock; it is logged and shown
            error = SourceError(source, f"an unexpected fault: {type(raised).__name__}")
            # The message may quote a post, so only the places in the code are logged.
            log.error("%s: %s\n%s", name, type(raised).__name__, "".join(format_tb(raised.__traceback__)))
        with self.store.write() as connection:
            failures = settle_job(connection, name, self.every[name], self.now(), error)
            if error is not None and name != CYCLE:
                self.tell(connection, source, error, failures, self.now())

    def prepare(self) -> None:
        """Write the jobs of the configuration into the table."""
        with self.store.write() as connection:
            plan(connection, list(self.every), self.now())

    def run_once(self) -> list[str]:
        """Do every source's job and then the cycle, once, due or not; give their names."""
        self.prepare()
        names = [name for name in self.every if name != CYCLE] + [CYCLE]
        for name in names:
            self.work(name, due=False)
        return names

    def run(self, stop: threading.Event) -> None:
        """Run until `stop` is set; then running jobs finish their page and commit."""
        import schedule

        self.prepare()
        threads = [
            threading.Thread(target=self._serve, args=(name, stop), name=f"escucha-{name}", daemon=True)
            for name in self.every
        ]
        for thread in threads:
            thread.start()
        metronome = schedule.Scheduler()
        metronome.every(1).seconds.do(self._beat)
        self._beat()
        while not stop.wait(min(max(metronome.idle_seconds or 0, 0.05), 1)):
            metronome.run_pending()
        for thread in threads:
            thread.join(timeout=10)

    def _beat(self) -> None:
        """Wake the worker of each job that is due; never raises, since schedule would beat no more."""
        try:
            with self.store.read() as connection:
                due = read_due(connection, self.now())
        except Exception:  # noqa: BLE001 - the database may be away for a moment
            log.error("the job table could not be read; the next beat tries again")
            return
        for name in due:
            with self._lock:
                if name in self._busy or name not in self._queues:
                    continue
                self._busy.add(name)
            self._queues[name].put(True)

    def _serve(self, name: str, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._queues[name].get(timeout=0.5)
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
