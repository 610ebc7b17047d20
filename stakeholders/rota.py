"""Tell who of a department is on duty: the dated turns of its rota first, then the weekly ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from listener.settings import Settings
from listener.sla import DAYS, parse_shift
from listener.taxonomy import Department
from stakeholders.channels import split_address
from stakeholders.sla import hours_of

__all__ = ["OnDuty", "on_duty"]


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
