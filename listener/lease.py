"""Let one process at a time work on a job: a lease in the job table, renewed while the work goes on.

A lease lasts a minute and is renewed every quarter of one; a killed process's lease runs out by itself. Its times are
the database's own on PostgreSQL, so that clocks of several machines need not agree; an SQLite file lives on one machine
and takes that machine's clock. A clock set back cannot stretch a lease: one that ends later than a lease can last is
pulled back, and its holder, if it lives, renews it.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

import sqlalchemy as sa

from listener.database import Store, add_new
from listener.mention import aware
from listener.policy import LeaseLost
from listener.store import jobs

__all__ = [
    "HELD",
    "Held",
    "Hold",
    "Leases",
    "claim_job",
    "is_set_back",
    "lease_time",
    "new_holder",
    "pull_back",
    "read_held",
    "take",
]

log = logging.getLogger("escucha.clock")

HELD = timedelta(seconds=60)


def new_holder() -> str:
    """Name this process for its leases: host:pid:random; a forked or restarted one must take another name."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


_HOLDER = new_holder()


@dataclass(frozen=True, slots=True)
class Held:
    """Hold who works on a job, and until when the lease lasts if it is not renewed."""

    holder: str
    until: datetime


def lease_time(connection: sa.Connection, now: datetime) -> datetime:
    """Give the time that leases are counted in: the database's, or `now` where the database has none (SQLite)."""
    if connection.dialect.name != "postgresql":
        return now
    return aware(connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one())


def claim_job(
    connection: sa.Connection,
    name: str,
    now: datetime,
    holder: str = _HOLDER,
    *,
    due: bool = True,
    at: datetime | None = None,
    held: timedelta = HELD,
) -> bool:
    """Take a job for a holder; False when another holds it, or, with `due`, when it is not due at `now`.

    `at` is the time of leases (`now` when None). One statement, so that of two processes only one succeeds.
    """
    at = at or now
    free = sa.or_(jobs.c.holder.is_(None), jobs.c.held_until.is_(None), jobs.c.held_until <= at)
    wanted = sa.and_(jobs.c.name == name, free, jobs.c.next_due <= now if due else sa.true())
    taken = jobs.update().where(wanted).values(holder=holder, held_until=at + held, last_start=now)
    return connection.execute(taken).rowcount == 1


def is_set_back(connection: sa.Connection, now: datetime, *, held: timedelta = HELD) -> bool:
    """Tell whether the job table holds times that only a clock that was set back can explain."""
    endless = jobs.c.held_until > lease_time(connection, now) + held
    return connection.scalar(sa.select(jobs.c.name).where(sa.or_(_ahead(now), endless)).limit(1)) is not None


def pull_back(connection: sa.Connection, now: datetime, *, held: timedelta = HELD) -> None:
    """Undo what a clock that was set back would cause: jobs that wait longer than was decided, and endless leases."""
    for row in connection.execute(sa.select(jobs.c.name, jobs.c.next_due, jobs.c.last_start).where(_ahead(now))).all():
        wait = timedelta() if row.last_start is None else max(row.next_due - row.last_start, timedelta())
        connection.execute(jobs.update().where(jobs.c.name == row.name).values(next_due=now + wait, last_start=now))
    longest = lease_time(connection, now) + held
    connection.execute(jobs.update().where(jobs.c.held_until > longest).values(held_until=longest))


def _ahead(now: datetime) -> sa.ColumnElement[bool]:
    late = now + timedelta(minutes=2)  # the clocks of two machines may differ by less
    return sa.or_(jobs.c.last_start > late, sa.and_(jobs.c.last_start.is_(None), jobs.c.next_due > late))


def read_held(connection: sa.Connection, name: str, now: datetime) -> Held | None:
    """Tell who works on a job at this moment; None when nobody does."""
    row = connection.execute(sa.select(jobs.c.holder, jobs.c.held_until).where(jobs.c.name == name)).one_or_none()
    if row is None or row.holder is None or row.held_until is None or row.held_until <= lease_time(connection, now):
        return None
    return Held(row.holder, row.held_until)


class Hold:
    """Hold one lease while its job is worked on."""

    def __init__(self, leases: Leases, name: str, since: datetime, stop: Callable[[], bool]) -> None:
        self.name = name
        self.holder = leases.holder
        self.since = since
        self.lost = False
        self._leases = leases
        self._stop = stop
        self.renewed = self.moved = leases.elapsed()

    def stopping(self) -> bool:
        """Tell between two pages whether to end there; raises LeaseLost when another may be at work by now."""
        self.moved = self._leases.elapsed()
        if self.lost or self.moved - self.renewed > self._leases.held.total_seconds():
            self.lost = True
            raise LeaseLost(self.name.partition("/")[2])
        return self._stop()

    def fence(self, connection: sa.Connection) -> None:
        """Raise LeaseLost, inside the transaction that stores a page, when the lease is not ours: nothing is stored."""
        self.moved = self._leases.elapsed()
        mine = jobs.update().where(jobs.c.name == self.name, jobs.c.holder == self.holder)
        if connection.execute(mine.values(holder=self.holder)).rowcount != 1:
            self.lost = True
            raise LeaseLost(self.name.partition("/")[2])


class Leases:
    """Hold the leases of a process; one thread renews them all while there are any."""

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        holder: str | None = None,
        held: timedelta = HELD,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        self.store = store
        self.now = now
        self.elapsed = elapsed
        self.holder = holder or new_holder()
        self.held = held
        self._holds: dict[str, Hold] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def claim(self, name: str, *, due: bool = True, stop: Callable[[], bool] = lambda: False) -> Hold | None:
        """Take a job; None when it is not due or another holds it."""
        now = self.now()
        with self.store.write() as connection:
            at = lease_time(connection, now)
            if not claim_job(connection, name, now, self.holder, due=due, at=at, held=self.held):
                return None
        hold = Hold(self, name, now, stop)
        with self._lock:
            self._holds[name] = hold
            if self._thread is None or not self._thread.is_alive():
                self._ended.clear()
                self._thread = threading.Thread(target=self._renew, name="escucha-leases", daemon=True)
                self._thread.start()
        return hold

    def give_up(self, hold: Hold) -> None:
        """Renew a lease no longer; `release()` or its own end frees the job."""
        with self._lock:
            if self._holds.get(hold.name) is hold:
                del self._holds[hold.name]

    def release(self, connection: sa.Connection, hold: Hold) -> bool:
        """Free a job in the caller's transaction; False when it was another's by now."""
        self.give_up(hold)
        mine = jobs.update().where(jobs.c.name == hold.name, jobs.c.holder == hold.holder)
        return connection.execute(mine.values(holder=None, held_until=None)).rowcount == 1

    def close(self) -> None:
        """End the thread that renews; what is held then runs out by itself."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _renew(self) -> None:
        while not self._ended.wait(self.held.total_seconds() / 4):
            self.renew()

    def renew(self) -> None:
        """Renew every lease once; one that another holds by now is marked as lost."""
        with self._lock:
            held = dict(self._holds)
        if not held:
            return
        began = self.elapsed()  # before the statement: a slow commit must not make the lease look younger than it is
        try:
            with self.store.write() as connection:
                until = lease_time(connection, self.now()) + self.held
                mine = jobs.update().where(jobs.c.holder == self.holder, jobs.c.name.in_(held))
                kept = set(connection.scalars(mine.values(held_until=until).returning(jobs.c.name)))
        except sa.exc.SQLAlchemyError:  # the database may be away for a moment; the next turn tries again
            log.error("the leases could not be renewed; the next turn tries again")
            return
        for name, hold in held.items():
            if name in kept:
                hold.renewed = began
            else:
                hold.lost = True


@contextmanager
def take(store: Store, name: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Hold | None]:
    """Hold a job, due or not, for the length of a block, outside of the clock; None when another process is at it."""
    leases = Leases(store, now)
    with store.write() as connection:
        add_new(connection, jobs, [{"name": name, "next_due": now(), "failures": 0}], ("name",))
    hold = leases.claim(name, due=False)
    try:
        yield hold
    finally:
        if hold is not None:
            with store.write() as connection:
                leases.release(connection, hold)
        leases.close()
