"""List the cases that wait, the most urgent first, a page at a time; filters travel in the address of the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.reason import Reason
from listener.store import authors, mentions, posts
from sentiment.store import verdicts
from stakeholders.casework.dossier import case_from_row, count_people, is_masked
from stakeholders.deciding.facts import Case
from stakeholders.lists.casesearch import CaseSearch
from stakeholders.lists.facet import FACETS, count_facets, count_inbox
from stakeholders.lists.filters import LONGEST_SEARCH, NOBODY, Filters
from stakeholders.lists.sieve import conditions, search_of, statuses_of
from stakeholders.spikes.crisis import reasons_of
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
    "follow",
    "list_inbox",
    "read_inbox",
    "read_rows",
]

_SNIPPET = 280  # characters


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
    keys = list_inbox(connection, filters, now, after, limit + 1)
    rows = read_rows(connection, [key.id for key in keys[:limit]], now)
    return InboxPage(rows, keys[limit - 1] if len(keys) > limit else None)


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
    # The few that a rare word finds are sorted; else each status is read in the order of its own index.
    search = search_of(connection, filters)
    few = filters.status == "all" and search is not None and not search.is_met_soon
    statuses = (filters.status,) if few else statuses_of(filters)
    step = limit if len(statuses) == 1 else limit // 3 + 1  # of several, none is read to the end of the page
    lists = [_walk(connection, replace(filters, status=one), now, after, step, search) for one in statuses]
    return list(islice(lists[0] if len(lists) == 1 else merge(*lists, key=_order), limit))


def follow(connection: Connection, filters: Filters, case_id: int | None, now: datetime) -> int | None:
    """Find the case behind this one in a view; of one that is not in it, or left it, the view's first."""
    after = None
    if case_id is not None:
        query = _select_keys(connection, filters, now).where(cases.c.id == case_id)
        row = connection.execute(query).one_or_none()
        after = Key(*row) if row is not None else None
    found = list_inbox(connection, filters, now, after, 1)
    return found[0].id if found else None


def _walk(
    connection: Connection, filters: Filters, now: datetime, after: Key | None, step: int, search: CaseSearch | None
) -> Iterator[Key]:
    """Give the keys behind `after`, so many at a time. Each stretch of them is one range of an index."""
    query = _select_keys(connection, filters, now, search).order_by(cases.c.rank, cases.c.due_at, cases.c.id)
    while True:
        found = 0
        for stretch in _behind(after):
            for row in connection.execute(query.where(stretch).limit(step - found)).all():
                after = Key(*row)
                found += 1
                yield after
            if found >= step:
                break
        if found < step:
            return


def _select_keys(
    connection: Connection, filters: Filters, now: datetime, search: CaseSearch | None = None
) -> sa.Select[Any]:
    wanted = conditions(connection, filters, now, search=search)
    return sa.select(cases.c.rank, cases.c.due_at, cases.c.id).where(*wanted)


def _order(key: Key) -> tuple[int, bool, float, int]:
    return key.rank, key.due_at is None, key.due_at.timestamp() if key.due_at else 0.0, key.id


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


def _behind(key: Key | None) -> Iterator[sa.ColumnElement[bool]]:
    """Give the stretches of the list behind a key, in its order."""
    if key is None:
        yield sa.true()
        return
    same = cases.c.rank == key.rank
    if key.due_at is None:
        yield sa.and_(same, cases.c.due_at.is_(None), cases.c.id > key.id)
    else:
        yield sa.and_(same, cases.c.due_at == key.due_at, cases.c.id > key.id)
        yield sa.and_(same, cases.c.due_at > key.due_at)
        yield sa.and_(same, cases.c.due_at.is_(None))
    yield cases.c.rank > key.rank


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
