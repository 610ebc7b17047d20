"""Measure verdicts against what persons decided: figures for every label of a post file (docs: formats, evaluate)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentiment.calibration import calibration_error
from sentiment.interval import macro_f1_interval, wilson

__all__ = ["LABELS", "evaluate", "reliability_sensitivity"]

LABELS = ("relevant", "sentiment", "stakeholder", "dimension", "intent", "priority", "department")
_FEW = 30  # items, under which a language or source gets no figures of its own


@dataclass(frozen=True, slots=True)
class _Pair:
    """Hold one decision: what a person said, what the program said and how sure it was."""

    gold: str
    said: str
    confidence: float | None
    unsure: bool
    lang: str
    source: str

    @property
    def right(self) -> bool:
        return self.gold == self.said


def evaluate(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Give the figures of every label that the rows hold: {"items": n, "labels": {label: figures}}.

    Each row is an object of a post file with `labels` (by persons) and `verdict` (by `escucha classify`); a label that
    either side lacks is left out of that label's figures. Nothing here depends on the order of the rows. Intervals of
    95 % say what few items leave uncertain: `accuracy_interval` after Wilson 1927, `macro_f1_interval` by bootstrap
    (sentiment/interval.py); they hold for a random sample only.
    """
    figures = {}
    for name in LABELS:
        pairs = [pair for row in rows if (pair := _pair(row, name)) is not None]
        if pairs:
            figures[name] = _figures(name, pairs)
    return {"items": len(rows), "labels": figures}


def _pair(row: Mapping[str, Any], name: str) -> _Pair | None:
    labels, said = row.get("labels"), row.get("verdict")
    if not isinstance(labels, Mapping) or not isinstance(said, Mapping):
        return None
    gold, verdict = labels.get(name), said.get(name)
    if gold is None or not isinstance(verdict, Mapping) or verdict.get("is") is None:
        return None
    return _Pair(
        _key(gold),
        _key(verdict["is"]),
        _share(verdict.get("confidence")),
        verdict.get("unsure") is True,
        str(row.get("lang") or "?"),
        str(row.get("source") or "?"),
    )


def _key(label: Any) -> str:
    return str(label).strip().lower()  # a workbook writes TRUE


def _share(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and 0 <= value <= 1 else None  # NaN is in no range


def _figures(name: str, pairs: Sequence[_Pair]) -> dict[str, Any]:
    told = _summary(pairs)
    told["per_class"] = _per_class(pairs)
    if name == "relevant":
        reliability, sensitivity = reliability_sensitivity([(p.gold == "true", p.said == "true") for p in pairs])
        both = reliability + sensitivity
        told["reliability"], told["sensitivity"] = _round(reliability), _round(sensitivity)
        told["f_rs"] = _round(2 * reliability * sensitivity / both if both else 0.0)
    told["by_lang"] = _split(lambda pair: pair.lang, pairs)
    told["by_source"] = _split(lambda pair: pair.source, pairs)
    return told


def _split(part_of: Callable[[_Pair], str], pairs: Sequence[_Pair]) -> dict[str, Any]:
    parts: dict[str, list[_Pair]] = {}
    for pair in pairs:
        parts.setdefault(part_of(pair), []).append(pair)
    return {name: _summary(parts[name]) for name in sorted(parts) if len(parts[name]) >= _FEW}


def _summary(pairs: Sequence[_Pair]) -> dict[str, Any]:
    sure = [pair for pair in pairs if not pair.unsure]
    stated = [(pair.confidence, pair.right) for pair in pairs if pair.confidence is not None]
    rows = _per_class(pairs).values()
    return {
        "items": len(pairs),
        "right": sum(pair.right for pair in pairs),
        "macro_f1": _round(sum(row["f1"] for row in rows) / len(rows)),
        "macro_f1_interval": [_round(end) for end in macro_f1_interval([(one.gold, one.said) for one in pairs])],
        "accuracy": _round(_accuracy(pairs)),
        "accuracy_interval": [_round(end) for end in wilson(sum(pair.right for pair in pairs), len(pairs))],
        "confidence": _round(sum(c for c, _ in stated) / len(stated)) if stated else None,
        "ece": _round(calibration_error([c for c, _ in stated], [r for _, r in stated])) if stated else None,
        "unsure": _round(1 - len(sure) / len(pairs)),
        "accuracy_sure": _round(_accuracy(sure)) if sure else None,
    }


def _accuracy(pairs: Sequence[_Pair]) -> float:
    return sum(pair.right for pair in pairs) / len(pairs)


def _per_class(pairs: Sequence[_Pair]) -> dict[str, dict[str, float]]:
    """Give precision, recall, F1 and support of every label that was right or said; 0 where nothing can be divided."""
    rows: dict[str, dict[str, float]] = {}
    for name in sorted({pair.gold for pair in pairs} | {pair.said for pair in pairs}):
        hits = sum(pair.right and pair.gold == name for pair in pairs)
        said = sum(pair.said == name for pair in pairs)
        support = sum(pair.gold == name for pair in pairs)
        rows[name] = {
            "precision": hits / said if said else 0.0,
            "recall": hits / support if support else 0.0,
            "f1": 2 * hits / (said + support),
            "support": support,
        }
    return rows


def reliability_sensitivity(decisions: Sequence[tuple[bool, bool]]) -> tuple[float, float]:
    """Give RepLab's Reliability and Sensitivity of filtering decisions, each (relevant to a person, to the program).

    Amigó, Gonzalo, Verdejo, "A general evaluation measure for document organization tasks", SIGIR 2013: of the
    relations "this one above that one" that the program makes, the share that persons make too, averaged over the
    items (Sensitivity: the reverse). With two classes that is the product of both classes' precision and of both
    classes' recall; 0 when one side puts all items into one class and makes no relation.
    """
    both = sum(gold and said for gold, said in decisions)
    neither = sum(not gold and not said for gold, said in decisions)
    said = sum(said for _, said in decisions)
    gold = sum(gold for gold, _ in decisions)
    total = len(decisions)

    def product(chosen: int) -> float:
        return both / chosen * neither / (total - chosen) if 0 < chosen < total else 0.0

    return product(said), product(gold)


def _round(value: float) -> float:
    return round(value, 4)
