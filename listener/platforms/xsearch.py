"""Search X newest first, and remember what did not fit into one poll, so that the next ones read it.

API: docs.x.com, "Recent search". What is remembered of each search stands in the cursor: the newest id, the stretches
still to be read, when it was last asked, and the ids that the overlap will bring again (they are charged once a day).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from listener.errors import Unreadable
from listener.mention import Hole, Page
from listener.platforms.tweet import Tweets, fields, id_at, moment_of, read_tweets
from listener.platforms.xclient import XClient
from listener.raw import read_count, read_moment, read_text, within
from listener.reason import N_

__all__ = ["HISTORY", "Search", "billed", "read_charged", "write_charged"]

HISTORY = timedelta(days=7) - timedelta(minutes=10)  # recent search refuses a since_id that is older
_OVERLAP = int(timedelta(seconds=90).total_seconds() * 1000) << 22  # posts reach the index late and out of order
_MOST_STRETCHES = 50
_MOST_PAID = 1_000

_LOOP = N_("the platform sends the same page again and again")
_TOO_OLD = N_("more was new than could be read before the platform's seven days were over")
_AWAY = N_("nothing was asked for longer than the platform's seven days")

Stretch = tuple[int | None, int | None]  # ids: after the first and before the second


def billed(told: Tweets, paid: set[int], users: set[str]) -> dict[str, int]:
    """Count what X charges for an answer; `paid` and `users` hold what was charged before, and grow."""
    posts, authors = set(told.ids) - paid, told.users - users
    paid |= posts
    users |= authors
    return {unit: count for unit, count in (("post", len(posts)), ("user", len(authors))) if count}


def read_charged(state: Mapping[str, Mapping[str, Any]], today: str) -> set[str]:
    """Give the authors that X has charged today, as far as the cursor remembers them."""
    before = state.get("users", {})
    known = before.get("ids", ()) if before.get("day") == today else ()
    return {one for one in known if isinstance(one, str)}


def write_charged(state: dict[str, dict[str, Any]], users: set[str], today: str) -> None:
    """Remember which authors were charged today; of very many some are forgotten, and counted once more."""
    state["users"] = {"day": today, "ids": sorted(users)[-_MOST_PAID:]}


class Search:
    """Read the searches of one poll; `state` is the cursor as a dictionary and is kept up to date."""

    def __init__(
        self,
        client: XClient,
        *,
        page_size: int,
        max_pages: int,
        authors: bool,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._page_size = page_size
        self._max_pages = max_pages
        self._fields = fields(authors)
        self._now = now
        self._users: set[str] = set()

    def read(self, queries: Mapping[str, str], state: dict[str, dict[str, Any]]) -> Iterator[Page]:
        """Yield pages of every search (key → text); the cursor comes with the last page of each sweep."""
        for key, query in queries.items():
            yield from self._read_one(query, key, state)

    def _read_one(self, query: str, key: str, state: dict[str, dict[str, Any]]) -> Iterator[Page]:
        """Read what is new, then the stretches that earlier polls left, within the pages that a poll may read."""
        before = state.get(key, {})
        now = self._now()
        newest, edge = read_count(before.get("newest")), id_at(now - HISTORY)
        left: list[Stretch] = [(read_count(start), read_count(end)) for start, end in before.get("holes", ())]
        today = now.date().isoformat()
        self._users |= read_charged(state, today)
        paid = set(before.get("paid", ())) if before.get("day") == today else set()
        lost = _away(before.get("asked"), now)
        pages = self._max_pages
        since = None if newest is None else newest - _OVERLAP
        for start, end in [(since, None), *left]:
            if pages <= 0:
                break
            if end is not None:
                left.remove((start, end))
                if start is not None and start < edge:  # at least its beginning is too old to be asked for
                    lost.append(_hole(start, min(end, edge), now))
                if end <= edge:
                    continue
            # An older since_id is refused by X; without one the search goes back as far as it can.
            floor = start if start is not None and start > edge else None
            told, seen, cut, pages = yield from self._sweep(
                query, (floor, end, newest if end is None else None), pages, paid
            )
            newest = max((newest or 0, *seen)) or None
            if cut and seen and start is not None:
                left.insert(0, (max(start, edge), min(seen)))
            lost += [_hole(old[0], old[1], now) for old in left[_MOST_STRETCHES:]]
            del left[_MOST_STRETCHES:]
            charged = billed(told, paid, self._users)
            state[key] = {
                "newest": newest,
                "holes": left,
                "asked": now.isoformat(),
                "paid": sorted(one for one in paid if newest is None or one > newest - _OVERLAP)[-_MOST_PAID:],
                "day": today,
            }
            write_charged(state, self._users, today)
            yield self._page(told, charged, json.dumps(state), lost)
            lost = []
        if lost:
            state[key] = {**state[key], "holes": left}
            yield Page((), json.dumps(state), holes=tuple(lost))

    def _sweep(
        self, query: str, span: tuple[int | None, int | None, int | None], pages: int, paid: set[int]
    ) -> Generator[Page, None, tuple[Tweets, list[int], bool, int]]:
        """Yield the pages between two ids but the last; give that, all ids, whether more is there, the pages left.

        A page that holds nothing newer than the third id ends the sweep: in a burst the overlap would eat the pages.
        """
        since, until, known = span
        seen: list[int] = []
        tokens: set[str] = set()
        token: str | None = None
        while True:
            answer = self._client.ask(
                "search_recent_tweets",
                query,
                max_results=self._page_size,
                since_id=since,
                until_id=until,
                next_token=token,
                **self._fields,
            )
            told = read_tweets(answer, self._client.name)
            seen += told.ids
            pages -= 1
            token = read_text(within(answer, "meta", "next_token"))
            if token is not None and told.ids and known is not None and max(told.ids) <= known:
                token = None
            if token is None or pages <= 0:
                return told, seen, token is not None, pages
            yield self._page(told, billed(told, paid, self._users), None, ())
            if token in tokens:
                raise Unreadable(self._client.name, _LOOP)
            tokens.add(token)

    def _page(self, told: Tweets, charged: Mapping[str, int], cursor: str | None, lost: Sequence[Hole]) -> Page:
        return Page(
            told.posts,
            cursor,
            told.rejected,
            holes=tuple(lost),
            billed=charged,
            quota=self._client.quota,
        )


def _hole(start: int | None, end: int | None, now: datetime) -> Hole:
    first = moment_of(start or 0) or now - HISTORY
    return Hole(first, max(moment_of(end or 0) or now - HISTORY, first), _TOO_OLD)


def _away(asked: Any, now: datetime) -> list[Hole]:
    """Tell what passed unseen when the last search lies further back than X can be asked for."""
    try:
        last = read_moment(asked)
    except ValueError:
        last = None
    return [Hole(last, now - HISTORY, _AWAY)] if last is not None and last < now - HISTORY else []
