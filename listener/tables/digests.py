"""Describe who reads a digest and when: [digest], the directors' week, and [[digests]] for teams and other readers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from listener.errors import Fault
from listener.faults import did_you_mean
from listener.tables.table import Table
from listener.taxonomy import Department, Language

if TYPE_CHECKING:
    from listener.settings import Settings

__all__ = ["DAYS", "Cadence", "Digest", "DigestTable", "Weekday", "check_digests"]

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Cadence = Literal["daily", "weekly"]
DAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_AT = "the hour it goes out, in [instance] timezone"
_LANGUAGE = "es, en or pt; left out: [instance] language"


class Digest(Table):
    """Say who reads the weekly letter and when."""

    to: list[str] = Field([], description="mail:director@example.org")
    day: Weekday = Field("mon", description="the day it goes out")
    at: time = Field(time(8, 0), description=_AT)
    language: Language | None = Field(None, description=_LANGUAGE)


class DigestTable(Table):
    """Hold one [[digests]] table: a digest of its own for a team, or for readers with another language or brand."""

    name: str = Field(
        pattern="^[a-z0-9][a-z0-9_-]{0,39}$",
        description="small letters, digits, - and _; it names the digest for good, so a new name is a new digest",
    )
    to: list[str] = Field([], description="mail:care.lead@example.org")
    cadence: Cadence = Field("weekly", description='"daily" (yesterday) or "weekly" (Monday to Sunday)')
    day: Weekday = Field("mon", description="weekly: the day it goes out")
    at: time = Field(time(8, 0), description=_AT)
    language: Language | None = Field(None, description=_LANGUAGE)
    brands: list[str] = Field([], description="keys of [brands]; left out: all of them, a digest each")
    departments: list[Department] = Field(
        [],
        description="only their cases and their load; left out: weekly gives the directors' letter, "
        "daily the load of every department",
    )


def check_digests(settings: Settings) -> Iterator[Fault]:
    """Find faults in [digest] and [[digests]]: an hour with a zone, a name twice, a brand that is none of ours."""
    if settings.digest.at.tzinfo is not None:
        yield Fault("digest", "at carries a zone", "write 08:00; [instance] timezone says where")
    seen: set[str] = set()
    for place, table in enumerate(settings.digests, start=1):
        where = f"digests.{place}"
        if table.name in seen:
            yield Fault(where, f"name '{table.name}' stands there twice", "give each digest a name of its own")
        seen.add(table.name)
        if table.at.tzinfo is not None:
            yield Fault(where, "at carries a zone", "write 08:00; [instance] timezone says where")
        if table.cadence == "daily" and "day" in table.model_fields_set:
            yield Fault(where, "a daily digest has no day", 'leave day out, or write cadence = "weekly"')
        if not table.to:
            yield Fault(where, "nobody reads it: to is empty", 'write to = ["mail:lead@example.org"]')
        for key in table.brands:
            if key not in settings.brands:
                hint = did_you_mean(key, tuple(settings.brands)) or "write the key of a [brands] table"
                yield Fault(where, f"brands: there is no brand '{key}' of ours", hint)
