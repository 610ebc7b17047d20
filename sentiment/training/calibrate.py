"""Fit temperatures and bars on posts that taught nothing, with the very model that ships, and take its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sentiment.calibration import calibration_error, fit_temperature, softmax
from sentiment.encoder import Encoder
from sentiment.heads import SPECS
from sentiment.training.examples import Example, sequence

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["Answers", "answers_of", "bars_of", "figures_of", "heat_of"]

LANGUAGES = ("es", "en", "pt")
_FEW = 60  # examples of a language, under which it shares the common temperature
_DOUBT = 0.2  # share of the validation answers that a bar leaves in doubt

Answers = Mapping[str, tuple["Floats", "npt.NDArray[np.intp]", "npt.NDArray[np.str_]", "npt.NDArray[np.bool_]"]]


def answers_of(encoder: Encoder, examples: Sequence[Example]) -> Answers:
    """Give logits (n, labels), gold (n,), languages and which are hard, by head, of examples that know the answer."""
    import numpy as np

    read = encoder.read([sequence(one, encoder.sequencer) for one in examples])
    out = {}
    for name, spec in SPECS.items():
        known = [at for at, one in enumerate(examples) if name in one.answers]
        if known:
            logits = np.stack([encoder.heads[name].logits(read[at].means) for at in known]).astype(np.float64)
            gold = np.array([spec.labels.index(examples[at].answers[name]) for at in known])
            langs = np.array([examples[at].lang for at in known])
            out[name] = logits, gold, langs, np.array([examples[at].hard for at in known])
    return out


def heat_of(answers: Answers) -> dict[str, dict[str, float]]:
    """Give the temperatures of each head: one for any language, one for each with enough examples."""
    heat = {}
    for name, (logits, gold, langs, _) in answers.items():
        heat[name] = {"": round(fit_temperature(logits, gold), 3)}
        for lang in LANGUAGES:
            mine = langs == lang
            if mine.sum() >= _FEW:
                heat[name][lang] = round(fit_temperature(logits[mine], gold[mine]), 3)
    return heat


def bars_of(answers: Answers, heat: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Give each head the confidence under which a fifth of its validation answers stand: those are unsure."""
    import numpy as np

    return {
        name: round(float(np.quantile(_shares(logits, langs, heat[name]).max(axis=1), _DOUBT)), 3)
        for name, (logits, _, langs, _) in answers.items()
    }


def _shares(logits: Floats, langs: Any, heat: Mapping[str, float]) -> Floats:
    import numpy as np

    rows = [softmax(row, heat.get(str(lang), heat[""])) for row, lang in zip(logits, langs, strict=True)]
    return np.stack(rows)


def figures_of(
    answers: Answers, heat: Mapping[str, Mapping[str, float]], bars: Mapping[str, float]
) -> dict[str, dict[str, Any]]:
    """Give macro-F1, accuracy, calibration error, doubt and each label's figures by head, in all and by language."""
    out: dict[str, dict[str, Any]] = {}
    for name, (logits, gold, langs, hard) in answers.items():
        shares = _shares(logits, langs, heat.get(name, {"": 1.0}))
        labels = SPECS[name].labels
        told = _summary(gold, shares, len(labels))
        sure = shares.max(axis=1) >= bars.get(name, 0.5)
        told["unsure"] = _round(1 - sure.mean())
        told["accuracy_sure"] = _round((shares.argmax(axis=1) == gold)[sure].mean()) if sure.any() else None
        told["per_class"] = {label: _class(gold, shares.argmax(axis=1), at) for at, label in enumerate(labels)}
        told["by_lang"] = {
            lang: _summary(gold[langs == lang], shares[langs == lang], len(labels))
            for lang in LANGUAGES
            if (langs == lang).any()
        }
        if name == "sentiment" and hard.any():
            told["hard"] = _summary(gold[hard], shares[hard], len(labels))
        out[name] = told
    return out


def _summary(gold: Any, shares: Floats, labels: int) -> dict[str, Any]:
    best = shares.argmax(axis=1)
    rows = [_class(gold, best, at) for at in range(labels)]
    there = [row["f1"] for row in rows if row["support"]]
    return {
        "items": len(gold),
        "macro_f1": _round(sum(there) / len(there)),
        "accuracy": _round((best == gold).mean()),
        "ece": _round(calibration_error(shares.max(axis=1).tolist(), (best == gold).tolist())),
    }


def _class(gold: Any, best: Any, at: int) -> dict[str, Any]:
    hits, said, support = int(((gold == at) & (best == at)).sum()), int((best == at).sum()), int((gold == at).sum())
    return {
        "precision": _round(hits / said if said else 0),
        "recall": _round(hits / support if support else 0),
        "f1": _round(2 * hits / max(said + support, 1)),
        "support": support,
    }


def _round(value: Any) -> float:
    return round(float(value), 3)
