"""Find the words of a text that speak of a topic which no label gives: fraud, network, works, crisis and their like."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal, get_args

from listener.match import fold, fold_with_offsets

__all__ = ["TOPICS", "Topic", "find", "find_words"]

Topic = Literal[
    "theft",
    "theft_hint",
    "scam",
    "scam_hint",
    "network",
    "care",
    "dealer",
    "supplier",
    "works",
    "community",
    "crisis",
    "legal",
    "safety",
    "job",
    "stop",
    "sanction",
    "no_sanction",
]  # a table of topics.toml each
TOPICS: tuple[Topic, ...] = get_args(Topic)

_GAP = r"(?:[^\w.!?;]+\w+){0,4}?[^\w.!?;]+"  # up to four words, never past the end of a sentence


@lru_cache(maxsize=4096)  # a decision asks again for every "what would have changed it"
def find(text: str, topic: Topic) -> tuple[str, ...]:
    """Give the words of a text that speak of a topic, as they stand in it, in order, each once."""
    return _search(_pattern(_cues()[topic]), text)


def find_words(text: str, words: Iterable[str]) -> tuple[str, ...]:
    """Give which of these words or phrases stand in a text; `*` ends a word freely, `...` leaves up to four words."""
    cues = tuple(words)
    return _search(_pattern(cues), text) if cues else ()


@cache
def _cues() -> Mapping[str, tuple[str, ...]]:
    tables = tomllib.loads((Path(__file__).parent / "topics.toml").read_text("utf-8"))
    return {name: tuple(cue for cues in table.values() for cue in cues) for name, table in tables.items()}


@lru_cache(maxsize=512)
def _pattern(cues: tuple[str, ...]) -> re.Pattern[str]:
    # The longest cue first, so that "sin señal" is quoted and not "señal".
    folded = sorted({fold(cue).strip() for cue in cues} - {""}, key=lambda cue: (-len(cue), cue))
    choices = "|".join(_expression(cue) for cue in folded)
    return re.compile(rf"(?<!\w)(?:{choices})(?!\w)" if choices else r"(?!)")


def _expression(cue: str) -> str:
    parts: list[str] = []
    for word in cue.split():
        if word == "...":
            parts.append(_GAP)
            continue
        if parts and parts[-1] != _GAP:
            parts.append(r"[^\w.!?;]+")
        parts.append(re.escape(word.rstrip("*")) + (r"\w*" if word.endswith("*") else ""))
    return "".join(parts)


def _search(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    folded, offsets = fold_with_offsets(text)
    found: dict[str, str] = {}
    for hit in pattern.finditer(folded):
        found.setdefault(hit.group(), text[offsets[hit.start()] : offsets[hit.end() - 1] + 1])
    return tuple(found.values())
