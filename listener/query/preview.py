"""Show what a query would find among the stored posts, and what a change of it would lose and gain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from listener.query.search import Found, count, search
from listener.query.tree import Not, Query, all_of

__all__ = ["Difference", "Preview", "preview"]

_MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Difference:
    """Count the posts that only one of two queries finds, with the newest of them."""

    count: int
    newest: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """Hold what a query finds among stored posts; `lost` and `gained` are None without a query before it."""

    count: int
    month: int  # of those, published in the last 30 days
    newest: tuple[Found, ...]
    before: int | None = None  # how many the query before finds
    lost: Difference | None = None
    gained: Difference | None = None


def preview(
    connection: Connection, query: Query, before: Query | None = None, *, now: datetime, limit: int = 10
) -> Preview:
    """Count what a query finds, give its newest posts, and compare it with the query that it would replace."""
    found = Preview(
        count(connection, query),
        count(connection, query, since=now - _MONTH),
        search(connection, query, limit=limit).found,
    )
    if before is None:
        return found
    return Preview(
        found.count,
        found.month,
        found.newest,
        count(connection, before),
        _only(connection, before, query, limit),
        _only(connection, query, before, limit),
    )


def _only(connection: Connection, one: Query, other: Query, limit: int) -> Difference:
    apart = Query("", all_of([one.tree, Not(other.tree)]))
    return Difference(count(connection, apart), search(connection, apart, limit=limit).found)
