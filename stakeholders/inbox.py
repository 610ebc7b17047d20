"""List the cases that wait, the most urgent first, a page at a time; filters travel in the address of the page."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.query import QueryError, parse
from listener.query.search import search
from listener.query.sql import where
from listener.reason import Reason
from listener.store import authors, mentions, posts
from listener.taxonomy import OPEN_STATUSES
from sentiment.store import verdicts
from stakeholders.crisis import reasons_of
from stakeholders.dossier import case_from_row, count_people, is_masked
from stakeholders.facts import Case
from stakeholders.filters import LONGEST_SEARCH, NOBODY, Filters
from stakeholders.step import OVER
from stakeholders.store import case_mentions, cases, decisions

__all__ = [
    "FACETS",
    "LONGEST_SEARCH",
    "NOBODY",
    "Filters",
    "InboxPage",
    "InboxRow",
    "Key",
    "count_facets",
    "count_inbox",
    "list_inbox",
    "read_inbox",
    "read_rows",
]

FACETS = ("department", "priority", "status", "stakeholder", "sentiment", "source", "brand")
_SNIPPET = 280  # characters
_INEXACT = 5_000  # posts that are looked through where a database cannot say a query exactly
_OVER = sa.text("cases.status NOT IN ({})".format(", ".join(f"'{status}'" for status in OPEN_STATUSES)))
_OPEN = sa.text("cases.status IN ({})".format(", ".join(f"'{status}'" for status in OPEN_STATUSES)))


class Key(NamedTuple):
    """Point behind a row of the inbox, where the next page starts."""

    rank: int
    due_at: datetime | None
    id: int


@dataclass(frozen=True, slots=True)
class InboxRow:
    """Hold one case with the post that stands for it; `author` is None when not told and when it must be hidden.

    Of a case whose posts were all removed no post is told: `mention_id` and `published_at` are None, texts are empty.
    Of a crisis `case.reasons` tell its rise (outbreak.say_cause); other rows have no reasons.
    """

    case: Case
    overdue: bool
    mention_id: int | None
    snippet: str
    author: str | None
    followers: int | None
    source: str
    url: str | None
    published_at: datetime | None
    sentiment: str | None
    unsure: bool
    masked: bool = False


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Hold a page of rows; `next` is where the following one starts, None on the last."""

    rows: tuple[InboxRow, ...]
    next: Key | None = None


_COLUMNS: dict[str, sa.Column[Any]] = {
    "department": cases.c.department,
    "priority": cases.c.priority,
    "status": cases.c.status,
    "stakeholder": cases.c.stakeholder,
    "sentiment": verdicts.c.sentiment,
    "source": posts.c.source,
    "brand": cases.c.brand,
}
_TABLES = (
    cases.outerjoin(case_mentions, sa.and_(case_mentions.c.case_id == cases.c.id, case_mentions.c.how == "opened"))
    .outerjoin(mentions, mentions.c.id == case_mentions.c.mention_id)
    .outerjoin(posts, posts.c.id == mentions.c.post_id)
    .outerjoin(authors, authors.c.id == posts.c.author_id)
    .outerjoin(verdicts, sa.and_(verdicts.c.mention_id == mentions.c.id, verdicts.c.current))
    .outerjoin(decisions, decisions.c.mention_id == mentions.c.id)
)


def read_inbox(
    connection: Connection, filters: Filters, now: datetime, after: Key | None = None, limit: int = 50
) -> InboxPage:
    """Read a page of the inbox, alerts before important cases, within them the earliest due first.

    Only routine cases have no due time, so empty ones never mix with others under one rank, wherever a database sorts
    them. Keyset paging: a row that comes or goes between two pages is never shown twice nor does it hide another.
    """
    now = aware(now)
    query = (
        _select_rows()
        .where(*_conditions(connection, filters, now))
        .order_by(cases.c.rank, cases.c.due_at, cases.c.id)
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(_behind(after))
    found = connection.execute(query).all()
    rows = _rows(connection, found[:limit], now)
    last = rows[-1].case if len(found) > limit else None
    return InboxPage(rows, None if last is None else Key(found[limit - 1].rank, last.due_at, last.id))


def read_rows(connection: Connection, case_ids: Sequence[int], now: datetime) -> tuple[InboxRow, ...]:
    """Read these cases as rows, in the order given, whatever became of them; those that are gone are left out."""
    if not case_ids:
        return ()
    found = {row.id: row for row in connection.execute(_select_rows().where(cases.c.id.in_(list(case_ids))))}
    return _rows(connection, [found[one] for one in case_ids if one in found], aware(now))


def list_inbox(
    connection: Connection, filters: Filters, now: datetime, after: Key | None = None, limit: int = 100
) -> list[Key]:
    """List only where the rows of the inbox stand, as read_inbox orders them."""
    query = (
        sa.select(cases.c.rank, cases.c.due_at, cases.c.id)
        .select_from(_tables(filters))
        .where(*_conditions(connection, filters, aware(now)))
        .order_by(cases.c.rank, cases.c.due_at, cases.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(_behind(after))
    return [Key(row.rank, row.due_at, row.id) for row in connection.execute(query)]


def _tables(filters: Filters, column: sa.Column[Any] = cases.c.id) -> sa.FromClause:
    """Give what a count reads: the cases alone, unless something of the first post is asked."""
    of_post = filters.sentiment or filters.source or filters.unsure or column.table is not cases
    return _TABLES if of_post else cases


def _select_rows() -> sa.Select[Any]:
    return sa.select(
        cases,
        mentions.c.id.label("mention_id"),
        sa.func.substr(posts.c.text, 1, _SNIPPET + 1).label("snippet"),
        authors.c.handle,
        authors.c.name,
        authors.c.followers,
        posts.c.source,
        posts.c.url,
        posts.c.published_at,
        verdicts.c.sentiment,
        verdicts.c.unsure,
        decisions.c.stakeholder.label("speaker"),
    ).select_from(_TABLES)


def _rows(connection: Connection, found: Sequence[sa.Row[Any]], now: datetime) -> tuple[InboxRow, ...]:
    counted = count_people(connection, [row.id for row in found]) if found else {}
    rose = {row.id: reasons_of(connection, row.id) for row in found if row.kind == "crisis"}
    return tuple(_row(row, counted.get(row.id, (0, 0)), now, rose.get(row.id, ())) for row in found)


def count_inbox(connection: Connection, filters: Filters, now: datetime) -> int:
    """Count the cases that the filters let through."""
    query = (
        sa.select(sa.func.count()).select_from(_tables(filters)).where(*_conditions(connection, filters, aware(now)))
    )
    return connection.scalar(query) or 0


def count_facets(
    connection: Connection, filters: Filters, now: datetime, names: Collection[str] = FACETS[:3]
) -> dict[str, dict[str, int]]:
    """Count the cases by these of FACETS; each with all filters but its own, so that every choice shows."""
    counted: dict[str, dict[str, int]] = {}
    for name in names:
        column = _COLUMNS[name]
        query = (
            sa.select(column, sa.func.count())
            .select_from(_tables(filters, column))
            .where(*_conditions(connection, filters, aware(now), without=name))
            .group_by(column)
            .order_by(column)
        )
        counted[name] = {row[0]: row[1] for row in connection.execute(query) if row[0] is not None}
    return counted


def _conditions(
    connection: Connection, filters: Filters, now: datetime, without: str = ""
) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [
        column.in_(wanted)
        for name, column in _COLUMNS.items()
        if name not in (without, "status") and (wanted := getattr(filters, name))
    ]
    found.append(cases.c.merged_into.is_(None))  # its posts stand in the case that it is part of
    if filters.status == "open" and without != "status":
        # Written out as in the partial index, so that both databases see that it serves.
        found.append(_OPEN)  # type: ignore[arg-type]
    elif filters.status != "all" and without != "status":
        found.append(cases.c.status == filters.status)
        if filters.status not in OPEN_STATUSES:
            found.append(_OVER)  # type: ignore[arg-type]
    if filters.owner is not None:
        found.append(cases.c.owner.is_(None) if filters.owner == NOBODY else cases.c.owner == filters.owner)
    if filters.overdue:
        found += [cases.c.due_at < now, cases.c.answered_at.is_(None), cases.c.status.not_in(OVER)]
    if filters.unsure:
        found.append(verdicts.c.unsure)
    if filters.q:
        found.append(_said(connection, filters))
    return found


def _said(connection: Connection, filters: Filters) -> sa.ColumnElement[bool]:
    """Give the cases with a post that fits the search; a search that cannot be read is told by the page."""
    try:
        query = parse(filters.q, zone=filters.zone)
    except QueryError:
        return sa.true()
    asked = where(query, connection.dialect.name)
    fits = asked.clause
    if not asked.exact:
        fits = posts.c.id.in_([one.id for one in search(connection, query, limit=_INEXACT).found])
    tables = case_mentions.join(mentions, mentions.c.id == case_mentions.c.mention_id)
    tables = tables.join(posts, posts.c.id == mentions.c.post_id)
    # The posts of the list outside are others: correlate nothing.
    return cases.c.id.in_(sa.select(case_mentions.c.case_id).select_from(tables).where(fits).correlate(None))


def _behind(key: Key) -> sa.ColumnElement[bool]:
    if key.due_at is None:
        later = sa.and_(cases.c.due_at.is_(None), cases.c.id > key.id)
    else:
        later = sa.or_(
            cases.c.due_at > key.due_at,
            cases.c.due_at.is_(None),
            sa.and_(cases.c.due_at == key.due_at, cases.c.id > key.id),
        )
    return sa.or_(cases.c.rank > key.rank, sa.and_(cases.c.rank == key.rank, later))


def _row(row: sa.Row[Any], counted: tuple[int, int], now: datetime, rose: tuple[Reason, ...]) -> InboxRow:
    case = case_from_row(row, counted, rose)
    # After a merge or a split another speaker's post may stand for the case.
    hide = is_masked(case.stakeholder, case.department) or is_masked(row.speaker or "", case.department)
    text = " ".join((row.snippet or "").split())
    return InboxRow(
        case=case,
        overdue=case.overdue(now),
        mention_id=row.mention_id,
        snippet=text if len(row.snippet or "") <= _SNIPPET else text[: _SNIPPET - 1] + "…",
        author=None if hide else (f"@{row.handle}" if row.handle else row.name),
        followers=None if hide else row.followers,
        source=row.source or "",
        url=None if hide else row.url,
        published_at=row.published_at,
        sentiment=row.sentiment,
        unsure=bool(row.unsure),
        masked=hide,
    )
