"""Training is one command: it makes the same model from the same posts, and says what it cannot learn from."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from listener.errors import ClassifierError
from listener.taxonomy import DIMENSIONS, INTENTS, SENTIMENTS
from sentiment.examples import corpus_rows
from sentiment.heads import CARD, WEIGHTS, Heads

CORPUS = Path(__file__).parents[2] / "sentiment" / "corpus" / "posts.jsonl"


def test_the_corpus_is_whole_and_covers_every_label() -> None:
    rows = corpus_rows(CORPUS)
    assert len(rows) >= 600
    assert len({row["id"] for row in rows}) == len({row["text"] for row in rows}) == len(rows)
    assert {row["lang"] for row in rows} == {"es", "en", "pt"}
    for head, names in (("sentiment", SENTIMENTS), ("dimension", DIMENSIONS), ("intent", INTENTS)):
        counts = Counter(row["labels"].get(head) for row in rows)
        assert min(counts[name] for name in names) >= 20
    assert sum(not row["labels"]["relevant"] for row in rows) >= 30
    assert sum(len(row["labels"].get("sentiments", {})) > 1 for row in rows) >= 60


def test_training_twice_gives_the_same_model_that_opens(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from sentiment.train import train

    few = tmp_path / "few.jsonl"
    few.write_text("".join(CORPUS.read_text("utf-8").splitlines(keepends=True)[::4]), "utf-8")
    figures = train(few, None, tmp_path / "one")
    assert figures == train(few, None, tmp_path / "two")
    assert (tmp_path / "one" / WEIGHTS).read_bytes() == (tmp_path / "two" / WEIGHTS).read_bytes()
    assert set(figures) == {"relevant", "sentiment", "dimension", "intent"}
    assert set(Heads.open(tmp_path / "one").heads) == set(figures)
    card = json.loads((tmp_path / "one" / CARD).read_text("utf-8"))
    assert card["figures"] == figures
    assert "### intent" in (tmp_path / "one" / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    "line",
    ["", "{", '{"text": "x"}', '{"id": 1, "text": "x", "brand": "B", "labels": {"relevant": true, "intent": "shout"}}'],
)
def test_a_corpus_that_cannot_be_learnt_from_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_text(line + "\n", "utf-8")
    with pytest.raises(ClassifierError, match="cannot be learnt from"):
        corpus_rows(path)


def test_missing_public_data_is_named(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    from sentiment.train import train

    with pytest.raises(ClassifierError, match=r"umsab_es_train\.jsonl is missing"):
        train(CORPUS, tmp_path, tmp_path / "out")


@pytest.mark.slow
def test_the_shipped_model_still_scores_on_public_tweets(shared: Path) -> None:
    from sentiment.examples import polarity_examples

    heads = Heads.open()
    hits = total = 0
    for example in polarity_examples(shared / "data", "val"):
        scores = heads.judge(example.features).scores("sentiment", example.lang)
        hits += max(scores, key=scores.__getitem__) == example.label
        total += 1
    assert hits / total > 0.55
