"""Describe [[events]], where the business community meets, and [opportunities], how soon our accounts should speak."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pydantic import Field

from listener.duration import Span
from listener.errors import Fault
from listener.fold import fold
from listener.tables.table import Table

if TYPE_CHECKING:
    from listener.settings import Settings

__all__ = ["EventTable", "Opportunities", "check_events"]

_LONGEST = timedelta(days=14)  # what is answered later than that answers nobody


class EventTable(Table):
    """Hold one [[events]] table: a business event, or a campaign, and the words by which posts name it."""

    name: str = Field(description="as people read it: CADE 2026")
    hashtags: list[str] = Field([], description="hashtags that mean it: #CADE2026")
    names: list[str] = Field([], description="other names: CADE Ejecutivos")
    starts: date | None = Field(
        None, alias="from", description="first day on which posts that name it mean it; left out: always did"
    )
    ends: date | None = Field(None, alias="to", description="last such day; left out: still do")


class Opportunities(Table):
    """Say how soon our own accounts should take up what press or a peer says well of us."""

    within: Span = Field(
        timedelta(hours=6), description="hours after we heard it; until then it is a to-do, later it was missed"
    )


def check_events(settings: Settings) -> Iterator[Fault]:
    """Find faults in [[events]] and [opportunities]: a name twice or empty, days in the wrong order, no time at all."""
    seen: set[str] = set()
    for place, event in enumerate(settings.events, start=1):
        where = f"events.{place}"
        name = fold(event.name).strip()
        if not name:
            yield Fault(where, "name is empty", "write it as people read it: CADE 2026")
        elif name in seen:
            yield Fault(where, f"name '{event.name}' stands there twice", "leave one of them out, or add the year")
        seen.add(name)
        for key, words in (("hashtags", event.hashtags), ("names", event.names)):
            if any(not fold(word).strip().lstrip("#") for word in words):
                yield Fault(where, f"{key} holds an empty one", "leave it out")
        for tag in event.hashtags:
            if len(tag.split()) > 1:
                yield Fault(where, f"hashtags: '{tag}' has a space", "write it as people do: #CADE2026")
        if event.starts is not None and event.ends is not None and event.starts > event.ends:
            yield Fault(where, "from is after to", "it would never hold")
    if not timedelta(0) < settings.opportunities.within <= _LONGEST:
        yield Fault("opportunities", "within is no time to speak in", 'write within = "6 hours", 14 days at most')
