"""The flow when something breaks: the rest goes on, the break is shown, and nobody's words reach a log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.clock import CYCLE, Clock, claim_job, job_of, plan, read_due
from listener.config import Config, parse
from listener.database import Store
from listener.errors import RateLimited, SourceError, Unreachable
from listener.health import read_cycle_error, read_health
from listener.intake import save_page
from listener.mention import Page, Post
from listener.pipeline import Flow
from listener.store import posts
from sentiment.store import save_verdicts, verdicts
from sentiment.verdict import Label, Verdict
from stakeholders.store import alerts

NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)
WORDS = "canary: what a stranger wrote"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    table: dict[str, Any] = {
        "brands": {"a": {"name": "Acme"}},
        "departments": {"communications": {"alert": ["mail:a@example.org"]}},
        "sources": {"on": {"kind": "file", "path": "on", "every": "10 minutes"}},
        "mail": {"port": 1},
    }
    return parse(table, tmp_path, {})


def verdict(intent: str = "complaint") -> Verdict:
    return Verdict(Label("true", 0.9), Label("negative", 0.9), Label("undefined", 0.9), Label(intent, 0.9), "test")


class Judge:
    """Judge everything the same, but break on a text that holds the word «poison»."""

    engine = "test"

    def judge(self, items: Any) -> list[Verdict]:
        if any("poison" in item.post.text for item in items):
            raise ValueError(WORDS)
        return [verdict() for _ in items]


class Crashing:
    def collect(self, brands: Any, cursor: str | None) -> Iterator[Page]:
        yield Page((Post("on", "1", "Acme falla", NOW),), None)
        raise ValueError(WORDS)


def heard(store: Store, flow: Flow, *texts: str) -> None:
    found = [Post("on", str(number), text, NOW) for number, text in enumerate(texts)]
    mentions = [mention for post in found for mention in flow.intake.matcher.mentions(post)]
    with store.write() as connection:
        save_page(connection, "on", found, mentions, [], None, NOW)


def flow_of(config: Config, store: Store) -> Flow:
    flow = Flow(config, store)
    flow.__dict__["classifier"] = Judge()
    return flow


def test_a_source_that_crashes_is_failed_and_keeps_what_it_brought(
    config: Config, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    flow = flow_of(config, store)
    done = flow.collect("on", NOW, Crashing())  # type: ignore[arg-type]
    assert (done.outcome, done.new) == ("failed", 1)
    with store.read() as connection:
        health = read_health(connection, config, NOW)[0]
    assert health.state == "failed"
    assert "ValueError" in (health.error or "")
    assert "canary" not in caplog.text + (health.error or "")


def test_a_stage_that_breaks_does_not_stop_the_others(
    config: Config, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = flow_of(config, store)
    called: list[str] = []

    def broken(*_: Any, **__: Any) -> int:
        raise RuntimeError("the model is away")

    monkeypatch.setattr(flow, "classify", broken)
    for name in ("route", "digest", "send"):
        monkeypatch.setattr(flow, name, lambda now, name=name: called.append(name))
    with pytest.raises(RuntimeError, match="the model is away"):
        flow.cycle(NOW)
    assert called == ["route", "digest", "send"]


def test_each_stage_is_told_the_time_it_begins_at(
    config: Config, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = flow_of(config, store)
    ticks = iter(range(0, 10_000, 400))  # seconds of a cycle in which every stage takes long
    monkeypatch.setattr("listener.pipeline.monotonic", lambda: next(ticks))
    told: dict[str, datetime] = {}
    for name in ("classify", "route", "digest", "send"):
        monkeypatch.setattr(flow, name, lambda now, name=name, **_: told.__setitem__(name, now))
    flow.cycle(NOW)
    assert told["classify"] < told["route"] < told["digest"] < told["send"]
    assert told["send"] > NOW + timedelta(minutes=20)


def test_one_text_that_breaks_the_engine_is_left_pending_and_the_rest_is_judged(
    config: Config, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    flow = flow_of(config, store)
    heard(store, flow, "Acme falla", "Acme poison", "Acme cobra de más")
    assert flow.classify(NOW) == 2
    assert flow.classify(NOW) == 0
    assert "canary" not in caplog.text
    assert "poison" not in caplog.text


def test_a_backlog_is_routed_and_sent_batch_by_batch(
    config: Config, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow = flow_of(config, store)
    heard(store, flow, *(f"Acme falla {number}" for number in range(450)))
    order: list[str] = []
    judge, send = flow.classify, flow.send
    monkeypatch.setattr(flow, "classify", lambda now, **more: order.append("classify") or judge(now, **more))
    monkeypatch.setattr(flow, "send", lambda now: order.append("send") or send(now))
    flow.cycle(NOW)
    assert order[:4] == ["classify", "send", "classify", "send"]


def test_an_error_of_the_database_prints_no_values(store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError) as caught, store.write() as connection:
        connection.execute(posts.insert().values(source="x", native_id="1", text="canary", published_at=None))
    assert "parameters hidden" in str(caught.value)


def test_two_processes_may_start_at_once(store: Store) -> None:
    for _ in range(2):
        with store.write() as connection:
            plan(connection, ["collect/on", CYCLE], NOW)
    with store.read() as connection:
        assert sorted(read_due(connection, NOW)) == ["collect/on", CYCLE]


def test_a_due_job_is_taken_by_one_process_and_given_back_when_that_one_dies(store: Store) -> None:
    with store.write() as connection:
        plan(connection, ["collect/on"], NOW)
        assert claim_job(connection, "collect/on", NOW)
        assert not claim_job(connection, "collect/on", NOW)
        assert claim_job(connection, "collect/on", NOW + timedelta(minutes=6))


def test_a_verdict_that_another_process_stored_meanwhile_stands(config: Config, store: Store) -> None:
    heard(store, flow_of(config, store), "Acme falla")
    for intent, stored in (("complaint", 1), ("praise", 0)):
        with store.write() as connection:
            assert save_verdicts(connection, [(1, verdict(intent))], NOW) == stored
    with store.read() as connection:
        assert list(connection.scalars(sa.select(verdicts.c.intent))) == ["complaint"]


@pytest.mark.parametrize(
    ("error", "told"),
    [(Unreachable("on", "no answer"), 1), (RateLimited("on", "slow down"), 0), (ValueError(WORDS), 1)],
)
def test_a_source_that_keeps_failing_is_told_once_and_a_limit_is_no_failure(
    config: Config, store: Store, error: Exception, told: int
) -> None:
    class Failing:
        def collect(self, brands: Any, cursor: str | None) -> Iterator[Page]:
            raise error
            yield

    flow = flow_of(config, store)
    moment = [NOW]

    def collect(name: str, now: datetime) -> SourceError | None:
        return flow.collect(name, now, Failing()).error  # type: ignore[arg-type]

    clock = Clock(config, store, collect, lambda now: None, tell=flow.tell, now=lambda: moment[0])
    for _ in range(6):
        clock.run_once()
        moment[0] += timedelta(minutes=1)
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(alerts)) == told
        assert connection.scalar(sa.text(f"SELECT failures FROM job WHERE name = '{job_of('on')}'")) == 6


def test_a_process_leaves_a_job_that_another_has_taken(config: Config, store: Store) -> None:
    polled: list[str] = []
    clocks = [Clock(config, store, lambda name, now: polled.append(name), lambda now: None, now=lambda: NOW)
              for _ in range(2)]  # fmt: skip
    clocks[0].prepare()
    for clock in clocks:
        clock.work(job_of("on"))
    assert polled == ["on"]


def test_a_job_whose_cycle_breaks_logs_places_and_no_words(
    config: Config, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def cycle(now: datetime) -> None:
        raise ValueError(WORDS)

    clock = Clock(config, store, lambda name, now: None, cycle, now=lambda: NOW)
    with caplog.at_level(logging.DEBUG):
        clock.run_once()
    assert "ValueError" in caplog.text
    assert "canary" not in caplog.text
    with store.read() as connection:
        assert "ValueError" in (read_cycle_error(connection) or "")
