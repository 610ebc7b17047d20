"""Measure our heads against a scikit-learn pipeline of the same n-grams, on the demo's posts, in one run."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from listener.demo.replay import read_corpus
from listener.mention import Brand, Post
from listener.settings import SentimentTable
from sentiment.engine import LinearClassifier, load
from sentiment.examples import corpus_rows
from sentiment.features import extract
from sentiment.heads import Heads
from sentiment.tokens import Namer
from sentiment.verdict import HEADS, Item

__all__ = ["main"]

CORPUS = Path(__file__).parents[1] / "sentiment" / "corpus" / "posts.jsonl"
BRAND = Brand("nitido", "Nítido", "own", "PE", "telecom operator", ("Nítido",), ("nitidope", "nitidoayuda"))


def _pipeline() -> Callable[[Sequence[str]], Any]:
    """Fit the usual pipeline, one vectoriser and four logistic regressions, on our corpus."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_union

    rows = [row for row in corpus_rows(CORPUS) if row["labels"]["relevant"]]
    texts = [row["text"] for row in rows]
    vectors = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )
    matrix = vectors.fit_transform(texts)
    gold = [[row["labels"][head] for row in rows] for head in ("sentiment", "dimension", "intent")]
    gold.append([str(row["labels"]["stakeholder"] == "customer") for row in rows])  # a fourth head of two labels
    models = [LogisticRegression(max_iter=50).fit(matrix, labels) for labels in gold]

    def predict(texts: Sequence[str]) -> Any:
        found = vectors.transform(texts)
        return [model.predict_proba(found) for model in models]

    return predict


def main() -> None:
    """Print texts a CPU second: our four heads, the whole engine with reasons, scikit-learn."""
    texts = [row["text"] for row in read_corpus()]
    items = [Item(Post("x", str(n), text, datetime.now(UTC), lang="es"), BRAND) for n, text in enumerate(texts)]
    engine = load(SentimentTable(), Path())
    assert isinstance(engine, LinearClassifier)
    heads, namer, pipeline = Heads.open(), Namer([BRAND]), _pipeline()

    def by_heads() -> object:
        judged = [heads.judge(extract(namer.read(text, BRAND, ()))) for text in texts]
        return [one.scores(head, "es") for one in judged for head in HEADS]

    ways: dict[str, Callable[[], object]] = {
        "heads": by_heads,
        "engine": lambda: engine.judge(items),
        "engine one by one": lambda: list(chain.from_iterable(engine.judge([item]) for item in items)),
        "scikit-learn": lambda: pipeline(texts),
        "scikit-learn one by one": lambda: [pipeline([text]) for text in texts[:200]],
    }
    turns: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(5):  # interleaved, so that a busy machine slows all
        for name, way in ways.items():
            began = process_time()
            way()
            count = 200 if name == "scikit-learn one by one" else len(texts)
            turns[name].append(count / (process_time() - began))
    speed = {name: round(median(times)) for name, times in turns.items()}
    told = {
        "bench": "classify",
        "texts": len(texts),
        "per_cpu_second": speed,
        "heads_over_scikit_learn": round(speed["heads"] / speed["scikit-learn"], 2),
        "engine_over_scikit_learn_one_by_one": round(speed["engine one by one"] / speed["scikit-learn one by one"], 2),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
