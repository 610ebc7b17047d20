"""One name in several countries: a post goes to the entity that its evidence points to, else to each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from listener.entity import is_namesake
from listener.match import Matcher
from listener.mention import Author, Brand, Post
from listener.settings import Named

PE = Named(name="Nítido", country="PE", names=["Nítido Perú"], care_handles=["@NitidoAyuda"], own_handles=["@nitidope"])
MX = Named(name="Nitido", country="MX", names=["Nítido México"], own_handles=["@nitidomx"], hashtags=["#NitidoMX"])
BR = Named(name="Nítido", country="BR", own_handles=["@nitidobr"])
MATCHER = Matcher([PE.brand("pe", "own"), MX.brand("mx", "own"), BR.brand("br", "own")])


def named(text: str, handle: str | None = None, **told: Any) -> list[str]:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return [one.brand for one in MATCHER.mentions(Post("x", "1", text, at, Author(handle), **told))]


@pytest.mark.parametrize(
    ("text", "told", "brands"),
    [
        ("Nítido no anda", {}, ["pe", "mx", "br"]),  # nothing tells: it counts for each, and relevance weighs it
        ("Nítido no anda", {"country": "MX"}, ["mx"]),
        (
            "Nítido no anda",
            {"country": "CL"},
            ["pe", "mx", "br"],
        ),  # of none; relevance says so to each, with the reason
        ("Nítido no anda", {"lang": "es"}, ["pe", "mx"]),
        ("Nítido não funciona", {"lang": "pt"}, ["br"]),
        ("Nítido não funciona", {"lang": "pt-BR"}, ["br"]),
        ("Nítido is down", {"lang": "en"}, ["pe", "mx", "br"]),
        ("Nítido no anda", {"lang": "pt", "country": "PE"}, ["pe"]),
        ("@nitidope Nítido no anda", {}, ["pe"]),
        ("@NitidoAyuda Nítido no anda", {"country": "MX"}, ["pe"]),  # whom somebody writes to says more than a place
        ("Nítido #NitidoMX", {}, ["mx"]),
        ("@nitidope y @nitidobr: Nítido no anda", {}, ["pe", "br"]),
        ("Nítido Perú sube precios", {}, ["pe"]),
        ("Nítido Perú sube y Nítido México baja", {}, ["pe", "mx"]),
        ("Nítido Perú sube, dice Nítido", {}, ["pe", "mx", "br"]),
        ("Nítido Perú sube, dice Nítido", {"lang": "pt"}, ["pe", "mx", "br"]),
        ("nada", {"country": "PE"}, []),
    ],
)
def test_a_post_goes_where_its_evidence_points(text: str, told: dict[str, Any], brands: list[str]) -> None:
    assert named(text, **told) == brands


def test_an_entitys_own_account_speaks_of_itself() -> None:
    assert named("Nítido te trae más gigas", handle="NitidoMX") == ["mx"]


def test_a_page_about_an_entity_is_a_mention_of_it_whatever_else_is_told() -> None:
    assert named("Nítido no abre", country="MX", about="pe") == ["pe", "mx"]


def test_entities_are_namesakes_in_two_countries_only() -> None:
    one = Brand("a", "Nítido", country="PE")
    assert is_namesake(one, Brand("b", "NITIDO", country="MX"))
    assert not is_namesake(one, Brand("b", "Nítido", country="PE"))
    assert not is_namesake(one, Brand("b", "Nítido"))
    assert not is_namesake(one, Brand("b", "Ondavía", country="MX"))


def test_products_people_and_typed_accounts_name_the_brand_and_are_told_apart() -> None:
    table = Named(
        name="Nítido", names=["Nitidito"], products=["Plan Cristal"], executives=["Ana Ríos"],
        own_handles=["@nitido"], care_handles=["@NitidoAyuda"], sales_handles=["ventas"], corporate_handles=["@nitido"],
    )  # fmt: skip
    brand = table.brand("n", "own")
    assert brand.names == ("Nítido", "Nitidito", "Plan Cristal", "Ana Ríos")
    assert brand.own_handles == ("nitido", "NitidoAyuda", "ventas")
    assert brand.handles == brand.own_handles
    assert (brand.products, brand.executives) == (("Plan Cristal",), ("Ana Ríos",))
    assert (brand.care_handles, brand.sales_handles, brand.corporate_handles) == (
        ("NitidoAyuda",), ("ventas",), ("nitido",)
    )  # fmt: skip
    for text in ("el plan cristal", "habló Ana Rios", "@nitidoayuda ¡ayuda!", "@VENTAS"):
        assert Matcher([brand]).find(text), text
