"""Make confidences honest: one temperature a head and language, fitted on answers to posts it was not trained on.

Temperature scaling and expected calibration error: Guo et al., "On calibration of modern neural networks", ICML 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["calibration_error", "fit_temperature", "softmax"]


def softmax(logits: Floats, temperature: float = 1.0) -> Floats:
    """Turn logits (…, labels) into shares that add up to one, softer for a temperature above 1."""
    import numpy as np

    scaled = (logits - logits.max(axis=-1, keepdims=True)) / temperature
    powers = np.exp(scaled)
    shares: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def fit_temperature(logits: Floats, gold: npt.NDArray[np.intp], *, low: float = 0.2, high: float = 5.0) -> float:
    """Find the temperature with the least log loss: logits (n, labels), gold (n,) as columns; between low and high."""
    import numpy as np

    def loss(temperature: float) -> float:
        shares = softmax(logits, temperature)[np.arange(len(gold)), gold]
        return float(-np.log(np.maximum(shares, 1e-12)).mean())

    ratio = (5**0.5 - 1) / 2
    left, right = np.log(low), np.log(high)
    while right - left > 1e-4:  # golden section over the logarithm: the loss has one valley there
        first, second = right - ratio * (right - left), left + ratio * (right - left)
        if loss(float(np.exp(first))) < loss(float(np.exp(second))):
            right = second
        else:
            left = first
    return float(np.exp((left + right) / 2))


def calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 15) -> float:
    """Give the mean distance between confidence and accuracy over equal bins, weighted by size (0 for no items)."""
    sums = [[0, 0.0, 0] for _ in range(bins)]
    for confidence, hit in zip(confidences, right, strict=True):
        cell = sums[min(int(confidence * bins), bins - 1)]
        cell[0] += 1
        cell[1] += confidence
        cell[2] += hit
    total = len(confidences)
    return sum(abs(stated - hits) for _, stated, hits in sums) / total if total else 0.0
