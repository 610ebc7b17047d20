"""Keep quiet hours: what is important waits until they end, what is an alert goes to whoever is on duty."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from listener.settings import Settings
from listener.tables.sla import parse_shift
from listener.taxonomy import Department, Priority
from stakeholders.clocks.worktime import Hours, shifts_between
from stakeholders.sla import hours_of

__all__ = ["heard_at", "quiet_until"]

_MOST = 60  # stretches of quiet that follow each other: a week of nights and holidays


def quiet_until(settings: Settings, department: Department, now: datetime) -> datetime | None:
    """Give when the quiet hours that a department is in at `now` end, in UTC; None when it is in none.

    A department that is quiet always (`00:00-24:00`, or a calendar in which nobody ever works) is never quiet: it
    would never be told.
    """
    table = settings.departments.get(department)
    if table is None or not table.quiet:
        return None
    moment = now
    for _ in range(_MOST):
        ends = [end for end in _ends(settings, department, table.quiet, moment) if end > moment]
        if not ends:
            return moment if moment > now else None
        moment = max(ends)
    return None


def heard_at(settings: Settings, department: Department, priority: Priority, now: datetime) -> datetime:
    """Give when a department hears of something that is queued at `now`: an alert at once, the rest after the quiet."""
    if priority == "alert":
        return now
    return quiet_until(settings, department, now) or now


def _ends(settings: Settings, department: Department, quiet: list[str], moment: datetime) -> Iterator[datetime]:
    """Give when each stretch of quiet that holds at a moment ends."""
    hours = hours_of(settings, department)
    shifts = tuple(parse_shift(one) for one in quiet if one != "closed")
    if "closed" in quiet and (first := next(shifts_between(moment, hours), None)) is not None and first[0] > moment:
        yield first[0]
    if shifts:
        nights = Hours((shifts,) * 7, hours.zone, holidays=False)
        first = next(shifts_between(moment, nights), None)
        if first is not None and first[0] == moment:
            yield first[1]
