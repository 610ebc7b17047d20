"""Hold which mentions a list of posts is asked for; it travels in the address of the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from listener.taxonomy import DIMENSIONS, SENTIMENTS, STAKEHOLDERS
from stakeholders.counting.period import Period, midnight

__all__ = ["UNROUTED", "Wanted"]

UNROUTED = "-"  # Wanted.stakeholder: mentions that are not routed yet
_LONGEST = timedelta(days=400)
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "stakeholder": (*STAKEHOLDERS, UNROUTED),
    "dimension": DIMENSIONS,
    "sentiment": SENTIMENTS,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Hold which mentions are asked for: local days since ≤ d ≤ until and labels; None means any.

    What they are counted by is what `stakeholders.insight` counts by, so that a list is as long as its figure says.
    """

    since: date
    until: date
    brand: str | None = None
    stakeholder: str | None = None
    dimension: str | None = None
    source: str | None = None
    sentiment: str | None = None
    body: str | None = None  # the name of a registry's entry

    def period(self, zone: ZoneInfo) -> Period:
        """Give the time that is asked for."""
        return Period(midnight(self.since, zone), midnight(self.until + timedelta(days=1), zone), zone)

    def to_query(self) -> dict[str, str]:
        """Give the parameters of the page's address; what is not asked for is left out."""
        told = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: value.isoformat() if isinstance(value, date) else value for name, value in told if value}

    @classmethod
    def from_query(cls, query: Mapping[str, str], today: date) -> Wanted:
        """Read an address; what nobody knows is left out, days that are none mean the last thirty."""
        until = _day(query.get("until")) or today
        since = _day(query.get("since")) or until - timedelta(days=29)
        if not timedelta() <= until - since <= _LONGEST:
            since = until - timedelta(days=29)
        told: dict[str, Any] = {}
        for name in ("brand", "stakeholder", "dimension", "source", "sentiment", "body"):
            given, known = query.get(name) or None, _KNOWN.get(name)
            told[name] = given if given and (known is None or given in known) else None
        return cls(since, until, **told)


def _day(told: str | None) -> date | None:
    try:
        day = date.fromisoformat(told or "")
    except ValueError:
        return None
    return day if 1990 <= day.year <= 2200 else None
