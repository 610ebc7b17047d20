"""The command line: five questions make a file that passes its own check; exit codes; JSON apart from words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from listener.cli.template import write_config
from listener.config import load
from listener.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]


def escucha(*words: str, folder: Path, answers: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "listener", *words],
        cwd=folder,
        input=answers,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), "ESCUCHA_LANG": "es", **environment},
    )


def test_five_answers_write_a_configuration_that_passes_its_own_check(tmp_path: Path) -> None:
    answers = 'Banco "Mirador"\nmx\nBanco Sol, Caja Norte\nequipo@mirador.example\nfile, rss\n'
    done = escucha("init", folder=tmp_path, answers=answers)
    assert done.returncode == 0, done.stderr
    config = load(tmp_path / "config.toml", {})
    assert [(brand.name, brand.kind) for brand in config.brands] == [
        ('Banco "Mirador"', "own"),
        ("Banco Sol", "competitor"),
        ("Caja Norte", "competitor"),
    ]
    assert config.settings.instance.timezone == "America/Mexico_City"
    assert set(config.sources) == {"file", "rss"}


def test_init_never_overwrites_a_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("mine")
    done = escucha("init", folder=tmp_path, answers="A\nPE\n\na@b.c\nfile\n")
    assert done.returncode == 2
    assert (tmp_path / "config.toml").read_text() == "mine"


def test_wrong_answers_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        write_config(" ", "Peru", "", "nobody", "redit", tmp_path)
    assert [fault.where for fault in caught.value.faults] == ["1/5", "2/5", "4/5", "5/5"]


@pytest.mark.parametrize("kinds", ["file", "rss", "x", "reddit", "file, rss, x, reddit", ""])
def test_every_choice_of_sources_gives_a_valid_file(kinds: str, tmp_path: Path) -> None:
    table = tomllib.loads(write_config("Acme", "PE", "", "a@b.c", kinds, tmp_path))
    assert set(table.get("sources", {})) == {kind.strip() for kind in kinds.split(",") if kind.strip()}


def test_check_names_what_does_not_answer_and_ends_with_1(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(write_config("Acme", "PE", "", "a@b.c", "file", tmp_path))
    text = (tmp_path / "config.toml").read_text().replace("port = 25", "port = 1")
    (tmp_path / "config.toml").write_text(text)
    done = escucha("check", "--json", folder=tmp_path)
    found = {row["what"]: row["state"] for row in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 1
    assert found["store"] == "ok"
    assert found["mail"] == "failed"
    assert found["sources.file"] == "failed", "there is no folder data/posts yet"


def test_without_a_configuration_every_verb_says_how_to_write_one(tmp_path: Path) -> None:
    done = escucha("run", "--once", folder=tmp_path)
    assert done.returncode == 2
    assert "escucha init" in done.stderr


def test_a_malformed_line_is_shown_with_its_place_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(write_config("Acme", "PE", "", "a@b.c", "file", tmp_path))
    posts = tmp_path / "data" / "posts"
    posts.mkdir(parents=True)
    (posts / "a.jsonl").write_text('{"text": "Acme falla"}\n{"text": \n{"id": 3}\n{"text": "Acme anda"}\n')
    done = escucha("collect", "--json", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert (row["posts"], row["new"], row["mentions"], row["rejected"]) == (2, 2, 2, 2)
    again = json.loads(escucha("collect", "--json", folder=tmp_path).stdout)
    assert (again["new"], again["rejected"]) == (0, 0)
    shown = escucha("sources", folder=tmp_path).stderr
    assert "a.jsonl line 2" in shown
    assert "a.jsonl line 3" in shown


def test_an_unknown_source_is_named_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(write_config("Acme", "PE", "", "a@b.c", "file", tmp_path))
    done = escucha("collect", "fil", folder=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'file'?" in done.stderr


def test_the_configuration_that_ships_runs_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text((ROOT / "config.toml").read_text("utf-8"), "utf-8")
    done = escucha("run", "--once", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data" / "posts").is_dir()
    rows = [json.loads(line) for line in escucha("sources", "--json", folder=tmp_path).stdout.splitlines()]
    states = {row["source"]: row["state"] for row in rows}
    assert states.pop("files") == "connected"
    assert len(states) > 12
    assert set(states.values()) == {"not connected"}


def test_a_folder_that_is_not_there_is_a_failure_and_never_no_mentions(tmp_path: Path) -> None:
    text = write_config("Acme", "PE", "", "a@b.c", "file", tmp_path).replace("data/posts", "elsewhere")
    (tmp_path / "config.toml").write_text(text)
    done = escucha("run", "--once", folder=tmp_path)
    assert done.returncode == 1
    assert not (tmp_path / "elsewhere").exists()


POSTS = [
    {"id": "1", "text": "Nítido me cobró dos veces, devuelvan mi plata", "lang": "es", "mine": {"kept": 1}},
    {"id": "2", "text": "La señal de Vialta es pésima", "brand": "Vialta", "sector": "telecom operator", "labels": {
        "sentiment": "negative", "stakeholder": "customer", "relevant": True}},
]  # fmt: skip


def test_classify_gives_the_same_objects_in_the_same_order_with_their_verdicts(tmp_path: Path) -> None:
    path, out = tmp_path / "posts.jsonl", tmp_path / "out.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in POSTS) + "\n{broken\n", "utf-8")
    done = escucha("classify", str(path), "--output", str(out), "--config", str(ROOT / "config.toml"), folder=tmp_path)
    assert done.returncode == 1, "one line could not be read"
    assert "posts.jsonl line 3" in done.stderr
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [{key: part for key, part in row.items() if key != "verdict"} for row in rows] == POSTS
    for row in rows:
        verdict = row["verdict"]
        heads = {"relevant", "sentiment", "stakeholder", "dimension", "intent", "priority", "department"}
        assert set(verdict) == heads | {"engine"}
        assert all({"is", "confidence", "because"} <= set(verdict[head]) for head in heads)
        assert abs(sum(verdict["sentiment"]["scores"].values()) - 1) < 0.01
        assert isinstance(verdict["relevant"]["is"], bool)
        assert isinstance(verdict["department"]["copies"], list)
    assert rows[0]["verdict"]["department"]["is"] == "customer_care"


def test_evaluate_gives_the_figures_of_every_label_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_text("text,brand,lang\nNítido falla,Nítido,es\n", "utf-8")
    assert json.loads(
        escucha("evaluate", str(path), "--json", "--config", str(ROOT / "config.toml"), folder=tmp_path).stdout
    ) == {"items": 1, "labels": {}}
    path = tmp_path / "posts.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in POSTS), "utf-8")
    done = escucha("evaluate", str(path), "--json", "--config", str(ROOT / "config.toml"), folder=tmp_path)
    figures = json.loads(done.stdout)
    assert figures["items"] == 2
    assert set(figures["labels"]) == {"relevant", "sentiment", "stakeholder"}
    assert {"macro_f1", "accuracy", "ece", "unsure", "per_class", "by_lang"} <= set(figures["labels"]["sentiment"])
    assert {"reliability", "sensitivity", "f_rs"} <= set(figures["labels"]["relevant"])


def test_the_fine_is_explained_as_a_person_would(tmp_path: Path) -> None:
    words = ["explain", "Osiptel multa a Claro con 3 millones de soles por cobros indebidos", "--author", "OSIPTEL"]
    config = ["--config", str(ROOT / "config.toml")]
    found = json.loads(escucha(*words, "--json", *config, folder=tmp_path).stdout)
    assert found["sentiment"]["is"] == "negative"
    assert found["stakeholder"]["is"] == "regulator"
    assert (found["department"]["is"], found["department"]["copies"]) == ("legal_regulatory", ["communications"])
    assert found["priority"]["is"] == "important", "nobody told how many follow them"
    assert any("10,000" in line and "alerta" in line for line in found["otherwise"])
    reached = json.loads(escucha(*words, "--followers", "250000", "--json", *config, folder=tmp_path).stdout)
    assert reached["priority"]["is"] == "alert"
    told = escucha(*words, *config, folder=tmp_path).stdout
    for part in ("daña (negative)", "regulador (regulator)", "Legal y regulatorio", "con copia a: Comunicaciones"):
        assert part in told
