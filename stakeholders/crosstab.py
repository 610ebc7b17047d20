"""Count mentions by two labels at once: who spoke, of what, and where; margins are those of `stakeholders.insight`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.store import mentions
from sentiment.store import verdicts
from stakeholders.counts import counted, moment_of, named, tally
from stakeholders.period import Period
from stakeholders.store import decisions

__all__ = ["AXES", "Axis", "Cell", "count_cells", "count_days", "sum_by"]

Axis = Literal["stakeholder", "dimension", "source"]
AXES: tuple[Axis, ...] = get_args(Axis)


@dataclass(frozen=True, slots=True)
class Cell:
    """Count the mentions that share two labels; a stakeholder of None was not routed yet."""

    row: str | None
    column: str | None
    mentions: int
    negative: int
    neutral: int
    positive: int
    unsure: int


def count_cells(connection: Connection, period: Period, brand: str | None, rows: Axis, columns: Axis) -> list[Cell]:
    """Count the mentions of a period by two different labels; cells without a mention are left out."""
    if rows == columns:
        raise ValueError("a table needs two different labels")
    one, two = _column(rows), _column(columns)
    query = (
        sa.select(one.label("row"), two.label("column"), *tally())
        .select_from(counted().outerjoin(decisions, decisions.c.mention_id == mentions.c.id))
        .where(named(period, brand))
        .group_by(one, two)
    )
    found = [Cell(**row._mapping) for row in connection.execute(query)]
    return sorted(found, key=lambda cell: (-cell.mentions, cell.row or "~", cell.column or "~"))


def count_days(
    connection: Connection, period: Period, brand: str | None, axis: Axis
) -> dict[str | None, dict[date, int]]:
    """Count the mentions of each label by local day; days without one are left out, heard or not."""
    label = _column(axis)
    query = (
        sa.select(label, mentions.c.hour, sa.func.count())
        .select_from(counted().outerjoin(decisions, decisions.c.mention_id == mentions.c.id))
        .where(named(period, brand))
        .group_by(label, mentions.c.hour)
    )
    found: dict[str | None, dict[date, int]] = {}
    for name, hour, number in connection.execute(query):
        days = found.setdefault(name, {})
        day = moment_of(hour).astimezone(period.zone).date()
        days[day] = days.get(day, 0) + number
    return found


def sum_by(cells: Iterable[Cell], side: Literal["row", "column"]) -> dict[str | None, Cell]:
    """Add cells up by one of their two labels, largest first; the other label of a sum is None."""
    sums: dict[str | None, list[int]] = {}
    for cell in cells:
        told = sums.setdefault(getattr(cell, side), [0] * 5)
        for place, name in enumerate(("mentions", "negative", "neutral", "positive", "unsure")):
            told[place] += getattr(cell, name)
    ordered = sorted(sums.items(), key=lambda item: (-item[1][0], item[0] or "~"))
    return {name: Cell(name if side == "row" else None, name if side == "column" else None, *n) for name, n in ordered}


def _column(axis: Axis) -> sa.Column[Any]:
    columns: dict[Axis, sa.Column[Any]] = {
        "stakeholder": decisions.c.stakeholder,
        "dimension": verdicts.c.dimension,
        "source": mentions.c.source,
    }
    return columns[axis]
