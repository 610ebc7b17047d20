"""The demo as a newcomer meets it: replayed through the real pipeline, served, and used in a browser."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

import stakeholders.store  # noqa: F401 - hangs its tables on the metadata
from listener.config import Config, load
from listener.database import Store, metadata
from listener.demo.replay import read_corpus, ready, shift
from listener.taxonomy import DIMENSIONS, INTENTS, SENTIMENTS, STAKEHOLDERS
from stakeholders import digest, insight
from stakeholders.counting import period
from tests.pages.visit import browsing, visiting
from tests.servers.smtp import free_port

ROOT = Path(__file__).resolve().parents[1]
LIMA = ZoneInfo("America/Lima")

pytestmark = pytest.mark.slow


@dataclass
class Demo:
    folder: Path
    address: str
    process: subprocess.Popen[str]
    words: str
    drain: threading.Thread

    @property
    def config(self) -> Config:
        return load(self.folder / "config.toml", {})


def start(folder: Path) -> Demo:
    """Start the demo without a terminal and wait until it prints its address."""
    environment = os.environ | {"ESCUCHA_PORT": str(free_port()), "ESCUCHA_LANG": "es"}
    environment.pop("ESCUCHA_STORE", None)
    command = [sys.executable, "-m", "listener", "demo", "--folder", str(folder)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    told = []
    for line in process.stderr:
        told.append(line)
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            drain = threading.Thread(target=process.stderr.read, daemon=True)
            drain.start()
            return Demo(folder, found[0], process, "".join(told), drain)
    raise AssertionError("the demo ended without an address:\n" + "".join(told))


def stop(demo: Demo) -> None:
    demo.process.send_signal(signal.SIGTERM)
    demo.process.wait(30)
    demo.drain.join(5)
    assert demo.process.stderr is not None
    demo.process.stderr.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    started = start(tmp_path_factory.mktemp("demo"))
    yield started
    stop(started)


@pytest.fixture
def rows(demo: Demo) -> Iterator[Any]:
    store = Store(demo.config.store_url)
    with store.read() as connection:
        yield connection
    store.close()


def test_the_corpus_is_large_varied_and_repeats_itself_only_on_purpose() -> None:
    corpus = list(read_corpus())
    labels = [row["labels"] for row in corpus if row["labels"]["relevant"]]
    assert len(corpus) >= 1200
    assert {row["lang"] for row in corpus} == {"es", "en", "pt"}
    assert {one["stakeholder"] for one in labels} == set(STAKEHOLDERS)
    assert {one["dimension"] for one in labels} == set(DIMENSIONS)
    assert {one["intent"] for one in labels} == set(INTENTS)
    assert {one["sentiment"] for one in labels} == set(SENTIMENTS)
    assert min(row["day"] for row in corpus) >= -89
    assert max(row["day"] for row in corpus) == 0
    assert len({row["text"] for row in corpus}) == len(corpus)
    assert sum(not row["labels"]["relevant"] for row in corpus) >= 90, "the name is also a word"


def test_dates_are_shifted_to_end_today_and_keep_their_hours() -> None:
    corpus = list(read_corpus())
    today = datetime(2027, 3, 9, tzinfo=LIMA).date()
    shifted = shift(iter(corpus), today, LIMA)
    assert shifted[-1][0].astimezone(LIMA).date() == today
    assert (shifted[-1][0] - shifted[0][0]) < timedelta(days=90)


def test_it_runs_without_a_terminal_and_says_how_far_it_is(demo: Demo) -> None:
    assert "50 %" in demo.words
    with urlopen(f"{demo.address}/_stcore/health") as answer:
        assert answer.status == 200
    with urlopen(f"{demo.address}/api/health") as answer:
        assert b'"database":"ok"' in answer.read()


def test_every_post_of_the_corpus_is_stored_once_and_every_mention_is_decided(demo: Demo, rows: Any) -> None:
    mark = ready(demo.folder, datetime.now(LIMA).date())
    assert mark is not None
    tables = metadata.tables
    now = datetime.now(UTC)
    due = [pair for pair in shift(read_corpus(), datetime.now(LIMA).date(), LIMA) if pair[0] <= now]
    assert abs(len(due) - mark.posts) <= 5, "a few more may be due by now than when the replay began"
    count = {name: rows.scalar(sa.select(sa.func.count()).select_from(tables[name])) for name in tables}
    assert count["post"] == mark.posts
    assert count["decision"] == count["mention"] == mark.mentions
    assert count["verdict"] > count["mention"], "people have corrected some, and both values stay"
    assert count["quarantine"] == 1


def test_every_alert_arrived_in_the_local_inbox_once(demo: Demo, rows: Any) -> None:
    alerts = metadata.tables["alert"].c
    states = Counter(rows.scalars(sa.select(alerts.state)))
    assert set(states) <= {"sent", "muted", "withdrawn"}, "nothing waits, nothing was refused"
    assert states["sent"] > 10 * (states["muted"] + states["withdrawn"])
    muted = rows.scalars(sa.select(alerts.muted_by).where(alerts.state == "muted")).all()
    assert all(one["sentence"] for one in muted), "what was muted says by what"
    ids = Counter(
        str(message_from_bytes(path.read_bytes(), policy=default)["Message-ID"])
        for path in (demo.folder / "inbox").glob("*.eml")
    )
    assert set(ids.values()) == {1}
    assert len(ids) == states["sent"]


def test_the_four_stories_can_be_found(demo: Demo, rows: Any) -> None:
    today = datetime.now(LIMA).date()
    whole = period.last_days(90, datetime.now(UTC), LIMA)
    unusual = {one.day: one for one in insight.unusual_days(rows, whole, "nitido")}
    assert today + timedelta(days=-33) in unusual, "the outage in the south"
    assert today + timedelta(days=-18) in unusual, "the fine that spreads"
    tables = metadata.tables
    decision, mention, post = tables["decision"].c, tables["mention"].c, tables["post"].c
    joined = tables["decision"].join(tables["mention"]).join(tables["post"])
    praised = rows.execute(
        sa.select(decision.rule, decision.department)
        .select_from(joined.join(tables["author"]))
        .where(tables["author"].c.handle == "nitidope", mention.brand == "brisatel")
    ).all()
    assert ("nuestra cuenta habla de un competidor", "communications") in [tuple(row) for row in praised]
    first = datetime.combine(today - timedelta(days=56), datetime.min.time(), LIMA)
    scams = rows.scalar(
        sa.select(sa.func.count())
        .select_from(joined)
        .where(decision.department == "security_fraud", post.published_at.between(first, first + timedelta(days=9)))
    )
    assert scams >= 10, "the scam in the brand's name"


def test_the_digest_counts_what_the_pulse_counts(demo: Demo, rows: Any) -> None:
    now = datetime.now(UTC)
    week = period.last_whole_week(now, LIMA)
    letter = digest.write(rows, demo.config, None, None, now)
    volume = insight.volume_by_day(rows, week, ["nitido"])
    assert letter.figures.honest.relevant == sum(day.mentions or 0 for day in volume)
    assert letter.figures.honest.reconciles()


def test_the_running_demo_stays_small(demo: Demo) -> None:
    """700 MB is what the house promises; the process holds dashboard, API, clock and mail server."""
    status = Path(f"/proc/{demo.process.pid}/status")
    if not status.exists():
        pytest.skip("this system does not tell a process's memory in /proc")
    (resident,) = re.findall(r"VmRSS:\s+(\d+) kB", status.read_text())
    assert int(resident) < 700 * 1024


@pytest.mark.browser
def test_a_community_manager_filters_opens_and_acknowledges_a_case(demo: Demo) -> None:
    pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have Chromium")
        pytest.skip("this machine has no Chromium")
    with browsing(chromium) as browser, visiting(browser, demo.address) as page:
        page.goto("/?status=new")
        page.locator("a.e-row").first.wait_for()
        page.locator("a.e-chip", has_text="importante").first.click()
        page.wait_for_url("**priority=important**")
        page.locator("a.e-chip.on", has_text="importante").wait_for()
        page.locator("a.e-row").first.click()
        page.wait_for_url("**/case?**id=*")
        page.get_by_role("button", name="Marcar como visto").wait_for()
        who = page.get_by_role("combobox", name="Soy")
        who.fill("Hugo Arrieta")
        who.press("Enter")
        page.wait_for_function("document.cookie.includes('Hugo%20Arrieta')")
        page.get_by_role("button", name="Marcar como visto").click()
        page.locator(".e-time li", has_text="visto").wait_for()
        page.locator(".e-time li", has_text="Hugo Arrieta").first.wait_for()


def test_a_second_start_on_the_same_day_replays_nothing(demo: Demo) -> None:
    before = ready(demo.folder, datetime.now(LIMA).date())
    stop(demo)
    again = start(demo.folder)
    try:
        assert "50 %" not in again.words
        assert ready(demo.folder, datetime.now(LIMA).date()) == before
        with urlopen(f"{again.address}/_stcore/health") as answer:
            assert answer.status == 200
    finally:
        stop(again)
