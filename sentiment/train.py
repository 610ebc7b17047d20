"""Train the linear heads from our corpus and public tweets, calibrate them on held-out folds, and write the model."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from listener.errors import ClassifierError
from listener.taxonomy import DIMENSIONS, INTENTS, SENTIMENTS
from sentiment.calibration import calibration_error, fit_temperature, softmax
from sentiment.examples import (
    LANGUAGES,
    Example,
    corpus_rows,
    label_examples,
    polarity_examples,
    relevance_examples,
    sentiment_examples,
)
from sentiment.features import HASHED, SPACE
from sentiment.heads import Heads, LinearHead, save_heads
from sentiment.modelcard import write_card

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.floating[Any]]

__all__ = ["ENGINE", "train"]

log = logging.getLogger("escucha.sentiment")

ENGINE = "escucha-linear 2026.11"
_FOLDS = 4
_FEW = 80  # examples of a language, under which it shares the common temperature


@dataclass(frozen=True, slots=True)
class _Recipe:
    """Hold the choices for one head; they were compared by folds over scenarios (docs/model.md)."""

    labels: tuple[str, ...]
    strength: float  # scikit-learn's C
    signs: float = 1.0  # how much more the signs count than words and letters
    ours: float = 1.0  # weight of a post of our corpus against a public tweet
    prior: Mapping[str, float] | None = None  # how much more a label weighs than its fair share


_RECIPES = {
    # A true mention that is dropped is worse than a common word that is shown.
    "relevant": _Recipe(("false", "true"), 1.0, signs=2.0, prior={"true": 1.5}),
    "sentiment": _Recipe(SENTIMENTS, 1.0, ours=3.0, prior={"positive": 1.3}),
    "dimension": _Recipe(DIMENSIONS, 1.0, signs=2.0),
    "intent": _Recipe(INTENTS, 1.0, signs=2.0),
}


def train(corpus: Path, data: Path | None, output: Path) -> dict[str, Any]:
    """Train, calibrate and write every head to `output`; give the figures that the model's card shows.

    `corpus` is a labelled post file (sentiment/corpus/posts.jsonl); `data` a folder with sentiment/umsab_*.jsonl and
    sentiment/semeval2017_en.jsonl, or None for our own posts alone. Needs scikit-learn (pip install escucha[train]).
    The same input gives the same model. Raises ClassifierError when something to learn from is missing.
    """
    try:
        import sklearn
    except ImportError as error:
        raise ClassifierError("training needs scikit-learn: pip install 'escucha[train]'") from error
    rows = corpus_rows(corpus)
    public = polarity_examples(data, "train") if data else []
    checked = polarity_examples(data, "val") if data else []
    ours = {
        "relevant": relevance_examples(rows),
        "sentiment": sentiment_examples(rows),
        "dimension": label_examples(rows, "dimension"),
        "intent": label_examples(rows, "intent"),
    }
    rarity = _rarity([*ours["dimension"], *(one for one in public if one.weight == 1.0)])
    blocks, heads, figures = [], {}, {}
    first = 0
    for name, recipe in _RECIPES.items():
        more = public if name == "sentiment" else []
        head, weights, told = _train_head(recipe, ours[name], more, rarity, first)
        if name == "sentiment" and checked:
            told |= {"umsab_val": _public_figures(head, weights, checked, rarity)}
        heads[name], figures[name] = head, told
        blocks.append(weights)
        first += len(recipe.labels)
        log.info("train %s: %d examples, macro-F1 %.3f", name, len(ours[name]) + len(more), told["macro_f1"])
    import numpy as np

    card = {
        "engine": ENGINE,
        "trained_with": f"scikit-learn {sklearn.__version__}, numpy {np.__version__}",
        "corpus_posts": len(rows),
        "public_tweets": len(public),
        "figures": figures,
    }
    model = Heads(np.concatenate(blocks, axis=1), rarity, heads, card)
    save_heads(model, output)
    write_card(card, output)
    return figures


def _train_head(
    recipe: _Recipe, ours: Sequence[Example], public: Sequence[Example], rarity: Floats, first: int
) -> tuple[LinearHead, Floats, dict[str, Any]]:
    """Fit a head on everything, and its temperature and figures on folds over scenarios that it had not seen."""
    import numpy as np
    from sklearn.model_selection import GroupKFold

    labels = recipe.labels
    gold = np.array([labels.index(one.label) for one in ours])
    groups = [one.scenario for one in ours]
    logits = np.zeros((len(ours), len(labels)))
    fold_of = np.zeros(len(ours), dtype=int)
    matrix = _matrix(ours, rarity)
    for number, (seen, unseen) in enumerate(GroupKFold(_FOLDS).split(gold, groups=groups)):
        weights, bias = _fit(recipe, [*(ours[place] for place in seen), *public], rarity)
        logits[unseen] = matrix[unseen] @ weights + bias
        fold_of[unseen] = number
    temperatures = {"": fit_temperature(logits, gold)}
    langs = np.array([one.lang for one in ours])
    for lang in LANGUAGES:
        mine = langs == lang
        if mine.sum() >= _FEW:
            temperatures[lang] = fit_temperature(logits[mine], gold[mine])
    # Figures are of the posts as written; each fold is judged by a temperature from the other folds.
    shares = np.zeros_like(logits)
    for number in range(_FOLDS):
        mine = fold_of == number
        shares[mine] = softmax(logits[mine], fit_temperature(logits[~mine], gold[~mine]))
    written = np.array([one.written for one in ours])
    told = _figures(labels, gold[written], shares[written], langs[written])
    weights, bias = _fit(recipe, [*ours, *public], rarity)
    return LinearHead(labels, first, bias, temperatures), weights, told


def _fit(recipe: _Recipe, examples: Sequence[Example], rarity: Floats) -> tuple[Floats, Floats]:
    """Fit one logistic regression; weights (SPACE, labels) with zeros where nothing was learnt, and the bias."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    matrix = _matrix(examples, rarity)
    used = np.flatnonzero(np.bincount(matrix.indices, minlength=SPACE))
    scale = np.where(used >= HASHED, recipe.signs, 1.0)
    gold = np.array([recipe.labels.index(one.label) for one in examples])
    weight = np.array([one.weight for one in examples])
    own = np.array([bool(one.scenario) for one in examples])
    weight[own] *= recipe.ours
    prior = recipe.prior or {}
    fair = weight[own].sum() / len(recipe.labels)
    for place, label in enumerate(recipe.labels):  # every label of our own posts weighs the same
        mine = own & (gold == place)
        if mine.any():
            weight[mine] *= fair / weight[mine].sum() * prior.get(label, 1.0)
    model = LogisticRegression(C=recipe.strength, max_iter=300, tol=1e-3)
    model.fit(matrix[:, used].multiply(scale).tocsr(), gold, sample_weight=weight)
    learnt, offset = model.coef_, model.intercept_
    if len(model.classes_) == 2 and len(learnt) == 1:  # scikit-learn keeps one row for two labels
        learnt, offset = np.stack([-learnt[0] / 2, learnt[0] / 2]), np.array([-offset[0] / 2, offset[0] / 2])
    weights = np.zeros((SPACE, len(recipe.labels)), dtype=np.float32)
    bias = np.full(len(recipe.labels), -10.0, dtype=np.float32)  # a label without an example never wins
    for row, place in enumerate(model.classes_):
        weights[used, place] = learnt[row] * scale
        bias[place] = offset[row]
    return weights, bias


def _matrix(examples: Sequence[Example], rarity: Floats) -> Any:
    import numpy as np
    from scipy import sparse  # type: ignore[import-untyped]

    ends = np.cumsum([0, *(len(one.features.indices) for one in examples)])
    values = np.concatenate([one.features.weighed(rarity) for one in examples])
    places = np.concatenate([one.features.indices for one in examples]).astype(np.int64)
    matrix = sparse.csr_matrix((values, places, ends), shape=(len(examples), SPACE))
    matrix.sum_duplicates()
    return matrix


def _rarity(examples: Sequence[Example]) -> Floats:
    """Give how rare each feature is: log of the inverse share of texts, as float16 keeps it."""
    import numpy as np

    seen = np.zeros(SPACE)
    for one in examples:
        seen[np.unique(one.features.indices)] += 1
    rare = np.log((1 + len(examples)) / (1 + seen)) + 1
    return rare.astype(np.float16).astype(np.float32)


def _figures(labels: Sequence[str], gold: Any, shares: Floats, langs: Any) -> dict[str, Any]:
    """Give macro-F1, accuracy, calibration and each label's figures, in all and by language."""
    from sklearn.metrics import precision_recall_fscore_support

    best = shares.argmax(axis=1)
    told = _summary(gold, shares)
    rows = precision_recall_fscore_support(gold, best, labels=range(len(labels)), zero_division=0)
    told["per_class"] = {
        label: {"precision": _round(p), "recall": _round(r), "f1": _round(f), "support": int(s)}
        for label, p, r, f, s in zip(labels, *rows, strict=True)
        if s
    }
    told["by_lang"] = {lang: _summary(gold[langs == lang], shares[langs == lang]) for lang in LANGUAGES}
    return told


def _summary(gold: Any, shares: Floats) -> dict[str, Any]:
    from sklearn.metrics import f1_score

    best = shares.argmax(axis=1)
    error = calibration_error(shares.max(axis=1).tolist(), (best == gold).tolist())
    macro = f1_score(gold, best, average="macro", zero_division=0)
    return {
        "items": len(gold),
        "macro_f1": _round(macro),
        "accuracy": _round((best == gold).mean()),
        "ece": _round(error),
    }


def _public_figures(head: LinearHead, weights: Floats, checked: Sequence[Example], rarity: Floats) -> dict[str, Any]:
    import numpy as np

    gold = np.array([head.labels.index(one.label) for one in checked])
    shares = softmax(_matrix(checked, rarity) @ weights + head.bias, head.temperatures[""])
    return _figures(head.labels, gold, shares, np.array([one.lang for one in checked]))


def _round(value: Any) -> float:
    return round(float(value), 3)
