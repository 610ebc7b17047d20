"""Fold a text so that names are found whatever their case, accents and disguises, each character with its place.

Disguises are what people use against filters: full-width, mathematical and small-capital letters, characters that show
nothing, strokes through letters, and letters of another alphabet inside a Latin word (confusables of Unicode Technical
Standard 39; the short list is ours). A word that is wholly Cyrillic, Greek or Armenian stays what it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

__all__ = ["fold", "fold_with_offsets", "is_gap"]

# Look like a Latin letter; read as one inside a word that has Latin letters, since real words mix no alphabets.
_ALIKE = str.maketrans(
    "аеорсухіјѕһԁԛԝӏкмтвньпгиАЕОРСУХІЈЅҺКМТВНӀ"  # Cyrillic
    "αβγεηικνορστυχωΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"  # Greek
    "օսհոց",  # Armenian
    "aeopcyxijshdqwlkmtbhbnruaeopcyxijshkmtbhlabyenikvopotuxwabezhikmnoptyxouhng",
)
# Latin letters that Unicode takes apart nowhere: small capitals, strokes, the letters of phonetics.
_LATIN_TOO = str.maketrans(
    "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɑɡıłŁđĐħĦŧŦƚɨɵʋƈƙℓɩ",
    "abcdefghijklmnoprstuvwyzagillddhhttliovckli",
)
_BOXES = (0x1F150, 0x1F170)  # white letters in black circles and squares, A to Z
_HIDDEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")  # nothing is seen of them
_SOFT = "\xad"  # the hyphen that shows only at the end of a line: the one of Latin-1 that is dropped
_APART = re.compile(r"[^\x00-\xac\xae-\xff]+")
_WORD = re.compile(r"\w+")
_LATIN_LETTER = re.compile(r"[a-z]")


def _fold_one(character: str) -> str:
    """Fold one character to at most one: base letter, lower case, any white space to a blank."""
    if character.isspace():
        return " "
    base = unicodedata.normalize("NFKD", character)
    base = "".join(part for part in base if not unicodedata.combining(part))[:1] or character
    lower = base.lower()
    return lower if len(lower) == 1 else base


# Latin-1 covers nearly all Spanish, English and Portuguese text, and folds in one table look-up.
_LATIN = bytes(ord(folded) if ord(folded := _fold_one(chr(code))) < 256 else code for code in range(256))


def fold(text: str) -> str:
    """Fold case, accents and disguises; one character for one, except that what shows nothing is dropped."""
    return fold_with_offsets(text)[0]


def fold_with_offsets(text: str) -> tuple[str, Sequence[int]]:
    """Fold a text; the second value gives, for each folded character, its place in the original."""
    try:
        folded = text.encode("latin-1").translate(_LATIN).decode("latin-1")
    except UnicodeEncodeError:
        pass
    else:
        if _SOFT not in text:
            return folded, range(len(text))
    # One table look-up for all that is Latin-1; then only the runs of other characters are folded, and remembered.
    plain = text.encode("latin-1", "replace").translate(_LATIN).decode("latin-1")
    parts: list[str] = []
    dropped: list[int] = []
    alike = False
    behind = 0
    for hit in _APART.finditer(text):
        start, end = hit.span()
        run = hit[0]
        told, looks = _fold_run(run) if len(run) <= 8 else _fold_many(run)
        parts += plain[behind:start], told
        behind = end
        alike = alike or looks
        if len(told) < len(run):
            dropped.extend(start + place for place, one in enumerate(run) if not _fold_wide(one))
    parts.append(plain[behind:])
    folded = "".join(parts)
    offsets: Sequence[int] = _kept(len(text), dropped) if dropped else range(len(text))
    return (_unmasked(folded, text, offsets) if alike else folded), offsets


@lru_cache(maxsize=8192)
def is_gap(run: str) -> bool:
    """Tell whether a run of characters beyond Latin-1 parts words for sure: one is seen, and none is of a word."""
    folded = _fold_many(run)[0]
    return bool(folded) and not any(one.isalnum() or one in "_@#" for one in folded)


@lru_cache(maxsize=8192)
def _fold_wide(character: str) -> str:
    """Fold a character beyond Latin-1; "" for what only hides a name: combining, zero-width, direction, variation."""
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return ""
    code = ord(character)
    if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or character in _HIDDEN:
        return ""
    for first in _BOXES:
        if first <= code < first + 26:
            return chr(ord("a") + code - first)
    folded = _fold_one(character)
    return chr(_LATIN_TOO.get(ord(folded), ord(folded)))


def _fold_many(run: str) -> tuple[str, bool]:
    """Fold a run of characters beyond Latin-1; also tell whether one of them looks like a Latin letter."""
    folded = "".join(map(_fold_wide, run))
    return folded, any(ord(one) in _ALIKE for one in run + folded)


_fold_run = lru_cache(maxsize=8192)(_fold_many)  # the same few emojis and quotation marks come again and again


def _unmasked(folded: str, text: str, offsets: Sequence[int]) -> str:
    """Read letters that look Latin as Latin in the words that have Latin letters; a capital by its own looks."""
    letters = list(folded)
    for word in _WORD.finditer(folded):
        if _LATIN_LETTER.search(word[0]):
            for place in range(*word.span()):
                code = ord(letters[place])
                letters[place] = chr(_ALIKE.get(ord(text[offsets[place]]), _ALIKE.get(code, code)))
    return "".join(letters)


def _kept(length: int, dropped: Sequence[int]) -> list[int]:
    offsets: list[int] = []
    behind = 0
    for place in dropped:
        offsets.extend(range(behind, place))
        behind = place + 1
    offsets.extend(range(behind, length))
    return offsets
