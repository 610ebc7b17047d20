"""Measure many Boolean queries at once against evaluating every one of them, on the demo's posts; equal answers.

Evaluating all is given every help: queries compiled once, the words of a text cut once for all of them. Since it takes
seconds for a few texts, it runs on a sample of them, and both are counted by the text.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from statistics import median
from time import process_time

from listener.demo.replay import read_corpus
from listener.query import parse
from listener.query.match import Facts, Reading, compile_test
from listener.query.queries import QuerySet
from listener.query.words import words_of
from listener.raw import read_moment

__all__ = ["main"]

_TIMES = 10  # the posts are read so often in a turn that both sides work about as long
_SHAPES: tuple[Callable[[str, str, str], str], ...] = (
    lambda name, one, other: f"{name} ({one} OR {other})",
    lambda name, one, other: f"({name} OR @{one}) -{other}",
    lambda name, one, other: f"{name} NEAR/4 ({one} OR {other})",
    lambda name, one, other: f'"{name} {one}" OR ({name} {other} lang:es)',
    lambda name, one, other: f"{name}* -({one} OR {other})",
    lambda name, one, other: f"#{name} OR ({name} -{one} reach>1000 {other})",
)


def _queries(count: int, vocabulary: list[str]) -> dict[str, str]:
    """Make queries as people watch brands: a name of its own, with everyday words beside it; the demo's brands too."""
    rng = random.Random(20261121)
    heads, tails = ("bri", "cla", "mon", "tel", "vel", "nor", "sur", "and"), ("tel", "net", "fon", "via", "mar", "luz")
    names = [f"{a}{b}{number}" for number in range(count // 48 + 1) for a in heads for b in tails]
    names = ["nitido", "brisatel", "ondavia", *names][:count]
    return {
        f"q{number}": _SHAPES[number % len(_SHAPES)](name, rng.choice(vocabulary), rng.choice(vocabulary))
        for number, name in enumerate(names)
    }


def main() -> None:
    rows = read_corpus()
    at = read_moment("2026-05-04T12:00:00Z")
    assert at is not None
    facts = [Facts(row["text"], at, lang=row.get("lang"), followers=row["author"].get("followers")) for row in rows]
    vocabulary = sorted({word for one in facts for word in words_of(one.text) if len(word) > 3 and word.isalpha()})
    for count, sample in ((1_000, 100), (10_000, 20)):
        queries = {key: parse(text) for key, text in _queries(count, vocabulary).items()}
        held = QuerySet(queries)
        tests = [(key, compile_test(query.tree)) for key, query in queries.items()]
        few = facts[:: len(facts) // sample][:sample]

        def every(one: Facts, tests: list[tuple[str, Callable[[Reading], bool]]] = tests) -> set[str]:
            reading = Reading(one)
            return {key for key, test in tests if test(reading)}

        assert held.match_many(few) == [every(one) for one in few]
        assert held.match_many(facts) == [held.match(one) for one in facts]
        found: list[set[str]] = []
        turns: dict[str, list[float]] = {"ours": [], "every": []}
        for _ in range(5):  # interleaved, so that a busy machine slows both
            began = process_time()
            for _ in range(_TIMES):
                found = held.match_many(facts)
            turns["ours"].append((process_time() - began) / len(facts) / _TIMES)
            began = process_time()
            for one in few:
                every(one)
            turns["every"].append((process_time() - began) / len(few))
        ours, alternative = median(turns["ours"]), median(turns["every"])
        row = {"bench": "queries", "queries": count, "texts_per_s": round(1 / ours), "found": sum(map(len, found))}
        print(json.dumps(row | {"alternative": "evaluate every query", "ratio": round(alternative / ours)}))
