"""Read one term of a query: a word, a phrase, a condition, a bar for followers, a day."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

from listener.faults import did_you_mean
from listener.query.fault import QueryError
from listener.query.tree import Day, Fact, Phrase, Reach, Word
from listener.query.words import LONGEST, cut
from listener.reason import N_, reason

__all__ = ["day_of", "fact_of", "phrase_of", "reach_of"]

_FIELDS = ("lang", "from", "source", "country", "brand", "reach", "since", "until")
_ALIASES = {
    "language": "lang", "idioma": "lang", "author": "from", "autor": "from", "de": "from", "fuente": "source",
    "fonte": "source", "pais": "country", "país": "country", "place": "country", "marca": "brand",
    "followers": "reach", "seguidores": "reach", "alcance": "reach", "desde": "since", "hasta": "until", "ate": "until",
}  # fmt: skip
_SIGNED = re.compile(r"([^\W\d_]+)(>=|<=|>|<|=)(.*)", re.DOTALL)
_COUNT = re.compile(r"(\d+|\d{1,3}(?:[.,]\d{3})+)([kKmM]?)")
_TIMES = {"": 1, "k": 1_000, "m": 1_000_000}
_SHAPES = {"lang": re.compile(r"[a-z]{2,3}(-[a-z0-9]+)*"), "country": re.compile(r"[a-z]{2}")}

_FEWEST = 3  # letters before a *

_NO_FIELD = N_("there is no condition «{quote_field}:»")
_DID_YOU_MEAN = N_("did you mean {quote_field}?")
_KNOWN = N_("known: {quote_fields}; a text with a colon is written in quotation marks")
_NO_VALUE = N_("nothing stands after «{quote_field}»")
_NO_BLANK = N_("write it without a blank: {quote_example}")
_BAD_LANG = N_("«{quote_value}» is not a language")
_BAD_COUNTRY = N_("«{quote_value}» is not a country")
_AS = N_("write it as {quote_example}")
_BAD_DAY = N_("«{quote_value}» is not a day")
_BAD_COUNT = N_("«{quote_value}» is not a number")
_SIGNS = N_("reach is compared with >, >=, < or <=")
_NO_LETTERS = N_("no letters or digits stand here to be searched for")
_WRITE_WORD = N_("write a word, or take this away")
_STAR_FIRST = N_("a * stands at the end of a word, not at its start or inside")
_STAR_AS = N_("write the beginning of the word and then the *: port*")
_STAR_SHORT = N_("at least {count} letters stand before a *")
_SIGN_INSIDE = N_("a @ or # stands inside a word")
_SIGN_BLANK = N_("write a blank before it")
_LONG_WORD = N_("this word is longer than {count} characters")


def phrase_of(text: str, written: str, place: int) -> Phrase:
    """Read what stands between quotation marks, or an unquoted term ("wi-fi" is two words side by side)."""
    found = cut(written)
    if not found:
        raise QueryError(text, place, reason(_NO_LETTERS), reason(_WRITE_WORD))
    ends = {end: number for number, (_, _, end) in enumerate(found)}
    starred: set[int] = set()
    for at, character in enumerate(written):
        # A sign inside a run of letters would silently drop what follows it.
        if character in "@#" and at and (written[at - 1].isalnum() or written[at - 1] in "_@#"):
            raise QueryError(text, place + at, reason(_SIGN_INSIDE), reason(_SIGN_BLANK))
        if character != "*":
            continue
        if at not in ends or (at + 1 < len(written) and not written[at + 1].isspace()):
            raise QueryError(text, place + at, reason(_STAR_FIRST), reason(_STAR_AS))
        if len(found[ends[at]][0].lstrip("@#")) < _FEWEST:
            raise QueryError(text, place + at, reason(_STAR_SHORT, count=_FEWEST), reason(_STAR_AS))
        starred.add(ends[at])
    for word, start, _ in found:
        if len(word) >= LONGEST:
            raise QueryError(text, place + start, reason(_LONG_WORD, count=LONGEST - 1))
    words = tuple(Word(word, number in starred, written[start:end]) for number, (word, start, end) in enumerate(found))
    return Phrase(words, written.strip())


def fact_of(text: str, field: str, value: str, place: int) -> Fact:
    """Read a condition such as lang:es; names are told apart without case."""
    name = _field(text, field, place)
    if not value:
        message = reason(_NO_VALUE, quote_field=field + ":")
        raise QueryError(text, place + len(field), message, reason(_NO_BLANK, quote_example=_example(name)))
    clean = _ascii_lower(value.lstrip("@") if name == "from" else value)
    shape = _SHAPES.get(name)
    if shape is not None and not shape.fullmatch(clean):
        message = reason(_BAD_LANG if name == "lang" else _BAD_COUNTRY, quote_value=value[:40])
        raise QueryError(text, place + len(field) + 1, message, reason(_AS, quote_example=_example(name)))
    if not clean:
        message = reason(_NO_VALUE, quote_field=field + ":")
        raise QueryError(text, place + len(field), message, reason(_NO_BLANK, quote_example=_example(name)))
    return Fact(cast("Any", name), clean)


def _field(text: str, field: str, place: int) -> str:
    name = field.lower()
    if name in _FIELDS:
        return name
    message = reason(_NO_FIELD, quote_field=field[:40])
    meant = _ALIASES.get(name)
    if meant is None:
        close = did_you_mean(name, _FIELDS)
        meant = close.partition("'")[2].partition("'")[0] if close.startswith("did") else None
    if meant is None:
        raise QueryError(text, place, message, reason(_KNOWN, quote_fields=", ".join(_FIELDS)))
    raise QueryError(text, place, message, reason(_DID_YOU_MEAN, quote_field=_example(meant)))


def _example(name: str) -> str:
    return {
        "lang": "lang:es", "from": "from:osiptel", "source": "source:x", "country": "country:PE",
        "brand": "brand:acme", "reach": "reach>1000", "since": "since:2026-01-31", "until": "until:2026-01-31",
    }[name]  # fmt: skip


def _ascii_lower(value: str) -> str:
    """Put A–Z into small letters and nothing else, as both databases do."""
    return "".join(character.lower() if character.isascii() else character for character in value)


def reach_of(text: str, written: str, place: int) -> Reach:
    """Read a bar for the author's followers: reach>1000, reach>=10k, reach<1.000.000."""
    match = _SIGNED.fullmatch(written)
    if match is None:
        raise QueryError(text, place, reason(_SIGNS), reason(_AS, quote_example=_example("reach")))
    field, sign, value = match.groups()
    if _field(text, field, place) != "reach" or sign == "=":
        hint = reason(_AS, quote_example=_example(field.lower() if field.lower() in _FIELDS else "reach"))
        raise QueryError(text, place + len(field), reason(_SIGNS), hint)
    number = _COUNT.fullmatch(value)
    if number is None or len(value) > 20:
        message = reason(_BAD_COUNT, quote_value=value[:40])
        raise QueryError(text, place + len(field) + len(sign), message, reason(_AS, quote_example=_example("reach")))
    count = int(re.sub("[.,]", "", number[1])) * _TIMES[number[2].lower()]
    return Reach(cast("Any", sign), min(count, 2**62))


def day_of(text: str, name: str, value: str, place: int, zone: ZoneInfo) -> Day:
    """Read a first or last day, both included, as a day of a zone."""
    if not value:
        message = reason(_NO_VALUE, quote_field=name + ":")
        raise QueryError(text, place + len(name), message, reason(_NO_BLANK, quote_example=_example(name)))
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            raise ValueError
        day = date.fromisoformat(value)
        edge = day if name == "since" else day + timedelta(days=1)
        at = datetime.combine(edge, time(), zone).astimezone(UTC)
    except (ValueError, OverflowError):
        message = reason(_BAD_DAY, quote_value=value[:40])
        hint = reason(_AS, quote_example=_example(name))
        raise QueryError(text, place + len(name) + 1, message, hint) from None
    return Day(cast("Any", name), day, at)
