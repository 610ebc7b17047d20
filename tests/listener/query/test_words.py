"""Words are cut the same way however a text is written, and as the matcher of names cuts them."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from listener.fold import fold
from listener.query.words import LONGEST, cut, words_of

WORD = re.compile(r"(?<![\w@#])[@#]?\w+")


def test_signs_belong_to_the_word_that_they_stand_before_and_end_the_word_that_they_stand_in() -> None:
    assert words_of("Hola @Claro, #Red: aclaro") == ["hola", "@claro", "#red", "aclaro"]
    assert words_of("correo@claro.pe @@claro ##red #a#b x@") == ["correo", "pe", "#a", "x"]


def test_accents_case_and_disguises_are_folded() -> None:
    assert words_of("SEÑAL sen\u0303al ｓｅñａｌ se\u200bñal se\xadñal") == ["senal"] * 5


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(st.one_of(st.characters(max_codepoint=255), st.sampled_from("@#_ aé"))))
def test_the_table_for_latin_texts_cuts_as_the_expression_does(text: str) -> None:
    assert words_of(text) == WORD.findall(fold(text.replace("\x00", "")))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(st.one_of(st.characters(), st.sampled_from("@#_ aé\x00\u200b"))))
def test_the_places_of_words_are_those_of_the_same_words(text: str) -> None:
    found = cut(text)
    assert [word for word, _, _ in found] == words_of(text)
    assert all(words_of(text[start:end]) == [word] for word, start, end in found if word in fold(text[start:end]))


def test_endless_words_and_texts_are_bounded() -> None:
    assert words_of("x" * 5000) == ["x" * LONGEST]
    assert len(words_of("ab " * 50_000)) == 20_000
    assert len(words_of("x" * 250_000 + " end")) == 1
