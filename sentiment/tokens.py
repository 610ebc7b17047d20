"""Read a post as tokens in which the watched brand is BRAND and its competitors are RIVAL, each with its place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from listener.match import Matcher, fold, fold_with_offsets
from listener.mention import Brand, Term
from sentiment.lexicon import ACCOUNT_WORDS, is_ambiguous
from sentiment.places import COUNTRY_WORDS

__all__ = ["BRAND", "LONGEST", "RIVAL", "Namer", "Reading", "account_names", "read"]

BRAND = "BRAND"  # upper case: no folded word looks like it
RIVAL = "RIVAL"
LONGEST = 2000  # characters that are judged; a longer text is cut there, and the verdict says so

_TOKEN = re.compile(
    r"""(?P<url>(?:https?://|www\.)\S+)
      | (?P<handle>@[\w.]*\w)
      | (?P<tag>\#\w+)
      | (?P<stars>[★☆⭐]+)
      | (?P<number>\d+(?:[.,:]\d+)*)
      | (?P<word>[^\W\d_]+(?:['’-][^\W\d_]+)*)
      | (?P<shout>[!?¡¿]+)
      | (?P<stop>[.,;:…]+)
      | (?P<sign>[^\w\s])""",
    re.VERBOSE,
)
_LONG = re.compile(r"(.)\1{2,}")


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold a text as tokens: `words[i]` is normalised, `text[starts[i]:ends[i]]` is what stands in the post."""

    text: str
    words: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    brand: tuple[Term, ...]
    rivals: tuple[Term, ...]
    cut: bool


class Namer:
    """Find where texts name a fixed set of brands, in one scan a text for all of them."""

    def __init__(self, brands: Sequence[Brand]) -> None:
        self.places = {brand: str(place) for place, brand in enumerate(dict.fromkeys(brands))}
        # Two brands may carry one key in different files, so the scan knows them by their place.
        self._matcher = Matcher([replace(brand, key=key) for brand, key in self.places.items()])
        self._squeezed = {brand: _squeezed(brand) for brand in self.places}

    def find(self, text: str) -> dict[str, tuple[Term, ...]]:
        """Give the terms of a text by the brand's place in this set."""
        return self._matcher.find(text)

    def terms(
        self, text: str, found: dict[str, tuple[Term, ...]], accounts: Sequence[Term], brand: Brand
    ) -> tuple[Term, ...]:
        """Give every term of one brand: what the scan found, and accounts that carry its name ("@ClaroPeru")."""
        terms = found.get(self.places[brand], ())
        more = [account for account in accounts if account_names(account.text, self._squeezed[brand])]
        known = {term.start for term in terms} | {term.start - 1 for term in terms}
        return tuple(sorted((*terms, *(one for one in more if one.start not in known)), key=lambda term: term.start))

    def read(self, text: str, brand: Brand, rivals: Sequence[Brand]) -> Reading:
        """Read a text toward one of the brands of this set."""
        cut = text[:LONGEST]
        found = self.find(cut)
        accounts = [Term(*hit.span(), hit.group()) for hit in re.finditer(r"[@#][\w.]*\w", cut)]
        own = self.terms(cut, found, accounts, brand)
        others = [term for rival in rivals for term in self.terms(cut, found, accounts, rival)]
        taken = {place for term in own for place in range(term.start, term.end)}
        others = sorted((term for term in others if term.start not in taken), key=lambda term: term.start)
        return read(cut, own, others, cut=len(text) > LONGEST)


def _squeezed(brand: Brand) -> tuple[tuple[str, bool], ...]:
    """Give the names of a brand without blanks, and whether each is also a common word."""
    names = (re.sub(r"\W", "", fold(name)) for name in dict.fromkeys((brand.name, *brand.names)))
    return tuple((name, is_ambiguous(name)) for name in names if len(name) >= 4)


def account_names(account: str, names: Sequence[tuple[str, bool]]) -> bool:
    """Tell whether an account or hashtag carries one of the names: "@ClaroPeru" does for Claro, "@claroscuro" not."""
    bare = re.sub(r"[\W_]", "", fold(account))
    for name, common in names:
        if bare.startswith(name):
            rest = bare.removeprefix(name)
            if not rest or not common or rest in ACCOUNT_WORDS or rest in COUNTRY_WORDS:
                return True
        elif not common and len(name) >= 6 and name in bare:
            return True
    return False


def read(text: str, brand: Sequence[Term], rivals: Sequence[Term], *, cut: bool = False) -> Reading:
    """Split a text into tokens, with the given terms as BRAND and RIVAL."""
    folded, offsets = fold_with_offsets(text)
    named = sorted([(term.start, term.end, BRAND) for term in brand] + [(t.start, t.end, RIVAL) for t in rivals])
    words: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    place = 0
    done = 0  # end of the last brand term, in the original
    for hit in _TOKEN.finditer(folded):
        start, end = offsets[hit.start()], offsets[hit.end() - 1] + 1
        while place < len(named) and named[place][0] < end:
            if named[place][0] >= done:
                words.append(named[place][2])
                starts.append(named[place][0])
                ends.append(named[place][1])
                done = named[place][1]
            place += 1
        if start < done:
            continue
        word = _normal(hit)
        if len(word) > 3:
            word = _LONG.sub(r"\1\1", word)
        words.append(word)
        starts.append(start)
        ends.append(end)
    return Reading(text, tuple(words), tuple(starts), tuple(ends), tuple(brand), tuple(rivals), cut)


def _normal(hit: re.Match[str]) -> str:
    word = hit.group()
    match hit.lastgroup:
        case "url":
            return "http"
        case "handle":
            return "@user"
        case "tag":
            return word[1:]
        case "number":
            return word if len(word) == 1 else "00"
        case "stars":
            return f"{word.count('★') + word.count('⭐')}★"
        case "shout" | "stop":
            return word[:2]
        case _:
            return word
