"""Relevance where one name is watched in several countries, and where a query and not a name brought the post."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from listener.mention import Brand, Post
from sentiment.relevance import by_evidence, leaning
from sentiment.tokens import Namer

PE = Brand("pe", "Nítido", country="PE", handles=("nitidope",), own_handles=("nitidope",))
MX = Brand("mx", "Nítido", country="MX", handles=("ayuda_azteca",), own_handles=("ayuda_azteca",))
LUZ = Brand("luz", "Luz Andina", country="PE", query="apagón AND NOT brand:pe")
ALL = (PE, MX, LUZ)


def judged(text: str, brand: Brand, **told: Any) -> tuple[str | None, str]:
    """Give what evidence answers, else None, and the first reason in English."""
    rivals = tuple(one for one in ALL if one is not brand)
    reading = Namer(ALL).read(text, brand, rivals)
    post = Post("x", "1", text, datetime(2026, 1, 1, tzinfo=UTC), **told)
    label = by_evidence(reading, post, brand, rivals)
    if label is not None:
        return label.name, label.because[0].say("en")
    why = leaning(reading, brand, post, rivals)[1]
    return None, why.say("en") if why else ""


@pytest.mark.parametrize(
    ("text", "told", "name", "why"),
    [
        ("@ayuda_azteca Nítido no anda", {}, "false", "the account of Nítido in another country (MX)"),
        ("@nitidope @ayuda_azteca Nítido no anda", {}, "true", "account @nitidope"),
        ("se cayó Nítido en Monterrey", {}, "false", "the text speaks of MX, where another Nítido is watched"),
        ("Nítido, de Monterrey a Lima", {}, None, "the text speaks of PE"),
        ("se cayó Nítido en Monterrey", {"country": "PE"}, None, "the platform places the post in PE"),
        ("Nítido no anda", {"country": "PE"}, None, "the platform places the post in PE"),
        ("Nítido no anda", {"country": "CL"}, "false", "the platform places the post in CL"),
        ("se cayó Nítido", {}, None, "nothing tells which country's Nítido is meant: it counts for each"),
    ],
)
def test_of_namesakes_the_text_tells_which(text: str, told: dict[str, Any], name: str | None, why: str) -> None:
    found = judged(text, PE, **told)
    assert found[0] == name
    assert why in found[1]


def test_a_brand_without_namesakes_is_weighed_as_before() -> None:
    assert judged("Luz Andina en Monterrey", LUZ) == (None, "the name “Luz Andina” is no common word")


def test_a_post_that_a_query_brought_is_about_the_brand_unless_it_is_placed_elsewhere() -> None:
    assert judged("hay un apagón", LUZ) == ("true", "the post fits the query of Luz Andina")
    assert judged("hay un apagón", LUZ, country="MX") == ("false", "the platform places the post in MX")
    assert judged("hay un apagón y Nítido no anda", LUZ) == ("false", "the text does not name Luz Andina")
    assert judged("no hay nada", LUZ) == ("false", "the text does not name Luz Andina")


def test_a_query_that_cannot_be_read_brings_nothing() -> None:
    brand = Brand("b", "Luz", query="(apagón")
    reading = Namer([brand]).read("hay un apagón", brand, ())
    label = by_evidence(reading, Post("x", "1", "hay un apagón", datetime(2026, 1, 1, tzinfo=UTC)), brand)
    assert label is not None
    assert label.name == "false"
