"""A language is told where enough words stand, and never guessed from a greeting."""

from __future__ import annotations

import pytest

from listener.language import detect


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("se fue la señal otra vez en todo el distrito y nadie contesta", "es"),
        ("I have been waiting for two hours and nobody picks up", "en"),
        ("não consigo falar com ninguém nessa operadora desde ontem", "pt"),
        ("@claroperu @entel https://x.example/a la red se cayó en mi barrio", "es"),
    ],
)
def test_a_sentence_has_a_language(text: str, lang: str) -> None:
    assert detect(text) == lang


@pytest.mark.parametrize(
    "text", ["", "hola", "ok ok ok", "🙄🙄🙄 😡", "123 456 789 000", "@a @b @c @d #e", "\ud83d\ud83d a b c d"]
)
def test_too_little_has_none(text: str) -> None:
    assert detect(text) is None


def test_only_the_languages_asked_for_are_given() -> None:
    text = "la connexion ne marche plus depuis ce matin dans tout le quartier"
    assert detect(text, ("es", "fr")) == "fr"
    assert detect("não consigo falar com ninguém nessa operadora", ("en", "es")) is None
    assert detect("hello my dear friends of the whole world", ("es",)) is None


def test_a_language_that_nobody_knows_stops_nothing() -> None:
    assert detect("se fue la señal otra vez en todo el distrito", ("es", "xx")) == "es"
