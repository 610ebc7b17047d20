"""Give codes for English names of countries and languages, and names for codes (CLDR, through babel)."""

from __future__ import annotations

from functools import cache

__all__ = ["code_of", "name_of"]

# What news archives call some of them, where CLDR says otherwise.
_ALSO_COUNTRIES = {
    "bosniaherzegovina": "BA",
    "burma": "MM",
    "capeverde": "CV",
    "czechrepublic": "CZ",
    "hongkong": "HK",
    "ivorycoast": "CI",
    "macau": "MO",
    "macedonia": "MK",
    "palestine": "PS",
    "swaziland": "SZ",
    "turkey": "TR",
    "unitedstatesofamerica": "US",
}
_ALSO_LANGUAGES = {"farsi": "fa", "norwegianbokmal": "nb"}


def name_of(code: str) -> str | None:
    """Name a language ("es" → "Spanish") or a country ("PE" → "Peru") in English; None for what is neither."""
    from babel import Locale

    english = Locale("en")
    if len(code) != 2 or not code.isascii() or not code.isalpha():
        return None
    return english.languages.get(code) if code.islower() else english.territories.get(code.upper())


def code_of(name: str, *, country: bool = False) -> str | None:
    """Give the code of a language, or of a country, by its English name however it is written; None when unknown."""
    return _codes(country).get(_plain(name))


@cache
def _codes(country: bool) -> dict[str, str]:
    from babel import Locale

    english = Locale("en")
    known = english.territories if country else english.languages
    found = {_plain(name): code for code, name in known.items() if len(code) == 2 and code.isalpha()}
    return found | (_ALSO_COUNTRIES if country else _ALSO_LANGUAGES)


def _plain(name: str) -> str:
    from listener.match import fold

    return "".join(letter for letter in fold(name) if letter.isalpha())
