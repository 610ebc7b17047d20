"""Tables and addresses: each key where it belongs, every fault at once, and no value of a key in any of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from listener.config import parse
from listener.errors import ConfigError
from tests.stakeholders.channels.desk import CANARY, HTTP, SECRET, channel_config, tables

GOOD = tables("https://chat.example")


def load(folder: Path, channels: dict[str, Any], alert: list[str], **more: Any) -> Any:
    table = {
        "brands": {"nitido": {"name": "Nítido"}},
        "departments": {"communications": {"alert": ["mail:a@nitido.example", *alert]}},
        "channels": channels,
        **more,
    }
    return parse(table, folder, {})


def faults(folder: Path, channels: dict[str, Any], alert: list[str]) -> list[str]:
    try:
        load(folder, channels, alert)
    except ConfigError as error:
        return [str(fault) for fault in error.faults]
    return []


def test_a_table_of_every_kind_is_taken_and_every_address_of_it(tmp_path: Path) -> None:
    channels = {**GOOD, "machines": {"kind": "log"}, "rest": {"kind": "apprise", "url": "ntfys://topic"}}
    addresses = [f"{kind}:{kind}" for kind in HTTP]
    assert faults(tmp_path, channels, [*addresses, "log:machines", "log:", "apprise:rest"]) == []


@pytest.mark.parametrize(
    ("name", "table", "said"),
    [
        ("Red", GOOD["slack"], "the name 'Red' stands in addresses"),
        ("a", {"kind": "slack"}, "needs 'url'"),
        ("a", {**GOOD["slack"], "kind": "slak"}, "did you mean 'slack'"),
        ("a", {**GOOD["slack"], "template": "x"}, "has no 'template'"),
        ("a", {**GOOD["slack"], "urll": "x"}, "did you mean 'url'"),
        ("a", {"kind": "slack", "url": f"http://chat.example/{CANARY}"}, "may go to"),
        ("a", {"kind": "slack", "url": f"https://u:{CANARY}@chat.example/"}, "may go to"),
        ("a", {"kind": "teams", "url": f"ftp://{CANARY}"}, "may go to"),
        ("a", {"kind": "teams", "url": f"https://[{CANARY}"}, "may go to"),
        ("a", {"kind": "teams", "url": f"https://a.example:x/{CANARY}"}, "may go to"),
        ("a", {"kind": "teams", "url": f"https://a.example/{CANARY} x"}, "may go to"),
        ("a", {"kind": "webhook", "url": "https://a.example"}, "needs 'secret'"),
        ("a", {**GOOD["webhook"], "secret": CANARY}, "whsec_"),
        ("a", {**GOOD["webhook"], "secret": "whsec_" + CANARY}, "whsec_"),
        ("a", {**GOOD["webhook"], "secret": "whsec_YWJj"}, "24 to 64 bytes"),
        ("a", {**GOOD["telegram"], "to": "ana"}, "to cannot be right"),
        ("a", {**GOOD["telegram"], "token": f"{CANARY}/x"}, "token holds a sign"),
        ("a", {**GOOD["whatsapp"], "to": "999888777"}, "to cannot be right"),
        ("a", {**GOOD["whatsapp"], "sender": "mi número"}, "sender cannot be right"),
        ("a", {**GOOD["whatsapp"], "template": "Mi plantilla"}, "template cannot be right"),
        ("a", {key: part for key, part in GOOD["whatsapp"].items() if key != "agreed"}, "needs 'agreed'"),
        ("a", {"kind": "apprise", "url": CANARY}, "not one that Apprise reads"),
        ("a", {"kind": "log", "url": "https://a.example"}, "has no 'url'"),
    ],
)
def test_a_bad_table_is_told_by_its_key_and_never_by_its_value(
    name: str, table: dict[str, Any], said: str, tmp_path: Path
) -> None:
    told = faults(tmp_path, {name: table}, [])
    assert any(said in one and one.startswith(f"[channels.{name}]") for one in told), told
    assert CANARY not in "".join(told)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("slack:redd", "there is no [channels.redd]; did you mean 'red'?"),
        ("teams:red", "is of kind 'slack'; write slack:red"),
        ("slac:red", "there is no channel 'slac'; did you mean 'slack'?"),
        ("slack:", "there is no [channels.]"),
        ("slack:off", "is switched off"),
        ("red", "is not an address"),
        ("mail:red", "is not an address"),
        ("", "is not an address"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_with_what_to_do(address: str, said: str, tmp_path: Path) -> None:
    channels = {"red": GOOD["slack"], "off": {**GOOD["slack"], "enabled": False}}
    (told,) = faults(tmp_path, channels, [address])
    assert told.startswith("[departments.communications] alert: ")
    assert said in told


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    told = faults(tmp_path, {"a": {"kind": "slack"}, "b": {"kind": "webhook"}}, ["slack:c", "x:y"])
    assert len(told) == 5


def test_a_variable_that_is_not_set_is_told_once_and_not_asked_for_when_switched_off(tmp_path: Path) -> None:
    table = {"kind": "webhook", "url": "env:HOOK_URL", "secret": "env:HOOK_SECRET"}
    told = faults(tmp_path, {"hook": table}, ["webhook:hook"])
    assert [part in one for part, one in zip(("HOOK_URL", "HOOK_SECRET"), told, strict=True)] == [True, True]
    assert faults(tmp_path, {"hook": {**table, "enabled": False}}, []) == []


def test_http_is_for_hosts_inside_only(tmp_path: Path) -> None:
    table = {"hook": {"kind": "webhook", "url": "http://crm.intranet:8080/x", "secret": SECRET}}
    assert load(tmp_path, table, ["webhook:hook"], egress={"inside": ["crm.intranet"]})
    assert len(faults(tmp_path, table, [])) == 1


def test_no_secret_shows_when_a_configuration_is_printed(tmp_path: Path) -> None:
    assert CANARY not in repr(channel_config(tmp_path).settings)
