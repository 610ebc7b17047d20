"""Try thousands of queries on a text at the price of one: one scan for all their words, and few queries tried at all.

Every query gets an anchor: the rarest set of words without which it cannot fit (AND: of its rarest part; OR: of all
parts together; NEAR: of its rarer side; a phrase: its rarest word). One `TermScanner` looks for all anchors at once;
only the queries whose anchor stands in the text are tried, and those without any (NOT, conditions only) always. Of
those, what plainly cannot fit is left out before the text is cut into words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from listener.fold import fold, is_gap
from listener.query.match import Facts, Reading, Test, compile_test
from listener.query.tree import And, Near, Node, Or, Phrase, Query, Word
from listener.scan import TermScanner, batches

__all__ = ["QuerySet", "anchors"]

_Hope: TypeAlias = Callable[[str], bool]  # of a folded text


def anchors(node: Node) -> frozenset[Word] | None:
    """Give the words of which one must stand in any text that fits; None where there is no such set."""
    if isinstance(node, Word):
        return frozenset({node})
    if isinstance(node, Phrase):
        return frozenset({min(node.words, key=_weight)}) if node.words else frozenset()
    if isinstance(node, Or):
        found = [anchors(part) for part in node.parts]
        return None if None in found else frozenset().union(*(one for one in found if one is not None))
    if isinstance(node, And):
        return _rarest(node.parts)
    return _rarest((node.left, node.right)) if isinstance(node, Near) else None


def _rarest(parts: Iterable[Node]) -> frozenset[Word] | None:
    found = [one for part in parts if (one := anchors(part)) is not None]
    return min(found, key=lambda words: sum(map(_weight, words)), default=None)


def _weight(word: Word) -> float:
    """Guess how often a word stands in a text: short words do, long ones and names with a sign do not."""
    share = 0.5 ** min(len(word.text), 12)
    return share * (8 if word.prefix else 0.2 if word.text[0] in "@#" else 1)


class QuerySet:
    """Hold many queries by a key of the caller's and tell which of them a post fits."""

    def __init__(self, queries: Mapping[str, Query]) -> None:
        self._tests: list[tuple[str, Test]] = []
        self._hopes: list[_Hope | None] = []
        self._always: list[int] = []  # no anchor
        whose: dict[str, list[int]] = {}
        for number, (key, query) in enumerate(queries.items()):
            self._tests.append((key, compile_test(query.tree)))
            found = anchors(query.tree)
            self._hopes.append(_hope(query.tree, found if found is not None and len(found) == 1 else frozenset()))
            if found is None:
                self._always.append(number)
            for word in found or ():
                whose.setdefault(word.text + "*" if word.prefix else word.text, []).append(number)
        self._scanner = TermScanner(tuple(whose))
        self._whose = list(whose.values())

    def __len__(self) -> int:
        return len(self._tests)

    def match(self, facts: Facts) -> set[str]:
        """Give the keys of the queries that a post fits."""
        folded = fold(_whole(facts.text))
        numbers = {number for hit in self._scanner.find(folded) for number in self._whose[hit[2]]}
        numbers.update(self._always)
        return self._tried(facts, folded, numbers)

    def match_many(self, many: Sequence[Facts]) -> list[set[str]]:
        """Give, for each post, the keys of the queries that it fits: the same as one by one, in fewer scans."""
        found: list[set[str]] = [set() for _ in many]
        plain: list[int] = []
        texts: list[str] = []
        for place, facts in enumerate(many):
            text = _one_for_one(facts.text)
            if text is None:
                found[place] = self.match(facts)
            else:
                plain.append(place)
                texts.append(text)
        for first, joined, bounds in batches(texts):
            self._match_joined(many, plain[first : first + len(bounds) - 1], fold(joined), bounds, found)
        for place in plain if self._always else ():
            found[place] |= self._tried(many[place], fold(many[place].text), self._always)
        return found

    def _match_joined(
        self, many: Sequence[Facts], places: Sequence[int], folded: str, bounds: Sequence[int], found: list[set[str]]
    ) -> None:
        """Add the keys of the queries that have an anchor and fit, for texts that `batches` joined."""
        whose, hopes, tests, base = self._whose, self._hopes, self._tests, bounds[0]
        last, text = -1, ""
        reading: Reading | None = None
        for within, _, _, term in self._scanner.find_joined(folded, bounds):
            if within != last:
                last, reading = within, None
                text = folded[bounds[within] - base + 1 : bounds[within + 1] - base]
            for number in whose[term]:
                hope = hopes[number]
                if hope is not None and not hope(text):
                    continue
                if reading is None:
                    reading = Reading(many[places[within]])
                key, test = tests[number]
                if test(reading):
                    found[places[within]].add(key)

    def _tried(self, facts: Facts, folded: str, numbers: Iterable[int]) -> set[str]:
        fitting: set[str] = set()
        reading: Reading | None = None
        hopes = self._hopes
        for number in numbers:
            hope = hopes[number]
            if hope is not None and not hope(folded):
                continue
            if reading is None:
                reading = Reading(facts)
            key, test = self._tests[number]
            if test(reading):
                fitting.add(key)
        return fitting


def _hope(node: Node, sure: frozenset[Word]) -> _Hope | None:
    """Make a test that only looks for letters: what fails it cannot fit. None where any text may fit.

    `sure` is the anchor where it is one word: it stands in every text that is tried, so it is not looked for again.
    """
    if isinstance(node, Word):
        text = node.text
        return None if node in sure else lambda folded: text in folded
    if isinstance(node, Or):
        each = [_hope(part, sure) for part in node.parts]
        told = [hope for hope in each if hope is not None]
        return _any_hope(told) if len(told) == len(each) else None
    parts: Sequence[Node] = ()
    if isinstance(node, Phrase):
        parts = node.words
    elif isinstance(node, And):
        parts = node.parts
    elif isinstance(node, Near):
        parts = (node.left, node.right)
    return _all_hopes([hope for part in parts if (hope := _hope(part, sure)) is not None])


def _all_hopes(hopes: Sequence[_Hope]) -> _Hope | None:
    if len(hopes) == 1:
        return hopes[0]
    return (lambda folded: all(hope(folded) for hope in hopes)) if hopes else None


def _any_hope(hopes: Sequence[_Hope]) -> _Hope:
    if len(hopes) == 2:
        one, other = hopes
        return lambda folded: one(folded) or other(folded)
    return lambda folded: any(hope(folded) for hope in hopes)


def _whole(text: str) -> str:
    return text.replace("\x00", "") if "\x00" in text else text  # no database keeps a NUL


def _one_for_one(text: str) -> str | None:
    """Give a text that folding keeps one character for one, so that many can be folded as one; None: this one cannot.

    An emoji or a dash parts words as any other mark does, so that a "?" stands for it here.
    """
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        if not all(map(is_gap, _WIDE.findall(text))):
            return None
        text = (data := text.encode("latin-1", "replace")).decode("latin-1")
    return text if len(data.translate(None, _DROPPED)) == len(data) else None


_WIDE = re.compile(r"[^\x00-\xff]+")
_DROPPED = bytes(code for code in range(256) if code == 0 or not fold(chr(code)))
