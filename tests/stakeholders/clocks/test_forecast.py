"""Late answers are forecast from the team's own times, unfinished cases count, and too little says nothing."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from listener.config import Config
from listener.database import Store
from stakeholders.case import record
from stakeholders.casework.step import TAKEN_BACK
from stakeholders.clocks.forecast import CaseChance, forecast, forecast_lines
from stakeholders.store import cases
from stakeholders.wording import Wording
from tests.stakeholders.weeks import config_of, open_case

NOW = datetime(2026, 11, 18, 17, tzinfo=UTC)  # a Wednesday, noon in Lima
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def connection(store: Store) -> Iterator[sa.Connection]:
    with store.write() as opened:
        yield opened


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_of(tmp_path)


def finish(connection: sa.Connection, hours: list[float], department: str = "security_fraud") -> None:
    """Write alerts of the past weeks that were answered after so many hours."""
    for place, lasted in enumerate(hours):
        at = NOW - timedelta(days=20) - place * HOUR
        due = at + 4 * HOUR
        open_case(connection, [], at, priority="alert", department=department, due=due,
                  answered=at + timedelta(hours=lasted))  # fmt: skip


def test_a_chance_is_the_share_of_cases_that_lasted_as_long_and_then_came_late(
    connection: sa.Connection, config: Config
) -> None:
    finish(connection, [1.0] * 60 + [3.0] * 30 + [6.0] * 10)
    new = open_case(connection, [], NOW, priority="alert", department="security_fraud", due=NOW + 4 * HOUR)
    old = open_case(
        connection, [], NOW - 2 * HOUR, priority="alert", department="security_fraud", due=NOW + 2 * HOUR
    )  # fmt: skip
    late = open_case(connection, [], NOW - 9 * HOUR, priority="alert", department="security_fraud", due=NOW - 5 * HOUR)
    (found,) = forecast(connection, config, NOW, 8 * HOUR).departments
    # Two that are open lasted 0 and 2 hours, one 9: honoured, so the shares are a little other than of the hundred.
    chances = {one.case_id: one.chance for one in found.cases}
    assert set(chances) == {new, old}
    assert late not in chances
    assert chances[new] == pytest.approx(0.11, abs=0.01)
    assert chances[old] == pytest.approx(0.27, abs=0.02)
    assert [one.case_id for one in found.cases] == [old, new]
    assert (found.open, found.overdue, found.due_within, found.untold) == (3, 1, 2, 0)
    assert (found.sample, found.unfinished) == (100, 3)
    assert found.expected == pytest.approx(0.38, abs=0.03)
    assert (found.low, found.high) == (0, 1)


def test_too_few_cases_say_nothing_and_are_told(connection: sa.Connection, config: Config) -> None:
    finish(connection, [1.0] * 19)
    case_id = open_case(connection, [], NOW, priority="alert", department="security_fraud", due=NOW + HOUR)
    told = forecast(connection, config, NOW, DAY)
    (found,) = told.departments
    assert found.cases == (CaseChance(case_id, "alert", NOW + HOUR, None),)
    assert (found.expected, found.low, found.high, found.untold, found.sample) == (None, None, None, 1, 19)
    (line,) = forecast_lines(told, Wording("en"))
    assert "too few answered cases to learn from (19)" in line


def test_a_case_that_has_waited_longer_than_any_before_is_untold(connection: sa.Connection, config: Config) -> None:
    finish(connection, [1.0] * 40)
    open_case(connection, [], NOW - 30 * HOUR, priority="alert", department="security_fraud", due=NOW + HOUR)
    new = open_case(connection, [], NOW, priority="alert", department="security_fraud", due=NOW + 2 * HOUR)
    told = forecast(connection, config, NOW, DAY)
    (found,) = told.departments
    assert [one.chance is None for one in found.cases] == [False, True]
    assert (found.untold, found.cases[0].case_id) == (1, new)
    (line,) = forecast_lines(told, Wording("en"))
    assert "learnt from 40 cases" in line
    assert "too little is known to say it of 1 more" in line


def test_important_cases_are_learnt_in_working_hours(connection: sa.Connection, config: Config) -> None:
    # Each was answered two working hours after it came on a Friday at five: on Monday at ten.
    friday = datetime(2026, 11, 6, 22, tzinfo=UTC)
    for place in range(30):
        at = friday - timedelta(minutes=place)
        open_case(connection, [], at, due=friday + 4 * DAY, answered=friday + timedelta(days=2, hours=17))
    quick = open_case(connection, [], NOW, due=NOW + timedelta(hours=1, minutes=30))
    slow = open_case(connection, [], NOW, due=NOW + 3 * HOUR)
    (found,) = forecast(connection, config, NOW, DAY).departments
    chances = {one.case_id: one.chance for one in found.cases}
    assert chances[quick] == pytest.approx(1)
    assert chances[slow] == pytest.approx(0)


def test_a_case_that_was_opened_again_counts_from_then(connection: sa.Connection, config: Config) -> None:
    finish(connection, [1.0] * 50 + [5.0] * 50)
    case_id = open_case(
        connection, [], NOW - 30 * DAY, priority="alert", department="security_fraud", due=NOW + 2 * HOUR
    )
    (before,) = forecast(connection, config, NOW, DAY).departments
    assert before.cases[0].chance is None
    undone = {"status": "new", TAKEN_BACK: True}
    record(connection, case_id, NOW, "Ana", "reopened", {"status": "acknowledged"}, undone)
    (still,) = forecast(connection, config, NOW, DAY).departments
    assert still.cases[0].chance is None
    record(connection, case_id, NOW, "escucha", "reopened", {"status": "closed"}, {"status": "new"})
    (after,) = forecast(connection, config, NOW, DAY).departments
    assert after.cases[0].chance == pytest.approx(0.5, abs=0.02)


def test_what_is_closed_dismissed_or_another_brands_is_not_waiting(connection: sa.Connection, config: Config) -> None:
    due = NOW + HOUR
    ids = [open_case(connection, [], NOW - HOUR, due=due) for _ in range(2)]
    open_case(connection, [], NOW - HOUR, due=due, closed=NOW)
    open_case(connection, [], NOW - HOUR, due=due, brand="brisatel")
    connection.execute(cases.update().where(cases.c.id == ids[0]).values(status="dismissed"))
    (found,) = forecast(connection, config, NOW, DAY, "nitido").departments
    assert [one.case_id for one in found.cases] == [ids[1]]


def test_nothing_open_is_no_forecast(connection: sa.Connection, config: Config) -> None:
    told = forecast(connection, config, NOW, DAY)
    assert told.departments == ()
    assert forecast_lines(told, Wording("es")) == []


def test_over_many_days_as_many_come_late_as_were_expected(config: Config, tmp_path: Path) -> None:
    """Let a department answer after random times, look at it twice a day, and count what then came late."""
    store = Store(f"sqlite:///{tmp_path}/days.db")
    store.migrate()
    chance = random.Random(7)
    first = NOW - 50 * DAY
    ahead = sorted(first + timedelta(hours=chance.uniform(0, 50 * 24)) for _ in range(500))
    answers: dict[int, datetime] = {}
    waiting: list[int] = []
    expected = late = counted = 0.0
    with store.write() as connection:
        for half_day in range(100):
            now = first + half_day * DAY / 2
            while ahead and ahead[0] <= now:
                at = ahead.pop(0)
                due = at + 8 * HOUR
                case_id = open_case(connection, [], at, priority="alert", department="security_fraud", due=due)
                answers[case_id] = at + timedelta(hours=chance.expovariate(1 / 5))
                waiting.append(case_id)
            for case_id in [one for one in waiting if answers[one] <= now]:
                told = {"answered_at": answers[case_id], "status": "answered"}
                connection.execute(cases.update().where(cases.c.id == case_id).values(**told))
                waiting.remove(case_id)
            if half_day < 20:
                continue
            for found in forecast(connection, config, now, DAY).departments:
                expected += found.expected or 0
                for one in found.cases:
                    if one.chance is not None:
                        counted += 1
                        late += answers[one.case_id] > one.due_at
    store.close()
    assert counted > 80
    assert late > 30
    assert expected == pytest.approx(late, abs=2 * expected**0.5)


def test_the_words_are_those_of_the_reader(connection: sa.Connection, config: Config) -> None:
    finish(connection, [1.0] * 60 + [6.0] * 40)
    open_case(connection, [], NOW, priority="alert", department="security_fraud", due=NOW + 4 * HOUR)
    (line,) = forecast_lines(forecast(connection, config, NOW, DAY), Wording("en", "GB"))
    assert line == (
        "Security and fraud: answers owed until 19 Nov, 17:00: 1; likely to come late: 0.4 "
        "(0 to 1, learnt from 100 cases)"
    )
