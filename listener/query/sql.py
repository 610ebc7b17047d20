"""Ask the database with a query: conditions as SQL, words by the full-text index of `listener.query.index`.

The clause is for statements that read from the table `post`. Where a database cannot say a query exactly (SQLite: a
phrase with a * inside; a NEAR whose sides may be the same word), the clause finds more, never less, and `exact` is
False: the caller tries `fits` on what comes, as `listener.query.search` does.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from listener.query.tree import And, Day, Fact, Near, Node, Not, Or, Phrase, Query, Reach, Word, alternatives
from listener.store import authors, mentions, posts

__all__ = ["SqlFilter", "where"]

_SIGNS: dict[str, Any] = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}


@dataclass(frozen=True, slots=True)
class SqlFilter:
    """Hold a clause over the table `post`, and whether it finds exactly what the query means."""

    clause: ColumnElement[bool]
    exact: bool


def where(query: Query, dialect: str) -> SqlFilter:
    """Turn a query into a clause; `dialect` is connection.dialect.name: sqlite or postgresql."""
    compiler = _Compiler(dialect == "postgresql")
    clause = compiler.clause(query.tree, wide=True)
    return SqlFilter(clause, compiler.exact)


class _Compiler:
    def __init__(self, postgres: bool) -> None:
        self.postgres = postgres
        self.exact = True

    def clause(self, node: Node, *, wide: bool) -> ColumnElement[bool]:
        """Give a clause that finds all that fits and maybe more (wide), or only what surely fits (not wide)."""
        if _is_text(node):
            return self._text(node, wide)
        if isinstance(node, Not):
            return sa.not_(self.clause(node.part, wide=not wide))
        if isinstance(node, And | Or):
            # Parts that are words alone are asked of the full-text index together.
            said = [part for part in node.parts if _is_text(part)]
            parts = [self.clause(part, wide=wide) for part in node.parts if not _is_text(part)]
            if said:
                joined = said[0] if len(said) == 1 else type(node)(tuple(said))
                parts.insert(0, self._text(joined, wide))
            return sa.and_(*parts) if isinstance(node, And) else sa.or_(*parts)
        assert isinstance(node, Fact | Reach | Day)
        return self._fact(node)

    def _fact(self, node: Fact | Reach | Day) -> ColumnElement[bool]:
        if isinstance(node, Day):
            return posts.c.published_at >= node.at if node.name == "since" else posts.c.published_at < node.at
        # Tables of their own, so that the clause stands in statements that read authors or mentions as well.
        if isinstance(node, Reach) or node.name == "from":
            author = authors.alias()
            if isinstance(node, Reach):
                clause = _SIGNS[node.sign](author.c.followers, node.count)
            else:
                clause = self._lower(author.c.handle) == node.value
            return sa.select(author.c.id).where(author.c.id == posts.c.author_id, clause).exists()
        if node.name == "brand":
            named = mentions.alias()
            same = self._lower(named.c.brand) == node.value
            return sa.select(named.c.id).where(named.c.post_id == posts.c.id, same).exists()
        column = self._lower({"lang": posts.c.lang, "source": posts.c.source, "country": posts.c.country}[node.name])
        found = column == node.value
        if node.name == "lang":
            found = sa.or_(found, column.like(node.value + "-%"))
        return sa.func.coalesce(found, sa.false())  # not told is not that language, also under NOT

    def _lower(self, column: Any) -> Any:
        """Put A–Z into small letters and no other, whatever the database's locale."""
        return sa.func.lower(column.collate("C")) if self.postgres else sa.func.lower(column)

    def _text(self, node: Node, wide: bool) -> ColumnElement[bool]:
        if self.postgres:
            table = sa.table("post_words", sa.column("post_id"), sa.column("words"), sa.column("lexemes"))
            found = sa.select(table.c.post_id).where(_postgres(node, table))
            return posts.c.id.in_(found)
        asked, exact = _sqlite(node)
        if not exact:
            self.exact = False
            if not wide:
                return sa.false()
        if asked is None:
            return sa.false()
        table = sa.table("post_words", sa.column("rowid"))
        match = sa.literal_column("post_words").op("MATCH", is_comparison=True)(asked)
        return posts.c.id.in_(sa.select(table.c.rowid).where(match))


def _is_text(node: Node) -> bool:
    if isinstance(node, And | Or):
        return all(_is_text(part) for part in node.parts)
    return isinstance(node, Word | Phrase | Near)


def _sqlite(node: Node) -> tuple[str | None, bool]:
    """Write words as an FTS5 expression, None where nothing can fit; the second value tells whether it is exact."""
    if isinstance(node, Word):
        return _row_sqlite((node,))
    if isinstance(node, Phrase):
        return _row_sqlite(node.words)
    if isinstance(node, Near):
        return _near_sqlite(node)
    assert isinstance(node, And | Or)
    parts = [_sqlite(part) for part in node.parts]
    exact = all(one for _, one in parts)
    told = [part for part, _ in parts if part is not None]
    if not told or (isinstance(node, And) and len(told) < len(parts)):
        return None, exact
    return f"({(' AND ' if isinstance(node, And) else ' OR ').join(told)})", exact


def _row_sqlite(row: Sequence[Word]) -> tuple[str | None, bool]:
    if not row:
        return None, True
    if any(word.prefix for word in row[:-1]):  # FTS5 knows a * at the end of a phrase only
        return f"({' AND '.join(_quoted((word,)) for word in row)})", False
    return _quoted(row), True


def _quoted(row: Sequence[Word]) -> str:
    return f'"{" ".join(word.text for word in row)}"' + (" *" if row[-1].prefix else "")


def _near_sqlite(node: Near) -> tuple[str | None, bool]:
    exact = True
    pairs: list[str] = []
    for left in alternatives(node.left):
        for right in alternatives(node.right):
            one, other = _row_sqlite(left), _row_sqlite(right)
            if one[0] is None or other[0] is None:
                continue
            if one[1] and other[1] and not _overlap(left, right):
                pairs.append(f"NEAR({one[0]} {other[0]}, {node.distance})")
            else:
                pairs.append(f"({one[0]} AND {other[0]})")
                exact = False
    return (f"({' OR '.join(pairs)})" if pairs else None), exact


def _overlap(left: Sequence[Word], right: Sequence[Word]) -> bool:
    """Tell whether two rows may stand on the same word, which FTS5 would call near."""
    return any(
        one.text == other.text
        or (one.prefix and other.text.startswith(one.text))
        or (other.prefix and one.text.startswith(other.text))
        for one in left
        for other in right
    )


def _postgres(node: Node, table: Any) -> ColumnElement[bool]:
    asked, sure = _tsquery(node)
    if asked is None:
        return sa.false()
    found = table.c.lexemes.op("@@", is_comparison=True)(sa.cast(sa.literal(asked, sa.Text()), _Tsquery()))
    return found if sure else sa.and_(found, _in_order(node, table))


def _tsquery(node: Node) -> tuple[str | None, bool]:
    """Write which words must stand there; the second value tells whether that is all (no phrase, no NEAR)."""
    if isinstance(node, Word | Phrase):
        row = (node,) if isinstance(node, Word) else node.words
        if not row:
            return None, True
        return " & ".join(f"'{word.text}'" + (":*" if word.prefix else "") for word in row), len(row) == 1
    if isinstance(node, Near):
        sides = [_tsquery(any_row) for any_row in (node.left, node.right)]
        if any(side is None for side, _ in sides):
            return None, True
        return f"({sides[0][0]}) & ({sides[1][0]})", False
    assert isinstance(node, And | Or)
    parts = [_tsquery(part) for part in node.parts]
    told = [f"({part})" for part, _ in parts if part is not None]
    if not told or (isinstance(node, And) and len(told) < len(parts)):
        return None, True
    return (" & " if isinstance(node, And) else " | ").join(told), all(sure for _, sure in parts)


def _in_order(node: Node, table: Any) -> ColumnElement[bool]:
    """Check what a tsvector without positions cannot: an expression over the words, which stand between blanks."""
    if isinstance(node, And | Or):
        parts = [_postgres(part, table) for part in node.parts]
        return sa.and_(*parts) if isinstance(node, And) else sa.or_(*parts)
    if isinstance(node, Near):
        left, right = ("|".join(_expression(row) for row in alternatives(side)) for side in (node.left, node.right))
        gap = f"(?:[^ ]+ ){{0,{node.distance}}}"
        pattern = f" (?:{left}){gap}(?:{right})| (?:{right}){gap}(?:{left})"
    else:
        pattern = " " + _expression(node.words if isinstance(node, Phrase) else ())
    found: ColumnElement[bool] = table.c.words.op("~", is_comparison=True)(pattern)
    return found


def _expression(row: Sequence[Word]) -> str:
    return "".join(f"{word.text}[^ ]* " if word.prefix else f"{word.text} " for word in row)


class _Tsquery(sa.types.UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "TSQUERY"
