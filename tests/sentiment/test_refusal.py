"""What is wrong with a configured model is found in the file, said by the check and shown on the page of sources."""

from __future__ import annotations

import html
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from listener.check import check_instance
from listener.config import Config, load, parse
from listener.errors import ConfigError
from listener.settings import SentimentTable, TransformerTable
from sentiment.refusal import note_refusal, refusal

REVISION = "0123456789abcdef0123456789abcdef01234567"
LABELS = {"NEG": "negative", "NEU": "neutral", "POS": "positive"}


def config_of(folder: Path, **sentiment: Any) -> Config:
    base = {
        "store": {"url": f"sqlite:///{folder}/x.db"},
        "brands": {"nitido": {"name": "Nítido"}},
        "departments": {"communications": {"alert": ["mail:a@example.org"]}},
    }
    return parse(base | {"sentiment": sentiment}, folder, {})


def faults(folder: Path, **sentiment: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config_of(folder, **sentiment)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("sentiment", "told"),
    [
        ({"engine": "transformers"}, '[sentiment] engine = "transformers" names no model; add a table'),
        ({"engine": "transformer"}, "[sentiment] engine 'transformer' is not known; did you mean 'transformers'?"),
        ({"languages": ["es", "eng"]}, "[sentiment] languages: 'eng' is not a language; write two small letters: es"),
        ({"languages": ["ES"]}, "[sentiment] languages: 'ES' is not a language"),
    ],
)
def test_a_fault_of_the_judges_is_named_with_a_hint(tmp_path: Path, sentiment: dict[str, Any], told: str) -> None:
    (fault,) = faults(tmp_path, **sentiment)
    assert told in fault


@pytest.mark.parametrize(
    ("head", "table", "told"),
    [
        ("sentiments", {"model": "./m", "labels": LABELS}, "no model can be given for 'sentiments'; did you mean"),
        ("priority", {"model": "./m", "labels": LABELS}, "known: sentiment, dimension, intent, stakeholder"),
        ("sentiment", {"model": "acme/m", "labels": LABELS}, "a hub name needs its revision; write revision ="),
        ("sentiment", {"model": "acme/m", "revision": "main", "labels": LABELS}, "revision 'main' is not a commit"),
        ("sentiment", {"model": "acme/m", "revision": REVISION[:7], "labels": LABELS}, "is not a commit"),
        ("sentiment", {"model": "./m", "revision": REVISION, "labels": LABELS}, "'./m' is no hub name; write owner"),
        ("sentiment", {"model": " ", "labels": LABELS}, "model is empty"),
        ("sentiment", {"model": "./m"}, "has neither labels nor hypotheses; write labels ="),
        ("sentiment", {"model": "./m", "labels": LABELS, "hypotheses": {"negative": "x"}}, "has both labels and"),
        ("sentiment", {"model": "./m", "labels": {"NEG": "negativ"}}, "'negativ' is not one of our labels here; did"),
        ("intent", {"model": "./m", "hypotheses": {"complaint": "x", "praised": "y"}}, "'praised' is not one of our"),
        ("intent", {"model": "./m", "hypotheses": {"complaint": "x"}}, "has one hypothesis and so no choice"),
    ],
)  # fmt: skip
def test_a_fault_of_a_table_is_named_with_a_hint(tmp_path: Path, head: str, table: dict[str, Any], told: str) -> None:
    (fault,) = faults(tmp_path, engine="transformers", transformers={head: table})
    assert fault.startswith(f"[sentiment.transformers.{head}] ")
    assert told in fault


def test_good_tables_pass(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    tables = {
        "sentiment": {"model": "acme/m", "revision": REVISION, "labels": LABELS},
        "intent": {"model": "models/nli", "hypotheses": {"complaint": "x", "praise": "y"}},  # may be put there later
    }
    assert config_of(tmp_path, engine="transformers", transformers=tables).settings.sentiment.transformers


def test_an_own_folder_that_is_no_model_of_ours_is_said_and_a_change_is_noticed(tmp_path: Path) -> None:
    settings = SentimentTable(engine="embedded:mine")
    assert "config.json is missing" in refusal(settings, tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text(json.dumps({"model_type": "bert"}))
    assert "is not one of Escucha's" in refusal(settings, tmp_path)


def test_the_embedded_model_is_not_refused(tmp_path: Path) -> None:
    assert refusal(SentimentTable(), tmp_path) == ""


def test_what_loading_found_counts_until_the_settings_change(tmp_path: Path) -> None:
    settings = SentimentTable(engine="transformers", transformers={"sentiment": TransformerTable(model="gone")})
    note_refusal(settings, tmp_path, "it broke")
    assert refusal(settings, tmp_path) == "it broke"
    assert refusal(settings.model_copy(update={"threads": 1}), tmp_path) != "it broke"


def test_the_check_reports_a_refused_model_as_a_fault(tmp_path: Path) -> None:
    config = config_of(tmp_path, engine="embedded:gone")
    findings = {one.what: one for one in check_instance(config, lambda one: "x: y")}
    assert findings["sentiment"].state == "failed"
    assert findings["sentiment"].words("en").endswith("x: y")
    findings = {one.what: one for one in check_instance(config, lambda one: "")}
    assert findings["sentiment"].state == "ok"
    assert "sentiment" not in {one.what for one in check_instance(config)}


def test_the_page_of_sources_shows_that_another_model_judges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from listener.database import Store
    from tests.pages.conftest import CONFIG
    from tests.pages.test_pages import draw, markup

    monkeypatch.setitem(sys.modules, "torch", None)
    more = '[sentiment]\nengine = "transformers"\n[sentiment.transformers.sentiment]\nmodel = "./<b>gone"\n'
    more += 'labels = { N = "neutral" }\n'
    (tmp_path / "config.toml").write_text(CONFIG + more, "utf-8")
    store = Store(load(tmp_path / "config.toml", {}, secrets=False).store_url)
    store.migrate()
    store.close()
    shown = markup(draw("sources", str(tmp_path), {}).run())
    assert "the one that ships with Escucha judges" in shown
    assert html.escape("pip install 'escucha[transformers]'", quote=False) in html.unescape(shown)
    monkeypatch.setattr("sentiment.refusal.check_extra", lambda: None)
    monkeypatch.setattr("sentiment.refusal._noted", {})
    shown = markup(draw("sources", str(tmp_path), {}).run())
    assert "&lt;b&gt;gone: there is no such folder" in shown
