"""Accounts of a type (care, sales, corporate) are our own voice wherever a speaker is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listener.config import parse
from listener.mention import Author, Post
from sentiment.encoder import Encoder
from sentiment.engine import EncoderClassifier
from stakeholders.deciding.explain import Profile
from stakeholders.desk import Desk
from stakeholders.identify import identify

NOW = datetime(2026, 3, 3, 15, tzinfo=UTC)
TABLES: dict[str, Any] = {
    "brands": {
        "nitido": {
            "name": "Nítido",
            "country": "PE",
            "products": ["Plan Cristal"],
            "executives": ["Ana Ríos"],
            "own_handles": ["@nitidope"],
            "care_handles": ["@NitidoAyuda"],
            "sales_handles": ["@nitidoventas"],
            "corporate_handles": ["@GrupoNitido"],
        }
    },
    "competitors": {"brisatel": {"name": "Brisatel", "care_handles": ["@brisatelayuda"]}},
    "departments": {"communications": {"alert": ["mail:team@nitido.example"]}},
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(parse(TABLES, tmp_path, {}))


@pytest.mark.parametrize(
    ("handle", "own"),
    [
        ("nitidope", True),
        ("nitidoayuda", True),
        ("NitidoVentas", True),
        ("gruponitido", True),
        ("brisatelayuda", False),
        ("vecino", False),
    ],
)
def test_an_account_of_any_type_is_our_own(desk: Desk, handle: str, own: bool) -> None:
    brands = tuple(desk.brands.values())
    speaker = identify(Post("x", "1", "Hola", NOW, Author(handle)), brands[0], brands, desk.registry, None)
    assert speaker.own_account is own
    assert (speaker.label.name == "peer_company") is (own or handle == "brisatelayuda")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@NitidoAyuda sigo sin señal desde ayer", "@NitidoAyuda"),
        ("El Plan Cristal no anda, quiero mi dinero", "Plan Cristal"),
        ("Ana Ríos mintió en la entrevista de hoy", "Ana Ríos"),
    ],
)
def test_explain_finds_the_brand_by_account_product_and_person(desk: Desk, text: str, named: str) -> None:
    found = desk.explain(text, EncoderClassifier(Encoder.open(threads=1)), NOW, Profile(handle="persona"))
    assert (found.brand.key, found.named, found.facts.own_account) == ("nitido", True, False)
    assert [term.text for term in found.mention.terms] == [named]
    ours = desk.explain(text, EncoderClassifier(Encoder.open(threads=1)), NOW, Profile(handle="nitidoventas"))
    assert ours.facts.own_account
    assert not ours.route.opens_case
