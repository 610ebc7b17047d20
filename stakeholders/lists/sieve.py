"""Turn filters of the inbox into conditions over cases, so that lists and counts let through the same ones."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.query import QueryError, parse
from listener.query.sql import unindexed
from listener.taxonomy import OPEN_STATUSES, STATUSES
from stakeholders.casework.step import OVER as SETTLED
from stakeholders.casework.step import UNFINISHED
from stakeholders.lists.casesearch import OPEN, OVER, CaseSearch
from stakeholders.lists.filters import NOBODY, Filters
from stakeholders.store import cases

__all__ = ["COLUMNS", "conditions", "parts_of", "search_of", "statuses_of", "waits"]

# What is filtered and counted by. Of the post that opened a case its labels stand in the case itself.
COLUMNS: dict[str, sa.Column[Any]] = {
    "department": cases.c.department,
    "priority": cases.c.priority,
    "status": cases.c.status,
    "stakeholder": cases.c.stakeholder,
    "sentiment": cases.c.opener_sentiment,
    "source": cases.c.opener_source,
    "brand": cases.c.brand,
}


def waits(filters: Filters) -> bool:
    """Tell whether a view shows only cases that may still owe an answer: those are few, however old the archive."""
    return filters.status == "open" or filters.status in UNFINISHED


def statuses_of(filters: Filters) -> tuple[str, ...]:
    """Give the views of one status, or of the open ones, that a view is made of; each is read through one index."""
    if filters.status != "all":
        return (filters.status,)
    return ("open", *(one for one in STATUSES if one not in OPEN_STATUSES))


def parts_of(filters: Filters) -> tuple[sa.ColumnElement[bool], ...]:
    """Give the conditions of what a view is cut into, so that each part is read from the index of its list alone."""
    if filters.status != "all" or filters.q:  # what a search finds is looked up once
        return (sa.true(),)
    return OPEN, OVER  # type: ignore[return-value]


def conditions(
    connection: Connection,
    filters: Filters,
    now: datetime,
    without: str = "",
    *,
    bounded: bool = False,
    search: CaseSearch | None = None,
) -> list[sa.ColumnElement[bool]]:
    """Give the conditions of all filters but `without`, over `cases`.

    With `bounded`, a search of a view that need not end looks at some of the posts that fit
    (`CaseSearch.is_common`). `search` is that of the view, where several statements share it.
    """
    columns: dict[str, sa.ColumnElement[Any]] = {**COLUMNS}
    if connection.dialect.name == "sqlite" and waits(filters) and without != "status":
        # What waits is few, and has an index of its own; a + keeps SQLite from reading all cases of the brand instead.
        columns["brand"] = unindexed(cases.c.brand)
    found: list[sa.ColumnElement[bool]] = [
        column.in_(wanted)
        for name, column in columns.items()
        if name not in (without, "status") and (wanted := getattr(filters, name))
    ]
    found.append(cases.c.merged_into.is_(None))  # its posts stand in the case that it is part of
    if filters.status == "open" and without != "status":
        # Written out as in the partial index, so that both databases see that it serves.
        found.append(OPEN)  # type: ignore[arg-type]
    elif filters.status != "all" and without != "status":
        found.append(cases.c.status == filters.status)
        found.append(OPEN if filters.status in OPEN_STATUSES else OVER)  # type: ignore[arg-type]
    if filters.owner is not None:
        found.append(cases.c.owner.is_(None) if filters.owner == NOBODY else cases.c.owner == filters.owner)
    if filters.overdue:
        found += [cases.c.due_at < aware(now), cases.c.answered_at.is_(None), cases.c.status.not_in(SETTLED)]
    if filters.unsure:
        found.append(cases.c.opener_unsure)
    search = search or search_of(connection, filters)
    if search is not None:
        found.append(search.fitting(few=waits(filters) and without != "status", bounded=bounded))
    return found


def search_of(connection: Connection, filters: Filters, *, shared: bool = False) -> CaseSearch | None:
    """Give the search of a view; None without one, and for one that cannot be read, which the page tells."""
    try:
        return CaseSearch(connection, parse(filters.q, zone=filters.zone), shared=shared) if filters.q else None
    except QueryError:
        return None
