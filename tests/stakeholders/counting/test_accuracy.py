"""What people correct and confirm becomes figures of the judges, and nothing else is moved by a confirmation."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.database import Store
from sentiment.evaluate import evaluate
from sentiment.store import verdicts
from sentiment.verdict import HEADS
from stakeholders.case import NotPossible
from stakeholders.casework.correction import confirm
from stakeholders.counting.accuracy import Mistake, checked_rows, count_checks, list_mistakes, shipped_figures
from stakeholders.deciding.decision import read_decision
from stakeholders.desk import Desk
from stakeholders.store import alerts, cases, decisions, events
from tests.stakeholders.test_desk import NOW, Office, make_config, opened

LATER = NOW + timedelta(hours=3)


@pytest.fixture
def office(store: Store, tmp_path: Path) -> Office:
    return Office(store, Desk(make_config(tmp_path)))


def correct(office: Office, mention_id: int, head: str, name: str, who: str = "Rosa") -> None:
    with office.store.write() as connection:
        Desk(office.desk.config).correct(connection, mention_id, head, name, who, LATER)


def approve(office: Office, mention_id: int, head: str, who: str = "Rosa") -> None:
    with office.store.write() as connection:
        confirm(Desk(office.desk.config), connection, mention_id, head, who, LATER)


def rows_of(office: Office) -> list[dict[str, Any]]:
    with office.store.read() as connection:
        return checked_rows(connection)


def contents(office: Office, *tables: sa.Table) -> list[Any]:
    with office.store.read() as connection:
        return [[tuple(row) for row in connection.execute(sa.select(table))] for table in tables]


def heard(office: Office, text: str, labels: str = "negative products_services complaint", **more: Any) -> int:
    mention_id = office.hear(text, labels, **more)
    office.settle()
    return mention_id


def test_before_anybody_says_anything_there_is_nothing_to_measure(office: Office) -> None:
    heard(office, "Nítido me cobró dos veces mi recibo")
    assert rows_of(office) == []
    assert evaluate([]) == {"items": 0, "labels": {}}


def test_what_the_model_said_stands_beside_what_the_person_said(office: Office) -> None:
    mention_id = heard(office, "Nítido me cobró dos veces mi recibo", lang="es")
    correct(office, mention_id, "sentiment", "neutral")
    (row,) = rows_of(office)
    assert row["labels"] == {"sentiment": "neutral"}
    assert (row["verdict"]["sentiment"]["is"], row["verdict"]["sentiment"]["confidence"]) == ("negative", 0.8)
    assert (row["lang"], row["source"], row["mention"], row["engine"]) == ("es", "x", mention_id, "test 1")
    assert row["case"] == opened(office.case_of(mention_id)).id


def test_labels_that_nobody_looked_at_are_in_no_figure(office: Office) -> None:
    correct(office, heard(office, "Nítido me cobró dos veces mi recibo"), "intent", "question")
    assert list(evaluate(rows_of(office))["labels"]) == ["intent"]


def test_who_spoke_is_measured_by_what_the_program_had_decided(office: Office) -> None:
    mention_id = heard(office, "Nítido me cobró dos veces mi recibo")
    with office.store.read() as connection:
        decided = read_decision(connection, mention_id)
    assert decided is not None
    before = decided.speaker.label
    correct(office, mention_id, "stakeholder", "press")
    correct(office, mention_id, "stakeholder", "employee", "Luis")
    (row,) = rows_of(office)
    assert row["labels"] == {"stakeholder": "employee"}  # the last word of a person
    assert row["verdict"]["stakeholder"] == {
        "is": before.name, "confidence": before.confidence, "unsure": before.unsure,
    }  # fmt: skip


def test_a_correction_that_is_taken_back_counts_as_right(office: Office) -> None:
    mention_id = heard(office, "Nítido me cobró dos veces mi recibo")
    correct(office, mention_id, "sentiment", "positive")
    correct(office, mention_id, "sentiment", "negative")
    assert evaluate(rows_of(office))["labels"]["sentiment"]["right"] == 1


def test_a_confirmation_counts_and_changes_nothing_else(office: Office) -> None:
    mention_id = heard(office, "Nítido me cobró dos veces mi recibo")
    before = contents(office, verdicts, cases, events, alerts)
    with office.store.read() as connection:
        old = read_decision(connection, mention_id)
    for head in (*HEADS, "stakeholder"):
        approve(office, mention_id, head)
    assert contents(office, verdicts, cases, events, alerts) == before
    with office.store.read() as connection:
        new = read_decision(connection, mention_id)
    assert old is not None
    assert new is not None
    assert (new.at, new.speaker, new.route) == (old.at, old.speaker, old.route)
    assert [(one.head, one.before == one.after, one.who) for one in new.corrections] == [
        (head, True, "Rosa") for head in (*HEADS, "stakeholder")
    ]
    figures = evaluate(rows_of(office))["labels"]
    assert {told["accuracy"] for told in figures.values()} == {1.0}
    assert figures["sentiment"]["confidence"] == 0.8


def test_a_second_confirmation_and_one_after_a_correction_add_nothing(office: Office) -> None:
    mention_id = heard(office, "Nítido me cobró dos veces mi recibo")
    approve(office, mention_id, "intent")
    correct(office, mention_id, "sentiment", "neutral")
    before = contents(office, decisions)
    approve(office, mention_id, "intent", "Luis")
    approve(office, mention_id, "sentiment", "Luis")
    assert contents(office, decisions) == before


def test_a_confirmed_label_can_still_be_corrected(office: Office) -> None:
    mention_id = heard(office, "Nítido me cobró dos veces mi recibo")
    approve(office, mention_id, "sentiment")
    correct(office, mention_id, "sentiment", "neutral")
    (row,) = rows_of(office)
    assert (row["verdict"]["sentiment"]["is"], row["labels"]["sentiment"]) == ("negative", "neutral")


@pytest.mark.parametrize(("mention", "head"), [(1, "mood"), (99, "sentiment")])
def test_what_cannot_be_confirmed_is_refused_with_its_reason(office: Office, mention: int, head: str) -> None:
    heard(office, "Nítido me cobró dos veces mi recibo")
    with office.store.write() as connection, pytest.raises(NotPossible):
        confirm(office.desk, connection, mention, head, "Rosa", LATER)


def test_mistakes_are_counted_with_their_cases_and_the_most_frequent_comes_first(office: Office) -> None:
    texts = (
        "me cobraron doble el recibo",
        "el router llegó roto ayer",
        "la tienda de Ate no atiende",
        "ya no hay chips",
    )
    ids = [heard(office, f"Nítido: {text}") for text in texts]
    for mention_id in ids[:2]:
        correct(office, mention_id, "dimension", "governance")
    correct(office, ids[2], "sentiment", "neutral")
    approve(office, ids[3], "sentiment")
    rows = rows_of(office)
    numbers = [opened(office.case_of(mention_id)).id for mention_id in ids]
    assert list_mistakes(rows) == [
        Mistake("dimension", "products_services", "governance", 2, (numbers[1], numbers[0])),
        Mistake("sentiment", "negative", "neutral", 1, (numbers[2],)),
    ]
    assert list_mistakes(rows, 1) == list_mistakes(rows)[:1]
    told = count_checks(rows)
    assert (told.posts, told.corrected, told.confirmed, told.engines) == (
        4, {"dimension": 2, "sentiment": 1}, {"sentiment": 1}, {"test 1": 4},
    )  # fmt: skip


def test_a_post_without_a_case_counts_and_names_none(office: Office) -> None:
    mention_id = heard(office, "Nítido patrocina la carrera de Lima", "neutral citizenship other")
    assert office.case_of(mention_id) is None
    correct(office, mention_id, "dimension", "performance")
    (mistake,) = list_mistakes(rows_of(office))
    assert (mistake.count, mistake.cases) == (1, ())


def test_corrections_of_before_the_confidence_was_kept_are_read(office: Office) -> None:
    mention_id = heard(office, "Nítido me cobró dos veces mi recibo")
    correct(office, mention_id, "stakeholder", "press")
    with office.store.write() as connection:
        detail = connection.scalar(sa.select(decisions.c.detail))
        assert detail is not None
        for one in detail["corrections"]:
            del one["confidence"], one["unsure"]
        connection.execute(decisions.update().values(detail=detail))
    figures = evaluate(rows_of(office))["labels"]["stakeholder"]
    assert (figures["items"], figures["ece"], figures["confidence"]) == (1, None, None)


def test_a_strangers_words_never_make_a_decision_look_corrected(office: Office) -> None:
    heard(office, 'Nítido dice "corrections":[{ y me cobró dos veces el recibo')
    assert rows_of(office) == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"test": []}', '{"test": {"sentiment": {"accuracy": "x"}}}', "\udcff"]
)
def test_damaged_figures_of_the_shipped_model_are_left_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "figures.json").write_text(text, "utf-8", errors="surrogateescape")
    assert shipped_figures(tmp_path) == {}
    assert shipped_figures(tmp_path / "absent") == {}


def test_the_shipped_models_figures_are_read(tmp_path: Path) -> None:
    told = {"accuracy": 0.8, "macro_f1": 0.7, "items": 40, "ece": 0.03}
    (tmp_path / "figures.json").write_text(json.dumps({"test": {"sentiment": told}}), "utf-8")
    assert shipped_figures(tmp_path) == {"sentiment": told}
