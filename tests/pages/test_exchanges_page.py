"""The page of companies: to-dos first, directions in words, and what strangers wrote as text only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from listener.config import load
from listener.database import Store
from listener.mention import Author
from tests.pages.test_pages import draw, markup
from tests.stakeholders.business import tell
from tests.stakeholders.weeks import ask_every

CONFIG = """
[instance]
language = "en"
[store]
url = "sqlite:///pages.db"
[brands.nitido]
name = "Nítido"
executives = ["Mariana Quispe"]
own_handles = ["@nitidope"]
care_handles = ["@nitidoayuda"]
[competitors.brisatel]
name = "Brisatel"
executives = ["Lucía Ferreyros"]
own_handles = ["@brisatel"]
[departments.communications]
alert = ["mail:a@example.org"]
"""
EVIL = '<script>window.hit=1</script><img src="https://malo.example/x.png">'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import streamlit as st

    st.cache_resource.clear()
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    Store(load(tmp_path / "config.toml", {}, secrets=False).store_url).migrate()
    monkeypatch.setenv("ESCUCHA_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.delenv("ESCUCHA_STORE", raising=False)
    return tmp_path


def fill(folder: Path, *, heard: bool = True) -> None:
    config, now = load(folder / "config.toml", {}, secrets=False), datetime.now(UTC)
    store = Store(config.store_url)
    hour = timedelta(hours=1)
    with store.write() as connection:
        if heard:
            ask_every(connection, "x", hour / 2, now - timedelta(days=2), now)
            text = f"Qué lujo escuchar a Lucía Ferreyros, de Brisatel, en #CADE2026 {EVIL}"
            tell(connection, config, "care", text, "positive", at=now - 3 * hour)
        press = Author("canalandes", f"Canal Andes {EVIL}", followers=90000)
        more = {"source": "news-rss", "url": "javascript:alert(1)"}
        tell(connection, config, press, f"Elogian a Nítido {EVIL}", "positive", at=now - hour, **more)
        tell(connection, config, press, "Premian a Nítido", "positive", at=now - 20 * hour, **more)
    store.close()


def test_what_is_to_do_comes_first_and_directions_stand_in_words(folder: Path) -> None:
    fill(folder)
    html = markup(draw("voices", str(folder), {}).run())
    assert html.index("to do</span>") < html.index("missed</span>")
    for part in ("we of other companies", "▲", "Lucía Ferreyros", "#CADE2026", "@nitidoayuda", "What would count"):
        assert part in html


def test_a_strangers_words_and_links_are_text_only(folder: Path) -> None:
    fill(folder)
    html = markup(draw("voices", str(folder), {}).run())
    assert "<script" not in html
    assert "<img" not in html
    assert "javascript:" not in html
    assert "&lt;script&gt;" in html


def test_where_our_accounts_are_not_heard_no_figure_is_shown_as_zero(folder: Path) -> None:
    fill(folder, heard=False)
    html = markup(draw("voices", str(folder), {}).run())
    assert "None of our own accounts" in html
    assert "✕ missed" not in html


def test_an_empty_time_is_told_as_such(folder: Path) -> None:
    html = markup(draw("voices", str(folder), {}).run())
    assert html.count("as far as we heard") == 2
