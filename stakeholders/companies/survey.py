"""Answer what a page shows of exchanges: their counts, and the newest of them in full.

The answer is that of `exchanges`, which reads every post; here only what is shown is read, and what was not looked at
since it changed. All else is counted from what was recognised before (listener/spoken.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from heapq import nlargest
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.settings import Settings
from listener.spoken import EXCHANGE
from stakeholders.companies.kept import hours_of, in_hours, pending_in
from stakeholders.companies.peer import DIRECTIONS, Direction, Exchange, Peers, Total, exchanges, peers_of, totals
from stakeholders.companies.recognition import ticks_of, voice_of
from stakeholders.counting.period import Period
from stakeholders.store import spoken

__all__ = ["Survey", "survey_exchanges"]

_MOODS = ("negative", "neutral", "positive")
_ADDED = ("exchanges", *_MOODS, "unsure", "at_events")


@dataclass(frozen=True, slots=True)
class Survey:
    """Hold how many exchanges a period has, their totals by direction, and the newest of them."""

    totals: tuple[Total, ...]
    count: int
    newest: tuple[Exchange, ...]


def survey_exchanges(
    connection: Connection, settings: Settings, period: Period, brand: str, most: int, peers: Peers | None = None
) -> Survey:
    """Count the exchanges of a period that one of our brands is a side of, or that are between others, by direction.

    With the newest `most` in full. `peers` spares building one.
    """
    peers = peers or peers_of(settings)
    pending = pending_in(connection, period, brand, peers)
    if pending is None:
        found = exchanges(connection, settings, period, brand, peers)
        return Survey(totals(found), len(found), tuple(found[:most]))
    fresh = exchanges(connection, settings, period, brand, peers, among=pending) if pending else []
    counted = tuple(_total(connection, period, brand, one, fresh) for one in DIRECTIONS)
    newest = [(ticks_of(one.at), one.mention_id) for one in fresh]
    for direction in DIRECTIONS:
        given = _side(period, brand, direction) | {"most": most}
        newest.extend(tuple(row) for row in connection.execute(_newest(), given))
    ids = [mention_id for _, mention_id in nlargest(most, newest)]
    shown = exchanges(connection, settings, period, brand, peers, among=ids) if ids else []
    return Survey(counted, sum(one.exchanges for one in counted), tuple(shown))


def _side(period: Period, brand: str, direction: Direction) -> dict[str, Any]:
    ours = "" if direction == "them_to_them" else brand
    return {"direction": direction, "ours": ours, **hours_of(period)}


def _exchanged(*columns: Any) -> sa.Select[Any]:
    """Give the query of columns of the exchanges of a direction; it is asked with what `_side` gives."""
    mine = spoken.c.direction == sa.bindparam("direction"), spoken.c.ours == sa.bindparam("ours")
    return sa.select(*columns).where(sa.text(EXCHANGE), *mine, in_hours())


@cache
def _newest() -> sa.Select[Any]:
    order = (spoken.c.hour.desc(), spoken.c.at.desc(), spoken.c.mention_id.desc())
    return _exchanged(spoken.c.at, spoken.c.mention_id).order_by(*order).limit(sa.bindparam("most"))


@cache
def _counts() -> sa.Select[Any]:
    every = sa.func.count()
    told = (every.filter(spoken.c.sentiment == mood) for mood in _MOODS)
    # Most have no twin anywhere, and are one each; of the others the different ones are counted.
    twins = (spoken.c.copied, spoken.c.voiced)
    different = (every - sa.func.count(one) + sa.func.count(one.distinct()) for one in twins)
    return _exchanged(every, *told, every.filter(spoken.c.unsure), *different, every.filter(spoken.c.at_event))


@cache
def _known(name: str) -> sa.Select[Any]:
    column = spoken.c[name]
    return _exchanged(column).where(column.in_(sa.bindparam("values", expanding=True)))


def _total(
    connection: Connection, period: Period, brand: str, direction: Direction, fresh: Sequence[Exchange]
) -> Total:
    """Count one direction from what was recognised, and add what was not looked at yet."""
    given = _side(period, brand, direction)
    total = Total(direction, *connection.execute(_counts(), given).one())
    new = [one for one in fresh if one.direction == direction]
    if not new:
        return total
    (more,) = (one for one in totals(new) if one.direction == direction)
    texts, voices = {one.cluster for one in new}, {voice_of(one.speaker) for one in new}
    for name, values in (("cluster", texts), ("company", voices)):
        values.difference_update(connection.scalars(_known(name), given | {"values": list(values)}))
    return replace(
        total,
        **{name: getattr(total, name) + getattr(more, name) for name in _ADDED},
        texts=total.texts + len(texts),
        companies=total.companies + len(voices),
    )
