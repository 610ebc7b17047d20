"""Cut a text into the words that queries speak of: runs of letters, digits and _, with an @ or # before them.

A sign inside a run ends the word and what follows is none ("mail@claro" holds "mail" and no "@claro"), as in the
matcher of names: «claro» is neither "@claro" nor "aclaro". Case, accents and disguises are folded by `listener.fold`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from listener.fold import fold, fold_with_offsets

__all__ = ["LONGEST", "cut", "words_of"]

LONGEST = 128  # characters of a word that count; a query's own words are shorter
_MOST = 20_000  # words of a text that count: what one full-text row of PostgreSQL can hold (1 MB), the same everywhere
_FARTHEST = 200_000  # characters
_WORD = re.compile(r"(?<![\w@#])[@#]?\w+")
_START = re.compile(r"[@#]?\w+")


def _is_word(character: str) -> bool:
    return character.isalnum() or character in "_@#"


def _latin() -> tuple[bytes, bytes]:
    """Make the table that folds Latin-1 and blanks what is no word, and the characters that folding drops."""
    table, dropped = bytearray(range(256)), bytearray()
    for code in range(256):
        folded = fold(chr(code))
        if not folded:
            dropped.append(code)
        table[code] = ord(folded) if len(folded) == 1 and ord(folded) < 256 and _is_word(folded) else 32
    dropped.append(0)  # no database keeps a NUL
    return bytes(table), bytes(set(dropped))


_TABLE, _DROPPED = _latin()


def words_of(text: str) -> list[str]:
    """Give the folded words of a text in their order, at most 20,000 of its first 200,000 characters."""
    if len(text) > _FARTHEST:
        text = text[:_FARTHEST]
    try:
        # One table folds and cuts at once: nine in ten texts, at a quarter of what a regular expression takes.
        plain = text.encode("latin-1").translate(_TABLE, _DROPPED).decode("latin-1")
    except UnicodeEncodeError:
        found = _WORD.findall(fold(text.replace("\x00", "")))
    else:
        found = plain.split()
        if not (_signs_lead(plain, "@") and _signs_lead(plain, "#")):
            found = [match.group() for run in found if (match := _START.match(run))]
    return _bounded(found, len(text))


def _signs_lead(plain: str, sign: str) -> bool:
    """Tell whether each sign stands before a word, as nearly all do; counting is cheaper than looking at every word."""
    count = plain.count(sign)
    if not count:
        return True
    leading = plain.count(" " + sign) + plain.startswith(sign)
    return count == leading and sign + " " not in plain and not plain.endswith(sign)


def _bounded(words: list[str], size: int) -> list[str]:
    """Cut what is too long; `size` is that of the text, in which every word but one takes two characters or more."""
    if len(words) > _MOST:
        words = words[:_MOST]
    if size - 2 * len(words) >= LONGEST - 2 and words and max(map(len, words)) > LONGEST:
        words = [word[:LONGEST] for word in words]
    return words


def cut(text: str) -> list[tuple[str, int, int]]:
    """Give the words of a text with their places in it, text[start:end], for marking what was found."""
    kept: Sequence[int] = range(len(text[:_FARTHEST]))
    plain = text[:_FARTHEST]
    if "\x00" in plain:  # which no database keeps: what stands around it is one word
        kept = [place for place in kept if plain[place] != "\x00"]
        plain = plain.replace("\x00", "")
    folded, offsets = fold_with_offsets(plain)
    spans = (match.span() for match in _WORD.finditer(folded))
    return [
        (folded[start:end][:LONGEST], kept[offsets[start]], kept[offsets[end - 1]] + 1)
        for _, (start, end) in zip(range(_MOST), spans, strict=False)
    ]
