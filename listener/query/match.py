"""Match a query with one post: its words and what else is known of it; the same answers as the database gives."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TypeAlias

from listener.mention import Post, Term
from listener.query.tree import And, Day, Fact, Near, Node, Not, Or, Phrase, Query, Reach, Word, alternatives
from listener.query.words import cut, words_of

__all__ = ["Facts", "Reading", "Test", "compile_test", "facts_of", "fits", "matches", "spans"]


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold what a query may ask of a post; None where nobody told."""

    text: str
    published_at: datetime
    source: str = ""
    lang: str | None = None
    country: str | None = None
    handle: str | None = None
    followers: int | None = None
    brands: frozenset[str] = frozenset()  # keys of the brands that it is known to mention


def facts_of(post: Post, brands: Iterable[str] = ()) -> Facts:
    """Give the facts of a post; `brands` are the keys of the brands that it mentions, for brand:KEY."""
    return Facts(
        post.text, post.published_at, post.source, post.lang, post.country, post.author.handle, post.author.followers,
        frozenset(brands),
    )  # fmt: skip


class Reading:
    """Hold the words of a post, cut once for every query that is tried on it."""

    def __init__(self, facts: Facts, words: list[str] | None = None) -> None:
        self.facts = facts
        if words is not None:
            self.words = words

    @cached_property
    def words(self) -> list[str]:
        """Give the words in their order."""
        return words_of(self.facts.text)

    @cached_property
    def known(self) -> frozenset[str]:
        """Give each word once."""
        return frozenset(self.words)

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """Give where each word stands: 0 is the first word."""
        found: dict[str, list[int]] = {}
        for place, word in enumerate(self.words):
            found.setdefault(word, []).append(place)
        return found

    def places_of(self, word: Word) -> Sequence[int]:
        """Give where a word, or any that begins so, stands, in order."""
        if not word.prefix:
            return self.places.get(word.text, ())
        return [place for place, one in enumerate(self.words) if one.startswith(word.text)]

    def runs_of(self, row: Sequence[Word]) -> list[tuple[int, int]]:
        """Give where words stand side by side: first place, place after the last."""
        if not row:
            return []
        starts: Iterable[int] = self.places_of(row[0])
        for offset, word in enumerate(row[1:], 1):
            here = set(self.places_of(word))
            starts = [start for start in starts if start + offset in here]
        return [(start, start + len(row)) for start in starts]


Test: TypeAlias = Callable[[Reading], bool]
_SIGNS: dict[str, Callable[[int, int], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le
}  # fmt: skip


def fits(query: Query, facts: Facts) -> bool:
    """Tell whether a post fits a query; for many queries on many posts see `listener.query.queries`."""
    return compile_test(query.tree)(Reading(facts))


def matches(query: Query, post: Post, brands: Iterable[str] = ()) -> bool:
    """Tell whether a post as it was collected fits; `brands` are the keys of the brands that it mentions."""
    return fits(query, facts_of(post, brands))


def compile_test(node: Node) -> Test:
    """Turn a tree into one function of a reading."""
    if isinstance(node, Word):
        return _word_test(node)
    if isinstance(node, Phrase):
        return _phrase_test(node)
    if isinstance(node, And):
        # What is known of a post is asked before its words are cut.
        tests = tuple(map(compile_test, sorted(node.parts, key=lambda part: not isinstance(part, Fact | Reach | Day))))
        return lambda reading: all(test(reading) for test in tests)
    if isinstance(node, Or):
        return _or_test(node)
    if isinstance(node, Not):
        inner = compile_test(node.part)
        return lambda reading: not inner(reading)
    if isinstance(node, Near):
        return _near_test(node)
    return _fact_test(node)


def _word_test(node: Word) -> Test:
    text = node.text
    if node.prefix:
        return lambda reading: any(word.startswith(text) for word in reading.words)
    return lambda reading: text in reading.known


def _phrase_test(node: Phrase) -> Test:
    row = node.words
    if len(row) == 1:
        return _word_test(row[0])
    needed = frozenset(word.text for word in row if not word.prefix)
    return lambda reading: needed <= reading.known and bool(reading.runs_of(row))


def _or_test(node: Or) -> Test:
    plain = frozenset(part.text for part in node.parts if isinstance(part, Word) and not part.prefix)
    tests = tuple(compile_test(part) for part in node.parts if not (isinstance(part, Word) and not part.prefix))
    if not tests:
        return lambda reading: not plain.isdisjoint(reading.known)
    return lambda reading: not plain.isdisjoint(reading.known) or any(test(reading) for test in tests)


def _near_test(node: Near) -> Test:
    left, right, most = alternatives(node.left), alternatives(node.right), node.distance

    def near(reading: Reading) -> bool:
        ours = [run for row in left for run in reading.runs_of(row)]
        return bool(ours) and bool(_near_runs(ours, [run for row in right for run in reading.runs_of(row)], most, 1))

    return near


def _near_runs(
    ours: list[tuple[int, int]], theirs: list[tuple[int, int]], most: int, enough: int = 0
) -> list[tuple[int, int]]:
    """Give the runs that stand near one of the other side: apart from each other, at most so many words between."""
    by_start: dict[int, list[tuple[int, int]]] = {}
    by_end: dict[int, list[tuple[int, int]]] = {}
    for run in theirs:
        by_start.setdefault(run[0], []).append(run)
        by_end.setdefault(run[1], []).append(run)
    found: list[tuple[int, int]] = []
    for run in ours:
        mates = [one for gap in range(most + 1) for one in by_start.get(run[1] + gap, ())]
        mates += [one for gap in range(most + 1) for one in by_end.get(run[0] - gap, ())]
        if mates:
            found += [run, *mates]
            if enough and len(found) >= enough:
                break
    return found


def _ascii_lower(value: str | None) -> str | None:
    if value is None or value.islower():
        return value
    return value.lower() if value.isascii() else "".join(one.lower() if one.isascii() else one for one in value)


def _fact_test(node: Fact | Reach | Day) -> Test:
    if isinstance(node, Reach):
        sign, count = _SIGNS[node.sign], node.count
        return lambda reading: (known := reading.facts.followers) is not None and sign(known, count)
    if isinstance(node, Day):
        at = node.at
        if node.name == "since":
            return lambda reading: reading.facts.published_at >= at
        return lambda reading: reading.facts.published_at < at
    value = node.value
    if node.name == "lang":
        wider = value + "-"  # lang:pt finds pt-BR
        return lambda reading: (
            (lang := _ascii_lower(reading.facts.lang)) is not None and (lang == value or lang.startswith(wider))
        )
    if node.name == "brand":
        return lambda reading: any(_ascii_lower(key) == value for key in reading.facts.brands)
    if node.name == "from":
        return lambda reading: _ascii_lower(reading.facts.handle) == value
    if node.name == "source":
        return lambda reading: _ascii_lower(reading.facts.source) == value
    return lambda reading: _ascii_lower(reading.facts.country) == value


def spans(query: Query, text: str) -> tuple[Term, ...]:
    """Give the characters of a text that the query's words stand on, for marking: without overlaps, in order.

    What a query must not find is not marked; of a NEAR only the pairs that stand near enough are.
    """
    found = cut(text)
    reading = Reading(Facts(text, datetime.min), [word for word, _, _ in found])  # noqa: DTZ901 - no time is asked
    runs = sorted(set(_runs(query.tree, reading)), key=lambda run: (run[0], -run[1]))
    terms: list[Term] = []
    for first, after in runs:
        start, end = found[first][1], found[after - 1][2]
        if not terms or start >= terms[-1].end:
            terms.append(Term(start, end, text[start:end]))
    return tuple(terms)


def _runs(node: Node, reading: Reading) -> Iterable[tuple[int, int]]:
    if isinstance(node, Word):
        return reading.runs_of((node,))
    if isinstance(node, Phrase):
        return reading.runs_of(node.words)
    if isinstance(node, And | Or):
        return [run for part in node.parts for run in _runs(part, reading)]
    if isinstance(node, Near):
        return _near_runs(list(_runs(node.left, reading)), list(_runs(node.right, reading)), node.distance)
    return ()
