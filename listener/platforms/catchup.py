"""Catch up with what an account of Meta's was told while no call came: edge by edge, and on from where it was cut."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from listener.errors import Unreadable
from listener.mention import Page, Post, Rejected
from listener.platforms.graph import GONE, NOT_PROMISED, Graph, failure_of
from listener.raw import read_moment, read_state
from listener.reason import N_

__all__ = ["OVERLAP", "Ask", "Found", "Plan", "catch_up"]

OVERLAP = timedelta(minutes=15)  # comments reach the edges late

_LOOP = N_("the platform sends the same page again and again")


@dataclass(frozen=True, slots=True)
class Ask:
    """Hold one request: an edge, and the token of its page (none: the first)."""

    path: str
    token: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Hold what one answer brought, and what is to be asked because of it."""

    posts: Sequence[Post] = ()
    rejected: Sequence[Rejected] = ()
    asks: Sequence[Ask] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Say how an account is caught up with.

    `roots` are the edges to begin with; `params` gives what an edge is asked with beside its token; `read` reads an
    answer, told since when something counts as new; `days` is how far back the first one goes, `most` the requests.
    """

    roots: Sequence[str]
    params: Callable[[str], Mapping[str, str | int]]
    read: Callable[[Ask, Mapping[str, Any], datetime], Found]
    days: int
    most: int


def catch_up(graph: Graph, plan: Plan, cursor: str | None, now: datetime) -> Iterator[Page]:
    """Yield the pages of every edge, at most `plan.most` of them.

    What is left to ask stands in the cursor of each page, so that the next poll goes on where this one was cut; once
    nothing is left, the next begins where this sweep began, less an overlap. Raises a SourceError.
    """
    sweep = _Sweep(plan, cursor, now)
    for _ in range(plan.most):
        if not sweep.queue:
            return
        yield sweep.turn(graph)
        if sweep.looped:
            raise Unreadable(graph.source, _LOOP)


class _Sweep:
    """Hold what is left to ask, and since when something counts as new."""

    def __init__(self, plan: Plan, cursor: str | None, now: datetime) -> None:
        self.plan = plan
        state = read_state(cursor)
        reach = now - timedelta(days=plan.days)
        opened = state.get("open", {})
        self.done = _moment(state.get("done", {}).get("until"))
        self.queue = _queue(opened.get("queue"))
        self.resumed = bool(self.queue)
        self.since = max((self.done or reach) - OVERLAP, reach)
        self.began = now
        if self.resumed:
            self.since = _moment(opened.get("since")) or reach
            self.began = min(_moment(opened.get("began")) or now, now)
        else:
            self.queue = [Ask(root) for root in plan.roots]
        self.seen: set[Ask] = set()
        self.looped = False

    def turn(self, graph: Graph) -> Page:
        """Ask for one page and say where to go on."""
        ask = self.queue.pop(0)
        self.seen.add(ask)
        root = ask.path in self.plan.roots
        # A post may have gone meanwhile, and the token of a sweep that was cut may have expired.
        spare = frozenset({100}) if not root or (self.resumed and ask.token) else frozenset()
        answer = graph.get(ask.path, {**self.plan.params(ask.path), **dict(ask.token)}, spare=spare)
        if answer.code is not None:
            self._start_over(ask, answer.code, graph.source, root=root)
            return Page((), self._state())
        if not isinstance(answer.body.get("data"), list):
            raise graph.clean(Unreadable(graph.source, NOT_PROMISED, body=json.dumps(answer.body).encode()))
        found = self.plan.read(ask, answer.body, self.since)
        self.looped = any(one.path == ask.path and one in self.seen for one in found.asks)
        # A post that comes twice brings its comments once; the same page again is a loop, whose end is not known.
        self.queue += [one for one in found.asks if one not in self.seen and one not in self.queue]
        cursor = None if self.looped else self._state()
        return Page(tuple(found.posts), cursor, tuple(found.rejected), quota=answer.quota)

    def _start_over(self, ask: Ask, code: tuple[int, int | None], source: str, *, root: bool) -> None:
        """Go on after Graph did not know an edge or a token: a post that has gone is left, an old token is not used."""
        if root:
            self.queue, self.resumed, self.seen = [Ask(one) for one in self.plan.roots], False, set()
        elif code not in GONE and not self.resumed:
            raise failure_of(*code, None, source)
        elif code not in GONE and ask.token and Ask(ask.path) not in self.seen:
            self.queue.insert(0, Ask(ask.path))

    def _state(self) -> str:
        done = {"done": {"until": self.done.isoformat()}} if self.done else {}
        if not self.queue:
            return json.dumps({"done": {"until": self.began.isoformat()}})
        queue = [[one.path, one.token] for one in self.queue]
        left = {"since": self.since.isoformat(), "began": self.began.isoformat(), "queue": queue}
        return json.dumps({"open": left} | done)


def _moment(value: Any) -> datetime | None:
    try:
        return read_moment(value)
    except ValueError:
        return None


def _queue(told: Any) -> list[Ask]:
    """Read the requests that are left from a cursor; a damaged one counts as none."""
    try:
        return [Ask(str(path), tuple((str(name), str(value)) for name, value in token)) for path, token in told or ()]
    except (TypeError, ValueError):
        return []
