"""Estimate how long things last when some are not over yet: Kaplan and Meier's curve, and sums of unlike chances."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["Curve", "likely_count", "survival"]


@dataclass(frozen=True, slots=True)
class Curve:
    """Hold the share that lasts longer than a time: a step at each time at which something ended."""

    times: tuple[float, ...]
    shares: tuple[float, ...]  # right after each time
    lasted: tuple[float, ...]  # every duration, over or not, in order
    ended: int  # how many are over; the others were only seen to last so long

    def beyond(self, time: float) -> float:
        """Give the share that lasts longer than a time; past the last step it is the share that was last known."""
        place = bisect_right(self.times, time)
        return self.shares[place - 1] if place else 1.0

    def known_at(self, time: float) -> int:
        """Count what was seen to last longer than a time: what `after` rests on."""
        return len(self.lasted) - bisect_right(self.lasted, time)

    def after(self, time: float, until: float) -> float | None:
        """Give the chance that what has lasted a time already lasts longer than `until`; None: nothing ever has."""
        reached = self.beyond(time)
        return None if reached <= 0 else self.beyond(max(time, until)) / reached


def survival(durations: Sequence[float], over: Sequence[bool]) -> Curve:
    """Estimate a curve from durations, of which some were not over when they were last seen.

    The product-limit estimator: E. L. Kaplan and P. Meier, "Nonparametric estimation from incomplete observations",
    JASA 53 (1958). What ends and what is lost from sight at the same time: the end counts first. Raises ValueError for
    lists of unlike length or a negative duration.
    """
    seen = sorted(zip(durations, over, strict=True))
    if seen and seen[0][0] < 0:
        raise ValueError("a duration cannot be negative")
    times: list[float] = []
    shares: list[float] = []
    share, place = 1.0, 0
    while place < len(seen):
        time, start, ends = seen[place][0], place, 0
        while place < len(seen) and seen[place][0] == time:
            ends += seen[place][1]
            place += 1
        if ends:
            share *= 1 - ends / (len(seen) - start)
            times.append(time)
            shares.append(share)
    return Curve(tuple(times), tuple(shares), tuple(time for time, _ in seen), sum(over))


def likely_count(chances: Iterable[float], within: float = 0.8) -> tuple[int, int]:
    """Give the range in which a count of independent events of unlike chances lies with at least a probability.

    Exact: the Poisson binomial distribution by convolution, with no more than half of the rest cut off on either side.
    """
    shares = [1.0]
    for chance in chances:
        grown = [0.0] * (len(shares) + 1)
        for count, share in enumerate(shares):
            grown[count] += share * (1 - chance)
            grown[count + 1] += share * chance
        shares = grown
    tail = (1 - within) / 2
    low, high = 0, len(shares) - 1
    below = above = 0.0
    while low < high and below + shares[low] <= tail:
        below += shares[low]
        low += 1
    while high > low and above + shares[high] <= tail:
        above += shares[high]
        high -= 1
    return low, high
