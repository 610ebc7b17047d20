"""Tell at which business event something was said: those of [[events]] first, then names, hashtags and stages in words.

Every answer quotes the words that decided. An event that is only a stage («en el panel») has no name: unknown, said so.
The words stand in occasions.toml; docs/peers.md tells the rules.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from listener.fold import fold, fold_with_offsets
from listener.reason import N_, Reason, reason
from listener.tables.occasion import EventTable
from stakeholders.deciding.topics import find_words

__all__ = ["Occasion", "cue_words", "find_occasion", "tags_of"]

_LIMIT = 3000  # characters of one post that are read
_CAPITAL = r"(?:[A-ZÀ-ÖØ-Þ][\w'’&.-]*\w|[A-ZÀ-ÖØ-Þ]|(?:19|20)\d\d|’?\d\d(?!\d)|[IVX]+)"
_JOIN = r"(?:(?:de|del|da|do|dos|das|of|on|for|para|e|y|and|sobre)(?:[ ](?:la|las|los|el|the))?[ ]){0,2}"
_PLAIN = str.maketrans("áâãçéêíóôõú", "aaaceeiooou")
_TAG = re.compile(r"[#＃](\w{2,80})")
_YEAR = r"(?:[ -]?(?:(?:19|20)\d\d|’\d\d|'\d\d|[IVX]{1,6}\b))?"


@dataclass(frozen=True, slots=True)
class Occasion:
    """Hold an event that a post names; `name` is None where only a stage is told of."""

    name: str | None
    words: tuple[str, ...]  # as they stand in the post
    configured: bool = False  # it is one of [[events]]

    @property
    def because(self) -> Reason:
        """Say by which words it was known."""
        quoted = "», «".join(self.words)
        if self.configured:
            sentence = N_("The event is {quote_event}, one of yours: the post says «{quote_words}»")
            return reason(sentence, quote_event=self.name or "", quote_words=quoted)
        if self.name is None:
            return reason(N_("It was said at an event that it does not name: «{quote_words}»"), quote_words=quoted)
        return reason(N_("It names an event: «{quote_words}»"), quote_words=quoted)


def find_occasion(text: str, at: datetime, events: Sequence[EventTable], zone: ZoneInfo) -> Occasion | None:
    """Find the event that a post of a moment names; None when it names none.

    One of `events` answers first, on its days in `zone`; then a name that is known or built as events' names are, a
    hashtag of the same kind, and a stage. Pure; never raises for what a post holds.
    """
    text = text[:_LIMIT]
    return _configured(text, at, events, zone) or _known(text) or _built(text) or _tagged(text) or _staged(text)


def tags_of(text: str) -> dict[str, str]:
    """Give the hashtags of a text, folded → as it stands."""
    return {fold(found[1]): found[0] for found in _TAG.finditer(text[:_LIMIT])}


@cache
def cue_words(kind: str) -> tuple[str, ...]:
    """Give the words of a list of occasions.toml; KeyError for a list that is not there."""
    return tuple(_tables()[kind])


@cache
def _tables() -> Mapping[str, Sequence[str]]:
    return tomllib.loads((Path(__file__).parent / "occasions.toml").read_text("utf-8"))


def _configured(text: str, at: datetime, events: Iterable[EventTable], zone: ZoneInfo) -> Occasion | None:
    day = at.astimezone(zone).date()
    tags = tags_of(text)
    for event in events:
        if (event.starts and day < event.starts) or (event.ends and day > event.ends):
            continue
        by_tag = [tags[key] for tag in event.hashtags if (key := fold(tag).strip().lstrip("#")) in tags]
        found = (*by_tag, *find_words(text, (event.name, *event.names)))
        if found:
            return Occasion(event.name, tuple(dict.fromkeys(found)), configured=True)
    return None


def _known(text: str) -> Occasion | None:
    """Find an event's own name; one in capitals is asked for in capitals, since «idea» is a word."""
    found = _known_names().search(text)
    return Occasion(_tidy(found[0]), (_tidy(found[0]),)) if found else None


@lru_cache(maxsize=1)
def _known_names() -> re.Pattern[str]:
    names = sorted(cue_words("names"), key=len, reverse=True)
    return re.compile(rf"(?<![\w@#])(?:{'|'.join(re.escape(name) for name in names)}){_YEAR}(?!\w)")


def _built(text: str) -> Occasion | None:
    """Find a name that is built around a kind: words with capitals behind it, or before it as English does."""
    found = []
    for pattern in _shapes():
        for hit in pattern.finditer(text):
            name = _without_head(_tidy(hit[0]))
            folded = fold(name)
            bare = {word for word in folded.split() if not word.isdigit()} - _every_kind()
            if bare - {fold(word) for word in cue_words("not_of_a_name")} and not any(
                folded == no or folded.startswith(f"{no} ") or folded.endswith(f" {no}") for no in _no_names()
            ):
                found.append(name)
    longest = max(found, key=len, default=None)
    return Occasion(longest, (longest,)) if longest else None


def _without_head(name: str) -> str:
    """Leave out the article or the first word of a sentence before a name: «El XX Congreso…»."""
    words = name.split()
    while len(words) > 1 and fold(words[0]) in cue_words("not_of_a_name"):
        words.pop(0)
    return " ".join(words)


@cache
def _every_kind() -> frozenset[str]:
    return frozenset(fold(kind) for kind in (*cue_words("kinds"), *cue_words("capital_kinds")))


@lru_cache(maxsize=1)
def _shapes() -> tuple[re.Pattern[str], re.Pattern[str]]:
    first = _spellings((*cue_words("kinds"), *_risen(cue_words("capital_kinds"))))
    common = [kind for kind in cue_words("last_kinds") if kind in cue_words("kinds")]  # «third week» is no event
    last = _spellings((*common, *_risen(cue_words("last_kinds"))))
    edition = r"(?:(?:[IVX]{1,6}|\d{1,3}(?:°|º|ª|\.º|th|st|nd|rd)?)[ ])?"
    # «foro Telecom 2026» and «Congreso Latinoamericano de Redes»: what follows has capitals.
    behind = rf"(?<![\w@#]){edition}(?:{first})(?:[ ]{_JOIN}{_CAPITAL}){{1,6}}(?!\w)"
    before = rf"(?<![\w@#])(?:{_CAPITAL}[ ]){{1,5}}(?:{last})(?:[ ](?:19|20)\d\d)?(?!\w)"
    return re.compile(behind), re.compile(before)


def _risen(kinds: Iterable[str]) -> tuple[str, ...]:
    return tuple(kind[0].upper() + kind[1:] for kind in kinds)


def _spellings(kinds: Sequence[str]) -> str:
    """Give every way to write words in a pattern: as they are, without their accents, with a capital, in capitals."""
    written = [way for kind in kinds for way in (kind, kind.translate(_PLAIN))]
    return "|".join(
        re.escape(way) for way in dict.fromkeys((*written, *_risen(written), *(w.upper() for w in written)))
    )


@cache
def _no_names() -> tuple[str, ...]:
    return tuple(fold(name) for name in cue_words("not_names"))


def _tagged(text: str) -> Occasion | None:
    """Find a hashtag that holds a kind and something besides, or a known name with its year: #CumbreTelecom2026."""
    for folded, tag in tags_of(text).items():
        bare = folded.rstrip("0123456789")
        if any(bare == fold(name).replace(" ", "") for name in cue_words("names")):
            return Occasion(tag, (tag,))
        if folded in {no.replace(" ", "") for no in _no_names()}:
            continue
        for kind in _every_kind():
            if len(kind) < 5 and kind not in ("foro", "expo"):
                continue  # «week» and «gala» stand inside other words
            if (bare.startswith(kind) or bare.endswith(kind)) and folded != kind:
                return Occasion(tag, (tag,))
    return None


def _staged(text: str) -> Occasion | None:
    folded, _ = fold_with_offsets(text)
    for no in _no_names():
        if no in folded:
            return None
    # «Mesa Redonda» with capitals is a place.
    found = [words for words in find_words(text, cue_words("stages")) if not (" " in words and words.istitle())]
    return Occasion(None, tuple(found[:2])) if found else None


def _tidy(name: str) -> str:
    return " ".join(name.split()).rstrip(".,;:-")[:80]
