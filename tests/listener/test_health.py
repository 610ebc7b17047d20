"""Health: not connected, failed and never asked are told apart from a source that found nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.clock import job_of, plan, settle_job
from listener.config import Config, parse
from listener.database import Store
from listener.errors import MissingLibrary, RateLimited, SourceError, Unreachable, Unreadable
from listener.health import Health, read_health, read_quarantine, to_json
from listener.lease import claim_job, lease_time
from listener.mention import Page, Post, Quota, Rejected
from listener.pipeline import Flow
from listener.policy import BudgetUsedUp
from listener.store import holes, jobs, runs

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


def health(store: Store, config: Config, now: datetime = NOW) -> Health:
    with store.read() as connection:
        return read_health(connection, config, now)[0]


def test_a_source_whose_library_is_missing_says_what_to_install(store: Store, config: Config) -> None:
    poll(store, config, Brought(error=MissingLibrary("on", "Mastodon.py", "mastodon")))
    found = health(store, config)
    assert found.state == "not installed"
    assert "pip install 'escucha[mastodon]'" in (found.error or "")


def test_a_used_up_budget_is_a_stop_and_no_failure(store: Store, config: Config) -> None:
    poll(store, config, Brought(error=BudgetUsedUp("on")))
    assert health(store, config).state == "stopped"


def test_a_source_that_was_heard_once_and_fails_since_shows_no_zero(store: Store, config: Config) -> None:
    poll(store, config, Brought(Page((), "c")), NOW - timedelta(hours=20))
    poll(store, config, Brought(error=Unreachable("on", "no answer")), NOW)
    assert (health(store, config).posts_24h, health(store, config).posts_total) == (None, 0)
    later = NOW + timedelta(hours=10)
    poll(store, config, Brought(Page((Post("on", "1", "A", NOW),), "d")), NOW)
    poll(store, config, Brought(error=Unreachable("on", "no answer")), later)
    assert health(store, config, later).posts_24h == 1, "what came is known"
    assert health(store, config, NOW + timedelta(days=2)).posts_24h is None


def test_after_five_failures_in_a_row_a_source_rests(store: Store, config: Config) -> None:
    for number in range(5):
        assert health(store, config).resting is False
        poll(store, config, Brought(error=Unreachable("on", "no answer")), NOW + timedelta(minutes=number))
    assert (health(store, config).failures, health(store, config).resting) == (5, True)


def test_a_poll_under_way_hides_no_failure_and_is_not_late(store: Store, config: Config) -> None:
    poll(store, config, Brought(error=Unreachable("on", "no answer")))
    later = NOW + timedelta(hours=2)
    with store.write() as connection:
        connection.execute(runs.insert().values(source="on", started_at=later, outcome="running"))
        assert claim_job(connection, job_of("on"), later, "host:1:x", at=lease_time(connection, later))
    found = health(store, config, later)
    assert (found.state, found.behind) == ("failed", None)
    assert found.held is not None
    assert found.held.holder == "host:1:x"


def test_the_lag_is_the_median_from_publishing_to_us(store: Store, config: Config) -> None:
    late = [Post("on", str(minutes), "A", NOW - timedelta(minutes=minutes)) for minutes in (2, 4, 600)]
    poll(store, config, Brought(Page((*late, Post("on", "ahead", "A", NOW + timedelta(hours=1))), "c")))
    assert health(store, config).lag == timedelta(minutes=3), "a clock that runs ahead counts as no delay"
    assert health(store, config).newest == NOW


def test_the_quota_is_told_until_it_is_renewed(store: Store, config: Config) -> None:
    poll(store, config, Brought(Page((), "c")))
    told = {"left": 3, "limit": 450, "resets_at": (NOW + timedelta(minutes=5)).isoformat()}
    with store.write() as connection:
        connection.execute(jobs.update().where(jobs.c.name == job_of("on")).values(quota=told))
    assert health(store, config).quota == Quota(3, 450, NOW + timedelta(minutes=5))
    assert health(store, config, NOW + timedelta(minutes=6)).quota is None


def test_gaps_of_two_weeks_are_told_and_all_of_it_is_plain_json(store: Store, config: Config) -> None:
    poll(store, config, Brought(Page((), "c")))
    hole = {"source": "on", "started_at": NOW - timedelta(hours=3), "ended_at": NOW - timedelta(hours=2)}
    with store.write() as connection:
        connection.execute(holes.insert().values(why="lost", found_at=NOW, **hole))
    found = health(store, config)
    assert [(gap.why, gap.lost) for gap in found.gaps] == [("lost", True)]
    told = json.loads(json.dumps(to_json(found)))
    assert told["gaps"] == [
        {"start": "2026-05-04T12:00:00+00:00", "end": "2026-05-04T13:00:00+00:00", "why": "lost", "lost": True}
    ]
    assert (told["state"], told["every"], told["posts_24h"], told["budget"]) == ("connected", 600.0, 0, None)


def test_every_state_has_its_words(store: Store, config: Config) -> None:
    from typing import get_args

    from listener.health import STATES, State

    assert set(STATES) == set(get_args(State))
