"""Measure the online clustering of near-duplicates against datasketch's MinHashLSH with the same check behind it.

The labelled set ships (`bench.copies`); recall and false merges of both are printed, ours are asserted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from time import process_time

from bench.copies import Labelled, labelled
from listener.likeness import Likeness, normalise

__all__ = ["main"]

_START = datetime(2026, 3, 2, tzinfo=UTC)
_PERMUTATIONS = 64


def _ours(posts: Sequence[Labelled]) -> list[int]:
    likeness = Likeness()
    return [likeness.place(number, post.text, _START + timedelta(minutes=number)) for number, post in enumerate(posts)]


def _datasketch(posts: Sequence[Labelled]) -> list[int]:
    """Cluster with MinHashLSH: its candidates, then the first of them that our own check takes for the same."""
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-untyped]

    lsh = MinHashLSH(threshold=0.4, num_perm=_PERMUTATIONS)
    firsts: dict[int, str] = {}
    found = []
    for number, post in enumerate(posts):
        words = normalise(post.text)
        threes = {" ".join(three).encode() for three in zip(words, words[1:], words[2:], strict=False)}
        sketch = MinHash(num_perm=_PERMUTATIONS)
        sketch.update_batch(threes or {" ".join(words).encode()})
        checker = Likeness()
        for candidate in sorted(lsh.query(sketch))[:8]:
            checker.hold(candidate, firsts[candidate], _START)
        alike = checker.matches(post.text, _START) if len(checker) else []
        if not alike:
            lsh.insert(number, sketch)
            firsts[number] = post.text
        found.append(alike[0] if alike else number)
    return found


def _scores(posts: Sequence[Labelled], found: Sequence[int]) -> tuple[float, int]:
    """Give the share of copies that joined their original, and how many texts joined a stranger."""
    copies = [number for number, post in enumerate(posts) if post.group != number]
    joined = sum(found[number] == found[posts[number].group] for number in copies)
    wrong = sum(posts[found[number]].group != post.group for number, post in enumerate(posts))
    return joined / len(copies), wrong


def main() -> None:
    posts = labelled()
    runs: dict[str, Callable[[Sequence[Labelled]], list[int]]] = {"ours": _ours, "datasketch": _datasketch}
    turns: dict[str, list[float]] = {name: [] for name in runs}
    scores: dict[str, tuple[float, int]] = {}
    for _ in range(5):  # interleaved, so that a busy machine slows both
        for name, run in runs.items():
            began = process_time()
            found = run(posts)
            turns[name].append(process_time() - began)
            scores[name] = _scores(posts, found)
    took = {name: median(times) for name, times in turns.items()}
    recall, wrong = scores["ours"]
    row = {"bench": "dedup", "texts": len(posts), "texts_per_s": round(len(posts) / took["ours"])}
    row |= {"recall": round(recall, 4), "false_merges": wrong, "bytes_per_text": _bytes(posts)}
    row |= {"alternative": "datasketch 64", "ratio": round(took["datasketch"] / took["ours"], 1)}
    row |= {"their_recall": round(scores["datasketch"][0], 4), "their_false_merges": scores["datasketch"][1]}
    print(json.dumps(row))
    assert recall >= 0.99
    assert wrong == 0


def _bytes(posts: Sequence[Labelled]) -> int:
    """Give what the memory holds a distinct text."""
    likeness = Likeness()
    for number, post in enumerate(posts):
        likeness.place(number, post.text, _START + timedelta(minutes=number))
    held = sum(sys.getsizeof(part) for part in vars(likeness).values() if not isinstance(part, dict))
    held += sum(sys.getsizeof(slots) + 100 for slots in vars(likeness)["_ring"].values())
    return round(held / max(1, len(likeness)))


if __name__ == "__main__":
    main()
