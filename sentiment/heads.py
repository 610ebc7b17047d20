"""Weigh what the encoder read by linear heads: one softmax a label, calibrated by head and language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from listener.taxonomy import DEPARTMENTS, DIMENSIONS, INTENTS, PRIORITIES, SENTIMENTS, STAKEHOLDERS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.floating[Any]]

__all__ = ["SPECS", "Head", "Spec"]


@dataclass(frozen=True, slots=True)
class Spec:
    """Hold what a head answers and which means it reads: of the text, of the brand's places, of the profile."""

    labels: tuple[str, ...]
    reads: tuple[str, ...]


_ABOUT = ("text", "brand")
_WHO = ("text", "profile")
SPECS: Mapping[str, Spec] = {
    "mood": Spec(SENTIMENTS, ("text",)),  # of a text that names nobody we watch
    "sentiment": Spec(SENTIMENTS, _ABOUT),
    "relevant": Spec(("false", "true"), _ABOUT),
    "dimension": Spec(DIMENSIONS, _ABOUT),
    "intent": Spec(INTENTS, _ABOUT),
    "irony": Spec(("false", "true"), _ABOUT),
    "stakeholder": Spec(STAKEHOLDERS, _WHO),
    "department": Spec(DEPARTMENTS, _WHO),
    "priority": Spec(PRIORITIES, _WHO),
}


@dataclass(frozen=True, slots=True)
class Head:
    """Hold one head: weights (width × means read, labels), bias and temperatures by language ("" for any other)."""

    spec: Spec
    weights: Floats
    bias: Floats
    temperatures: Mapping[str, float]

    def logits(self, means: Mapping[str, Floats]) -> Floats:
        """Give a number a label from the means that the head reads."""
        import numpy as np

        read = np.concatenate([means[name] for name in self.spec.reads])
        out: Floats = read @ self.weights + self.bias
        return out

    def scores(self, logits: Floats, lang: str | None) -> dict[str, float]:
        """Give the calibrated share of each label."""
        import numpy as np

        warm = logits / self.temperatures.get(lang or "", self.temperatures[""])
        powers = np.exp(warm - warm.max())
        shares = powers / powers.sum()
        return dict(zip(self.spec.labels, shares.tolist(), strict=True))

    def pull(self, label: str, name: str) -> Floats:
        """Give the direction in one of the means (width,) in which this label gains over the mean of the others."""
        width = len(self.weights) // len(self.spec.reads)
        first = self.spec.reads.index(name) * width
        block = self.weights[first : first + width]
        chosen = self.spec.labels.index(label)
        others = (block.sum(axis=1) - block[:, chosen]) / max(len(self.spec.labels) - 1, 1)
        out: Floats = block[:, chosen] - others
        return out
