"""Measure the matcher against flashtext and one regular expression, on the demo's posts; equal hits are asserted.

Every text is folded and scanned, in pages of 500 as the pipeline stores them. The default scans with pyahocorasick, the
extra `fast` with hyperscan.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from statistics import median
from time import process_time
from typing import Any

from listener.demo.replay import read_corpus
from listener.match import fold, spot
from listener.scan import TermScanner

__all__ = ["main", "names"]

_PAGE = 500
_TURNS = 5
_AGAIN = 10  # runs a turn, as a stream goes on
_HEADS = ("b", "c", "d", "f", "g", "l", "m", "n", "p", "r", "s", "t", "v", "tr", "cl", "br", "pl", "")
_TAILS = ("a", "e", "i", "o", "u", "an", "en", "on", "ar", "or", "es", "al")
_Hits = list[tuple[int, int, int]]  # text, start, end


def names(count: int, words: list[str], seed: int = 5) -> list[str]:
    """Make names that look like what is watched: firms and products, most of two words, people, accounts.

    Sixty are words of the texts themselves, as Claro and Personal are, so that there is something to find.
    """
    chance = random.Random(seed)
    made = set(chance.sample(words, 60))
    while len(made) < count:
        coined = "".join(chance.choice(_HEADS) + chance.choice(_TAILS) for _ in range(chance.randint(3, 4)))
        turn = chance.random()
        if turn < 0.25:
            made.add(coined)  # Telmar
        elif turn < 0.6:
            made.add(f"{chance.choice(words)} {coined}")  # Banco Telmar
        elif turn < 0.84:
            made.add(f"{chance.choice(words)} {chance.choice(words)}")  # Plan Familia
        else:
            made.add(f"@{coined}")
    return sorted(made)


def _by_scan(texts: Sequence[str], terms: Sequence[str], engine: str) -> Callable[[], list[Any]]:
    scanner = TermScanner(terms, engine)  # type: ignore[arg-type]

    def run() -> list[Any]:
        found: list[Any] = []
        for first in range(0, len(texts), _PAGE):
            found += spot(scanner, texts[first : first + _PAGE])
        return found

    return run


def _by_flashtext(texts: Sequence[str], terms: Sequence[str]) -> Callable[[], list[Any]]:
    from flashtext import KeywordProcessor  # type: ignore[import-untyped]

    processor = KeywordProcessor(case_sensitive=True)  # the texts are folded
    processor.non_word_boundaries |= set("@#")
    for term in terms:
        processor.add_keyword(term)

    def run() -> list[Any]:
        return [processor.extract_keywords(fold(text), span_info=True) for text in texts]

    return run


def _by_expression(texts: Sequence[str], terms: Sequence[str]) -> Callable[[], list[Any]]:
    longest = sorted(terms, key=len, reverse=True)
    pattern = re.compile(r"(?<![\w@#])(?:" + "|".join(map(re.escape, longest)) + r")(?!\w)")

    def run() -> list[Any]:
        return [[hit.span() for hit in pattern.finditer(fold(text))] for text in texts]

    return run


def _outermost(found: list[Any]) -> _Hits:
    """Leave out what stands inside or begins within another hit: the others know only one hit at a place."""
    hits: _Hits = []
    for place, told in enumerate(found):
        for hit in told:
            start, end = hit[1:] if isinstance(hit[0], str) else hit[:2]  # flashtext puts the name first
            hits.append((place, start, end))
    kept: _Hits = []
    for place, start, end in sorted(set(hits), key=lambda hit: (hit[0], hit[1], -hit[2])):
        if not kept or kept[-1][0] != place or start >= kept[-1][2]:
            kept.append((place, start, end))
    return kept


def main() -> None:
    texts = [row["text"] for row in read_corpus()]
    # Texts whose folding drops characters have other places; the others are asked on folded texts.
    texts = [text for text in texts if len(fold(text)) == len(text)]
    words = sorted({word for text in texts for word in re.findall(r"[a-z]{4,}", fold(text))})
    for count in (1_000, 10_000):
        terms = names(count, words)
        runs = {
            "default": _by_scan(texts, terms, "aho"),
            "fast": _by_scan(texts, terms, "hyperscan"),
            "flashtext": _by_flashtext(texts, terms),
        }
        few = texts[:: 20 if count > 1_000 else 1]  # the expression alone would take minutes
        expression = _by_expression(few, terms)
        expected = _outermost(runs["default"]())
        assert len(expected) > 100
        assert _outermost(runs["fast"]()) == expected
        assert _outermost(runs["flashtext"]()) == expected
        assert _outermost(expression()) == _outermost(_by_scan(few, terms, "aho")())
        turns: dict[str, list[float]] = {name: [] for name in (*runs, "re")}
        for turn in range(_TURNS):  # interleaved, so that a busy machine slows all
            for name, run in runs.items():
                began = process_time()
                for _ in range(_AGAIN):
                    run()
                turns[name].append((process_time() - began) / _AGAIN / len(texts))
            if turn < 2:
                began = process_time()
                expression()
                turns["re"].append((process_time() - began) / len(few))
        took = {name: median(times) for name, times in turns.items()}
        for name in ("default", "fast"):
            row: dict[str, str | float] = {
                "bench": "match",
                "engine": name,
                "terms": count,
                "texts_per_s": round(1 / took[name]),
            }
            row |= {"hits_per_1000": round(1000 * len(expected) / len(texts))}
            row |= {other: round(took[other] / took[name], 1) for other in ("flashtext", "re")}
            print(json.dumps(row))


if __name__ == "__main__":
    main()
