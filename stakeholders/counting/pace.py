"""Read how the cases of a period went, by department, in one walk through an index: what came when, took how long.

Medians cannot be added up, so every case of the period is looked at; but only in an index that holds all that is asked
(computed columns of the table of cases), in one statement that gives a line for each department.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any, overload

import sqlalchemy as sa
from sqlalchemy import Connection

from stakeholders.counting.period import Period, midnight
from stakeholders.counting.tally import is_limited
from stakeholders.store import cases

__all__ = ["Pace", "Spans", "median_of", "read_paces"]

_QUARTER = 900  # seconds: no zone's day begins within one
_PART = ";"
_MINE = cases.alias("mine")


class Spans(Sequence[timedelta]):
    """Show microseconds as spans of time, each made when it is asked for: of thousands, a page reads five."""

    def __init__(self, microseconds: Sequence[int] = ()) -> None:
        self._microseconds = microseconds

    def __len__(self) -> int:
        return len(self._microseconds)

    @overload
    def __getitem__(self, place: int) -> timedelta: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[timedelta]: ...

    def __getitem__(self, place: int | slice) -> timedelta | Sequence[timedelta]:
        if isinstance(place, slice):
            return Spans(self._microseconds[place])
        return timedelta(microseconds=self._microseconds[place])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spans) and self._microseconds == other._microseconds

    def __hash__(self) -> int:
        return hash(tuple(self._microseconds))


@dataclass(frozen=True, slots=True)
class Pace:
    """Hold how the cases of a department went that were opened in a period; those merged into another are left out.

    `acknowledge` and `answer` are the microseconds from opening of all that got so far, shortest first.
    """

    department: str
    cases: int
    quarters: tuple[int, ...]  # of each case the quarter of an hour since 1970 in which it was opened, in order
    acknowledge: tuple[int, ...]
    answer: tuple[int, ...]
    dismissed: int
    closed_unanswered: int
    clocked: int  # had a clock, answered or not, and were not dismissed
    in_time: int
    late: int  # answered, but late

    def by_day(self, period: Period) -> dict[date, int]:
        """Count the cases by the local day in which they were opened."""
        days, begins = _begins(period)
        places = [0, *(bisect_left(self.quarters, begin) for begin in begins[1:]), len(self.quarters)]
        found = zip(days, pairwise(places), strict=True)
        return {day: last - first for day, (first, last) in found if last > first}


@lru_cache(maxsize=64)
def _begins(period: Period) -> tuple[Sequence[date], Sequence[int]]:
    days = [day.date for day in period.days]
    return days, [int(midnight(day, period.zone).timestamp()) // _QUARTER for day in days]


def read_paces(connection: Connection, period: Period, brand: str | None) -> list[Pace]:
    """Read the pace of each department to which something came, by name; of one brand or of all."""
    places = _places(connection, brand)
    told = [
        sa.func.count(),
        *(_list(column) for column in (_MINE.c.opened_quarter, _MINE.c.acknowledge_took, _MINE.c.answer_took)),
        _list(_MINE.c.ends),
    ]
    line: sa.ColumnElement[str] = sa.cast(told[0], sa.Text)
    for part in told[1:]:
        line = line + _PART + part
    packed = (
        sa.select(line)
        .where(_MINE.c.brand == places.c.brand, _MINE.c.department == places.c.department, _kept(_MINE))
        .where(_MINE.c.opened_at >= period.start, _MINE.c.opened_at < period.end)
        .scalar_subquery()
    )
    query = sa.select(places.c.department, packed).order_by(places.c.department)
    lines: dict[str, list[list[str]]] = {}
    for department, told_of in connection.execute(query):
        parts = told_of.split(_PART)
        if parts[0] != "0":
            lines.setdefault(department, []).append(parts)
    return [_pace(department, found) for department, found in lines.items()]


def _list(column: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    return sa.func.coalesce(sa.func.aggregate_strings(column.cast(sa.Text), ","), "")


def _kept(table: sa.FromClause) -> sa.ColumnElement[bool]:
    """Give the condition of the index; all have a quarter, but asking for it keeps other questions off this index."""
    return sa.and_(table.c.merged_into.is_(None), table.c.opened_quarter.is_not(None))


def _places(connection: Connection, brand: str | None) -> sa.Subquery:
    """Give the brands and departments that have cases, by steps through the index instead of reading all of it."""
    here = _kept(cases)
    if is_limited(connection) or brand is None:
        every = sa.select(cases.c.brand, cases.c.department).where(here).distinct()
        return (every if brand is None else every.where(cases.c.brand == brand)).subquery("places")
    mine = sa.and_(here, cases.c.brand == brand)
    first = sa.select(sa.func.min(cases.c.department).label("department")).where(mine)
    steps = first.cte("steps", recursive=True)
    after = sa.select(sa.func.min(cases.c.department)).where(mine, cases.c.department > steps.c.department)
    steps = steps.union_all(sa.select(after.scalar_subquery()).where(steps.c.department.is_not(None)))
    found = sa.select(sa.literal(brand).label("brand"), steps.c.department).where(steps.c.department.is_not(None))
    return found.subquery("places")


def _pace(department: str, found: Sequence[Sequence[str]]) -> Pace:
    """Put the lines of one department together, one of each brand."""
    quarters, acknowledge, answer, ends = (_split(parts[place] for parts in found) for place in range(1, 5))
    stood = Counter(ends)
    return Pace(
        department=department,
        cases=sum(int(parts[0]) for parts in found),
        quarters=tuple(sorted(map(int, quarters))),
        acknowledge=tuple(sorted(map(int, acknowledge))),
        answer=tuple(sorted(map(int, answer))),
        dismissed=sum(number for one, number in stood.items() if one[0] == "d"),
        closed_unanswered=sum(number for one, number in stood.items() if one[0] == "c"),
        clocked=sum(number for one, number in stood.items() if one[0] != "d" and one[1] != "N"),
        in_time=sum(number for one, number in stood.items() if one[1] == "K"),
        late=sum(number for one, number in stood.items() if one[1] == "L"),
    )


def _split(lists: Iterable[str]) -> list[str]:
    found: list[str] = []
    for line in lists:
        found += line.split(",") if line else ()
    return found


def median_of(spans: Sequence[int]) -> timedelta | None:
    """Give the median of sorted microseconds, to the second: the mean of the middle one or two; None of none."""
    if not spans:
        return None
    middle = (spans[(len(spans) - 1) // 2] + spans[len(spans) // 2]) / 2
    return timedelta(seconds=round(middle / 1_000_000))
