"""List the mentions that a figure counts, newest first, a page at a time; filters travel in the address of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import Term
from listener.query import Query
from listener.query.sql import where
from listener.store import authors, mentions, posts
from sentiment.store import verdicts
from stakeholders.casework.dossier import is_masked
from stakeholders.counting.counts import counted
from stakeholders.counting.crosstab import AXES, count_cells
from stakeholders.counting.tally import sums_by
from stakeholders.lists.facet import MOST, Bounded
from stakeholders.lists.places import Place, count_places, list_places
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
    "read_counted",
    "read_heard",
    "read_some",
]

_SNIPPET = 400  # characters
_WORDED = 200  # mentions that are counted where words are asked


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
    return count_places(connection, wanted, zone, asked)


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
    """Count as `count_heard` does, and where words or several labels are asked, up to `most`."""
    kept = _from_sums(connection, wanted, zone, asked)
    if kept is not None:
        return Bounded(kept)
    number = count_places(connection, wanted, zone, asked, most + 1)
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
    return _page(connection, list_places(connection, wanted, zone, asked, after, limit + 1), limit)


def read_counted(
    connection: Connection,
    wanted: Wanted,
    zone: ZoneInfo,
    asked: Query | None = None,
    after: Place | None = None,
    limit: int = 30,
) -> tuple[HeardPage, Bounded]:
    """Read a page as `read_heard` does, with the count of all; words are looked for once for both, up to _WORDED."""
    if asked is None:
        return read_heard(connection, wanted, zone, None, after, limit), count_some(connection, wanted, zone)
    newest = list_places(connection, wanted, zone, asked, None, max(_WORDED, limit) + 1)
    count = Bounded(min(len(newest), _WORDED), len(newest) > _WORDED)
    if after is not None:
        return read_heard(connection, wanted, zone, asked, after, limit), count
    return _page(connection, newest, limit), count


def _page(connection: Connection, keys: Sequence[Place], limit: int) -> HeardPage:
    told = read_some(connection, [key.id for key in keys[:limit]])
    rows = tuple(told[key.id] for key in keys[:limit])
    return HeardPage(rows, keys[limit - 1] if len(keys) > limit else None)


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
