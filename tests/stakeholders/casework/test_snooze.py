"""A case that was put off comes back by itself, and no reply ends the snooze unless it is more urgent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from listener.config import Config
from listener.database import Store
from listener.mention import Author
from listener.reason import reason
from stakeholders.alerts import JOINED, WOKE, outbox_row, queue_case
from stakeholders.case import (
    NotPossible,
    Stale,
    acknowledge,
    answer,
    close,
    dismiss,
    history,
    join,
    read_case,
    reopen,
    snooze,
    wake,
)
from stakeholders.casework.snooze import wake_due
from stakeholders.casework.thread import cases_of
from stakeholders.counting.period import Period
from stakeholders.counting.response import case_counts, open_now, response_times
from stakeholders.deciding.facts import Case
from stakeholders.inbox import Filters, count_facets, read_inbox
from stakeholders.letters.letter import ANSWERS
from stakeholders.lists.caseline import needing_cases
from stakeholders.outbox.screening import screen
from stakeholders.store import alerts
from tests.stakeholders.newsroom import NOW, hear, make_config, open_one

SOON, LATER, TOMORROW = NOW + timedelta(minutes=1), NOW + timedelta(hours=1), NOW + timedelta(days=1)


@pytest.fixture
def config(store: Store, tmp_path: Path) -> Config:
    return make_config(tmp_path, store.url)


@pytest.fixture
def connection(store: Store) -> Iterator[sa.Connection]:
    with store.write() as opened:
        yield opened


@pytest.fixture
def case(connection: sa.Connection, config: Config) -> Case:
    return open_one(connection, config)[0]


def reread(connection: sa.Connection, case_id: int) -> Case:
    found = read_case(connection, case_id)
    assert found is not None
    return found


def test_a_snoozed_case_wakes_at_its_time_once_and_not_before(
    connection: sa.Connection, config: Config, case: Case
) -> None:
    slept = snooze(connection, case.id, "Rosa", NOW, TOMORROW)
    assert (slept.status, slept.snoozed_until, slept.acknowledged_at) == ("snoozed", TOMORROW, NOW)
    assert wake_due(connection, config, TOMORROW - timedelta(seconds=1)) == 0
    assert wake_due(connection, config, TOMORROW) == 1
    assert wake_due(connection, config, TOMORROW) == 0
    woken = reread(connection, case.id)
    assert (woken.status, woken.snoozed_until) == ("new", None)
    line = history(connection, case.id)[-1]
    assert (line.what, line.who) == ("woke", "escucha")
    assert acknowledge(connection, case.id, "Luis", TOMORROW).again is False


def test_a_case_that_wakes_is_told_to_its_department_again_once_and_its_escalation_goes_out(
    connection: sa.Connection, config: Config
) -> None:
    case, mention = open_one(connection, config)
    queue_case(connection, config, case, mention, False, NOW)
    connection.execute(alerts.update().values(state="sent", sent_at=NOW))
    snooze(connection, case.id, "Rosa", SOON, TOMORROW)
    assert [wake_due(connection, config, TOMORROW) for _ in range(2)] == [1, 0]
    queue_case(connection, config, reread(connection, case.id), mention, True, TOMORROW)
    first, again = connection.execute(sa.select(alerts).order_by(alerts.c.id)).all()
    assert (again.state, again.reason["sentence"], again.recipient) == ("pending", WOKE, first.recipient)
    assert again.payload == {"mention_id": mention}
    # The step of a chain that it climbs then is told too, until somebody has seen the case again.
    step = outbox_row("escalated.1", "escalated", "mail", "boss@nitido.example", reason(WOKE), TOMORROW)
    connection.execute(alerts.insert().values(**step | {"case_id": case.id, "payload": {"mention_id": mention}}))
    rows = connection.execute(sa.select(alerts).where(alerts.c.state == "pending")).all()
    assert screen(connection, config, rows, TOMORROW).withdrawn == {}
    acknowledge(connection, case.id, "Luis", TOMORROW + timedelta(minutes=1))
    late = screen(connection, config, rows, TOMORROW + timedelta(minutes=2)).withdrawn
    assert [row.kind for row in rows if row.id in late] == ["escalated"]


def test_a_more_urgent_post_that_wakes_a_case_is_told_as_such(connection: sa.Connection, config: Config) -> None:
    case, mention = open_one(connection, config)
    queue_case(connection, config, case, mention, False, NOW)
    snooze(connection, case.id, "Rosa", SOON, TOMORROW)
    urgent = hear(connection)
    joined = join(connection, config.settings, case.id, urgent, "thread", "alert", LATER)
    queue_case(connection, config, joined, urgent, True, LATER)
    why = connection.scalars(sa.select(alerts.c.reason).order_by(alerts.c.id)).all()
    assert [one["sentence"] for one in why] == [ANSWERS, JOINED]


def test_the_due_time_does_not_move_and_a_late_answer_counts_as_late(
    connection: sa.Connection, config: Config, case: Case
) -> None:
    later = NOW + timedelta(days=9)
    slept = snooze(connection, case.id, "Rosa", NOW, later)
    assert slept.due_at == case.due_at
    assert slept.overdue(later - timedelta(days=1))
    period = Period(NOW - timedelta(days=1), later, ZoneInfo("UTC"))
    before = later - timedelta(days=1)
    counts, now = case_counts(connection, period, None, before), open_now(connection, None, before)
    assert (counts.open, counts.snoozed, counts.overdue, counts.reconciles()) == (1, 1, 1, True)
    assert (now.open, now.overdue, now.snoozed, now.snoozed_overdue, now.needing) == (0, 0, 1, 1, 1)
    assert [(one.id, one.overdue) for one in needing_cases(connection, None, before, 5)] == [(case.id, True)]
    assert response_times(connection, period, None)[0].open == 1


def test_a_reply_joins_and_the_snooze_stays(connection: sa.Connection, config: Config, case: Case) -> None:
    snooze(connection, case.id, "Rosa", NOW, TOMORROW)
    mention = hear(connection, author=Author("ana"))
    joined = join(connection, config.settings, case.id, mention, "thread", "important", SOON)
    assert (joined.status, joined.snoozed_until, joined.mentions) == ("snoozed", TOMORROW, 2)


def test_a_more_urgent_reply_wakes_it_and_says_why(connection: sa.Connection, config: Config, case: Case) -> None:
    snooze(connection, case.id, "Rosa", NOW, TOMORROW)
    joined = join(connection, config.settings, case.id, hear(connection), "thread", "alert", SOON)
    assert (joined.status, joined.snoozed_until, joined.priority) == ("new", None, "alert")
    line = history(connection, case.id)[-1]
    assert line.what == "woke"
    assert line.after == {"status": "new", "note": {"sentence": "a more urgent post joined", "facts": {}}}


def test_a_snoozed_case_can_be_put_off_again_answered_or_woken_by_a_person(
    connection: sa.Connection, config: Config, case: Case
) -> None:
    snooze(connection, case.id, "Rosa", NOW, LATER)
    assert snooze(connection, case.id, "Rosa", SOON, TOMORROW).snoozed_until == TOMORROW
    lines = len(history(connection, case.id))
    assert snooze(connection, case.id, "Rosa", SOON, TOMORROW).version == reread(connection, case.id).version
    assert len(history(connection, case.id)) == lines
    assert wake(connection, case.id, "Luis", SOON).status == "new"
    assert wake(connection, case.id, "Luis", SOON).status == "new"
    snooze(connection, case.id, "Rosa", SOON, TOMORROW)
    answered = answer(connection, case.id, "Luis", LATER)
    assert (answered.status, answered.snoozed_until) == ("answered", None)
    assert wake_due(connection, config, TOMORROW) == 0


def test_times_that_make_no_sense_are_refused(connection: sa.Connection, case: Case) -> None:
    for until in (NOW, NOW - timedelta(days=1), NOW + timedelta(days=400)):
        with pytest.raises(NotPossible, match="still to come, within a year"):
            snooze(connection, case.id, "Rosa", NOW, until)
    with pytest.raises(ValueError, match="without a zone"):
        snooze(connection, case.id, "Rosa", NOW, datetime(2030, 1, 1, tzinfo=UTC).replace(tzinfo=None))
    answer(connection, case.id, "Rosa", NOW)
    with pytest.raises(NotPossible, match="nothing to put off"):
        snooze(connection, case.id, "Rosa", NOW, LATER)


def test_noise_is_put_away_with_a_reason_and_owes_nothing(
    connection: sa.Connection, config: Config, case: Case
) -> None:
    with pytest.raises(NotPossible, match="why this is noise"):
        dismiss(connection, case.id, "Rosa", NOW, "  ")
    gone = dismiss(connection, case.id, "Rosa", NOW, " publicidad ")
    assert (gone.status, gone.overdue(NOW + timedelta(days=9))) == ("dismissed", False)
    assert (history(connection, case.id)[-1].after or {})["note"] == "publicidad"
    for act in (answer, close):
        with pytest.raises(NotPossible, match=r"Rosa dismissed this case as noise \(60 min ago\)"):
            act(connection, case.id, "Luis", LATER)
    with pytest.raises(NotPossible, match="dismissed this case"):
        snooze(connection, case.id, "Luis", LATER, TOMORROW)
    period = Period(NOW - timedelta(days=1), TOMORROW, ZoneInfo("UTC"))
    counts = case_counts(connection, period, None, NOW + timedelta(days=9))
    assert (counts.dismissed, counts.open, counts.overdue, counts.closed, counts.reconciles()) == (1, 0, 0, 0, True)
    told = response_times(connection, period, None)[0]
    assert (told.cases, told.dismissed, told.open, told.clocked) == (1, 1, 0, 0)


def test_an_answered_case_was_no_noise(connection: sa.Connection, case: Case) -> None:
    answer(connection, case.id, "Rosa", NOW)
    with pytest.raises(NotPossible, match="no noise"):
        dismiss(connection, case.id, "Rosa", NOW, "spam")


def test_noise_gathers_nothing_more(connection: sa.Connection, config: Config, case: Case) -> None:
    from stakeholders.store import cases

    connection.execute(cases.update().values(thread="x/t"))
    assert len(cases_of(connection, "x/t", "nitido")) == 1
    dismiss(connection, case.id, "Rosa", NOW, "spam")
    assert cases_of(connection, "x/t", "nitido") == []


@pytest.mark.parametrize("last", ["answer", "close", "dismiss"])
def test_a_person_opens_a_case_again_with_a_fresh_clock(
    connection: sa.Connection, config: Config, case: Case, last: str
) -> None:
    if last == "dismiss":
        dismiss(connection, case.id, "Rosa", NOW, "spam")
    else:
        {"answer": answer, "close": close}[last](connection, case.id, "Rosa", NOW)
    version = reread(connection, case.id).version
    with pytest.raises(Stale, match=r"Rosa .* this case .*\(40 s ago\)"):
        reopen(connection, config.settings, case.id, "Luis", NOW + timedelta(seconds=40), version=version - 1)
    again = reopen(connection, config.settings, case.id, "Luis", TOMORROW, "escribió por teléfono", version)
    assert (again.status, again.answered_at, again.closed_at) == ("new", None, None)
    assert case.due_at is not None
    assert again.due_at is not None
    assert again.due_at > case.due_at
    assert history(connection, case.id)[-1].after == {"status": "new", "note": "escribió por teléfono"}
    with pytest.raises(NotPossible, match="open already"):
        reopen(connection, config.settings, case.id, "Luis", TOMORROW)


def test_opening_a_snoozed_case_wakes_it(connection: sa.Connection, config: Config, case: Case) -> None:
    snooze(connection, case.id, "Rosa", NOW, TOMORROW)
    assert reopen(connection, config.settings, case.id, "Luis", SOON).status == "new"
    assert history(connection, case.id)[-1].what == "woke"


def test_the_inbox_has_a_view_for_each_status(connection: sa.Connection, config: Config) -> None:
    made = [open_one(connection, config)[0].id for _ in range(4)]
    snooze(connection, made[0], "Rosa", NOW, TOMORROW)
    dismiss(connection, made[1], "Rosa", NOW, "spam")
    answer(connection, made[2], "Rosa", NOW)
    assert count_facets(connection, Filters(), NOW)["status"] == {
        "answered": 1, "dismissed": 1, "new": 1, "snoozed": 1
    }  # fmt: skip
    for status, number in (("snoozed", 0), ("dismissed", 1), ("answered", 2), ("open", 3)):
        filters = Filters.from_query({"status": status})
        assert [row.case.id for row in read_inbox(connection, filters, NOW).rows] == [made[number]]
    late = Filters(status="all", overdue=True)
    shown = [row.case.id for row in read_inbox(connection, late, NOW + timedelta(days=9)).rows]
    assert sorted(shown) == [made[0], made[3]]
