"""Turn filters of the inbox into conditions over cases, so that lists and counts let through the same ones."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.query import Query, QueryError, parse
from listener.query.search import search
from listener.query.sql import posts_with_words, says_only_words, where
from listener.store import mentions, posts
from listener.taxonomy import OPEN_STATUSES, STATUSES
from sentiment.store import verdicts
from stakeholders.filters import NOBODY, Filters
from stakeholders.step import OVER, UNFINISHED
from stakeholders.store import case_mentions, cases

__all__ = ["COLUMNS", "conditions", "holds_more", "is_rare", "statuses_of", "tables_of", "waits"]

_COMMON = 30_000
_INEXACT = 5_000  # posts that are looked through where a database cannot say a query exactly
_OVER = sa.text("cases.status NOT IN ({})".format(", ".join(f"'{status}'" for status in OPEN_STATUSES)))
_OPEN = sa.text("cases.status IN ({})".format(", ".join(f"'{status}'" for status in OPEN_STATUSES)))

# What is filtered and counted by. The source stands in the mention as in its post, which spares one table.
COLUMNS: dict[str, sa.Column[Any]] = {
    "department": cases.c.department,
    "priority": cases.c.priority,
    "status": cases.c.status,
    "stakeholder": cases.c.stakeholder,
    "sentiment": verdicts.c.sentiment,
    "source": mentions.c.source,
    "brand": cases.c.brand,
}
_TABLES = (
    cases.outerjoin(case_mentions, sa.and_(case_mentions.c.case_id == cases.c.id, case_mentions.c.how == "opened"))
    .outerjoin(mentions, mentions.c.id == case_mentions.c.mention_id)
    .outerjoin(verdicts, sa.and_(verdicts.c.mention_id == mentions.c.id, verdicts.c.current))
)


def tables_of(filters: Filters, *names: str) -> sa.FromClause:
    """Give what must be read to filter and to count by these of COLUMNS: cases alone, unless their post is asked of."""
    of_post = filters.sentiment or filters.source or filters.unsure
    return _TABLES if of_post or any(COLUMNS[name].table is not cases for name in names) else cases


def waits(filters: Filters) -> bool:
    """Tell whether a view shows only cases that may still owe an answer: those are few, however old the archive."""
    return filters.status == "open" or filters.status in UNFINISHED


def statuses_of(filters: Filters) -> tuple[str, ...]:
    """Give the views of one status, or of the open ones, that a view is made of; each is read through one index."""
    if filters.status != "all":
        return (filters.status,)
    return ("open", *(one for one in STATUSES if one not in OPEN_STATUSES))


def conditions(
    connection: Connection, filters: Filters, now: datetime, without: str = "", most: int | None = None
) -> list[sa.ColumnElement[bool]]:
    """Give the conditions of all filters but `without`, over the tables of `tables_of`.

    With `most`, a search of a view that need not end looks at so many posts that fit, whichever (see `holds_more`).
    """
    found: list[sa.ColumnElement[bool]] = [
        column.in_(wanted)
        for name, column in COLUMNS.items()
        if name not in (without, "status") and (wanted := getattr(filters, name))
    ]
    found.append(cases.c.merged_into.is_(None))  # its posts stand in the case that it is part of
    if filters.status == "open" and without != "status":
        # Written out as in the partial index, so that both databases see that it serves.
        found.append(_OPEN)  # type: ignore[arg-type]
    elif filters.status != "all" and without != "status":
        found.append(cases.c.status == filters.status)
        found.append(_OPEN if filters.status in OPEN_STATUSES else _OVER)  # type: ignore[arg-type]
    if filters.owner is not None:
        found.append(cases.c.owner.is_(None) if filters.owner == NOBODY else cases.c.owner == filters.owner)
    if filters.overdue:
        found += [cases.c.due_at < aware(now), cases.c.answered_at.is_(None), cases.c.status.not_in(OVER)]
    if filters.unsure:
        found.append(verdicts.c.unsure)
    if filters.q:
        found.append(_said(connection, filters, most, few=waits(filters) and without != "status"))
    return found


def holds_more(connection: Connection, filters: Filters, most: int) -> bool:
    """Tell whether more posts than so many fit the search of a view."""
    try:
        query = parse(filters.q, zone=filters.zone)
    except QueryError:
        return False
    some = _some(connection, query).limit(most + 1).subquery()
    return (connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0) > most


def _said(connection: Connection, filters: Filters, most: int | None, *, few: bool) -> sa.ColumnElement[bool]:
    """Give the cases with a post that fits the search; a search that cannot be read is told by the page.

    Where the cases are few, their posts are asked for the words; else the words for their cases.
    """
    try:
        query = parse(filters.q, zone=filters.zone)
    except QueryError:
        return sa.true()
    gathered, named = case_mentions.alias(), mentions.alias()  # the list outside may read the same tables
    tables = gathered.join(named, named.c.id == gathered.c.mention_id)
    found = sa.select(gathered.c.case_id)
    if few or (most is None and _is_common(connection, query)):
        tables = tables.join(posts, posts.c.id == named.c.post_id)
        found = found.select_from(tables).where(_fits(connection, query, few=True))
        return found.where(gathered.c.case_id == cases.c.id).exists()
    if most is not None:
        some = _some(connection, query).limit(most).subquery()
        (fitting,) = some.c
        found = found.select_from(tables.join(some, fitting == named.c.post_id))
    elif says_only_words(query) and (asked := where(query, connection.dialect.name, of=named.c.post_id)).exact:
        found = found.select_from(tables).where(asked.clause)
    else:
        tables = tables.join(posts, posts.c.id == named.c.post_id)
        found = found.select_from(tables).where(_fits(connection, query))
    return cases.c.id.in_(found)


def _some(connection: Connection, query: Query) -> sa.Select[Any]:
    """Select posts that fit, for a LIMIT; a limited reader's own ones, since the index alone would tell of others."""
    limited = connection.get_execution_options().get("guard") is not None
    if where(query, connection.dialect.name).exact and not limited:
        return posts_with_words(query, connection.dialect.name)
    return sa.select(posts.c.id).where(_fits(connection, query))


def is_rare(connection: Connection, filters: Filters) -> bool:
    """Tell whether so few posts fit the search of a view that their cases are all looked up; see `_is_common`."""
    try:
        return not _is_common(connection, parse(filters.q, zone=filters.zone))
    except QueryError:
        return False


def _is_common(connection: Connection, query: Query) -> bool:
    """Tell whether so many posts hold the words that their cases are met soon by walking through all cases."""
    if not says_only_words(query) or connection.dialect.name != "sqlite":
        return False
    some = _some(connection, query).limit(_COMMON).subquery()
    return (connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0) >= _COMMON


def _fits(connection: Connection, query: Query, *, few: bool = False) -> sa.ColumnElement[bool]:
    dialect = connection.dialect.name
    asked = where(query, dialect, each=few)
    if asked.exact:
        return asked.clause
    return posts.c.id.in_([one.id for one in search(connection, query, limit=_INEXACT).found])
