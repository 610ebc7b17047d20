"""Choose which of several entities of one name a post means: Claro of Peru, of Mexico, of Chile.

Only what a machine cannot mistake decides here: an account, hashtag or name that one of them alone has, who writes,
where the platform places the post, the language. Without such evidence the post mentions each, and
`sentiment.relevance` weighs what the text says of places, with its reasons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from listener.fold import fold
from listener.mention import Brand, Post, Term

__all__ = ["Entities", "is_namesake"]

_COUNTRIES = {  # where a language is what most posts are written in; Spanish and English share two
    "es": "AR BO CL CO CR CU DO EC ES GQ GT HN MX NI PA PE PR PY SV UY VE US",
    "pt": "AO BR CV GW MZ PT ST TL",
    "en": "AU CA GB GH IE IN JM KE NG NZ PH PR SG TT US ZA",
}
_SPOKEN = {lang: frozenset(countries.split()) for lang, countries in _COUNTRIES.items()}
_TELLING = frozenset().union(*_SPOKEN.values())  # of the other countries we do not know what they speak


def is_namesake(one: Brand, other: Brand) -> bool:
    """Tell whether two brands are entities of one name in two countries."""
    apart = one.country is not None and other.country is not None and one.country != other.country
    return apart and fold(one.name).strip() == fold(other.name).strip()


class Entities:
    """Know which brands of a set are entities of one name, and choose among them."""

    def __init__(self, brands: Sequence[Brand]) -> None:
        by_name: dict[str, list[Brand]] = {}
        for brand in brands:
            if brand.country is not None:
                by_name.setdefault(fold(brand.name).strip(), []).append(brand)
        self._groups = [tuple(group) for group in by_name.values() if len({one.country for one in group}) > 1]

    def choose(self, post: Post, found: Mapping[str, Sequence[Term]]) -> frozenset[str]:
        """Give the keys, among those found, of the brands that a post mentions."""
        kept = set(found)
        for group in self._groups:
            present = [brand for brand in group if brand.key in found]
            if len(present) > 1:
                kept -= {brand.key for brand in present} - {brand.key for brand in _meant(post, present, found)}
        return frozenset(kept)


def _meant(post: Post, present: Sequence[Brand], found: Mapping[str, Sequence[Term]]) -> Sequence[Brand]:
    texts = {brand.key: [fold(term.text) for term in found[brand.key]] for brand in present}
    own = {
        brand.key: [
            term
            for term, text in zip(found[brand.key], texts[brand.key], strict=True)
            if not any(text in texts[other.key] for other in present if other is not brand)
        ]
        for brand in present
    }
    if any(own.values()):
        by_account = any(term.text[0] in "@#＠＃" for terms in own.values() for term in terms)
        spans = [(term.start, term.end) for terms in own.values() for term in terms]
        # "Claro Perú sube y Claro baja": the second may be any other's; beside an account of one it is that one's.
        return [
            brand
            for brand in present
            if own[brand.key] or (not by_account and any(not _inside(term, spans) for term in found[brand.key]))
        ]
    writer = fold(post.author.handle.lstrip("@")) if post.author.handle else None
    writing = [brand for brand in present if writer in {fold(handle) for handle in brand.own_handles}]
    if writing:
        return writing
    placed = [brand for brand in present if brand.country == post.country]
    if placed:
        return placed
    where = _SPOKEN.get((post.lang or "")[:2].lower())
    if where is None:
        return present
    speaking = [brand for brand in present if brand.country in where or brand.country not in _TELLING]
    return speaking or present


def _inside(term: Term, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= term.start and term.end <= end for start, end in spans)
