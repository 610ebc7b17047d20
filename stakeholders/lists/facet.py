"""Count the cases of a view, and how many each further choice would leave; long lists are counted up to a bound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.taxonomy import STATUSES
from stakeholders.casework.step import UNFINISHED
from stakeholders.lists.casesearch import CaseSearch
from stakeholders.lists.filters import Filters
from stakeholders.lists.sieve import COLUMNS, conditions, parts_of, search_of, waits
from stakeholders.store import cases

__all__ = ["FACETS", "MOST", "Bounded", "add", "count_choices", "count_facets", "count_inbox", "count_some", "of"]

FACETS = ("department", "priority", "status", "stakeholder", "sentiment", "source", "brand")
MOST = 500  # cases of a long list that are counted for a page; what waits for an answer is counted in full
_FEW = 100


class Bounded(int):
    """Hold a count; with `more` there are at least so many, and nobody counted the rest. Of 0 nothing is known then."""

    more: bool

    def __new__(cls, number: int, more: bool = False) -> Self:
        """Make a count."""
        made = super().__new__(cls, number)
        made.more = more
        return made


def add(counts: Iterable[int]) -> Bounded:
    """Add counts up; where one has more, the sum has."""
    told = list(counts)
    return Bounded(sum(told), any(getattr(one, "more", False) for one in told))


def of(counts: Mapping[str, int], value: str) -> Bounded:
    """Give the count of one choice; of one that stands in no part of a long list that was counted, nothing is known."""
    return Bounded(counts.get(value, 0), add(counts.values()).more)


def count_inbox(connection: Connection, filters: Filters, now: datetime) -> int:
    """Count the cases that the filters let through, however many."""
    query = sa.select(sa.func.count()).select_from(cases).where(*conditions(connection, filters, now))
    return connection.scalar(query) or 0


def count_some(
    connection: Connection, filters: Filters, now: datetime, most: int = MOST, search: CaseSearch | None = None
) -> Bounded:
    """Count the cases that the filters let through: all that wait, or up to `most` of those that need not end.

    `search` is that of the view, where several statements share it.
    """
    search = search or search_of(connection, filters)
    wanted = conditions(connection, filters, now, bounded=True, search=search)
    if waits(filters):
        counted = sa.select(sa.func.count()).select_from(cases).where(*wanted)
        return Bounded(connection.scalar(counted) or 0)
    number = 0
    for part in parts_of(filters):
        found = sa.select(cases.c.id).where(*wanted, part).limit(most + 1 - number).subquery()
        number += connection.scalar(sa.select(sa.func.count()).select_from(found)) or 0
    more = number > most or (search is not None and search.is_common)
    return Bounded(min(number, most), more)


def count_facets(
    connection: Connection, filters: Filters, now: datetime, names: Collection[str] = FACETS[:3]
) -> dict[str, dict[str, int]]:
    """Count the cases by these of FACETS; each with all filters but its own, so that every choice shows."""
    counted: dict[str, dict[str, int]] = {}
    for name in names:
        column = COLUMNS[name]
        query = (
            sa.select(column, sa.func.count())
            .select_from(cases)
            .where(*conditions(connection, filters, now, without=name))
            .group_by(column)
            .order_by(column)
        )
        counted[name] = {row[0]: row[1] for row in connection.execute(query) if row[0] is not None}
    return counted


def _by_status(
    connection: Connection, filters: Filters, now: datetime, most: int, search: CaseSearch | None
) -> dict[str, Bounded]:
    """Count by status, of each of the lists that need not end up to `most`; what a search finds is looked up once."""
    alone = [one for one in STATUSES if search is None or one in UNFINISHED]
    counted = {one: count_some(connection, replace(filters, status=one), now, most, search) for one in alone}
    if len(alone) < len(STATUSES):
        every = replace(filters, status="all")
        query = sa.select(cases.c.status, sa.func.count()).select_from(cases).group_by(cases.c.status)
        wanted = conditions(connection, every, now, bounded=True, search=search)
        query = query.where(*wanted, cases.c.status.not_in(UNFINISHED))
        more = search is not None and search.is_common
        found = {row[0]: row[1] for row in connection.execute(query)}
        counted |= {one: Bounded(found.get(one, 0), more) for one in STATUSES if one not in alone}
    return {one: count for one, count in counted.items() if count or count.more}


def count_choices(
    connection: Connection, filters: Filters, now: datetime, names: Sequence[str] = FACETS, most: int = MOST
) -> dict[str, dict[str, Bounded]]:
    """Count as `count_facets` does, but of a view that need not end its first `most` cases, each count marked so.

    What no filter of its own narrows is counted in one reading of the view.
    """
    counted: dict[str, dict[str, Bounded]] = {}
    search = search_of(connection, filters, shared=True)
    if "status" in names:
        counted["status"] = _by_status(connection, filters, now, _FEW if most == MOST else most, search)
    labels = [name for name in names if name != "status"]
    shared = [name for name in labels if not getattr(filters, name)]
    groups = [shared, *([name] for name in labels if name not in shared)]
    unread = not waits(filters) and search is not None and search.is_common
    for group in (one for one in groups if one):
        without = group[0] if group is not shared else ""
        columns: list[sa.Column[Any]] = [COLUMNS[name] for name in group]
        query = sa.select(*columns).select_from(cases)
        query = query.where(*conditions(connection, filters, now, without, bounded=True, search=search))
        rows: list[sa.Row[Any]] = []
        for part in parts_of(filters):
            rows += connection.execute(query.where(part).limit(None if waits(filters) else most + 1 - len(rows)))
        more = not waits(filters) and len(rows) > most
        for place, name in enumerate(group):
            found = Counter(row[place] for row in rows[: most if more else None] if row[place] is not None)
            counted[name] = {value: Bounded(found[value], more or unread) for value in sorted(found)}
    return {name: counted[name] for name in names}
