"""The work of departments is what a plain look at every case gives, whatever happened to them, on both databases."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import Store
from stakeholders.companies.recall import Recall
from stakeholders.counting.owed import incidents, legal_days
from stakeholders.counting.pace import Spans, median_of, read_paces
from stakeholders.counting.period import Period, midnight
from stakeholders.counting.reckoning import mention_fates
from stakeholders.counting.response import Response, open_now, response_times
from stakeholders.counting.workload import (
    Routed,
    Waiting,
    Work,
    count_routed,
    count_waiting,
    read_work,
    waiting_by_department,
)
from stakeholders.scope import limit
from stakeholders.store import cases, events
from tests.stakeholders.weeks import config_of

START = datetime(2026, 9, 1, 3, tzinfo=UTC)
NOW = START + timedelta(days=20)
BRANDS = ("nitido", "brisatel")
PLACES = ("sales", "press_office", "customer_care")
STATUSES = ("new", "acknowledged", "answered", "closed", "dismissed", "snoozed")
SANTIAGO = ZoneInfo("America/Santiago")  # its clocks change on 6 September 2026
ZONES = (SANTIAGO, ZoneInfo("Asia/Kolkata"), ZoneInfo("UTC"))


def some_case(draw: random.Random) -> dict[str, Any]:
    """Draw a case in any state, sound or not: the figures must agree on all of them."""
    opened = START + timedelta(microseconds=draw.randrange(20 * 86_400_000_000))

    def later() -> datetime | None:
        return opened + timedelta(microseconds=draw.randrange(9_000_000_000)) if draw.random() < 0.6 else None

    return {
        "opened_at": opened, "due_at": later(), "acknowledged_at": later(), "answered_at": later(),
        "status": draw.choice(STATUSES), "department": draw.choice(PLACES), "brand": draw.choice(BRANDS),
        "priority": draw.choice(("alert", "routine")), "owner": draw.choice((None, "Ana")),
        "merged_into": 1 if draw.random() < 0.1 else None,
    }  # fmt: skip


def live(connection: Connection, draw: random.Random, steps: int) -> None:
    """Open cases, change them, send them elsewhere and back, and erase some."""
    for step in range(steps):
        known = connection.scalars(sa.select(cases.c.id).order_by(cases.c.id)).all()
        one = draw.choice(known) if known else None
        kind = draw.randrange(5)
        if one is None or kind < 2:
            fixed = {"key": f"k{draw.random()}", "copies": [], "rank": draw.randrange(3), "stakeholder": "press"}
            connection.execute(cases.insert().values(**some_case(draw), **fixed))
        elif kind == 2:
            changed = some_case(draw)
            del changed["opened_at"]
            connection.execute(cases.update().where(cases.c.id == one).values(**changed))
        elif kind == 3:
            row = connection.execute(sa.select(cases.c.department, cases.c.opened_at).where(cases.c.id == one)).one()
            to = draw.choice((*PLACES, "legal"))
            told = {"case_id": one, "at": row.opened_at + timedelta(hours=step), "who": "Ana", "what": "rerouted"}
            after = {"department": to} if draw.random() < 0.8 else {"priority": "alert"}
            connection.execute(events.insert().values(**told, before={"department": row.department}, after=after))
            if "department" in after:
                connection.execute(cases.update().where(cases.c.id == one).values(department=to))
        elif draw.random() < 0.2:
            connection.execute(cases.delete().where(cases.c.id == one))


def by_hand(connection: Connection, period: Period, brand: str | None) -> dict[str, Work]:
    """Count the same in Python from every case and every step of its history."""
    every = [row for row in connection.execute(sa.select(cases).order_by(cases.c.id)) if row.merged_into is None]
    every = [row for row in every if brand in (None, row.brand)]
    first: dict[int, tuple[str, bool]] = {row.id: (row.department, False) for row in every}
    steps = connection.execute(sa.select(events).where(events.c.what == "rerouted").order_by(events.c.id.desc()))
    for step in steps.all():
        was, to = (told.get("department") for told in (step.before, step.after))
        if to not in (None, was) and step.case_id in first:
            first[step.case_id] = was, True
    found = {}
    for name in {*PLACES, "legal"}:
        mine = [row for row in every if row.department == name and period.start <= row.opened_at < period.end]
        waits = [row for row in every if row.department == name and row.status in ("new", "acknowledged")]
        put_off = [row for row in every if row.department == name and row.status == "snoozed"]
        late = [row for row in (*waits, *put_off) if row.answered_at is None and row.due_at and row.due_at < NOW]
        spans = [
            sorted(getattr(row, until) - row.opened_at for row in mine if getattr(row, until))
            for until in ("acknowledged_at", "answered_at")
        ]
        middle = [
            timedelta(seconds=round(median(one / timedelta(seconds=1) for one in told))) if told else None
            for told in spans
        ]
        clocked = [row for row in mine if row.due_at and row.answered_at]
        gone = sum(row.status == "dismissed" for row in mine)
        sent = [
            first[row.id][1] for row in every if first[row.id][0] == name and period.start <= row.opened_at < period.end
        ]
        work = Work(
            department=name,
            response=Response(
                name, len(mine), middle[0], middle[1],
                within_clock=sum(row.answered_at <= row.due_at for row in clocked), measured=len(spans[1]),
                acknowledged=len(spans[0]), dismissed=gone,
                clocked=sum(row.due_at is not None and row.status != "dismissed" for row in mine),
                closed_unanswered=sum(row.status == "closed" and row.answered_at is None for row in mine),
            ) if mine else None,
            routed=Routed(len(sent), sum(sent)),
            waiting=Waiting(
                len(waits), sum(row.priority == "alert" for row in waits), sum(row in waits for row in late),
                sum(row.owner is None for row in waits), len(put_off),
            ),
            came=Counter(row.opened_at.astimezone(period.zone).date() for row in mine),
            acknowledge=Spans(tuple(one // timedelta(microseconds=1) for one in spans[0])),
            answer=Spans(tuple(one // timedelta(microseconds=1) for one in spans[1])),
            broken=sum(row.answered_at > row.due_at for row in clocked) + sum(row in mine for row in late),
        )  # fmt: skip
        if mine or waits or put_off or sent:
            found[name] = work
    return found


def needing(connection: Connection, brand: str | None) -> tuple[int, int]:
    """Count the cases that are alerts or late, and of them the snoozed that are late."""
    every = [
        row for row in connection.execute(sa.select(cases)) if row.merged_into is None and brand in (None, row.brand)
    ]
    late = {row.id for row in every if row.answered_at is None and row.due_at is not None and row.due_at < NOW}
    put_off = sum(row.status == "snoozed" and row.id in late for row in every)
    waits = [row for row in every if row.status in ("new", "acknowledged")]
    return put_off + sum(row.priority == "alert" or row.id in late for row in waits), put_off


def periods(draw: random.Random) -> list[Period]:
    """Give whole weeks over a change of clocks, a stretch that begins and ends within a day, and one of no case."""
    found = []
    for zone in ZONES:
        first = midnight(date(2026, 9, 2), zone)
        found.append(Period(first, midnight(date(2026, 9, 16), zone), zone))
        start = START + timedelta(seconds=draw.randrange(5 * 86_400))
        found.append(Period(start, start + timedelta(seconds=draw.randrange(1, 9 * 86_400)), zone))
    return [*found, Period(START - timedelta(days=9), START - timedelta(days=8), SANTIAGO)]


@pytest.mark.parametrize("seed", range(3))
def test_the_work_of_departments_is_what_every_case_read_by_hand_gives(store: Store, seed: int) -> None:
    draw = random.Random(seed)
    with store.write() as connection:
        live(connection, draw, 250)
    with store.read() as connection:
        for period in periods(draw):
            for brand in (*BRANDS, None):
                expected = by_hand(connection, period, brand)
                assert {one.department: one for one in read_work(connection, period, brand, NOW)} == expected
                told = [one.response for one in expected.values() if one.response]
                assert response_times(connection, period, brand) == sorted(
                    told, key=lambda one: (-one.cases, one.department)
                )
                assert count_routed(connection, period, brand, ()) == Routed(
                    sum(one.routed.first for one in expected.values()),
                    sum(one.routed.moved for one in expected.values()),
                )
                waits = {name: one.waiting for name, one in expected.items() if one.waiting != Waiting(0, 0, 0, 0, 0)}
                assert waiting_by_department(connection, brand, NOW) == waits
                now = open_now(connection, brand, NOW)
                waiting = count_waiting(connection, brand, (), NOW)
                told_now = (now.open, now.alerts, now.overdue, now.snoozed)
                assert told_now == (waiting.open, waiting.alerts, waiting.overdue, waiting.snoozed)
                assert (now.needing, now.snoozed_overdue) == needing(connection, brand)
                assert count_waiting(connection, brand, ("sales",), NOW) == waits.get("sales", Waiting(0, 0, 0, 0, 0))


def test_a_reader_of_one_department_counts_from_the_same_cases_it_may_see(store: Store) -> None:
    draw = random.Random(7)
    with store.write() as connection:
        live(connection, draw, 200)
    period = periods(draw)[0]
    with store.read() as connection:
        expected = by_hand(connection, period, "nitido")["sales"]
    with limit(store, {"sales"}).read() as connection:
        (one,) = (work for work in read_work(connection, period, "nitido", NOW) if work.department == "sales")
        assert (one.response, one.came, one.answer) == (expected.response, expected.came, expected.answer)
        assert (one.waiting, one.broken) == (expected.waiting, expected.broken)
        assert [one.department for one in read_paces(connection, period, None)] == ["sales"]


def test_what_waits_and_how_it_went_is_read_from_indexes_not_from_all_cases(tmp_path: Path) -> None:
    # Of SQLite alone: PostgreSQL reads a small table at once, whatever indexes it has.
    store = Store(f"sqlite:///{tmp_path}/escucha.db")
    store.migrate()
    asked: list[tuple[str, Any]] = []
    with store.write() as connection:
        live(connection, random.Random(1), 60)
        connection.exec_driver_sql("ANALYZE")

    @sa.event.listens_for(store.engine, "before_cursor_execute")
    def keep(_: Any, __: Any, statement: str, given: Any, *___: Any) -> None:
        asked.append((statement, given))

    with store.read() as connection:
        read_work(connection, Period(START, NOW, SANTIAGO), "nitido", NOW)
        sa.event.remove(store.engine, "before_cursor_execute", keep)
        plans = [
            row[3]
            for statement, given in asked
            if statement.startswith(("SELECT", "WITH"))
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
        ]
    for index in ("ix_cases_pace", "ix_cases_inbox", "ix_event_rerouted", "ix_cases_status_rank_due_at_id"):
        assert any(index in line for line in plans), plans
    assert not [line for line in plans if line in ("SCAN cases", "SCAN event", "SCAN mine")]
    store.close()


def test_spans_are_read_one_by_one_and_compared_as_a_whole() -> None:
    spans = Spans((1, 2_000_000, 3_000_001))
    assert (len(spans), spans[1], spans[-1]) == (3, timedelta(seconds=2), timedelta(seconds=3, microseconds=1))
    assert list(spans[1:]) == [timedelta(seconds=2), timedelta(seconds=3, microseconds=1)]
    assert spans == Spans((1, 2_000_000, 3_000_001)) != Spans((1,))
    assert (median_of((1_000_000, 2_000_000)), median_of(())) == (timedelta(seconds=2), None)


def test_a_reading_is_made_once_and_anew_when_anything_it_is_made_of_changes() -> None:
    asked: list[str] = []

    def read(text: str) -> str:
        asked.append(text)
        return text.upper()

    memory: Recall[str] = Recall(most=2)
    for text in ("a", "a", "b", "a", "c", "a"):  # the third one empties the memory
        assert memory.read((text, NOW), lambda text=text: read(text)) == text.upper()  # type: ignore[misc]
    assert asked == ["a", "b", "c", "a"]
    assert memory.read(("a", START), lambda: read("other")) == "OTHER"


def test_what_is_owed_and_where_mentions_went_is_read_from_what_waits_and_from_sums(tmp_path: Path) -> None:
    """However many cases and mentions a brand has: neither its index of cases nor a mention is looked at."""
    store = Store(f"sqlite:///{tmp_path}/escucha.db")
    store.migrate()
    config = config_of(tmp_path)
    plans: list[str] = []
    with store.write() as connection:
        live(connection, random.Random(1), 60)
        connection.exec_driver_sql("ANALYZE")
    questions: dict[str, Callable[[Connection], object]] = {
        "incidents": lambda c: incidents(c, "nitido"),
        "legal": lambda c: legal_days(c, config, "nitido", NOW, NOW + timedelta(days=30)),
        "fates": lambda c: mention_fates(c, Period(START, NOW, SANTIAGO), "nitido"),
    }
    for name, ask in questions.items():
        asked: list[tuple[str, Any]] = []

        def keep(_: Any, __: Any, statement: str, given: Any, *___: Any, asked: Any = asked) -> None:
            asked.append((statement, given))

        with store.read() as connection:
            sa.event.listen(store.engine, "before_cursor_execute", keep)
            ask(connection)
            sa.event.remove(store.engine, "before_cursor_execute", keep)
            plans = [
                row[3]
                for statement, given in asked
                if statement.startswith(("SELECT", "WITH"))
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
            ]
        assert plans, name
        assert not [line for line in plans if "ix_cases_brand_opened_at" in line or line == "SCAN cases"], plans
        assert not [line for line in plans if "mention" in line.split()], plans
        assert name == "fates" or any("ix_cases_inbox" in line for line in plans), plans
    store.close()
