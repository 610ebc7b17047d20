"""Sweep a source: ask again after every stored post, so that what was deleted or edited there is so here within a day.

Only sources that offer `recheck` (listener.mention.Rechecks) can be swept; docs/compliance.md says what each can tell.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import Store, add_or_update
from listener.erasure import CHUNK, Why, compact, erase_posts
from listener.errors import Unreadable
from listener.mention import Forecasts, Page, Rechecks
from listener.reason import N_
from listener.store import clean, cursors, posts

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["EVERY", "Saves", "Swept", "job_of_sweep", "oldest_check", "sweep_source", "swept_sources"]

log = logging.getLogger("escucha.sweep")

EVERY = timedelta(hours=1)  # how often the clock calls: a 24th of all posts at a time
AGAIN = timedelta(hours=18)  # a post is asked after again so long after the last time…
# …counted from a whole one of these: 18 + 4 + 1 hours are less than a day. Within it the same posts are due, so that a
# platform that checks a list in the background (X's compliance jobs) is asked for the same list.
ROUND = timedelta(hours=4)
YOUNG = timedelta(days=30)
RARELY = timedelta(days=6, hours=18)  # older posts of a platform that charges for each: once a week
MOST = 20_000  # posts a sweep; the rest waits for the next
_FEW = 10  # posts gone at once, below which nothing is suspicious
_SAMPLE = 100
_ENOUGH = 20  # posts that are there, of that sample
_SURE = timedelta(minutes=50), timedelta(hours=12)  # when the same answer again is believed
_TOO_MANY = N_("the platform says that nearly all posts are gone; nothing is erased before it says so again in an hour")


class Saves(Protocol):
    """Store a page of posts that are still there, as the intake does; say which rows were edits in `edited`."""

    def __call__(self, connection: Connection, source: str, page: Page, now: datetime, /) -> Any:
        """Store it in the caller's transaction."""
        ...


@dataclass(frozen=True, slots=True)
class Swept:
    """Count what a sweep did; `left` posts are due and were not asked after yet."""

    source: str
    checked: int = 0
    gone: int = 0
    edited: int = 0
    left: int = 0


def job_of_sweep(source: str) -> str:
    """Name the job that sweeps a source."""
    return f"sweep/{source}"


def swept_sources(config: Config) -> tuple[str, ...]:
    """Name the connected sources that can tell whether a post is still there; nothing is opened or asked for it."""
    return tuple(name for name, table in config.sources.items() if _offers(type(table).__module__))


def _offers(module: str) -> bool:
    return hasattr(getattr(import_module(module), "Source", None), "recheck")


def sweep_source(
    store: Store,
    source: Any,
    name: str,
    now: datetime,
    save: Saves,
    step: Callable[[str], None] = lambda _: None,
    *,
    erase: Callable[[Connection, str, Sequence[str], Why, datetime], Any] = erase_posts,
    pay: Callable[[], None] = lambda: None,
    stopping: Callable[[], bool] = lambda: False,
    again: timedelta | None = None,
    seconds: float = 300,
) -> Swept:
    """Ask a source after the posts that it was not asked after for a day, the longest waiting first.

    Each page is one commit: edits by `save`, what is gone by `erase`, and when they were checked, so that a kill costs
    nothing but that page. Before each page `pay` is called (it raises when the budget is used up) and `stopping` asked;
    after `seconds` the rest is left to the next sweep. With `again`, posts are due so long after they were last seen.
    Raises what the source raises; whatever was erased until then leaves the files, too.
    """
    if not isinstance(source, Rechecks):
        return Swept(name)
    turn = _Turn(store, source, name, now, save, erase)
    with store.read() as connection:
        due = _due(connection, name, now, again, billed=isinstance(source, Forecasts) and bool(source.dearest_page))
    began, asked = monotonic(), frozenset(due)
    try:
        pages = iter(source.recheck(due)) if due else iter(())
        while not stopping() and monotonic() - began < seconds:
            pay()
            if (page := next(pages, None)) is None:
                turn.finish(due)
                break
            turn.take(page, asked)
            step("page checked")
        else:
            turn.finish()
    finally:
        if turn.gone:
            compact(store, now)
            step("store compacted")
    left = len(due) - turn.checked - turn.gone
    log.info("sweep: %s: %d checked, %d gone, %d edited, %d left", name, turn.checked, turn.gone, turn.edited, left)
    return Swept(name, turn.checked, turn.gone, turn.edited, left)


class _Turn:
    """Hold one sweep at work; what is said to be gone is held back until the platform has shown that it works."""

    def __init__(self, store: Store, source: Rechecks, name: str, now: datetime, save: Saves, erase: Any) -> None:
        self.store, self.source, self.name, self.now = store, source, name, now
        self.save, self.erase = save, erase
        self.checked = self.gone = self.edited = 0
        self._held: list[str] = []  # said to be gone, not erased yet
        self._believed = False
        self._told: set[str | None] = set()

    def take(self, page: Page, asked: frozenset[str]) -> None:
        """Store one answer; what was not asked for is none of its business."""
        still = tuple(post for post in page.posts if clean(post.native_id) in asked)
        there = {clean(post.native_id) for post in still}
        for one in dict.fromkeys(page.gone):
            if (known := clean(one)) in asked and known not in self._told and known not in there:
                self._held.append(one)
        self._told |= there | {clean(one) for one in page.gone}
        self.checked += len(there)
        if not self._believed and len(self._held) >= _FEW and self.gone + len(self._held) > 9 * self.checked:
            self._doubt(frozenset(self._held))
        sure = self._believed or self.gone + len(self._held) <= 9 * self.checked
        with self.store.write() as connection:
            saved = self.save(connection, self.name, replace(page, posts=still, gone=(), cursor=None), self.now)
            _mark(connection, self.name, [post.native_id for post in still], self.now)
            if sure:
                self._let_go(connection)
        self.edited += len(getattr(saved, "edited", ()))

    def finish(self, asked: Sequence[str] = ()) -> None:
        """Let go of a few that are all gone, and mark the rest, of which the platform said nothing.

        It was asked, and did not say that those are gone; else they would be asked after in every sweep, before others.
        """
        rest = [one for one in asked if one not in self._told]
        with self.store.write() as connection:
            if len(self._held) < _FEW:
                self._let_go(connection)
            _mark(connection, self.name, rest, self.now)
        self.checked += len(rest)

    def _let_go(self, connection: Connection) -> None:
        if self._held:
            self.erase(connection, self.name, tuple(self._held), "deleted", self.now)
        self.gone += len(self._held)
        self._held = []

    def _doubt(self, gone: frozenset[str]) -> None:
        """Ask after other posts before many are erased and hardly any is there: a fault loses them all at once.

        Where those are gone as well, nothing is erased until it says the same again in the next sweep: then it is true.
        """
        key = f"{self.name}/sweep"
        with self.store.read() as connection:
            others = [one for one in _sample(connection, self.name) if one not in gone]
            said = connection.scalar(sa.select(cursors.c.updated_at).where(cursors.c.source == key))
        there = lost = 0
        billed = []
        for page in self.source.recheck(others) if others else ():
            there, lost = there + len(page.posts), lost + len(page.gone)
            billed += [page] if page.billed or page.quota else []
            if there >= _ENOUGH:
                break
        believed = there > 0 and 9 * there >= lost
        again = said is not None and _SURE[0] <= self.now - said <= _SURE[1]
        with self.store.write() as connection:
            for page in billed:
                self.save(connection, self.name, replace(page, posts=(), gone=(), cursor=None), self.now)
            if believed or again:
                connection.execute(cursors.delete().where(cursors.c.source == key))
            elif said is None or self.now - said > _SURE[1]:
                row = {"source": key, "value": "doubted", "updated_at": self.now}
                add_or_update(connection, cursors, [row], ("source",))
        if not (believed or again):
            raise Unreadable(self.name, _TOO_MANY)
        self._believed = True


def _seen() -> sa.ColumnElement[datetime]:
    return sa.func.coalesce(posts.c.checked_at, posts.c.collected_at, type_=posts.c.collected_at.type)


def _due(connection: Connection, source: str, now: datetime, again: timedelta | None, *, billed: bool) -> list[str]:
    """Give the ids of the posts to ask after, the longest waiting first; of those that cost, old ones once a week."""
    beat = datetime.fromtimestamp(now.timestamp() // ROUND.total_seconds() * ROUND.total_seconds(), UTC)
    seen = _seen()
    waiting = seen <= (beat - AGAIN if again is None else now - again)
    if billed and again is None:
        waiting = sa.and_(waiting, sa.or_(posts.c.published_at > now - YOUNG, seen <= now - RARELY))
    query = sa.select(posts.c.native_id).where(posts.c.source == source, waiting)
    return list(connection.scalars(query.order_by(seen, posts.c.id).limit(MOST)))


def _sample(connection: Connection, source: str) -> list[str]:
    """Give posts from all over a source's stretch of ids."""
    first, last = connection.execute(
        sa.select(sa.func.min(posts.c.id), sa.func.max(posts.c.id)).where(posts.c.source == source)
    ).one()
    if first is None:
        return []
    step = max(1, (last - first) // _SAMPLE)
    spread = sa.and_(posts.c.source == source, posts.c.id % step == first % step)
    return list(connection.scalars(sa.select(posts.c.native_id).where(spread).order_by(posts.c.id).limit(2 * _SAMPLE)))


def _mark(connection: Connection, source: str, native_ids: Sequence[str], now: datetime) -> None:
    for part in _parts([clean(one) or "" for one in native_ids]):
        chosen = sa.and_(posts.c.source == source, posts.c.native_id.in_(part))
        connection.execute(posts.update().where(chosen).values(checked_at=now))


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def oldest_check(connection: Connection, source: str) -> datetime | None:
    """Give when the post that waits longest was last seen at its source; None when nothing is stored."""
    return connection.scalar(
        sa.select(sa.func.min(_seen(), type_=posts.c.collected_at.type)).where(posts.c.source == source)
    )
