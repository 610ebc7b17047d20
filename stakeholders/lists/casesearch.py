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
from listener.query.caseindex import FACTS, case_index
from listener.query.search import search
from listener.query.sql import IndexFilter, ask_index, posts_with_words, says_only_words, where
from listener.query.tree import Fact, required
from listener.store import mentions, posts
from listener.taxonomy import OPEN_STATUSES
from stakeholders.store import case_mentions, cases

__all__ = ["OPEN", "OVER", "WAITING", "CaseSearch"]

# Written out as in the partial indexes of the lists, so that both databases see that they serve.
_TOLD = ", ".join(f"'{status}'" for status in OPEN_STATUSES)
OPEN, OVER = sa.text(f"cases.status IN ({_TOLD})"), sa.text(f"cases.status NOT IN ({_TOLD})")
WAITING = (OPEN, sa.and_(OVER, cases.c.status == "snoozed"))  # what may still owe an answer

_MANY = 2_500  # posts of cases that hold the words; of more, the first so many are looked at
_SOME = 0.3  # of these fit all that is asked: of words that more than _WALKED hold, a page is met sooner by walking
_WALKED = {"sqlite": 6_000, "postgresql": 3_000}
_READ = {"sqlite": 20_000, "postgresql": 10_000}  # the same where fewer fit
_RARE = 0.05  # of these fit: fewer are not enough for a count
_SLOW = 500  # posts that hold the words, of which more is asked: what waits is read sooner (SQLite)
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
        self.place = self.index.table if self.index.facts else case_mentions.alias()
        self.asked = ask_index(query, self.dialect, self.index.table, self.place)
        self._known: dict[tuple[bool, bool], sa.ColumnElement[bool]] = {}

    @cached_property
    def is_common(self) -> bool:
        """Tell whether more posts fit than are gone through one by one."""
        if self.asked is None:
            return self._holds(self._some(), _MANY)
        return not self._counted[1]

    @cached_property
    def is_met_soon(self) -> bool:
        """Tell whether so much fits that cases are met soon by walking through them in the order of their list."""
        if self.asked is not None:
            return not self._looked_up[1]
        return self.dialect == "sqlite" and says_only_words(self.query) and self._holds(self._some(), _COMMON)

    @cached_property
    def _is_slow(self) -> bool:
        """Tell whether the posts of cases that wait are read sooner than those that hold the words."""
        if self.dialect == "postgresql" or self.asked is None:
            return self.asked is not None
        return self._holds(self._worded(self.asked), _MANY if self.asked.rest is None else _SLOW)

    @cached_property
    def _sample(self) -> tuple[list[int], bool]:
        """Give the cases of posts that fit, and whether these are all, of the first that hold the words.

        What one author wrote is few, and an index leads to it: all of it is given.
        """
        assert self.asked is not None
        if any(isinstance(part, Fact) and part.name == "from" for part in required(self.query.tree)):
            return list(self.connection.scalars(self._own(self._select(self.asked, self.asked.match)))), True
        return self._among_first(_MANY)

    @cached_property
    def _looked_up(self) -> tuple[list[int], bool]:
        """Give the same of as many posts as are looked up sooner than a page is met by walking."""
        assert self.asked is not None
        ids, whole = self._sample
        if whole:
            return ids, whole
        if len(ids) < _MANY * _SOME:
            return self._among_first(_READ[self.dialect])
        most = _WALKED[self.dialect]
        if self._holds(self._worded(self.asked), most):
            return ids, False
        return self._among_first(most)

    @cached_property
    def _counted(self) -> tuple[list[int], bool]:
        """Give the same of as many posts as a count needs."""
        ids, whole = self._sample
        return (ids, whole) if whole or len(ids) >= _MANY * _RARE else self._looked_up

    def _among_first(self, most: int) -> tuple[list[int], bool]:
        assert self.asked is not None
        if self.asked.rest is None:
            ids = list(self.connection.scalars(self._worded(self.asked).limit(most + 1)))
            return ids[:most], len(ids) <= most
        index = self.index
        told = [index.table.c[one] for one in FACTS] if index.facts else []
        words = sa.select(index.case_id.label("case_id"), index.mention_id.label("mention_id"), *told)
        held = self._own(words.where(self.asked.match)).limit(most + 1).cte("held")
        of: sa.FromClause = held if index.facts else case_mentions.alias()
        tables = held if index.facts else held.join(of, of.c.mention_id == held.c.mention_id)
        asked = ask_index(self.query, self.dialect, index.table, of)
        assert asked is not None
        assert asked.rest is not None
        fits = sa.select(held.c.case_id).select_from(tables).where(asked.rest)
        number = sa.select(sa.func.count()).select_from(held)
        first, *ids = self.connection.scalars(sa.union_all(number, fits))
        return ids, first <= most

    def fitting(self, *, few: bool, bounded: bool = False) -> sa.ColumnElement[bool]:
        """Give the condition over `cases`. With `few`, the statement reads cases that wait, and no others.

        `bounded`: of a search that is common the cases of some of its posts are enough, whichever.
        """
        key = (few, bounded)
        if not self.shared or not (few or (bounded and self.asked is None)):
            return self._fitting(few, bounded)
        if key not in self._known:
            self._known[key] = self._numbered(self._fitting(few, bounded), few=few)
        return self._known[key]

    def _fitting(self, few: bool, bounded: bool) -> sa.ColumnElement[bool]:
        if self.asked is None:
            walk = few or (not bounded and self.is_met_soon)
            return self._among_all(few=walk, bounded=bounded)
        if few and not self._is_slow:
            return cases.c.id.in_(self._select(self.asked, self.asked.match))
        if bounded and not few:
            return self._named(self._counted[0])
        if not few and not self.is_met_soon:
            return self._named(self._looked_up[0])
        held = self._select(self.asked, self.asked.each).where(self.index.of(cases.c.id))
        if self.dialect == "postgresql":
            held = held.offset(0)  # keeps it from gathering all cases first
        return held.correlate(cases).exists()

    def _numbered(self, fits: sa.ColumnElement[bool], *, few: bool) -> sa.ColumnElement[bool]:
        query = sa.select(cases.c.id).where(fits)
        parts = [query.where(one) for one in WAITING] if few else [query]
        return self._named([number for part in parts for number in self.connection.scalars(part)])

    def _named(self, ids: list[int]) -> sa.ColumnElement[bool]:
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
        tables: sa.FromClause = index.table
        if not index.facts:
            tables = tables.join(self.place, self.place.c.mention_id == index.mention_id)
        return found.select_from(tables).where(asked.rest)

    def _worded(self, asked: IndexFilter) -> sa.Select[Any]:
        """Select the cases of the posts that hold the words, for a LIMIT, whatever else is asked."""
        return self._own(sa.select(self.index.case_id).where(asked.match))

    def _own(self, found: sa.Select[Any]) -> sa.Select[Any]:
        """Keep to a limited reader's own cases, for a LIMIT, since the index alone would tell of others."""
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
