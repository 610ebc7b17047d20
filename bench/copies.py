"""Make the labelled set of copies: posts of the demo, what people do to a text they copy, and news of one form.

Nothing here is taken from anywhere: the texts are the demo's own, the forms and edits stand below.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from listener.demo.replay import read_corpus

__all__ = ["Labelled", "labelled"]

_WORD = re.compile(r"\w+")
_SWAPS = (
    "ahora",
    "siempre",
    "nunca",
    "tampoco",
    "igual",
    "ayer",
    "todo",
    "algo",
    "muy",
    "claramente",
    "recién",
    "cosa",
)
_FORMS = (  # news of one form: every fill is another message
    "{company} ganó {a} millones de soles en el {n}.º trimestre, {b} % más que un año antes, dijo a la bolsa de {city}",
    "Sismo de {m} remeció {city} a las {h}:{s}, a {a} km de profundidad, dijo el instituto geofísico; no hay víctimas",
    "Dólar hoy en {city}: cierra en {m} soles la compra y {k} la venta, {b} céntimos por encima del martes",
    "Corte de agua en {city} este {day} desde las {h}:{s}: horarios, zonas y puntos de reparto según {company}",
    "{company} abre su tienda número {a} en {city} con {b} millones y {k}00 empleos, dijo su gerente {person}",
    "{person} es la nueva gerente general de {company} desde el {n} de este mes; antes dirigió {city} Seguros {b} años",
    "Clima en {city} para este {day}: máxima de {a} grados, mínima de {b}, {k} % de humedad, dijo el servicio nacional",
    "{city} {b} - {company} FC {n}: resumen, goles y mejores jugadas del partido de la fecha {a} jugado el {day}",
)
_FILLS = {
    "company": (
        "Nortesa",
        "Vialuz",
        "Corpandina",
        "Telmar",
        "Gasúr",
        "Lumiro",
        "Puertonor",
        "Sedamar",
        "Altaria",
        "Quenual",
    ),
    "city": (
        "Surco",
        "Lince",
        "Tacna",
        "Huaraz",
        "Piura",
        "Iquitos",
        "Puno",
        "Callao",
        "Tarma",
        "Chincha",
        "Moche",
        "Paita",
    ),
    "day": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    "person": ("Rosa Villalta", "Inés Quiroz", "Marta Salcedo", "Elvira Torrejón", "Delia Campos", "Nora Hidalgo"),
}


@dataclass(frozen=True, slots=True)
class Labelled:
    """Hold a text and the number of the text it copies; its own number when it is none."""

    text: str
    group: int


def labelled(texts: int = 3_000, seed: int = 7) -> list[Labelled]:
    """Give texts in their order of arrival, each copy after its original: a third copies, a third news of one form."""
    chance = random.Random(seed)
    own = _apart([row["text"] for row in read_corpus()])
    chance.shuffle(own)
    made: list[Labelled] = []
    originals: list[int] = []
    forms: set[str] = set()
    while len(made) < texts:
        turn = chance.random()
        if turn < 0.36 and originals:
            source = chance.choice(originals)
            made.append(Labelled(_copied(made[source].text, chance), source))
            continue
        text = own.pop() if own and turn < 0.62 else _filled(chance)
        if text in forms:
            continue
        forms.add(text)
        if len(_WORD.findall(text)) >= 10:
            originals.append(len(made))
        made.append(Labelled(text, len(made)))
    return made


def _apart(texts: list[str]) -> list[str]:
    """Leave out what nearly repeats an earlier text of the demo, so that every label is sure."""
    holders: dict[tuple[str, ...], int] = {}
    kept: list[str] = []
    for text in texts:
        words = _WORD.findall(text.lower())
        threes = set(zip(words, words[1:], words[2:], strict=False))
        shared: dict[int, int] = {}
        for three in threes:
            if three in holders:
                shared[holders[three]] = shared.get(holders[three], 0) + 1
        if len(threes) > 1 and max(shared.values(), default=0) < 0.2 * len(threes):
            holders.update(dict.fromkeys(threes, len(kept)))
            kept.append(text)
    return kept


def _filled(chance: random.Random) -> str:
    numbers = {"a": chance.randint(10, 999), "b": chance.randint(2, 99), "k": chance.randint(11, 98)}
    numbers |= {"h": chance.randint(0, 23), "s": chance.randint(10, 59), "n": chance.randint(1, 28)}
    words = {name: chance.choice(fills) for name, fills in _FILLS.items()}
    magnitude = f"{chance.randint(2, 7)}.{chance.randint(10, 99)}"
    return chance.choice(_FORMS).format(**numbers, **words, m=magnitude)


def _copied(text: str, chance: random.Random) -> str:
    """Do to a text what people do when they pass it on, one or two things at once; one word in ten at most changes."""
    for way in chance.sample((_repost, _link, _swap, _shout, _quote, _tail), chance.choice((1, 1, 2))):
        text = way(text, chance)
    return text


def _repost(text: str, chance: random.Random) -> str:
    return f"RT @usuario{chance.randint(1, 999)}: {text}"


def _link(text: str, chance: random.Random) -> str:
    return f"{text} https://t.co/{chance.getrandbits(40):x}"


def _swap(text: str, chance: random.Random) -> str:
    """Change a word or two, never a name or a figure: those make another message."""
    words = text.split(" ")
    able = [place for place, word in enumerate(words) if place and word.isalpha() and word.islower()]
    count = min(1 + (len(words) >= 20), len(able))
    for place in chance.sample(able, count):
        words[place] = chance.choice([swap for swap in _SWAPS if swap not in words])
    return " ".join(words)


def _shout(text: str, _chance: random.Random) -> str:
    return text.upper()


def _quote(text: str, chance: random.Random) -> str:
    return f"«{text}» {chance.choice(('😡', '👏👏', '🙄', '#YaBasta'))}"


def _tail(text: str, chance: random.Random) -> str:
    return f"{text} | {chance.choice(('La Vereda', 'Radio Costa', 'El Faro'))}"
