"""Check what the tables of alerts alone cannot know: addresses, a rota's gaps and overlaps, rules that mean nothing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from listener.errors import Fault
from listener.faults import did_you_mean
from listener.tables.alerting import Matchers, Rota
from listener.tables.channelcheck import check_address
from listener.tables.sla import DAYS, parse_shift

if TYPE_CHECKING:
    from listener.settings import DepartmentTable, Settings

__all__ = ["ON_DUTY", "check_alerting", "check_matchers"]

ON_DUTY: Final = "rota"  # in an escalation: whoever is on duty
_DAY = 1440
_WEEK = 7 * _DAY


def check_alerting(settings: Settings) -> Iterator[Fault]:
    """Find faults in [alerts], [[inhibit]] and in the quiet hours, the rota and the escalation of each department."""
    alerts = settings.alerts
    if alerts.repeat_interval is not None and alerts.repeat_interval < alerts.group_interval:
        yield Fault("alerts", "repeat_interval is shorter than group_interval", "write 4 hours")
    for place, rule in enumerate(settings.inhibit, 1):
        where = f"inhibit «{rule.name or place}»"
        for side, matchers in (("source", rule.source), ("target", rule.target)):
            yield from check_matchers(matchers, where, settings, side)
    for name, table in settings.departments.items():
        yield from _check_department(f"departments.{name}", table, settings)


def check_matchers(matchers: Matchers, where: str, settings: Settings, side: str) -> Iterator[Fault]:
    """Find matchers that mean nothing, or names that are not there."""
    if not set(matchers.told()) - {"legal"}:
        yield Fault(where, f"{side}: says nothing, so it would mean everything", 'write {brand = "KEY"}')
    brands = (*settings.brands, *settings.competitors)
    for key, known in (("brand", brands), ("source", tuple(settings.sources))):
        for name in getattr(matchers, key):
            if name not in known:
                yield Fault(where, f"{side}.{key}: there is no '{name}'", did_you_mean(name, known))
    if matchers.query is not None:
        from listener.query import check_query

        told = {"source": tuple(settings.sources), "brand": brands}
        yield from check_query(matchers.query, where, known=told)


def _check_department(where: str, table: DepartmentTable, settings: Settings) -> Iterator[Fault]:
    last = None
    for place, step in enumerate(table.escalation, 1):
        if last is not None and step.after <= last:
            yield Fault(where, f"escalation: step {place} is not after the one before it", "write a longer time")
        last = step.after
        for address in step.to:
            if address == ON_DUTY:
                if table.rota is None:
                    yield Fault(where, f"escalation: step {place} tells the rota, and there is none", "add one")
            elif (wrong := check_address(address, settings)) is not None:
                yield Fault(where, f"escalation: {wrong[0]}", wrong[1])
    if table.rota is not None:
        yield from _check_rota(f"{where}.rota", table.rota, table, settings)


def _check_rota(where: str, rota: Rota, table: DepartmentTable, settings: Settings) -> Iterator[Fault]:
    try:
        ZoneInfo(rota.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Fault(where, f"timezone '{rota.timezone}' is not known", "write it as America/Lima")
    for name, addresses in rota.people.items():
        if not addresses:
            yield Fault(where, f"people: {name} has no address", 'write ["mail:name@example.org"]')
        for address in addresses:
            if (wrong := check_address(address, settings)) is not None:
                yield Fault(where, f"people.{name}: {wrong[0]}", wrong[1])
    for who in (*(turn.who for turn in rota.weekly), *(turn.who for turn in rota.dated)):
        if who not in rota.people and check_address(who, settings) is not None:
            hint = did_you_mean(who, tuple(rota.people)) or f"add them: [{where}.people]"
            yield Fault(where, f"nobody knows '{who}'", hint)
    yield from _check_weekly(where, rota, table)
    yield from _check_dated(where, rota)


def _check_weekly(where: str, rota: Rota, table: DepartmentTable) -> Iterator[Fault]:
    """Find minutes of the week that two people have, and minutes that somebody must have and nobody has."""
    taken: list[str | None] = [None] * _WEEK
    clash: str | None = None
    for turn in rota.weekly:
        opens, closes = parse_shift(turn.hours)
        for day in dict.fromkeys(turn.days):
            start = DAYS.index(day) * _DAY
            for minute in range(start + opens, start + closes):
                if taken[minute % _WEEK] is not None and clash is None:
                    clash = f"{_when(minute)}: both {taken[minute % _WEEK]} and {turn.who} are on duty"
                taken[minute % _WEEK] = turn.who
    if clash is not None:
        yield Fault(where, clash, "shorten one of the two turns")
    if not rota.weekly:
        return
    # In quiet hours somebody must be there; which hours are closed changes with the holidays, so then it is always.
    shifts = [one for one in table.quiet if one != "closed"]
    asked = range(_WEEK)
    if table.quiet and "closed" not in table.quiet:
        spans = [parse_shift(one) for one in shifts]
        quiet = {(day * _DAY + minute) % _WEEK for day in range(7) for span in spans for minute in range(*span)}
        free = next((minute for minute in asked if minute in quiet and taken[minute] is None), None)
    else:
        free = next((minute for minute in asked if taken[minute] is None), None)
    if free is not None:
        yield Fault(where, f"{_when(free)}: nobody is on duty", "add a turn to weekly")


def _check_dated(where: str, rota: Rota) -> Iterator[Fault]:
    for turn in rota.dated:
        if turn.since.tzinfo is not None or turn.until.tzinfo is not None:
            yield Fault(where, f"dated: the turn of {turn.who} carries a zone", "write 2026-12-24T18:00:00")
            return
        if turn.since >= turn.until:
            yield Fault(where, f"dated: the turn of {turn.who} ends before it begins", "change one of its times")
    turns = sorted(rota.dated, key=lambda turn: turn.since)
    for one, other in pairwise(turns):
        if other.since < one.until:
            yield Fault(
                where, f"{other.since:%Y-%m-%d %H:%M}: both {one.who} and {other.who} are on duty", "shorten one"
            )
        elif other.since > one.until and not rota.weekly:
            yield Fault(
                where, f"{one.until:%Y-%m-%d %H:%M}: nobody is on duty", "add a turn, or a weekly rota below it"
            )


def _when(minute: int) -> str:
    day, rest = divmod(minute % _WEEK, _DAY)
    return f"{DAYS[day]} {rest // 60:02d}:{rest % 60:02d}"
