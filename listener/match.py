"""Find which brands a post names: one scan for every term of every brand, then checks on the few candidates.

Case, accents and disguises are folded (`listener.fold`), the scan is `listener.scan`, and every hit points to the
characters of the original text. Of one name in several countries `listener.entity` chooses. docs/matching.md tells all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from listener.entity import Entities
from listener.fold import fold, fold_with_offsets, is_gap
from listener.mention import Brand, Mention, Post, Term
from listener.scan import Hit, TermScanner, batches

if TYPE_CHECKING:
    from listener.query.match import Facts
    from listener.query.queries import QuerySet
    from listener.query.tree import Query

__all__ = ["Matcher", "fold", "fold_with_offsets", "spot"]

_WIDE = re.compile(r"[^\x00-\xff]+")
_SOFT = "\xad"  # the soft hyphen


def spot(scanner: TermScanner, texts: Sequence[str]) -> list[list[Hit]]:
    """Fold texts and find a scanner's folded terms in them; every hit points into the text as it came.

    Many texts at once cost a fraction of one by one: those of Latin-1, nine in ten, are folded and scanned joined.
    """
    found: list[list[Hit]] = [[] for _ in texts]
    plain: list[str] = []
    places: list[int] = []
    for place, text in enumerate(texts):
        try:
            text.encode("latin-1")
        except UnicodeEncodeError:
            without = None if scanner.has_marks else _without_marks(text)
            if without is None:
                found[place] = _spot_one(scanner, text)
                continue
            text = without
        plain.append(text)
        places.append(place)
    for first, joined, bounds in batches(plain):
        if _SOFT in joined:  # folding drops it, and every place behind would be another
            rest = [place for place in range(first, first + len(bounds) - 1) if _SOFT not in plain[place]]
            for place in set(range(first, first + len(bounds) - 1)).difference(rest):
                found[places[place]] = _spot_one(scanner, plain[place])
            for place, hits in zip(rest, spot(scanner, [plain[place] for place in rest]), strict=True):
                found[places[place]] = hits
            continue
        for place, start, end, term in scanner.find_joined(fold(joined), bounds):
            found[places[first + place]].append((start, end, term))
    return found


def _spot_one(scanner: TermScanner, text: str) -> list[Hit]:
    folded, offsets = fold_with_offsets(text)
    return [(offsets[start], offsets[end - 1] + 1, term) for start, end, term in scanner.find(folded)]


def _without_marks(text: str) -> str | None:
    """Give a text with "?" for emojis and dashes, which part words as they do; None when it has other letters."""
    return text.encode("latin-1", "replace").decode("latin-1") if all(map(is_gap, _WIDE.findall(text))) else None


class Matcher:
    """Find the mentions of a fixed set of brands; building is cheap, matching costs one scan a text.

    Days in the brands' queries are days of `zone`.
    """

    def __init__(self, brands: Sequence[Brand], zone: str = "UTC") -> None:
        self.brands = tuple(brands)
        self.zone = zone
        self._owners: dict[str, list[tuple[int, bool]]] = {}  # folded term → (brand's place, is an exclusion)
        for place, brand in enumerate(self.brands):
            for term in _terms(brand):
                self._owners.setdefault(term, []).append((place, False))
            for phrase in brand.exclude:
                self._owners.setdefault(fold(phrase).strip(), []).append((place, True))
        self._named = list(self._owners)

    @cached_property
    def _scanner(self) -> TermScanner:
        return TermScanner(self._named, prefixes=False)  # a name is taken as it is written

    @cached_property
    def _entities(self) -> Entities:
        return Entities(self.brands)

    def find(self, text: str) -> dict[str, tuple[Term, ...]]:
        """Give the terms by which a text names each brand, in the order of the text, without overlaps."""
        return self._found(text, _spot_one(self._scanner, text))

    def find_many(self, texts: Sequence[str]) -> list[dict[str, tuple[Term, ...]]]:
        """Give for each text what `find` gives; many texts at once are several times faster."""
        return [self._found(text, hits) for text, hits in zip(texts, spot(self._scanner, texts), strict=True)]

    def mentions(self, post: Post) -> tuple[Mention, ...]:
        """Give one mention for each brand that a post names, whose page it stands on, or whose query it fits.

        Of one name in several countries the post mentions the entities that its evidence leaves (`listener.entity`).
        """
        return self.mentions_many([post])[0]

    def mentions_many(self, posts: Sequence[Post]) -> list[tuple[Mention, ...]]:
        """Give for each post what `mentions` gives; a page at once is several times faster."""
        found = self.find_many([post.text for post in posts])
        asked = self._asked(posts, found)
        return [self._mentions(*one) for one in zip(posts, found, asked, strict=True)]

    def _mentions(
        self, post: Post, found: Mapping[str, tuple[Term, ...]], asked: Mapping[str, tuple[Term, ...]]
    ) -> tuple[Mention, ...]:
        if not found and not asked and post.about is None:
            return ()
        about = fold(post.about) if post.about else None
        here = {
            brand.key for brand in self.brands if about is not None and about in (fold(brand.key), fold(brand.name))
        }
        kept = self._entities.choose(post, found) | here | asked.keys()
        return tuple(
            Mention(post, brand.key, brand.kind, found.get(brand.key) or asked.get(brand.key, ()))
            for brand in self.brands
            if brand.key in kept
        )

    def _found(self, text: str, hits: Iterable[Hit]) -> dict[str, tuple[Term, ...]]:
        spans: dict[int, list[tuple[int, int]]] = {}
        excluded: dict[int, list[tuple[int, int]]] = {}
        for start, end, term in hits:
            for place, excludes in self._owners[self._named[term]]:
                (excluded if excludes else spans).setdefault(place, []).append((start, end))
        found: dict[str, tuple[Term, ...]] = {}
        for place, own in sorted(spans.items()):
            veto = excluded.get(place, ())
            kept = _longest(hit for hit in own if not any(a <= hit[0] and hit[1] <= b for a, b in veto))
            if kept:
                found[self.brands[place].key] = tuple(Term(start, end, text[start:end]) for start, end in kept)
        return found

    @cached_property
    def _queries(self) -> tuple[Mapping[str, Query], QuerySet] | None:
        told = {brand.key: brand.query for brand in self.brands if brand.query}
        if not told:
            return None
        from listener.query.parse import parse
        from listener.query.queries import QuerySet

        queries = {key: parse(text, zone=self.zone) for key, text in told.items()}
        return queries, QuerySet(queries)

    def _asked(
        self, posts: Sequence[Post], found: Sequence[Mapping[str, tuple[Term, ...]]]
    ) -> Iterator[dict[str, tuple[Term, ...]]]:
        """Give, for each post, the brands whose query it fits, each with the words that fitted."""
        if self._queries is None:
            yield from ({} for _ in posts)
            return
        from listener.query.match import facts_of, spans

        queries, chosen = self._queries
        facts: list[Facts] = [facts_of(post, named) for post, named in zip(posts, found, strict=True)]
        for post, keys in zip(posts, chosen.match_many(facts), strict=True):
            yield {key: spans(queries[key], post.text) for key in sorted(keys)}


def _terms(brand: Brand) -> Iterable[str]:
    for name in dict.fromkeys((brand.name, *brand.names)):
        yield fold(name).strip()
    for sign, names in (("@", brand.handles), ("#", brand.hashtags)):
        for name in names:
            if bare := fold(name).strip():
                yield sign + bare


def _longest(hits: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Keep the longest of hits that overlap ("Plan Cristal de Nítido" before "Nítido")."""
    kept: list[tuple[int, int]] = []
    for start, end in sorted(hits, key=lambda hit: (hit[0], -hit[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept
