"""Read how much was said of each brand by hour, and which hours count: those in which what usually speaks was heard."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
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


@dataclass(frozen=True)
class Series:
    """Hold one brand's mentions by hour: entry 0 is the UTC hour `first` since 1970, the last one is still running."""

    brand: str
    measure: Measure
    first: int
    counts: NDArray[np.float64]
    heard: NDArray[np.bool_]
    fresh: tuple[str, ...] = ()  # sources connected lately, which are left out here and whenever this is compared

    @cached_property
    def told(self) -> Expectation:
        """Give what every hour lets expect, worked out when it is first asked for."""
        return expect(self.counts, self.heard)


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
    keys = (kept.c.brand, kept.c.hour, kept.c.name)
    number = sa.func.sum(kept.c.mentions)
    query = sa.select(*keys, number, sa.func.sum(kept.c.negative)).group_by(*keys).having(number > 0)
    by_source: dict[tuple[str, str], list[tuple[int, int, int]]] = {}
    for brand, at, source, every, harmful in connection.execute(query):
        by_source.setdefault((brand, source), []).append((at, every, harmful))
    if not by_source:
        return {}
    told = {key: np.array(rows, dtype=np.float64).T for key, rows in by_source.items()}
    gaps = find_gaps(connection, moment_of(first), moment_of(hour + 1), now)
    # Before the first word of all nobody listened, whatever is told.
    begins = min(int(hours.min()) for hours, _, _ in told.values())
    unheard = _unheard(gaps, first, back + 1)
    fresh = {gap.source for gap in gaps if gap.why == "before" and gap.end > now - _NEW}
    found: dict[tuple[str, Measure], Series] = {}
    for brand in brands:
        own = {source: told[name, source] for name, source in sorted(told) if name == brand}
        # Where everything is new there is nothing else to go by: then it counts, and is told as too young.
        left_out = tuple(sorted(fresh & own.keys())) if own.keys() - fresh else ()
        kept_in = {source: columns for source, columns in own.items() if source not in left_out}
        total = sum(columns[1].sum() for columns in kept_in.values()) or 1
        missing: Any = np.zeros(back + 1)
        sums = {measure: np.zeros(back + 1) for measure in MEASURES}
        for source, (hours, every, harmful) in kept_in.items():
            if source in unheard:
                missing += unheard[source] * (every.sum() / total)
            places = hours.astype(int) - first  # each hour once a source
            sums["all"][places] += every
            sums["negative"][places] += harmful
        heard = missing <= _MATTERS
        heard[: begins - first] = False
        for measure in MEASURES:
            found[brand, measure] = Series(brand, measure, first, sums[measure], heard, left_out)
    return found


def _unheard(gaps: Iterable[Gap], first: int, length: int) -> dict[str, Any]:
    """Mark for each source the hours of which a quarter or more was not heard."""
    import numpy as np

    found: dict[str, Any] = {}
    for gap in gaps:
        lost = found.setdefault(gap.source, np.zeros(length))
        start, end = gap.start.timestamp() / 3600 - first, gap.end.timestamp() / 3600 - first
        low, high = max(0, int(start)), min(length, int(end) + 1)
        if low < high:
            places = np.arange(low, high)
            lost[low:high] += np.maximum(0.0, np.minimum(end, places + 1) - np.maximum(start, places))
    return {source: lost >= 0.25 for source, lost in found.items()}
