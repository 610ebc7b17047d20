"""The corpus has a card whose every figure comes from its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentiment.training.corpus import CARD, agreement, card_of, kappa
from sentiment.training.examples import rows_of

CORPUS = Path(__file__).parents[2] / "sentiment" / "corpus"


def test_the_card_says_what_the_files_hold() -> None:
    assert (CORPUS / CARD).read_text("utf-8") == card_of(CORPUS), "write it again: make corpus-card"


def test_a_tenth_was_labelled_twice_and_mostly_alike() -> None:
    rows, second = rows_of(CORPUS / "posts.jsonl"), rows_of(CORPUS / "second.jsonl")
    assert len({row["id"] for row in second}) == len(second) >= 0.1 * len(rows)
    told = {name: beyond for name, _, _, beyond in agreement(rows, second)}
    assert set(told) == {
        "relevant", "sentiment", "stakeholder", "dimension", "intent", "priority", "department", "irony",
    }  # fmt: skip
    assert min(told.values()) > 0.4


def test_kappa_is_one_for_twins_and_zero_for_strangers() -> None:
    assert kappa([("a", "a"), ("b", "b")]) == 1
    assert kappa([("a", "a"), ("a", "b"), ("b", "a"), ("b", "b")]) == 0
    # Cohen (1960): 20 and 15 equal, 5 and 10 unequal of 50 → 0.4
    worked = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert kappa(worked) == pytest.approx(0.4)
