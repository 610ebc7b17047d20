"""Find the cases with a post that fits a search: by the full-text index of the posts that stand in cases.

Few posts that hold the words: their cases are looked up. Many: cases are walked through in the order of their list, and
the words of each are looked at, until a page is full. What says no word that must stand there is asked of all posts.
"""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.query import Query
from listener.query.caseindex import case_index
from listener.query.search import search
from listener.query.sql import IndexFilter, ask_index, posts_with_words, says_only_words, where
from listener.store import mentions, posts
from listener.taxonomy import OPEN_STATUSES
from stakeholders.store import case_mentions, cases

__all__ = ["OPEN", "OVER", "WAITING", "CaseSearch"]

# Written out as in the partial indexes of the lists, so that both databases see that they serve.
_TOLD = ", ".join(f"'{status}'" for status in OPEN_STATUSES)
OPEN, OVER = sa.text(f"cases.status IN ({_TOLD})"), sa.text(f"cases.status NOT IN ({_TOLD})")
WAITING = (OPEN, sa.and_(OVER, cases.c.status == "snoozed"))  # what may still owe an answer

_MANY = 2_500  # posts of cases that hold the words
_SLOW = 500
_COMMON = 30_000  # of all posts
_INEXACT = 5_000  # posts that are looked through where a database cannot say a query exactly


class CaseSearch:
    """Hold a search while a page is answered; what it found out is asked once, however many statements need it.

    With `shared`, several statements ask for the same cases: they are looked up once and named by their numbers.
    """

    def __init__(self, connection: Connection, query: Query, *, shared: bool = False) -> None:
        """Ask nothing yet."""
        self.connection = connection
        self.query = query
        self.shared = shared
        self.dialect = connection.dialect.name
        self.index = case_index(self.dialect)
        self.place = case_mentions.alias()
        self.asked = ask_index(query, self.dialect, self.index.table, self.place)
        self._known: dict[tuple[bool, bool], sa.ColumnElement[bool]] = {}

    @cached_property
    def is_common(self) -> bool:
        """Tell whether more posts hold the words than are gone through one by one."""
        if self.asked is None:
            return self._holds(self._some(), _MANY)
        return self._holds(self._cases_of(IndexFilter(self.asked.match, self.asked.each, None)), _MANY)

    @cached_property
    def _is_slow(self) -> bool:
        """Tell whether it takes longer to read the posts with the words than those of the cases that wait."""
        if self.dialect != "sqlite" or self.asked is None or self.asked.rest is None:
            return False
        return self._holds(self._cases_of(IndexFilter(self.asked.match, self.asked.each, None)), _SLOW)

    @cached_property
    def is_met_soon(self) -> bool:
        """Tell whether so much fits that cases are met soon by walking through them in the order of their list."""
        if self.dialect != "sqlite":
            return False  # PostgreSQL chooses by its own statistics
        if self.asked is not None:
            return self.is_common
        return says_only_words(self.query) and self._holds(self._some(), _COMMON)

    def fitting(self, *, few: bool, bounded: bool = False) -> sa.ColumnElement[bool]:
        """Give the condition over `cases`. With `few`, the statement reads cases that wait, and no others.

        `bounded`: of a search that is common the cases of some of its posts are enough, whichever.
        """
        key = (few, bounded)
        if not self.shared or not (few or bounded):
            return self._fitting(few, bounded)
        if key not in self._known:
            self._known[key] = self._numbered(self._fitting(few, bounded), few=few)
        return self._known[key]

    def _fitting(self, few: bool, bounded: bool) -> sa.ColumnElement[bool]:
        if self.asked is None:
            walk = few or (not bounded and self.is_met_soon)
            return self._among_all(few=walk, bounded=bounded)
        if bounded and not few and self.is_common:
            return cases.c.id.in_(self._cases_of(self.asked).limit(_MANY))
        if self.is_met_soon or (few and self._is_slow):
            held = self._select(self.asked, self.asked.each)
            return held.where(self.index.of(cases.c.id)).correlate(cases).exists()
        return cases.c.id.in_(self._select(self.asked, self.asked.match))

    def _numbered(self, fits: sa.ColumnElement[bool], *, few: bool) -> sa.ColumnElement[bool]:
        query = sa.select(cases.c.id).where(fits)
        parts = [query.where(one) for one in WAITING] if few else [query]
        ids = [number for part in parts for number in self.connection.scalars(part)]
        if self.dialect == "postgresql":
            return cases.c.id == sa.any_(sa.cast(sa.literal(ids, sa.ARRAY(sa.BigInteger)), sa.ARRAY(sa.BigInteger)))
        told = sa.func.json_each(json.dumps(ids)).table_valued("value")
        return cases.c.id.in_(sa.select(told.c.value))

    def _holds(self, some: sa.Select[Any], most: int) -> bool:
        number = sa.select(sa.func.count()).select_from(some.limit(most + 1).subquery())
        return (self.connection.scalar(number) or 0) > most

    @property
    def _is_limited(self) -> bool:
        return self.connection.get_execution_options().get("guard") is not None

    def _select(self, asked: IndexFilter, words: sa.ColumnElement[bool]) -> sa.Select[Any]:
        """Select the cases of the posts that fit, each as often as it has some."""
        index = self.index
        found = sa.select(index.case_id).where(words)
        if asked.rest is None:
            return found.select_from(index.table)
        # The place in a case holds what is asked of the post, so that no row is read of the whole archive.
        tables = index.table.join(self.place, self.place.c.mention_id == index.mention_id)
        return found.select_from(tables).where(asked.rest)

    def _cases_of(self, asked: IndexFilter) -> sa.Select[Any]:
        """Select them for a LIMIT; a limited reader's own ones, since the index alone would tell of others."""
        found = self._select(asked, asked.match)
        own = cases.alias()
        return found.where(self.index.case_id.in_(sa.select(own.c.id))) if self._is_limited else found

    def _among_all(self, *, few: bool, bounded: bool) -> sa.ColumnElement[bool]:
        """Ask the posts of few cases, or all posts for their cases."""
        gathered, named = case_mentions.alias(), mentions.alias()
        tables = gathered.join(named, named.c.id == gathered.c.mention_id)
        found = sa.select(gathered.c.case_id)
        if bounded and not few:
            some = self._some().limit(_MANY).subquery()
            (fits,) = some.c
            return cases.c.id.in_(found.select_from(tables.join(some, fits == named.c.post_id)))
        found = found.select_from(tables.join(posts, posts.c.id == named.c.post_id)).where(self._fits(each=few))
        return found.where(gathered.c.case_id == cases.c.id).exists() if few else cases.c.id.in_(found)

    def _some(self) -> sa.Select[Any]:
        """Select posts that fit, for a LIMIT; a limited reader's own ones."""
        if where(self.query, self.dialect).exact and not self._is_limited:
            return posts_with_words(self.query, self.dialect)
        return sa.select(posts.c.id).where(self._fits(each=False))

    def _fits(self, *, each: bool) -> sa.ColumnElement[bool]:
        asked = where(self.query, self.dialect, each=each)
        if asked.exact:
            return asked.clause
        return posts.c.id.in_([one.id for one in search(self.connection, self.query, limit=_INEXACT).found])
