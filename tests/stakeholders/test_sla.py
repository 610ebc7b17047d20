"""Clocks run in working hours, keep holidays, and are right across clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from listener.settings import DepartmentTable, Settings
from listener.tables.sla import Calendar, Sla, StakeholderClock
from stakeholders.clocks.worktime import plain_hours
from stakeholders.sla import Hours, due, due_at, hours_of, within, working_time

WEEK = ("mon", "tue", "wed", "thu", "fri")
LIMA = plain_hours(WEEK, time(9), time(18), ZoneInfo("America/Lima"), "PE")


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
    worked = plain_hours(WEEK, time(9), time(18), ZoneInfo("America/Lima"), "PE", holidays=False)
    nowhere = plain_hours(WEEK, time(9), time(18), ZoneInfo("America/Lima"), "ZZ")
    assert due(christmas, timedelta(hours=1), worked) == due(christmas, timedelta(hours=1), nowhere)
    assert due(christmas, timedelta(hours=1), LIMA).date() == date(2026, 12, 28)


def test_a_clock_that_could_never_run_out_or_runs_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody works"):
        due(lima(3, 10), timedelta(hours=1), plain_hours((), time(9), time(18), ZoneInfo("UTC")))
    with pytest.raises(ValueError, match="backwards"):
        due(lima(3, 10), timedelta(hours=-1), LIMA)
    with pytest.raises(ValueError, match="zone"):
        due(datetime(2026, 3, 3), timedelta(hours=1), LIMA)  # noqa: DTZ001


def test_the_result_is_in_utc() -> None:
    assert due(lima(3, 10), timedelta(hours=1), LIMA).tzinfo is UTC


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


def test_the_shorter_of_a_departments_clock_and_a_speakers_counts() -> None:
    sla = Sla(stakeholders={"regulator": StakeholderClock(alert=timedelta(minutes=30), important=timedelta(hours=4))})
    quick = DepartmentTable(alert_within=timedelta(minutes=15))
    told = Settings(departments={"legal_regulatory": quick}, sla=sla)
    assert within("alert", "legal_regulatory", told, "regulator") == (timedelta(minutes=15), True)
    assert within("important", "legal_regulatory", told, "regulator") == (timedelta(hours=4), False)
    assert within("alert", "communications", told, "regulator") == (timedelta(minutes=30), True)
    assert within("important", "communications", told, "customer") == (timedelta(hours=8), False)
    assert within("routine", "communications", told, "regulator") is None
    assert due_at("important", "sales", told, lima(3, 10), "regulator") == lima(3, 14)


def test_a_department_works_in_the_calendar_that_it_names() -> None:
    settings = Settings(
        sla=Sla(calendar="lima"),
        calendars={
            "lima": Calendar(shifts=["09:00-13:00", "14:00-18:00"], own_shifts={"sat": ["09:00-13:00"]}),
            "madrid": Calendar(country="ES", region="MD", timezone="Europe/Madrid", days=["mon", "tue"]),
            "always": Calendar(shifts=["00:00-24:00"], days=["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
                               holidays=False),
        },
        departments={
            "communications": DepartmentTable(calendar="madrid"),
            "network_quality": DepartmentTable(calendar="always"),
        },
    )  # fmt: skip
    assert due_at("important", "sales", settings, lima(3, 10)) == lima(4, 10)  # an hour for lunch
    assert due_at("important", "sales", settings, lima(6, 17)) == lima(9, 12)  # one on Friday, four on Saturday
    madrid = ZoneInfo("Europe/Madrid")
    assert due_at("important", "communications", settings, lima(3, 10)) == datetime(2026, 3, 9, 15, tzinfo=madrid)
    christmas = lima(25, 2, month=12)
    assert due_at("important", "network_quality", settings, christmas) == christmas + timedelta(hours=8)


def test_days_of_the_teams_own_go_before_the_public_holidays() -> None:
    calendar = Calendar(
        extra_holidays=["12-24", date(2026, 3, 4)], worked_days=[date(2026, 4, 2), date(2026, 3, 7)]
    )  # fmt: skip
    settings = Settings(sla=Sla(calendar="a"), calendars={"a": calendar})
    assert due_at("important", "sales", settings, lima(3, 17)) == lima(5, 16)  # the 4th is free
    assert due_at("important", "sales", settings, lima(6, 17)) == lima(7, 16)  # a Saturday that is worked
    assert due_at("important", "sales", settings, lima(1, 17, month=4)) == lima(2, 16, month=4)  # Maundy Thursday too
    for year in (2026, 2030):
        eve = datetime(year, 12, 24, 10, tzinfo=ZoneInfo("America/Lima"))
        told = due_at("important", "sales", settings, eve)
        assert told is not None
        assert told.astimezone(ZoneInfo("America/Lima")).date() > date(year, 12, 25)


def test_what_a_calendar_leaves_out_is_as_in_sla_and_instance() -> None:
    settings = Settings(sla=Sla(days=["sat"], closes=time(10)), calendars={"a": Calendar(opens=time(8))})
    assert hours_of(settings) == Hours(
        ((), (), (), (), (), ((540, 600),), ()), ZoneInfo("America/Lima"), "PE", usual=((540, 600),)
    )
    named = settings.model_copy(update={"departments": {"sales": DepartmentTable(calendar="a")}})
    assert hours_of(named, "sales").week[5] == ((480, 600),)
    assert hours_of(named, "customer_care") == hours_of(settings)
