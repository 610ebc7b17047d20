"""Hold what the judges say of a mention: labels with confidence, reasons and scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol

from listener.mention import Author, Brand, Post
from listener.reason import Reason, from_json, to_json

__all__ = [
    "HEADS",
    "HINTS",
    "SURELY_NOT",
    "Classifier",
    "Head",
    "Item",
    "Label",
    "Verdict",
    "label_from_json",
    "label_to_json",
]

Head = Literal["relevant", "sentiment", "dimension", "intent"]
HEADS: tuple[Head, ...] = ("relevant", "sentiment", "dimension", "intent")
SURELY_NOT = 0.8  # share of "not relevant", below which the other heads still speak: a legal threat must not vanish
HINTS = ("irony", "stakeholder", "department", "priority")  # what a verdict may hold besides


@dataclass(frozen=True, slots=True)
class Label:
    """Hold one answer: the best label, how sure (0..1, calibrated), why, and every label's score.

    `because` holds the words or facts that decided; `unsure` is set when the confidence is under the configured bar,
    the best label stays in `name` (formats.md).
    """

    name: str
    confidence: float
    because: tuple[Reason, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold what was judged of one mention. `relevant.name` is "true" or "false"."""

    relevant: Label
    sentiment: Label
    dimension: Label
    intent: Label
    engine: str
    by: Literal["model", "person"] = "model"
    # What the text and the profile sound like; `stakeholders` decides, and may know better.
    irony: Label | None = None
    stakeholder: Label | None = None
    department: Label | None = None
    priority: Label | None = None

    def corrected(self, head: Head, name: str, engine: str) -> Verdict:
        """Give the verdict that a person leaves behind after correcting one label; the others stay."""
        return replace(self, **{head: Label(name, 1.0)}, engine=engine, by="person")


@dataclass(frozen=True, slots=True)
class Item:
    """Hold a question to a classifier: this post, about this brand, with these rivals named beside it."""

    post: Post
    brand: Brand
    rivals: tuple[Brand, ...] = ()

    @property
    def author(self) -> Author:
        """Give who wrote the post."""
        return self.post.author


class Classifier(Protocol):
    """Say what every engine offers; `name` and version go into each verdict."""

    engine: str

    def judge(self, items: Sequence[Item], *, closely: bool = False) -> list[Verdict]:
        """Judge the items, in order; never raises for what a text holds, a label may be `unsure` instead.

        `closely` may spend more on the reasons, as for one post that a person looks at.
        """
        ...


def label_to_json(label: Label) -> dict[str, Any]:
    """Turn a label into plain JSON (the table's `detail` column)."""
    row: dict[str, Any] = {"is": label.name, "confidence": round(label.confidence, 4)}
    row["because"] = to_json(label.because)
    if label.scores:
        row["scores"] = {name: round(score, 4) for name, score in label.scores.items()}
    if label.unsure:
        row["unsure"] = True
    return row


def label_from_json(row: Mapping[str, Any]) -> Label:
    """Read a label back from plain JSON."""
    return Label(
        row["is"], row["confidence"], from_json(row.get("because", ())), row.get("scores", {}), row.get("unsure", False)
    )
