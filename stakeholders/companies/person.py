"""Find who is named in a post as speaking for a company, and whether their words are passed on.

Those of `executives` in config.toml are known by name; others by the title that stands beside the company's name
(«Lucía Ferreyros, directora de Brisatel»). Nothing is kept of anybody but what the public post itself says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from listener.fold import fold
from listener.match import Matcher
from listener.mention import Brand, Term
from stakeholders.companies.occasion import cue_words
from stakeholders.deciding.topics import find_words

__all__ = ["People", "Person", "leads"]

_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w'’-]*\.?"
_NAME = rf"{_CAPITAL}(?:[ ](?:(?:de|del|de la|da|do|dos|van)[ ])?{_CAPITAL}){{1,3}}"
_AROUND = 140  # characters before and behind a company's name in which a title is looked for
_SENTENCE = re.compile(r"[.!?](?=\s)|\n")
_QUOTED = re.compile(r"«[^»]{8,}»|“[^”]{8,}”|\"[^\"]{8,}\"")
_FORMER = re.compile(r"(?<!\w)(?:ex|former|antigu[oa]|antes)[ -]?$", re.IGNORECASE)
_SHORT = 4  # letters of a surname that may stand alone


@dataclass(frozen=True, slots=True)
class Person:
    """Hold somebody who speaks for a watched company and is named in a post."""

    name: str
    brand: str  # key of the company
    words: str  # as they stand in the post
    quoted: bool = False  # the post passes on what they said
    cue: str | None = None  # the words that say so


class People:
    """Know the people of a set of brands; built once, asked for many texts."""

    def __init__(self, brands: Sequence[Brand]) -> None:
        self.brands = {brand.key: brand for brand in brands}
        self._known = [(brand.key, name) for brand in brands for name in brand.executives if fold(name).strip()]

    @cached_property
    def _matcher(self) -> Matcher:
        return Matcher([Brand(str(place), name) for place, (_, name) in enumerate(self._known)])

    def find(self, text: str, terms: Mapping[str, Sequence[Term]]) -> tuple[Person, ...]:
        """Find the people named, in the order of the text, each once; `terms` are the words that name each brand.

        Pure; offsets that do not fit the text are left out.
        """
        hits: list[tuple[int, int, str, str]] = []
        if self._known:
            for key, found in self._matcher.find(text).items():
                brand, name = self._known[int(key)]
                hits.extend((term.start, term.end, brand, name) for term in found)
        hits.extend(self._surnames(text, terms))
        for key, names in terms.items():
            if key in self.brands:
                hits.extend(self._titled(text, key, names))
        people: dict[tuple[str, str], Person] = {}
        for start, end, brand, name in sorted(hits):
            kin = next((one for one in people if one[0] == brand and _same(one[1], fold(name))), None)
            if kin is None:
                cue = _speech(text, start, end)
                people[brand, fold(name)] = Person(name, brand, text[start:end], cue is not None, cue)
        return tuple(people.values())

    def _surnames(self, text: str, terms: Mapping[str, Sequence[Term]]) -> list[tuple[int, int, str, str]]:
        """Find a known person by the surname alone, beside the company's name and with no other first name before."""
        found = []
        for brand, name in self._known:
            last = name.split()[-1]
            alone = sum(other.split()[-1] == last for _, other in self._known) == 1
            if len(last) <= _SHORT or not alone or not terms.get(brand):
                continue
            for hit in re.finditer(rf"(?<![\w@#]){re.escape(last)}(?!\w)", text):
                before = text[: hit.start()].rstrip().rpartition(" ")[2]
                capital = before[:1].isupper() and fold(before).strip('.,:«“"') not in cue_words("not_of_a_name")
                if not capital or fold(before).strip(".") in cue_words("titles") or before[-1:] in ".,:;!?":
                    found.append((hit.start(), hit.end(), brand, name))
        return found

    def _titled(self, text: str, key: str, terms: Sequence[Term]) -> list[tuple[int, int, str, str]]:
        """Find a name with a title beside the company's: before it, behind it, or in brackets."""
        own = {fold(word) for name in (self.brands[key].name, *self.brands[key].names) for word in name.split()}
        own -= {fold(word) for name in self.brands[key].executives for word in name.split()}
        found = []
        for term in terms:
            if not 0 <= term.start < term.end <= len(text) or any(
                fold(term.text) == fold(name) for name in self.brands[key].executives
            ):
                continue
            begin = max(0, term.start - _AROUND)
            ends = [hit.end() for hit in _SENTENCE.finditer(text, begin, term.start) if _ends(text, hit.start())]
            begin = ends[-1] if ends else begin
            for pattern in _before():
                if hit := pattern.search(text[begin : term.start]):
                    found.append((begin + hit.start(1), begin + hit.end(1), key, hit[1]))
                    break
            behind = text[term.end : term.end + _AROUND]
            title = _title_before().search(text[begin : term.start]) is not None
            for pattern in (_behind_title(),) + ((_behind_name(),) if title else ()):
                if hit := pattern.match(behind):
                    found.append((term.end + hit.start(1), term.end + hit.end(1), key, hit[1]))
                    break
        return [one for hit in found if (one := _trimmed(text, hit, own)) is not None]


def leads(before: str) -> bool:
    """Tell whether words before a company's name are a title in it: «Gerenta general de », and not «ex gerenta de »."""
    found = _title_before().search(before[-_AROUND:])
    return found is not None and not _FORMER.search(before[: len(before) - len(found[0])])


def _ends(text: str, place: int) -> bool:
    """Tell whether a stop ends a sentence: «Ing. Rosa» goes on."""
    word = text[:place].rpartition(" ")[2]
    return text[place] != "." or len(word) > 3


def _same(one: str, other: str) -> bool:
    """Tell whether two folded names are one person's: equal, or one ends the other (a surname)."""
    return one == other or one.endswith(f" {other}") or other.endswith(f" {one}")


def _trimmed(text: str, hit: tuple[int, int, str, str], own: set[str]) -> tuple[int, int, str, str] | None:
    """Leave out the words before a name that are none («Gran Lucía Ferreyros»); None when no name is left."""
    start, end, key, _ = hit
    words = [(found.start() + start, found[0]) for found in re.finditer(r"\S+", text[start:end])]
    no = {*cue_words("not_of_a_name"), *cue_words("titles"), *cue_words("kinds"), *cue_words("capital_kinds")}
    while words and fold(words[0][1]).strip(".") in no:
        words.pop(0)
    if len(words) < 2 or any(fold(word).strip(".,") in own for _, word in words):
        return None
    return words[0][0], end, key, text[words[0][0] : end].rstrip(".")


def _speech(text: str, start: int, end: int) -> str | None:
    """Give the words by which a post passes on what a person named at start:end said; None when it does not."""
    first = max((hit.end() for hit in _SENTENCE.finditer(text, 0, start) if _ends(text, hit.start())), default=0)
    last = next((hit.start() for hit in _SENTENCE.finditer(text, end) if _ends(text, hit.start())), len(text))
    around = text[max(first, start - _AROUND) : min(last + 1, end + 2 * _AROUND)]
    words = find_words(around, cue_words("speech"))
    if words:
        return words[0]
    quoted = _QUOTED.search(text, max(0, first - 2 * _AROUND), min(len(text), last + 2 * _AROUND))
    return quoted[0][1:-1].strip()[:80] if quoted else None


@lru_cache(maxsize=1)
def _titles() -> str:
    every = sorted({*cue_words("titles")}, key=len, reverse=True)
    return "|".join(re.escape(word) for word in every)


@lru_cache(maxsize=1)
def _before() -> tuple[re.Pattern[str], ...]:
    title = rf"(?i:{_titles()})"
    article = r"(?:(?i:el|la|our|the|o|a|nuestra|nuestro|nossa|nosso)[ ])?"
    return (
        re.compile(rf"(?<!\w)({_NAME})\s?[,(–—-]?\s?{article}{title}(?:[ ,/&-]+[\w/&.-]+){{0,6}}?[ @#,(–—-]*$"),
        re.compile(rf"(?<!\w)({_NAME})\s?[(]@?$"),
        re.compile(rf"(?<!\w)({_NAME})\s?[,]\s(?:de|da|of|from|at)\s@?$"),
    )


@lru_cache(maxsize=1)
def _title_before() -> re.Pattern[str]:
    """Match «la directora comercial de » right before a company's name."""
    return re.compile(rf"(?<!\w)(?i:{_titles()})(?:[ ][\w/&.-]+){{0,5}}?[ ]@?$")


@lru_cache(maxsize=1)
def _behind_title() -> re.Pattern[str]:
    """Match «'s CTO Lucía Ferreyros» behind a company's name."""
    return re.compile(rf"(?:['’]s)?[ ,]+(?i:{_titles()})(?:[ ](?:of|de)?[ ]?[a-z]+){{0,3}}[ ,]+({_NAME})")


@lru_cache(maxsize=1)
def _behind_name() -> re.Pattern[str]:
    """Match «, Lucía Ferreyros» behind a company's name that a title stands before."""
    return re.compile(rf"[ ,–—(-]+({_NAME})")
