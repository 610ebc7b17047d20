"""Viewers: the first rule that fits gives the role; old logins, unchecked addresses and nameless accounts give none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.config import parse
from listener.errors import ConfigError
from listener.tables.login import LoginTable
from stakeholders.viewer import recognise

SERVER = {"url": "https://escucha.nitido.example"}
NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)
LOGIN: dict[str, Any] = {
    "provider": "https://sso.nitido.example/.well-known/openid-configuration",
    "client_id": "escucha",
    "client_secret": "canary",
    "roles": [
        {"role": "admin", "mails": ["Ana@nitido.example"]},
        {"role": "member", "groups": ["care", "sales"], "departments": ["customer_care", "sales"]},
        {"role": "director", "mails": ["@nitido.example"]},
    ],
}


def role_of(**claims: Any) -> tuple[str, frozenset[str] | None] | None:
    found = recognise({"sub": "1", "name": "Ana", **claims}, LoginTable(**LOGIN), NOW)
    return None if found is None else (found.role, found.departments)


def test_the_first_rule_that_fits_decides() -> None:
    assert role_of(email="ana@NITIDO.example", groups=["care"]) == ("admin", None)
    assert role_of(email="luis@nitido.example", groups=["care"]) == ("member", {"customer_care", "sales"})
    assert role_of(email="luis@nitido.example") == ("director", None)
    assert role_of(groups="sales") == ("member", {"customer_care", "sales"})


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"email": "ana@elsewhere.example"},
        {"email": "ana@nitido.example.evil.example"},
        {"email": "ana@evil.example@nitido.example.x"},
        {"email": "ana@nitido.example", "email_verified": False},
        {"email": "ana@nitido.example", "email_verified": "false"},
        {"email": ["ana@nitido.example"]},
        {"groups": {"care": True}, "email": None, "name": ""} | {"groups": None},
        {"groups": 7},
        {"email": "ana@nitido.example", "iat": (NOW - timedelta(hours=13)).timestamp()},
    ],
)
def test_nobody_else_enters(claims: dict[str, Any]) -> None:
    assert role_of(**claims) is None


def test_a_login_of_today_holds_and_the_name_is_the_providers() -> None:
    fresh = {"sub": "9", "email": "ana@nitido.example", "iat": (NOW - timedelta(hours=11)).timestamp()}
    told = recognise(fresh | {"name": "  Ana\nFlores  "}, LoginTable(**LOGIN), NOW)
    assert told is not None
    assert told.name == "Ana Flores"
    assert recognise(fresh | {"name": None}, LoginTable(**LOGIN), NOW).name == "ana@nitido.example"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "server", "told"),
    [
        ({"roles": []}, {}, "nobody could enter"),
        ({"roles": [{"role": "admin"}]}, {}, "fits nobody"),
        ({"roles": [{"role": "member", "mails": ["a@b.example"]}]}, {}, "would see nothing"),
        ({"roles": [{"role": "admin", "mails": ["a@b.example"], "departments": ["sales"]}]}, {}, "every department"),
        ({"roles": [{"role": "admin", "mails": ["ana"]}]}, {}, "neither an address nor a domain"),
        ({"provider": "http://sso.nitido.example/x"}, {}, "without encryption"),
        ({}, {"url": None}, "where to send people back"),
        ({}, {"url": "http://escucha.nitido.example"}, "no https"),
    ],
)
def test_a_login_that_would_not_guard_is_a_fault(
    tmp_path: Path, change: dict[str, Any], server: dict[str, Any], told: str
) -> None:
    table = {
        "brands": {"nitido": {"name": "Nítido"}},
        "departments": {"communications": {"alert": ["mail:a@nitido.example"]}},
        "server": {
            name: value for name, value in ({"url": "https://escucha.nitido.example"} | server).items() if value
        },
        "login": LOGIN | change,
    }
    with pytest.raises(ConfigError, match=told):
        parse(table, tmp_path, {})
