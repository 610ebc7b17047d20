"""Count mentions by two labels at once: who spoke, of what, and where; margins are those of `stakeholders.insight`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

import sqlalchemy as sa
from sqlalchemy import Connection

from stakeholders.counting.period import Period
from stakeholders.counting.tally import Pair, add_up, date_of, pairs_by, sums_by

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
    first, second = sorted((rows, columns), key=AXES.index)
    pair: Pair = f"{first}/{second}"  # type: ignore[assignment]  # the labels are in the order of AXES
    sums = pairs_by(connection, period, brand, pair)
    query = sa.select(sums.c.name, *add_up(sums)).group_by(sums.c.name).having(sa.func.sum(sums.c.mentions) > 0)
    found = []
    for name, *counts in connection.execute(query):
        one, _, two = name.partition("/")  # no stakeholder and no dimension has a stroke in its name
        told = {first: one or None, second: two}
        found.append(Cell(told[rows], told[columns], *map(int, counts)))
    return sorted(found, key=lambda cell: (-cell.mentions, cell.row or "~", cell.column or "~"))


def count_days(
    connection: Connection, period: Period, brand: str | None, axis: Axis
) -> dict[str | None, dict[date, int]]:
    """Count the mentions of each label by local day; days without one are left out, heard or not."""
    sums = sums_by(connection, period, brand, axis)
    number = sa.func.sum(sums.c.mentions)
    query = sa.select(sums.c.name, sums.c.day, number).group_by(sums.c.name, sums.c.day).having(number > 0)
    found: dict[str | None, dict[date, int]] = {}
    for name, day, count in connection.execute(query):
        found.setdefault(name or None, {})[date_of(day)] = int(count)
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
