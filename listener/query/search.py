"""Read stored posts by a query, newest first, page by page; the answers are those of `fits`, on both databases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import Author, Metrics, Post
from listener.query.match import Reading, compile_test, facts_of
from listener.query.sql import where
from listener.query.tree import Fact, Query, leaves
from listener.store import authors, mentions, posts

__all__ = ["Found", "Place", "Results", "count", "search"]

Place = tuple[datetime, int]  # when a post was published, and its id: the next page goes on behind it

_BATCH = 500
_NEWEST = 2_000  # posts that are asked for words first
_FARTHEST = 250_000  # posts behind which a word is rare enough to ask for all that hold it


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

    Words that many posts hold are first asked of the newest posts alone, by time and by the ids that these have, then
    of stretches as long as what was found promises. So nobody reads all posts with a common word to find the newest.
    """
    dialect, place, read, found = connection.dialect.name, after, 0, 0
    stretch = _NEWEST if where(query, dialect).worded else 0
    while stretch:
        floor = _floor(connection, place, stretch)
        if floor is None:  # fewer are left
            break
        ids = _ids(connection, floor, place)
        newer = sa.and_(where(query, dialect, ids).clause, posts.c.published_at >= floor)
        for rows in _pages(connection, newer, place, size):
            yield rows
            found += len(rows)
        read, place = read + stretch, (floor, 0)
        if read == _NEWEST:
            stretch = 10 * _NEWEST
        else:
            promised = int(1.3 * read * size / found) if found else _FARTHEST + 1
            stretch = max(promised, read) if promised <= _FARTHEST else 0
    yield from _pages(connection, where(query, dialect).clause, place, size)


def _floor(connection: Connection, place: Place | None, many: int) -> datetime | None:
    """Give when the post was published that stands so many behind a place; None where fewer do."""
    at = posts.c.published_at
    query = sa.select(at).order_by(at.desc()).offset(many).limit(1)
    return connection.scalar(query if place is None else query.where(at <= place[0]))


def _ids(connection: Connection, floor: datetime, place: Place | None) -> tuple[int, int]:
    """Give the lowest and the highest id of the posts published since `floor`, up to a place."""
    # PostgreSQL would look for the lowest id from the lowest of all: + 0 has it read the posts of that time.
    lowest, highest = sa.func.min(posts.c.id + 0), sa.func.max(posts.c.id + 0)
    query = sa.select(lowest, highest).where(posts.c.published_at >= floor)
    if place is not None:
        query = query.where(posts.c.published_at <= place[0])
    low, high = connection.execute(query).one()
    return (0, 0) if low is None else (low, high)


def _pages(
    connection: Connection, clause: sa.ColumnElement[bool], after: Place | None, size: int
) -> Iterator[Sequence[Any]]:
    while True:
        rows = _page(connection, clause, after, size)
        yield rows
        if len(rows) < size:
            return
        after = (rows[-1].published_at, rows[-1].id)


def _page(connection: Connection, clause: sa.ColumnElement[bool], after: Place | None, size: int) -> Sequence[Any]:
    statement = (
        sa.select(
            posts.c.id, posts.c.source, posts.c.native_id, posts.c.url, posts.c.text, posts.c.lang, posts.c.country,
            posts.c.published_at, posts.c.in_reply_to, posts.c.thread, posts.c.likes, posts.c.replies, posts.c.shares,
            posts.c.views, authors.c.handle, authors.c.name, authors.c.native_id.label("author_native_id"),
            authors.c.bio, authors.c.url.label("author_url"), authors.c.verified, authors.c.followers,
        )
        .select_from(posts.outerjoin(authors))
        .where(clause)
        .order_by(posts.c.published_at.desc(), posts.c.id.desc())
        .limit(size)
    )  # fmt: skip
    if after is not None:
        behind = sa.or_(
            posts.c.published_at < after[0], sa.and_(posts.c.published_at == after[0], posts.c.id < after[1])
        )
        statement = statement.where(posts.c.published_at <= after[0], behind)  # an OR alone is no range of an index
    return connection.execute(statement).all()


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
