"""Habits and pauses of sources are what every run gives, however runs come, end and go, on both databases."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from listener.database import Store
from listener.gaps import find_gaps
from listener.store import runs
from listener.sums.habit import LONG, SHORT, recount, run_habits, run_pauses

START = datetime(2026, 11, 2, 23, 10, tzinfo=UTC)
OUTCOMES = ("ok", "ok", "unreachable", "running")


def kept(connection: Connection) -> tuple[dict[tuple[Any, ...], int], set[tuple[Any, ...]]]:
    habits = {tuple(row[:4]): row[4] for row in connection.execute(sa.select(run_habits)) if row[4]}
    return habits, {(row.source, row.started_at, row.ended_at) for row in connection.execute(sa.select(run_pauses))}


def by_hand(connection: Connection) -> tuple[dict[tuple[Any, ...], int], set[tuple[Any, ...]]]:
    """Count the same in Python from every run."""
    habits: dict[tuple[Any, ...], int] = {}
    pauses = set()
    rows = connection.execute(sa.select(runs).order_by(runs.c.source, runs.c.started_at, runs.c.id)).all()
    for well in (False, True):
        chosen = [row for row in rows if row.outcome == "ok" or not well]
        for one, two in pairwise(chosen):
            seconds = int(two.started_at.timestamp()) - int(one.started_at.timestamp())
            if one.source != two.source:
                continue
            if well and seconds >= LONG:
                pauses.add((one.source, one.started_at, two.started_at))
            elif not well:
                days = (int(at.timestamp() // 86_400) for at in (two.started_at, one.started_at))
                key = (one.source, *days, max(SHORT, -(-seconds // 60)))
                habits[key] = habits.get(key, 0) + 1
    return habits, pauses


def change(connection: Connection, draw: random.Random) -> None:
    known = connection.scalars(sa.select(runs.c.id).order_by(runs.c.id)).all()
    kind = draw.randrange(8)
    if kind < 5 or not known:
        step = draw.choice((0, 1, 40 * 60, 41 * 60, 3600, LONG, LONG + 1, 90_000))
        at = START + timedelta(seconds=step * draw.randrange(5))
        connection.execute(
            runs.insert().values(source=draw.choice("xy"), started_at=at, outcome=draw.choice(OUTCOMES), new=1)
        )
    elif kind == 5:
        connection.execute(runs.delete().where(runs.c.id == draw.choice(known)))
    else:
        ended = runs.update().where(runs.c.id == draw.choice(known))
        connection.execute(ended.values(outcome=draw.choice(OUTCOMES), new=draw.randrange(3)))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 40))
def test_habits_and_pauses_are_what_the_runs_give_after_any_writes(store: Store, seed: int, steps: int) -> None:
    draw = random.Random(seed)
    with store.write() as connection:
        connection.execute(runs.delete())
        assert kept(connection) == ({}, set())
        for _ in range(steps):
            change(connection, draw)
    with store.write() as connection:
        assert kept(connection) == by_hand(connection)
        recount(connection)
        assert kept(connection) == by_hand(connection)


def test_a_source_that_was_away_for_months_has_no_habit_of_being_away(store: Store) -> None:
    """The step back is no step of the 28 days before: it began earlier."""
    back = START + timedelta(days=60)
    with store.write() as connection:
        moments = [START, *(back + timedelta(hours=hour) for hour in (*range(22), 50))]
        connection.execute(runs.insert(), [{"source": "x", "started_at": at, "outcome": "ok"} for at in moments])
    with store.read() as connection:
        (gap,) = find_gaps(connection, back, back + timedelta(days=3), back + timedelta(hours=51))
    assert (gap.start, gap.end) == (back + timedelta(hours=21), back + timedelta(hours=50))
