"""Tell which conversation a post belongs to, and which cases stand in it."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import Post
from listener.store import mentions, posts
from listener.taxonomy import OPEN_STATUSES
from stakeholders.store import case_mentions, cases

__all__ = ["cases_of", "thread_of"]

_FURTHEST = 50  # answers walked up; a longer chain counts from there


def thread_of(connection: Connection, post: Post) -> str:
    """Give "source/thread": the platform's thread id, else the first post of the chain of answers that is known."""
    if post.thread:
        return f"{post.source}/{post.thread}"
    root, parent = post.native_id, post.in_reply_to
    for _ in range(_FURTHEST):
        if not parent:
            break
        root = parent
        row = connection.execute(
            sa.select(posts.c.thread, posts.c.in_reply_to).where(
                posts.c.source == post.source, posts.c.native_id == parent
            )
        ).one_or_none()
        if row is None:
            break
        if row.thread:
            root = row.thread
            break
        parent = row.in_reply_to
    return f"{post.source}/{root}"


def cases_of(connection: Connection, thread: str, brand: str) -> list[tuple[int, str, frozenset[int]]]:
    """Give the cases of a conversation about a brand, open and newest first: id, department, ids of its authors.

    A case that was merged leads to the one that it is part of. What was dismissed as noise gathers nothing more: a post
    of that conversation that needs an answer gets a case of its own, so that nothing is hidden in it.
    """
    found: dict[int, tuple[str, set[int]]] = {}
    heirs = sa.select(sa.func.coalesce(cases.c.merged_into, cases.c.id)).where(cases.c.thread == thread)
    rows = connection.execute(
        sa.select(cases.c.id, cases.c.department, posts.c.author_id)
        .select_from(cases.join(case_mentions).join(mentions).join(posts))
        .where(cases.c.id.in_(heirs), cases.c.brand == brand, cases.c.status != "dismissed")
        .order_by(sa.case((cases.c.status.in_(OPEN_STATUSES), 0), else_=1), cases.c.id.desc())
    )
    for row in rows:
        _, authors = found.setdefault(row.id, (row.department, set()))
        if row.author_id is not None:
            authors.add(row.author_id)
    return [(case_id, department, frozenset(authors)) for case_id, (department, authors) in found.items()]
