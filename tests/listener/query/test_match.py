"""A query on one text: what fits, and which characters are marked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from listener.mention import Author, Post
from listener.query import parse
from listener.query.match import facts_of, fits, matches, spans

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def post(text: str, **told: Any) -> Post:
    return Post("x", "1", text, NOW, **told)


@pytest.mark.parametrize(
    ("query", "text", "wanted"),
    [
        ("claro", "Claro está", True),
        ("claro", "@claro", False),
        ("claro", "#claro", False),
        ("claro", "aclaro", False),
        ("claro", "C L A R O", False),
        ("señal", "SENAL", True),
        ("port*", "portabilidad", True),
        ("port*", "@portal", False),
        ("@port*", "@portal", True),
        ('"sin señal"', "sin\nseñal", True),
        ('"sin señal"', "sin nada de señal", False),
        ('"sin sen*"', "sin señales", True),
        ("sin NEAR/2 señal", "sin nada de señal", True),
        ("sin NEAR/1 señal", "sin nada de señal", False),
        ("señal NEAR/2 sin", "sin nada de señal", True),
        ("claro NEAR/5 claro", "claro", False),
        ("claro NEAR/5 claro", "claro y claro", True),
        ('"a b" NEAR/0 (c OR d)', "a b d", True),
        ('"a b" NEAR/0 b', "a b", False),
        ("claro -wifi", "claro wifi", False),
        ("-wifi", "claro", True),
        ("24/7", "24 - 7", True),
    ],
)
def test_words_are_found_where_they_stand(query: str, text: str, wanted: bool) -> None:
    assert matches(parse(query), post(text)) is wanted


def test_conditions_are_asked_of_the_post_and_what_nobody_told_does_not_fit() -> None:
    told = post("hola", lang="pt-BR", country="BR", author=Author("Ana", followers=1000))
    for query in (
        "lang:pt",
        "lang:pt-br",
        "country:br",
        "from:ana",
        "from:@ANA",
        "source:X",
        "reach>=1000",
        "reach<=1k",
    ):
        assert matches(parse(query), told), query
    for query in ("lang:pt-pt", "reach>1000", "reach<1000", "brand:acme"):
        assert not matches(parse(query), told), query
    bare = post("hola")
    for query in ("lang:es", "country:PE", "from:ana", "reach>0", "reach<10"):
        assert not matches(parse(query), bare), query
        assert matches(parse(f"-{query}" if ":" in query else f"NOT {query}"), bare), query
    assert fits(parse("brand:acme"), facts_of(bare, {"acme"}))


def test_the_days_of_a_range_are_both_included() -> None:
    at_noon = post("hola")  # 2026-05-04 12:00 UTC
    assert matches(parse("since:2026-05-04 until:2026-05-04"), at_noon)
    assert not matches(parse("since:2026-05-05"), at_noon)
    assert not matches(parse("until:2026-05-03"), at_noon)
    assert matches(parse("until:2026-05-04", zone="Asia/Tokyo"), at_noon)
    assert not matches(parse("until:2026-05-03", zone="America/Lima"), at_noon)


@pytest.mark.parametrize(
    ("query", "text", "marked"),
    [
        ("claro", "El CLARO 😡 y cla\u200bro", ["CLARO", "cla\u200bro"]),
        ('"sin señal" OR señal', "sin señal, señal", ["sin señal", "señal"]),
        ("claro -wifi", "claro sin wifi", ["claro"]),
        ("claro NEAR/1 red", "claro. Una red y otra red claro", ["claro", "red", "red", "claro"]),
        ("claro NEAR/0 red", "claro. Una red y otra red claro", ["red", "claro"]),
        ("port*", "portabilidad", ["portabilidad"]),
        ("lang:es", "claro", []),
    ],
)
def test_the_characters_that_fit_are_marked(query: str, text: str, marked: list[str]) -> None:
    found = spans(parse(query), text)
    assert [term.text for term in found] == marked
    assert all(text[term.start : term.end] == term.text for term in found)
