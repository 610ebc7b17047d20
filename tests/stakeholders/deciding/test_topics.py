"""Words that speak of a topic, as the matrix needs them."""

from __future__ import annotations

import time

import pytest

from stakeholders.deciding.topics import TOPICS, Topic, find, find_words


@pytest.mark.parametrize(
    ("topic", "text", "words"),
    [
        ("theft", "Me hicieron SIM SWAP y me vaciaron la cuenta del banco", ("SIM SWAP", "vaciaron la cuenta")),
        ("theft", "Filtraron los datos de miles de clientes", ("Filtraron los datos",)),
        ("theft", "They drained my savings account after cloning", ("drained my savings account",)),
        ("theft", "Clonaram meu chip e limparam a conta", ("Clonaram meu chip", "limparam a conta")),
        ("scam", "Cuidado: se hacen pasar por Nítido y mandan un SMS falso", ("se hacen pasar", "SMS falso")),
        ("scam", "fake text in their name, don't click", ("fake text", "don't click")),
        ("scam", "golpistas usando o nome da Nítido", ("golpistas", "usando o nome da")),
        ("network", "otra vez SIN SEÑAL 🙄 en Surco", ("SIN SEÑAL",)),
        ("network", "sem sinal desde ontem", ("sem sinal",)),
        ("care", "me cobraron dos veces el recibo", ("cobraron", "recibo")),
        ("care", "they overcharged me and customer service hung up", ("overcharged", "customer service", "hung up")),
        ("dealer", "tengo un punto de venta y no pagan la comisión", ("punto de venta", "comisión")),
        ("supplier", "Somos contratistas y nos deben seis meses", ("contratistas", "nos deben")),
        ("works", "instalaron una antena sin licencia frente al parque", ("antena", "licencia")),
        ("community", "donaron equipos a la escuela rural", ("donaron", "escuela", "rural")),
        ("crisis", "hay dos heridos tras la explosión en el local", ("heridos", "explosión")),
        ("legal", "BAJA o los denuncio ante Indecopi", ("los denuncio", "Indecopi")),
    ],
)
def test_the_words_of_a_topic_are_quoted_as_they_stand_in_the_text(
    topic: Topic, text: str, words: tuple[str, ...]
) -> None:
    assert find(text, topic) == words


@pytest.mark.parametrize(
    ("topic", "text"),
    [
        ("theft", "me robaron el celular en el metro, ¿cómo bloqueo la línea?"),
        ("theft", "son unos ladrones, me robaron con el recibo de este mes"),
        ("scam", "son unos estafadores, cobran lo que quieren"),
        ("scam", "pedí la factura a nombre de mi empresa"),
        ("crisis", "se me murió el internet jajaja me muero de risa"),
        ("legal", "la demanda de internet crece cada año"),
        ("network", "me señalaron la salida"),  # another word
        ("theft", "vaciaron el almacén. La cuenta la pagamos nosotros"),  # a gap never crosses a sentence
    ],
)
def test_what_only_sounds_like_a_topic_is_not_taken(topic: Topic, text: str) -> None:
    assert find(text, topic) == ()


def test_every_topic_has_cues_in_three_languages() -> None:
    import tomllib
    from pathlib import Path

    import stakeholders.deciding.topics

    tables = tomllib.loads((Path(stakeholders.deciding.topics.__file__).parent / "topics.toml").read_text("utf-8"))
    assert set(tables) == set(TOPICS)
    assert all(set(table) == {"es", "en", "pt"} and all(table.values()) for table in tables.values())


def test_words_of_a_rule_fold_case_and_accents_and_may_end_freely() -> None:
    assert find_words("¡DEVOLUCIÓN ya! y reembolsos", ["devolucion", "reembols*"]) == ("DEVOLUCIÓN", "reembolsos")
    assert find_words("devoluciones", ["devolucion"]) == ()
    assert find_words("texto", []) == ()
    assert find_words("texto", ["", "  "]) == ()
    assert find_words("sin\nseñal", ["sin señal"]) == ("sin\nseñal",)


def test_offsets_survive_characters_beyond_latin() -> None:
    assert find("😀😀 sin\u200b señal 😀", "network") == ("sin\u200b señal",)


def test_a_hostile_text_is_read_in_time_that_grows_with_its_length() -> None:
    def seconds(text: str) -> float:
        began = time.perf_counter()
        for topic in TOPICS:
            find(text, topic)
        return time.perf_counter() - began

    seconds("calienta las expresiones")
    short = seconds("vaciaron " * 2_000) + seconds("robaron , , , " * 2_000)
    long = seconds("vaciaron " * 8_000) + seconds("robaron , , , " * 8_000)
    assert long < 16 * short + 0.5
