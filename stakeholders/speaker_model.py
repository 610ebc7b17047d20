"""Tell who speaks by a small linear model where registry, profile and plain words are silent.

Multinomial logistic regression over hashed features (speaker_features.py); probabilities are tempered on held-out
scenarios (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017). Training needs scikit-learn (the extra
`train`), use numpy only.
"""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from listener.errors import ClassifierError
from listener.match import fold, fold_with_offsets
from listener.mention import Author
from listener.taxonomy import STAKEHOLDERS
from stakeholders.speaker_features import BUCKETS, SIGNS, Sample, bucket_of, features, vector

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

__all__ = ["MODEL", "SpeakerModel", "load_speaker_model", "read_samples", "train", "train_speaker"]

log = logging.getLogger("escucha.stakeholders")

MODEL = Path(__file__).parent / "speaker.npz"
CORPUS = Path(__file__).parents[1] / "sentiment" / "corpus" / "posts.jsonl"  # in a checkout; not in the wheel


class SpeakerModel:
    """Judge who speaks; the weights are read-only and a judgement depends on nothing but the sample."""

    def __init__(self, classes: Sequence[str], weights: Floats, intercept: Floats, temperature: float) -> None:
        self.classes = tuple(classes)
        self._weights = weights  # one row a bucket, one column a class
        self._intercept = intercept
        self._temperature = temperature

    def judge(self, sample: Sample) -> tuple[dict[str, float], tuple[str, ...]]:
        """Give every stakeholder's calibrated probability, and up to three words that spoke most for the best."""
        import numpy as np

        found = vector(sample)
        buckets = np.fromiter(found.keys(), dtype=np.int64, count=len(found))
        amounts = np.fromiter(found.values(), dtype=np.float32, count=len(found))
        scores = (amounts @ self._weights[buckets] + self._intercept) / self._temperature
        odds = np.exp(scores - scores.max())
        probabilities = odds / odds.sum()
        best = int(probabilities.argmax())
        pull = self._weights[:, best]
        words: dict[str, float] = {}
        for _, feature, word in features(sample):
            if len(word) > 2 and all(part.isalpha() and part not in SIGNS for part in word.split()):
                words[word] = max(words.get(word, 0.0), float(pull[bucket_of(feature)]))
        top = sorted((word for word in words if words[word] > 0), key=lambda word: -words[word])[:3]
        return dict(zip(self.classes, map(float, probabilities), strict=True)), tuple(
            _as_written(word, sample) for word in top
        )


def _as_written(word: str, sample: Sample) -> str:
    """Give folded words as they stand in the text or the bio."""
    for original in (sample.text[:1500], (sample.author.bio or "")[:300]):
        folded, offsets = fold_with_offsets(original)
        start = folded.find(word)
        if start >= 0:
            return original[offsets[start] : offsets[start + len(word) - 1] + 1]
    return word


@lru_cache(maxsize=2)
def load_speaker_model(path: Path = MODEL) -> SpeakerModel:
    """Read the shipped model once; raise ClassifierError when it is missing or damaged."""
    import numpy as np

    try:
        with path.open("rb") as lines, np.load(lines, allow_pickle=False) as arrays:
            weights = arrays["weights"].astype(np.float32)
            intercept = arrays["intercept"].astype(np.float32)
            classes = [str(name) for name in arrays["classes"]]
            temperature = float(arrays["temperature"])
    except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
        raise ClassifierError(f"the model of who speaks cannot be read from {path.name}: {error}") from error
    if weights.shape != (BUCKETS, len(classes)) or not set(classes) <= set(STAKEHOLDERS) or not temperature > 0:
        raise ClassifierError(f"the model of who speaks in {path.name} is of another version: run `escucha train`")
    return SpeakerModel(classes, weights, intercept, temperature)


def read_samples(rows: Iterable[Mapping[str, Any]]) -> list[Sample]:
    """Read post-file rows (formats.md) that carry labels.stakeholder; others are passed over."""
    samples = []
    for row in rows:
        labels = row.get("labels") or {}
        label = labels.get("stakeholder")
        if label not in STAKEHOLDERS or not row.get("text"):
            continue
        author = row.get("author") or {}
        known = {key: author.get(key) for key in ("handle", "name", "bio", "url", "verified", "followers")}
        own = tuple(fold(str(name)) for name in (row.get("brand"),) if name)
        rivals = tuple(fold(str(name)) for name in row.get("competitors") or ())
        scenario = str(row.get("scenario") or row.get("id"))
        samples.append(Sample(str(row["text"]), Author(**known), own, rivals, label, scenario, row.get("lang")))
    return samples


def _fit(samples: Sequence[Sample], strength: float) -> tuple[Any, Any, list[int]]:
    """Give the samples as a sparse matrix, the regression to fit, and the bucket of each column."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    columns = DictVectorizer()
    matrix = columns.fit_transform([{str(bucket): amount for bucket, amount in vector(one).items()} for one in samples])
    # Halfway to balanced: rare stakeholders are learnt, yet in real feeds most people are customers.
    counts = Counter(str(sample.label) for sample in samples)
    weights = {name: math.sqrt(len(samples) / len(counts) / count) for name, count in counts.items()}
    regression = LogisticRegression(C=strength, class_weight=weights, max_iter=3000, tol=1e-4)
    return matrix, regression, [int(name) for name in columns.get_feature_names_out()]


def train(samples: Sequence[Sample], strength: float = 10.0, folds: int = 5) -> tuple[dict[str, Any], dict[str, Any]]:
    """Train on labelled samples; give the arrays of the model and its honest figures from held-out scenarios.

    Posts of one scenario never stand on both sides. The temperature is the one of least log-loss on the held-out
    posts. Needs scikit-learn (the extra `train`).
    """
    import numpy as np
    from sklearn.metrics import classification_report, f1_score
    from sklearn.model_selection import StratifiedGroupKFold

    matrix, regression, buckets = _fit(samples, strength)
    labels = np.array([sample.label for sample in samples])
    groups = np.array([sample.scenario for sample in samples])
    classes = sorted(set(labels.tolist()))
    held_out = np.zeros((len(samples), len(classes)))
    cutter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=7)
    for learn, test in cutter.split(matrix, labels, groups):
        regression.fit(matrix[learn], labels[learn])
        columns = [classes.index(name) for name in regression.classes_]
        held_out[test] = -20.0
        held_out[np.ix_(test, columns)] = regression.decision_function(matrix[test])
    truth = np.array([classes.index(name) for name in labels])

    def probabilities(temperature: float) -> Any:
        odds = np.exp((held_out - held_out.max(axis=1, keepdims=True)) / temperature)
        return odds / odds.sum(axis=1, keepdims=True)

    def loss(temperature: float) -> float:
        return float(-np.log(probabilities(temperature)[np.arange(len(truth)), truth] + 1e-12).mean())

    temperature = min((float(step) for step in np.geomspace(0.2, 4.0, 61)), key=loss)
    guess = probabilities(temperature)
    chosen = np.array(classes)[guess.argmax(axis=1)]
    report = classification_report(labels, chosen, output_dict=True, zero_division=0)
    figures = {
        "posts": len(samples),
        "scenarios": len(set(groups.tolist())),
        "macro_f1": round(float(f1_score(labels, chosen, average="macro")), 4),
        "accuracy": round(float((labels == chosen).mean()), 4),
        "ece": round(_calibration_error(guess.max(axis=1), labels == chosen), 4),
        "per_class": {
            name: {key: round(float(report[name][key]), 3) for key in ("precision", "recall", "f1-score", "support")}
            for name in classes
        },
    }
    regression.fit(matrix, labels)
    weights = np.zeros((BUCKETS, len(classes)), dtype=np.float16)
    weights[buckets] = regression.coef_.T
    arrays = {
        "weights": weights,
        "intercept": regression.intercept_.astype(np.float32),
        "classes": np.array(regression.classes_, dtype="U32"),
        "temperature": np.float32(temperature),
    }
    return arrays, figures


def _calibration_error(confidence: Any, right: Any, bins: int = 10) -> float:
    """Measure expected calibration error over equal-width bins (Naeini et al., AAAI 2015)."""
    error = 0.0
    for step in range(bins):
        inside = (confidence > step / bins) & (confidence <= (step + 1) / bins)
        if inside.any():
            error += float(inside.mean()) * abs(float(confidence[inside].mean()) - float(right[inside].mean()))
    return error


def train_speaker(corpus: Path | str = CORPUS, output: Path | str = MODEL) -> dict[str, Any]:
    """Train the model from a post file and write it with its card beside it; give the card."""
    import numpy as np

    try:
        with Path(corpus).open(encoding="utf-8") as lines:
            samples = read_samples(json.loads(line) for line in lines if line.strip())
    except (OSError, ValueError) as error:
        raise ClassifierError(f"{Path(corpus).name} cannot be read as a post file: {error}") from error
    if len({sample.label for sample in samples}) < 2:
        raise ClassifierError(f"{Path(corpus).name} holds no posts labelled with two or more stakeholders")
    arrays, figures = train(samples)
    target = Path(output)
    np.savez_compressed(target, **arrays)
    card = {
        "model": "stakeholder, hashed n-grams and multinomial logistic regression",
        "trained_on": Path(corpus).name,
        "temperature": round(float(arrays["temperature"]), 4),
        "held_out": figures,
        "note": "figures come from cross-validation by scenario, of the model alone, without registry and rules",
    }
    target.with_suffix(".json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    load_speaker_model.cache_clear()
    log.info("speaker model: %d posts, held-out macro-F1 %.3f", figures["posts"], figures["macro_f1"])
    return card
