"""A clock or calendar that cannot work is a fault with its place, before anything starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from listener.config import parse
from listener.errors import ConfigError
from listener.tables.sla import parse_shift, parse_year_day

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
    ("calendar", "told"),
    [
        ({"timezone": "Lima"}, "timezone 'Lima' is not known"),
        ({"country": "PE", "region": "LIM"}, "region 'LIM' is not known in PE; PE has no regions"),
        ({"country": "ES", "region": "Catalunia"}, "did you mean 'Catalunya'?"),
        ({"country": "Peru"}, "no public holidays are known for 'Peru'"),
        ({"country": "BR", "categories": ["optionals"]}, "did you mean 'optional'?"),
        ({"shifts": ["9 to 5"]}, "is not a shift; write it as \"09:00-13:00\""),
        ({"shifts": ["09:00-09:00"]}, "is not a shift"),
        ({"shifts": ["09:00-13:00"], "opens": "08:00"}, "has both shifts and opens or closes"),
        ({"opens": "18:00"}, "opens is not before closes"),
        ({"opens": "09:00-05:00"}, "carry a zone"),
        ({"days": []}, "no working day is left"),
        ({"days": ["mo", "tue"]}, "did you mean 'mon'?"),
        ({"extra_holidays": ["30-02"]}, "is not a day; write 2026-12-24, or \"12-24\""),
        ({"extra_holidays": ["2026-12-24"], "worked_days": ["2026-12-24"]}, "is both a holiday and worked"),
        ({"own_shifts": {"sat": ["25:00-26:00"]}}, "is not a shift"),
        ({"shits": []}, "has no 'shits'; did you mean 'shifts'?"),
    ],
)  # fmt: skip
def test_a_calendar_that_cannot_work_is_a_fault(calendar: dict[str, Any], told: str) -> None:
    (fault,) = faults(calendars={"team": calendar})
    assert fault.startswith("[calendars.team")
    assert told in fault


@pytest.mark.parametrize(
    "calendar",
    [
        {"country": "ES", "region": "Barcelona", "timezone": "Europe/Madrid"},
        {"country": "ZZ", "holidays": False},
        {"days": [], "own_shifts": {"sat": ["22:00-06:00"]}},
        {"shifts": ["00:00-24:00"], "extra_holidays": ["02-29", "2026-07-27"]},
    ],
)
def test_a_calendar_that_can_work_is_none(calendar: dict[str, Any]) -> None:
    assert faults(calendars={"team": calendar}) == []


def test_a_calendar_that_nobody_wrote_is_a_fault_wherever_it_is_named() -> None:
    told = faults(
        calendars={"lima": {}},
        sla={"calendar": "limas"},
        departments=PLAIN["departments"] | {"sales": {"calendar": "madrid"}},
    )
    assert told == [
        "[sla] calendar: there is no 'limas'; did you mean 'lima'?",
        "[departments.sales] calendar: there is no 'madrid'; known: lima",
    ]


@pytest.mark.parametrize(
    ("sla", "told"),
    [
        ({"regulation": ["PE.osiptl"]}, "did you mean 'PE.osiptel'?"),
        ({"regulation": ["PE.osiptel"], "rules": {"PE.osiptel.qality": {}}}, "did you mean 'PE.osiptel.quality'?"),
        ({"rules": {"PE.osiptel.quality": {"resolve": 2}}}, "PE.osiptel is not chosen"),
        ({"rules": {"mine": {"resolve": 2, "country": "PE"}}}, "is a rule of your own and has no body, source"),
        ({"rules": {"mine": {"resolve": -2}}}, "greater than or equal to 0"),
        (
            {"regulation": ["CO.crc"], "rules": {"CO.crc.pqr": {"since": "2026-02-01", "until": "2026-01-01"}}},
            "since is after until",
        ),
        ({"regulation": ["CO.crc"], "rules": {"CO.crc.pqr": {"calendar": "bog"}}}, "there is no 'bog'"),
        ({"regulation": ["CO.crc"], "rules": {"CO.crc.pqr": {"timezone": "Bogota"}}}, "timezone 'Bogota'"),
        ({"stakeholders": {"regulador": {}}}, "did you mean 'regulator'?"),
    ],
)
def test_a_legal_clock_that_cannot_work_is_a_fault(sla: dict[str, Any], told: str) -> None:
    assert told in "\n".join(faults(sla=sla))


def test_shifts_and_days_of_the_year_are_read_as_people_write_them() -> None:
    assert parse_shift("09:00-13:00") == (540, 780)
    assert parse_shift(" 9:00 – 13:30 ") == (540, 810)
    assert parse_shift("22:00-06:00") == (1320, 1800)
    assert parse_shift("00:00-24:00") == (0, 1440)
    assert parse_year_day("12-24") == (12, 24)
    assert parse_year_day("02-30") is None
    assert parse_year_day("24.12.") is None
