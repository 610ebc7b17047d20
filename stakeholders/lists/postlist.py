"""List the mentions that a figure counts, newest first, a page at a time; filters travel in the address of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import Term
from listener.query import Query
from listener.query.sql import says_only_words, where
from listener.store import authors, mentions, posts
from sentiment.store import verdicts
from stakeholders.casework.dossier import is_masked
from stakeholders.counting.counts import counted, named
from stakeholders.counting.crosstab import AXES, count_cells
from stakeholders.counting.tally import date_of, is_limited, sums_by
from stakeholders.lists.facet import MOST, Bounded
from stakeholders.lists.wanted import UNROUTED, Wanted
from stakeholders.store import case_mentions, cases, decisions

__all__ = [
    "UNROUTED",
    "Heard",
    "HeardPage",
    "Place",
    "Wanted",
    "count_heard",
    "count_some",
    "finds_exactly",
    "read_heard",
    "read_some",
]

_SNIPPET = 400  # characters
_SHORT = 16  # hours


class Place(NamedTuple):
    """Point behind a mention, where the next page starts."""

    published_at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Heard:
    """Hold one mention with its labels and its case; `author` is None when not told and when it must be hidden."""

    mention_id: int
    brand: str
    text: str
    terms: tuple[Term, ...]
    author: str | None
    source: str
    url: str | None
    published_at: datetime
    sentiment: str
    unsure: bool
    dimension: str
    stakeholder: str | None
    case_id: int | None
    masked: bool = False
    followers: int | None = None  # of the author, as the platform told it
    reactions: int | None = None  # likes, replies and shares that the platform told; None when it told none of them


@dataclass(frozen=True, slots=True)
class HeardPage:
    """Hold a page of mentions; `next` is where the following one starts, None on the last."""

    rows: tuple[Heard, ...]
    next: Place | None = None


def count_heard(connection: Connection, wanted: Wanted, zone: ZoneInfo, asked: Query | None = None) -> int:
    """Count the mentions that are asked for; the same number as the figure that links here, when no words are asked."""
    kept = _from_sums(connection, wanted, zone, asked)
    if kept is not None:
        return kept
    tables = _tables(wanted, asked)
    query = sa.select(sa.func.count()).select_from(tables).where(*_conditions(connection, wanted, zone, asked))
    return connection.scalar(query) or 0


def _from_sums(connection: Connection, wanted: Wanted, zone: ZoneInfo, asked: Query | None) -> int | None:
    """Count by the sums that the figures are made of; None where they do not know what is asked."""
    labels = [name for name in AXES if getattr(wanted, name) is not None]
    if asked is not None or wanted.body is not None or len(labels) > 2:
        return None
    if len(labels) == 2:
        one, two = (None if getattr(wanted, name) == UNROUTED else getattr(wanted, name) for name in labels)
        cells = count_cells(connection, wanted.period(zone), wanted.brand, labels[0], labels[1])
        cell = next((cell for cell in cells if (cell.row, cell.column) == (one, two)), None)
        return 0 if cell is None else int(getattr(cell, wanted.sentiment or "mentions"))
    sums = sums_by(connection, wanted.period(zone), wanted.brand, labels[0] if labels else "kind")
    query = sa.select(sa.func.coalesce(sa.func.sum(sums.c[wanted.sentiment or "mentions"]), 0))
    if labels:
        name = getattr(wanted, labels[0])
        query = query.where(sums.c.name == ("" if name == UNROUTED else name))
    return int(connection.scalar(query) or 0)


def count_some(
    connection: Connection, wanted: Wanted, zone: ZoneInfo, asked: Query | None = None, most: int = MOST
) -> Bounded:
    """Count as `count_heard` does, and where words or several labels are asked, from the newest up to `most`."""
    kept = _from_sums(connection, wanted, zone, asked)
    if kept is not None:
        return Bounded(kept)
    number = len(_keys(connection, wanted, zone, asked, None, most + 1))
    return Bounded(min(number, most), number > most)


def read_heard(
    connection: Connection,
    wanted: Wanted,
    zone: ZoneInfo,
    asked: Query | None = None,
    after: Place | None = None,
    limit: int = 30,
) -> HeardPage:
    """Read a page of the mentions asked for, newest first; keyset paging, so that none is shown twice or hidden.

    Where a database cannot say a query exactly (`finds_exactly`), it shows more, never less.
    """
    keys = _keys(connection, wanted, zone, asked, after, limit + 1)
    told = read_some(connection, [key.id for key in keys[:limit]])
    rows = tuple(told[key.id] for key in keys[:limit])
    return HeardPage(rows, keys[limit - 1] if len(keys) > limit else None)


def _keys(
    connection: Connection, wanted: Wanted, zone: ZoneInfo, asked: Query | None, after: Place | None, limit: int
) -> list[Place]:
    """List where the mentions stand, newest first, from the last hours backward, further as long as more is wanted.

    Mentions are kept by the hour, and the newest stand in the newest hours: so the rest of a period is never sorted.
    """
    period = wanted.period(zone)
    end = period.end_hour if after is None else min(period.end_hour, int(after.published_at.timestamp() // 3600) + 1)
    found: list[Place] = []
    width, left = 1, [(period.first_hour, end)] if end > period.first_hour else []
    narrow = wanted.stakeholder is not None and not is_limited(connection)
    while left and len(found) < limit:
        if narrow and width > _SHORT:  # days on which nobody of that kind spoke are not read
            narrow, left = False, _shared(left, _days_of(connection, wanted, zone))
            continue
        start, end = left.pop()
        first = max(start, end - width)
        stretch = sa.and_(mentions.c.hour >= first, mentions.c.hour < end)
        query = sa.select(mentions.c.published_at, mentions.c.id).select_from(_tables(wanted, asked)).where(stretch)
        query = query.where(
            *_conditions(connection, wanted, zone, asked, _post_ids(connection, wanted, stretch, asked))
        )
        if after is not None:
            same = sa.and_(mentions.c.published_at == after.published_at, mentions.c.id < after.id)
            query = query.where(sa.or_(mentions.c.published_at < after.published_at, same))
        query = query.order_by(mentions.c.published_at.desc(), mentions.c.id.desc()).limit(limit - len(found))
        found += [Place(*row) for row in connection.execute(query)]
        if first > start:
            left.append((start, first))
        width *= 4
    return found


def _days_of(connection: Connection, wanted: Wanted, zone: ZoneInfo) -> list[tuple[int, int]]:
    """Give the hours, first ≤ hour < end, of the days on which those who are asked for said anything, oldest first."""
    period = wanted.period(zone)
    sums = sums_by(connection, period, wanted.brand, "stakeholder")
    name = "" if wanted.stakeholder == UNROUTED else wanted.stakeholder
    query = sa.select(sums.c.day).where(sums.c.name == name).group_by(sums.c.day)
    said = {date_of(day) for day in connection.scalars(query.having(sa.func.sum(sums.c.mentions) > 0))}
    found: list[tuple[int, int]] = []
    for day in period.days:
        if day.date in said and found and found[-1][1] == day.first:
            found[-1] = (found[-1][0], day.end)
        elif day.date in said:
            found.append((day.first, day.end))
    return found


def _shared(some: Sequence[tuple[int, int]], others: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    both = [(max(one[0], other[0]), min(one[1], other[1])) for one in some for other in others]
    return [(first, end) for first, end in both if first < end]


def _post_ids(
    connection: Connection, wanted: Wanted, stretch: sa.ColumnElement[bool], asked: Query | None
) -> tuple[int, int] | None:
    """Give the lowest and the highest id of the posts of some hours, so that words are asked of these alone."""
    if asked is None:
        return None
    query = sa.select(sa.func.min(mentions.c.post_id), sa.func.max(mentions.c.post_id)).where(stretch)
    low, high = connection.execute(
        query if wanted.brand is None else query.where(mentions.c.brand == wanted.brand)
    ).one()
    return (0, 0) if low is None else (low, high)


def finds_exactly(connection: Connection, asked: Query) -> bool:
    """Tell whether this database can say a query exactly; else its list and count may hold more than what fits."""
    return where(asked, connection.dialect.name).exact


def read_some(connection: Connection, ids: Iterable[int]) -> dict[int, Heard]:
    """Read mentions by their ids; those that no figure counts are left out."""
    found = connection.execute(_rows().where(mentions.c.id.in_(list(ids)))).all()
    return {one.mention_id: one for one in map(_row, found)}


def _rows() -> sa.Select[Any]:
    return sa.select(
        mentions.c.id,
        mentions.c.brand,
        mentions.c.terms,
        mentions.c.published_at,
        mentions.c.source,
        sa.func.substr(posts.c.text, 1, _SNIPPET + 1).label("text"),
        posts.c.url,
        authors.c.handle,
        authors.c.name,
        authors.c.followers,
        posts.c.likes,
        posts.c.replies,
        posts.c.shares,
        verdicts.c.sentiment,
        verdicts.c.unsure,
        verdicts.c.dimension,
        decisions.c.stakeholder,
        decisions.c.department,
        cases.c.id.label("case_id"),
        cases.c.department.label("case_department"),
    ).select_from(_every())


def _every() -> sa.FromClause:
    return (
        counted()
        .join(posts, posts.c.id == mentions.c.post_id)
        .outerjoin(authors, authors.c.id == posts.c.author_id)
        .outerjoin(decisions, decisions.c.mention_id == mentions.c.id)
        .outerjoin(case_mentions, case_mentions.c.mention_id == mentions.c.id)
        .outerjoin(cases, cases.c.id == case_mentions.c.case_id)
    )


def _tables(wanted: Wanted, asked: Query | None) -> sa.FromClause:
    """Give what must be read to tell which mentions are asked for."""
    tables = counted()
    if wanted.stakeholder is not None or wanted.body is not None:
        tables = tables.outerjoin(decisions, decisions.c.mention_id == mentions.c.id)
    if asked is None or says_only_words(asked):
        return tables
    return tables.join(posts, posts.c.id == mentions.c.post_id)


def _conditions(
    connection: Connection, wanted: Wanted, zone: ZoneInfo, asked: Query | None, within: tuple[int, int] | None = None
) -> Sequence[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [named(wanted.period(zone), wanted.brand)]
    if wanted.stakeholder is not None:
        who = decisions.c.stakeholder
        found.append(who.is_(None) if wanted.stakeholder == UNROUTED else who == wanted.stakeholder)
    for column, value in (
        (verdicts.c.dimension, wanted.dimension),
        (mentions.c.source, wanted.source),
        (verdicts.c.sentiment, wanted.sentiment),
    ):
        if value is not None:
            found.append(column == value)
    if wanted.body is not None:
        found.append(decisions.c.entry == wanted.body)
    if asked is not None:
        key = mentions.c.post_id if says_only_words(asked) else posts.c.id
        found.append(where(asked, connection.dialect.name, within, of=key).clause)
    return found


def _row(row: sa.Row[Any]) -> Heard:
    told = [number for number in (row.likes, row.replies, row.shares) if number is not None]
    hide = any(is_masked(row.stakeholder or "", name or "") for name in (row.department, row.case_department))
    return Heard(
        mention_id=row.id,
        brand=row.brand,
        text=row.text if len(row.text) <= _SNIPPET else row.text[: _SNIPPET - 1] + "…",
        terms=tuple(Term(*term) for term in row.terms),
        author=None if hide else (f"@{row.handle}" if row.handle else row.name),
        source=row.source,
        url=None if hide else row.url,
        published_at=row.published_at,
        sentiment=row.sentiment,
        unsure=bool(row.unsure),
        dimension=row.dimension,
        stakeholder=row.stakeholder,
        case_id=row.case_id,
        masked=hide,
        followers=None if hide else row.followers,
        reactions=sum(told) if told else None,
    )
