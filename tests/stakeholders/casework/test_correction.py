"""A correction can be taken back: cases open again, people are told, and copies find the case of a corrected post."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from listener.database import Store
from stakeholders.alerts import REOPENED
from stakeholders.case import NotPossible, acknowledge, answer, case_mentions_of, close, history, read_case
from stakeholders.deciding.facts import Case
from stakeholders.desk import Desk
from stakeholders.store import alerts, cases
from tests.stakeholders.test_desk import NOW, Office, make_config, opened

TEXT = "no sirve la app y me cobran doble el recibo cada mes"
LATER = NOW + timedelta(hours=30)


@pytest.fixture
def office(store: Store, tmp_path: Path) -> Office:
    return Office(store, Desk(make_config(tmp_path)))


def correct(office: Office, mention_id: int, head: str, name: str) -> None:
    """Correct as the dashboard does: with a desk of its own each time."""
    with office.store.write() as connection:
        Desk(office.desk.config).correct(connection, mention_id, head, name, "Rosa", LATER)


def complaint(office: Office) -> tuple[Case, int]:
    case = opened(office.file("Nítido me cobró dos veces mi recibo"))
    with office.store.read() as connection:
        return case, case_mentions_of(connection, case.id)[0].mention_id


def now_is(office: Office, case: Case) -> Case:
    with office.store.read() as connection:
        return opened(read_case(connection, case.id))


def whys(office: Office) -> list[str]:
    with office.store.read() as connection:
        return [why["sentence"] for why in connection.scalars(sa.select(alerts.c.reason).order_by(alerts.c.id))]


def test_taking_a_correction_back_opens_the_case_again_and_tells_people(office: Office) -> None:
    case, mention_id = complaint(office)
    with office.store.write() as connection:
        acknowledge(connection, case.id, "Luis", NOW)
    correct(office, mention_id, "relevant", "false")
    assert (now_is(office, case).status, office.count(alerts)) == ("closed", 1)
    with office.store.read() as connection:
        closed = history(connection, case.id)[-1]
    assert (closed.what, closed.who) == ("closed", "escucha")  # the person corrected; the program closed
    assert closed.after is not None
    assert closed.after["note"]["sentence"].startswith("After the correction")  # a reason: pages word it
    correct(office, mention_id, "relevant", "true")
    again = now_is(office, case)
    assert (again.status, again.closed_at, again.acknowledged_at) == ("new", None, None)
    assert again.due_at == case.due_at  # a wrong click buys no time
    assert office.history(case)[-3:] == ["closed", "corrected", "reopened"]
    assert office.count(alerts) == 2
    assert whys(office)[-1] == REOPENED
    correct(office, mention_id, "stakeholder", "regulator")
    moved = now_is(office, case)
    assert (moved.status, moved.department) == ("new", "legal_regulatory")


def test_a_case_that_a_correction_closed_opens_again_in_the_department_it_moves_to(office: Office) -> None:
    case, mention_id = complaint(office)
    correct(office, mention_id, "sentiment", "positive")
    correct(office, mention_id, "intent", "other")
    assert now_is(office, case).status == "closed"
    correct(office, mention_id, "stakeholder", "regulator")
    correct(office, mention_id, "sentiment", "negative")
    moved = now_is(office, case)
    assert (moved.status, moved.department) == ("new", "legal_regulatory")
    assert office.count(alerts) == 2


def test_what_a_person_closed_stays_closed_when_a_correction_is_taken_back(office: Office) -> None:
    case, mention_id = complaint(office)
    with office.store.write() as connection:
        close(connection, case.id, "Luis", NOW)
    correct(office, mention_id, "relevant", "false")
    correct(office, mention_id, "relevant", "true")
    assert (now_is(office, case).status, office.count(alerts)) == ("closed", 1)


def test_an_answered_case_is_answered_again_and_nobody_is_called_back(office: Office) -> None:
    case, mention_id = complaint(office)
    with office.store.write() as connection:
        answer(connection, case.id, "Luis", NOW)
    correct(office, mention_id, "relevant", "false")
    correct(office, mention_id, "relevant", "true")
    again = now_is(office, case)
    assert (again.status, again.answered_at, again.closed_at) == ("answered", NOW, None)
    assert office.count(alerts) == 1
    with office.store.write() as connection, pytest.raises(NotPossible, match="Luis"):
        answer(connection, case.id, "Ana", LATER)


@pytest.mark.parametrize("step", [answer, close])
def test_a_finished_case_that_a_correction_makes_more_urgent_opens_again(office: Office, step: object) -> None:
    case, mention_id = complaint(office)
    assert case.priority == "important"
    with office.store.write() as connection:
        (answer if step is answer else close)(connection, case.id, "Luis", NOW)
    correct(office, mention_id, "intent", "legal_threat")
    again = now_is(office, case)
    assert (again.status, again.priority, again.answered_at) == ("new", "alert", None)
    assert again.due_at is not None
    assert again.due_at > LATER  # the clock of what is new starts now
    assert office.count(alerts) == 2
    with office.store.read() as connection:
        last = history(connection, case.id)[-1]
    assert (last.what, last.who, last.after) == ("reopened", "Rosa", {"status": "new"})


def test_a_corrected_copy_joins_the_open_case_of_its_text(office: Office) -> None:
    first = opened(office.file(TEXT))
    copy = office.hear(TEXT, relevant="false")
    office.settle()
    assert office.case_of(copy) is None
    correct(office, copy, "relevant", "true")
    assert opened(office.case_of(copy)).id == first.id
    assert office.count(cases) == 1


def test_an_old_copy_is_corrected_into_the_case_of_its_days(office: Office) -> None:
    then = NOW - timedelta(days=40)
    first = opened(office.file(TEXT, at=then))
    copy = office.hear(TEXT, relevant="false", at=then + timedelta(days=2))
    office.settle()
    correct(office, copy, "relevant", "true")
    assert opened(office.case_of(copy)).id == first.id


def test_a_later_copy_joins_the_case_that_a_correction_elsewhere_opened(office: Office) -> None:
    mention_id = office.hear(TEXT, relevant="false")
    office.file("en Surco no hay señal desde anoche")  # the memory is past the decision that is corrected
    office.settle()
    correct(office, mention_id, "relevant", "true")
    case = opened(office.case_of(mention_id))
    assert opened(office.file(TEXT)).id == case.id


def test_a_desk_is_warm_before_it_settles(office: Office) -> None:
    with office.store.read() as connection:
        assert office.desk.pending(connection, 10) == []
    assert "registry" not in vars(office.desk)  # nothing to do, nothing to load
    office.hear("Nítido no funciona")
    with office.store.read() as connection:
        office.desk.pending(connection, 10)
    assert "registry" in vars(office.desk)
