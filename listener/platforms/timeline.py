"""Page through a timeline of Mastodon's: forward by min_id, so that nothing is passed over, or back where it must be.

API: docs.joinmastodon.org/api/guidelines, "Pagination": min_id gives what follows an id at once, max_id what lies
before it; search takes an offset and gives the newest first.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from listener.errors import Unreadable
from listener.mention import Hole, Page, Quota
from listener.platforms.toot import Toots, earlier, moment_of
from listener.raw import read_text
from listener.reason import N_

__all__ = ["Read", "Turn", "rank"]

_OVERLAP = timedelta(minutes=10)  # a post of another server is filed under the time it was written, and arrives later
_SECOND = timedelta(seconds=1)

_LOOP = N_("the platform sends the same page again and again")
_TOO_MANY = N_("more was new than a poll may read; what lies between was not read")

State = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Read:
    """Hold one page as it was read: how many statuses it held, and whether that is as many as were asked for."""

    found: Toots
    count: int
    full: bool
    quota: Quota | None
    source: str

    def page(self, cursor: str | None, *holes: Hole) -> Page:
        """Give it as a page of the source."""
        return Page(self.found.posts, cursor, self.found.rejected, holes=holes, quota=self.quota)


Ask = Callable[..., Read]  # keywords of paging → a page


def rank(native_id: str) -> tuple[int, str]:
    """Order ids by their age: a longer number is a younger one."""
    return len(native_id), native_id


class Turn:
    """Read timelines within one poll, at most `most` pages each.

    With `whole`, what is left over is read by the next polls; without, it is told as a hole and the next begins now.
    """

    def __init__(self, now: Callable[[], datetime], most: int, *, whole: bool = True) -> None:
        self._now = now
        self._most = most
        self._whole = whole

    def read(self, ask: Ask, key: str, state: State) -> Iterator[Page]:
        """Yield what is new of a timeline; each page carries the cursor up to which everything was read."""
        last = read_text(state.get(key, {}).get("last"))
        if last is None:
            yield from self._first(ask, key, state)
        else:
            yield from self._forward(ask, key, state, last)

    def _first(self, ask: Ask, key: str, state: State) -> Iterator[Page]:
        """Read back from now; the cursor comes with the last page, since these begin with the newest."""
        newest = oldest = None
        for left in reversed(range(self._most)):
            read = ask(max_id=oldest) if oldest is not None else ask()
            ids = read.found.ids
            if oldest is not None and ids and rank(ids[0]) >= rank(oldest):
                yield read.page(None)
                raise Unreadable(read.source, _LOOP)
            newest = newest if newest is not None or not ids else ids[-1]
            oldest = ids[0] if ids else None
            ended = not read.full or oldest is None or not left
            if ended and newest is not None:
                state[key] = {"last": newest}
            yield read.page(json.dumps(state) if ended else None)
            if ended:
                return

    def _forward(self, ask: Ask, key: str, state: State, last: str) -> Iterator[Page]:
        """Read on from the last post, the oldest first; the last poll's end is read again, unless it was cut there.

        A poll that was cut goes on exactly where it stopped: otherwise the overlap could eat up every poll.
        """
        exact = bool(state[key].get("cut")) or not self._whole
        start = last if exact else earlier(last, _OVERLAP)
        for left in reversed(range(self._most)):
            read = ask(min_id=start)
            top = read.found.ids[-1] if read.found.ids else start
            if read.full and rank(top) <= rank(start):
                yield read.page(None)
                raise Unreadable(read.source, _LOOP)
            start, last = top, max(last, top, key=rank)
            state[key] = {"last": top, "cut": True} if read.full else {"last": last}
            holes: tuple[Hole, ...] = ()
            if read.full and not left and not self._whole:
                now = self._now()
                holes = (Hole(min(moment_of(top) or now, now), now, _TOO_MANY),)
                state[key] = {"last": _id_at(top, now)}
            yield read.page(json.dumps(state), *holes)
            if not read.full:
                return

    def search(self, ask: Ask, key: str, state: State) -> Iterator[Page]:
        """Yield what a search finds, the newest first, then what earlier polls had to leave, within the same pages."""
        last = read_text(state.get(key, {}).get("last"))
        told = state.get(key, {}).get("left")
        left = [(str(one[0]), str(one[1])) for one in told if len(one) == 2] if isinstance(told, list) else []
        budget = self._most
        for low, high in [(earlier(last, _OVERLAP) if last else None, None), *left]:
            if budget <= 0:
                return
            if high is not None and low is not None:
                left.remove((low, high))
            known = last if high is None else None
            read, seen, budget = yield from self._sweep(ask, (low, high, known), budget)
            last = max([*seen, *([last] if last else [])], key=rank, default=None)
            holes: tuple[Hole, ...] = ()
            if read.full and seen and low is not None and not _is_old(read, known):
                # The search counts in whole seconds, so the one at which it was cut is read again.
                until = earlier(min(seen, key=rank), -_SECOND)
                if high is None or rank(until) < rank(high):
                    left.insert(0, (low, until))
                else:
                    start, end = moment_of(low), moment_of(until)
                    holes = (Hole(start, end, _TOO_MANY),) if start and end and start < end else ()
            if last is not None:
                state[key] = {"last": last, "left": left[:50]}
            yield read.page(json.dumps(state), *holes)

    def _sweep(
        self, ask: Ask, span: tuple[str | None, str | None, str | None], budget: int
    ) -> Generator[Page, None, tuple[Read, list[str], int]]:
        """Yield the pages between two ids but the last; give that, every id, and how many pages are left to read.

        A page that holds nothing newer than the third id ends it: in a burst the overlap would eat up every poll.
        """
        low, high, known = span
        seen: list[str] = []
        before: tuple[str, ...] = ()
        offset = 0
        while True:
            read = ask(min_id=low, max_id=high, offset=offset or None)
            seen += read.found.ids
            offset += read.count
            budget -= 1
            if not read.full or budget <= 0 or _is_old(read, known):
                return read, seen, budget
            yield read.page(None)
            if read.found.ids == before:
                raise Unreadable(read.source, _LOOP)
            before = read.found.ids


def _is_old(read: Read, known: str | None) -> bool:
    return known is not None and bool(read.found.ids) and rank(read.found.ids[-1]) <= rank(known)


def _id_at(like: str, moment: datetime) -> str:
    """Give the id that a post of this moment would have, or `like` where ids hold no time."""
    return like if moment_of(like) is None else str(int(moment.timestamp() * 1000) << 16)
