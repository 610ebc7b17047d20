"""Read sums of mentions by local day, brand and label: from the sums that are kept, or counted from the rows.

Whole local days of the instance's zone are read from sums by day, what is left of a period from sums by hour. A reader
limited to some departments may not know of what it cannot see, so for it everything is counted from the rows that its
store shows (stakeholders.scope closes the kept sums); both ways give the same numbers for the same rows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.store import mentions
from listener.sums.addends import SUMS, UNROUTED
from listener.sums.localday import FIRST_HOUR, LAST_HOUR, kept_zone
from listener.sums.rollup import rollup_changes, rollup_days, rollups
from sentiment.store import verdicts
from stakeholders.counting.counts import counted
from stakeholders.counting.period import Day, Period, midnight
from stakeholders.store import decisions

__all__ = [
    "Label",
    "Pair",
    "add_up",
    "date_of",
    "day_of",
    "hours_by",
    "is_limited",
    "kept_counts",
    "kept_fates",
    "pairs_by",
    "source_sums",
    "sums_by",
]

Label = Literal["kind", "source", "dimension", "stakeholder"]
Pair = Literal["dimension/source", "stakeholder/dimension", "stakeholder/source", "body"]
_EPOCH = date(1970, 1, 1).toordinal()
_Hours = tuple[int, int]  # first ≤ hour < end
_Brands = list[str] | sa.Select[Any]


def is_limited(connection: Connection) -> bool:
    """Tell whether a connection shows only a part of the rows."""
    return connection.get_execution_options().get("guard") is not None


def date_of(day: int) -> date:
    """Give the date of the day that a row of sums names."""
    return date.fromordinal(day + _EPOCH)


def day_of(day: date) -> int:
    """Give the number by which rows of sums name a local day."""
    return day.toordinal() - _EPOCH


def sums_by(connection: Connection, period: Period, brands: str | Collection[str] | None, label: Label) -> sa.Subquery:
    """Give rows of brand, local day and name (of the label; empty: not routed) with their sums, to be added up.

    Of one brand, several or all (None), published in the period and about the brand; `date_of` reads a day.
    """
    wanted = [brands] if isinstance(brands, str) else brands
    if is_limited(connection):
        return _rows(period, wanted, (label,), (period.first_hour, period.end_hour)).subquery("sums")
    return _together(_kept(connection, period, wanted, (label,)))


def hours_by(connection: Connection, hours: range, brands: Collection[str], label: Label) -> sa.Subquery:
    """Give rows of brand, hour and name with their sums, to be added up; of UTC hours since 1970."""
    told = ("brand", "hour", "name", *SUMS)
    if is_limited(connection):
        return _named(brands, (label,), (hours.start, hours.stop), mentions.c.hour.label("hour")).subquery("sums")
    parts = []
    for table in (rollups, rollup_changes)[: 2 if connection.dialect.name == "postgresql" else 1]:
        part = sa.select(*(table.c[name] for name in told)).where(table.c.facet == label)
        part = part.where(table.c.brand.in_(list(brands)), table.c.hour >= hours.start, table.c.hour < hours.stop)
        parts.append(part)
    return _together(parts)


def pairs_by(connection: Connection, period: Period, brands: str | Collection[str] | None, pair: Pair) -> sa.Subquery:
    """Give such rows whose name is two labels, "press/governance"; what no day holds is counted from the rows.

    "body" gives stakeholder and body, of the mentions whose speaker a registry named for sure.
    """
    wanted = None if brands is None else [brands] if isinstance(brands, str) else list(brands)
    labels = ("stakeholder", "entry") if pair == "body" else tuple(pair.split("/"))
    days, hours = _cut(connection, period)
    parts = [_rows(period, wanted, labels, one) for one in hours]
    if days:
        parts.append(_days(days, _brands((pair,)) if wanted is None else wanted, (pair,)))
        if connection.dialect.name == "postgresql":
            parts.append(_hours(rollup_changes, period, (days[0].first, days[-1].end), wanted, (pair,)))
    return _together(parts)


def add_up(sums: sa.Subquery) -> tuple[sa.Label[int], ...]:
    """Give the columns mentions, negative, neutral, positive and unsure, added up; 0 where there is nothing."""
    return tuple(sa.func.coalesce(sa.func.sum(sums.c[name]), 0).label(name) for name in SUMS)


def kept_counts(connection: Connection, period: Period, brand: str | None) -> dict[str, int]:
    """Give what the kept sums know of all mentions of a period: heard, excluded, corrected, repeat, text, collected."""
    facets = ("heard", "excluded", "corrected", "text", "case")
    parts = _kept(connection, period, [brand] if brand is not None else None, facets)
    rows = _together([*parts, *_kept(connection, period, [""], ("collected",))])
    copy = sa.and_(rows.c.facet == "case", rows.c.name.in_(("repeat", f"repeat{UNROUTED}")))
    facet = sa.case((copy, "repeat"), else_=rows.c.facet).label("facet")
    found = dict.fromkeys((*facets, "repeat", "collected"), 0)
    query = sa.select(facet, sa.func.sum(rows.c.mentions)).group_by(facet)
    return found | {name: int(number) for name, number in connection.execute(query)}


def kept_fates(connection: Connection, period: Period, brand: str | None) -> dict[str, int]:
    """Give how many relevant mentions of a period opened a case, joined one, wait for a decision; and all of them.

    From the kept sums: opened, joined, waiting, relevant.
    """
    rows = _together(_kept(connection, period, [brand] if brand is not None else None, ("stakeholder", "case")))
    routed, inside = rows.c.facet == "stakeholder", rows.c.facet == "case"
    opening = rows.c.name.in_(("opened", f"opened{UNROUTED}"))
    early = rows.c.name.like(f"%{UNROUTED}")  # in a case, and undecided: it does not wait
    number = rows.c.mentions
    told = {
        "relevant": sa.case((routed, number), else_=0),
        "opened": sa.case((sa.and_(inside, opening), number), else_=0),
        "joined": sa.case((sa.and_(inside, sa.not_(opening)), number), else_=0),
        "waiting": sa.case((sa.and_(routed, rows.c.name == ""), number), (sa.and_(inside, early), -number), else_=0),
    }
    query = sa.select(*(sa.func.coalesce(sa.func.sum(one), 0).label(name) for name, one in told.items()))
    return {name: int(total) for name, total in connection.execute(query).one()._mapping.items()}


def source_sums(connection: Connection, period: Period, facet: Literal["collected", "brought"]) -> sa.Subquery:
    """Give rows of local day, source and mentions: posts published in the period, or new in it to us.

    Not for a limited reader: it counts all posts of a source, whatever they name.
    """
    return _together(_kept(connection, period, [""], (facet,)))


def _together(parts: Sequence[sa.Select[Any]]) -> sa.Subquery:
    return (parts[0] if len(parts) == 1 else sa.union_all(*parts)).subquery("sums")


def _cut(connection: Connection, period: Period) -> tuple[Sequence[Day], list[_Hours]]:
    """Cut a period into the whole local days that are kept and the hours before and after them."""
    everything = [(period.first_hour, period.end_hour)]
    if is_limited(connection) or period.first_hour < FIRST_HOUR or period.end_hour > LAST_HOUR:
        return (), everything
    if kept_zone(connection) != str(period.zone):
        return (), everything
    days = list(period.days)
    cut = [day for day in {days[0], days[-1]} if not _is_whole(day, period)]
    inside = [day for day in days if day not in cut]
    if not inside:
        return (), everything
    edges = [(period.first_hour, inside[0].first), (inside[-1].end, period.end_hour)]
    return inside, [(first, end) for first, end in edges if first < end]


def _is_whole(day: Day, period: Period) -> bool:
    edges = (midnight(date.fromordinal(day.date.toordinal() + place), period.zone) for place in (0, 1))
    first, end = (-int(-moment.timestamp() // 3600) for moment in edges)
    return (day.first, day.end) == (first, end)


def _kept(
    connection: Connection, period: Period, brands: Collection[str] | None, facets: Collection[str]
) -> list[sa.Select[Any]]:
    days, hours = _cut(connection, period)
    named_here = _brands(facets) if brands is None else list(brands)
    parts = [_hours(rollups, period, one, named_here, facets) for one in hours]
    if days:
        parts.append(_days(days, named_here, facets))
    if connection.dialect.name == "postgresql":
        late = None if brands is None else list(brands)
        parts.append(_hours(rollup_changes, period, (period.first_hour, period.end_hour), late, facets))
    return parts


def _days(days: Sequence[Day], brands: _Brands, facets: Collection[str]) -> sa.Select[Any]:
    table = rollup_days
    columns = [table.c[name] for name in ("facet", "brand", "day", "name", *SUMS)]
    first, last = (one.date.toordinal() - _EPOCH for one in (days[0], days[-1]))
    part = sa.select(*columns).where(table.c.facet.in_(list(facets)), table.c.day >= first, table.c.day <= last)
    return part.where(table.c.brand.in_(brands))


def _hours(
    table: sa.Table, period: Period, hours: _Hours, brands: _Brands | None, facets: Collection[str]
) -> sa.Select[Any]:
    day = _day_of(period, hours, table.c.hour).label("day")
    part = sa.select(table.c.facet, table.c.brand, day, table.c.name, *(table.c[name] for name in SUMS))
    part = part.where(table.c.facet.in_(list(facets)), table.c.hour >= hours[0], table.c.hour < hours[1])
    return part if brands is None else part.where(table.c.brand.in_(brands))


def _rows(period: Period, brands: Collection[str] | None, labels: Sequence[str], hours: _Hours) -> sa.Select[Any]:
    """Count from the mentions themselves, each a row of its own."""
    return _named(brands, labels, hours, _day_of(period, hours, mentions.c.hour).label("day"))


def _named(brands: Collection[str] | None, labels: Sequence[str], hours: _Hours, time: sa.Label[int]) -> sa.Select[Any]:
    columns: dict[str, sa.ColumnElement[Any]] = {
        "kind": mentions.c.kind,
        "source": mentions.c.source,
        "dimension": verdicts.c.dimension,
        "stakeholder": sa.func.coalesce(decisions.c.stakeholder, ""),
        "entry": decisions.c.entry,
    }
    tables = counted()
    if {"stakeholder", "entry"} & {*labels}:
        tables = tables.outerjoin(decisions, decisions.c.mention_id == mentions.c.id)
    name = columns[labels[0]] if len(labels) == 1 else columns[labels[0]] + "/" + columns[labels[1]]
    moods = [sa.case((verdicts.c.sentiment == mood, 1), else_=0).label(mood) for mood in SUMS[1:4]]
    query = (
        sa.select(
            sa.literal("/".join(labels)).label("facet"),
            mentions.c.brand,
            time,
            name.label("name"),
            sa.literal(1).label("mentions"),
            *moods,
            sa.case((verdicts.c.unsure, 1), else_=0).label("unsure"),
        )
        .select_from(tables)
        .where(mentions.c.hour >= hours[0], mentions.c.hour < hours[1])
    )
    if "entry" in labels:
        query = query.where(decisions.c.entry.is_not(None))
    return query if brands is None else query.where(mentions.c.brand.in_(list(brands)))


def _day_of(period: Period, hours: _Hours, hour: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """Give the local day in which an hour lies, so that the database adds hours up to days."""
    days = [day for day in period.days if day.first < hours[1] and day.end > hours[0] and day.first < day.end]
    found: list[tuple[sa.ColumnElement[bool], Any]] = []
    place = 0
    while place < len(days):
        first, after = days[place], place
        while after < len(days) and days[after].end - days[after].first == 24:
            after += 1
        number = first.date.toordinal() - _EPOCH
        if after == place:  # clocks changed, or the period begins or ends within the day
            found.append((hour < first.end, sa.literal(number)))
            place += 1
        else:
            found.append((hour < days[after - 1].end, (hour - first.first) // 24 + number))
            place = after
    return sa.case(*found) if found else sa.literal(0)


def _brands(facets: Collection[str]) -> sa.Select[Any]:
    """Step from brand to brand through the index, so that times outside the period are not read to learn the names."""
    brand, inside = rollup_days.c.brand, rollup_days.c.facet.in_(list(facets))
    first = sa.select(sa.func.min(brand).label("brand")).where(inside).cte("brands", recursive=True)
    after = sa.select(sa.func.min(brand)).where(inside, brand > first.c.brand).scalar_subquery()
    every = first.union_all(sa.select(after).where(first.c.brand.is_not(None)))
    return sa.select(every.c.brand).where(every.c.brand.is_not(None))
