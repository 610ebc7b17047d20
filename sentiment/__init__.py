"""Judge: mentions → verdicts of relevance, reputational polarity, dimension and intent."""

from __future__ import annotations

from sentiment.verdict import Classifier, Item, Label, Verdict

__all__ = ["Classifier", "Item", "Label", "Verdict"]
