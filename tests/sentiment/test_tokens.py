"""A reading knows where a text names the watched brand and its rivals, and where in the world it stands."""

from __future__ import annotations

import pytest

from listener.mention import Brand
from sentiment.places import countries_in, country_at, origins_in
from sentiment.tokens import LONGEST, Namer, Reading, account_names

CLARO = Brand("claro", "Claro", "own", "PE", names=("Claro",))
ENTEL = Brand("entel", "Entel", "competitor", "PE", names=("Entel",))


def reading(text: str, brand: Brand = CLARO, *rivals: Brand) -> Reading:
    return Namer((brand, *rivals)).read(text, brand, rivals)


def test_names_accounts_links_and_numbers_are_normalised() -> None:
    read = reading(
        "Siií, Claro y Entel: @ClaroPeru vs @pepe, 1200 soles https://x.example/a #SinSeñal 😡", CLARO, ENTEL
    )
    assert read.words == (
        "sii", ",", "BRAND", "y", "RIVAL", ":", "BRAND", "vs", "@user", ",", "00", "soles", "http", "sinsenal", "😡",
    )  # fmt: skip
    assert [read.text[a:b] for a, b in zip(read.starts, read.ends, strict=True)][6] == "@ClaroPeru"


def test_a_long_text_is_cut_and_says_so() -> None:
    read = reading("hola Claro " * 1000)
    assert read.cut
    assert len(read.text) == LONGEST


@pytest.mark.parametrize(
    ("account", "carries"),
    [("@ClaroPeru", True), ("@claro_pe", True), ("@claroayuda", True), ("@claroscuro", False), ("@pepe", False)],
)
def test_an_account_carries_a_common_name_only_with_a_known_ending(account: str, carries: bool) -> None:
    assert account_names(account, [("claro", True)]) is carries


def test_places_know_names_cities_and_people() -> None:
    assert countries_in("Vivo en Antofagasta, Chile") == {"CL"}
    assert origins_in("limeña en Madrid") == {"PE"}
    assert countries_in("limeña en Madrid") == {"ES"}
    assert country_at("el alto, bolivia") == "BO"
    assert country_at("me quito el chullo") is None
