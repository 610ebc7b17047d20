"""The outer policy: how long to wait, when a source is spared, and when a poll must end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from listener.clock import job_of, plan, settle_job
from listener.database import Store
from listener.errors import NotAllowed, RateLimited, SourceError, Unreachable, Unreadable
from listener.mention import Page, Post
from listener.policy import BudgetUsedUp, Guard, LeaseLost, is_open, next_due
from listener.store import runs

NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)
EVERY = timedelta(minutes=10)
NO_ANSWER = Unreachable("x", "no answer")


def due_after(failures: int, error: SourceError | None, chance: float = 1.0, every: timedelta = EVERY) -> timedelta:
    return next_due(NOW, every, failures, error, lambda: chance) - NOW


def test_an_open_circuit_is_asked_at_most_once_in_a_quarter_of_an_hour() -> None:
    assert due_after(4, NO_ANSWER, 0.0) < timedelta(minutes=15)
    for chance in (0.0, 0.5, 1.0):
        assert timedelta(minutes=15) <= due_after(5, NO_ANSWER, chance) <= timedelta(minutes=16.5)


def test_an_open_circuit_of_a_slow_source_is_not_asked_more_often_than_the_source_itself() -> None:
    assert due_after(9, NO_ANSWER, 0.0, timedelta(minutes=40)) == timedelta(minutes=40)


def test_a_platform_that_limits_us_without_a_time_backs_off_and_opens_no_circuit() -> None:
    limited = RateLimited("x", "slow down")
    assert [due_after(n, limited) for n in (1, 2)] == [timedelta(seconds=60), timedelta(seconds=120)]
    assert due_after(20, limited, 0.0) == timedelta(seconds=1)


def test_a_used_up_budget_is_looked_at_once_an_hour_and_at_the_turn_of_the_month() -> None:
    assert due_after(0, BudgetUsedUp("x", until=NOW + timedelta(days=20)), 0.0) == timedelta(hours=1)
    assert due_after(0, BudgetUsedUp("x", until=NOW + timedelta(minutes=7)), 0.0) == timedelta(minutes=7)
    assert due_after(0, BudgetUsedUp("x", until=NOW - timedelta(minutes=7)), 0.0) == timedelta(hours=1)


@pytest.mark.parametrize(
    ("outcomes", "open_"),
    [
        (["unreachable"] * 4, False),
        (["unreachable"] * 5, True),
        (["limited"] * 5, False),
        (["unreachable"] * 5 + ["limited"], False),
        (["unreachable"] * 5 + ["unreadable"], True),
        (["unreachable"] * 5 + ["ok"], False),
    ],
)
def test_five_failures_in_a_row_open_the_circuit_and_a_good_poll_closes_it(
    store: Store, outcomes: list[str], open_: bool
) -> None:
    kinds: dict[str, SourceError | None] = {
        "ok": None, "limited": RateLimited("one", "x"), "unreachable": NO_ANSWER, "unreadable": Unreadable("one", "x")
    }  # fmt: skip
    with store.write() as connection:
        plan(connection, [job_of("one")], NOW)
        for number, outcome in enumerate(outcomes):
            at = NOW + timedelta(minutes=number)
            connection.execute(runs.insert().values(source="one", started_at=at, outcome=outcome))
            settle_job(connection, job_of("one"), EVERY, at, kinds[outcome])
        connection.execute(runs.insert().values(source="one", started_at=NOW + timedelta(hours=1), outcome="running"))
        assert is_open(connection, "one") is open_


class Pages:
    """Yield pages; remember how many were asked for and whether it was closed."""

    def __init__(self, *pages: Page) -> None:
        self.pages = pages
        self.asked = 0
        self.closed = False

    def __iter__(self) -> Iterator[Page]:
        try:
            for page in self.pages:
                self.asked += 1
                yield page
        finally:
            self.closed = True


def page(*ids: int, cursor: str | None = None, text: str = "x") -> Page:
    return Page(tuple(Post("one", str(one), text, NOW) for one in ids), cursor)


def test_a_poll_that_ends_by_itself_is_given_whole() -> None:
    pages = Pages(page(1), page(2), page(3, cursor="3"))
    guard = Guard(iter(pages), "one", seconds=60)
    assert len(list(guard)) == 3
    assert guard.ended == "end"


def test_past_its_time_a_poll_ends_with_the_next_cursor() -> None:
    clock = iter(range(0, 1000, 10))
    pages = Pages(page(1), page(2), page(3), page(4, cursor="4"), page(5, cursor="5"))
    guard = Guard(iter(pages), "one", seconds=25, elapsed=lambda: next(clock))
    assert [one.cursor for one in guard] == [None, None, None, "4"]
    assert guard.ended == "time"
    assert (pages.asked, pages.closed) == (4, True)


def test_a_poll_that_reaches_no_cursor_in_twice_its_time_has_failed() -> None:
    clock = iter(range(0, 1000, 10))
    pages = Pages(*(page(number) for number in range(100)))
    with pytest.raises(Unreachable):
        list(Guard(iter(pages), "one", seconds=25, elapsed=lambda: next(clock)))
    assert pages.asked == 5


def test_a_poll_has_a_ceiling_of_pages() -> None:
    pages = Pages(*(page(number, cursor=str(number)) for number in range(100)))
    guard = Guard(iter(pages), "one", seconds=None, most_pages=7)
    assert len(list(guard)) == 7
    assert guard.ended == "pages"


def test_three_pages_in_a_row_without_a_new_id_are_a_loop() -> None:
    pages = Pages(page(1, 2), *[page(1, 2)] * 50)
    with pytest.raises(Unreadable):
        list(Guard(iter(pages), "one", seconds=None))
    assert pages.asked == 4
    assert pages.closed


def test_two_pages_that_take_turns_are_a_loop_too() -> None:
    with pytest.raises(Unreadable):
        list(Guard(iter(Pages(*[page(1), page(2)] * 50)), "one", seconds=None))


@pytest.mark.parametrize(
    "again",
    [
        [page(1)] * 2 + [page(2)] + [page(1)] * 2,  # an overlap between two searches
        [Page(())] * 20,  # a quiet stream
        [page(1, text=str(number)) for number in range(20)],  # edits
        [page(1, cursor=str(number)) for number in range(20)],  # the platform gets on
        [Page((), gone=(str(number),)) for number in range(20)],
    ],
    ids=["overlap", "quiet", "edits", "cursors", "deletions"],
)
def test_what_gets_on_is_no_loop(again: list[Page]) -> None:
    assert len(list(Guard(iter(Pages(page(1), *again)), "one", seconds=None))) == len(again) + 1


def test_a_poll_is_stopped_between_two_pages_and_its_source_is_closed() -> None:
    stop = [False]
    pages = Pages(*(page(number) for number in range(9)))
    guard = Guard(iter(pages), "one", seconds=None, stopping=lambda: stop[0])
    given = []
    for one in guard:
        given.append(one)
        stop[0] = len(given) == 2
    assert (len(given), pages.asked, guard.ended, pages.closed) == (2, 2, "stopped", True)


def test_a_page_that_came_after_the_lease_was_lost_is_dropped() -> None:
    lost = [False]

    class Slow(Pages):
        def __iter__(self) -> Iterator[Page]:
            yield page(1)
            lost[0] = True  # while we waited for the second
            yield page(2)

    def stopping() -> bool:
        if lost[0]:
            raise LeaseLost("one")
        return False

    given: list[Page] = []
    with pytest.raises(LeaseLost):
        given.extend(Guard(iter(Slow()), "one", seconds=None, stopping=stopping))
    assert given == [page(1)]


def test_no_page_is_asked_that_is_not_paid_for() -> None:
    left = [2]

    def pay() -> None:
        if not left[0]:
            raise BudgetUsedUp("one")
        left[0] -= 1

    pages = Pages(*(page(number) for number in range(9)))
    with pytest.raises(BudgetUsedUp):
        list(Guard(iter(pages), "one", seconds=None, pay=pay))
    assert pages.asked == 2


def test_a_refused_key_is_tried_once_an_hour_however_often_it_failed() -> None:
    assert due_after(50, NotAllowed("x", "refused"), 0.0) == timedelta(hours=1)
