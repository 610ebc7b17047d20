"""`escucha opportunities` and `escucha exchanges`: the same figures as the page, in words or as JSON lines."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from listener.cli.opportunities import VERBS
from listener.config import load
from listener.database import Store
from listener.mention import Author
from tests.stakeholders.business import tell
from tests.stakeholders.weeks import ask_every

CONFIG = """
[instance]
language = "en"
[store]
url = "sqlite:///peers.db"
[brands.nitido]
name = "Nítido"
executives = ["Mariana Quispe"]
own_handles = ["@nitidope"]
[competitors.brisatel]
name = "Brisatel"
own_handles = ["@brisatel"]
[departments.communications]
alert = ["mail:a@example.org"]
"""
PRESS = Author("canalandes", "Canal Andes", followers=90000)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    monkeypatch.setenv("ESCUCHA_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("ESCUCHA_LANG", "en")
    monkeypatch.delenv("ESCUCHA_STORE", raising=False)
    return tmp_path


def fill(folder: Path) -> None:
    """Hear praise by press ten hours ago and by a rival an hour ago; our account spoke of something else."""
    config, now = load(folder / "config.toml", {}, secrets=False), datetime.now(UTC)
    store = Store(config.store_url)
    store.migrate()
    with store.write() as connection:
        ask_every(connection, "x", timedelta(minutes=30), now - timedelta(days=2), now)
        ago = timedelta(hours=10)
        tell(connection, config, PRESS, "Elogian la red de Nítido en Puno", "positive", at=now - ago, source="news-rss")
        tell(connection, config, "rival", "Felicitaciones a Nítido", "positive", at=now - timedelta(hours=1))
        tell(connection, config, "us", "Hoy abrimos a las diez", at=now - ago, decide=False)
    store.close()


def run(*words: str) -> Any:
    app = typer.Typer()
    for verb, _ in VERBS:
        app.command(verb.__name__)(verb)
    return CliRunner().invoke(app, list(words))


def test_opportunities_are_listed_with_what_would_have_counted(folder: Path) -> None:
    fill(folder)
    done = run("opportunities")
    assert done.exit_code == 0, done.output
    for part in ("still open: a to-do · Brisatel", "missed · Canal Andes", "would have counted:", "@nitidope"):
        assert part in done.stdout
    assert "missed: 1" in done.stderr
    rows = [json.loads(line) for line in run("opportunities", "--json").stdout.splitlines()]
    assert [(row["state"], row["who"]) for row in rows] == [("open", "Brisatel"), ("missed", "Canal Andes")]


def test_exchanges_are_listed_with_their_direction_and_counted(folder: Path) -> None:
    fill(folder)
    done = run("exchanges")
    assert done.exit_code == 0, done.output
    assert "they of us · Brisatel → Nítido" in done.stdout
    assert "about us: 1 (helping: 1" in done.stderr
    (row,) = [json.loads(line) for line in run("exchanges", "--json").stdout.splitlines()]
    assert (row["direction"], row["brand"], row["sentiment"]) == ("them_to_us", "nitido", "positive")


def test_nothing_heard_is_said_and_a_brand_that_is_not_ours_is_refused() -> None:
    for verb in ("opportunities", "exchanges"):
        assert "as far as we heard" in run(verb).stderr
        refused = run(verb, "--brand", "brisatel")
        assert refused.exit_code == 2
        assert "nitido" in refused.stderr
