"""Count what the known bodies of the registries said: institutions, press and companies, never a private person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.store import mentions
from stakeholders.counting.counts import counted
from stakeholders.counting.period import Period
from stakeholders.counting.tally import add_up, pairs_by
from stakeholders.registry import Entry
from stakeholders.store import decisions

__all__ = ["Body", "count_bodies", "institutions"]

_PEOPLE = frozenset({"journalist", "legislator"})  # public office or not: a table of who said most names nobody
_LATEST = 3
_AT_ONCE = 10  # bodies asked for in one statement


@dataclass(frozen=True, slots=True)
class Body:
    """Count what one body said of a brand."""

    name: str
    stakeholder: str
    mentions: int
    negative: int
    neutral: int
    positive: int
    latest: tuple[int, ...] = ()  # ids of its newest mentions


def institutions(entries: Iterable[Entry]) -> frozenset[str]:
    """Give the names of the entries that are bodies; a name that also stands for a person is left out."""
    every = list(entries)
    return frozenset(one.name for one in every) - {one.name for one in every if one.kind in _PEOPLE}


def count_bodies(
    connection: Connection,
    period: Period,
    brand: str | None,
    known: frozenset[str],
    most: int | None = None,
    weight: Callable[[Body], float] = lambda _: 0,
) -> list[Body]:
    """Count the mentions by the known bodies that published them, loudest first; who was guessed is left out.

    `known` names the bodies that may be shown (`institutions`); with `most`, only so many are given, those of the least
    `weight` first and the loudest of each.
    """
    sums = pairs_by(connection, period, brand, "body")
    query = sa.select(sums.c.name, *add_up(sums)).group_by(sums.c.name).having(sa.func.sum(sums.c.mentions) > 0)
    heard = []
    for row in connection.execute(query):
        who, _, body = row.name.partition("/")  # no stakeholder has a stroke in its name, a body may
        if body in known:
            heard.append(Body(body, who, row.mentions, row.negative, row.neutral, row.positive))
    heard = sorted(heard, key=lambda one: (weight(one), -one.mentions, one.name, one.stakeholder))[:most]
    newest = _newest(connection, period, brand, heard)
    return [replace(body, latest=tuple(newest.get(place, ()))) for place, body in enumerate(heard)]


def _newest(connection: Connection, period: Period, brand: str | None, bodies: Sequence[Body]) -> dict[int, list[int]]:
    """Read the newest mentions of each body, a few steps into an index for each."""
    parts = []
    for place, body in enumerate(bodies):
        mine = sa.and_(decisions.c.entry == body.name, decisions.c.stakeholder == body.stakeholder)
        found = (
            sa.select(sa.literal(place).label("place"), mentions.c.id)
            .select_from(counted().join(decisions, decisions.c.mention_id == mentions.c.id))
            .where(mine, decisions.c.hour >= period.first_hour, decisions.c.hour < period.end_hour)
            .order_by(decisions.c.hour.desc(), mentions.c.published_at.desc(), mentions.c.id.desc())
            .limit(_LATEST)
        )
        if brand is not None:
            found = found.where(decisions.c.brand == brand)
        parts.append(sa.select(found.subquery(f"body_{place}")))
    newest: dict[int, list[int]] = {}
    for start in range(0, len(parts), _AT_ONCE):
        for place, number in connection.execute(sa.union_all(*parts[start : start + _AT_ONCE])):
            newest.setdefault(place, []).append(number)
    return newest
