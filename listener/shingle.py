"""Read a text for comparing: its folded words without noise, the hashes of every three in a row, figures and names.

Shingles: Broder, "On the resemblance and containment of documents", SEQUENCES 1997.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

from listener.fold import fold
from listener.scan import blank

__all__ = ["Reading", "Words", "mask_of", "normalise", "read_text", "words_of"]

Words = tuple[int, list[int], str, str]  # see words_of

_NOISE = re.compile(r"(?i:https?://\S*|www\.\S*)|(?<!\w)@\w+")  # links and handles change from copy to copy
_FIGURE = re.compile(r"[0-9]+(?:[.,:][0-9]+)*")
_NAME = re.compile(r" [A-ZÀ-ÖØ-Þ]\w+")
_DIGIT = re.compile("[0-9]")
_BITS = 0xFFFFFFFFFFFFFFFF
_NONE: frozenset[int] = frozenset()
_FARTHEST = 6_000  # characters in which names and figures are looked for
_LONGEST = 300  # words that are compared; two long articles that begin with the same 300 are one

# A day tells two messages of one form apart as a name does, whatever its first letter.
_DAYS = frozenset(
    crc32(day.encode())
    for day in [
        "lunes",
        "martes",
        "miercoles",
        "jueves",
        "viernes",
        "sabado",
        "domingo",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "segunda",
        "terca",
        "quarta",
        "quinta",
        "sexta",
    ]
)


def normalise(text: str) -> tuple[str, ...]:
    """Give the folded words of a text without links, handles, punctuation and the RT mark."""
    return tuple(word.decode("utf-8", "replace") for word in _words(fold(_quiet(text))))


def _quiet(text: str) -> str:
    return _NOISE.sub(" ", text) if "@" in text or "://" in text or "ww." in text or "WW." in text else text


def _words(folded: str) -> list[bytes]:
    words = blank(folded).split()
    return words[1:] if words[:1] == [b"rt"] else words


class Reading(NamedTuple):
    """Hold what is compared of a text, as hashes of 32 bits."""

    exact: int  # 64 bits
    length: int  # in words
    shingles: frozenset[int] = frozenset()
    words: frozenset[int] = frozenset()
    figures: frozenset[int] = frozenset()
    names: frozenset[int] = frozenset()  # with the days of the week


def read_text(text: str, told: Words | None = None) -> Reading:
    """Read a text for comparing; under four words there are no shingles, and only the exact text tells."""
    exact, hashes, folded, quiet = told or words_of(text)
    if len(hashes) < 4:
        return Reading(exact, len(hashes))
    length = len(hashes)
    del hashes[_LONGEST:]
    threes = array("q", map(hash, zip(hashes, hashes[1:], hashes[2:], strict=False)))
    shingles = frozenset(memoryview(threes).cast("B").cast("I")[::2])  # of 64 bits half are enough
    words = frozenset(hashes)
    names = _names(folded, quiet) | (words & _DAYS)
    return Reading(exact, length, shingles, words, _figures(folded), names)


def _figures(folded: str) -> frozenset[int]:
    """Give the hashes of the figures of a text, not of those within words; one told a second time is another."""
    if not _DIGIT.search(folded):
        return _NONE
    times: dict[str, int] = {}
    found = []
    for hit in _FIGURE.finditer(folded, 0, _FARTHEST):
        start, end = hit.span()
        if not (folded[start - 1 : start].isalpha() or folded[end : end + 1].isalpha()):
            figure = hit[0].replace(",", ".")
            times[figure] = times.get(figure, 0) + 1
            found.append(crc32(f"{figure}/{times[figure]}".encode()))
    return frozenset(found)


def _names(folded: str, quiet: str) -> frozenset[int]:
    """Give the hashes of the words that have a capital within a sentence."""
    found = []
    straight = len(folded) == len(quiet)  # what was folded stands where it stood
    for hit in _NAME.finditer(quiet, 0, _FARTHEST):
        start, end = hit.span()
        before = quiet[start - 1 : start]
        if before.islower() or before == "," or before.isdigit():
            name = folded[start + 1 : end] if straight else fold(quiet[start + 1 : end])
            found.append(crc32(name.encode("utf-8", "replace")))
    return frozenset(found) if found else _NONE


def words_of(text: str) -> Words:
    """Give the hash of a text's words, 64 bits; those of each word; and the text without noise, folded and as it came.

    Python's hash() of numbers, unlike that of texts, is the same in every process.
    """
    quiet = _quiet(text)
    folded = fold(quiet)
    hashes = list(map(crc32, _words(folded)))
    if not hashes:  # a smile, a link: the text as it stands is all there is
        told = text.strip()
        return hash((crc32(told.encode("utf-8", "replace")), len(told), -1)) & _BITS, hashes, folded, quiet
    return hash(tuple(hashes)) & _BITS, hashes, folded, quiet


def mask_of(figures: Iterable[int]) -> int:
    """Give 64 bits, one for each figure: a bit that only one of two texts has is a figure that only one has."""
    mask = 0
    for one in figures:
        mask |= 1 << (one & 63)
    return mask
