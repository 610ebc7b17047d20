"""Decide whether a count is too high for its hour: two windows that slide, 60 and 120 minutes, one bar for chance.

A count is a spike when it is at least `least` an hour, at least `rise` times what was expected, and over the quantile
that chance alone passes so rarely that a brand sees the accepted number of false alarms a month.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from stakeholders.spikes.baseline import SPANS, Expectation, quantile

if TYPE_CHECKING:
    from listener.tables.spiking import Spikes

__all__ = ["alarms_of", "could_alarm", "is_alarm", "mean_of", "z_of"]

_MONTH = 730.0  # hours
_LOOKS = 1.2  # looks an hour that count as independent: so chosen that bench/spikes.py measures what is accepted
_SHARES = {1: 0.6, 2: 1.0}  # of the accepted false alarms: an hour alone must be louder, two tell more


def z_of(false_alarms: float, hours: int) -> float:
    """Give the normal deviate of a window's bar for that many false alarms a month by chance alone."""
    return NormalDist().inv_cdf(1 - min(0.2, false_alarms * _SHARES[hours] / _MONTH / _LOOKS))


def is_alarm(observed: Any, mean: Any, spread: Any, hours: int, table: Spikes) -> Any:
    """Tell whether a count of so many hours is a spike; numbers or arrays, never where the mean is not known (NaN)."""
    import numpy as np

    mean = np.asarray(mean, dtype=float)
    bar = np.maximum(table.least * hours, table.rise * mean)
    bar = np.maximum(bar, quantile(mean, spread, z_of(table.false_alarms, hours)) + 0.5)
    return np.asarray(observed) >= bar


def mean_of(mean: Any, places: Any, part: Any, hours: int) -> Any:
    """Give what the last `hours` hours let expect, seen when `part` (0..1) of the hour at `places` is over.

    `mean` has one entry an hour; what lies before its first is not known.
    """
    import numpy as np

    padded = np.concatenate((np.full(hours, np.nan), mean))
    at = np.asarray(places) + hours
    total = padded[at] * part + padded[at - hours] * (1 - part)
    for back in range(1, hours):
        total = total + padded[at - back]
    return total


def alarms_of(counts: Any, told: Expectation, steps: int, table: Spikes) -> Any:
    """Tell for every step of a series, `steps` an hour, whether the program would have found a spike at its end."""
    import numpy as np

    sums = np.concatenate(([0.0], np.cumsum(counts)))
    ends = np.arange(1, len(counts) + 1)
    places, part = (ends - 1) // steps, ((ends - 1) % steps + 1) / steps
    loud = np.zeros(len(counts), dtype=bool)
    for hours in SPANS:
        observed = sums[ends] - sums[np.maximum(ends - hours * steps, 0)]
        mean = mean_of(told.mean, places, part, hours)
        loud |= is_alarm(observed, mean, told.spreads[hours][places], hours, table)
    return loud


def could_alarm(counts: Any, told: Expectation, steps: int, table: Spikes) -> Any:
    """Tell for every hour whether any of its steps could find a spike, wherever in their hours the mentions lie.

    A window touches one hour more than it is long, so it holds no more than the sum of those.
    """
    import numpy as np

    places = np.repeat(np.arange(len(counts)), steps)
    part = np.tile(np.arange(1, steps + 1) / steps, len(counts))
    found = np.zeros(len(places), dtype=bool)
    for hours in SPANS:
        padded = np.concatenate((np.zeros(hours), counts))
        most = sum(padded[places + hours - back] for back in range(hours))
        most = most + np.where(part < 1, padded[places], 0)  # a whole hour is over: the window begins with one
        found |= is_alarm(most, mean_of(told.mean, places, part, hours), told.spreads[hours][places], hours, table)
    return found.reshape(-1, steps).any(axis=1)
