"""List the cases that wait, the most urgent first, a page at a time; filters travel in the address of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.store import authors, mentions, posts
from listener.taxonomy import DEPARTMENTS, OPEN_STATUSES, PRIORITIES, SENTIMENTS, STAKEHOLDERS, STATUSES
from sentiment.store import verdicts
from stakeholders.dossier import case_from_row, count_people, is_masked
from stakeholders.facts import Case
from stakeholders.step import OVER
from stakeholders.store import case_mentions, cases, decisions

__all__ = ["NOBODY", "Filters", "InboxPage", "InboxRow", "Key", "count_facets", "count_inbox", "read_inbox"]

NOBODY = "-"  # Filters.owner: cases that nobody took
_VIEWS = ("open", "all", *STATUSES)
_SNIPPET = 280  # characters
_OPEN = sa.text("cases.status IN ({})".format(", ".join(f"'{status}'" for status in OPEN_STATUSES)))

_KNOWN: Mapping[str, tuple[str, ...]] = {
    "department": DEPARTMENTS,
    "priority": PRIORITIES,
    "stakeholder": STAKEHOLDERS,
    "sentiment": SENTIMENTS,
}


class Key(NamedTuple):
    """Point behind a row of the inbox, where the next page starts."""

    rank: int
    due_at: datetime | None
    id: int


@dataclass(frozen=True, slots=True)
class Filters:
    """Hold what the reader wants to see; an empty tuple means any, several values mean any of them."""

    department: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    stakeholder: tuple[str, ...] = ()
    sentiment: tuple[str, ...] = ()  # of the post that opened the case
    source: tuple[str, ...] = ()  # of the post that opened the case
    brand: tuple[str, ...] = ()
    status: str = "open"  # open (new or acknowledged), all, or one status: snoozed, dismissed, …
    owner: str | None = None  # NOBODY: cases that nobody took
    overdue: bool = False
    unsure: bool = False  # only those whose sentiment the judge is unsure of

    def to_query(self) -> dict[str, list[str]]:
        """Give the parameters of the page's address; what is not filtered is left out."""
        query: dict[str, list[str]] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default:
                continue
            query[field.name] = ["1"] if value is True else [value] if isinstance(value, str) else list(value)
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, str | Sequence[str]]) -> Filters:
        """Read filters from an address; what a stranger or an older link wrote and nobody knows is left out."""
        told: dict[str, Any] = {}
        for field in fields(cls):
            given = query.get(field.name, ())
            values = tuple(dict.fromkeys([given] if isinstance(given, str) else given))
            if field.name in ("overdue", "unsure"):
                told[field.name] = values[:1] == ("1",)
            elif field.name == "status":
                told["status"] = values[0] if values and values[0] in _VIEWS else "open"
            elif field.name == "owner":
                told["owner"] = values[0] if values and values[0] else None
            else:
                known = _KNOWN.get(field.name)
                told[field.name] = tuple(one for one in values if one and (known is None or one in known))
        return cls(**told)


@dataclass(frozen=True, slots=True)
class InboxRow:
    """Hold one case with the post that stands for it; `author` is None when not told and when it must be hidden.

    Of a case whose posts were all removed no post is told: `mention_id` and `published_at` are None, texts are empty.
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
    now = aware(now)
    query = (
        sa.select(
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
        )
        .select_from(_TABLES)
        .where(*_conditions(filters, now))
        .order_by(cases.c.rank, cases.c.due_at, cases.c.id)
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(_behind(after))
    found = connection.execute(query).all()
    counted = count_people(connection, [row.id for row in found[:limit]]) if found else {}
    rows = tuple(_row(row, counted.get(row.id, (0, 0)), now) for row in found[:limit])
    last = rows[-1].case if len(found) > limit else None
    return InboxPage(rows, None if last is None else Key(found[limit - 1].rank, last.due_at, last.id))


def count_inbox(connection: Connection, filters: Filters, now: datetime) -> int:
    """Count the cases that the filters let through."""
    query = sa.select(sa.func.count()).select_from(_TABLES).where(*_conditions(filters, aware(now)))
    return connection.scalar(query) or 0


def count_facets(connection: Connection, filters: Filters, now: datetime) -> dict[str, dict[str, int]]:
    """Count the cases by department, priority and status; each with all filters but its own, so that a choice shows."""
    counted: dict[str, dict[str, int]] = {}
    for name in ("department", "priority", "status"):
        column = cases.c[name]
        query = (
            sa.select(column, sa.func.count())
            .select_from(_TABLES)
            .where(*_conditions(filters, aware(now), without=name))
            .group_by(column)
            .order_by(column)
        )
        counted[name] = {row[0]: row[1] for row in connection.execute(query)}
    return counted


def _conditions(filters: Filters, now: datetime, without: str = "") -> list[sa.ColumnElement[bool]]:
    columns: dict[str, sa.Column[Any]] = {
        "department": cases.c.department,
        "priority": cases.c.priority,
        "stakeholder": cases.c.stakeholder,
        "brand": cases.c.brand,
        "sentiment": verdicts.c.sentiment,
        "source": posts.c.source,
    }
    found: list[sa.ColumnElement[bool]] = [
        column.in_(wanted) for name, column in columns.items() if name != without and (wanted := getattr(filters, name))
    ]
    found.append(cases.c.merged_into.is_(None))  # its posts stand in the case that it is part of
    if filters.status == "open" and without != "status":
        # Written out as in the partial index, so that both databases see that it serves.
        found.append(_OPEN)  # type: ignore[arg-type]
    elif filters.status != "all" and without != "status":
        found.append(cases.c.status == filters.status)
    if filters.owner is not None:
        found.append(cases.c.owner.is_(None) if filters.owner == NOBODY else cases.c.owner == filters.owner)
    if filters.overdue:
        found += [cases.c.due_at < now, cases.c.answered_at.is_(None), cases.c.status.not_in(OVER)]
    if filters.unsure:
        found.append(verdicts.c.unsure)
    return found


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


def _row(row: sa.Row[Any], counted: tuple[int, int], now: datetime) -> InboxRow:
    case = case_from_row(row, counted)
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
