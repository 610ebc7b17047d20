"""Hold a query as a tree: one form for matching a text, for asking the database and for asking a platform."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, TypeAlias

from listener.mention import Brand

__all__ = [
    "And",
    "Day",
    "Fact",
    "Near",
    "Node",
    "Not",
    "Or",
    "Phrase",
    "Query",
    "Reach",
    "Word",
    "all_of",
    "alternatives",
    "any_of",
    "leaves",
    "of_brand",
    "required",
]


@dataclass(frozen=True, slots=True)
class Word:
    """Hold one word, @handle or #tag, folded; `written` is how a person wrote it, since platforms keep accents."""

    text: str
    prefix: bool = False  # wild*: any word that begins so
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Hold words that stand side by side, in this order."""

    words: tuple[Word, ...]
    written: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Near:
    """Hold two groups of which one of each stands with at most `distance` words between, in either order."""

    left: Node
    right: Node
    distance: int


@dataclass(frozen=True, slots=True)
class And:
    """Hold parts that must all fit."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Hold parts of which one must fit."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Hold a part that must not fit."""

    part: Node


@dataclass(frozen=True, slots=True)
class Fact:
    """Hold what a post must be rather than say; values are in small letters."""

    name: Literal["lang", "from", "source", "country", "brand"]
    value: str


@dataclass(frozen=True, slots=True)
class Reach:
    """Hold a bar for the author's followers; an account whose followers nobody told is neither over nor under it."""

    sign: Literal[">", ">=", "<", "<="]
    count: int


@dataclass(frozen=True, slots=True)
class Day:
    """Hold a first or a last day, both whole days of the zone that the query was read in; `at` is where it cuts."""

    name: Literal["since", "until"]
    day: date
    at: datetime  # since: published at or after; until: published before (the next day's start)


Node: TypeAlias = "Word | Phrase | Near | And | Or | Not | Fact | Reach | Day"


@dataclass(frozen=True, slots=True)
class Query:
    """Hold a query that was read: its text and its tree."""

    text: str = field(compare=False)
    tree: Node


def all_of(parts: Iterable[Node]) -> Node:
    """Join parts that must all fit; nested ones are laid flat, the same one twice counts once."""
    flat = dict.fromkeys(inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,)))
    return next(iter(flat)) if len(flat) == 1 else And(tuple(flat))


def any_of(parts: Iterable[Node]) -> Node:
    """Join parts of which one must fit; nested ones are laid flat, the same one twice counts once."""
    flat = dict.fromkeys(inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,)))
    return next(iter(flat)) if len(flat) == 1 else Or(tuple(flat))


def required(node: Node) -> tuple[Node, ...]:
    """Give the parts of a tree that must all fit."""
    return node.parts if isinstance(node, And) else (node,)


def leaves(node: Node) -> Iterator[Word | Phrase | Fact | Reach | Day]:
    """Yield what stands at the ends of a tree, from left to right."""
    if isinstance(node, And | Or):
        for part in node.parts:
            yield from leaves(part)
    elif isinstance(node, Not):
        yield from leaves(node.part)
    elif isinstance(node, Near):
        yield from leaves(node.left)
        yield from leaves(node.right)
    else:
        yield node


def alternatives(node: Node) -> tuple[tuple[Word, ...], ...]:
    """Give the word rows of one side of a NEAR: a word, a phrase, or an OR of them."""
    if isinstance(node, Word):
        return ((node,),)
    if isinstance(node, Phrase):
        return (node.words,)
    if isinstance(node, Or):
        return tuple(row for part in node.parts for row in alternatives(part))
    raise TypeError(f"no words: {node!r}")


def of_brand(brand: Brand) -> Node:
    """Give the query that a brand's own keys amount to: any name as a phrase, any @handle, any #tag, its own query.

    What `exclude` leaves out is left out by the matcher of names. QueryError when its query cannot be read.
    """
    from listener.query.parse import parse
    from listener.query.words import cut

    def phrase(written: str) -> Phrase:
        return Phrase(tuple(Word(word, written=written[a:b]) for word, a, b in cut(written)), written)

    names: dict[str, str] = {}
    for name in (brand.name, *brand.names):
        clean = " ".join(name.replace('"', " ").split())  # no platform has an escape for a quote inside quotes
        if clean:
            names.setdefault(clean.casefold(), clean)
    parts: list[Node] = [phrase(name) for name in names.values()]
    signed = [("@", word.strip("@ ")) for word in brand.handles] + [("#", word.strip("# ")) for word in brand.hashtags]
    for sign, word in dict.fromkeys(signed):
        if word:
            found = phrase(sign + word)
            parts.append(Word(found.words[0].text, written=found.written) if len(found.words) == 1 else found)
    if brand.query:
        parts.append(parse(brand.query).tree)
    return any_of(parts)
