"""Settle what else a page brought beside posts: what was removed, who wants to be left alone, what reads otherwise now.

Collecting and webhooks both call it in the transaction that stores the page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import add_or_update
from listener.fold import fold
from listener.mention import OptOut, Page
from listener.platforms.calls import Call
from listener.store import mentions
from sentiment.store import verdicts
from stakeholders.store import suppressions

if TYPE_CHECKING:
    from listener.intake import Saved

__all__ = ["Suppressed", "read_opt_outs", "settle_arrival"]

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Hold one account that does not want to be written to, and since when."""

    source: str
    handle: str
    at: datetime


def settle_arrival(connection: Connection, source: str, page: Page, saved: Saved, now: datetime) -> None:
    """Erase what is gone, keep the opt-out list, and let edited posts be judged again, in the caller's transaction."""
    if page.gone:
        from stakeholders.erasure import erase

        # A call may tell of the removal before it tells of the post, which must not come back then.
        erase(connection, source, page.gone, "deleted", now, always=isinstance(page, Call))
    _keep_wishes(connection, source, page.opt_outs)
    _judge_again(connection, saved.edited)


def _keep_wishes(connection: Connection, source: str, wishes: Sequence[OptOut]) -> None:
    """Write and strike the opt-out list in the order of time: the later wish counts; of two at once, the one to stop.

    A wish to be written to again strikes only what was wished before it, so that an old call that comes late does not
    undo a newer one.
    """
    for wish in sorted(wishes, key=lambda one: (one.at, one.stops)):
        handle = fold(wish.handle)
        mine = sa.and_(suppressions.c.source == source, suppressions.c.handle == handle)
        if not wish.stops:
            connection.execute(suppressions.delete().where(mine, suppressions.c.at < wish.at))
            continue
        known = connection.scalar(sa.select(suppressions.c.at).where(mine))
        if known is None or known < wish.at:
            row = {"source": source, "handle": handle, "at": wish.at}
            add_or_update(connection, suppressions, [row], ("source", "handle"))


def _judge_again(connection: Connection, posts: Sequence[int]) -> None:
    """Let a model's verdict on a post that was edited stand in the history only; a person's stays the one that counts.

    The decision stays until the new verdict is there; the stage that judges finds the mention pending.
    """
    for start in range(0, len(posts), _CHUNK):
        edited = sa.select(mentions.c.id).where(mentions.c.post_id.in_(posts[start : start + _CHUNK]))
        given = sa.and_(verdicts.c.mention_id.in_(edited), verdicts.c.current, verdicts.c.by == "model")
        connection.execute(verdicts.update().where(given).values(current=False))


def read_opt_outs(connection: Connection, source: str | None = None) -> list[Suppressed]:
    """Read who does not want to be written to, by source and then the latest first."""
    query = sa.select(suppressions.c.source, suppressions.c.handle, suppressions.c.at)
    if source is not None:
        query = query.where(suppressions.c.source == source)
    rows = connection.execute(query.order_by(suppressions.c.source, suppressions.c.at.desc(), suppressions.c.id))
    return [Suppressed(row.source, row.handle, row.at) for row in rows]
