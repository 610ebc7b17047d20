"""Ask the database with a query: conditions as SQL, words by the full-text index of `listener.query.index`.

The clause is for statements that read from the table `post`. Where a database cannot say a query exactly (SQLite: a
phrase with a * inside; a NEAR whose sides may be the same word), the clause finds more, never less, and `exact` is
False: the caller tries `fits` on what comes, as `listener.query.search` does.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from listener.query.fulltext import is_text, look_for, match_postgres, match_sqlite, partition
from listener.query.tree import And, Day, Fact, Node, Not, Or, Query, Reach, all_of, leaves, required
from listener.store import authors, mentions, posts

__all__ = [
    "IndexFilter",
    "SqlFilter",
    "ask_index",
    "is_called",
    "posts_with_words",
    "says_only_words",
    "unindexed",
    "where",
]

T = TypeVar("T")
_BEGINNING = 200  # characters of a handle in the index of PostgreSQL (migration 0014)

_BLOCK = 14  # bits of a post's id that its block leaves out, in the index of PostgreSQL (migration 0016)
_MOST_BLOCKS = 256  # that are asked for: each of them is looked at for every post with the word

_WORDS = sa.table("post_words", sa.column("post_id", sa.BigInteger()), sa.column("words"), sa.column("lexemes"))
_SIGNS: dict[str, Any] = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


@dataclass(frozen=True, slots=True)
class SqlFilter:
    """Hold a clause over the table `post`, and whether it finds exactly what the query means."""

    clause: ColumnElement[bool]
    exact: bool
    worded: bool = False  # nothing fits that does not hold some words


def where(
    query: Query,
    dialect: str,
    within: tuple[int, int] | None = None,
    *,
    of: ColumnElement[int] = posts.c.id,
    each: bool = False,
) -> SqlFilter:
    """Turn a query into a clause; `dialect` is connection.dialect.name: sqlite or postgresql.

    With `within`, the clause is for statements that read only posts with first ≤ id ≤ last: then the full-text index
    is not asked for more. `of` is the column that holds the id of the post, where nothing else of it is asked (see
    `says_only_words`). With `each`, the statement reads few posts, and the words of each are looked at instead of
    gathering all posts that hold them.
    """
    compiler = _Compiler(dialect == "postgresql", within, of, each)
    clause = compiler.clause(query.tree, wide=True)
    said, _ = partition(required(query.tree))
    return SqlFilter(clause, compiler.exact, bool(said))


def posts_with_words(query: Query, dialect: str, within: tuple[int, int] | None = None) -> sa.Select[Any]:
    """Select the ids of the posts that fit, whichever come first, so that a LIMIT ends it soon also for common words.

    As wide as the clause of `where` where that is not exact. With `within`, words are asked of first ≤ id ≤ last.
    """
    compiler = _Compiler(dialect == "postgresql", within, posts.c.id, each=False)
    said, others = partition(required(query.tree))
    rest = [compiler.clause(part, wide=True) for part in others]
    found = compiler.words(all_of(said)) if said else None
    if found is None:
        return sa.select(posts.c.id).where(compiler.clause(query.tree, wide=True))
    if not rest:
        return found
    (held,) = found.get_final_froms()
    (key,) = held.c[:1]
    return found.join_from(held, posts, posts.c.id == key).where(*rest)


@dataclass(frozen=True, slots=True)
class IndexFilter:
    """Hold a query cut into what a full-text index of its own is asked and what is asked beside it.

    `match` looks words up in the index, `each` looks at the words of one row of it, for statements that read few;
    `rest` is over the table that was named for what else is asked.
    """

    match: ColumnElement[bool]
    each: ColumnElement[bool]
    rest: ColumnElement[bool] | None


def ask_index(query: Query, dialect: str, index: sa.TableClause, of: sa.FromClause) -> IndexFilter | None:
    """Cut a query for a full-text index of some posts alone, with the columns of `post_words`.

    `of` has what else is asked of a post: post_id, source, lang, country, author_id, published_at. None where nothing
    must be said by a post that fits, or the database cannot say the query exactly.
    """
    said, others = partition(required(query.tree))
    if not said:
        return None
    words = all_of(said)
    compiler = _Compiler(dialect == "postgresql", None, of.c.post_id, each=True, facts=of)
    parts = [compiler.clause(part, wide=True) for part in others]
    if not compiler.exact:
        return None
    rest = sa.and_(*parts) if parts else None
    if dialect == "postgresql":
        found = match_postgres(words, index)
        return IndexFilter(found, found, rest)
    asked, exact = match_sqlite(words)
    if not exact:
        return None
    if asked is None:
        return IndexFilter(sa.false(), sa.false(), rest)
    match = sa.literal_column(index.name).op("MATCH", is_comparison=True)(asked)
    held = look_for(words, index.c.words)
    return IndexFilter(match, match if held is None else held, rest)


def says_only_words(query: Query) -> bool:
    """Tell whether a query asks of nothing but words: then `where` needs no column of a post but its id."""
    return not any(isinstance(leaf, Fact | Reach | Day) for leaf in leaves(query.tree))


def is_called(author: Any, handle: str, *, postgres: bool) -> ColumnElement[bool]:
    """Give the condition for authors, or an alias of them, with a handle in small letters; an index serves it."""
    # NOCASE of SQLite folds A–Z alone, as its lower() does, and the index is in that order.
    # That of PostgreSQL holds the beginnings of handles.
    if not postgres:
        found: ColumnElement[bool] = author.c.handle.collate("NOCASE") == handle
        return found
    handles = _lower(author.c.handle, postgres=True)
    return sa.and_(sa.func.left(handles, _BEGINNING) == handle[:_BEGINNING], handles == handle)


def unindexed(column: sa.Column[T]) -> ColumnElement[T]:
    """Give a column by which no index is chosen (https://sqlite.org/optoverview.html, unary "+").

    On PostgreSQL for numbers alone: it knows no + before anything else.
    """
    return UnaryExpression(column, operator=custom_op("+"), type_=column.type)


def _lower(column: Any, *, postgres: bool) -> Any:
    """Put A–Z into small letters and no other, whatever the database's locale."""
    return sa.func.lower(column.collate("C")) if postgres else sa.func.lower(column)


class _Compiler:
    def __init__(
        self,
        postgres: bool,
        within: tuple[int, int] | None,
        of: ColumnElement[int],
        each: bool,
        facts: sa.FromClause = posts,
    ) -> None:
        self.postgres = postgres
        self.facts = facts.c
        self.within = within
        self.of = of
        self.each = each
        self.exact = True

    def clause(self, node: Node, *, wide: bool) -> ColumnElement[bool]:
        """Give a clause that finds all that fits and maybe more (wide), or only what surely fits (not wide)."""
        if is_text(node):
            return self._text(node, wide)
        if isinstance(node, Not):
            return sa.not_(self.clause(node.part, wide=not wide))
        if isinstance(node, And | Or):
            # Parts that are words alone are asked of the full-text index together.
            if isinstance(node, And):
                said, others = partition(node.parts)
            else:
                said = [part for part in node.parts if is_text(part)]
                others = [part for part in node.parts if part not in said]
            parts = [self.clause(part, wide=wide) for part in others]
            if said:
                joined = said[0] if len(said) == 1 else type(node)(tuple(said))
                parts.insert(0, self._text(joined, wide))
            return sa.and_(*parts) if isinstance(node, And) else sa.or_(*parts)
        assert isinstance(node, Fact | Reach | Day)
        return self._fact(node, wide)

    def _fact(self, node: Fact | Reach | Day, wide: bool) -> ColumnElement[bool]:
        if isinstance(node, Day):
            return self.facts.published_at >= node.at if node.name == "since" else self.facts.published_at < node.at
        # Tables of their own, so that the clause stands in statements that read authors or mentions as well.
        if isinstance(node, Reach) or node.name == "from":
            author = authors.alias()
            if isinstance(node, Reach):
                clause = _SIGNS[node.sign](author.c.followers, node.count)
            else:
                clause = is_called(author, node.value, postgres=self.postgres)
                if wide:  # an index leads from them to their posts; under NOT a post without an author must say no
                    return self.facts.author_id.in_(sa.select(author.c.id).where(clause))
            return sa.select(author.c.id).where(author.c.id == self.facts.author_id, clause).exists()
        if node.name == "brand":
            named = mentions.alias()
            same = self._lower(named.c.brand) == node.value
            return sa.select(named.c.id).where(named.c.post_id == self.of, same).exists()
        column = self._lower(self.facts[node.name])  # lang, source or country
        found = column == node.value
        if node.name == "lang":
            found = sa.or_(found, column.like(node.value + "-%"))
        return sa.func.coalesce(found, sa.false())  # not told is not that language, also under NOT

    def _lower(self, column: Any) -> Any:
        return _lower(column, postgres=self.postgres)

    def words(self, node: Node) -> sa.Select[Any] | None:
        """Select the ids of the posts that hold words, as the full-text index gives them; None where none can."""
        if self.postgres:
            return sa.select(_WORDS.c.post_id).where(match_postgres(node, _WORDS), self._among(_WORDS.c.post_id))
        asked, _ = match_sqlite(node)
        if asked is None:
            return None
        index = sa.table("post_words", sa.column("rowid"))
        match = sa.literal_column("post_words").op("MATCH", is_comparison=True)(asked)
        return sa.select(index.c.rowid).where(match, self._among(index.c.rowid))

    def _text(self, node: Node, wide: bool) -> ColumnElement[bool]:
        if self.postgres:
            key, held = _WORDS.c.post_id, match_postgres(node, _WORDS)
            if self.each:
                # OFFSET keeps PostgreSQL from gathering all posts that hold the words.
                return sa.select(key).where(key == self.of, held).offset(0).exists()
            return self.of.in_(sa.select(key).where(held, self._among(key)))
        asked, exact = match_sqlite(node)
        if not exact:
            self.exact = False
            if not wide:
                return sa.false()
        if asked is None:
            return sa.false()
        table = sa.table("post_words", sa.column("rowid"), sa.column("words"))
        if self.each and exact and (looked := look_for(node, table.c.words)) is not None:
            return sa.select(table.c.rowid).where(table.c.rowid == self.of, looked).exists()
        match = sa.literal_column("post_words").op("MATCH", is_comparison=True)(asked)
        return self.of.in_(sa.select(table.c.rowid).where(match, self._among(table.c.rowid)))

    def _among(self, column: Any) -> ColumnElement[bool]:
        if self.within is None:
            return sa.true()
        first, last = self.within
        if not self.postgres:
            found: ColumnElement[bool] = column.between(first, last)
            return found
        # The index of the words holds the blocks of the ids as well (migration 0016); were its own one asked for so
        # many ids, a bitmap of them all would be made for every question.
        found = unindexed(column).between(first, last)
        blocks = list(range(first >> _BLOCK, (last >> _BLOCK) + 1))
        if len(blocks) > _MOST_BLOCKS:
            return found
        block: ColumnElement[Any] = sa.literal_column(f"ARRAY[post_words.post_id >> {_BLOCK}]")
        wanted = sa.cast(sa.literal(blocks, sa.ARRAY(sa.BigInteger)), sa.ARRAY(sa.BigInteger))
        return sa.and_(block.op("&&", is_comparison=True)(wanted), found)
