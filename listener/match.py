"""Find which brands a post names: one scan for every term of every brand, then checks on the few candidates.

Case and accents are folded, zero-width and full-width tricks undone, and every hit points to the characters of the
original text. Scan: Aho and Corasick, "Efficient string matching", CACM 18(6), 1975, through pyahocorasick.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from listener.mention import Brand, Mention, Post, Term

__all__ = ["Matcher", "fold", "fold_with_offsets"]


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
    """Fold case and accents, keeping one character for one when the text is Latin-1."""
    return fold_with_offsets(text)[0]


def fold_with_offsets(text: str) -> tuple[str, Sequence[int]]:
    """Fold a text; the second value gives, for each folded character, its place in the original."""
    try:
        return text.encode("latin-1").translate(_LATIN).decode("latin-1"), range(len(text))
    except UnicodeEncodeError:
        pass
    folded: list[str] = []
    offsets: list[int] = []
    for place, character in enumerate(text):
        code = ord(character)
        if code < 256:
            folded.append(chr(_LATIN[code]))
            offsets.append(place)
            continue
        # Combining marks, zero-width and direction characters only hide a name: they are left out of the scan.
        if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
            continue
        folded.append(_fold_one(character))
        offsets.append(place)
    return "".join(folded), offsets


def _is_word(character: str) -> bool:
    return character.isalnum() or character in "_@#"


class Matcher:
    """Find the mentions of a fixed set of brands; building is cheap, matching costs one scan a text."""

    def __init__(self, brands: Sequence[Brand]) -> None:
        self.brands = tuple(brands)

    @cached_property
    def _automaton(self) -> Any:
        import ahocorasick

        owners: dict[str, list[tuple[int, bool]]] = {}  # folded term → (brand's place, is an exclusion)
        for place, brand in enumerate(self.brands):
            for term in _terms(brand):
                owners.setdefault(term, []).append((place, False))
            for phrase in brand.exclude:
                owners.setdefault(fold(phrase).strip(), []).append((place, True))
        automaton = ahocorasick.Automaton()
        for term, whose in owners.items():
            if term:
                automaton.add_word(term, (len(term), tuple(whose)))
        automaton.make_automaton()
        return automaton

    def find(self, text: str) -> dict[str, tuple[Term, ...]]:
        """Give the terms by which a text names each brand, in the order of the text, without overlaps."""
        if not len(self._automaton):
            return {}
        folded, offsets = fold_with_offsets(text)
        spans: dict[int, list[tuple[int, int]]] = {}
        excluded: dict[int, list[tuple[int, int]]] = {}
        for last, (length, whose) in self._automaton.iter(folded):
            start, end = last + 1 - length, last + 1
            # A term is a whole word: "@claro" is a handle and not the name, "aclaro" is another word.
            if start > 0 and _is_word(folded[start - 1]) and _is_word(folded[start]):
                continue
            if end < len(folded) and _is_word(folded[end]) and folded[end] not in "@#" and _is_word(folded[last]):
                continue
            for place, excludes in whose:
                (excluded if excludes else spans).setdefault(place, []).append((start, end))
        found: dict[str, tuple[Term, ...]] = {}
        for place, hits in sorted(spans.items()):
            veto = excluded.get(place, ())
            kept = _longest(hit for hit in hits if not any(a <= hit[0] and hit[1] <= b for a, b in veto))
            terms = tuple(
                Term(offsets[start], offsets[end - 1] + 1, text[offsets[start] : offsets[end - 1] + 1])
                for start, end in kept
            )
            if terms:
                found[self.brands[place].key] = terms
        return found

    def mentions(self, post: Post) -> tuple[Mention, ...]:
        """Give one mention for each brand that a post names, or whose page it stands on."""
        found = self.find(post.text)
        about = fold(post.about) if post.about else None
        return tuple(
            Mention(post, brand.key, brand.kind, found.get(brand.key, ()))
            for brand in self.brands
            if brand.key in found or (about is not None and about in (fold(brand.key), fold(brand.name)))
        )


def _terms(brand: Brand) -> Iterable[str]:
    for name in dict.fromkeys((brand.name, *brand.names)):
        yield fold(name).strip()
    for handle in brand.handles:
        yield "@" + fold(handle)
    for tag in brand.hashtags:
        yield "#" + fold(tag)


def _longest(hits: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Keep the longest of hits that overlap ("Plan Cristal de Nítido" before "Nítido")."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept
