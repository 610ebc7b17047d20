"""Give every stored post its cluster: the id of the first post that says the same, by `listener.likeness`.

A stage like the others: what is pending is asked of the database, each batch is one commit, and the memory of texts is
only a copy that is filled again after a restart. Posts are placed in the order of their ids, so a process that is
killed anywhere leaves the clusters that an undisturbed one would. A cluster's number is a label: when its first post is
deleted the others keep it, and the first of those stands for the cluster from the next start on.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import Store
from listener.likeness import Likeness
from listener.store import posts

__all__ = ["Clusters", "cluster_pending"]

_LOCK = 7_021_996  # an arbitrary number that only this stage asks PostgreSQL for


class Clusters:
    """Remember the first text of every cluster around the posts that are placed; one for each process, kept."""

    def __init__(self, window: timedelta = timedelta(days=14), most: int = 200_000) -> None:
        self.window = window
        self.most = most  # texts held before what the posts at hand cannot repeat is forgotten
        self.forget()

    def forget(self) -> None:
        """Empty the memory; the next batch fills it from the database."""
        self._texts = Likeness(self.window)
        self._first, self._last = 0, -1  # hours since 1970 whose clusters are known; none yet
        self._seen = 0  # every cluster up to this id that falls into those hours is known

    def fill(self, connection: Connection, first: datetime, last: datetime) -> None:
        """Read what posts published from `first` to `last` may repeat, and what another process placed meanwhile."""
        begin, end = _hour(first - self.window), _hour(last + self.window)
        if self._first > self._last:
            self._first, self._last = begin, begin - 1
        elif len(self._texts) > self.most:
            self._first, self._last = max(self._first, begin), min(self._last, end)
            if self._first > self._last:
                self._first, self._last = begin, begin - 1
            self._texts.keep(self._first, self._last)
        known = self._seen
        self._seen = connection.scalar(sa.select(sa.func.max(posts.c.id)).where(posts.c.cluster.is_not(None))) or 0
        if self._first <= self._last:
            self._read(connection, self._first, self._last, known)
        if begin < self._first:
            self._read(connection, begin, self._first - 1, 0)
            self._first = begin
        if end > self._last:
            self._read(connection, self._last + 1, end, 0)
            self._last = end

    def place(self, post_id: int, text: str, at: datetime) -> int:
        """Give the cluster of a post published within what was filled."""
        self._seen = max(self._seen, post_id)
        return self._texts.place(post_id, text, at)

    def _read(self, connection: Connection, first: int, last: int, after: int) -> None:
        other = posts.alias()
        oldest = sa.select(sa.func.min(other.c.id)).where(other.c.cluster == posts.c.cluster).scalar_subquery()
        at = posts.c.published_at
        rows = connection.execute(
            sa.select(posts.c.cluster, posts.c.text, at)
            .where(posts.c.id > after, posts.c.cluster.is_not(None), posts.c.id == oldest)
            .where(at >= _moment(first), at < _moment(last + 1))
            .order_by(posts.c.id)
        )
        for row in rows:
            self._texts.hold(row.cluster, row.text, row.published_at)


def cluster_pending(store: Store, state: Clusters, batch: int = 500) -> int:
    """Place the first posts that have no cluster, in one commit; give how many, 0 when all have one."""
    pending = (
        sa.select(posts.c.id, posts.c.text, posts.c.published_at)
        .where(posts.c.cluster.is_(None))
        .order_by(posts.c.id)
        .limit(batch)
    )
    with store.read() as connection:
        rows = connection.execute(pending).all()
        if not rows:
            return 0
        # The first filling takes a while, so not while others wait for the lock.
        state.fill(connection, min(row.published_at for row in rows), max(row.published_at for row in rows))
    try:
        with store.write() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            rows = connection.execute(pending).all()
            if not rows:
                return 0
            state.fill(connection, min(row.published_at for row in rows), max(row.published_at for row in rows))
            placed = [{"post": row.id, "label": state.place(row.id, row.text, row.published_at)} for row in rows]
            connection.execute(
                posts.update().where(posts.c.id == sa.bindparam("post")).values(cluster=sa.bindparam("label")), placed
            )
    except BaseException:
        state.forget()  # it holds what was not written
        raise
    return len(rows)


def _hour(at: datetime) -> int:
    return int(at.timestamp() // 3600)


def _moment(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC)
