"""Read sums of mentions by hour, brand and label: from the hourly sums that are kept, or counted from the rows.

A reader limited to some departments may not know of what it cannot see, so for it everything is counted from the rows
that its store shows (stakeholders.scope closes the kept sums); both ways give the same numbers for the same rows.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.rollup import rollup_changes, rollups
from listener.store import mentions
from sentiment.store import verdicts
from stakeholders.counts import counted, named
from stakeholders.period import Period
from stakeholders.store import decisions

__all__ = ["Label", "add_up", "collected_sums", "is_limited", "kept_counts", "sums_by"]

Label = Literal["kind", "source", "dimension", "stakeholder"]
_SUMS = ("mentions", "negative", "neutral", "positive", "unsure")


def is_limited(connection: Connection) -> bool:
    """Tell whether a connection shows only a part of the rows."""
    return connection.get_execution_options().get("guard") is not None


def sums_by(connection: Connection, period: Period, brands: str | Collection[str] | None, label: Label) -> sa.Subquery:
    """Give rows of brand, hour and name (of the label; empty: not routed) with their sums, to be added up.

    Of one brand, several or all (None), published in the period and about the brand.
    """
    wanted = [brands] if isinstance(brands, str) else brands
    if not is_limited(connection):
        return _kept(connection, period, wanted, (label,))
    columns: dict[str, sa.ColumnElement[Any]] = {
        "kind": mentions.c.kind,
        "source": mentions.c.source,
        "dimension": verdicts.c.dimension,
        "stakeholder": sa.func.coalesce(decisions.c.stakeholder, ""),
    }
    tables = counted()
    if label == "stakeholder":
        tables = tables.outerjoin(decisions, decisions.c.mention_id == mentions.c.id)
    moods = [sa.case((verdicts.c.sentiment == name, 1), else_=0).label(name) for name in _SUMS[1:4]]
    query = (
        sa.select(
            mentions.c.brand,
            mentions.c.hour,
            columns[label].label("name"),
            sa.literal(1).label("mentions"),
            *moods,
            sa.case((verdicts.c.unsure, 1), else_=0).label("unsure"),
        )
        .select_from(tables)
        .where(named(period, None))
    )
    return (query if wanted is None else query.where(mentions.c.brand.in_(wanted))).subquery("sums")


def add_up(sums: sa.Subquery) -> tuple[sa.Label[int], ...]:
    """Give the columns mentions, negative, neutral, positive and unsure, added up; 0 where there is nothing."""
    return tuple(sa.func.coalesce(sa.func.sum(sums.c[name]), 0).label(name) for name in _SUMS)


def kept_counts(connection: Connection, period: Period, brand: str | None) -> dict[str, int]:
    """Give what the kept sums know of all mentions of a period: heard, excluded, corrected, repeat and collected."""
    facets = ("heard", "excluded", "corrected", "repeat")
    found = dict.fromkeys((*facets, "collected"), 0)
    for brands, names in (([brand] if brand is not None else None, facets), ([""], ("collected",))):
        rows = _kept(connection, period, brands, names)
        query = sa.select(rows.c.facet, sa.func.sum(rows.c.mentions)).group_by(rows.c.facet)
        found |= {facet: int(number) for facet, number in connection.execute(query)}
    return found


def collected_sums(connection: Connection, period: Period) -> sa.Subquery:
    """Give rows of hour and mentions: posts of every source published in the period; not for a limited reader."""
    return _kept(connection, period, [""], ("collected",))


def _kept(
    connection: Connection, period: Period, brands: Collection[str] | None, facets: Collection[str]
) -> sa.Subquery:
    tables = (rollups, rollup_changes) if connection.dialect.name == "postgresql" else (rollups,)
    parts = []
    for table in tables:
        columns = [table.c[name] for name in ("facet", "brand", "hour", "name", *_SUMS)]
        part = sa.select(*columns).where(table.c.facet.in_(list(facets)))
        part = part.where(table.c.hour >= period.first_hour, table.c.hour < period.end_hour)
        if brands is not None:
            part = part.where(table.c.brand.in_(list(brands)))
        elif table is rollups:
            part = part.where(rollups.c.brand.in_(_brands(facets)))
        parts.append(part)
    return (parts[0] if len(parts) == 1 else sa.union_all(*parts)).subquery("sums")


def _brands(facets: Collection[str]) -> sa.Select[Any]:
    """Step from brand to brand through the index, so that hours outside the period are not read to learn the names."""
    inside = rollups.c.facet.in_(list(facets))
    first = sa.select(sa.func.min(rollups.c.brand).label("brand")).where(inside).cte("brands", recursive=True)
    after = sa.select(sa.func.min(rollups.c.brand)).where(inside, rollups.c.brand > first.c.brand).scalar_subquery()
    every = first.union_all(sa.select(after).where(first.c.brand.is_not(None)))
    return sa.select(every.c.brand).where(every.c.brand.is_not(None))
