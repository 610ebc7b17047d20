"""Check what one clock table alone cannot know: calendars that nobody wrote, regions without holidays, idle weeks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from listener.errors import Fault
from listener.faults import did_you_mean
from listener.tables.sla import PRESETS, Calendar, RegulatoryRule

if TYPE_CHECKING:
    from listener.settings import Settings

__all__ = ["check_clocks"]


def check_clocks(settings: Settings) -> Iterator[Fault]:
    """Find faults in [sla], [calendars.NAME] and the calendars that departments name."""
    sla, names = settings.sla, tuple(settings.calendars)
    yield from _check_day("sla", sla.opens, sla.closes)
    if not sla.days:
        yield Fault("sla", "no working day is left", 'write days = ["mon", "tue", …]')
    chosen = [("sla", sla.calendar)]
    chosen += [(f"departments.{name}", table.calendar) for name, table in settings.departments.items()]
    for where, key in chosen:
        if key is not None and key not in settings.calendars:
            hint = did_you_mean(key, names) or f"add a table: [calendars.{key}]"
            yield Fault(where, f"calendar: there is no '{key}'", hint)
    for name, table in settings.calendars.items():
        yield from _check_calendar(f"calendars.{name}", table, settings)
    for name, rule in sla.rules.items():
        yield from _check_rule(f'sla.rules."{name}"', name, rule, settings)


def _check_day(where: str, opens: time, closes: time) -> Iterator[Fault]:
    if opens.tzinfo is not None or closes.tzinfo is not None:
        hint = "write 09:00; [instance] timezone says where" if where == "sla" else "write 09:00; timezone says where"
        yield Fault(where, "opens and closes carry a zone", hint)
    elif opens >= closes:
        hint = "write the working day as 09:00 to 18:00" + ("" if where == "sla" else ', or shifts = ["22:00-06:00"]')
        yield Fault(where, "opens is not before closes", hint)


def _check_zone(where: str, name: str | None) -> Iterator[Fault]:
    try:
        ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Fault(where, f"timezone '{name}' is not known", "write it as America/Lima")


def _check_calendar(where: str, table: Calendar, settings: Settings) -> Iterator[Fault]:
    yield from _check_zone(where, table.timezone)
    if table.shifts and (table.opens or table.closes):
        yield Fault(where, "has both shifts and opens or closes", "leave one of them out")
    elif table.opens or table.closes:
        yield from _check_day(where, table.opens or settings.sla.opens, table.closes or settings.sla.closes)
    days = table.days if table.days is not None else settings.sla.days
    if not days and not any(table.own_shifts.values()):
        yield Fault(where, "no working day is left", 'write days = ["mon", "tue", …]')
    for day in sorted(set(map(str, table.extra_holidays)) & set(map(str, table.worked_days))):
        yield Fault(where, f"{day} is both a holiday and worked", "leave one of them out")
    yield from _check_holidays(where, table, settings)


def _check_holidays(where: str, table: Calendar, settings: Settings) -> Iterator[Fault]:
    kept = table.holidays if table.holidays is not None else settings.sla.holidays
    country = table.country or settings.instance.country
    if not kept:
        return
    import holidays  # a third of a second, and only for who writes calendars

    known = getattr(holidays, country, None) if country.isascii() and country.isalpha() and len(country) == 2 else None
    if known is None:
        hint = "write two capitals: PE; or holidays = false and extra_holidays"
        yield Fault(where, f"no public holidays are known for '{country}'", hint)
        return
    regions = (*known.subdivisions, *getattr(known, "subdivisions_aliases", {}))
    if table.region is not None and table.region not in regions:
        hint = did_you_mean(table.region, regions) or f"{country} has no regions with holidays of their own"
        yield Fault(where, f"region '{table.region}' is not known in {country}", hint)
    for category in table.categories:
        if category not in known.supported_categories:
            hint = did_you_mean(category, known.supported_categories)
            yield Fault(where, f"categories: '{category}' is not known in {country}", hint)


def _check_rule(where: str, name: str, rule: RegulatoryRule, settings: Settings) -> Iterator[Fault]:
    yield from _check_zone(where, rule.timezone)
    if rule.calendar is not None and rule.calendar not in settings.calendars:
        hint = did_you_mean(rule.calendar, tuple(settings.calendars))
        yield Fault(where, f"calendar: there is no '{rule.calendar}'", hint)
    if rule.since is not None and rule.until is not None and rule.since > rule.until:
        yield Fault(where, "since is after until", "it would never hold")
    for preset, ids in PRESETS.items():
        if not name.startswith(f"{preset}."):
            continue
        if name not in ids:
            yield Fault(where, f"{preset} has no such rule", did_you_mean(name, ids))
        elif preset not in settings.sla.regulation:
            yield Fault(where, f"{preset} is not chosen", f'add it: [sla] regulation = ["{preset}"]')
        return
    missing = [key for key in ("country", "body", "resolve", "source") if getattr(rule, key) is None]
    if missing:
        yield Fault(where, f"is a rule of your own and has no {', '.join(missing)}", "add it; docs/clocks.md says how")
