"""Know who saw what and who looks now; take one step with many cases and take it back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from listener.database import Store
from stakeholders.case import acknowledge, assign, close, history, note, reopen, snooze
from stakeholders.casework.seal import verify
from stakeholders.casework.step import Stale
from stakeholders.lists.attention import LINGERS, arrange, look, looking, mark_seen, unread
from stakeholders.lists.batch import Batch, BulkStep, take_all, take_back
from stakeholders.scope import limit
from stakeholders.store import cases, presences, seen
from tests.stakeholders.test_inbox import NOW, SETTINGS, open_one

WHO, OTHER = "Ana Flores", "Jorge Huamán"
SOON = NOW + timedelta(seconds=20)
WAKES = NOW + timedelta(hours=20)


@pytest.fixture
def connection(store: Store) -> Iterator[sa.Connection]:
    with store.write() as opened:
        yield opened


def state(connection: sa.Connection, number: int) -> dict[str, object]:
    """Read a case's row but for its version, which only grows."""
    row = connection.execute(sa.select(cases).where(cases.c.id == number)).one()
    return {name: value for name, value in row._mapping.items() if name != "version"}


def bulk(connection: sa.Connection, step: BulkStep, *numbers: int, who: str = WHO) -> Batch:
    wanted = {one: connection.scalar(sa.select(cases.c.version).where(cases.c.id == one)) or 0 for one in numbers}
    return take_all(connection, step, wanted, who, NOW, owner=who, why="spam", until=lambda _: WAKES)


def test_what_nobody_opened_is_new_and_what_changed_since_says_so(connection: sa.Connection) -> None:
    one, two = open_one(connection, "1"), open_one(connection, "2")
    mark_seen(connection, WHO, {one: 1}, NOW)
    assert unread(connection, WHO, {one: 1, two: 1}) == {two: "new"}
    assert unread(connection, WHO, {one: 2}) == {one: "changed"}
    assert unread(connection, OTHER, {one: 1}) == {one: "new"}
    assert unread(connection, "", {one: 1}) == {}


def test_a_look_is_seen_by_others_for_a_minute_and_by_oneself_never(connection: sa.Connection) -> None:
    one = open_one(connection, "1")
    look(connection, WHO, one, 1, NOW)
    look(connection, "", one, 1, NOW)
    assert looking(connection, OTHER, [one], NOW + LINGERS) == {one: (WHO,)}
    assert looking(connection, OTHER, [one], NOW + LINGERS + timedelta(seconds=1)) == {}
    assert looking(connection, WHO, [one], NOW) == {}
    assert unread(connection, WHO, {one: 1}) == {}


def test_only_the_last_minute_of_a_person_is_kept(connection: sa.Connection) -> None:
    one, two = open_one(connection, "1"), open_one(connection, "2")
    look(connection, WHO, one, 1, NOW)
    look(connection, WHO, two, 1, NOW + timedelta(hours=1))
    assert connection.scalars(sa.select(presences.c.case_id)).all() == [two]


def test_who_is_limited_to_a_department_writes_and_reads_only_of_its_cases(store: Store) -> None:
    with store.write() as connection:
        mine = open_one(connection, "1", department="sales")
        other = open_one(connection, "2", department="communications")
        look(connection, OTHER, mine, 1, NOW)
        look(connection, OTHER, other, 1, NOW)
    limited = limit(store, ["sales"])
    with limited.write() as connection:
        look(connection, WHO, mine, 1, NOW)
    with limited.read() as connection:
        assert looking(connection, WHO, [mine, other], NOW) == {mine: (OTHER,)}
        assert set(connection.scalars(sa.select(seen.c.case_id))) == {mine}


@given(st.lists(st.integers(0, 30), unique=True, max_size=12), st.lists(st.integers(0, 30), unique=True, max_size=20))
def test_rows_keep_their_order_and_none_is_lost_or_shown_twice(shown: list[int], fresh: list[int]) -> None:
    order, waiting = arrange(shown, fresh)
    kept = [one for one in shown if one in fresh]
    assert list(order[: len(kept)]) == kept
    assert len(set(order)) == len(order)
    assert len(order) + waiting == len(fresh)
    if kept:
        assert waiting == sum(
            1 for one in fresh if one not in shown and fresh.index(one) < max(fresh.index(two) for two in kept)
        )


def test_nothing_new_means_nothing_waits() -> None:
    assert arrange([3, 1, 2], [3, 1, 2, 4]) == ((3, 1, 2, 4), 0)
    assert arrange([3, 1, 2], [9, 3, 2]) == ((3, 2), 1)
    assert arrange([7], [1, 2]) == ((1, 2), 0)


@pytest.mark.parametrize("step", ["acknowledge", "assign", "close", "dismiss", "snooze"])
@pytest.mark.parametrize("before", ["new", "acknowledged", "snoozed", "owned"])
def test_a_step_that_is_taken_back_leaves_the_case_as_it_was(
    connection: sa.Connection, step: BulkStep, before: str
) -> None:
    number = open_one(connection, "1", priority="alert")
    if before == "acknowledged":
        acknowledge(connection, number, OTHER, NOW)
    elif before == "snoozed":
        snooze(connection, number, OTHER, NOW, NOW + timedelta(hours=5))
    elif before == "owned":
        assign(connection, number, OTHER, NOW, OTHER)
    was = state(connection, number)
    done = bulk(connection, step, number)
    if step == "acknowledge" and before in ("acknowledged", "snoozed"):
        assert [number for number, _ in done.left] == [number]
        assert OTHER in done.left[0][1].say("en")
        return
    assert [one.case_id for one in done.done] == [number]
    assert state(connection, number) != was
    back = take_back(connection, done, WHO, SOON)
    assert [one.case_id for one in back.done] == [number]
    assert state(connection, number) == was
    told = history(connection, number)
    assert [event.who for event in told[-2:]] == [WHO, WHO], "both stand in the history"
    assert verify(connection, number) is None


def test_what_was_changed_meanwhile_is_left_alone_and_named(connection: sa.Connection) -> None:
    numbers = [open_one(connection, str(one)) for one in range(3)]
    versions = dict.fromkeys(numbers, 1)
    assign(connection, numbers[1], OTHER, NOW, OTHER)
    done = take_all(connection, "close", versions, WHO, SOON)
    assert [one.case_id for one in done.done] == [numbers[0], numbers[2]]
    ((left, why),) = done.left
    assert left == numbers[1]
    assert OTHER in why.say("en")
    close_again = bulk(connection, "close", numbers[0])
    assert close_again.done == ()
    note(connection, numbers[0], OTHER, NOW, "una nota no cambia el caso")
    reopen(connection, SETTINGS, numbers[2], OTHER, SOON)
    back = take_back(connection, done, WHO, SOON)
    assert [one.case_id for one in back.done] == [numbers[0]]
    assert [number for number, _ in back.left] == [numbers[2]]


def test_a_step_that_changes_nothing_is_not_counted(connection: sa.Connection) -> None:
    number = open_one(connection, "1")
    assign(connection, number, WHO, NOW, WHO)
    done = bulk(connection, "assign", number)
    assert done.done == ()
    assert done.left[0][1].say("en") == "it stood so already"


def test_noise_without_a_reason_and_a_case_that_is_gone_are_left_alone(connection: sa.Connection) -> None:
    number = open_one(connection, "1")
    done = take_all(connection, "dismiss", {number: 1, 999: 1}, WHO, NOW, why=" ")
    assert done.done == ()
    assert [one for one, _ in done.left] == [number, 999]
    assert state(connection, number)["status"] == "new"


def test_two_people_at_once_never_close_a_case_twice(store: Store) -> None:
    with store.write() as connection:
        number = open_one(connection, "1")
    with store.write() as connection:
        first = take_all(connection, "close", {number: 1}, WHO, NOW)
    with store.write() as connection:
        second = take_all(connection, "close", {number: 1}, OTHER, NOW)
        assert [event.what for event in history(connection, number)].count("closed") == 1
    assert (len(first.done), len(second.left)) == (1, 1)
    with store.write() as connection:
        close_of_other = take_back(connection, first, WHO, datetime.now(UTC))
        assert len(close_of_other.done) == 1
        with pytest.raises(Stale):
            close(connection, number, OTHER, NOW, None, 1)
