"""Measure the matcher against one regular expression of all terms, on the demo's posts; equal hits are asserted."""

from __future__ import annotations

import json
import re
from statistics import median
from time import process_time

from listener.demo.replay import read_corpus
from listener.match import Matcher, fold
from listener.mention import Brand

__all__ = ["main"]


def _names(count: int) -> list[str]:
    """Make names that look like names; the three of the demo are among them."""
    heads, tails = ("bri", "cla", "mon", "tel", "vel", "nor", "sur", "and"), ("tel", "net", "fon", "via", "mar", "luz")
    made = [f"{a}{b}{n}" for n in range(count // 48 + 1) for a in heads for b in tails]
    return ["nitido", "brisatel", "ondavia", *made[: count - 3]]


def main() -> None:
    texts = [row["text"] for row in read_corpus()]
    for count in (100, 1000):
        names = _names(count)
        ours = Matcher([Brand(name, name) for name in names])
        pattern = re.compile(r"(?<![\w@#])(?:" + "|".join(map(re.escape, names)) + r")(?!\w)")
        ours.find("warm up")

        def by_scan(matcher: Matcher = ours) -> int:
            return sum(len(found) for text in texts for found in matcher.find(text).values())

        def by_expression(expression: re.Pattern[str] = pattern) -> int:
            return sum(len(expression.findall(fold(text))) for text in texts)

        assert by_scan() == by_expression()
        turns: dict[str, list[float]] = {"scan": [], "expression": []}
        for _ in range(5):  # interleaved, so that a busy machine slows both
            for name, run in (("scan", by_scan), ("expression", by_expression)):
                began = process_time()
                run()
                turns[name].append(process_time() - began)
        scan, expression = median(turns["scan"]), median(turns["expression"])
        row = {"bench": "match", "terms": count, "texts_per_s": round(len(texts) / scan)}
        print(json.dumps(row | {"alternative": "re", "ratio": round(expression / scan, 1)}))
