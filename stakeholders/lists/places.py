"""Find where the mentions stand that a figure counts, newest first, by their labels, their time and their words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.query import Query
from listener.query.listed import post_ids
from listener.query.sql import says_only_words, unindexed, where
from listener.store import mentions, posts
from listener.taxonomy import DIMENSIONS
from sentiment.store import verdicts
from stakeholders.counting.counts import counted, named
from stakeholders.counting.crosstab import AXES
from stakeholders.counting.tally import Pair, date_of, is_limited, pairs_by, sums_by
from stakeholders.lists.wanted import UNROUTED, Wanted
from stakeholders.store import decisions

__all__ = ["Place", "count_places", "list_places"]

_SHORT = 16  # hours


class Place(NamedTuple):
    """Point behind a mention, where the next page starts."""

    published_at: datetime
    id: int


def count_places(
    connection: Connection, wanted: Wanted, zone: ZoneInfo, asked: Query | None = None, most: int | None = None
) -> int:
    """Count the mentions that are asked for, all or up to `most`, whichever come first."""
    period = wanted.period(zone)
    led = asked is None and _is_routed(wanted) and not is_limited(connection)
    if most is not None and not led:
        return len(list_places(connection, wanted, zone, asked, None, most))
    if led:
        query = _routed(wanted, _brands_of(connection, wanted, zone))
        query = query.where(decisions.c.hour >= period.first_hour, decisions.c.hour < period.end_hour)
    else:
        query = sa.select(mentions.c.id).select_from(_tables(wanted, asked))
        query = query.where(named(period, None), *_labels(wanted), *_words(connection, asked, None))
    return connection.scalar(sa.select(sa.func.count()).select_from(query.limit(most).subquery())) or 0


def list_places(
    connection: Connection, wanted: Wanted, zone: ZoneInfo, asked: Query | None, after: Place | None, limit: int
) -> list[Place]:
    """List where the mentions stand, newest first, from the last hours backward, further as long as more is wanted.

    Mentions are kept by the hour, and the newest stand in the newest hours: so the rest of a period is never sorted.
    With words, as long a time is read next as what was found promises.
    """
    period = wanted.period(zone)
    end = period.end_hour if after is None else min(period.end_hour, int(after.published_at.timestamp() // 3600) + 1)
    found: list[Place] = []
    # words are held by a part of the posts, and asking the full-text index for them takes a while by itself
    width, wider, read = *((1, 4) if asked is None else (4, 16)), 0
    left = [(period.first_hour, end)] if end > period.first_hour else []
    narrow = any(getattr(wanted, name) is not None for name in AXES) and not is_limited(connection)
    routed = None
    if narrow and asked is None and _is_routed(wanted):
        narrow, routed = False, _routed(wanted, _brands_of(connection, wanted, zone))
    while left and len(found) < limit:
        # Days on which nobody said such a thing are not read; what is not routed is hardly ever met.
        if narrow and (width > _SHORT or wanted.stakeholder == UNROUTED):
            narrow, left = False, _shared(left, _days_of(connection, wanted, zone))
            continue
        start, end = left.pop()
        first = max(start, end - width)
        if routed is not None:
            query = routed.where(decisions.c.hour >= first, decisions.c.hour < end)
        else:
            query = _in_hours(connection, wanted, asked, (first, end))
        if after is not None:
            same = sa.and_(mentions.c.published_at == after.published_at, mentions.c.id < after.id)
            query = query.where(sa.or_(mentions.c.published_at < after.published_at, same))
        query = query.order_by(mentions.c.published_at.desc(), mentions.c.id.desc()).limit(limit - len(found))
        found += [Place(*row) for row in connection.execute(query)]
        if first > start:
            left.append((start, first))
        read += end - first
        promised = math.ceil(1.3 * read * (limit - len(found)) / len(found)) if asked and found else width * wider
        width = min(width * wider, max(promised, 1))
    return found


def _in_hours(connection: Connection, wanted: Wanted, asked: Query | None, hours: tuple[int, int]) -> sa.Select[Any]:
    """Select where the mentions of some hours stand, first ≤ hour < end."""
    hour: sa.ColumnElement[int] = mentions.c.hour
    within = None
    if asked is not None:
        within = post_ids(connection, hours[0], hours[1] - 1) or (0, 0)
        if hours[1] - hours[0] > _SHORT:
            # The mentions of the posts that hold the words are looked up; a + keeps it from reading all of these hours.
            hour = unindexed(mentions.c.hour)
    query = sa.select(mentions.c.published_at, mentions.c.id).select_from(_tables(wanted, asked))
    return query.where(hour >= hours[0], hour < hours[1], *_labels(wanted), *_words(connection, asked, within))


def _is_routed(wanted: Wanted) -> bool:
    """Tell whether an index of decisions leads to what is asked for: what one kind of speaker said."""
    return wanted.stakeholder is not None and wanted.stakeholder != UNROUTED and wanted.body is None


def _routed(wanted: Wanted, brands: Sequence[str]) -> sa.Select[Any]:
    """Select where the mentions of one kind of speaker stand, through decisions; their hours are still to be asked."""
    dimensions = [wanted.dimension] if wanted.dimension is not None else list(DIMENSIONS)
    tables = decisions.join(mentions, mentions.c.id == decisions.c.mention_id).join(
        verdicts, sa.and_(verdicts.c.mention_id == mentions.c.id, verdicts.c.current, verdicts.c.relevant)
    )
    query = sa.select(mentions.c.published_at, mentions.c.id).select_from(tables)
    query = query.where(decisions.c.dimension.in_(dimensions), decisions.c.brand.in_(brands), *_labels(wanted))
    return query if wanted.source is None else query.where(decisions.c.source == wanted.source)


def _brands_of(connection: Connection, wanted: Wanted, zone: ZoneInfo) -> Sequence[str]:
    if wanted.brand is not None:
        return (wanted.brand,)
    sums = sums_by(connection, wanted.period(zone), None, "kind")
    return list(connection.scalars(sa.select(sums.c.brand).distinct()))


def _days_of(connection: Connection, wanted: Wanted, zone: ZoneInfo) -> list[tuple[int, int]]:
    """Give the hours, first ≤ hour < end, of the days on which anything with these labels was said, oldest first."""
    period = wanted.period(zone)
    told = {name: "" if value == UNROUTED else value for name in AXES if (value := getattr(wanted, name)) is not None}
    one, *others = told
    if others:
        sums = pairs_by(connection, period, wanted.brand, cast("Pair", f"{one}/{others[0]}"))
        name = f"{told[one]}/{told[others[0]]}"
    else:
        sums, name = sums_by(connection, period, wanted.brand, one), told[one]
    query = sa.select(sums.c.day).where(sums.c.name == name).group_by(sums.c.day)
    said = {date_of(day) for day in connection.scalars(query.having(sa.func.sum(sums.c.mentions) > 0))}
    found: list[tuple[int, int]] = []
    for day in period.days:
        if day.date in said and found and found[-1][1] == day.first:
            found[-1] = (found[-1][0], day.end)
        elif day.date in said:
            found.append((day.first, day.end))
    return found


def _shared(some: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    both = [(max(one[0], other[0]), min(one[1], other[1])) for one in some for other in others]
    return [(first, end) for first, end in both if first < end]


def _tables(wanted: Wanted, asked: Query | None) -> sa.FromClause:
    """Give what must be read to tell which mentions are asked for."""
    tables = counted()
    if wanted.stakeholder is not None or wanted.body is not None:
        tables = tables.outerjoin(decisions, decisions.c.mention_id == mentions.c.id)
    if asked is None or says_only_words(asked):
        return tables
    return tables.join(posts, posts.c.id == mentions.c.post_id)


def _labels(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.stakeholder is not None:
        who = decisions.c.stakeholder
        found.append(who.is_(None) if wanted.stakeholder == UNROUTED else who == wanted.stakeholder)
    for column, value in (
        (mentions.c.brand, wanted.brand),
        (verdicts.c.dimension, wanted.dimension),
        (mentions.c.source, wanted.source),
        (verdicts.c.sentiment, wanted.sentiment),
        (decisions.c.entry, wanted.body),
    ):
        if value is not None:
            found.append(column == value)
    return found


def _words(connection: Connection, asked: Query | None, within: tuple[int, int] | None) -> list[sa.ColumnElement[bool]]:
    if asked is None:
        return []
    key = mentions.c.post_id if says_only_words(asked) else posts.c.id
    return [where(asked, connection.dialect.name, within, of=key).clause]
