"""Find thousands of folded terms in a text with one scan, as whole words, each hit where it stands.

Engines: Aho and Corasick, "Efficient string matching", CACM 18(6), 1975, through pyahocorasick; with the `fast` extra
Vectorscan's literal matcher (https://intel.github.io/hyperscan/dev-reference/). Both scan the text with every character
that is no part of a word made a blank and look for the term between blanks, so that few false hits reach Python.
"""

from __future__ import annotations

import re
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, Literal

__all__ = ["Hit", "Placed", "TermScanner", "batches", "blank", "is_word"]

Hit = tuple[int, int, int]  # start, end, place of the term among those given
Placed = tuple[int, int, int, int]  # place of the text among those joined, and the hit in it

_APART = "\n"  # stands before, between and behind the texts of one scan
_BATCH = 100_000  # characters joined for one scan: fits the processor's cache, and bounds what is held
_MANY = 200  # patterns; with fewer both are as fast, and hyperscan takes longer to build
_WIDE = re.compile(r"[^\x00-\xff]+")
_WIDE_WORD = re.compile(r"[^\W\x00-\xff]+")  # letters and digits beyond Latin-1


def is_word(character: str) -> bool:
    """Tell whether a character belongs to a word; @ and # do, since "@claro" is an account and not the name."""
    return character.isalnum() or character in "_@#"


_BLANKED = bytes(code if is_word(chr(code)) and chr(code) not in "@#" else 32 for code in range(256))


class TermScanner:
    """Find every term of a fixed list in folded texts; a term that ends in * is a prefix.

    A hit begins where no word runs into it and ends where none runs on: "claro" is neither in "aclaro" nor in "@claro";
    what follows may be @ or #. The hit of a prefix ends with the whole word. Overlapping hits are all given, and a term
    given twice is found twice; an empty one is never found. Terms and texts are compared as they come: fold both.
    Several threads may share one. `engine` says what scans: auto takes hyperscan where it is installed, runs, and the
    terms are many. Without `prefixes` a * is a character like any other.
    """

    def __init__(
        self,
        terms: Sequence[str],
        engine: Literal["auto", "aho", "hyperscan"] = "auto",
        *,
        prefixes: bool = True,
    ) -> None:
        self.terms = tuple(terms)
        # Whether a term holds a mark beyond Latin-1 (an emoji): then no such mark in a text may be read as any other.
        self.has_marks = any(
            not one.isalnum() and ord(one) > 255 for term in self.terms if not term.isascii() for one in term
        )
        patterns: dict[str, list[_Term]] = {}
        self._bare: list[_Term] = []  # without any letter or digit (an emoji): nothing to scan for
        for number, term in enumerate(self.terms):
            prefix = prefixes and term.endswith("*")
            literal = term[:-1] if prefix else term
            blanked = blank(literal).decode("utf-8", "surrogatepass")
            if blanked.strip():
                left = " " if is_word(literal[0]) else ""
                right = " " if is_word(literal[-1]) and not prefix else ""
                sure = literal == blanked and " " not in literal and not prefix
                told = (len(blanked + right), len(literal), number, None if sure else literal, prefix)
                patterns.setdefault(left + blanked + right, []).append(told)
            elif literal:
                self._bare.append((0, len(literal), number, literal, prefix))
        self._whose = list(patterns.values())
        self._scan, self.engine = _build(list(patterns), engine)

    def find(self, folded: str) -> list[Hit]:
        """Give the hits in one text, in its order."""
        return [hit[1:] for hit in self.find_joined(f"{_APART}{folded}{_APART}", [0, len(folded) + 1])]

    def find_many(self, texts: Sequence[str]) -> list[list[Hit]]:
        """Give the hits in each of many texts; many are joined for one scan, which is faster than one by one."""
        groups: tuple[list[int], list[int]] = ([], [])
        for place, text in enumerate(texts):
            try:
                text.encode("latin-1")
            except UnicodeEncodeError:
                groups[1].append(place)  # apart, since one emoji would make a whole batch slow
            else:
                groups[0].append(place)
        found: list[list[Hit]] = [[] for _ in texts]
        for places in groups:
            for first, joined, bounds in batches([texts[place] for place in places]):
                for place, start, end, number in self.find_joined(joined, bounds):
                    found[places[first + place]].append((start, end, number))
        return found

    def find_joined(self, joined: str, bounds: Sequence[int]) -> list[Placed]:
        """Give the hits in texts that `batches` joined, in their order; none reaches from one text into the next."""
        found: list[Placed] = []
        base = bounds[0]
        whose = self._whose
        for end, pattern in self._scan(joined):
            for term in whose[pattern]:
                start = end - term[0]
                if term[3] is not None:
                    _check(joined, bounds, start, term, found)
                elif joined[start - 1] not in "@#":  # a single word, which reaches over no edge
                    place = bisect_right(bounds, start + base - 1) - 1
                    first = bounds[place] - base + 1
                    found.append((place, start - first, start - first + term[1], term[2]))
        for term in self._bare:
            start = joined.find(term[3] or "")
            while start >= 0:
                _check(joined, bounds, start, term, found)
                start = joined.find(term[3] or "", start + 1)
        found.sort()
        return found


# From the end of its pattern back to its start, its length, its place, its text unless the scan is sure, is a prefix.
_Term = tuple[int, int, int, str | None, bool]


def _check(joined: str, bounds: Sequence[int], start: int, term: _Term, found: list[Placed]) -> None:
    """Keep a hit if it is one: the scan knows no @ and #, and takes any mark between two words for a blank."""
    _, size, number, literal, prefix = term
    end = start + size
    if not joined.startswith(literal or "", start) or (is_word(joined[start]) and is_word(joined[start - 1])):
        return
    base = bounds[0]
    place = bisect_right(bounds, start + base - 1) - 1
    first, last = bounds[place] - base + 1, bounds[place + 1] - base  # of this text, within the joined one
    if end > last:
        return
    if prefix:
        while end < last and _runs_on(joined[end]):
            end += 1
    elif _runs_on(joined[end]) and is_word(joined[end - 1]):
        return
    found.append((place, start - first, end - first, number))


def _runs_on(character: str) -> bool:
    return character.isalnum() or character == "_"


def batches(texts: Sequence[str]) -> Iterator[tuple[int, str, list[int]]]:
    """Yield texts joined for one scan: the place of the first, the joined text, and where each begins in it.

    Text i of a batch stands at joined[bounds[i] - bounds[0] + 1 : bounds[i + 1] - bounds[0]].
    """
    bounds = list(accumulate(map((1).__add__, map(len, texts)), initial=0))
    begin = 0
    while begin < len(texts):
        end = max(begin + 1, bisect_right(bounds, bounds[begin] + _BATCH) - 1)
        yield begin, f"{_APART}{_APART.join(texts[begin:end])}{_APART}", bounds[begin : end + 1]
        begin = end


def blank(text: str) -> bytes:
    """Make each character that is no letter, digit or _ a blank, @ and # too; UTF-8."""
    try:
        data = text.encode("latin-1").translate(_BLANKED)
    except UnicodeEncodeError:
        return _blank_wide(text)
    return data if data.isascii() else data.decode("latin-1").encode("utf-8")


def _blank_wide(text: str) -> bytes:
    plain = text.encode("latin-1", "replace").translate(_BLANKED)  # an emoji became a blank as well
    if not any(map(_has_word, set(_WIDE.findall(text)))):
        return plain if plain.isascii() else plain.decode("latin-1").encode("utf-8")
    kept = plain.decode("latin-1")
    parts: list[str] = []
    behind = 0
    for hit in _WIDE_WORD.finditer(text):
        parts += kept[behind : hit.start()], hit[0]
        behind = hit.end()
    parts.append(kept[behind:])
    return "".join(parts).encode("utf-8", "surrogatepass")


@lru_cache(maxsize=4096)
def _has_word(run: str) -> bool:
    return any(map(str.isalnum, run))


_Scan = Callable[[str], Iterable[tuple[int, int]]]  # joined texts → where a pattern ends, and its place


def _build(patterns: list[str], engine: str) -> tuple[_Scan, str]:
    if not patterns:
        return (lambda _: ()), engine
    if engine == "hyperscan" or (engine == "auto" and len(patterns) >= _MANY):
        try:
            return _hyperscan(patterns), "hyperscan"
        except ImportError:
            if engine == "hyperscan":
                raise
    return _aho(patterns), "aho"


def _aho(patterns: list[str]) -> _Scan:
    import ahocorasick

    automaton = ahocorasick.Automaton()
    for number, pattern in enumerate(patterns):
        automaton.add_word(pattern, number)
    automaton.make_automaton()

    def scan(joined: str) -> Iterable[tuple[int, int]]:
        text = blank(joined).decode("utf-8", "surrogatepass")
        return [(last + 1, number) for last, number in automaton.iter(text)]

    return scan


def _hyperscan(patterns: list[str]) -> _Scan:
    import hyperscan

    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    data = [pattern.encode("utf-8", "surrogatepass") for pattern in patterns]
    try:
        database.compile(expressions=data, ids=list(range(len(data))), elements=len(data), flags=0, literal=True)
    except hyperscan.ArchitectureError as error:
        raise ImportError("this processor is too old for hyperscan") from error
    own = threading.local()  # a scratch serves one scan at a time

    def scan(joined: str) -> Iterable[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        append = found.append

        def note(number: int, _start: int, end: int, _flags: int, _context: Any) -> None:
            append((end, number))

        blanked = blank(joined)
        scratch: Any = getattr(own, "scratch", None)
        if scratch is None:
            scratch = own.scratch = database.scratch.clone()
        database.scan(blanked, match_event_handler=note, scratch=scratch)
        if found and not blanked.isascii():
            more = [hit.end() for hit in re.finditer(rb"[\x80-\xbf]", blanked)]  # bytes that are no character more
            found = [(end - bisect_right(more, end), number) for end, number in found]
        return found

    return scan
