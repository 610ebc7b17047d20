"""The verb that writes a digest: the end of the file's name says what; nothing is kept or sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from listener.cli import app

CONFIG = """
[instance]
language = "en"
[store]
url = "sqlite:///a.db"
[brands.nitido]
name = "Nítido"
[sources.x]
enabled = false
[departments.communications]
alert = ["mail:team@example.org"]
[[digests]]
name = "care"
to = ["mail:care@example.org"]
cadence = "daily"
departments = ["customer_care"]
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG, "utf-8")
    return path


def ask(config: Path, *words: str) -> Any:
    return CliRunner().invoke(app, ["digest", "--config", str(config), *words], env={"ESCUCHA_LANG": "en"})


@pytest.mark.parametrize(
    ("end", "begins"), [("html", b"<!doctype html>"), ("pdf", b"%PDF-"), ("txt", b"Carta semanal")]
)
def test_the_end_of_the_name_says_what_is_written(config: Path, end: str, begins: bytes) -> None:
    path = config.parent / f"letter.{end}"
    done = ask(config, "--week", "2026-W46", "--output", str(path), "--lang", "es")
    assert done.exit_code == 0, done.output
    assert path.read_bytes().lstrip().startswith(begins)


def test_a_team_s_digest_is_asked_for_by_name_and_day(config: Path) -> None:
    done = ask(config, "--name", "care", "--week", "2026-11-15", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["label"], told["departments"]) == ("2026-11-15", ["customer_care"])
    assert "Customer care" in ask(config, "--name", "care").stdout


def test_a_name_a_day_or_a_language_that_is_none_is_a_plain_message(config: Path) -> None:
    for words in (["--name", "nobody"], ["--name", "care", "--week", "2026-W46"], ["--lang", "xx"]):
        done = ask(config, *words)
        assert done.exit_code != 0
        assert "Traceback" not in done.output
