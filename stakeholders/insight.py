"""Give every figure once: pages, digest and API read these functions, so they can never disagree.

Each takes an open connection, a Period and a brand's key (None: all brands). A mention counts when its current verdict
says that it is about the brand; what waits and what was left out stands in `honest_counts`. The formulas and their
sources are in docs/figures.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import Brand
from sentiment.interval import Z, wilson
from stakeholders.counting.counts import Honest, honest_counts
from stakeholders.counting.hearing import Gap, gaps, heard_days
from stakeholders.counting.period import Period
from stakeholders.counting.response import (
    CaseCounts,
    OpenNow,
    Response,
    case_counts,
    open_now,
    response_times,
)
from stakeholders.counting.tally import Label, add_up, sums_by
from stakeholders.counting.volume import DayCount, volume_by_day
from stakeholders.lists.caseline import CaseLine, needing_cases, top_cases
from stakeholders.spikes.unusual import Unusual, unusual_days
from stakeholders.store import cases

__all__ = [
    "CaseCounts",
    "CaseLine",
    "DayCount",
    "Gap",
    "Honest",
    "Net",
    "OpenNow",
    "Part",
    "Period",
    "Response",
    "Share",
    "Unusual",
    "Voice",
    "case_counts",
    "dimensions",
    "gaps",
    "heard_days",
    "honest_counts",
    "needing_cases",
    "net_of",
    "net_sentiment",
    "open_now",
    "overlap",
    "response_times",
    "shares",
    "sources_of",
    "top_cases",
    "unusual_days",
    "voices",
    "volume_by_day",
    "wilson",
]


@dataclass(frozen=True, slots=True)
class Share:
    """Hold a brand's share of all mentions (0..1) with its 95 % interval; None when there is no mention at all."""

    brand: str
    kind: str
    mentions: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Net:
    """Hold net sentiment, (positive − negative) / all (−1..1), with its 95 % interval.

    Unsure ones count by their best label, and are shown apart.
    """

    mentions: int
    negative: int
    neutral: int
    positive: int
    unsure: int
    net: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Voice:
    """Count what a stakeholder said, and the cases it opened; `stakeholder` is None for mentions not routed yet."""

    stakeholder: str | None
    mentions: int
    negative: int
    neutral: int
    positive: int
    cases: int
    unsure: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    """Count the mentions that share a label: a dimension or a source."""

    name: str
    mentions: int
    negative: int
    neutral: int
    positive: int
    unsure: int


def overlap(one: Share | Net, two: Share | Net) -> bool:
    """Tell whether two intervals overlap: then the figures do not show a real change; also true when one is unknown."""
    if one.low is None or one.high is None or two.low is None or two.high is None:
        return True
    return one.low <= two.high and two.low <= one.high


def shares(connection: Connection, period: Period, watched: Sequence[Brand] | None = None) -> list[Share]:
    """Give each brand's share of voice with its Wilson interval, largest first.

    With `watched`, brands without a mention stand there too, and brands that are no longer watched do not.
    """
    found = {brand.key: (str(brand.kind), 0) for brand in watched or ()}
    sums = sums_by(connection, period, None if watched is None else list(found), "kind")
    added = sa.func.sum(sums.c.mentions)
    query = sa.select(sums.c.brand, sa.func.min(sums.c.name).label("kind"), added.label("mentions"))
    query = query.where(sums.c.mentions != 0).group_by(sums.c.brand).having(added > 0)
    found |= {row.brand: (row.kind, int(row.mentions)) for row in connection.execute(query)}
    total = sum(number for _, number in found.values())
    given = []
    for brand, (kind, number) in found.items():
        low, high = wilson(number, total) if total else (None, None)
        given.append(Share(brand, kind, number, number / total if total else None, low, high))
    return sorted(given, key=lambda share: (-share.mentions, share.kind != "own", share.brand))


def net_sentiment(connection: Connection, period: Period, brand: str | None) -> Net | None:
    """Give net sentiment with its interval; None when there is no mention."""
    row = connection.execute(sa.select(*add_up(sums_by(connection, period, brand, "kind")))).one()
    return net_of(**row._mapping)


def net_of(mentions: int, negative: int, neutral: int, positive: int, unsure: int = 0) -> Net | None:
    """Give the net sentiment of counts with its interval; None of no mention.

    The interval is Wald's with half an item added to each of four cells (Agresti and Min 2005, for a difference of two
    proportions of the same items): with few mentions the plain one is far too narrow.
    """
    if not mentions:
        return None
    net = (positive - negative) / mentions
    total = mentions + 2
    ups, downs = (positive + 0.5) / total, (negative + 0.5) / total
    half = Z * math.sqrt((ups + downs - (ups - downs) ** 2) / total)
    low, high = min(net, max(-1.0, ups - downs - half)), max(net, min(1.0, ups - downs + half))
    return Net(mentions, negative, neutral, positive, unsure, net, low, high)


def voices(connection: Connection, period: Period, brand: str | None) -> list[Voice]:
    """Count who spoke, loudest first; the mentions add up to the relevant ones, the cases to those opened."""
    opened = (
        sa.select(cases.c.stakeholder, sa.func.count())
        .where(cases.c.opened_at >= period.start, cases.c.opened_at < period.end)
        .group_by(cases.c.stakeholder)
    )
    if brand is not None:
        opened = opened.where(cases.c.brand == brand)
    made: dict[str | None, int] = {row[0]: row[1] for row in connection.execute(opened)}
    found = []
    for part in _parts(connection, period, brand, "stakeholder"):
        who = part.name or None
        told = (part.mentions, part.negative, part.neutral, part.positive)
        found.append(Voice(who, *told, made.pop(who, 0), part.unsure))
    # A case can be opened now on a post of another week: its speaker said nothing in this one.
    found.extend(Voice(stakeholder, 0, 0, 0, 0, number) for stakeholder, number in made.items())
    return sorted(found, key=lambda voice: (-voice.mentions, -voice.cases, voice.stakeholder or "~"))


def dimensions(connection: Connection, period: Period, brand: str | None) -> list[Part]:
    """Count what it was about, by reputation dimension, largest first."""
    return _parts(connection, period, brand, "dimension")


def sources_of(connection: Connection, period: Period, brand: str | None) -> list[Part]:
    """Count where it was said, by source, largest first."""
    return _parts(connection, period, brand, "source")


def _parts(connection: Connection, period: Period, brand: str | None, label: Label) -> list[Part]:
    sums = sums_by(connection, period, brand, label)
    query = sa.select(sums.c.name, *add_up(sums)).group_by(sums.c.name).having(sa.func.sum(sums.c.mentions) > 0)
    found = [Part(**row._mapping) for row in connection.execute(query)]
    return sorted(found, key=lambda part: (-part.mentions, part.name))
