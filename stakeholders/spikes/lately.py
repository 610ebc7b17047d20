"""Look at the last hours, to tell at once whether a spike is on or near: in most cycles there is none."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.store import mentions
from sentiment.store import verdicts
from stakeholders.counting.counts import counted
from stakeholders.spikes.baseline import SPANS
from stakeholders.spikes.traffic import MEASURES, Measure, hour_of
from stakeholders.store import spikes as table

__all__ = ["Lately", "look_lately"]

_LATELY = (  # made once: every cycle asks it
    sa.select(
        mentions.c.brand,
        mentions.c.hour,
        mentions.c.source,
        sa.func.count(),
        sa.func.count().filter(verdicts.c.sentiment == "negative"),
    )
    .select_from(counted())
    .where(mentions.c.brand.in_(sa.bindparam("brands", expanding=True)))
    .where(mentions.c.hour >= sa.bindparam("first"), mentions.c.hour <= sa.bindparam("last"))
    .where(mentions.c.published_at <= sa.bindparam("now", type_=mentions.c.published_at.type))
    .group_by(mentions.c.brand, mentions.c.hour, mentions.c.source)
)
_newest = table.alias("newest")
_LATEST = sa.select(table).where(  # made once: every cycle asks it
    table.c.brand.in_(sa.bindparam("brands", expanding=True)),
    table.c.hour
    == sa.select(sa.func.max(_newest.c.hour))
    .where(_newest.c.brand == table.c.brand, _newest.c.measure == table.c.measure)
    .scalar_subquery(),
)


@dataclass(frozen=True)
class Lately:
    """Hold what was published in the hour that runs and in those before it that can be part of a spike.

    Mentions, and the harmful ones among them, by brand, hour and source; and of each brand and measure its last spike.
    """

    hour: int  # the one that is running
    counts: Mapping[tuple[str, int, str], tuple[int, int]]
    latest: Mapping[tuple[str, str], sa.Row[Any]]

    @property
    def hours(self) -> range:
        """Give the hours that were looked at."""
        return range(self.hour - max(SPANS), self.hour + 1)

    def count(self, brand: str, measure: Measure, hour: int, fresh: Collection[str] = ()) -> int:
        """Count one brand's mentions of an hour, without those of `fresh` sources."""
        place = MEASURES.index(measure)
        return sum(
            told[place]
            for (name, at, source), told in self.counts.items()
            if name == brand and at == hour and source not in fresh
        )

    def is_calm(self, least: int) -> bool:
        """Tell that no spike is on, and that too little came for one to begin, whatever past weeks let expect."""
        if any(row.ended_at is None for row in self.latest.values()):
            return False
        brands = {brand for brand, _, _ in self.counts}
        loudest = max((self.count(brand, "all", hour) for brand in brands for hour in self.hours), default=0)
        return loudest * len(self.hours) < least


def look_lately(connection: Connection, brands: Collection[str], now: datetime) -> Lately:
    """Count what was published of the brands until `now` in the last hours, and read the last spike of each."""
    hour = hour_of(now)
    asked = {"brands": list(brands), "first": hour - max(SPANS), "last": hour, "now": now}
    counts = {
        (name, at, source): (every, harmful) for name, at, source, every, harmful in connection.execute(_LATELY, asked)
    }
    latest = {(row.brand, row.measure): row for row in connection.execute(_LATEST, {"brands": list(brands)})}
    return Lately(hour, counts, latest)
