"""Read a search that gives the newest first, so that a burst larger than a poll may read is read by the next ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from listener.errors import Unreadable
from listener.mention import Hole, Page, aware
from listener.reason import N_

__all__ = ["Found", "Stretches"]

_MOST_LEFT = 50
_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)

_LOOP = N_("the platform sends the same page again and again")
_TOO_MANY = N_("more was new than a poll may read; what lies between was not read")

State = dict[str, dict[str, Any]]
Span = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Found:
    """Hold one page of a search, and the token of the next; None when this was the last."""

    page: Page
    token: str | None


Ask = Callable[[datetime | None, datetime | None, str | None], Found]  # from, until (both included), token


class Stretches:
    """Read searches within one poll, at most `most` pages each.

    State of a search: `last`, the time of the newest post read, and `left`, the stretches that did not fit. Each poll
    reads `overlap` before `last` again, for what reached the index late.
    """

    def __init__(self, source: str, now: Callable[[], datetime], most: int, overlap: timedelta) -> None:
        self._source = source
        self._now = now
        self._most = most
        self._overlap = overlap

    def read(self, ask: Ask, key: str, state: State) -> Iterator[Page]:
        """Yield what is new, then what earlier polls left; the cursor comes with the last page of each stretch."""
        last, left = _read_state(state.get(key, {}))
        budget = self._most
        spans: list[Span] = [(last - self._overlap if last else None, None), *left]
        for low, high in spans:
            if budget <= 0:
                return
            if high is not None:
                left = [span for span in left if span != (low, high)]
            known = last if high is None else None
            found, seen, budget = yield from self._sweep(ask, (low, high), known, budget)
            # A post from the future must not hide those that are written until then, nor one from the year 1 stop us.
            last = max(min(max([*seen, *([last] if last else [])]), self._now()), _OLDEST) if seen or last else None
            holes: tuple[Hole, ...] = ()
            if found.token is not None and seen and low is not None and not _is_old(found, known):
                until = max(min(seen), low)
                if high is None or until < high:
                    left.insert(0, (low, until))
                elif low < until:
                    holes = (Hole(low, until, _TOO_MANY),)  # one moment holds more than a poll may read
            state[key] = _write_state(last, left)
            yield replace(found.page, cursor=json.dumps(state), holes=holes)

    def _sweep(
        self, ask: Ask, span: Span, known: datetime | None, budget: int
    ) -> Generator[Page, None, tuple[Found, list[datetime], int]]:
        """Yield the pages of a stretch but the last; give that, the time of every post, and the pages left to read.

        A page with nothing newer than `known` ends it: in a burst the overlap would eat up every poll.
        """
        seen: list[datetime] = []
        tokens: set[str | None] = {None}
        known_ids: set[str] = set()
        stale = 0  # pages in a row of which every post had come before
        token: str | None = None
        while True:
            found = ask(*span, token)
            seen += [post.published_at for post in found.page.posts]
            budget -= 1
            token = found.token
            ids = {post.native_id for post in found.page.posts}
            stale = stale + 1 if ids and ids <= known_ids else 0
            known_ids |= ids
            if token is None or budget <= 0 or _is_old(found, known):
                return found, seen, budget
            yield found.page
            if token in tokens or stale >= 2:
                raise Unreadable(self._source, _LOOP)
            tokens.add(token)


def _is_old(found: Found, known: datetime | None) -> bool:
    return known is not None and bool(found.page.posts) and max(p.published_at for p in found.page.posts) <= known


def _read_state(told: dict[str, Any]) -> tuple[datetime | None, list[tuple[datetime, datetime]]]:
    """Read the state of a search; a damaged one counts as none."""
    try:
        last = aware(datetime.fromisoformat(told["last"])) if told.get("last") else None
        left = [(aware(datetime.fromisoformat(a)), aware(datetime.fromisoformat(b))) for a, b in told.get("left", ())]
    except (TypeError, ValueError):
        return None, []
    return last, left


def _write_state(last: datetime | None, left: list[tuple[datetime, datetime]]) -> dict[str, Any]:
    spans = [[low.isoformat(), high.isoformat()] for low, high in left[:_MOST_LEFT]]
    return ({"last": last.isoformat()} if last else {}) | ({"left": spans} if spans else {})
