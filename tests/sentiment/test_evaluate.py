"""Figures are those that scikit-learn and the papers give."""

from __future__ import annotations

import random
from typing import Any

import pytest

from sentiment.calibration import calibration_error, fit_temperature, softmax
from sentiment.evaluate import LABELS, evaluate, reliability_sensitivity
from sentiment.interval import macro_f1_interval, wilson

NAMES = ("negative", "neutral", "positive")


def rows_of(seed: int, count: int) -> list[dict[str, Any]]:
    draw = random.Random(seed)
    rows = []
    for _ in range(count):
        gold, confidence = draw.choice(NAMES), draw.uniform(0.34, 1)
        said = gold if draw.random() < confidence else draw.choice(NAMES[:2])
        verdict = {"is": said, "confidence": confidence} | ({"unsure": True} if confidence < 0.5 else {})
        rows.append({
            "lang": draw.choice(["es", "es", "es", "pt"]), "source": "x", "labels": {"sentiment": gold},
            "verdict": {"sentiment": verdict},
        })  # fmt: skip
    return rows


@pytest.mark.parametrize("seed", range(5))
def test_figures_agree_with_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rows = rows_of(seed, 90)
    told = evaluate(rows)
    gold = [row["labels"]["sentiment"] for row in rows]
    said = [row["verdict"]["sentiment"]["is"] for row in rows]
    figures = told["labels"]["sentiment"]
    assert told["items"] == figures["items"] == 90
    assert figures["macro_f1"] == pytest.approx(
        metrics.f1_score(gold, said, average="macro", zero_division=0), abs=1e-4
    )
    assert figures["accuracy"] == pytest.approx(metrics.accuracy_score(gold, said), abs=1e-4)
    expected = metrics.precision_recall_fscore_support(gold, said, labels=NAMES, zero_division=0)
    for place, name in enumerate(NAMES):
        row = figures["per_class"][name]
        assert (row["precision"], row["recall"], row["f1"], row["support"]) == pytest.approx(
            tuple(column[place] for column in expected)
        )


def test_parts_under_thirty_items_get_no_figures_of_their_own() -> None:
    rows = rows_of(1, 60)
    for place, row in enumerate(rows):
        row["lang"], row["source"] = ("es" if place < 45 else "pt"), ("x" if place < 30 else "news")
    figures = evaluate(rows)["labels"]["sentiment"]
    assert set(figures["by_lang"]) == {"es"}
    assert set(figures["by_source"]) == {"x", "news"}
    assert figures["by_lang"]["es"]["items"] == 45


def test_unsure_labels_are_counted_and_left_out_of_the_second_accuracy() -> None:
    rows = rows_of(2, 200)
    figures = evaluate(rows)["labels"]["sentiment"]
    sure = [row for row in rows if not row["verdict"]["sentiment"].get("unsure")]
    right = sum(row["labels"]["sentiment"] == row["verdict"]["sentiment"]["is"] for row in sure)
    assert figures["unsure"] == pytest.approx(1 - len(sure) / 200, abs=1e-4)
    assert figures["accuracy_sure"] == pytest.approx(right / len(sure), abs=1e-4)


@pytest.mark.parametrize("seed", range(6))
def test_reliability_counts_the_relations_between_items(seed: int) -> None:
    draw = random.Random(seed)
    decisions = [(draw.random() < 0.7, draw.random() < 0.6) for _ in range(40)]

    def by_relations(of: int, against: int) -> float:
        # The definition: for each item, the share of its "above / below" relations that the other side makes too.
        shares = []
        for one in decisions:
            mine = [other for other in decisions if other[of] != one[of]]
            kept = [other for other in mine if (other[against], one[against]) == (other[of], one[of])]
            shares.append(len(kept) / len(mine))
        return sum(shares) / len(shares)

    reliability, sensitivity = reliability_sensitivity(decisions)
    assert reliability == pytest.approx(by_relations(1, 0))
    assert sensitivity == pytest.approx(by_relations(0, 1))


def test_relevance_carries_the_replab_measures_and_booleans_are_read() -> None:
    rows = [
        {"labels": {"relevant": gold}, "verdict": {"relevant": {"is": said, "confidence": 0.9}}}
        for gold, said in [(True, True)] * 6 + [(False, False)] * 2 + [(True, False)] + [(False, True)]
    ]
    figures = evaluate(rows)["labels"]["relevant"]
    assert figures["reliability"] == pytest.approx(6 / 7 * 2 / 3, abs=1e-4)
    assert figures["sensitivity"] == pytest.approx(6 / 7 * 2 / 3, abs=1e-4)
    assert figures["f_rs"] == pytest.approx(6 / 7 * 2 / 3, abs=1e-4)
    assert set(figures["per_class"]) == {"true", "false"}
    assert reliability_sensitivity([(True, True), (False, True)]) == (0.0, 0.0)


def test_labels_without_both_sides_are_left_out() -> None:
    rows: list[dict[str, Any]] = [
        {"labels": {"intent": "job"}, "verdict": {}}, {"labels": None, "verdict": {"intent": {"is": "job"}}}, {},
    ]  # fmt: skip
    assert evaluate(rows) == {"items": 3, "labels": {}}
    assert evaluate([]) == {"items": 0, "labels": {}}


def test_calibration_error_is_the_distance_of_confidence_from_accuracy() -> None:
    assert calibration_error([0.9] * 10, [True] * 9 + [False]) == pytest.approx(0)
    assert calibration_error([0.9] * 10, [True] * 5 + [False] * 5) == pytest.approx(0.4)
    assert calibration_error([], []) == 0


def test_the_fitted_temperature_softens_what_is_too_sure() -> None:
    np = pytest.importorskip("numpy")
    rng = np.random.default_rng(5)
    logits = rng.normal(size=(4000, 3)) * 2
    shares = softmax(logits)
    gold = np.array([rng.choice(3, p=row) for row in shares])
    assert fit_temperature(logits * 3, gold) == pytest.approx(3, rel=0.1)


# How often each label is right (rows) and said (columns): nine of ten right, and a rare class.
WORLD = {
    ("negative", "negative"): 0.46, ("negative", "neutral"): 0.03, ("negative", "positive"): 0.01,
    ("neutral", "negative"): 0.02, ("neutral", "neutral"): 0.32, ("neutral", "positive"): 0.01,
    ("positive", "negative"): 0.01, ("positive", "neutral"): 0.02, ("positive", "positive"): 0.12,
}  # fmt: skip


def true_macro_f1() -> float:
    scores = []
    for name in NAMES:
        said = sum(share for (_, other), share in WORLD.items() if other == name)
        gold = sum(share for (other, _), share in WORLD.items() if other == name)
        scores.append(2 * WORLD[name, name] / (said + gold))
    return sum(scores) / len(scores)


@pytest.mark.parametrize("count", [12, 40, 150])
def test_intervals_hold_the_true_value_in_nine_of_ten_samples(count: int) -> None:
    draw = random.Random(count)
    accuracy = sum(WORLD[name, name] for name in NAMES)
    held = {"accuracy": 0, "macro_f1": 0}
    for _ in range(200):
        pairs = draw.choices(list(WORLD), list(WORLD.values()), k=count)
        rows = [{"labels": {"sentiment": gold}, "verdict": {"sentiment": {"is": said}}} for gold, said in pairs]
        told = evaluate(rows)["labels"]["sentiment"]
        for name, truth in (("accuracy", accuracy), ("macro_f1", true_macro_f1())):
            low, high = told[f"{name}_interval"]
            assert 0 <= low <= told[name] <= high <= 1
            held[name] += low <= truth <= high
    assert min(held.values()) >= 180, held


def test_ten_right_answers_of_ten_are_no_certainty() -> None:
    low, high = macro_f1_interval([("positive", "positive")] * 5 + [("negative", "negative")] * 5)
    assert low < 0.8
    assert high == 1
    assert wilson(10, 10)[0] < 0.75


def test_the_same_items_give_the_same_intervals_in_any_order() -> None:
    rows = rows_of(3, 120)
    assert evaluate(rows[::-1]) == evaluate(rows)


def test_free_words_instead_of_labels_fill_no_memory() -> None:
    assert macro_f1_interval([(f"word {n}", "neutral") for n in range(5000)]) == (0.0, 1.0)


def test_every_figure_that_the_format_promises_is_there() -> None:
    rows = rows_of(4, 60)
    figures = evaluate(rows)["labels"]["sentiment"]
    promised = {
        "items", "right", "macro_f1", "macro_f1_interval", "accuracy", "accuracy_interval", "confidence", "ece",
        "unsure", "accuracy_sure",
    }  # fmt: skip
    assert set(figures) == promised | {"per_class", "by_lang", "by_source"}
    assert set(figures["by_source"]["x"]) == promised
    assert set(figures["per_class"]["neutral"]) == {"precision", "recall", "f1", "support"}
    for name in LABELS:
        gold = "true" if name == "relevant" else "x"
        one = [{"labels": {name: gold}, "verdict": {name: {"is": gold, "confidence": 0.7}}}] * 30
        assert set(evaluate(one)["labels"]) == {name}
        assert ("f_rs" in evaluate(one)["labels"][name]) == (name == "relevant")


@pytest.mark.parametrize("confidence", [float("nan"), -2, 17, "0.9", None, [0.5]])
def test_a_confidence_that_is_none_is_left_out_of_the_calibration(confidence: Any) -> None:
    rows = [{"labels": {"intent": "job"}, "verdict": {"intent": {"is": "job", "confidence": confidence}}}]
    figures = evaluate(rows)["labels"]["intent"]
    assert (figures["ece"], figures["confidence"], figures["accuracy"]) == (None, None, 1.0)


@pytest.mark.parametrize("row", [{"labels": ["job"], "verdict": {}}, {"labels": {"intent": "job"}, "verdict": "job"}])
def test_rows_of_another_shape_are_left_out(row: dict[str, Any]) -> None:
    assert evaluate([row])["labels"] == {}


def test_labels_of_a_workbook_are_read_whatever_their_case() -> None:
    rows = [{"labels": {"relevant": "TRUE"}, "verdict": {"relevant": {"is": True}}}]
    assert evaluate(rows)["labels"]["relevant"]["accuracy"] == 1
