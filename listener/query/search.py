"""Read stored posts by a query, newest first, page by page; the answers are those of `fits`, on both databases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from listener.mention import Author, Metrics, Post
from listener.query.fulltext import partition
from listener.query.listed import post_ids
from listener.query.match import Reading, compile_test, facts_of
from listener.query.spelling import has_star
from listener.query.sql import is_called, posts_with_words, unindexed, where
from listener.query.tree import Day, Fact, Query, all_of, leaves, required
from listener.store import authors, mentions, posts

__all__ = ["Found", "Place", "Results", "count", "search"]

Place = tuple[datetime, int]  # when a post was published, and its id: the next page goes on behind it

_BATCH = 500
_NEWEST = 2_000  # posts that are asked for words first
_NEAR = 4  # times as much as was found is a page
_SPREAD = 16  # ids for one post: then posts stand among them that were said at other times
_LOOKED = 1_000  # posts whose words are looked at first, for beginnings of words
_LONGEST = 16  # times as long as all before, if so little was found
_SHORTEST = timedelta(hours=1)
_FEW = 20_000  # posts of one author that are rather sorted than met among all
_LAST = 2**62  # behind every id
_FOREVER = datetime(9999, 12, 30, tzinfo=UTC)

# Made once: a search asks them at every stretch.
_AT, _UP_TO = posts.c.published_at, posts.c.published_at <= sa.bindparam("place")
_ENDS = sa.select(
    sa.select(_AT).where(_UP_TO).order_by(_AT.desc()).limit(1).scalar_subquery().label("newest"),
    sa.select(_AT).order_by(_AT).limit(1).scalar_subquery().label("oldest"),
)
_FLOOR = sa.select(_AT).where(_UP_TO).order_by(_AT.desc()).offset(sa.bindparam("many")).limit(1)
_ROWS = (
    sa.select(
        posts.c.id, posts.c.source, posts.c.native_id, posts.c.url, posts.c.text, posts.c.lang, posts.c.country,
        posts.c.published_at, posts.c.in_reply_to, posts.c.thread, posts.c.likes, posts.c.replies, posts.c.shares,
        posts.c.views, authors.c.handle, authors.c.name, authors.c.native_id.label("author_native_id"),
        authors.c.bio, authors.c.url.label("author_url"), authors.c.verified, authors.c.followers,
    )
    .select_from(posts.outerjoin(authors))
    .where(posts.c.id.in_(sa.bindparam("ids", expanding=True)))
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """Hold a stored post that fits."""

    id: int
    post: Post  # without its raw record


@dataclass(frozen=True, slots=True)
class Results:
    """Hold a page of posts, newest first; `after` is where the next page begins, None when there is no more."""

    found: tuple[Found, ...]
    after: Place | None


def search(connection: Connection, query: Query, *, after: Place | None = None, limit: int = 50) -> Results:
    """Give the newest stored posts that fit, at most `limit`, from behind the place that the page before gave."""
    found = list(islice(_newest(connection, query, after, limit), limit + 1))
    more = len(found) > limit
    found = found[:limit]
    last = (found[-1].post.published_at, found[-1].id) if more and found else None
    return Results(tuple(found), last)


def count(connection: Connection, query: Query, *, since: datetime | None = None) -> int:
    """Count the stored posts that fit, all or those published since a moment."""
    asked = where(query, connection.dialect.name)
    if asked.exact:
        statement = sa.select(sa.func.count()).select_from(posts).where(asked.clause)
        if since is not None:
            statement = statement.where(posts.c.published_at >= since)
        return connection.scalar(statement) or 0
    return sum(1 for one in _newest(connection, query, None, _BATCH) if since is None or one.post.published_at >= since)


def _newest(connection: Connection, query: Query, after: Place | None, limit: int) -> Iterator[Found]:
    asked = where(query, connection.dialect.name)
    test = compile_test(query.tree)
    by_brand = any(isinstance(leaf, Fact) and leaf.name == "brand" for leaf in leaves(query.tree))
    size = min(limit + 1, _BATCH) if asked.exact else _BATCH
    for rows in _stretches(connection, query, after, size):
        page = [Found(row.id, _post(row)) for row in rows]
        if not asked.exact:
            brands = _brands(connection, [one.id for one in page]) if by_brand else {}
            page = [one for one in page if test(Reading(facts_of(one.post, brands.get(one.id, ()))))]
        yield from page


def _stretches(connection: Connection, query: Query, after: Place | None, size: int) -> Iterator[Sequence[Any]]:
    """Give what the clause finds, newest first, page by page.

    Words are first asked of the newest posts alone, by time and by the ids that posts of these hours have, then of as
    long a time as what was found promises. So nobody reads all posts with a common word to find the newest, and what
    is rare is met after few steps, each many times as long as all before. What somebody wrote who writes rarely is
    read, and its words looked at. So are the newest posts for beginnings of words: an index first puts all words that
    begin so together, in the whole archive. So are they where posts that were said at other times stand between them,
    and many of these hold the words, too.
    """
    dialect = connection.dialect.name
    asked, bounds = where(query, dialect), _bounds(query)
    place = after if bounds.until is None else min(after or bounds.until, bounds.until)
    written = _written(connection, query)
    if written is not None:
        yield from _pages(connection, sa.and_(written, where(query, dialect, each=True).clause), place, size, few=True)
        return
    if not asked.worded:
        yield from _pages(connection, asked.clause, place, size)
        return
    newest, oldest = _ends(connection, place)
    if newest is None or oldest is None:
        return
    oldest = max(oldest, bounds.since) if bounds.since is not None else oldest
    place, found = place or (newest, _LAST), 0
    first, begins = True, any(has_star(leaf) for leaf in leaves(query.tree))
    floor = _floor(connection, place, _LOOKED if begins else _NEWEST)
    while True:
        floor = oldest if floor is None else max(floor, oldest)
        if (ids := _ids(connection, floor, place)) is not None:
            near = first or _NEAR * found >= size  # the page is full soon
            each = near if begins else first and _is_common(connection, query, ids)
            newer, first = where(query, dialect, ids, each=each).clause, False
            newer = sa.and_(newer, posts.c.published_at >= floor) if floor > oldest else newer
            for rows in _pages(connection, newer, place, max(size - found, 1) if asked.exact else size):
                yield rows
                found += len(rows)
        if floor <= oldest:
            return
        place = (floor, 0)
        times = min(max(1.3 * size / found, 1), _LONGEST) if found else _LONGEST
        longer = max(newest - floor, _SHORTEST) * times
        floor = floor - longer if floor - oldest > longer else oldest


class _Bounds(NamedTuple):
    since: datetime | None  # nothing that fits was published before
    until: Place | None  # nothing that fits stands before


def _is_common(connection: Connection, query: Query, ids: tuple[int, int]) -> bool:
    """Tell whether far more posts with these ids hold the words than the newest are."""
    if ids[1] - ids[0] < _SPREAD * _NEWEST:
        return False
    said, _ = partition(required(query.tree))
    words = Query(query.text, all_of(said))
    some = posts_with_words(words, connection.dialect.name, ids).limit(_NEWEST + 1).subquery()
    return (connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0) > _NEWEST


def _bounds(query: Query) -> _Bounds:
    """Give the times that a query names for all that fits."""
    days = [part for part in required(query.tree) if isinstance(part, Day)]
    since = [day.at for day in days if day.name == "since"]
    until = [(day.at, 0) for day in days if day.name == "until"]  # ids are over 0: the moment itself is out
    return _Bounds(max(since, default=None), min(until, default=None))


def _written(connection: Connection, query: Query) -> ColumnElement[bool] | None:
    """Give the condition for the posts of the one who must have written what fits, where they are few."""
    handles = [part.value for part in required(query.tree) if isinstance(part, Fact) and part.name == "from"]
    if not handles:
        return None
    named = sa.select(authors.c.id).where(
        is_called(authors, handles[0], postgres=connection.dialect.name == "postgresql")
    )
    mine = posts.c.author_id.in_(named)
    some = sa.select(posts.c.author_id).where(mine).limit(_FEW + 1).subquery()
    many = connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0
    return mine if many <= _FEW else None


def _ends(connection: Connection, place: Place | None) -> tuple[datetime | None, datetime | None]:
    """Give when the newest post up to a place and the oldest of all were published."""
    told = connection.execute(_ENDS, {"place": place[0] if place is not None else _FOREVER}).one()
    return told.newest, told.oldest


def _floor(connection: Connection, place: Place, many: int) -> datetime | None:
    """Give when the post was published that stands so many behind a place; None where fewer do."""
    return connection.scalar(_FLOOR, {"place": place[0], "many": many})


def _ids(connection: Connection, floor: datetime, place: Place) -> tuple[int, int] | None:
    """Give ids between which all posts stand that were published since `floor`, up to a place; None where none were."""
    return post_ids(connection, *(math.floor(at.timestamp() / 3600) for at in (floor, place[0])))


def _pages(
    connection: Connection, clause: ColumnElement[bool], after: Place | None, size: int, *, few: bool = False
) -> Iterator[Sequence[Any]]:
    while True:
        rows = _page(connection, clause, after, size, few)
        yield rows
        if len(rows) < size:
            return
        after = (rows[-1].published_at, rows[-1].id)


def _page(
    connection: Connection, clause: ColumnElement[bool], after: Place | None, size: int, few: bool
) -> Sequence[Any]:
    at: ColumnElement[datetime] = posts.c.published_at
    if few and connection.dialect.name == "sqlite":  # else it walks through all posts, in order; a + keeps it from that
        at = unindexed(posts.c.published_at)
    # First which, then their words: nobody carries the words of all that fit into the sorting.
    keys = sa.select(posts.c.id).where(clause).order_by(at.desc(), posts.c.id.desc()).limit(size)
    if after is not None:
        behind = sa.or_(at < after[0], sa.and_(at == after[0], posts.c.id < after[1]))
        keys = keys.where(at <= after[0], behind)  # an OR alone is no range of an index
    ids = list(connection.scalars(keys))
    if not ids:
        return []
    told = {row.id: row for row in connection.execute(_ROWS, {"ids": ids})}
    return [told[one] for one in ids if one in told]


def _post(row: sa.Row[Any]) -> Post:
    author = Author(row.handle, row.name, row.author_native_id, row.bio, row.author_url, row.verified, row.followers)
    post = Post(row.source, row.native_id, row.text, row.published_at, author)
    return replace(
        post, url=row.url, lang=row.lang, country=row.country, in_reply_to=row.in_reply_to, thread=row.thread,
        metrics=Metrics(row.likes, row.replies, row.shares, row.views),
    )  # fmt: skip


def _brands(connection: Connection, ids: Sequence[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    rows = connection.execute(sa.select(mentions.c.post_id, mentions.c.brand).where(mentions.c.post_id.in_(ids)))
    for row in rows:
        found.setdefault(row.post_id, set()).add(row.brand)
    return found
