"""Reasons are the words that pulled toward the answer, quoted as they stand, and never the brand itself."""

from __future__ import annotations

import numpy as np
import pytest

from sentiment.encoder import Encoding
from sentiment.heads import SPECS, Head
from sentiment.quotes import Words, says_little
from sentiment.sequence import Row

TEXT = "hola, Claro me cobró ¡DOBLE! y nadie contesta"


def encoded(pulls: dict[str, float], brand: str = "Claro") -> tuple[Encoding, Head]:
    """Make an encoding of one token a word, of width 1, whose vector is what the word pulls toward "negative"."""
    spans, at = [], 0
    for word in TEXT.split():
        start = TEXT.index(word, at)
        spans.append((start, at := start + len(word)))
    places = tuple(place + 1 for place, word in enumerate(TEXT.split()) if word == brand)
    row = Row(tuple(range(len(spans) + 2)), len(spans), len(spans) + 2, places, tuple(spans), cut=False)
    hidden = np.array([[0.0], *([pulls.get(word, 0.0)] for word in TEXT.split()), [0.0]], dtype=np.float32)
    weights = np.zeros((2, 3), dtype=np.float32)
    weights[0, 0] = 1  # the mean of the text speaks for "negative"
    return Encoding(row, hidden, {}), Head(SPECS["sentiment"], weights, np.zeros(3), {"": 1.0})


def test_the_strongest_words_come_first_and_neighbours_stand_together() -> None:
    encoding, head = encoded({"cobró": 2.0, "¡DOBLE!": 3.0, "contesta": 1.5})
    assert [TEXT[a:b] for a, b in Words(TEXT, encoding).phrases(head, "negative")] == ["cobró ¡DOBLE", "contesta"]


def test_the_brand_and_dull_words_are_no_reason() -> None:
    encoding, head = encoded({"Claro": 5.0, "hola,": 4.0, "me": 3.0})
    assert Words(TEXT, encoding).phrases(head, "negative") == []


def test_words_that_speak_for_another_label_are_left_out() -> None:
    encoding, head = encoded({"¡DOBLE!": 3.0, "contesta": -4.0})
    assert [TEXT[a:b] for a, b in Words(TEXT, encoding).phrases(head, "negative")] == ["DOBLE"]
    assert any("contesta" in TEXT[a:b] for a, b in Words(TEXT, encoding).phrases(head, "positive"))


@pytest.mark.parametrize(("words", "little"), [(["hola"], True), (["no", "de"], True), (["señal"], False), ([], True)])
def test_some_words_say_little(words: list[str], little: bool) -> None:
    assert says_little(words) is little
