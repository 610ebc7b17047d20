"""Know the words by which people and bodies say who they are: in their name, in their bio, and in what they write.

The words stand in cues.toml as patterns over folded text (no case, no accents) in Spanish, English and Portuguese;
every answer quotes the very words that decided. Texts are cut to a length first, so that a hostile one costs no more.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from listener.match import fold_with_offsets
from listener.mention import Author
from listener.taxonomy import Stakeholder

__all__ = ["Cue", "affiliations", "is_parody", "profile_cue", "text_cue"]

WORDS = Path(__file__).parent / "cues.toml"
BIO_LIMIT, NAME_LIMIT, TEXT_LIMIT = 600, 120, 3000
NO_MORE = "".join(
    f"(?<!{word})"
    for word in ("ex ", "ex-", "former ", "futura ", "futuro ", "estudiante de ", "casi ", "hijo de ", "hija de ")
)
# What somebody else says is theirs, not the writer's.
SPEECH = re.compile(r"«[^»]*»|“[^”]*”|\"[^\"]*\"")
CLAUSE = re.compile(r"[.;|\n·]")
WORD = re.compile(r"[^\s,]+")
JOINT = re.compile(r"(?:(?<!\w)(?:en|de|del|da|do|na|no|at|for|of)(?!\w) ?(?:el |la |los |las )?|[,@|·-] ?@?)")


@dataclass(frozen=True, slots=True)
class Cue:
    """Hold what some words say: the stakeholder, the words themselves, how reliable, and if a person speaks."""

    stakeholder: Stakeholder
    quote: str
    confidence: float
    person: bool = False


@dataclass(frozen=True, slots=True)
class _Rule:
    stakeholder: Stakeholder
    pattern: re.Pattern[str]
    confidence: float
    person: bool = False


@dataclass(frozen=True, slots=True)
class _Lexicon:
    name: tuple[_Rule, ...]
    bio: tuple[_Rule, ...]
    text: tuple[Mapping[str, Any], ...]
    customer: _Rule
    parody: re.Pattern[str]
    title: re.Pattern[str]
    leads: re.Pattern[str]


def _either(words: Sequence[str], before: str = r"(?<![\w@#])") -> re.Pattern[str]:
    return re.compile(rf"{before}(?:{'|'.join(words)})(?!\w)")


def _rule(row: Mapping[str, Any]) -> _Rule:
    begins = row.get("begins")
    words = [*([rf"(?:{'|'.join(begins)})\b.*"] if begins else []), *row.get("words", ())]
    before = NO_MORE if row.get("not_former") else ""
    pattern = re.compile(rf"(?<![\w@#]){before}(?:{'|'.join(words)})(?!\w)")
    return _Rule(row["stakeholder"], pattern, row["confidence"], row.get("person", False))


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    """Read the words once, when first asked."""
    with WORDS.open("rb") as lines:
        table = tomllib.load(lines)
    customer = table["customer"]
    things = f"(?:{'|'.join(customer['things'])})"
    return _Lexicon(
        tuple(_rule(row) for row in table["name"]),
        tuple(_rule(row) for row in table["bio"]),
        tuple(table["text"]),
        _Rule(
            "customer", _either([word.replace("{thing}", things) for word in customer["words"]]), customer["confidence"]
        ),
        _either(table["parody"]["words"], r"(?<![a-z])"),
        _either(table["titles"]["words"], r"(?<!\w)"),
        re.compile("|".join(table["titles"]["leads"])),
    )


def _quote(original: str, offsets: Sequence[int], start: int, end: int) -> str:
    """Cut the words out of the text as they were written."""
    if start >= end:
        return ""
    return original[offsets[start] : offsets[end - 1] + 1].strip()[:80]


def _search(rules: Sequence[_Rule], original: str | None, limit: int) -> Cue | None:
    if not original:
        return None
    original = original[:limit]
    folded, offsets = fold_with_offsets(original)
    for rule in rules:
        if found := rule.pattern.search(folded):
            quote = _quote(original, offsets, found.start(), found.end())
            return Cue(rule.stakeholder, quote, rule.confidence, rule.person)
    return None


def _whole(rules: Sequence[_Rule], original: str | None) -> Cue | None:
    """Match names from their beginning to their end: «Radio Cumbre» is a station, «Ana de la Radio» is not."""
    if not original:
        return None
    folded, _ = fold_with_offsets(" ".join(original[:NAME_LIMIT].split()))
    for rule in rules:
        if rule.pattern.fullmatch(folded):
            return Cue(rule.stakeholder, original.strip()[:80], rule.confidence, rule.person)
    return None


def is_parody(author: Author) -> str | None:
    """Give the words by which an account says that it jokes or is nobody's official voice, else None."""
    for field, limit in ((author.name, NAME_LIMIT), (author.bio, BIO_LIMIT), (author.handle, NAME_LIMIT)):
        if not field:
            continue
        folded, offsets = fold_with_offsets(field[:limit])
        if found := _lexicon().parody.search(folded.replace("_", " ")):
            return _quote(field, offsets, found.start(), found.end())
    return None


def profile_cue(author: Author) -> Cue | None:
    """Read from the name and the bio who an account says it is; None when they say nothing telling."""
    return _whole(_lexicon().name, author.name) or _search(_lexicon().bio, author.bio, BIO_LIMIT)


def affiliations(bio: str | None) -> Iterator[tuple[str, str, bool]]:
    """Yield (words, folded name of a possible employer, whether they speak for it) from «periodista en Canal Andes»."""
    if not bio:
        return
    original = bio[:BIO_LIMIT]
    folded, offsets = fold_with_offsets(original)
    for title in list(_lexicon().title.finditer(folded))[:4]:
        clause = CLAUSE.search(folded, title.end())
        stop = min(clause.start() if clause else len(folded), title.end() + 80)
        starts = [title.end()] if title.group() in ("ex", "antes") else []
        starts += [of.end() for of in JOINT.finditer(folded, title.end(), stop)][:3]
        for start in starts:
            words = list(WORD.finditer(folded, start, stop))[:6]
            for last in reversed(words):
                name = " ".join(folded[words[0].start() : last.end()].split()).lstrip("@")
                quote = _quote(original, offsets, title.start(), last.end())
                yield quote, name, bool(_lexicon().leads.match(title.group()))


@lru_cache(maxsize=64)
def _text_rules(names: tuple[str, ...]) -> tuple[_Rule, ...]:
    """Fill the names of a brand into the patterns that ask for them."""
    known = "|".join(re.escape(name) for name in names if name) or r"\Z\A"
    return tuple(
        _Rule(
            row["stakeholder"],
            _either([word.replace("{x}", f"[@#]?(?:{known})") for word in row["words"]]),
            row["confidence"],
            person=True,
        )
        for row in _lexicon().text
    )


def text_cue(text: str, brand_names: Sequence[str]) -> Cue | None:
    """Read from a text who writes it: staff and candidates, dealers, then first-person customers; None when open.

    `brand_names` are the folded names of the brand; quoted speech of others is not read as the writer's own.
    """
    original = text[:TEXT_LIMIT]
    folded, offsets = fold_with_offsets(original)
    plain = SPEECH.sub(lambda found: " " * len(found.group()), folded)
    for rule in (*_text_rules(tuple(brand_names)), _lexicon().customer):
        if found := rule.pattern.search(plain):
            if rule.stakeholder == "press" and _lexicon().customer.pattern.search(plain):
                continue  # a journalist has a phone bill too
            quote = _quote(original, offsets, found.start(), found.end())
            return Cue(rule.stakeholder, quote, rule.confidence, person=True)
    return None
