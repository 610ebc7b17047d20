"""Features read a text toward a brand: its name teaches nothing, its surroundings do."""

from __future__ import annotations

import pytest

from listener.mention import Brand
from sentiment.cues import CUES, cues_at
from sentiment.features import SPACE, extract, signs, word_features
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


def test_the_name_of_a_brand_teaches_nothing() -> None:
    one = extract(reading("Claro me cobró dos veces", CLARO))
    other = extract(reading("Entel me cobró dos veces", ENTEL))
    assert one.indices.tolist() == other.indices.tolist()
    assert one.counts.tolist() == other.counts.tolist()


def test_features_are_the_same_on_every_machine() -> None:
    found = extract(reading("Sin señal con Claro 😡"))
    assert int(found.indices.astype("uint64").sum()) == 10555738
    assert found.indices.max() < SPACE


def test_what_is_said_of_a_rival_is_kept_apart() -> None:
    words = dict(word_features(reading("Entel vuela. Claro se arrastra", CLARO, ENTEL)))
    assert "RIVAL:vuela" in words
    assert "vuela" not in words
    assert "arrastra" in words


def test_a_negation_marks_what_follows() -> None:
    words = [word for word, _ in word_features(reading("no funciona bien. funciona"))]
    assert "no_funciona" in words
    assert words.count("funciona") == 2


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("con Claro no hay señal", "form:capital inside"),
        ("con claro no hay señal", "form:lower"),
        ("Claro, ya voy", "opens and comma:capital first"),
        ("un claro en el bosque", "article before:lower"),
        ("Entel es mejor que Claro", "better than BRAND"),
        ("Claro recibe una multa", "fact:harms"),
    ],
)
def test_signs_tell_the_surroundings_of_the_name(text: str, sign: str) -> None:
    assert sign in {name for name, _ in signs(reading(text, CLARO, ENTEL))}


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


def test_cues_are_words_stems_and_pairs() -> None:
    assert set(cues_at(["sin", "senal"], 0)) >= {"outage"}
    assert "complaint" in set(cues_at(["reclamando"], 0))
    assert all(CUES.values())


def test_places_know_names_cities_and_people() -> None:
    assert countries_in("Vivo en Antofagasta, Chile") == {"CL"}
    assert origins_in("limeña en Madrid") == {"PE"}
    assert countries_in("limeña en Madrid") == {"ES"}
    assert country_at("el alto, bolivia") == "BO"
    assert country_at("me quito el chullo") is None
