"""Turn a reading into hashed features: words, word pairs, letters and the brand's surroundings, the same everywhere.

Hashing: Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009. Words go through CRC-32,
letter n-grams through a polynomial over code points; Python's own hash() is salted and is never used.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from listener.match import fold
from sentiment.cues import cues_at
from sentiment.lexicon import (
    ARTICLES,
    BAD,
    BETTER,
    GOOD,
    HARMS,
    HELPS,
    INTENSIFIERS,
    NEGATIONS,
    PREPOSITIONS,
    THAN,
    TRADES,
    TURNS,
    WORSE,
)
from sentiment.tokens import BRAND, RIVAL, Reading

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Indices = npt.NDArray[np.uint32]
    Values = npt.NDArray[np.float32]

__all__ = ["HASHED", "SPACE", "Features", "extract", "signs", "word_features"]

_BITS, _SIGN_BITS = 18, 12
HASHED = 1 << _BITS  # words and letters share these places; signs stand behind them
SPACE = HASHED + (1 << _SIGN_BITS)
_SHORTEST, _LONGEST_GRAM = 2, 5  # letters
_WEIGHTS = (1.0, 1.0, 0.5)  # words, letters, signs: length of each block
_NEGATED = 3  # tokens behind a negation that carry it
_MANY = 400  # tokens: more than any 2,000 characters of prose hold


@dataclass(frozen=True, slots=True)
class Features:
    """Hold what a text counts, and for each occurrence of a feature the token it came from (-1: the whole text)."""

    indices: Indices  # each feature once, block after block
    counts: Values  # how often, as 1 + log n
    blocks: tuple[int, ...]  # where each block ends
    occurrence: npt.NDArray[np.intp]  # place in `indices` of each occurrence
    times: npt.NDArray[np.intp]  # how often each feature occurs
    token: npt.NDArray[np.int32]  # token of each occurrence

    def weighed(self, rarity: Values) -> Values:
        """Give the values a head works with: counts by rarity (SPACE wide), each block scaled to its fixed length."""
        import numpy as np

        values = self.counts * rarity[self.indices]
        start = 0
        for end, weight in zip(self.blocks, _WEIGHTS, strict=True):
            part = values[start:end]
            length = float(np.sqrt((part.astype(np.float64) ** 2).sum()))
            if length:
                part *= np.float32(weight / length)
            start = end
        return values


def word_features(reading: Reading) -> Iterator[tuple[str, int]]:
    """Yield words, pairs and negated words with the token each stands at; what is said of a rival is kept apart."""
    before = "<"
    negated = 0
    side = _sides(reading)
    for place, word in enumerate(reading.words[:_MANY]):
        named = f"{RIVAL}:{word}" if side[place] else word
        yield named, place
        yield f"{before} {named}", place
        if negated:
            yield f"no_{word}", place
            negated -= 1
        if word in NEGATIONS:
            negated = _NEGATED
        elif word[0] in ".,;:!?…":
            negated = 0
        before = word
    yield f"{before} >", min(len(reading.words), _MANY) - 1


def _sides(reading: Reading) -> list[bool]:
    """Tell for each token whether its clause speaks of a rival and not of the brand."""
    words = reading.words[:_MANY]
    if RIVAL not in words:
        return [False] * len(words)
    sides: list[bool] = []
    clause: list[str] = []
    of_rival = False  # a clause without a name goes on about the one named last
    for word in (*words, "."):
        clause.append(word)
        if word[0] in ".;:!?…," or word in TURNS:
            if BRAND in clause or RIVAL in clause:
                of_rival = BRAND not in clause
            sides += [of_rival] * len(clause)
            clause = []
    for place, name in _comparisons(words):
        if name == BRAND and RIVAL in words[:place]:  # "RIVAL is better than BRAND": what is said is the rival's
            start = max(place - 6, 0)
            sides[start:place] = [True] * (place - start)
    return sides[: len(words)]


def _comparisons(words: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Yield each "better than", "más caro que" with the name behind it."""
    for place, word in enumerate(words):
        if word in THAN and any(one in BETTER or one in WORSE for one in words[max(place - 6, 0) : place]):
            behind = [name for name in words[place + 1 : place + 4] if name in (BRAND, RIVAL)]
            if behind:
                yield place, behind[0]


def _compared(words: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    for place, name in _comparisons(words):
        worse = any(one in WORSE for one in words[max(place - 6, 0) : place])
        yield f"{'worse' if worse else 'better'} than {name}", place


_LISTS = (("fact:harms", HARMS, -1), ("fact:helps", HELPS, 1), ("bad", BAD, -1), ("good", GOOD, 1))
_LISTED: dict[str, list[tuple[str, int]]] = {}
for _name, _entries, _sense in _LISTS:
    for _entry in _entries:
        _LISTED.setdefault(_entry, []).append((_name, _sense))


def signs(reading: Reading) -> Iterator[tuple[str, int]]:
    """Yield what the form of the text tells: case and neighbours of the brand, order of names, shouting, word lists."""
    words = reading.words[:_MANY]
    side = _sides(reading)
    negated = 0
    mood = 0
    for place, word in enumerate(words):
        if word == BRAND:
            yield from ((sign, place) for sign in _around(reading, place))
        elif word in NEGATIONS:
            negated = _NEGATED + 1
        for name, sense in _LISTED.get(word, ()):
            whose = "rival's " if side[place] else ""
            yield f"{whose}{'no ' if negated else ''}{name}", place
            mood += sense * (-1 if negated else 1) * (-1 if side[place] else 1)
        for topic in cues_at(words, place):
            yield f"cue:{topic}", place
        negated = max(negated - 1, 0)
    yield f"mood:{max(min(mood, 3), -3)}", -1
    yield from _compared(words)
    has_brand, has_rival = BRAND in words, RIVAL in words
    if has_rival:
        first = not has_brand or words.index(RIVAL) < words.index(BRAND)
        yield ("order:rival first" if first else "order:brand first"), -1
        yield "rival", -1
    if not has_brand:
        yield "unnamed", -1
    if reading.elongated:
        yield "elongated", -1
    if any(word[:1] == "!" for word in words):
        yield "exclaims", -1
    if any("?" in word for word in words):
        yield "asks", -1
    letters = [letter for letter in reading.text[:500] if letter.isalpha()]
    if len(letters) > 12 and sum(letter.isupper() for letter in letters) > 0.6 * len(letters):
        yield "capitals", -1
    yield f"length:{min(len(words) // 6, 8)}", -1


def _around(reading: Reading, place: int) -> Iterator[str]:
    words = reading.words
    start, end = reading.starts[place], reading.ends[place]
    as_written = reading.text[start:end]
    before = words[place - 1] if place else "<"
    after = words[place + 1] if place + 1 < len(words) else ">"
    opens = before == "<" or before[0] in ".!?…¡¿"
    if as_written[0] in "@#":
        form = "account" if as_written[0] == "@" else "tag"
    elif as_written.islower():
        form = "lower"
    elif as_written.isupper() and len(as_written) > 2:
        form = "upper"
    else:
        form = "capital first" if opens else "capital inside"
    yield f"form:{form}"
    if opens and after[0] == ",":
        yield f"opens and comma:{form}"
    if after[0] == ",":
        yield "comma behind"
    if before in ARTICLES:
        yield f"article before:{form}"
    if before in PREPOSITIONS:
        yield f"preposition before:{form}"
    if before in INTENSIFIERS:
        yield "intensifier before"
    if before in TRADES:
        yield "trade before"
    yield f"before:{before}"
    yield f"behind:{after}"
    for word in words[max(place - 4, 0) : max(place - 1, 0)]:
        yield f"left:{word}"
    for word in words[place + 2 : place + 5]:
        yield f"right:{word}"
    if place and _touches_capital(reading, place - 1):
        yield "name before"
    if after != ">" and _touches_capital(reading, place + 1):
        yield "name behind"


def _touches_capital(reading: Reading, place: int) -> bool:
    """Tell whether a neighbour is a capitalised word inside a sentence, as in a longer name."""
    if reading.words[place] in (BRAND, RIVAL) or place == 0:
        return False
    return reading.text[reading.starts[place]].isupper() and fold(reading.words[place - 1])[0] not in ".!?¡¿"


def extract(reading: Reading) -> Features:
    """Hash the features of a reading into SPACE places, in blocks of words, letters and signs."""
    import numpy as np

    parts = [_hashed(word_features(reading), b"w", _BITS), _letters(reading), _hashed(signs(reading), b"s", _SIGN_BITS)]
    keys = np.concatenate([codes | np.uint32(block << _BITS) for block, (codes, _) in enumerate(parts)])
    tokens = np.concatenate([tokens for _, tokens in parts])
    unique, occurrence, times = np.unique(keys, return_inverse=True, return_counts=True)
    ends = np.searchsorted(unique, [(block + 1) << _BITS for block in range(len(parts))]).tolist()
    places = unique & np.uint32(HASHED - 1)
    places[ends[1] :] += np.uint32(HASHED)
    counts = (1.0 + np.log(times)).astype(np.float32)
    return Features(places, counts, tuple(ends), occurrence, times, tokens)


def _hashed(features: Iterator[tuple[str, int]], seed: bytes, bits: int) -> tuple[Indices, npt.NDArray[np.int32]]:
    import numpy as np

    start = zlib.crc32(seed)
    codes, tokens = [], []
    for feature, token in features:
        codes.append(zlib.crc32(feature.encode("utf-8", "surrogatepass"), start))
        tokens.append(token)
    return _scatter(np.array(codes, dtype=np.uint32), bits), np.array(tokens, dtype=np.int32)


def _letters(reading: Reading) -> tuple[Indices, npt.NDArray[np.int32]]:
    """Hash every run of 2 to 5 letters inside a word, its edges marked by a blank (scikit-learn calls it char_wb)."""
    import numpy as np

    # The names themselves must teach nothing: each becomes one sign of the private use area.
    # What is said of a rival counts by its words only, since its letters would praise or blame the brand.
    marks = {BRAND: "\ue000", RIVAL: "\ue001"}
    words = zip(reading.words[:_MANY], _sides(reading), strict=True)
    shown = ["\ue002" if of_rival and word not in marks else marks.get(word, word) for word, of_rival in words]
    line = " " + " ".join(shown) + " "
    codes = np.frombuffer(line.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    blank = np.cumsum(codes == 32, dtype=np.int32)
    gathered: list[Indices] = []
    tokens = []
    rolling = codes * np.uint32(2654435761)
    for size in range(_SHORTEST, _LONGEST_GRAM + 1):
        if len(codes) < size:
            break
        rolling = rolling[:-1] * np.uint32(16777619) + codes[size - 1 :] * np.uint32(2246822519) + np.uint32(size)
        inside = blank[size - 2 : len(codes) - 1] == blank[: len(codes) - size + 1]  # no blank behind the first sign …
        chosen = np.flatnonzero(inside)
        gathered.append(_scatter(rolling[chosen], _BITS))
        tokens.append(blank[chosen] - 1)  # … so that the run belongs to the word which that sign opens
    if not gathered:
        return np.zeros(0, dtype=np.uint32), np.zeros(0, dtype=np.int32)
    return np.concatenate(gathered), np.concatenate(tokens).astype(np.int32)


def _scatter(codes: Indices, bits: int) -> Indices:
    import numpy as np

    mixed = codes ^ (codes >> np.uint32(15))
    mixed = mixed * np.uint32(2654435769)
    mixed ^= mixed >> np.uint32(13)
    mixed = mixed * np.uint32(3266489917)
    return mixed >> np.uint32(32 - bits)
