"""Clocks run in working hours, keep holidays, and are right across clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.settings import DepartmentTable, Settings, Sla
from stakeholders.sla import Hours, due, due_at, hours_of, within, working_time

WEEK = ("mon", "tue", "wed", "thu", "fri")
LIMA = Hours(WEEK, time(9), time(18), ZoneInfo("America/Lima"), "PE")


def lima(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo("America/Lima"))


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (lima(3, 10), 8, lima(3, 18)),  # a Tuesday, to the minute of closing
        (lima(3, 11), 8, lima(4, 10)),
        (lima(6, 17), 8, lima(9, 16)),  # over a weekend
        (lima(7, 3), 8, lima(9, 17)),  # a Saturday night
        (lima(3, 2), 8, lima(3, 17)),  # before opening
        (lima(3, 18), 1, lima(4, 10)),  # at closing
        (lima(1, 12, month=4), 8, lima(6, 11, month=4)),  # Maundy Thursday and Good Friday
        (lima(27, 17, month=7), 2, lima(30, 10, month=7)),  # 28 and 29 July
    ],
)
def test_a_clock_of_working_hours_stops_at_night_at_weekends_and_on_holidays(
    start: datetime, hours: int, end: datetime
) -> None:
    assert due(start, timedelta(hours=hours), LIMA) == end


def test_an_alert_runs_round_the_clock() -> None:
    assert due(lima(7, 3), timedelta(hours=1), LIMA, round_the_clock=True) == lima(7, 4)


def test_holidays_can_be_worked_and_an_unknown_country_has_none() -> None:
    christmas = datetime(2026, 12, 25, 15, tzinfo=UTC)
    worked = Hours(WEEK, time(9), time(18), ZoneInfo("America/Lima"), "PE", holidays=False)
    nowhere = Hours(WEEK, time(9), time(18), ZoneInfo("America/Lima"), "ZZ")
    assert due(christmas, timedelta(hours=1), worked) == due(christmas, timedelta(hours=1), nowhere)
    assert due(christmas, timedelta(hours=1), LIMA).date() == date(2026, 12, 28)


def test_a_clock_that_could_never_run_out_or_runs_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody works"):
        due(lima(3, 10), timedelta(hours=1), Hours((), time(9), time(18), ZoneInfo("UTC")))
    with pytest.raises(ValueError, match="backwards"):
        due(lima(3, 10), timedelta(hours=-1), LIMA)
    with pytest.raises(ValueError, match="zone"):
        due(datetime(2026, 3, 3), timedelta(hours=1), LIMA)  # noqa: DTZ001


def test_the_result_is_in_utc() -> None:
    assert due(lima(3, 10), timedelta(hours=1), LIMA).tzinfo is UTC


ZONES = ("America/Lima", "America/Santiago", "Europe/Madrid", "America/New_York", "Australia/Lord_Howe")
calendars = st.builds(
    Hours,
    days=st.sets(st.sampled_from(("mon", "tue", "wed", "thu", "fri", "sat", "sun")), min_size=1).map(tuple),
    opens=st.sampled_from((time(0), time(2, 30), time(9))),
    closes=st.sampled_from((time(10), time(18), time(23, 59))),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    country=st.sampled_from(("PE", "CL", "ES")),
    holidays=st.booleans(),
)
# Around the clock changes of Europe, Chile and New York, and over the holidays of Easter and Christmas.
starts = st.sampled_from(
    [datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 3, 27, tzinfo=UTC), datetime(2026, 4, 2, tzinfo=UTC),
     datetime(2026, 9, 4, tzinfo=UTC), datetime(2026, 10, 23, tzinfo=UTC), datetime(2026, 12, 23, tzinfo=UTC)]
).flatmap(lambda start: st.integers(0, 5760).map(lambda minutes: start + timedelta(minutes=minutes)))  # fmt: skip


def worked_minutes(start: datetime, minutes: int, hours: Hours) -> list[bool]:
    """Ask of each minute on its own whether anybody works in it: slow, and simple enough to trust."""
    free = holidays.country_holidays(hours.country, years=(2026, 2027)) if hours.holidays else {}
    answers = []
    for minute in range(minutes):
        local = (start + timedelta(minutes=minute)).astimezone(hours.zone)
        names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        day = names[local.weekday()] in hours.days and local.date() not in free
        opened = datetime.combine(local.date(), hours.opens, hours.zone).astimezone(UTC)
        closed = datetime.combine(local.date(), hours.closes, hours.zone).astimezone(UTC)
        answers.append(day and opened <= local.astimezone(UTC) < closed)
    return answers


@settings(max_examples=60, deadline=None)
@given(start=starts, hours=calendars, minutes=st.integers(0, 5 * 24 * 60))
def test_working_time_agrees_with_asking_every_minute(start: datetime, hours: Hours, minutes: int) -> None:
    counted = sum(worked_minutes(start, minutes, hours))
    assert working_time(start, start + timedelta(minutes=minutes), hours) == timedelta(minutes=counted)


@settings(max_examples=60, deadline=None)
@given(start=starts, hours=calendars, minutes=st.integers(1, 20 * 60))
def test_a_due_time_is_the_first_minute_by_which_so_much_was_worked(
    start: datetime, hours: Hours, minutes: int
) -> None:
    end = due(start, timedelta(minutes=minutes), hours)
    assert working_time(start, end, hours) == timedelta(minutes=minutes)
    assert working_time(start, end - timedelta(minutes=1), hours) == timedelta(minutes=minutes - 1)


def test_working_time_is_zero_when_the_end_is_not_after_the_start() -> None:
    assert working_time(lima(4, 10), lima(3, 10), LIMA) == timedelta(0)


def test_a_department_may_have_its_own_clock() -> None:
    quick = DepartmentTable(alert_within=timedelta(minutes=15), important_within=timedelta(hours=2))
    told = Settings(departments={"legal_regulatory": quick}, sla=Sla())
    assert within("alert", "legal_regulatory", told) == (timedelta(minutes=15), True)
    assert within("important", "legal_regulatory", told) == (timedelta(hours=2), False)
    assert within("alert", "sales", told) == (timedelta(hours=1), True)
    assert within("important", "sales", told) == (timedelta(hours=8), False)


def test_routine_has_no_clock() -> None:
    assert within("routine", "sales", Settings()) is None
    assert due_at("routine", "sales", Settings(), lima(3, 10)) is None


def test_hours_come_from_the_configuration() -> None:
    assert hours_of(Settings()) == LIMA
    assert due_at("important", "sales", Settings(), lima(6, 17)) == lima(9, 16)
    assert due_at("alert", "sales", Settings(), lima(6, 17)) == lima(6, 18)
