"""Find posts that say the same: exact text first, then word 3-shingles with a vote and a check; pure, in memory.

A text votes for the earlier ones with which it shares shingles; from 30 % on, Jaccard and containment decide, since an
unverified vote merges strangers (docs/routing.md). Shingles: Broder, "On the resemblance and containment of
documents", SEQUENCES 1997. What is older than the window never matches; an hourly ring forgets the oldest.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from sys import intern
from typing import Any

from listener.match import fold
from listener.mention import aware

__all__ = ["Gatherer", "normalise"]

_NOISE = re.compile(r"https?://\S*|www\.\S*|(?<!\w)@\w+")  # links and handles change from copy to copy
_WORD = re.compile(r"\w+")
_VOTE = 0.30
_JACCARD = 0.50
_CONTAINED = 0.80
_REWORDED = 0.65  # of the words, order aside
_SIZE = 8  # shingles of the smaller text from which "one stands inside the other" says something
_CROWD = 64  # holders kept of one shingle: a phrase that everyone writes tells nothing


def normalise(text: str) -> tuple[str, ...]:
    """Give the folded words of a text without links, handles, punctuation and the RT mark."""
    words = _WORD.findall(_NOISE.sub(" ", fold(text)))
    return tuple(intern(word) for word in (words[1:] if words[:1] == ["rt"] else words))


@dataclass(frozen=True, slots=True)
class _Kept:
    exact: int
    shingles: frozenset[int]
    words: frozenset[str]
    at: datetime


class Gatherer:
    """Remember the texts of one brand; brands never gather, so each has its own."""

    def __init__(self, window: timedelta = timedelta(days=14), most: int = 20_000) -> None:
        self.window = window
        self.most = most
        self._kept: dict[int, _Kept] = {}
        self._exact: dict[int, list[int]] = {}
        self._holders: dict[int, list[int]] = {}
        self._ring: dict[int, list[int]] = {}  # hour of the text → ids, to forget the oldest hours first

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, key: int, text: str, at: datetime) -> None:
        """Remember a text under an id; a second time for the same id changes nothing, too short a text is left out."""
        if key in self._kept:
            return
        words = normalise(text)
        if len(words) < 3:
            return
        kept = _Kept(_hash(" ".join(words)), _shingles(words), frozenset(words), aware(at))
        self._kept[key] = kept
        self._exact.setdefault(kept.exact, []).append(key)
        for shingle in kept.shingles:
            holders = self._holders.setdefault(shingle, [])
            holders.append(key)
            del holders[:-_CROWD]
        self._ring.setdefault(int(kept.at.timestamp() // 3600), []).append(key)
        while len(self._kept) > self.most:
            self._forget(min(self._ring))

    def find(self, text: str, at: datetime) -> int | None:
        """Give the id of the text that says the same, the nearest one; None when there is none."""
        found = self.matches(text, at)
        return found[0] if found else None

    def matches(self, text: str, at: datetime) -> list[int]:
        """Give the ids of all that say the same within the window, the nearest first, then the latest."""
        words = normalise(text)
        at = aware(at)
        if len(words) < 3:
            return []
        scores = {key: 1.0 for key in self._exact.get(_hash(" ".join(words)), ()) if self._near(key, at)}
        shingles = _shingles(words)
        votes = Counter(key for shingle in shingles for key in self._holders.get(shingle, ()))
        for key, shared in votes.items():
            if key in scores or shared < _VOTE * len(shingles) or not self._near(key, at):
                continue
            other = self._kept[key]
            if _alike(shingles, frozenset(words), other):
                scores[key] = _jaccard(shingles, other.shingles)
        return sorted(scores, key=lambda key: (-scores[key], -self._kept[key].at.timestamp(), -key))

    def _near(self, key: int, at: datetime) -> bool:
        return key in self._kept and abs(at - self._kept[key].at) <= self.window

    def _forget(self, hour: int) -> None:
        for key in self._ring.pop(hour):
            kept = self._kept.pop(key)
            self._exact[kept.exact].remove(key)
            if not self._exact[kept.exact]:
                del self._exact[kept.exact]
            for shingle in kept.shingles:
                holders = self._holders.get(shingle)
                if holders is not None and key in holders:
                    holders.remove(key)
                    if not holders:
                        del self._holders[shingle]


def _alike(shingles: frozenset[int], words: frozenset[str], other: _Kept) -> bool:
    """Check a candidate of the vote: most shingles, one text inside the other, or the same words turned."""
    if _jaccard(shingles, other.shingles) >= _JACCARD:
        return True
    smaller = min(len(shingles), len(other.shingles))
    if smaller < _SIZE:
        return False  # "no signal in Surco since yesterday" and "… in Lince …" are two people with two faults
    return len(shingles & other.shingles) >= _CONTAINED * smaller or _jaccard(words, other.words) >= _REWORDED


def _jaccard(one: frozenset[Any], other: frozenset[Any]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def _shingles(words: tuple[str, ...]) -> frozenset[int]:
    """Give the hashes of every three words in a row; texts under four words have none and only match exactly."""
    if len(words) < 4:
        return frozenset()
    return frozenset(_hash(" ".join(three)) for three in zip(words, words[1:], words[2:], strict=False))


def _hash(text: str) -> int:
    # Python's own hash() differs from process to process.
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())
