"""Near-duplicates: copies join the first of them, strangers and news of one form stay apart, memory stays small."""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.copies import labelled
from listener.likeness import Likeness, normalise

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STORY = "Vecinos de la zona alta esperan desde hace tres semanas que vuelva el agua a sus casas, dijo el alcalde"


def placed(*texts: str) -> list[int]:
    """Place texts an hour apart; give the cluster of each, counted from 1."""
    likeness = Likeness()
    return [likeness.place(number, text, NOON + timedelta(hours=number)) for number, text in enumerate(texts, 1)]


@pytest.mark.parametrize(
    "copy",
    [
        STORY.upper(),
        f"RT @vecino: {STORY} https://t.co/abc",
        f"«{STORY}» 😡",
        STORY.replace("esperan", "aguardan").replace("vuelva", "regrese"),
        f"{STORY} | La Vereda",
        f"Atención: {STORY}, que no contestó a este diario",
        "Desde hace tres semanas esperan vecinos de la zona alta que vuelva el agua a sus casas, dijo el alcalde",
    ],
)
def test_a_copy_joins_the_first(copy: str) -> None:
    assert placed("otra cosa que nada tiene que ver con eso", STORY, copy) == [1, 2, 2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "El dólar cerró hoy en 3.72 soles, informó el banco central",
            "El dólar cerró hoy en 3.75 soles, informó el banco central",
        ),
        (
            "Corte de agua en Surco este martes: horarios, zonas y puntos de reparto según la empresa",
            "Corte de agua en Lince este martes: horarios, zonas y puntos de reparto según la empresa",
        ),
        (
            "máxima de 98, mínima de 32 y 21 % de humedad en la costa hoy",
            "máxima de 32, mínima de 32 y 98 % de humedad en la costa hoy",
        ),
        (
            "corte de agua en la zona alta este martes desde las 21:34, dice la empresa",
            "corte de agua en la zona alta este jueves desde las 21:34, dice la empresa",
        ),
        (
            "del 12 al 22 de este mes hay 22 rutas más para volver",
            "del 22 al 22 de este mes hay 150 rutas más para volver",
        ),
        ("no tengo señal en Surco desde ayer", "no tengo señal en Lince desde hoy"),
        ("no hay internet", "no hay línea"),
        ("😡😡", "👏"),
        ("https://a.example/1", "https://a.example/2"),
    ],
)
def test_another_figure_name_or_word_is_another_message(one: str, other: str) -> None:
    assert placed(one, other) == [1, 2]


def test_short_texts_join_only_with_the_same_words() -> None:
    assert placed("gracias", "¡GRACIAS!", "muchas gracias", "😡😡", "😡😡", "", " ", "") == [1, 1, 3, 4, 4, 6, 7, 8]


def test_languages_do_not_mix() -> None:
    texts = [STORY, "Residents of the upper district wait for water", "Moradores da parte alta esperam água há semanas"]
    assert placed(*texts, *texts) == [1, 2, 3, 1, 2, 3]
    assert placed(
        "Нет света в центре города уже третий день подряд", "нет СВЕТА в центре города уже третий день подряд!"
    ) == [1, 1]


def test_every_copy_of_the_labelled_set_joins_and_no_stranger_does() -> None:
    posts = labelled()
    likeness = Likeness()
    found = [likeness.place(number, post.text, NOON + timedelta(minutes=number)) for number, post in enumerate(posts)]
    copies = [number for number, post in enumerate(posts) if post.group != number]
    assert len(copies) > 1_000
    assert sum(found[number] == found[posts[number].group] for number in copies) >= 0.99 * len(copies)
    assert [number for number, post in enumerate(posts) if posts[found[number]].group != post.group] == []
    held = sum(sys.getsizeof(part) for part in vars(likeness).values() if not isinstance(part, dict))
    assert held < 450 * len(likeness)


def test_what_is_older_than_the_window_is_another_message() -> None:
    likeness = Likeness(timedelta(days=14))
    assert likeness.place(1, STORY, NOON) == 1
    assert likeness.place(2, STORY, NOON + timedelta(days=14)) == 1
    assert likeness.place(3, STORY, NOON + timedelta(days=14, seconds=1)) == 3
    assert likeness.place(4, STORY, NOON - timedelta(days=13)) == 1


def test_a_text_that_was_edited_is_placed_anew_and_keeps_its_number() -> None:
    likeness = Likeness()
    assert likeness.place(1, STORY, NOON) == 1
    assert likeness.place(1, STORY + " hoy", NOON) == 1
    assert likeness.place(2, STORY + " hoy", NOON) == 1
    assert len(likeness) == 1


def test_forgotten_hours_are_not_found_and_the_rest_is() -> None:
    likeness = Likeness(timedelta(days=400))
    chance = random.Random(3)
    words = [f"palabra{letter}{other}" for letter in "abcdefghij" for other in "klmnopqrst"]
    texts = [" ".join(chance.choices(words, k=14)) for _ in range(3_000)]
    for number, text in enumerate(texts):
        likeness.place(number, text, NOON + timedelta(hours=number))
    hour = int(NOON.timestamp()) // 3600
    likeness.keep(hour + 2_500, hour + 2_999)
    assert len(likeness) == 500
    at = NOON + timedelta(hours=2_700)
    for number in range(2_490, 2_510):
        assert likeness.place(10_000 + number, texts[number] + " x", at) == (
            number if number >= 2_500 else 10_000 + number
        )


def test_a_phrase_that_everyone_writes_hides_no_copy() -> None:
    likeness = Likeness()
    phrase = "buenos días a todos los amigos de esta linda página"
    names = [f"{first}{second}{third}" for first in "abcdefgh" for second in "aeiou" for third in "lmnrst"]
    texts = [f"{phrase} soy {name} y vendo {name}tas con {name}mos y {name}ras {name}" for name in names]
    at = [NOON + timedelta(minutes=number) for number in range(len(texts))]
    assert [likeness.place(number, text, at[number]) for number, text in enumerate(texts)] == list(range(len(texts)))
    assert [likeness.place(1_000, text + " hoy", NOON) for text in texts] == list(range(len(texts)))


def test_long_news_cost_little_more_than_short_ones() -> None:
    likeness = Likeness()
    chance = random.Random(5)
    words = ["".join(chance.choices("abcdefghilmnoprstu", k=6)) for _ in range(5_000)]
    article = [" ".join(chance.choices(words, k=10_000)) for _ in range(20)]
    began = process_time()
    for number, text in enumerate(article):
        assert likeness.place(number, text, NOON) == number
        assert likeness.place(100 + number, "RT @diario: " + text + " https://t.co/x", NOON) == number
    assert process_time() - began < 2  # some 10 ms each; comparing them whole would take a minute


@given(st.lists(st.text(max_size=60), max_size=12), st.integers(0, 1_000))
def test_any_text_is_placed_and_the_same_order_gives_the_same_clusters(texts: list[str], start: int) -> None:
    runs = []
    for _ in range(2):
        likeness = Likeness()
        at = [NOON + timedelta(minutes=number) for number in range(len(texts))]
        runs.append([likeness.place(start + number, text, at[number]) for number, text in enumerate(texts)])
    assert runs[0] == runs[1]
    assert all(start <= cluster <= start + number for number, cluster in enumerate(runs[0]))
    normal = [normalise(text) or text.strip() for text in texts]
    for number, text in enumerate(normal):
        if text:
            assert runs[0][number] == runs[0][normal.index(text)]
