"""Say what few items leave uncertain: 95 % intervals of a proportion and of macro-F1."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["Z", "macro_f1_interval", "wilson"]

Z = 1.959963984540054  # of the 95 % interval
_DRAWS = 1000
_SEED = 1979
_MOST = 64  # labels: no set of ours has as many, and a file of free words would fill the memory


def wilson(hits: int, total: int) -> tuple[float, float]:
    """Give the 95 % interval of a proportion (Wilson 1927); total must be positive."""
    centre = (hits + Z**2 / 2) / (total + Z**2)
    half = Z / (total + Z**2) * math.sqrt(hits * (total - hits) / total + Z**2 / 4)
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    return low, 1.0 if hits == total else min(1.0, centre + half)


def macro_f1_interval(pairs: Sequence[tuple[str, str]]) -> tuple[float, float]:
    """Give the 95 % interval of macro-F1 over items (gold, said), at least one: percentiles of a seeded bootstrap.

    Efron, "Bootstrap methods: another look at the jackknife", The Annals of Statistics 7 (1979). The items are drawn
    anew 1,000 times, together with one more item that is spread over all pairs of labels (a smoothed bootstrap: Efron
    and Tibshirani, An Introduction to the Bootstrap, 1993): the plain one takes ten right answers of ten for certainty
    (measured: it held the true value in 14 to 22 of 100 such sets, this one in 95 and more). The same items give the
    same interval, in whatever order. Of more than 64 labels nothing is told: 0 to 1.
    """
    import numpy as np

    names = sorted({name for pair in pairs for name in pair})
    size = len(names)
    if size > _MOST:
        return 0.0, 1.0
    counted = Counter(pairs)
    cells = np.array([counted[gold, said] for gold in names for said in names], dtype=np.float64)

    def macro(tables: Floats) -> Floats:
        square = tables.reshape(-1, size, size)
        either = square.sum(axis=1) + square.sum(axis=2)  # times said + times right, by label
        hits = np.einsum("nii->ni", square)
        scores = np.divide(2 * hits, either, out=np.zeros_like(hits), where=either > 0)
        found: Floats = scores.sum(axis=1) / (either > 0).sum(axis=1)
        return found

    smooth = cells + 1 / cells.size
    drawn = np.random.default_rng(_SEED).multinomial(len(pairs), smooth / smooth.sum(), _DRAWS)
    low, high = np.quantile(macro(drawn.astype(np.float64)), (0.025, 0.975))
    here = macro(cells)[0]
    return float(min(low, here)), float(max(high, here))
