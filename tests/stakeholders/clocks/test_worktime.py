"""Working time agrees with asking every half hour of five years: nine countries, breaks, nights, clock changes."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.settings import Settings
from listener.tables.sla import Calendar
from stakeholders.clocks.worktime import Hours, Ruler, business_day_after, due, is_worked, plain_hours, working_time
from stakeholders.sla import calendar_hours

HALF = timedelta(minutes=30)
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
TABLES = {
    "PE": Calendar(
        country="PE", timezone="America/Lima", shifts=["09:00-13:00", "14:00-18:00"],
        own_shifts={"sat": ["09:00-13:00"]}, extra_holidays=["12-24", date(2026, 7, 27)],
        worked_days=[date(2026, 8, 6), date(2026, 3, 8)],
    ),
    "MX": Calendar(country="MX", timezone="America/Tijuana", shifts=["01:30-03:30", "08:00-14:00"]),
    "CO": Calendar(country="CO", timezone="America/Bogota", days=["mon", "tue", "wed", "thu", "fri", "sat"]),
    "CL": Calendar(country="CL", region="BI", timezone="America/Santiago", days=["fri", "sat", "sun", "mon"],
                   shifts=["22:00-06:00"]),
    "AR": Calendar(country="AR", region="T", timezone="America/Argentina/Tucuman",
                   shifts=["08:30-12:30", "16:00-20:00"]),
    "ES": Calendar(country="ES", region="CT", timezone="Europe/Madrid", days=["mon", "thu", "sun"],
                   shifts=["01:30-02:30", "02:30-14:00", "16:30-19:30"]),
    "BR": Calendar(country="BR", region="SP", timezone="America/Sao_Paulo", categories=["optional"]),
    "US": Calendar(country="US", region="CA", timezone="America/Los_Angeles", shifts=["00:00-24:00"],
                   days=["mon", "wed", "sat", "sun"]),
    "GB": Calendar(country="GB", region="SCT", timezone="Europe/London", days=["sun", "mon", "tue", "fri"],
                   shifts=["00:30-09:00", "08:00-10:00", "23:30-01:30"]),
}  # fmt: skip
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def minutes(text: str) -> int:
    hour, minute = text.split(":")
    return 60 * int(hour) + int(minute)


def hours(name: str) -> Hours:
    return calendar_hours(Settings(calendars={"one": TABLES[name]}), "one")


@cache
def counted(name: str) -> list[int]:
    """Ask every half hour of five years whether anybody works in it; give the running count. Slow, and simple.

    The clock on the wall is read as people do: it never goes back, so an hour shown twice is one long hour.
    """
    table = TABLES[name]
    zone = ZoneInfo(table.timezone or "")
    kinds = ("public", *table.categories)
    free = holidays.country_holidays(table.country, subdiv=table.region, years=range(2023, 2030), categories=kinds)
    free = set(free)
    days = table.days or NAMES[:5]
    usual = table.shifts or ["09:00-18:00"]

    def shifts_on(day: date) -> list[tuple[int, int]]:
        told = table.own_shifts.get(NAMES[day.weekday()])  # type: ignore[call-overload]
        told = told if told is not None else (usual if NAMES[day.weekday()] in days else [])
        if day in table.worked_days or f"{day:%m-%d}" in table.worked_days:
            told = told or usual
        elif day in free or day in table.extra_holidays or f"{day:%m-%d}" in table.extra_holidays:
            told = []
        pairs = [one.split("-") for one in told]
        return [(minutes(a), minutes(b) + (1440 if minutes(b) <= minutes(a) else 0)) for a, b in pairs]

    known: dict[date, list[tuple[int, int]]] = {}
    shown, found, at = datetime(1999, 1, 1), [], START  # noqa: DTZ001 - what a wall clock shows
    while at < END:
        shown = max(shown, at.astimezone(zone).replace(tzinfo=None))
        minute = 60 * shown.hour + shown.minute
        today, yesterday = shown.date(), shown.date() - timedelta(days=1)
        for day in (today, yesterday):
            if day not in known:
                known[day] = shifts_on(day)
        now = any(a <= minute < b for a, b in known[today])
        found.append(now or any(a <= minute + 1440 < b for a, b in known[yesterday]))
        at += HALF
    return [0, *accumulate(found)]


def asked(name: str, start: datetime, end: datetime) -> timedelta:
    """Give what was counted between two moments, the half hours at the ends in part."""

    def until(moment: datetime) -> timedelta:
        place, rest = divmod(moment - START, HALF)
        sums = counted(name)
        return sums[place] * HALF + (rest if rest and sums[place + 1] > sums[place] else timedelta(0))

    return until(end) - until(start)


minute_of_five_years = st.integers(0, 5 * 365 * 1440 - 1)
# Half of the examples lie around a change of the clock, where the mistakes are.
CHANGES = [datetime(year, month, day, tzinfo=UTC) for year in range(2024, 2029) for month, day in
           ((3, 8), (3, 26), (4, 4), (9, 3), (10, 24), (10, 31), (12, 22))]  # fmt: skip
starts = st.one_of(
    minute_of_five_years.map(lambda minute: START + timedelta(minutes=minute)),
    st.tuples(st.sampled_from(CHANGES), st.integers(0, 8 * 1440)).map(lambda one: one[0] + timedelta(minutes=one[1])),
).filter(lambda start: start < END - timedelta(days=60))
spans = st.integers(0, 20 * 1440).map(lambda minute: timedelta(minutes=minute))


@pytest.mark.parametrize("name", TABLES)
def test_five_years_of_a_country_hold_as_much_work_as_their_half_hours_say(name: str) -> None:
    calendar = hours(name)
    total = timedelta(0)
    for start in range(0, 5 * 365, 365):
        first = START + timedelta(days=start)
        last = first + timedelta(days=365)
        worked = working_time(first, last, calendar)
        assert worked == asked(name, first, last)
        total += worked
    assert total > timedelta(hours=5000)


@pytest.mark.parametrize("name", TABLES)
@settings(max_examples=60, deadline=None)
@given(start=starts, span=spans)
def test_working_time_agrees_with_asking_every_half_hour(name: str, start: datetime, span: timedelta) -> None:
    assert working_time(start, start + span, hours(name)) == asked(name, start, start + span)


@pytest.mark.parametrize("name", TABLES)
@settings(max_examples=60, deadline=None)
@given(start=starts, span=st.integers(1, 100 * 60).map(lambda minute: timedelta(minutes=minute)))
def test_a_due_time_is_the_first_moment_by_which_so_much_was_worked(
    name: str, start: datetime, span: timedelta
) -> None:
    end = due(start, span, hours(name))
    assert asked(name, start, end) == span
    assert asked(name, start, end - timedelta(minutes=1)) == span - timedelta(minutes=1)


@settings(max_examples=100, deadline=None)
@given(name=st.sampled_from(sorted(TABLES)), start=starts, first=spans, second=spans)
def test_clocks_add_up_and_never_run_backwards(name: str, start: datetime, first: timedelta, second: timedelta) -> None:
    calendar = hours(name)
    middle, end = start + first, start + first + second
    whole = working_time(start, end, calendar)
    assert working_time(start, middle, calendar) + working_time(middle, end, calendar) == whole
    short, long = first / 8, second / 8
    assert due(due(start, short, calendar), long, calendar) == due(start, short + long, calendar)
    assert due(start, short, calendar) <= due(start, short + long, calendar)
    assert due(start, short, calendar) <= due(middle, short, calendar)
    assert Ruler(calendar, start, end).worked(start, middle) == working_time(start, middle, calendar)


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(sorted(TABLES)), start=starts, count=st.integers(0, 25))
def test_business_days_are_counted_one_by_one(name: str, start: datetime, count: int) -> None:
    calendar, day = hours(name), start.date()
    last = business_day_after(day, count, calendar)
    between = [day + timedelta(days=one) for one in range(1, (last - day).days + 1)]
    assert sum(is_worked(one, calendar) for one in between) == count
    assert count == 0 or is_worked(last, calendar)


@pytest.mark.parametrize(
    ("country", "region", "free", "elsewhere"),
    [
        ("ES", "CT", date(2026, 6, 24), "MD"),  # Sant Joan
        ("ES", "Barcelona", date(2026, 9, 24), "CT"),  # La Mercè, a holiday of the city
        ("GB", "SCT", date(2026, 11, 30), "ENG"),  # Saint Andrew
        ("GB", "ENG", date(2026, 4, 6), "SCT"),  # Easter Monday
        ("BR", "SP", date(2026, 7, 9), "RJ"),  # the revolution of 1932
        ("US", "CA", date(2026, 3, 31), "NY"),  # Cesar Chavez
        ("CL", "AP", date(2026, 6, 7), "RM"),  # the assault on the Morro
        ("AR", "T", date(2026, 9, 24), "C"),  # the battle of Tucumán
    ],
)
def test_a_region_keeps_its_own_holidays(country: str, region: str, free: date, elsewhere: str) -> None:
    every_day = list(NAMES)
    here = Settings(calendars={"a": Calendar(country=country, region=region, days=every_day)})
    there = Settings(calendars={"a": Calendar(country=country, region=elsewhere, days=every_day)})
    assert not is_worked(free, calendar_hours(here, "a"))
    assert is_worked(free, calendar_hours(there, "a"))


@pytest.mark.parametrize(
    ("country", "free", "worked"),
    [
        ("PE", date(2026, 7, 28), date(2026, 7, 30)),
        ("MX", date(2026, 9, 16), date(2026, 9, 15)),
        ("CO", date(2026, 7, 20), date(2026, 7, 21)),
        ("BR", date(2026, 9, 7), date(2026, 9, 8)),
    ],
)
def test_a_national_holiday_is_free(country: str, free: date, worked: date) -> None:
    calendar = calendar_hours(Settings(calendars={"a": Calendar(country=country)}), "a")
    assert not is_worked(free, calendar)
    assert is_worked(worked, calendar)


def test_carnival_is_worked_unless_the_optional_holidays_are_kept() -> None:
    carnival = date(2026, 2, 17)
    plain = Settings(calendars={"a": Calendar(country="BR")})
    kept = Settings(calendars={"a": Calendar(country="BR", categories=["optional"])})
    assert is_worked(carnival, calendar_hours(plain, "a"))
    assert not is_worked(carnival, calendar_hours(kept, "a"))


def test_an_hour_that_the_clock_skips_is_not_worked_and_one_that_it_shows_twice_is_worked_twice() -> None:
    madrid = plain_hours(("sun",), time(1), time(4), ZoneInfo("Europe/Madrid"))

    def on(day: date) -> timedelta:
        noon = datetime.combine(day, time(12), UTC)
        return working_time(noon - timedelta(hours=20), noon, madrid)

    assert on(date(2026, 3, 29)) == timedelta(hours=2)
    assert on(date(2026, 10, 25)) == timedelta(hours=4)
    assert on(date(2026, 11, 1)) == timedelta(hours=3)


def test_a_shift_that_begins_in_the_skipped_hour_begins_when_the_clock_has_jumped() -> None:
    zone = ZoneInfo("Europe/Madrid")
    early = plain_hours(("sun",), time(2, 30), time(10), zone)
    night = datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert due(night, timedelta(0), early) == datetime(2026, 3, 29, 1, tzinfo=UTC)  # 03:00 in Madrid


def test_the_five_years_hold_clock_changes_in_both_directions() -> None:
    """Guard the oracle: without a change of the clock in them, the tests above would prove less than they say."""
    changing = {name for name, table in TABLES.items() if len({
        at.astimezone(ZoneInfo(table.timezone or "")).utcoffset() for at in (START, START + timedelta(days=182))
    }) > 1}  # fmt: skip
    assert changing == {"MX", "CL", "ES", "US", "GB"}
    assert bisect_left(counted("PE"), 1000) > 1000
