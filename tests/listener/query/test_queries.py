"""Many queries at once: the same answers as one by one, and few of them tried."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from listener.query import parse
from listener.query.match import Facts
from listener.query.queries import QuerySet, anchors

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("claro", {"claro"}),
        ("claro internet", {"internet"}),
        ("claro OR wifi", {"claro", "wifi"}),
        ("claro (wifi OR red) telefonia", {"telefonia"}),
        ('"el internet de la casa"', {"internet"}),
        ("claro NEAR/3 telefonia", {"telefonia"}),
        ("telef* claro", {"claro"}),
        ("claro -wifi", {"claro"}),
        ("-wifi", None),
        ("claro OR -wifi", None),
        ("lang:es", None),
        ("lang:es claro", {"claro"}),
    ],
)
def test_the_anchor_of_a_query_is_the_rarest_of_what_it_needs(query: str, wanted: set[str] | None) -> None:
    found = anchors(parse(query).tree)
    assert (None if found is None else {word.text for word in found}) == wanted


def test_each_post_gets_the_keys_of_the_queries_that_it_fits() -> None:
    queries = {
        "word": "claro", "start": "port*", "signed": "@claro", "row": '"sin señal"', "near": "claro NEAR/2 red",
        "no": "-claro", "es": "lang:es", "both": "claro port*",
    }  # fmt: skip
    held = QuerySet({key: parse(text) for key, text in queries.items()})
    facts = [
        Facts("Claro sin una red", NOW, lang="es"),
        Facts("@CLARO portabilidad 😡 SIN SEÑAL", NOW),
        Facts("cla\x00ro portal", NOW),
        Facts("", NOW),
    ]
    wanted = [{"word", "es", "near"}, {"start", "signed", "row", "no"}, {"word", "start", "both"}, {"no"}]
    assert [held.match(one) for one in facts] == wanted
    assert held.match_many(facts) == wanted
    assert len(held) == 8


def test_no_queries_fit_nothing() -> None:
    assert QuerySet({}).match(Facts("claro", NOW)) == set()
    assert QuerySet({}).match_many([Facts("claro", NOW)]) == [set()]
