"""Ask what was recognised in posts of the press and of companies (listener/spoken.py) by the period."""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from stakeholders.companies.peer import Peers
from stakeholders.companies.recognition import is_kept
from stakeholders.counting.period import Period
from stakeholders.store import spoken

__all__ = ["hours_of", "in_hours", "pending_in"]

_MOST = 500  # mentions not looked at yet; where there are more, every post is read


def pending_in(connection: Connection, period: Period, brand: str, peers: Peers) -> list[int] | None:
    """Give the mentions of a period that were not looked at since they changed; None where every post must be read."""
    about = peers.brands.get(brand)
    if about is None or about.kind != "own" or not is_kept(connection, peers):
        return None
    found = connection.scalars(_waiting(), hours_of(period)).all()
    return None if len(found) > _MOST else list(found)


@cache
def _waiting() -> sa.Select[Any]:
    return sa.select(spoken.c.mention_id).where(sa.text("seal IS NULL"), in_hours()).limit(_MOST + 1)


def in_hours() -> sa.ColumnElement[bool]:
    """Give the condition for mentions published in a period; it is asked with what `hours_of` gives."""
    return sa.and_(spoken.c.hour >= sa.bindparam("first_hour"), spoken.c.hour < sa.bindparam("end_hour"))


def hours_of(period: Period) -> dict[str, Any]:
    """Give what `in_hours` is asked with."""
    return {"first_hour": period.first_hour, "end_hour": period.end_hour}
