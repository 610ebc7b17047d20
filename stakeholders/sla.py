"""Say by when an answer is owed: the spans of a department and of who speaks, in the hours of its calendar."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from listener.settings import Settings
from listener.tables.sla import DAYS, Calendar, Holiday, parse_shift, parse_year_day
from listener.taxonomy import Department, Priority, Stakeholder
from stakeholders.clocks.worktime import Hours, Shift, due, working_time

__all__ = ["Hours", "calendar_hours", "due", "due_at", "hours_of", "within", "working_time"]


def hours_of(settings: Settings, department: Department | None = None) -> Hours:
    """Give the working hours of a department: the calendar it names, else that of [sla], else the keys of [sla].

    A calendar that is not there counts as left out; reading config.toml reports it.
    """
    table = settings.departments.get(department) if department is not None else None
    key = (table.calendar if table is not None else None) or settings.sla.calendar
    return calendar_hours(settings, key)


def calendar_hours(settings: Settings, key: str | None) -> Hours:
    """Give the working hours of [calendars.KEY]; of [sla] alone for None or a calendar that is not there."""
    return _hours(settings.calendars.get(key or "", Calendar()), settings)


def within(
    priority: Priority, department: Department, settings: Settings, stakeholder: Stakeholder | None = None
) -> tuple[timedelta, bool] | None:
    """Give how long a department has, and whether its clock runs round the clock; None: no answer is owed.

    A department's own `alert_within` / `important_within` and the clock of who speaks ([sla.stakeholders]) go before
    [sla]; of the two, the shorter counts.
    """
    sla, table = settings.sla, settings.departments.get(department)
    speaker = sla.stakeholders.get(stakeholder) if stakeholder is not None else None
    match priority:
        case "alert":
            own = (table.alert_within if table else None, speaker.alert if speaker else None)
            return min((span for span in own if span is not None), default=sla.alert), True
        case "important":
            own = (table.important_within if table else None, speaker.important if speaker else None)
            return min((span for span in own if span is not None), default=sla.important), False
        case _:
            return None


def due_at(
    priority: Priority,
    department: Department,
    settings: Settings,
    start: datetime,
    stakeholder: Stakeholder | None = None,
) -> datetime | None:
    """Give when a case that starts now must be answered, in UTC; None when no answer is owed."""
    clock = within(priority, department, settings, stakeholder)
    return None if clock is None else due(start, clock[0], hours_of(settings, department), clock[1])


def _hours(table: Calendar, settings: Settings) -> Hours:
    sla, instance = settings.sla, settings.instance
    days = sla.days if table.days is None else table.days
    usual = tuple(parse_shift(one) for one in table.shifts) or (
        _one(table.opens or sla.opens, table.closes or sla.closes),
    )
    week = tuple(
        tuple(parse_shift(one) for one in table.own_shifts[day])
        if day in table.own_shifts
        else usual
        if day in days
        else ()
        for day in DAYS
    )
    return Hours(
        week,
        ZoneInfo(table.timezone or instance.timezone),
        # A region belongs to the country that stands beside it.
        table.country or instance.country,
        table.region,
        sla.holidays if table.holidays is None else table.holidays,
        tuple(table.categories),
        _days(table.extra_holidays),
        _days(table.worked_days),
        usual,
    )


def _one(opens: time, closes: time) -> Shift:
    return 60 * opens.hour + opens.minute, 60 * closes.hour + closes.minute


def _days(days: list[Holiday]) -> frozenset[date | tuple[int, int]]:
    found: set[date | tuple[int, int]] = set()
    for day in days:
        yearly = parse_year_day(day) if isinstance(day, str) else None
        if yearly is not None:
            found.add(yearly)
        elif isinstance(day, date):
            found.add(day)
    return frozenset(found)
