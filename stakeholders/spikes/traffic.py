"""Read how much was said of each brand by hour, and which hours count: those in which what usually speaks was heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.gaps import Gap, find_gaps
from listener.store import mentions
from sentiment.store import verdicts
from stakeholders.counting.counts import counted, moment_of
from stakeholders.counting.tally import hours_by
from stakeholders.spikes.baseline import WEEK, Expectation, expect

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["HISTORY", "MEASURES", "Measure", "Series", "Traffic", "count_since", "hour_of"]

Measure = Literal["all", "negative"]
MEASURES: tuple[Measure, ...] = ("all", "negative")
HISTORY = 13 * WEEK  # hours: eight weeks for the profile, four for the spread behind them, one to spare
_MATTERS = 0.1  # share of a brand's mentions: an hour without sources of so much is not a heard one
_NEW = timedelta(days=14)  # a source connected later has no past to compare with


@dataclass(frozen=True, slots=True)
class Series:
    """Hold one brand's mentions by hour: entry 0 is the UTC hour `first` since 1970, the last one is still running."""

    brand: str
    measure: Measure
    first: int
    counts: NDArray[np.float64]
    heard: NDArray[np.bool_]
    told: Expectation
    fresh: tuple[str, ...] = ()  # sources connected lately, which are left out here and whenever this is compared


@dataclass
class Traffic:
    """Remember what every brand's hours let expect; filled anew when an hour is over, from the database alone."""

    hour: int | None = None
    series: Mapping[tuple[str, Measure], Series] = field(default_factory=dict)

    def fill(self, connection: Connection, brands: Iterable[str], now: datetime, back: int = HISTORY) -> None:
        """Read the last `back` hours of the brands, unless that was done in this hour already."""
        hour = hour_of(now)
        if hour == self.hour:
            return
        self.series = _read(connection, tuple(brands), hour, back, now)
        self.hour = hour


def hour_of(moment: datetime) -> int:
    """Give the UTC hour since 1970 in which a moment lies."""
    return int(moment.timestamp() // 3600)


def count_since(
    connection: Connection, brand: str, measure: Measure, since: datetime, now: datetime, fresh: Iterable[str] = ()
) -> int:
    """Count the mentions published after `since` and not after `now`, without those of `fresh` sources."""
    query = (
        sa.select(sa.func.count())
        .select_from(counted())
        .where(mentions.c.brand == brand, mentions.c.hour >= hour_of(since))
        .where(mentions.c.published_at > since, mentions.c.published_at <= now)
    )
    if measure == "negative":
        query = query.where(verdicts.c.sentiment == "negative")
    if fresh := tuple(fresh):
        query = query.where(mentions.c.source.not_in(fresh))
    return connection.scalar(query) or 0


def _read(
    connection: Connection, brands: tuple[str, ...], hour: int, back: int, now: datetime
) -> dict[tuple[str, Measure], Series]:
    import numpy as np

    first = hour - back
    kept = hours_by(connection, range(first, hour + 1), brands, "source")
    heard = sa.func.sum(kept.c.mentions)
    keys = (kept.c.brand, kept.c.name, kept.c.hour)
    query = sa.select(
        kept.c.brand,
        kept.c.name.label("source"),
        kept.c.hour,
        heard.label("all"),
        sa.func.sum(kept.c.negative).label("negative"),
    )
    query = query.group_by(*keys).having(heard > 0)
    rows = connection.execute(query).all()
    if not rows:
        return {}
    gaps = find_gaps(connection, moment_of(first), moment_of(hour + 1), now)
    begins = min(row.hour for row in rows)  # before the first word of all nobody listened, whatever is told
    unheard = _unheard(gaps, first, back + 1)
    fresh = {gap.source for gap in gaps if gap.why == "before" and gap.end > now - _NEW}
    found: dict[tuple[str, Measure], Series] = {}
    for brand in brands:
        own = [row for row in rows if row.brand == brand]
        volumes: dict[str, int] = {}
        for row in own:
            volumes[row.source] = volumes.get(row.source, 0) + row.all
        # Where everything is new there is nothing else to go by: then it counts, and is told as too young.
        left_out = tuple(sorted(fresh & volumes.keys())) if volumes.keys() - fresh else ()
        total = sum(number for name, number in volumes.items() if name not in left_out) or 1
        missing: Any = np.zeros(back + 1)
        for name, number in volumes.items():
            if name in unheard and name not in left_out:
                missing += unheard[name] * (number / total)
        heard = missing <= _MATTERS
        heard[: begins - first] = False
        for measure in MEASURES:
            counts = np.zeros(back + 1)
            for row in own:
                if row.source not in left_out:
                    counts[row.hour - first] += row.all if measure == "all" else row.negative
            found[brand, measure] = Series(brand, measure, first, counts, heard, expect(counts, heard), left_out)
    return found


def _unheard(gaps: Iterable[Gap], first: int, length: int) -> dict[str, Any]:
    """Mark for each source the hours of which a quarter or more was not heard."""
    import numpy as np

    found: dict[str, Any] = {}
    for gap in gaps:
        lost = found.setdefault(gap.source, np.zeros(length))
        start, end = gap.start.timestamp() / 3600 - first, gap.end.timestamp() / 3600 - first
        for place in range(max(0, int(start)), min(length, int(end) + 1)):
            lost[place] += max(0.0, min(end, place + 1) - max(start, place))
    return {source: lost >= 0.25 for source, lost in found.items()}
