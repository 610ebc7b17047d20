"""What cannot be read is said in three languages, with what is safe and what to do; never as zeros."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from streamlit.testing.v1 import AppTest

from tests.pages.test_pages import ROOT, markup


def dashboard(**query: str) -> AppTest:
    test = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=30)
    for key, value in query.items():
        test.query_params[key] = value
    return test.run()


def test_a_broken_configuration_names_every_fault_and_what_is_safe(instance: Any) -> None:
    path: Path = instance.folder / "config.toml"
    path.write_text('[instance]\nlanguage = "<script>"\n[stor]\nurl = "x"\n', "utf-8")
    shown = markup(dashboard())
    assert "The configuration cannot be read" in shown
    assert "Nothing is lost" in shown
    assert "did you mean" in shown
    assert "<script>" not in shown
    assert 'class="e-row' not in shown


def test_a_database_that_does_not_answer_reads_not_connected(
    instance: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ESCUCHA_STORE", "postgresql://nobody:hush@127.0.0.1:9/none")
    shown = unescape(markup(dashboard(lang="en")))
    assert "Not connected: the database does not answer" in shown
    assert "hush" not in shown + caplog.text
    assert "<b>0</b>" not in shown, "unknown is not zero"


@pytest.mark.parametrize("lang", ["en", "es", "pt"])
def test_a_database_that_goes_away_is_told_in_the_readers_language_and_the_page_comes_back(
    instance: Any, monkeypatch: pytest.MonkeyPatch, lang: str
) -> None:
    from listener.database import Store
    from listener.reason import say

    whole = Store.read

    def gone(_store: Store, *_: Any, **__: Any) -> Any:
        raise sa.exc.OperationalError("SELECT secret", {}, Exception("connection refused"))

    monkeypatch.setattr(Store, "read", gone)
    test = dashboard(lang=lang)
    shown = unescape(markup(test))
    assert say("Not connected: the database does not answer", lang) in shown
    assert "SELECT" not in shown
    monkeypatch.setattr(Store, "read", whole)
    assert 'class="e-row' in markup(test.run())


def test_a_fault_of_ours_is_not_taken_for_a_missing_database(instance: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from listener.database import Store

    def wrong(_store: Store, *_: Any, **__: Any) -> Any:
        raise sa.exc.ProgrammingError("SELECT", {}, Exception("no such column"))

    monkeypatch.setattr(Store, "read", wrong)
    assert dashboard(lang="en").exception
