"""Sweep and erase on the command line: what is said, what is JSON, and how it ends."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import typer
from typer.testing import CliRunner

from listener.cli.sweep import VERBS
from listener.database import Store
from listener.errors import RateLimited
from listener.intake import save_page
from listener.mention import Author, Post
from listener.pipeline import Flow
from listener.store import posts, tombstones
from listener.sweep import Swept

NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)
CONFIG = """
[store]
url = "sqlite:///escucha.db"
[brands.a]
name = "Nítido"
[departments.communications]
alert = ["mail:a@example.org"]
[sources.x]
bearer_token = "token"
[sources.files]
kind = "file"
path = "in"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    monkeypatch.setenv("ESCUCHA_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("ESCUCHA_LANG", "en")
    monkeypatch.delenv("ESCUCHA_STORE", raising=False)
    return tmp_path


def run(*words: str) -> Any:
    app = typer.Typer()
    for verb, _ in VERBS:
        app.command(verb.__name__)(verb)
    return CliRunner().invoke(app, list(words))


def rows(done: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def fill(folder: Path) -> Store:
    store = Store(f"sqlite:///{folder}/escucha.db")
    store.migrate()
    found = [
        Post("x", f"10{number}", f"Nítido canaria{number}", NOW, Author(handle="Ana" if number else "luis"))
        for number in range(3)
    ]
    with store.write() as connection:
        save_page(connection, "x", found, [], (), None, NOW)
    return store


def left(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.scalars(sa.select(posts.c.native_id).order_by(posts.c.native_id)))


def test_an_account_is_erased_and_its_words_leave_the_file(folder: Path) -> None:
    store = fill(folder)
    done = run("erase", "--handle", "@ana", "--json")
    assert (done.exit_code, rows(done)) == (0, [{"source": "x", "erased": 2}])
    assert left(store) == ["100"]
    store.close()
    held = b"".join(path.read_bytes() for path in folder.glob("escucha.db*"))
    assert b"canaria0" in held
    assert b"canaria1" not in held
    assert b"canaria2" not in held
    assert "Nothing of that account is stored." in run("erase", "--handle", "ana").stderr


def test_posts_are_erased_by_id_and_those_not_stored_never_will_be(folder: Path) -> None:
    store = fill(folder)
    done = run("erase", "--source", "x", "--id", "100", "--id", "999")
    assert done.exit_code == 0
    assert "x: 1 posts erased" in done.stderr
    with store.read() as connection:
        assert set(connection.scalars(sa.select(tombstones.c.why))) == {"erased"}
        assert connection.scalar(sa.select(sa.func.count()).select_from(tombstones)) == 2
    store.close()


@pytest.mark.parametrize(
    "words", [(), ("--id", "1"), ("--source", "x"), ("--id", "1", "--source", "x", "--handle", "a")]
)
def test_erase_asks_for_one_of_both(words: tuple[str, ...]) -> None:
    done = run("erase", *words)
    assert done.exit_code == 2
    assert "--source with --id, or --handle" in done.stderr


def test_a_sweep_tells_what_it_did_and_a_source_that_waits_ends_it_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def sweep(self: Flow, name: str, now: datetime, *, everything: bool = False) -> Swept:
        asked.append(everything)
        if len(asked) == 3:
            raise RateLimited(name, "the platform asks to wait")
        return Swept(name, 7, 2, 1, 0)

    monkeypatch.setattr(Flow, "sweep", sweep, raising=False)
    told = {"source": "x", "checked": 7, "gone": 2, "edited": 1, "left": 0, "error": None}
    assert rows(run("sweep", "--json")) == [told]
    assert "x: 7 still there, 2 removed, 1 edited, 0 left for later" in run("sweep", "x", "--all").stderr
    done = run("sweep", "--json")
    assert (done.exit_code, rows(done)[0]["error"]) == (1, "the platform asks to wait")
    assert asked == [False, True, False]


def test_a_source_that_cannot_tell_or_is_not_there_is_said_so() -> None:
    done = run("sweep", "files")
    assert (done.exit_code, "cannot tell which" in done.stderr) == (2, True)
    done = run("sweep", "y")
    assert (done.exit_code, "is not connected" in done.stderr) == (2, True)
