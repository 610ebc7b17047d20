"""`escucha try`: what a source would bring, judged and routed, and nothing of it kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from listener.cli import app
from listener.database import Store
from listener.store import mentions, posts, runs, spendings
from tests.servers.x import TOKEN, serving_pages

CONFIG = """
[instance]
language = "en"
[store]
url = "sqlite:///e.db"
[brands.nitido]
name = "Nítido"
[departments.communications]
alert = ["mail:a@nitido.example"]
[egress]
inside = ["127.0.0.1"]
[sources.x]
bearer_token = "{token}"
base_url = "{web}"
[budget.monthly]
x = {limit}
"""
PAGES = [
    {"data": [{"id": str(1990000000000000000 + n), "text": text, "author_id": "7"} for n, text in enumerate(page)]}
    for page in (["Nítido otra vez sin señal", "nada que ver"], ["gracias Nítido, qué buen servicio"])
]


def run(folder: Path, url: str, *words: str, limit: str = "10") -> tuple[int, list[dict[str, object]], str]:
    config = folder / "config.toml"
    config.write_text(CONFIG.format(token=TOKEN, web=url, limit=limit), "utf-8")
    done = CliRunner().invoke(app, ["try", "x", "--config", str(config), *words], env={"ESCUCHA_LANG": "en"})
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done.exit_code, rows, done.stderr + done.stdout


def count(folder: Path, table: sa.Table) -> int:
    store = Store(f"sqlite:///{folder}/e.db")
    with store.read() as connection:
        found = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
    store.close()
    return found


def test_a_trial_shows_who_would_answer_and_stores_nothing_but_what_was_charged(tmp_path: Path) -> None:
    with serving_pages(PAGES) as web:
        status, rows, said = run(tmp_path, web.url, "--json")
    assert (status, len(rows)) == (0, 2)
    assert {row["verdict"]["sentiment"]["is"] for row in rows} == {"negative", "positive"}  # type: ignore[index]
    assert all(row["verdict"]["department"]["is"] for row in rows)  # type: ignore[index]
    assert "3 posts read, 2 mentions shown" in said
    assert [count(tmp_path, table) for table in (posts, mentions, runs)] == [0, 0, 0]
    assert count(tmp_path, spendings) == 1


def test_a_trial_shows_only_what_fits_a_query_and_no_more_than_asked(tmp_path: Path) -> None:
    with serving_pages(PAGES) as web:
        assert len(run(tmp_path, web.url, "--json", "--query", "gracias")[1]) == 1
        assert len(run(tmp_path, web.url, "--json", "--most", "1")[1]) == 1
        assert run(tmp_path, web.url, "--query", "(gracias")[0] == 2


def test_a_trial_asks_nothing_that_the_budget_does_not_hold(tmp_path: Path) -> None:
    with serving_pages(PAGES) as web:
        status, rows, said = run(tmp_path, web.url, "--json", limit="0.01")
        assert not web.asked
    assert (status, rows) == (0, [])
    assert "budget" in said


def test_a_trial_of_a_source_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(CONFIG.format(token=TOKEN, web="http://127.0.0.1:9", limit=1), "utf-8")
    done = CliRunner().invoke(app, ["try", "y", "--config", str(config)], env={"ESCUCHA_LANG": "en"})
    assert done.exit_code == 2
    assert "is not connected" in done.stderr
    assert "did you mean 'x'" in done.stderr or "x" in done.stderr


@pytest.mark.parametrize("lang", ["es", "pt"])
def test_a_trial_speaks_the_readers_language(tmp_path: Path, lang: str) -> None:
    with serving_pages(PAGES) as web:
        config = tmp_path / "config.toml"
        config.write_text(CONFIG.format(token=TOKEN, web=web.url, limit=1).replace('"en"', f'"{lang}"'), "utf-8")
        done = CliRunner().invoke(app, ["try", "x", "--config", str(config)], env={"ESCUCHA_LANG": lang})
    assert done.exit_code == 0
    assert {"es": "leídos", "pt": "lidos"}[lang] in done.stderr
