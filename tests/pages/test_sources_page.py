"""The page of the sources: what works, what does not and why, two weeks at a glance, and never a zero that is none."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from listener.clock import job_of
from listener.config import load
from listener.database import Store
from listener.store import holes, jobs, runs, spendings
from tests.pages.test_pages import draw, markup

CONFIG = """
[instance]
language = "en"
[store]
url = "sqlite:///pages.db"
[brands.nitido]
name = "Nítido"
[budget]
currency = "USD"
[budget.monthly]
x = 50
[sources.x]
bearer_token = "token"
[sources.good]
kind = "file"
path = "a"
[sources.dead]
kind = "file"
path = "b"
[sources.missing]
kind = "file"
path = "c"
[sources.off]
kind = "file"
path = "d"
enabled = false
[departments.communications]
alert = ["mail:c@example.org"]
"""
QUARTER = timedelta(minutes=15)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Fill six weeks: one source works, one fell silent three days ago, one fails, one was never asked."""
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    store = Store(load(tmp_path / "config.toml", {}, secrets=False).store_url)
    store.migrate()
    now = datetime.now(UTC)
    with store.write() as connection:
        for name in ("x", "good", "dead"):
            rows, at = [], now - timedelta(days=42)
            while at <= now:
                broken = name == "x" and at > now - timedelta(hours=6)
                new = 0 if broken or (name == "dead" and at > now - timedelta(hours=80)) else 1
                outcome, error = ("not allowed", "the platform does not accept the key") if broken else ("ok", None)
                rows.append({"source": name, "started_at": at, "outcome": outcome, "new": new, "error": error})
                at += QUARTER
            connection.execute(runs.insert(), rows)
            connection.execute(jobs.insert().values(name=job_of(name), next_due=now + QUARTER, failures=0))
        lost = {"started_at": now - timedelta(days=3), "ended_at": now - timedelta(days=2, hours=20), "found_at": now}
        connection.execute(holes.insert().values(source="good", why="the answer took too long", **lost))
        told = {"left": 7, "limit": 450, "resets_at": (now + timedelta(minutes=5)).isoformat()}
        connection.execute(jobs.update().where(jobs.c.name == job_of("good")).values(quota=told))
        connection.execute(spendings.insert().values(source="x", month=f"{now:%Y-%m}", unit="post", count=2_000))
    store.close()
    return tmp_path


def shown(folder: Path, lang: str = "en") -> str:
    return markup(draw("sources", str(folder), {}, lang=lang).run())


def row(page: str, source: str) -> str:
    start = page.index(f"<b>{source}</b>")
    return page[page.rindex("<details", 0, start) : page.index("</details>", start)]


def test_what_needs_attention_comes_first_and_stands_open(folder: Path) -> None:
    page = shown(folder)
    assert "2 of 5 connected" not in page
    assert "1 of 5 connected" in page
    assert "2 need attention" in page
    places = [page.index(f"<b>{name}</b>") for name in ("x", "dead", "good", "missing", "off")]
    assert places == sorted(places)
    assert " open>" in row(page, "x")
    assert " open>" in row(page, "dead")
    assert " open>" not in row(page, "good")


def test_a_failure_is_told_in_plain_words_with_what_it_cost_so_far(folder: Path) -> None:
    told = row(shown(folder), "x")
    assert "The key is wrong, has expired, or the plan is too small." in told
    assert "the platform does not accept the key" in told
    assert "10.00 USD of 50.00 USD this month (20 %)" in told
    assert "it refused the key" in told


def test_a_silent_source_says_so_and_its_zero_is_in_doubt(folder: Path) -> None:
    told = row(shown(folder), "dead")
    assert "silent against its habit" in told
    assert "brought nothing new for 3 days" in told
    assert "Its zero may not be a zero." in told
    assert "<b>0</b> ?" in told


def test_the_strip_draws_gaps_and_says_them_in_words(folder: Path) -> None:
    told = row(shown(folder), "good")
    assert told.count('class="gap lost"') == 1
    label = re.search(r'role="img" aria-label="([^"]*)"', told)
    assert label is not None
    assert "Last 14 days:" in label[1]
    assert "the answer took too long" in label[1]
    assert "lost for good" in told
    assert "7 of 450" in told
    assert "not known" not in told


def test_a_source_that_was_never_asked_has_no_figures_and_a_whole_strip_of_not_heard(folder: Path) -> None:
    told = row(shown(folder), "missing")
    assert "never asked yet" in told
    assert "not known" in told
    assert 'class="gap"' in told
    assert "<b>0</b>" not in told


@pytest.mark.parametrize("lang", ["es", "pt"])
def test_the_page_speaks_the_readers_language(folder: Path, lang: str) -> None:
    page: Any = shown(folder, lang)
    assert "silent against its habit" not in page
    assert "need attention" not in page


def test_a_row_tells_the_last_answer_the_next_one_and_the_requests_left_without_being_opened(folder: Path) -> None:
    page = shown(folder)
    rows = {name: page.split(f"<b>{name}</b>")[1].split("</summary>")[0] for name in ("good", "x")}
    assert re.search(
        r"last answer</span> <time [^>]*>\d+ min ago|last answer</span> <time [^>]*>less than", rows["good"]
    )
    assert "next in " in rows["good"]
    assert "requests left: 7" in rows["good"]
    assert "requests left" not in rows["x"], "what the platform does not tell is not made up"
    apart = page[page.index("Not connected") :]
    assert "<b>off</b>" in apart.split("</ul>")[0]
