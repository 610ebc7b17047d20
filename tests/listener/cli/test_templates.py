"""`escucha templates` lists what an instance would offer, its own first, and names what is faulty."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from listener.cli.templates import VERBS

CONFIG = """
[brands.nitido]
name = "Nítido"
[departments.communications]
alert = ["mail:a@nitido.example"]
[templates]
folder = "ours"
"""
OWN = '[[reply]]\nname = "press"\ntitle = "Nuestra prensa"\nstakeholder = ["press"]\ntext = "Gracias, {author}."\n'


@pytest.fixture
def config(tmp_path: Path) -> str:
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "es.toml").write_text(OWN, "utf-8")
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    return str(tmp_path / "config.toml")


def run(*words: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(VERBS[0][0])
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output


def test_all_templates_are_listed_the_own_ones_first(config: str) -> None:
    code, output = run("--config", config, "--language", "es", "--json")
    rows = [json.loads(line) for line in output.splitlines()]
    assert code == 0
    assert (rows[0]["key"], rows[0]["own"], rows[0]["title"]) == ("es/press", True, "Nuestra prensa")
    assert len([row for row in rows if row["key"] == "es/press"]) == 1
    assert len(rows) > 20


def test_what_suits_a_case_is_shown_with_its_words(config: str) -> None:
    code, output = run("--config", config, "--stakeholder", "press", "--language", "es")
    assert code == 0
    assert "Gracias, {author}." in output.splitlines()[1]


@pytest.mark.parametrize("wrong", [("--stakeholder", "pres"), ("--intent", "x"), ("--language", "fr")])
def test_an_unknown_label_ends_with_2_and_a_hint(config: str, wrong: tuple[str, str]) -> None:
    code, output = run("--config", config, *wrong)
    assert code == 2
    assert wrong[1] in output


def test_a_faulty_template_is_named_and_ends_with_2(config: str) -> None:
    (Path(config).parent / "ours" / "es.toml").write_text(OWN.replace("{author}", "{autor}"), "utf-8")
    code, output = run("--config", config)
    assert code == 2
    assert "es.toml, reply 1 «press»" in output
    assert "did you mean 'author'?" in output
