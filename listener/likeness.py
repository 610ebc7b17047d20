"""Find texts that say the same: exact first, then word 3-shingles, a sketch to find candidates and a check of each.

A text is found by the smallest of its shingles' hashes, a quarter of them: alike texts share one nearly always. What is
found is checked whole, since an unchecked vote merges strangers: most shingles, one text within the other, or the same
words turned, and never another figure or name in the same sentence. What is further apart than the window never
matches; an hourly ring forgets the oldest.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from listener.mention import aware
from listener.shingle import Reading, mask_of, normalise, read_text, words_of

__all__ = ["Likeness", "normalise"]

_JACCARD = 0.50
_CONTAINED = 0.80
_REWORDED = 0.65  # of the words, order aside
_SIZE = 8  # shingles of the smaller text from which "one stands inside the other" says something
_SKETCH = 5  # hashes at least by which a text is found, a quarter of a long one's
_CROWD = 8  # texts that are found by one shingle: a phrase that everyone writes finds nobody
_CHECKED = 64  # candidates that are compared whole, those with most in common first
_GONE = -(2**62)
_LOW = 0xFFFFFFFF

_Spot = tuple[int, int, int]  # a hash, a free place of the table for it, how many stand under it


class Likeness:
    """Remember texts and find those that say the same; pure, in memory, under 400 bytes a text of a post's length.

    `most` bounds the texts that `add` keeps: the oldest hours go first.
    """

    def __init__(self, window: timedelta = timedelta(days=14), most: int | None = None) -> None:
        self.window = window
        self.most = most
        self._reach = int(window.total_seconds())
        self._reset()

    def _reset(self) -> None:
        self._keys = array("q")  # by slot: what the caller calls the text
        self._at = array("q")  # seconds since 1970; _GONE: forgotten
        self._exact = array("Q")
        self._data = array("I")  # the hashes of every text, one after the other
        self._ends = array("I", (0,))  # in _data: four a slot, of shingles, words, figures and names
        self._masks = array("Q")  # of the figures, a bit each: tells most texts with other figures apart at once
        self._ring: dict[int, array[int]] = {}  # hour of the text → slots, to forget the oldest hours first
        self._live = 0
        # Open addressing: 32 bits of a hash, then the slot + 1; a dict would take four times as much.
        self._table = array("Q", bytes(8 * 1024))
        self._used = 0
        self._crowded: set[int] = set()  # hashes under which no more texts are entered

    def __len__(self) -> int:
        return self._live

    def place(self, key: int, text: str, at: datetime) -> int:
        """Give the cluster of a text: the key of the first one that says the same, else its own, and remember that.

        Called in one order the answers are always the same; each text is compared with the first of every cluster that
        is within the window, so that a chain of small changes does not join strangers. Texts under four words cluster
        only with the same words. A key that comes again (its text was edited) is placed anew.
        """
        if not text.strip():
            return key
        moment, told = _seconds(at), words_of(text)
        same, spot = self._same(told[0])
        if same:
            keys = [self._keys[slot] for slot in same if abs(moment - self._at[slot]) <= self._reach]
            if others := [other for other in keys if other != key]:
                return min(others)  # much of what is passed on is passed on as it is
        read = read_text(text, told)
        found, spots = self._alike(read, moment, same, spot)
        best: tuple[float, int] | None = None
        for score, slot in found:
            if self._keys[slot] == key:
                self._drop(slot)
            elif best is None or (-score, self._keys[slot]) < best:
                best = (-score, self._keys[slot])
        if best is not None:
            return best[1]
        self._hold(key, read, moment, spots)
        return key

    def hold(self, key: int, text: str, at: datetime) -> None:
        """Remember a text as the first of a cluster without asking whether it is: for filling a memory again."""
        read, moment = read_text(text), _seconds(at)
        self._hold(key, read, moment, self._spots(read))

    def add(self, key: int, text: str, at: datetime) -> None:
        """Remember a text under a key; the same text a second time for the same key changes nothing."""
        read = read_text(text)
        if read.length < 3 or any(self._keys[slot] == key for slot in self._same(read.exact)[0]):
            return
        self._hold(key, read, _seconds(at), self._spots(read))
        while self.most is not None and self._live > self.most:
            self.forget(min(self._ring))

    def matches(self, text: str, at: datetime) -> list[int]:
        """Give the keys of all remembered texts that say the same, the nearest first, then the latest.

        Texts under three words say too little to be the same, even when they are.
        """
        read = read_text(text)
        if read.length < 3:
            return []
        alike, _ = self._alike(read, _seconds(at), *self._same(read.exact))
        found = sorted((-score, -self._at[slot], -self._keys[slot]) for score, slot in alike)
        return [-key for _, _, key in found]

    def keep(self, first: int, last: int) -> None:
        """Forget the texts of all hours since 1970 but these."""
        for hour in [hour for hour in self._ring if not first <= hour <= last]:
            self.forget(hour)

    def forget(self, hour: int) -> None:
        """Forget the texts of an hour since 1970."""
        for slot in self._ring.pop(hour, ()):
            self._drop(slot)
        if len(self._keys) > 2 * self._live + 1000:
            self._compact()

    def _same(self, exact: int) -> tuple[list[int], int]:
        """Give the slots of texts with the same words, and where another one would be entered."""
        slots, place = self._walk(exact & _LOW)
        known = self._exact
        return [slot for slot in slots if known[slot] == exact and self._at[slot] != _GONE], place

    def _alike(
        self, read: Reading, moment: int, same: Sequence[int], place: int
    ) -> tuple[list[tuple[float, int]], list[_Spot]]:
        """Give what says the same within the window, with how near it is (1 = the same words), and see `_spots`.

        `same` and `place` are what `_same` gives.
        """
        near, reach, exact = self._at, self._reach, self._exact
        found = [(1.0, slot) for slot in same if abs(moment - near[slot]) <= reach]
        votes: list[int] = []
        spots: list[_Spot] = [(read.exact & _LOW, place, -1)]
        table, mask = self._table, len(self._table) - 1
        for mark in self._sketch(read.shingles):
            place, step, crowd = mark & mask, mark >> 7 | 1, 0
            while entry := table[place]:  # as in _walk, without the price of a call
                if entry >> 32 == mark:
                    votes.append((entry & _LOW) - 1)
                    crowd += 1
                place = (place + step) & mask
            spots.append((mark, place, crowd))
        if not votes:
            return found, spots
        masks, mine = self._masks, mask_of(read.figures) if read.figures else 0
        candidates = [
            slot
            for slot in set(votes)
            if not (mine & ~masks[slot] and masks[slot] & ~mine)
            and abs(moment - near[slot]) <= reach
            and exact[slot] != read.exact
        ]
        if len(candidates) > _CHECKED:
            shared = Counter(votes)
            candidates = sorted(candidates, key=lambda slot: (-shared[slot], self._keys[slot]))[:_CHECKED]
        for slot in candidates:
            score = self._compare(read, slot)
            if score:
                found.append((score, slot))
        return found, spots

    def _compare(self, read: Reading, slot: int) -> float:
        """Check a candidate; 0 when it says something else, else the Jaccard of the shingles, at least a little."""
        begin, middle, figures, names, end = self._ends[4 * slot : 4 * slot + 5]
        data = self._data
        other = data[begin:middle]
        shared = len(read.shingles.intersection(other))
        smaller = min(len(read.shingles), len(other))
        jaccard = shared / (len(read.shingles) + len(other) - shared)
        words: Collection[int] = data[middle:figures]
        if jaccard < _JACCARD:
            # "no signal in Surco since yesterday" and "… in Lince …" are two people with two faults.
            if smaller < _SIZE:
                return 0
            both = len(read.words.intersection(words))
            reworded = both >= _REWORDED * (len(read.words) + len(words) - both)
            if shared < _CONTAINED * smaller and not reworded:
                return 0
        # Each gives a figure, or names somebody or some place, that the other does not know: one form, two messages.
        if not read.figures.issubset(data[figures:names]) and not read.figures.issuperset(data[figures:names]):
            return 0
        if not read.names.issubset(words) and not read.words.issuperset(data[names:end]):
            return 0
        return max(jaccard, 0.001)

    def _walk(self, mark: int) -> tuple[list[int], int]:
        """Give the slots that stand under a hash of 32 bits, in the order of entry, and the free place behind them."""
        table, mask = self._table, len(self._table) - 1
        place, step = mark & mask, mark >> 7 | 1
        slots = []
        while entry := table[place]:
            if entry >> 32 == mark:
                slots.append((entry & _LOW) - 1)
            place = (place + step) & mask
        return slots, place

    def _spots(self, read: Reading) -> list[_Spot]:
        """Give the hashes under which a text is entered: each with a free place, and how many stand there already."""
        spots: list[_Spot] = [(read.exact & _LOW, self._walk(read.exact & _LOW)[1], -1)]
        for mark in self._sketch(read.shingles):
            slots, place = self._walk(mark)
            spots.append((mark, place, len(slots)))
        return spots

    def _sketch(self, shingles: frozenset[int]) -> list[int]:
        """Give the hashes by which a text is found: those of the smallest value, since alike texts share these.

        Crowded ones are taken only where there are too few others.
        """
        most = max(_SKETCH, len(shingles) // 4)
        free = sorted(shingles - self._crowded)[:most]
        if len(free) < most and not self._crowded.isdisjoint(shingles):
            free += sorted(self._crowded.intersection(shingles))[: most - len(free)]
        return free

    def _hold(self, key: int, read: Reading, moment: int, spots: Sequence[_Spot]) -> None:
        slot = len(self._keys)
        self._keys.append(key)
        self._at.append(moment)
        self._exact.append(read.exact)
        self._masks.append(mask_of(read.figures) if read.figures else 0)
        _, _, shingles, words, figures, names = read
        end = len(self._data)
        self._data.extend([*shingles, *words, *figures, *names])
        one, two, three = end + len(shingles), end + len(shingles) + len(words), len(self._data) - len(names)
        self._ends.extend((one, two, three, len(self._data)))
        slots = self._ring.get(moment // 3600)
        if slots is None:
            slots = self._ring[moment // 3600] = array("I")
        slots.append(slot)
        self._live += 1
        if 2 * (self._used + len(spots)) > len(self._table):
            self._grow()
            spots = self._spots(read)
        table, mask = self._table, len(self._table) - 1
        for mark, place, crowd in spots:
            entry, step = mark << 32 | slot + 1, mark >> 7 | 1
            if crowd >= _CROWD:
                self._push(mark, entry)
                continue
            while table[place]:
                place = (place + step) & mask
            table[place] = entry
            self._used += 1
            if crowd + 1 == _CROWD:
                self._crowded.add(mark)

    def _push(self, mark: int, entry: int) -> None:
        """Enter a text where too many stand: the first one of them goes."""
        table, mask = self._table, len(self._table) - 1
        place, step = mark & mask, mark >> 7 | 1
        places = []
        while table[place]:
            if table[place] >> 32 == mark:
                places.append(place)
            place = (place + step) & mask
        for here, there in pairwise(places):
            table[here] = table[there]
        table[places[-1]] = entry

    def _grow(self) -> None:
        old = self._table
        self._table = table = array("Q", bytes(16 * len(old)))
        mask = len(table) - 1
        for entry in old:
            if entry:
                mark = entry >> 32
                place, step = mark & mask, mark >> 7 | 1
                while table[place]:
                    place = (place + step) & mask
                table[place] = entry

    def _drop(self, slot: int) -> None:
        if self._at[slot] != _GONE:
            self._at[slot] = _GONE
            self._live -= 1

    def _compact(self) -> None:
        """Write down anew what is still remembered, in the order in which it came."""
        keys, moments, exact, data, ends = self._keys, self._at, self._exact, self._data, self._ends
        self._reset()
        for slot, moment in enumerate(moments):
            if moment != _GONE:
                edges = ends[4 * slot : 4 * slot + 5]
                parts = [frozenset(data[begin:end]) for begin, end in pairwise(edges)]
                read = Reading(exact[slot], 0, *parts)
                self._hold(keys[slot], read, moment, self._spots(read))


def _seconds(at: datetime) -> int:
    return int((at if at.tzinfo is not None else aware(at)).timestamp())
