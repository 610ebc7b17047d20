"""Posts that say the same are found, strangers are not merged."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from stakeholders.casework.gather import Gatherer, normalise

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
HEADLINE = "Artel multa a Nítido con 3,4 millones de soles por cobros indebidos"


def filled(*texts: str, **options: int) -> Gatherer:
    gatherer = Gatherer(**options)  # type: ignore[arg-type]
    for number, text in enumerate(texts, 1):
        gatherer.add(number, text, NOON)
    return gatherer


@pytest.mark.parametrize(
    "repost",
    [
        "ARTEL MULTA A NITIDO CON 3,4 MILLONES DE SOLES POR COBROS INDEBIDOS",
        f"RT @lavereda_pe: {HEADLINE} https://lavereda.example/abc",
        f"«{HEADLINE}» 😡😡 @nitidope",
        "Artel multa a Nítido con S/ 3,4 millones por cobros indebidos | La Vereda",
        f"{HEADLINE} a miles de usuarios que habían cancelado sus líneas el año pasado",
        "URGENTE Artel multa a Nítido con 3,4 millones de soles por cobros indebidos",
    ],
)
def test_a_repost_is_found_whatever_was_put_around_it(repost: str) -> None:
    assert filled("otra cosa que no tiene nada que ver", HEADLINE).find(repost, NOON) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("no tengo señal en Surco desde ayer", "no tengo señal en Lince desde hoy"),
        (HEADLINE, "Artel archiva la denuncia contra Nítido por cobros indebidos en recibos de internet fijo"),
        (
            "buenos días, mi número de reclamo es 4471 y nadie me responde",
            "buenas, mi recibo vino doble y nadie responde",
        ),
        ("sin señal", "sin señal"),  # two words say too little, even when they are the same
        ("no hay internet", "no hay línea"),
    ],
)
def test_two_people_with_their_own_troubles_are_not_merged(one: str, other: str) -> None:
    assert filled(one).find(other, NOON) is None


def test_three_words_match_only_exactly() -> None:
    gatherer = filled("no hay internet")
    assert gatherer.find("¡NO hay internet!", NOON) == 1
    assert gatherer.find("no hay internet aquí", NOON) is None


def test_what_is_older_than_the_window_never_matches() -> None:
    gatherer = filled(HEADLINE)
    assert gatherer.find(HEADLINE, NOON + timedelta(days=14)) == 1
    assert gatherer.find(HEADLINE, NOON + timedelta(days=14, seconds=1)) is None
    assert gatherer.find(HEADLINE, NOON - timedelta(days=15)) is None


def test_the_nearest_comes_first_then_the_latest() -> None:
    gatherer = Gatherer()
    gatherer.add(1, f"{HEADLINE} según la resolución publicada", NOON)
    gatherer.add(2, HEADLINE, NOON)
    gatherer.add(3, HEADLINE, NOON + timedelta(hours=1))
    assert gatherer.matches(HEADLINE, NOON) == [3, 2, 1]


def test_the_same_id_twice_is_kept_once() -> None:
    gatherer = filled(HEADLINE)
    gatherer.add(1, HEADLINE, NOON)
    assert len(gatherer) == 1


def test_the_oldest_hours_are_forgotten_when_the_memory_is_full() -> None:
    gatherer = Gatherer(most=3)
    for hour in range(5):
        gatherer.add(hour, f"{HEADLINE} caso {LETTERS[hour]}", NOON + timedelta(hours=hour))
    assert len(gatherer) == 3
    assert gatherer.find(f"{HEADLINE} caso a", NOON) in (2, 3, 4)
    assert not gatherer.find("texto del todo distinto que no está", NOON)


def test_a_viral_text_stays_cheap_and_right() -> None:
    gatherer = Gatherer()
    for number in range(2_000):
        gatherer.add(number, f"{HEADLINE} caso{LETTERS[number % 26]}{number}", NOON)
    assert gatherer.find(f"{HEADLINE} casoz9999", NOON) is not None


def test_every_repost_among_thousands_is_found_and_no_stranger() -> None:
    chance = random.Random(7)
    words = [f"palabra{number}" for number in range(900)]
    texts = [" ".join(chance.choices(words, k=chance.randint(12, 30))) for _ in range(2_000)]
    gatherer = filled(*texts)
    for number in chance.sample(range(2_000), 200):
        edited = texts[number].split()
        edited[chance.randrange(len(edited))] = "otra"
        assert gatherer.find(" ".join(["RT", "@alguien:", *edited, "https://t.co/x"]), NOON) == number + 1
    strangers = [" ".join(chance.choices(words, k=20)) for _ in range(500)]
    assert all(gatherer.find(text, NOON) is None for text in strangers)


def test_hashes_are_the_same_in_every_process() -> None:
    program = "from listener.shingle import read_text; print(sorted(read_text('a b c d').shingles))"
    lines = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(lines) == 1


def test_links_handles_and_marks_are_left_out_of_a_text() -> None:
    assert normalise("RT @uno: ¡Señal, YA! https://t.co/x www.ejemplo.pe @dos #ya") == ("senal", "ya", "ya")
    assert normalise("correo a@b.pe") == ("correo", "a", "b", "pe")
    assert normalise("") == ()
