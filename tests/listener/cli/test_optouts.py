from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from listener.cli.optouts import VERBS
from listener.database import Store
from stakeholders.store import suppressions
from tests.stakeholders.newsroom import NOW


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(
        f"""[instance]
language = "en"
timezone = "America/Lima"
[store]
url = "sqlite:///{tmp_path}/escucha.db"
[brands.nitido]
name = "Nítido"
[departments.communications]
alert = ["mail:c@nitido.example"]
""",
        encoding="utf-8",
    )
    return path


def run(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    monkeypatch.setenv("ESCUCHA_LANG", "en")
    app = typer.Typer()
    for verb, summary in VERBS:
        app.command(verb.__name__, help=summary)(verb)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def test_opt_outs_are_listed_by_source_for_people_and_for_programs(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(f"sqlite:///{tmp_path}/escucha.db")
    store.migrate()
    with store.write() as connection:
        for source, handle, minute in (("whatsapp", "51999", 0), ("whatsapp", "51888", 5), ("x", "ana", 1)):
            row = {"source": source, "handle": handle, "at": NOW + timedelta(minutes=minute)}
            connection.execute(suppressions.insert().values(row))
    store.close()
    code, out, told = run("--config", str(config), monkeypatch=monkeypatch)
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()] == [
        ["whatsapp", "51888"],
        ["whatsapp", "51999"],
        ["x", "ana"],
    ]
    assert "14:45" in out  # 19:45 UTC, as the instance counts
    assert "3 accounts asked not to be written to." in told
    code, out, told = run("whatsapp", "--json", "--config", str(config), monkeypatch=monkeypatch)
    assert [json.loads(line)["handle"] for line in out.splitlines()] == ["51888", "51999"]
    assert told == ""


def test_an_empty_list_says_so(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, told = run("--config", str(config), monkeypatch=monkeypatch)
    assert (code, out) == (0, "")
    assert "0 accounts" in told
