"""Every fault of every platform that is asked over HTTP: what is stored, where the next poll begins, and when.

Each cell goes through the real flow and clock on a real store, with the real client library against a real server. The
fault hits the second page; afterwards a poll without it must bring everything, nothing lost and nothing twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import prawcore
import pytest
import sqlalchemy as sa

from listener.clock import Clock, job_of, settle_job
from listener.config import parse
from listener.database import Store
from listener.egress import Egress
from listener.errors import SourceError
from listener.fetch import install
from listener.pipeline import Flow
from listener.sources import kinds, load
from listener.store import jobs, posts, quarantine, read_cursor, runs
from tests.servers.faults import BREAK, RESET, Broken, Platform, repeat_keys
from tests.servers.platforms import PLATFORMS
from tests.servers.web import serving

EVERY = timedelta(minutes=15)
ELSEWHERE = frozenset({"file", "imap", "mbox", "whatsapp"})  # not asked over HTTP: files, a mailbox, calls only
LIBRARIES = ("tweepy", "urllib3", "prawcore", "praw", "mastodon", "atproto", "httpx", "httpcore", "googleapiclient")


@dataclass(frozen=True)
class Expected:
    outcome: str
    stored: str  # first: the first page; all: everything; some: at least one
    moved: bool  # the cursor
    due: timedelta  # after the end of the poll, with the chance at one half


OK = EVERY * 1.05
FAILED = timedelta(seconds=30)  # half of the first back-off of a minute
KINDS: dict[str, tuple[str, timedelta]] = {
    "429 with reset": ("limited", timedelta(seconds=RESET)),
    "429 without reset": ("limited", FAILED),
    "429 with absurd reset": ("limited", timedelta(hours=1)),
    "429 with malformed reset": ("limited", FAILED),
    "500": ("unreachable", FAILED),
    "502": ("unreachable", FAILED),
    "503": ("unreachable", FAILED),
    "504": ("unreachable", FAILED),
    "reset mid-body": ("unreachable", FAILED),
    "short body": ("unreachable", FAILED),
    "truncated body": ("unreadable", FAILED),
    "HTML with 200": ("unreadable", FAILED),
    "empty 200": ("unreadable", FAILED),
    "errors-only 200": ("unreadable", FAILED),
    "duplicate ids across pages": ("ok", OK),
    "page-token loop": ("unreadable", FAILED),
    "expired token": ("not allowed", timedelta(hours=1)),
    "no reply": ("unreachable", FAILED),
    "one bad item": ("ok", OK),
    "redirect elsewhere": ("refused", FAILED),
}

# Where a platform differs from the rule, and why.
APART: dict[tuple[str, str], dict[str, Any]] = {
    # A feed that ends in the middle gives what it has; it is asked again in full.
    ("rss", "truncated body"): {"stored": "some"},
    # When a feed may be asked again stands in the cursor, since other feeds go on meanwhile.
    ("rss", "429 with reset"): {"moved": True},
    ("rss", "429 with absurd reset"): {"moved": True},
    # prawcore follows no redirect at all.
    ("reddit", "redirect elsewhere"): {"outcome": "unreachable"},
    # Mastodon's pages begin where the one before ended; a loop is the first page once more.
    ("mastodon", "page-token loop"): {"stored": "first"},
    # Meta's error that stands in a readable answer is a fault of Meta's own.
    ("facebook", "errors-only 200"): {"outcome": "unreachable"},
    ("instagram", "errors-only 200"): {"outcome": "unreachable"},
}

# Cells that cannot be, and why.
IMPOSSIBLE: dict[tuple[str, str], str] = {
    ("rss", "page-token loop"): "a feed has one page",
    ("app_store", "page-token loop"): "pages are numbered by us; a page that comes again is «duplicate ids»",
    ("hackernews", "page-token loop"): "pages are numbered by us",
    ("gdelt", "page-token loop"): "the next page is asked for by the time of the last article",
    ("telegram", "page-token loop"): "the token of the next page is our own count of updates",
}

CELLS = [(kind, fault) for kind in PLATFORMS for fault in BREAK if (kind, fault) not in IMPOSSIBLE]


def expected_of(platform: Platform, fault: str) -> Expected:
    outcome, due = KINDS[fault]
    whole = outcome == "ok"
    stored = "all" if whole or fault == "page-token loop" else "first" if platform.paged else "none"
    moved = whole or (platform.paged and platform.steps)
    apart = {"outcome": outcome, "stored": stored, "moved": moved, "due": due} | APART.get((platform.kind, fault), {})
    return Expected(**apart)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Give one store to all cells, which have a source of their own each."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('matrix')}/escucha.db"
    else:
        url = str(request.getfixturevalue("postgres_database")())
    store = Store(url)
    store.migrate()
    yield store
    store.close()


class Cell:
    """Hold one platform with its fault, and the clock that polls it."""

    def __init__(self, platform: Platform, fault: str, store: Store, url: str, folder: Path) -> None:
        self.name = "_".join([platform.kind, *fault.replace("-", " ").split()])
        self.store = store
        table = {"kind": platform.kind, "every": platform.every, **platform.settings(url)}
        self.config = parse(
            {
                "brands": {"nitido": {"name": "Nítido", "hashtags": ["#nitido"]}},
                "departments": {"communications": {"alert": ["mail:a@nitido.example"]}},
                "egress": {"inside": ["127.0.0.1"]},
                "sources": {self.name: table},
            },
            folder,
            {},
        )
        self.later = timedelta(0)
        egress = Egress(frozenset({"127.0.0.1"}), frozenset({"127.0.0.1"}))
        flow = Flow(self.config, store)
        settings = self.config.sources[self.name]

        def collect(name: str, now: datetime) -> SourceError | None:
            source = load(name, settings, egress)
            source._now = self.now  # type: ignore[attr-defined]
            return flow.collect(name, now, source).error

        self.clock = Clock(self.config, store, collect, lambda now: None, now=self.now)
        self.clock.prepare()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    def poll(self) -> None:
        assert self.clock.work(job_of(self.name)), "it was not due"

    def stored(self) -> list[str]:
        with self.store.read() as connection:
            return list(connection.scalars(sa.select(posts.c.native_id).where(posts.c.source == self.name)))

    def job(self) -> Any:
        with self.store.read() as connection:
            return connection.execute(sa.select(jobs).where(jobs.c.name == job_of(self.name))).one()

    def outcomes(self) -> list[str]:
        with self.store.read() as connection:
            query = sa.select(runs.c.outcome).where(runs.c.source == self.name).order_by(runs.c.id)
            return list(connection.scalars(query))

    def cursor(self) -> str | None:
        with self.store.read() as connection:
            return read_cursor(connection, self.name)

    def written(self) -> str:
        """Give every word that was kept of what went wrong."""
        with self.store.read() as connection:
            aside = connection.execute(sa.select(quarantine).where(quarantine.c.source == self.name)).all()
            told = list(connection.scalars(sa.select(runs.c.error).where(runs.c.source == self.name)))
        return repr((aside, told, self.job().error, self.cursor()))

    def aside(self) -> int:
        with self.store.read() as connection:
            rows = sa.select(sa.func.count()).select_from(quarantine).where(quarantine.c.source == self.name)
            return connection.scalar(rows) or 0


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for no silent server longer than a moment, nor between two tries of a library, and throw no dice."""
    monkeypatch.setattr(settle_job, "__defaults__", (lambda: 0.5,))
    monkeypatch.setattr("prawcore.sessions.time.sleep", lambda seconds: None)
    for place in (
        "listener.egress.TIMEOUT",
        "listener.platforms.googlehttp.TIMEOUT",
        "listener.platforms.xclient._PULSE",
        "listener.dial.TIMEOUT",
    ):
        monkeypatch.setattr(place, (0.3, 0.3))
    monkeypatch.setattr("listener.sources.google_play.TIMEOUT", (0.3, 0.3))
    monkeypatch.setitem(prawcore.Session.request.__kwdefaults__, "timeout", 0.3)  # written into it: 16 s
    monkeypatch.setattr("listener.sources.telegram._SILENCE", (0.3, 0.3))
    monkeypatch.setattr("listener.platforms.graph.Graph.__init__.__kwdefaults__", {"timeout": (0.3, 0.3)})
    monkeypatch.setattr("listener.sources.gdelt.pause", lambda seconds: None)
    fetch = "listener.fetch.fetch"
    monkeypatch.setattr(f"{fetch}.__kwdefaults__", {"headers": None, "limit": 10_000_000, "seconds": 0.3})


@pytest.mark.parametrize(("kind", "fault"), CELLS, ids=[f"{kind}: {fault}" for kind, fault in CELLS])
def test_a_cell(kind: str, fault: str, shared_store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    platform = PLATFORMS[kind]
    first, second = platform.ids
    expected = expected_of(platform, fault)
    former = logging.getLogRecordFactory()
    broken = Broken(platform, fault)
    with serving(broken) as web:
        cell = Cell(platform, fault, shared_store, web.url, tmp_path)
        install(platform.secrets)
        for name in LIBRARIES:
            logging.getLogger(name).setLevel(logging.DEBUG)  # somebody looks for a fault
        caplog.set_level(logging.DEBUG)
        try:
            cell.poll()
            stored, job, outcomes, cursor = cell.stored(), cell.job(), cell.outcomes(), cell.cursor()
            asked = len(web.asked)
            broken.armed = False
            cell.later = timedelta(hours=2)
            cell.poll()
        finally:
            install()
            logging.setLogRecordFactory(former)
    assert broken.met, "the fault was never met"
    assert outcomes == [expected.outcome]
    assert asked < 12
    # What was stored, and where the next poll begins.
    assert len(stored) == len(set(stored))
    if expected.stored == "some":
        assert set(stored) < first | second
        assert stored
    else:
        assert set(stored) == {"none": frozenset(), "first": first, "all": first | second}[expected.stored]
    assert (cursor is not None) == expected.moved
    # When it is due again.
    assert abs((job.next_due - job.last_start) - expected.due) < timedelta(seconds=10)
    assert job.failures == (0 if expected.outcome == "ok" else 1)
    # The next poll brings everything, nothing lost and nothing twice.
    assert cell.outcomes() == [expected.outcome, "ok"]
    assert sorted(cell.stored()) == sorted(first | second)
    assert cell.job().failures == 0
    assert cell.aside() == (1 if fault == "one bad item" else cell.aside())
    # No secret in any log, nor in what was kept.
    assert caplog.records
    for secret in platform.secrets:
        assert secret not in caplog.text
        assert secret not in cell.written()


@pytest.mark.parametrize("kind", [kind for kind, platform in PLATFORMS.items() if platform.secrets])
def test_an_answer_that_repeats_the_keys_is_kept_without_them(kind: str, shared_store: Store, tmp_path: Path) -> None:
    platform = PLATFORMS[kind]
    with serving(Broken(platform, repeat_keys)) as web:
        cell = Cell(platform, "an echo", shared_store, web.url, tmp_path)
        cell.poll()
    assert cell.outcomes() == ["unreadable"]
    assert cell.aside() == 1
    assert "Maintenance" in cell.written()
    given = [secret for secret in platform.secrets if secret in cell.config.secrets]
    assert [secret for secret in given if secret in cell.written()] == []


def test_every_platform_that_is_asked_over_http_meets_every_fault() -> None:
    asked = set(kinds()) - ELSEWHERE
    assert set(PLATFORMS) == asked, "a new source needs its row in tests/servers/platforms.py"
    assert len(BREAK) >= 17
    assert set(KINDS) == set(BREAK)
    assert len(CELLS) == len(PLATFORMS) * len(BREAK) - len(IMPOSSIBLE)
    assert set(APART) <= set(CELLS)
    print(f"{len(PLATFORMS)} sources × {len(BREAK)} faults: {len(CELLS)} cells, {len(IMPOSSIBLE)} impossible")
