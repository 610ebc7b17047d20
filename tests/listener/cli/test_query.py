"""`escucha query`: previews on stored posts, says what changes and what platforms are asked; bad queries end with 2."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.cli.output import Fatal
from listener.cli.query import query
from listener.database import Store
from listener.intake import save_page
from listener.mention import Author, Brand, Forecast, Page, Post

CONFIG = """
[instance]
timezone = "America/Lima"
[brands.claro]
name = "Claro"
query = "claro"
[departments.communications]
alert = ["mail:a@b.example"]
[store]
url = "sqlite:///escucha.db"
[sources.x]
kind = "x"
bearer_token = "env:TOKEN"
[sources.files]
kind = "file"
path = "posts"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ESCUCHA_LANG", "en")
    monkeypatch.setenv("TOKEN", "secret-token")
    monkeypatch.delenv("ESCUCHA_STORE", raising=False)
    (tmp_path / "posts").mkdir()
    path = tmp_path / "config.toml"
    path.write_text(CONFIG)
    store = Store(f"sqlite:///{tmp_path}/escucha.db")
    store.migrate()
    now = datetime.now(UTC)
    texts = ["claro internet", "claro video", "@claro", "claro " + "largo " * 60]
    found = [
        Post("x", str(number), text, now - timedelta(days=number * 20), Author("ana"))
        for number, text in enumerate(texts)
    ]
    with store.write() as connection:
        save_page(connection, "x", found, [], (), None, now)
    store.close()
    return str(path)


def test_it_counts_shows_and_says_what_sources_are_asked(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    query("claro -video reach<10", before=None, brand=None, forecast=False, config=config, json=False)
    told = capsys.readouterr().err
    assert "0 stored posts fit" in told
    query("claro -video NEAR/3 luz", before=None, brand=None, forecast=False, config=config, json=False)
    query("claro", before=None, brand=None, forecast=False, config=config, json=False)
    told = capsys.readouterr().err
    assert "3 stored posts fit, 2 of the last 30 days." in told
    assert "claro internet" in told
    assert "largo largo…" in told or "…" in told
    assert "x would be asked:\n  claro\n" in told
    assert "files is not searched with words" in told
    assert "secret-token" not in told


def test_a_change_is_compared_with_the_query_before_or_the_one_that_the_brand_has(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    query("(claro -video) OR @claro", before=None, brand="claro", forecast=False, config=config, json=True)
    first, *rest = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (first["count"], first["before"], first["lost"]["count"], first["gained"]["count"]) == (3, 3, 1, 1)
    assert first["lost"]["newest"][0]["text"] == "claro video"
    assert first["gained"]["newest"][0]["text"] == "@claro"
    assert {row["source"] for row in rest} == {"x", "files"}
    query("claro video", before="claro", brand=None, forecast=False, config=config, json=False)
    told = capsys.readouterr().err
    assert "The query before finds 3: 2 would be lost, 0 gained." in told
    assert "Lost:\n" in told
    assert "Gained:\n" not in told


@pytest.mark.parametrize("words", [{"text": "claro or wifi"}, {"text": "claro", "before": "(claro"}])
def test_a_query_that_cannot_be_read_ends_with_2_and_a_caret(
    words: dict[str, Any], config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Fatal) as caught:
        query(**{"before": None, "brand": None, "forecast": False, "json": False, **words}, config=config)
    assert caught.value.code == 2
    assert "^" in capsys.readouterr().err


def test_a_brand_that_is_not_there_and_a_source_that_is_not_there_are_told(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Fatal) as caught:
        query("claro", before=None, brand="clara", forecast=False, config=config, json=False)
    assert caught.value.code == 2
    assert "did you mean 'claro'" in capsys.readouterr().err
    query("claro source:file", before=None, brand=None, forecast=False, config=config, json=False)
    assert "did you mean 'files'" in capsys.readouterr().err


class Billing:
    """Stand for a source that bills: it counts what it is asked to forecast."""

    asked: list[Any]
    dearest_page = {"post": 100}  # noqa: RUF012 - as the protocol reads it

    def __init__(self) -> None:
        self.asked = []

    def forecast(self, brands: Any) -> Forecast:
        self.asked.append(brands)
        now = datetime.now(UTC)
        return Forecast({"post": 12_000}, now, now, {"count": 1})

    def collect(self, brands: Any, cursor: str | None) -> Iterator[Page]:
        raise AssertionError("a preview reads nothing")


def test_only_with_forecast_are_sources_asked_what_a_month_would_cost(
    config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from listener.pipeline import Flow

    billing = Billing()
    monkeypatch.setattr(Flow, "source", lambda self, name: billing if name == "x" else object())
    query("claro", before=None, brand=None, forecast=False, config=config, json=False)
    assert billing.asked == []
    query("claro", before=None, brand=None, forecast=True, config=config, json=False)
    told = capsys.readouterr().err
    assert "x: a month of it would bring 12,000 post" in told
    assert [brand.query for brand in billing.asked[0]] == ["claro"]
    assert all(isinstance(brand, Brand) for brand in billing.asked[0])
