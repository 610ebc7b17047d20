"""Describe the clocks of config.toml: spans by priority and speaker, calendars of work, and what the law sets."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from listener.duration import Span
from listener.tables.table import Table
from listener.taxonomy import Dimension, Intent, Language, Sentiment, Stakeholder

__all__ = [
    "DAYS",
    "PRESETS",
    "Calendar",
    "Day",
    "Holiday",
    "Preset",
    "RegulatoryRule",
    "Shift",
    "Sla",
    "StakeholderClock",
    "parse_shift",
    "parse_year_day",
]

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = get_args(Day)
Preset = Literal["CL.subtel", "CO.crc", "PE.indecopi", "PE.osiptel"]
PRESETS: dict[Preset, tuple[str, ...]] = {  # the rules that stand in stakeholders/regulation
    "CL.subtel": ("CL.subtel.complaint",),
    "CO.crc": ("CO.crc.pqr",),
    "PE.indecopi": ("PE.indecopi.complaint",),
    "PE.osiptel": (
        "PE.osiptel.quality",
        "PE.osiptel.billing",
        "PE.osiptel.billing_large",
        "PE.osiptel.appeal",
    ),
}

_SHIFT = re.compile(r"\s*(\d\d?):(\d\d)\s*[-–]\s*(\d\d?):(\d\d)\s*")
_YEAR_DAY = re.compile(r"(\d\d)-(\d\d)")


def parse_shift(text: str) -> tuple[int, int]:
    """Read "09:00-13:00" as minutes since midnight; "22:00-06:00" ends on the next day, after 1440.

    Raises ValueError for anything else; "00:00-24:00" is the whole day.
    """
    found = _SHIFT.fullmatch(text)
    told = f'{text!r} is not a shift; write it as "09:00-13:00", or "00:00-24:00" for the whole day'
    if found is None:
        raise ValueError(told)
    hour, minute, last_hour, last_minute = map(int, found.groups())
    opens, closes = 60 * hour + minute, 60 * last_hour + last_minute
    if opens >= 1440 or closes > 1440 or minute > 59 or last_minute > 59 or opens == closes:
        raise ValueError(told)
    return opens, closes if closes > opens else closes + 1440


def parse_year_day(text: str) -> tuple[int, int] | None:
    """Read "12-24", a day of every year, as month and day; None for anything else."""
    found = _YEAR_DAY.fullmatch(text)
    if found is None:
        return None
    month, day = int(found[1]), int(found[2])
    try:
        date(2024, month, day)  # a leap year: the 29th of February is a day of some years
    except ValueError:
        return None
    return month, day


def _check_shift(value: Any) -> Any:
    if isinstance(value, str):
        parse_shift(value)
    return value


def _check_day(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and parse_year_day(value) is not None:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f'{value!r} is not a day; write 2026-12-24, or "12-24" for every year') from None


Shift = Annotated[str, BeforeValidator(_check_shift)]
Holiday = Annotated[date | str, BeforeValidator(_check_day)]


class Calendar(Table):
    """Say when a team works ([calendars.NAME]); what is left out is as in [sla] and [instance]."""

    country: str | None = Field(None, description="two letters: whose public holidays; left out: [instance] country")
    region: str | None = Field(
        None, description="a part of the country with holidays of its own, by its code or name: CT, SCT, SP"
    )
    timezone: str | None = Field(None, description="IANA name; left out: [instance] timezone")
    days: list[Day] | None = Field(None, description="working days; left out: those of [sla]")
    opens: time | None = Field(None, description="start of the working day; left out: that of [sla]")
    closes: time | None = Field(None, description="end of the working day; left out: that of [sla]")
    shifts: list[Shift] = Field(
        [], description='instead of opens and closes, with breaks: ["09:00-13:00", "15:00-18:00"]'
    )
    own_shifts: dict[Day, list[Shift]] = Field(
        {}, description='days with other hours: {sat = ["09:00-13:00"]}; a day named here is worked'
    )
    holidays: bool | None = Field(None, description="skip public holidays; left out: as [sla] says")
    categories: list[str] = Field(
        [], description="kinds of holidays beside the public ones, as python-holidays names them: optional, bank"
    )
    extra_holidays: list[Holiday] = Field(
        [], description='days on which nobody works: 2026-12-24, or "12-24" for every year'
    )
    worked_days: list[Holiday] = Field(
        [], description="holidays and free days that are worked, written in the same way"
    )


class StakeholderClock(Table):
    """Give one kind of speaker a clock of its own ([sla.stakeholders.regulator])."""

    alert: Span | None = Field(None, description="an alert of theirs is answered within, round the clock")
    important: Span | None = Field(None, description="an important case of theirs is answered within, in working hours")


class RegulatoryRule(Table):
    """Set a legal clock ([sla.rules."PE.osiptel.quality"]): change one that ships, key by key, or write your own."""

    country: str | None = Field(None, description="two letters: whose business days count, and whose brands it binds")
    timezone: str | None = Field(None, description="IANA name in which its days end; left out: [instance] timezone")
    calendar: str | None = Field(
        None, description="[calendars.NAME] whose days count; left out: Monday to Friday without public holidays"
    )
    body: str | None = Field(None, description="who supervises it")
    about: dict[Language, str] = Field({}, description="what it is about, in es, en, pt")
    stakeholders: list[Stakeholder] = Field(["customer"], description="who speaks")
    sentiments: list[Sentiment] = Field(["negative", "neutral"], description="polarity toward the brand")
    intents: list[Intent] = Field([], description="what the author wants; empty: anything")
    dimensions: list[Dimension] = Field([], description="what the post is about; empty: anything")
    topics: list[Literal["network", "care"]] = Field([], description="any word of these lists of docs/routing.md")
    words: list[str] = Field([], description="any of these words or phrases, written as in a route")
    not_words: list[str] = Field([], description="and none of these")
    resolve: int | None = Field(None, ge=0, le=366, description="business days to resolve")
    notify: int | None = Field(None, ge=0, le=366, description="business days more to tell the customer")
    since: date | None = Field(None, description="first day on which it holds")
    until: date | None = Field(None, description="last day on which it holds")
    source: str | None = Field(None, description="the norm, by name and number")
    note: dict[Language, str] = Field({}, description="what a reader of the case must know, in es, en, pt")
    automatic: bool = Field(True, description="false: no post takes it by itself, a person may choose it")
    enabled: bool = Field(True, description="false: this rule of the preset is left out")


class Sla(Table):
    """Set the clocks and the working hours they run in."""

    alert: Span = Field(timedelta(hours=1), description="an alert is answered within, round the clock")
    important: Span = Field(timedelta(hours=8), description="an important case is answered within, in working hours")
    days: list[Day] = Field(["mon", "tue", "wed", "thu", "fri"], description="working days")
    opens: time = Field(time(9, 0), description="start of the working day, in [instance] timezone")
    closes: time = Field(time(18, 0), description="end of the working day")
    holidays: bool = Field(True, description="skip the public holidays of [instance] country")
    calendar: str | None = Field(
        None, description="key of [calendars.NAME] for every department that names none; left out: the keys above"
    )
    stakeholders: dict[Stakeholder, StakeholderClock] = Field(
        {}, description="[sla.stakeholders.WHO]: alert and important for one kind of speaker; the shorter clock counts"
    )
    regulation: list[Preset] = Field(
        [], description="legal clocks that ship (docs/clocks.md): CL.subtel, CO.crc, PE.indecopi, PE.osiptel"
    )
    rules: dict[str, RegulatoryRule] = Field(
        {}, description='[sla.rules."PE.osiptel.quality"]: changes to one that ships, or a legal clock of your own'
    )
