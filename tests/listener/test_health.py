"""Health: not connected, failed and never asked are told apart from a source that found nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.clock import job_of, plan, settle_job
from listener.config import Config, parse
from listener.database import Store
from listener.errors import RateLimited, SourceError, Unreadable
from listener.health import read_health, read_quarantine
from listener.mention import Page, Post, Rejected
from listener.pipeline import Flow
from listener.store import runs

NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    table: dict[str, Any] = {
        "brands": {"a": {"name": "A"}},
        "departments": {"communications": {"alert": ["mail:a@example.org"]}},
        "sources": {
            "on": {"kind": "file", "path": "on", "every": "10 minutes"},
            "off": {"kind": "file", "path": "off", "enabled": False},
        },
    }
    return parse(table, tmp_path, {})


class Brought:
    """Stand in for a source that brings these pages and then raises this error, if any."""

    def __init__(self, *pages: Page, error: SourceError | None = None) -> None:
        self.pages, self.error = pages, error

    def collect(self, brands: Any, cursor: str | None) -> Any:
        yield from self.pages
        if self.error is not None:
            raise self.error


def states(store: Store, config: Config, now: datetime = NOW) -> dict[str, str]:
    with store.read() as connection:
        return {one.source: one.state for one in read_health(connection, config, now)}


def poll(store: Store, config: Config, source: Brought, now: datetime = NOW) -> None:
    done = Flow(config, store).collect("on", now, source)  # type: ignore[arg-type]
    with store.write() as connection:
        plan(connection, [job_of("on")], now)
        settle_job(connection, job_of("on"), timedelta(minutes=10), now, done.error, lambda: 0.0)


def test_before_the_first_poll_a_source_was_never_asked_and_one_that_is_off_is_not_connected(
    store: Store, config: Config
) -> None:
    assert states(store, config) == {"on": "never asked", "off": "not connected"}
    with store.read() as connection:
        assert [one.posts_total for one in read_health(connection, config, NOW)] == [None, None]


def test_a_source_that_found_nothing_is_connected_and_its_zero_is_a_zero(store: Store, config: Config) -> None:
    poll(store, config, Brought(Page((), "c")))
    with store.read() as connection:
        found = read_health(connection, config, NOW)[0]
    assert (found.state, found.posts_total, found.posts_24h, found.last_ok) == ("connected", 0, 0, NOW)


def test_a_failure_is_shown_with_its_words_and_keeps_what_was_brought_before_it(store: Store, config: Config) -> None:
    page = Page((Post("on", "1", "A", NOW),), None)
    error = Unreadable("on", "the answer is a web page", body=b"<html>")
    poll(store, config, Brought(page, error=error))
    with store.read() as connection:
        found = read_health(connection, config, NOW)[0]
        aside = read_quarantine(connection)
    assert (found.state, found.error, found.failures) == ("failed", "the answer is a web page", 1)
    assert found.posts_total is None, "no poll has ended well yet, so nothing is known"
    assert [(item.position, item.body) for item in aside] == [("answer", "<html>")]


def test_a_platform_that_asks_to_wait_is_no_failure(store: Store, config: Config) -> None:
    poll(store, config, Brought(error=RateLimited("on", "slow down", until=NOW + timedelta(minutes=5))))
    assert states(store, config)["on"] == "waiting"


def test_a_source_whose_poll_is_long_overdue_is_late(store: Store, config: Config) -> None:
    poll(store, config, Brought(Page((), "c")))
    assert states(store, config, NOW + timedelta(minutes=39))["on"] == "connected"
    assert states(store, config, NOW + timedelta(minutes=41))["on"] == "late"


def test_one_bad_item_is_set_aside_with_its_place_and_reason_and_the_rest_goes_on(store: Store, config: Config) -> None:
    page = Page((Post("on", "1", "A", NOW),), "c", (Rejected("line 7", "no text", "{}"),))
    poll(store, config, Brought(page))
    with store.read() as connection:
        found = read_health(connection, config, NOW)[0]
        (item,) = read_quarantine(connection)
        outcome = connection.scalar(sa.select(runs.c.rejected))
    assert (found.state, found.posts_total, found.quarantined, outcome) == ("connected", 1, 1, 1)
    assert (item.source, item.position, item.reason) == ("on", "line 7", "no text")
