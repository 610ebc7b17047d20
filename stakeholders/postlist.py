"""List the mentions that a figure counts, newest first, a page at a time; filters travel in the address of the page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import Term
from listener.query import Query
from listener.query.sql import where
from listener.store import authors, mentions, posts
from listener.taxonomy import DIMENSIONS, SENTIMENTS, STAKEHOLDERS
from sentiment.store import verdicts
from stakeholders.counts import counted, named
from stakeholders.dossier import is_masked
from stakeholders.period import Period, midnight
from stakeholders.store import case_mentions, cases, decisions

__all__ = [
    "UNROUTED",
    "Heard",
    "HeardPage",
    "Place",
    "Wanted",
    "count_heard",
    "finds_exactly",
    "read_heard",
    "read_some",
]

UNROUTED = "-"  # Wanted.stakeholder: mentions that are not routed yet
_SNIPPET = 400  # characters
_LONGEST = timedelta(days=400)
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "stakeholder": (*STAKEHOLDERS, UNROUTED),
    "dimension": DIMENSIONS,
    "sentiment": SENTIMENTS,
}


class Place(NamedTuple):
    """Point behind a mention, where the next page starts."""

    published_at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """Hold which mentions are asked for: local days since ≤ d ≤ until and labels; None means any.

    What they are counted by is what `stakeholders.insight` counts by, so that a list is as long as its figure says.
    """

    since: date
    until: date
    brand: str | None = None
    stakeholder: str | None = None
    dimension: str | None = None
    source: str | None = None
    sentiment: str | None = None
    body: str | None = None  # the name of a registry's entry

    def period(self, zone: ZoneInfo) -> Period:
        """Give the time that is asked for."""
        return Period(midnight(self.since, zone), midnight(self.until + timedelta(days=1), zone), zone)

    def to_query(self) -> dict[str, str]:
        """Give the parameters of the page's address; what is not asked for is left out."""
        told = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in told if value}

    @classmethod
    def from_query(cls, query: Mapping[str, str], today: date) -> Wanted:
        """Read an address; what nobody knows is left out, days that are none mean the last thirty."""
        until = _day(query.get("until")) or today
        since = _day(query.get("since")) or until - timedelta(days=29)
        if not timedelta() <= until - since <= _LONGEST:
            since = until - timedelta(days=29)
        told: dict[str, Any] = {}
        for name in ("brand", "stakeholder", "dimension", "source", "sentiment", "body"):
            given, known = query.get(name) or None, _KNOWN.get(name)
            told[name] = given if given and (known is None or given in known) else None
        return cls(since, until, **told)


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


@dataclass(frozen=True, slots=True)
class HeardPage:
    """Hold a page of mentions; `next` is where the following one starts, None on the last."""

    rows: tuple[Heard, ...]
    next: Place | None = None


def count_heard(connection: Connection, wanted: Wanted, zone: ZoneInfo, asked: Query | None = None) -> int:
    """Count the mentions that are asked for; the same number as the figure that links here, when no words are asked."""
    query = sa.select(sa.func.count()).select_from(_tables()).where(*_conditions(connection, wanted, zone, asked))
    return connection.scalar(query) or 0


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
    query = (
        _rows()
        .where(*_conditions(connection, wanted, zone, asked))
        .order_by(mentions.c.published_at.desc(), mentions.c.id.desc())
        .limit(limit + 1)
    )
    if after is not None:
        same = sa.and_(mentions.c.published_at == after.published_at, mentions.c.id < after.id)
        query = query.where(sa.or_(mentions.c.published_at < after.published_at, same))
    found = connection.execute(query).all()
    rows = tuple(map(_row, found[:limit]))
    return HeardPage(rows, Place(rows[-1].published_at, rows[-1].mention_id) if len(found) > limit else None)


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
        verdicts.c.sentiment,
        verdicts.c.unsure,
        verdicts.c.dimension,
        decisions.c.stakeholder,
        decisions.c.department,
        cases.c.id.label("case_id"),
        cases.c.department.label("case_department"),
    ).select_from(_tables())


def _tables() -> sa.FromClause:
    return (
        counted()
        .join(posts, posts.c.id == mentions.c.post_id)
        .outerjoin(authors, authors.c.id == posts.c.author_id)
        .outerjoin(decisions, decisions.c.mention_id == mentions.c.id)
        .outerjoin(case_mentions, case_mentions.c.mention_id == mentions.c.id)
        .outerjoin(cases, cases.c.id == case_mentions.c.case_id)
    )


def _conditions(
    connection: Connection, wanted: Wanted, zone: ZoneInfo, asked: Query | None
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
        key = '"entry":' + json.dumps(wanted.body)  # as JSONText writes it
        found.append(decisions.c.detail.cast(sa.Text).contains(key, autoescape=True))
    if asked is not None:
        found.append(where(asked, connection.dialect.name).clause)
    return found


def _day(told: str | None) -> date | None:
    try:
        day = date.fromisoformat(told or "")
    except ValueError:
        return None
    return day if 1990 <= day.year <= 2200 else None


def _row(row: sa.Row[Any]) -> Heard:
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
    )
