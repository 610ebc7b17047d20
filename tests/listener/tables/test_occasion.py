"""An event or a span that cannot work is a fault with its place; one that can is read with its days."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.config import parse
from listener.errors import ConfigError

PLAIN: dict[str, Any] = {
    "brands": {"acme": {"name": "Acme"}},
    "departments": {"communications": {"alert": ["mail:team@example.org"]}},
}


def faults(**tables: Any) -> list[str]:
    try:
        parse(PLAIN | tables, Path(), {})
    except ConfigError as error:
        return [str(fault) for fault in error.faults]
    return []


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"name": " "}, "name is empty"),
        ({"name": "CADE", "hashtags": ["#"]}, "hashtags holds an empty one"),
        ({"name": "CADE", "names": [""]}, "names holds an empty one"),
        ({"name": "CADE", "hashtags": ["#CADE 2026"]}, "has a space"),
        ({"name": "CADE", "from": date(2026, 11, 2), "to": date(2026, 11, 1)}, "from is after to"),
        ({"name": "CADE", "frm": date(2026, 11, 2)}, "did you mean 'from'?"),
        ({}, "'name' is missing"),
    ],
)
def test_an_event_that_cannot_work_is_a_fault_at_its_place(event: dict[str, Any], told: str) -> None:
    (fault,) = faults(events=[event])
    assert fault.startswith("[events.1]")
    assert told in fault


def test_two_events_of_one_name_are_a_fault_and_two_years_are_not() -> None:
    (fault,) = faults(events=[{"name": "CADE"}, {"name": "cadé"}])
    assert fault.startswith("[events.2]")
    assert faults(events=[{"name": "CADE 2025"}, {"name": "CADE 2026"}]) == []


@pytest.mark.parametrize("within", ["15 days", "soon"])
def test_a_span_in_which_nobody_speaks_is_a_fault(within: str) -> None:
    (fault,) = faults(opportunities={"within": within})
    assert fault.startswith("[opportunities]")


def test_what_is_written_is_read_and_six_hours_stand_where_nothing_is() -> None:
    table = {"name": "CADE 2026", "hashtags": ["#CADE2026"], "from": date(2026, 11, 16), "to": date(2026, 11, 27)}
    settings = parse(PLAIN | {"events": [table]}, Path(), {}).settings
    (event,) = settings.events
    assert (event.starts, event.ends) == (date(2026, 11, 16), date(2026, 11, 27))
    assert settings.opportunities.within == timedelta(hours=6)
