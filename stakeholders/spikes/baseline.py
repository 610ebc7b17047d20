"""Say how many mentions an hour usually brings and how far that number strays, from the same hours of past weeks.

Three figures, each from past hours that were heard and from nothing else:

* the profile: of each of the eight weeks before, the hour (weight 2) and its two neighbours (weight 1); of the eight
  numbers the highest and lowest quarter are left out and the rest averaged, so that two past incidents move nothing;
* the level: the median of what the last seven days brought against their profile, so that growth is followed and one
  bad day is not; it lowers the profile by little, since a quiet holiday week must not make the next one look loud;
* the spread φ of a negative binomial count, variance = mean + φ · mean²: what the last four weeks strayed beyond
  chance, after cutting off what is beyond 2.5 times the expected number.

Sources: Holt and Winters' level and season, with trimmed means for their smoothing; negative binomial outbreak bounds
as in Noufaily et al., "An improved algorithm for outbreak detection in multiple surveillance systems", 2013; quantiles
by Wilson and Hilferty, "The distribution of chi-square", 1931.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

__all__ = ["LOUD", "SPANS", "WEEK", "WEEKS", "Expectation", "expect", "quantile"]

WEEK = 168  # hours
WEEKS = 8  # that the profile is made of
SPANS = (1, 2)  # hours, of the windows that are judged
LOUD = 1.6449  # z of the 95th percentile: an hour above it belongs to a spike that was found
_DAYS = 7  # that the level is made of
_LEVELS = 0.85, 2.5
_RECENT, _APART = 8, 2  # hours
_FOLLOW = 0.7
_PACES = 0.5, 1.4
_STRAY = 28 * 24  # hours that the spread is made of
_CUT = 2.5
_FLOOR = 0.01  # no brand is steadier than this
_UNKNOWN = 0.3  # the spread while fewer than seven days can be compared
_YOUNG = 1.0  # the spread where there are no two weeks: as wide as waiting times
_FEWEST = 24  # hours heard, before which nothing at all is said


@dataclass(frozen=True, slots=True)
class Expectation:
    """Hold for every hour what was to be expected before it came; arrays of one length."""

    mean: Floats  # NaN: nothing can be said
    spreads: Mapping[int, Floats]  # φ of the sum of so many hours, for each of SPANS
    sample: Any  # past hours heard that the mean was made of (whole numbers)
    young: Flags  # fewer than two past weeks were heard at this hour: a wide bound from what there is


def expect(counts: Floats, heard: Flags) -> Expectation:
    """Give for every hour what the hours before it let expect; `counts` and `heard` are one entry an hour, no holes.

    Nothing of an hour itself or of a later one enters its own figures.
    """
    import numpy as np

    known = np.where(heard, counts, 0.0)
    profile, sample, weeks = _profile(known, heard)
    young = weeks < 2
    usable = heard & np.isfinite(profile)
    mean = profile * _level(np.where(usable, known, 0.0), np.where(usable, profile, 0.0))
    pace = _pace(np.where(usable, known, 0.0), np.where(usable, mean, 0.0))
    mean = mean * pace
    sure = np.where(usable, mean, 0.0)
    spreads = {span: np.where(young, _YOUNG, _spread(known, sure, usable, span)) for span in SPANS}
    hours = _before(heard.astype(float))
    with np.errstate(invalid="ignore", divide="ignore"):
        flat = np.where(hours >= _FEWEST, _before(known) / hours, np.nan)
    return Expectation(
        mean=np.where(young, flat, mean),
        spreads=spreads,
        sample=np.where(young, hours, sample).astype(int),
        young=young,
    )


def _before(values: Floats) -> Floats:
    """Sum all entries before each."""
    import numpy as np

    return np.concatenate(([0.0], np.cumsum(values)[:-1]))


def _last(values: Floats, length: int, skip: int = 0) -> Floats:
    """Sum the `length` entries before each, leaving out the `skip` nearest."""
    import numpy as np

    sums = np.concatenate(([0.0], np.cumsum(values)))
    places = np.arange(len(values))
    found: Floats = sums[np.maximum(places - skip, 0)] - sums[np.maximum(places - skip - length, 0)]
    return found


def _profile(known: Floats, heard: Flags) -> tuple[Floats, Any, Any]:
    """Give the trimmed mean of the same hours of past weeks, how many hours it was made of, and of how many weeks."""
    import numpy as np

    ear = heard.astype(float)
    padded, ears = np.pad(known, 1), np.pad(ear, 1)
    weight = padded[:-2] * ears[:-2] + 2 * padded[1:-1] * ears[1:-1] + padded[2:] * ears[2:]
    total = ears[:-2] + 2 * ears[1:-1] + ears[2:]
    hours = ears[:-2] + ears[1:-1] + ears[2:]
    with np.errstate(invalid="ignore", divide="ignore"):
        smooth = np.where(total >= 2, weight / total, np.nan)
    stack = np.full((WEEKS, len(known)), np.nan)
    sample = np.zeros(len(known))
    for back in range(1, WEEKS + 1):
        lag = back * WEEK
        if lag < len(known):
            stack[back - 1, lag:] = smooth[:-lag]
            sample[lag:] += np.where(total[:-lag] >= 2, hours[:-lag], 0)
    weeks = np.isfinite(stack).sum(axis=0)
    stack.sort(axis=0)  # NaN last
    cut = np.where(weeks == 3, 1, weeks // 4)
    place = np.arange(WEEKS)[:, None]
    kept = (place >= cut) & (place < weeks - cut)
    with np.errstate(invalid="ignore", divide="ignore"):
        profile = np.where(weeks > 0, np.where(kept, stack, 0.0).sum(axis=0) / kept.sum(axis=0), np.nan)
    return profile, sample, weeks


def _level(known: Floats, profile: Floats) -> Floats:
    """Give what the last seven days brought against their profile: the median of the days, nearer to 1 when few."""
    import numpy as np

    ratios = np.full((_DAYS, len(known)), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        for day in range(_DAYS):
            told = _last(profile, 24, 24 * day)
            ratios[day] = np.where(told >= 5, _last(known, 24, 24 * day) / told, np.nan)
    valid = np.isfinite(ratios).sum(axis=0)
    ratios.sort(axis=0)
    places = np.arange(len(known))
    low, high = np.maximum(valid - 1, 0) // 2, np.maximum(valid, 1) // 2
    middle = np.where(valid >= 3, (ratios[low, places] + ratios[high, places]) / 2, 1.0)
    seen = _last(profile, 24 * _DAYS)
    trust = seen / (seen + 30)
    found: Floats = np.clip(1 + (middle - 1) * trust, *_LEVELS)
    return found


def _pace(known: Floats, mean: Floats) -> Floats:
    """Give how the day goes: the eight hours that ended two hours before, against what they let expect."""
    import numpy as np

    told = _last(mean, _RECENT, _APART)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(told >= 5, _last(known, _RECENT, _APART) / told, 1.0)
    found: Floats = np.clip(1 + (ratio - 1) * _FOLLOW * told / (told + 20), *_PACES)
    return found


def _spread(known: Floats, mean: Floats, usable: Flags, span: int) -> Floats:
    """Estimate φ of sums of `span` hours from the last four weeks, what is beyond 2.5 times the mean cut off."""
    import numpy as np

    whole = _last(usable.astype(float), span) == span  # the sums that end before each hour
    told = np.where(whole, _last(mean, span), 0.0)
    cut = np.minimum(_last(np.where(usable, known, 0.0), span), _CUT * told + 5)
    extra = np.where(whole, (cut - told) ** 2 - told, 0.0)
    # The sum that ends just before an hour stands at that hour, so it may be used there.
    size, days = _upto(told**2, _STRAY), _upto(whole.astype(float), _STRAY) / 24
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where((days >= 7) & (size > 0), _upto(extra, _STRAY) / size, _UNKNOWN)
    clipped: Floats = np.clip(found, _FLOOR, 2.0)
    return clipped


def _upto(values: Floats, length: int) -> Floats:
    """Sum the `length` entries that end with each."""
    return _last(values, length) + values - _last(values, 1, length - 1)


def quantile(mean: Any, spread: Any, z: float) -> Any:
    """Give the quantile at standard normal `z` of a count with that mean and spread; numbers or arrays, never negative.

    A gamma distribution of the same mean and variance, its quantile by Wilson and Hilferty's cube.
    """
    import numpy as np

    middle = np.maximum(mean, 1e-9)
    shape = 1 / (1 / middle + spread)  # mean² / variance
    cube = 1 - 1 / (9 * shape) + z / (3 * np.sqrt(shape))
    return middle * np.maximum(cube, 0.0) ** 3
