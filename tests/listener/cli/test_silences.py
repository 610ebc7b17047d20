"""The verbs for silences: what a person types is checked, what they asked for is shown, kept and ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import listener.cli.silences as verbs
from listener.cli.output import Fatal

CONFIG = """
[store]
url = "sqlite:///{folder}/escucha.db"
[brands.nitido]
name = "Nítido"
[departments.communications]
alert = ["mail:a@nitido.example"]
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG.format(folder=tmp_path), "utf-8")
    return str(path)


def test_a_silence_is_added_listed_and_ended(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    verbs.add(["brand=nitido", "intent=complaint,question"], "corte", "Ana", 2.0, 0.0, config, json=True)
    made = json.loads(capsys.readouterr().out)
    assert made["matchers"] == {"brand": ["nitido"], "intent": ["complaint", "question"]}
    assert made["active"]
    verbs.list_(config=config, json=True)
    assert json.loads(capsys.readouterr().out)["id"] == made["id"]
    verbs.end(made["id"], "Rosa", config)
    verbs.list_(config=config, json=True)
    assert capsys.readouterr().out == ""
    verbs.list_(everything=True, config=config, json=True)
    assert json.loads(capsys.readouterr().out)["ended_by"] == "Rosa"
    with pytest.raises(Fatal) as ended:
        verbs.end(made["id"], "Rosa", config)
    assert ended.value.code == 2


@pytest.mark.parametrize("match", ["brnd=nitido", "nitido", "brand=acme", "intent=moan", "query=(a", "legal=true"])
def test_a_matcher_that_means_nothing_is_refused_and_nothing_is_kept(
    config: str, match: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Fatal) as refused:
        verbs.add([match], "corte", "Ana", 2.0, 0.0, config)
    assert refused.value.code == 2
    with pytest.raises(Fatal):
        verbs.preview([match], config)
    assert capsys.readouterr().err.strip()
    verbs.list_(config=config, json=True)
    assert capsys.readouterr().out == ""


def test_a_preview_keeps_nothing(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    verbs.preview(["brand=nitido"], config, json=True)
    assert json.loads(capsys.readouterr().out) == {"cases": [], "told": 0, "days": 7, "spared": 0}
