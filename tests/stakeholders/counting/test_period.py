"""Weeks and days in local time, counted in UTC hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stakeholders.counting.period import Period, last_days, last_whole_week, midnight, week, week_name

LIMA, MEXICO, SANTIAGO, KOLKATA = (
    ZoneInfo(name) for name in ("America/Lima", "America/Mexico_City", "America/Santiago", "Asia/Kolkata")
)
ZONES = [LIMA, MEXICO, SANTIAGO, KOLKATA, ZoneInfo("Europe/Madrid"), ZoneInfo("America/Sao_Paulo"), ZoneInfo("UTC")]


def test_a_week_in_lima_starts_on_monday_at_five_utc() -> None:
    period = week("2026-W46", LIMA)
    assert period.start == datetime(2026, 11, 9, 5, tzinfo=UTC)
    assert period.end == datetime(2026, 11, 16, 5, tzinfo=UTC)
    assert [day.date for day in period.days] == [date(2026, 11, 9) + timedelta(days=n) for n in range(7)]


def test_the_same_week_in_mexico_city_starts_an_hour_later() -> None:
    assert week("2026-W46", MEXICO).start == datetime(2026, 11, 9, 6, tzinfo=UTC)


def test_the_week_in_which_mexico_ended_summer_time_has_an_hour_more() -> None:
    # Mexico ended summer time in October 2022: the clocks went back on Sunday the 30th for the last time.
    days = week("2022-W43", MEXICO).days
    assert [day.end - day.first for day in days] == [24] * 6 + [25]


def test_where_clocks_skip_midnight_the_day_starts_at_its_first_moment() -> None:
    # Chile, 6 September 2026: after 23:59 comes 01:00.
    assert midnight(date(2026, 9, 6), SANTIAGO) == datetime(2026, 9, 6, 4, tzinfo=UTC)
    assert [day.end - day.first for day in week("2026-W36", SANTIAGO).days] == [24] * 6 + [23]


def test_the_previous_week_is_a_whole_local_week_also_across_a_change_of_clocks() -> None:
    after = week("2026-W37", SANTIAGO)
    assert after.previous() == week("2026-W36", SANTIAGO)
    assert after.previous(4) == week("2026-W33", SANTIAGO)


@pytest.mark.parametrize("name", ["", "2026", "2026-46", "2026-W54", "2026-Wxx", "W46", "2025-W53"])
def test_what_is_no_week_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="2026-W46"):
        week(name, LIMA)


def test_week_53_exists_in_2026() -> None:
    period = week("2026-W53", LIMA)
    assert (period.first_day, week_name(period.last_day)) == (date(2026, 12, 28), "2026-W53")


def test_sunday_evening_in_lima_is_still_the_running_week() -> None:
    sunday_night = datetime(2026, 11, 16, 4, 30, tzinfo=UTC)  # 23:30 in Lima
    assert last_whole_week(sunday_night, LIMA) == week("2026-W45", LIMA)
    assert last_whole_week(sunday_night + timedelta(hours=1), LIMA) == week("2026-W46", LIMA)


def test_the_last_seven_days_end_with_today() -> None:
    period = last_days(7, datetime(2026, 11, 12, 3, tzinfo=UTC), LIMA)  # the 11th, 22:00 in Lima
    assert (period.first_day, period.last_day) == (date(2026, 11, 5), date(2026, 11, 11))
    with pytest.raises(ValueError, match="at least one"):
        last_days(0, datetime(2026, 11, 12, tzinfo=UTC), LIMA)


def test_a_period_without_zone_or_length_is_refused() -> None:
    now = datetime(2026, 11, 12, tzinfo=UTC)
    with pytest.raises(ValueError, match="zone"):
        Period(datetime(2026, 11, 12), now, LIMA)  # noqa: DTZ001
    with pytest.raises(ValueError, match="end after"):
        Period(now, now, LIMA)


@given(
    st.datetimes(datetime(2010, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.integers(1, 400),
    st.sampled_from(ZONES),
)
def test_the_days_of_a_period_hold_every_hour_once(start: datetime, length: int, zone: ZoneInfo) -> None:
    period = Period(start, start + timedelta(hours=length), zone)
    days = period.days
    assert [day.first for day in days] == [period.first_hour, *(day.end for day in days[:-1])]
    assert days[-1].end == period.end_hour
    assert [day.date for day in days] == [days[0].date + timedelta(days=n) for n in range(len(days))]
    if zone is not KOLKATA:
        for day in days:
            for hour in {day.first, day.end - 1} if day.first < day.end else ():
                assert datetime.fromtimestamp(hour * 3600, zone).date() == day.date
