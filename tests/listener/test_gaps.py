"""Gaps: what nobody asked, what failed and what is lost for good, as stretches that never overlap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from listener.database import Store
from listener.gaps import find_gaps, heard_spans
from listener.store import holes, runs

START = datetime(2026, 5, 4, tzinfo=UTC)
END = START + timedelta(days=7)
HOUR = timedelta(hours=1)
WHY = "the platform keeps only a day"


def ask(connection: sa.Connection, first: datetime, last: datetime, source: str = "x", outcome: str = "ok") -> None:
    at = first
    while at < last:
        connection.execute(runs.insert().values(source=source, started_at=at, finished_at=at, outcome=outcome))
        at += HOUR / 2


def lose(connection: sa.Connection, start: datetime, end: datetime, source: str = "x", why: str = WHY) -> None:
    connection.execute(holes.insert().values(source=source, started_at=start, ended_at=end, why=why, found_at=END))


def told(connection: sa.Connection) -> list[tuple[float, float, str, bool]]:
    found = find_gaps(connection, START, END)
    return [((gap.start - START) / HOUR, (gap.end - START) / HOUR, gap.why, gap.lost) for gap in found]


def test_a_hole_is_a_gap_that_is_lost_even_while_the_source_is_asked(store: Store) -> None:
    with store.write() as connection:
        ask(connection, START - 48 * HOUR, END)
        lose(connection, START + 10 * HOUR, START + 14 * HOUR)
        assert told(connection) == [(10, 14, WHY, True)]


def test_downtime_with_a_hole_in_it_is_told_in_parts_that_add_up(store: Store) -> None:
    with store.write() as connection:
        ask(connection, START - 48 * HOUR, START + 24.5 * HOUR)
        ask(connection, START + 72 * HOUR, END)
        lose(connection, START + 24 * HOUR, START + 48 * HOUR)
        assert told(connection) == [(24, 48, WHY, True), (48, 72, "silent", False)]


def test_a_hole_in_the_middle_of_a_gap_leaves_both_its_ends(store: Store) -> None:
    with store.write() as connection:
        ask(connection, START - 48 * HOUR, START + 24.5 * HOUR)
        ask(connection, START + 72 * HOUR, END)
        lose(connection, START + 30 * HOUR, START + 40 * HOUR)
        assert [gap[:2] for gap in told(connection)] == [(24, 30), (30, 40), (40, 72)]


def test_holes_that_touch_are_one_and_those_outside_are_cut(store: Store) -> None:
    with store.write() as connection:
        ask(connection, START - 48 * HOUR, END)
        lose(connection, START - 5 * HOUR, START + 2 * HOUR)
        lose(connection, START + 1 * HOUR, START + 3 * HOUR)
        lose(connection, START + 3 * HOUR, START + 4 * HOUR)
        lose(connection, END, END + HOUR)
        assert told(connection) == [(0, 4, WHY, True)]


def test_a_source_without_a_habit_still_has_its_holes(store: Store) -> None:
    with store.write() as connection:
        lose(connection, START + HOUR, START + 2 * HOUR, source="import")
        assert told(connection) == [(1, 2, WHY, True)]


def test_what_is_lost_was_not_heard(store: Store) -> None:
    with store.write() as connection:
        ask(connection, START - HOUR, END)
        lose(connection, START + 24 * HOUR, START + 48 * HOUR)
        (spans,) = heard_spans(connection, START, END).values()
    assert [(one - START) / HOUR for span in spans for one in span] == [-0.5, 24, 48, pytest.approx(167.5)]


def test_a_stopped_budget_is_told_as_one(store: Store) -> None:
    with store.write() as connection:
        ask(connection, START - 48 * HOUR, START + 24.5 * HOUR)
        ask(connection, START + 25 * HOUR, END, outcome="budget")
        (gap,) = find_gaps(connection, START, END)
    assert (gap.why, gap.lost, gap.end) == ("budget", False, END)
