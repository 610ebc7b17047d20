"""config.toml: it runs as it stands, and every fault is found in one go, named, with a hint."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from listener.config import load, parse
from listener.errors import ConfigError
from listener.schema import config_reference, config_schema
from listener.settings import Settings
from listener.sources import kinds, settings_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def table() -> dict[str, Any]:
    return tomllib.loads((ROOT / "config.toml").read_text("utf-8"))


def faults(table: dict[str, Any], environment: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(table, ROOT, environment or {})
    return [str(fault) for fault in caught.value.faults]


def test_the_file_that_ships_runs_as_it_stands() -> None:
    config = load(ROOT / "config.toml", {})
    assert [brand.key for brand in config.brands] == ["nitido", "brisatel", "ondavia"]
    assert set(config.sources) == {"files"}


def test_the_file_that_ships_names_every_key_of_every_table(table: dict[str, Any]) -> None:
    text = (ROOT / "config.toml").read_text("utf-8")
    keys = {field.alias or key for model in _models() for key, field in model.model_fields.items()}
    keys |= {key for kind in kinds() for key in settings_of(kind).model_fields}
    optional = set(Settings.model_fields) | {"base_url"}  # tables are headings; base_url is for proxies and tests
    missing = {key for key in keys - optional if key not in text}
    pages = "".join((ROOT / "docs" / "sources" / f"{kind}.md").read_text("utf-8") for kind in kinds())
    missing = {key for key in missing if not re.search(rf"\b{key}\b", pages)}  # rarer keys stand on the kind's page
    assert missing - _named_in_docs() == set()


def _models() -> list[Any]:
    import listener.settings as settings

    return [getattr(settings, name) for name in settings.__all__ if name != "Settings"]


def _named_in_docs() -> set[str]:
    text = (ROOT / "docs" / "config.md").read_text("utf-8") + (ROOT / "docs" / "routing.md").read_text("utf-8")
    return {word.strip("`") for word in text.replace("|", " ").split() if word.startswith("`")}


def test_every_fault_is_reported_together_each_with_its_table_and_a_hint(table: dict[str, Any]) -> None:
    table["brands"]["nitido"]["exlude"] = []
    table["departments"]["comunications"] = {}
    table["routes"].append({"name": "a", "when": {"brand": "brisatl"}, "department": "sale"})
    table["sources"]["x"]["enabled"] = True
    table["sources"]["y"] = {"kind": "redit"}
    table["sources"]["files"]["pth"] = "x"
    table["sla"]["important"] = "soon"
    table["digst"] = {}
    told = "\n".join(faults(table))
    for part in (
        "[brands.nitido] has no 'exlude'; did you mean 'exclude'?",
        "[departments] 'comunications' is not known; did you mean 'communications'?",
        "department: 'sale' is not known; did you mean 'sales'?",
        "[sources.x] bearer_token wants the environment variable X_BEARER_TOKEN",
        "[sources.y] kind 'redit' is not a source we know; did you mean 'reddit'?",
        "[sources.files] has no 'pth'; did you mean 'path'?",
        "[sla] important: 'soon' is not a span of time; write it as \"10 minutes\"",
        "[the file] has no 'digst'; did you mean 'digest'?",
    ):
        assert part in told


def test_a_route_to_a_brand_that_is_not_watched_is_a_fault(table: dict[str, Any]) -> None:
    table["routes"].append({"name": "a", "when": {"brand": "brisatl"}, "department": "sales"})
    assert faults(table) == ["[routes «a»] when.brand: there is no brand 'brisatl'; did you mean 'brisatel'?"]


def test_a_route_behind_one_that_takes_all_of_it_is_never_reached(table: dict[str, Any]) -> None:
    table["routes"] += [
        {"name": "wide", "when": {"stakeholder": ["press", "regulator"]}, "department": "communications"},
        {"name": "narrow", "when": {"stakeholder": "press", "min_followers": 5000}, "department": "sales"},
    ]
    assert faults(table) == [
        "[routes «narrow»] is never reached: «wide» takes all of it; move it up or narrow the other"
    ]


def test_a_route_that_is_wider_than_the_one_before_it_is_reached(table: dict[str, Any]) -> None:
    table["routes"] += [
        {"name": "narrow", "when": {"stakeholder": "press", "min_followers": 5000}, "department": "sales"},
        {"name": "wide", "when": {"stakeholder": "press"}, "department": "communications"},
    ]
    assert parse(table, ROOT, {}).settings.routes[-1].name == "wide"


def test_nobody_to_tell_is_a_fault(table: dict[str, Any]) -> None:
    del table["departments"]["communications"]
    assert "nobody to tell" in faults(table)[0]
    table["departments"]["communications"] = {"alert": ["communications"]}
    assert "is not an address; write mail:name@example.org" in faults(table)[0]


def test_a_secret_is_read_from_the_environment_and_never_shown(table: dict[str, Any]) -> None:
    table["sources"]["x"]["enabled"] = True
    config = parse(table, ROOT, {"X_BEARER_TOKEN": "canary-secret"})
    assert "canary-secret" not in repr(config.sources["x"])
    assert "canary-secret" not in repr(config.settings.sources["x"].kind)


def test_an_absent_secret_of_a_source_that_is_off_is_no_fault(table: dict[str, Any]) -> None:
    assert table["sources"]["x"]["enabled"] is False
    assert "x" not in parse(table, ROOT, {}).sources


@pytest.mark.parametrize("text", ["[store\nurl = 1", "= 3", "\x00"])
def test_a_file_that_is_not_toml_says_so(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="is not valid TOML"):
        load(path, {})


@pytest.mark.parametrize("wrong", [{"brands": 3}, {"sources": []}, {"routes": {"a": 1}}, {"sources": {"a": 3}}, {}])
def test_a_table_of_the_wrong_shape_is_a_fault_and_no_crash(wrong: dict[str, Any]) -> None:
    assert faults(wrong)


def test_a_broken_config_ends_with_2_names_all_faults_and_starts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[brands.a]\nnam = "A"\n[store]\nurl = "sqlite:///made.db"\n')
    done = subprocess.run(
        [sys.executable, "-m", "listener", "run", "--once", "--config", str(path)], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "did you mean 'name'" in done.stderr
    assert "nobody to tell" in done.stderr
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == [path]


def test_the_schema_accepts_the_file_that_ships_and_refuses_an_unknown_key(table: dict[str, Any]) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = config_schema()
    plain = json.loads(json.dumps(table, default=str))
    jsonschema.validate(plain, schema)
    plain["sources"]["files"]["pth"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(plain, schema)


def test_the_reference_in_the_docs_is_up_to_date() -> None:
    assert (ROOT / "docs" / "config.md").read_text("utf-8").strip() == config_reference().strip()


@pytest.mark.parametrize(
    ("name", "key", "value", "told"),
    [
        ("sla", "opens", "09:00-05:00", "carry a zone"),
        ("sentiment", "engine", "embeded", "did you mean 'embedded'?"),
        ("store", "url", "mysql://x", "'mysql' is not a database we know"),
        ("registry", "files", ["nope.toml"], "there is no nope.toml"),
        ("registry", "countries", ["Peru"], "'Peru' is not a country"),
        ("instance", "country", "Peru", "'Peru' is not a country"),
        ("instance", "timezone", "Lima", "timezone 'Lima' is not known"),
        ("mail", "sender", "nonsense", "is not an address"),
        ("mail", "user", "me", "user stands without password"),
        ("digest", "to", ["mail:@"], "'mail:@' is not an address"),
        ("digest", "to", ["mail:a b@x"], "is not an address"),
        ("server", "url", "https://", "is not an address"),
        ("egress", "hosts", ["https://x.org/"], "is not a host"),
    ],
)
def test_a_value_that_cannot_work_is_a_fault(table: dict[str, Any], name: str, key: str, value: Any, told: str) -> None:
    table[name][key] = value
    (fault,) = faults(table)
    assert fault.startswith(f"[{name}]")
    assert told in fault


def test_brands_must_be_told_apart(table: dict[str, Any]) -> None:
    table["brands"]["a/b"] = {"name": "Otra"}
    table["competitors"]["again"] = {"name": "NÍTIDO", "country": "PE"}
    table["competitors"]["empty"] = {"name": " "}
    told = "\n".join(faults(table))
    assert "the key 'a/b' stands in addresses" in told
    assert "[competitors.again] is the same name and country as [brands.nitido]" in told
    assert "[competitors.empty] name is empty" in told


def test_a_route_with_an_empty_list_never_fits(table: dict[str, Any]) -> None:
    table["routes"].append({"name": "a", "when": {"words": []}, "department": "sales"})
    assert "when.words is an empty list: it never fits" in faults(table)[0]


def test_a_port_that_is_none_is_a_fault_before_anything_starts(table: dict[str, Any]) -> None:
    assert faults(table, {"ESCUCHA_PORT": "abc"}) == [
        "[ESCUCHA_PORT] is not the number of a port; export ESCUCHA_PORT=8501"
    ]
