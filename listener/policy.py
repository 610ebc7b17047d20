"""Decide every wait in one place: when a job is due again, when a failing source is spared, when a poll must end.

The client libraries' own waiting and retrying is off. What is decided here is written into the job table, so that a
restart keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from listener.errors import NotAllowed, RateLimited, SourceError, Unreachable, Unreadable
from listener.failure import TOO_SLOW
from listener.reason import N_
from listener.store import jobs, runs

if TYPE_CHECKING:
    from listener.mention import Page

__all__ = [
    "LONGEST_LIMIT",
    "LONGEST_WAIT",
    "MOST_FAILURES",
    "USED_UP",
    "BudgetUsedUp",
    "Guard",
    "LeaseLost",
    "Stuck",
    "is_open",
    "next_due",
]

LONGEST_WAIT = timedelta(minutes=15)
LONGEST_LIMIT = timedelta(hours=1)  # what a platform may ask us to wait; an absurd reset is clamped to it
MOST_FAILURES = 5  # in a row; then the circuit opens
MOST_PAGES = 1_000  # a poll; the sources' own ceilings lie below it
SAME_PAGES = 3  # in a row without anything new
MOST_KNOWN = 200_000  # ids of a poll that are remembered; an import of millions must not fill the memory

LOOP = N_("the platform sends the same page again and again")
STUCK = N_("the source has not answered for too long and is left alone until it does")
LEASE_LOST = N_("this process lost its hold on the source; what came last was dropped")
USED_UP = N_("the month's budget is used up; it goes on with the next month")

Ended = Literal["end", "stopped", "time", "pages"]


class BudgetUsedUp(SourceError):
    """Say that the next page could pass the month's limit; the source waits for the next month, which is no failure."""

    kind = "budget"

    def __init__(self, source: str, message: str = USED_UP, *, until: datetime | None = None) -> None:
        self.until = until
        super().__init__(source, message)


class LeaseLost(SourceError):
    """Say that this process held a source for too long without a sign of life, so that its page is dropped."""

    kind = "lost"

    def __init__(self, source: str) -> None:
        super().__init__(source, LEASE_LOST)


class Stuck(SourceError):
    """Say that a poll has not moved for the patience of the clock."""

    kind = "stuck"

    def __init__(self, source: str) -> None:
        super().__init__(source, STUCK)


def next_due(
    now: datetime, every: timedelta, failures: int, error: SourceError | None, chance: Callable[[], float]
) -> datetime:
    """Give when a job is due again, counted from its end: every + 0–10 % when it went well, else full-jitter back-off.

    Back-off doubles from 30 s up to 15 minutes (Brooker, "Exponential Backoff and Jitter", AWS 2015); after five
    failures in a row the circuit is open and the wait is 15 minutes. A platform's own limit is honoured between 1 s and
    1 h; a refused key is tried once an hour. A used-up budget is looked at again, without asking the platform, once an
    hour and at the turn of the month.
    """
    if error is None:
        return now + every * (1 + 0.1 * chance())
    if isinstance(error, RateLimited) and error.until is not None:
        return min(max(error.until, now + timedelta(seconds=1)), now + LONGEST_LIMIT)
    if isinstance(error, NotAllowed):
        return now + max(every, LONGEST_LIMIT)
    if isinstance(error, BudgetUsedUp):
        later = now + LONGEST_LIMIT * (1 + 0.1 * chance())
        return later if error.until is None or error.until <= now else min(later, error.until)
    if failures >= MOST_FAILURES and not isinstance(error, RateLimited):
        return now + max(LONGEST_WAIT, min(every, LONGEST_LIMIT)) * (1 + 0.1 * chance())
    longest = min(timedelta(seconds=30 * (1 << min(failures, 10))), LONGEST_WAIT)
    return now + max(timedelta(seconds=1), longest * chance())


def is_open(connection: sa.Connection, source: str) -> bool:
    """Tell whether the circuit of a source is open: five failures in a row, limits of the platform not counted.

    An open source is asked at most once in 15 minutes, with its probe first; the first good poll closes the circuit.
    """
    from listener.clock import job_of

    failures = connection.scalar(sa.select(jobs.c.failures).where(jobs.c.name == job_of(source))) or 0
    if failures < MOST_FAILURES:
        return False
    ended = sa.select(runs.c.outcome).where(runs.c.source == source, runs.c.outcome != "running")
    last = connection.scalar(ended.order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(1))
    return last not in ("ok", RateLimited.kind, BudgetUsedUp.kind)


class Guard:
    """Give the pages of a poll one by one and end it where it must end; iterate once.

    `ended` says how: "end" (all there was), "stopped" (the program stops), "time", "pages" (the next poll goes on).
    Past its time a poll ends after the next page that carries a cursor, since everything before that would be read
    again; one that brings no cursor in twice its time has failed. `stopping` is asked before and after each page and
    may raise (a lost lease), `pay` before each page (a used-up budget). Raises Unreadable when three pages in a row
    bring nothing new.
    """

    def __init__(
        self,
        pages: Iterator[Page],
        source: str,
        *,
        seconds: float | None,
        most_pages: int = MOST_PAGES,
        stopping: Callable[[], bool] = lambda: False,
        pay: Callable[[], None] = lambda: None,
        elapsed: Callable[[], float] = monotonic,
    ) -> None:
        self.ended: Ended = "end"
        self._pages = pages
        self._source = source
        self._seconds = seconds
        self._most_pages = most_pages
        self._stopping = stopping
        self._pay = pay
        self._elapsed = elapsed
        self._known: set[int] = set()
        self._same = 0

    def __iter__(self) -> Iterator[Page]:
        began, count, safe = self._elapsed(), 0, False
        try:
            while True:
                if self._stopping():
                    self.ended = "stopped"
                    return
                self._pay()
                page = next(self._pages, None)
                if page is None:
                    return
                self._stopping()  # raises when the lease went to another while we waited: the page is theirs to store
                self._look(page)
                count, safe = count + 1, safe or page.cursor is not None
                yield page
                passed = 0.0 if self._seconds is None else (self._elapsed() - began) / self._seconds
                over = max(passed, count / self._most_pages)
                if over >= 1 and (page.cursor is not None or over >= 2):
                    if not safe:
                        raise Unreachable(self._source, TOO_SLOW)
                    self.ended = "time" if passed >= 1 else "pages"
                    return
        finally:
            if (close := getattr(self._pages, "close", None)) is not None:
                with suppress(RuntimeError):  # a generator that goes on after it was closed
                    close()

    def _look(self, page: Page) -> None:
        """Count the pages in a row that bring nothing new; an empty page of a stream says nothing either way."""
        told = {hash((post.native_id, post.text)) for post in page.posts}
        told |= {hash((item.position, item.body)) for item in page.rejected}
        told |= {hash(("gone", one)) for one in page.gone}
        if page.cursor is not None:
            told.add(hash(("cursor", page.cursor)))
        if not page.posts and not page.rejected and not page.gone:
            return
        self._same = self._same + 1 if told <= self._known else 0
        if self._same >= SAME_PAGES:
            raise Unreadable(self._source, LOOP)
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        self._known |= told
