"""Tell who of a department is on duty: the dated turns of its rota first, then the weekly ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from listener.settings import Settings
from listener.tables.sla import DAYS, parse_shift
from listener.taxonomy import Department
from stakeholders.channels import split_address
from stakeholders.sla import hours_of

__all__ = ["OnDuty", "next_change", "on_duty"]

_AHEAD = timedelta(days=8)  # a weekly rota repeats by then; a dated turn may begin


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Hold who is on duty and where they are told: (channel, recipient)."""

    who: str
    addresses: tuple[tuple[str, str], ...]


def on_duty(settings: Settings, department: Department, now: datetime) -> OnDuty | None:
    """Give who of a department is on duty at `now` (aware); None without a rota, or when nobody is.

    Turns are read by the clock on the wall of the rota's zone, which is the department's own when it names none.
    """
    table = settings.departments.get(department)
    rota = table.rota if table is not None else None
    if rota is None:
        return None
    zone = ZoneInfo(rota.timezone) if rota.timezone else hours_of(settings, department).zone
    wall = now.astimezone(zone).replace(tzinfo=None)
    who = next((turn.who for turn in rota.dated if turn.since <= wall < turn.until), None)
    if who is None:
        minute = 60 * wall.hour + wall.minute
        for turn in rota.weekly:
            opens, closes = parse_shift(turn.hours)
            today, yesterday = DAYS[wall.weekday()], DAYS[wall.weekday() - 1]
            if (today in turn.days and opens <= minute < closes) or (
                yesterday in turn.days and opens <= minute + 1440 < closes
            ):
                who = turn.who
                break
    if who is None:
        return None
    return OnDuty(who, tuple(split_address(rota.people.get(who, [who]))))


def next_change(settings: Settings, department: Department, now: datetime) -> tuple[datetime, OnDuty | None] | None:
    """Give when somebody else of a department comes on duty after `now`, or nobody any more, and who that is.

    The moment is aware, in the rota's zone, at most eight days ahead; None without a rota or where nothing changes.
    """
    table = settings.departments.get(department)
    rota = table.rota if table is not None else None
    if rota is None:
        return None
    zone = ZoneInfo(rota.timezone) if rota.timezone else hours_of(settings, department).zone
    wall = now.astimezone(zone).replace(tzinfo=None)
    edges = {edge for turn in rota.dated for edge in (turn.since, turn.until)}
    for ahead in range(-1, _AHEAD.days + 1):
        midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=ahead)
        for turn in rota.weekly:
            if DAYS[midnight.weekday()] in turn.days:
                edges |= {midnight + timedelta(minutes=minute) for minute in parse_shift(turn.hours)}
    present = on_duty(settings, department, now)
    for edge in sorted(edges):
        if wall < edge <= wall + _AHEAD:
            moment = edge.replace(tzinfo=zone)
            following = on_duty(settings, department, moment)
            if (following and following.who) != (present and present.who):
                return moment, following
    return None
