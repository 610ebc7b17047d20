"""Write the words of a query for the full-text indexes: for FTS5 of SQLite, for tsvectors of PostgreSQL.

A table of such an index has the columns `words` (between blanks) and, on PostgreSQL, `lexemes`. What SQLite cannot say
exactly is written so that it finds more, never less.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from listener.query.tree import And, Near, Node, Not, Or, Phrase, Word, alternatives

__all__ = ["is_text", "look_for", "match_postgres", "match_sqlite", "partition"]


def is_text(node: Node) -> bool:
    """Tell whether a node asks of words alone, and some of them must stand there: "a -b" does, "-b" does not."""
    if isinstance(node, And):
        return not partition(node.parts)[1]
    if isinstance(node, Or):
        return all(is_text(part) for part in node.parts)
    return isinstance(node, Word | Phrase | Near)


def partition(parts: Sequence[Node]) -> tuple[list[Node], list[Node]]:
    """Cut parts that must all fit into those that a full-text index is asked together, and the others."""
    if not any(is_text(part) for part in parts):
        return [], list(parts)
    said = [part for part in parts if is_text(part) or (isinstance(part, Not) and is_text(part.part))]
    return said, [part for part in parts if part not in said]


def look_for(node: Node, words: Any) -> ColumnElement[bool] | None:
    """Look for words in the words of one post, which stand between blanks; None for NEAR, which only FTS5 measures."""
    if isinstance(node, Word | Phrase):
        row = (node,) if isinstance(node, Word) else node.words
        if not row or any(word.prefix for word in row[:-1]):
            return None
        said = f" {' '.join(word.text for word in row)}" + ("" if row[-1].prefix else " ")
        return sa.func.instr(words, said) > 0
    if isinstance(node, Not):
        unwanted = look_for(node.part, words)
        return None if unwanted is None else sa.not_(unwanted)
    if not isinstance(node, And | Or):
        return None
    parts = [look_for(part, words) for part in node.parts]
    told = [part for part in parts if part is not None]
    if len(told) < len(parts):
        return None
    return sa.and_(*told) if isinstance(node, And) else sa.or_(*told)


def match_sqlite(node: Node) -> tuple[str | None, bool]:
    """Write words as an FTS5 expression, None where nothing can fit; the second value tells whether it is exact."""
    if isinstance(node, Word):
        return _row_sqlite((node,))
    if isinstance(node, Phrase):
        return _row_sqlite(node.words)
    if isinstance(node, Near):
        return _near_sqlite(node)
    assert isinstance(node, And | Or)
    parts = [match_sqlite(part) for part in node.parts if not isinstance(part, Not)]
    unwanted = [match_sqlite(part.part) for part in node.parts if isinstance(part, Not)]
    exact = all(one for _, one in (*parts, *unwanted))
    told = [part for part, _ in parts if part is not None]
    if not told or (isinstance(node, And) and len(told) < len(parts)):
        return None, exact
    found = f"({(' AND ' if isinstance(node, And) else ' OR ').join(told)})"
    without = [
        part for part, sure in unwanted if part is not None and sure
    ]  # what is not sure would leave out too much
    return (f"({found} NOT ({' OR '.join(without)}))" if without else found), exact


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


def match_postgres(node: Node, table: Any) -> ColumnElement[bool]:
    """Give the condition over a table of `words` and `lexemes`; it is exact."""
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
    parts = [_tsquery(part) for part in node.parts if not isinstance(part, Not)]
    unwanted = [_tsquery(part.part) for part in node.parts if isinstance(part, Not)]
    told = [f"({part})" for part, _ in parts if part is not None]
    if not told or (isinstance(node, And) and len(told) < len(parts)):
        return None, True
    told += [f"!({part})" for part, sure in unwanted if part is not None and sure]
    return (" & " if isinstance(node, And) else " | ").join(told), all(sure for _, sure in (*parts, *unwanted))


def _in_order(node: Node, table: Any) -> ColumnElement[bool]:
    """Check what a tsvector without positions cannot: an expression over the words, which stand between blanks."""
    if isinstance(node, And | Or):
        parts = [
            sa.not_(match_postgres(part.part, table)) if isinstance(part, Not) else match_postgres(part, table)
            for part in node.parts
        ]
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
