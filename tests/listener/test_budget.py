"""The budget: what is billed is counted once, a limit is never passed, and what has no price is never zero."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa

from listener.budget import (
    Spent,
    add_spending,
    allows,
    count_money,
    describe,
    forecast_cost,
    gate,
    note_stop,
    prices_of,
    read_budget,
)
from listener.clock import Clock, Job, job_of, plan, read_due
from listener.config import Config, parse
from listener.database import Store
from listener.errors import ConfigError, SourceError, Unreachable
from listener.mention import Brand, Forecast, Page, Post
from listener.pipeline import Flow
from listener.policy import BudgetUsedUp, Guard
from listener.store import holes, jobs, runs, spendings

NOW = datetime(2026, 5, 16, 12, tzinfo=UTC)  # half of May is over
JUNE = datetime(2026, 6, 1, tzinfo=UTC)
BRAND = Brand("a", "Acme")


def configured(folder: Path, **budget: Any) -> Config:
    table: dict[str, Any] = {
        "brands": {"a": {"name": "Acme"}},
        "departments": {"communications": {"alert": ["mail:a@example.org"]}},
        "sources": {"x": {"bearer_token": "env:T", "every": "1 hour"}, "files": {"kind": "file", "path": "p"}},
        "budget": budget,
    }
    return parse(table, folder, {"T": "canary"})


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return configured(tmp_path, monthly={"x": 10})


def spend(store: Store, units: Mapping[str, int], now: datetime = NOW, source: str = "x") -> None:
    with store.write() as connection:
        add_spending(connection, source, units, now)


def read(store: Store, config: Config, now: datetime = NOW) -> dict[str, Spent]:
    with store.read() as connection:
        return {one.source: one for one in read_budget(connection, config, now)}


def test_units_add_up_by_source_and_month_in_utc(store: Store, config: Config) -> None:
    spend(store, {"post": 100})
    spend(store, {"post": 50, "count": 2, "user": 0})
    spend(store, {"post": 7}, source="other")
    late = datetime(2026, 5, 31, 21, tzinfo=UTC) + timedelta(hours=4)
    spend(store, {"post": 3}, datetime.fromisoformat("2026-05-31T20:30:00-05:00"))  # June by then in UTC
    spend(store, {"post": 4}, late)
    assert read(store, config)["x"].units == {"post": 150, "count": 2}
    assert read(store, config)["x"].money == Decimal("0.76")
    assert read(store, config, JUNE)["x"].units == {"post": 7}
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(spendings)) == 4


@pytest.mark.parametrize(
    ("posts", "state", "share"),
    [(0, "ok", "0"), (1599, "ok", "0.7995"), (1600, "warning", "0.8"), (1999, "warning", "0.9995"),
     (2000, "stopped", "1"), (2500, "stopped", "1.25")],
)  # fmt: skip
def test_it_warns_at_four_fifths_and_stops_at_the_whole(
    store: Store, config: Config, posts: int, state: str, share: str
) -> None:
    spend(store, {"post": posts})
    one = read(store, config)["x"]
    assert (one.state, one.share) == (state, Decimal(share))
    assert one.until == JUNE


def test_the_pace_so_far_leads_to_the_end_of_the_month(store: Store, config: Config) -> None:
    spend(store, {"post": 620})  # 3.10 in half a month
    assert read(store, config)["x"].forecast_month_end == Decimal("6.20")
    spend(store, {"post": 620}, datetime(2026, 6, 1, 5, tzinfo=UTC))
    early = read(store, config, datetime(2026, 6, 1, 6, tzinfo=UTC))["x"]
    assert early.forecast_month_end is None, "the first hours say nothing"


def test_a_unit_without_a_price_is_unknown_money_never_zero(store: Store, config: Config, tmp_path: Path) -> None:
    spend(store, {"post": 10, "surprise": 1})
    assert (read(store, config)["x"].money, read(store, config)["x"].state) == (None, "stopped")
    free = configured(tmp_path)
    assert (read(store, free)["x"].money, read(store, free)["x"].state) == (None, "ok")
    with store.read() as connection:
        assert not allows(connection, config, "x", {"post": 1}, NOW)
        assert allows(connection, free, "x", {"post": 1}, NOW)


def test_own_prices_win_and_those_that_ship_count_in_dollars_only(tmp_path: Path) -> None:
    assert prices_of(configured(tmp_path), "x")["post"] == Decimal("0.005")
    own = prices_of(configured(tmp_path, prices={"x": {"post": 0.01}}), "x")
    assert (own["post"], own["count"]) == (Decimal("0.01"), Decimal("0.005"))
    soles = prices_of(configured(tmp_path, currency="PEN", prices={"x": {"post": 0.02}}), "x")
    assert soles == {"post": Decimal("0.02")}
    assert prices_of(configured(tmp_path), "files") == {}


def test_money_is_exact(tmp_path: Path) -> None:
    prices = prices_of(configured(tmp_path), "x")
    assert count_money({"post": 3_000_001}, prices) == Decimal("15000.005")
    assert count_money({}, prices) == 0


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        ({"monthly": {"y": 5}}, "[budget.monthly] there is no source 'y'; known: x, files"),
        ({"monthly": {"files": 5}}, "kind 'file' has no price in USD"),
        ({"monthly": {"x": 5}, "currency": "PEN"}, "kind 'x' has no price in PEN"),
        ({"monthly": {"x": -1}}, "x = -1 is not an amount"),
        ({"monthly": {"x": float("nan")}}, "budget.monthly"),
        ({"prices": {"x": {"post": -0.1}}}, "post = -0.1 is not a price"),
        ({"prices": {"twitter": {"post": 1}}}, "there is no source of kind 'twitter'"),
        ({"currency": "dollars"}, "currency 'dollars' is not a currency"),
        ({"montly": {"x": 1}}, "montly"),
    ],
)
def test_a_budget_that_could_not_be_kept_is_a_fault_of_the_configuration(
    tmp_path: Path, budget: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(tmp_path, **budget)
    assert told in str(caught.value)


class Billed:
    """Give pages of ten posts, each charged 0.05; count how many were asked."""

    name = "x"
    dearest_page: ClassVar = {"post": 10}

    def __init__(self, pages: int) -> None:
        self.pages = pages
        self.asked = 0

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        for _ in range(self.pages):
            self.asked += 1
            posts = tuple(Post("x", f"{self.asked}.{n}", "Acme", NOW) for n in range(10))
            yield Page(posts, str(self.asked), billed={"post": 10})

    def forecast(self, brands: Sequence[Brand]) -> Forecast:
        return Forecast({"post": 4000}, NOW, NOW, billed={"count": 1})


class Gated:
    """Put the gate before each page, as the pipeline does."""

    def __init__(self, source: Billed, store: Store, config: Config, now: datetime = NOW) -> None:
        self.source = source
        self.pay = gate(store, config, "x", source, lambda: now)

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        yield from Guard(self.source.collect(brands, cursor), "x", seconds=None, pay=self.pay)


def test_no_page_is_asked_whose_dearest_price_would_pass_the_limit(store: Store, config: Config) -> None:
    source = Billed(pages=500)
    spend(store, {"post": 1974})  # 9.87 of 10: room for two pages of 0.05, and no third
    done = Flow(config, store).collect("x", NOW, Gated(source, store, config))  # type: ignore[arg-type]
    assert (done.outcome, done.posts, source.asked) == ("budget", 20, 2)
    one = read(store, config)["x"]
    assert (one.money, one.state) == (Decimal("9.97"), "stopped")
    again = Flow(config, store).collect("x", NOW, Gated(source, store, config))  # type: ignore[arg-type]
    assert (again.outcome, source.asked) == ("budget", 2)


@pytest.mark.parametrize("limit", ["0", "0.04", "0.05", "0.17", "1"])
def test_whatever_the_limit_it_is_never_passed(store: Store, tmp_path: Path, limit: str) -> None:
    config = configured(tmp_path, monthly={"x": Decimal(limit)})
    source = Billed(pages=60)
    Flow(config, store).collect("x", NOW, Gated(source, store, config))  # type: ignore[arg-type]
    assert source.asked == int(Decimal(limit) / Decimal("0.05"))
    assert (read(store, config)["x"].money or 0) <= Decimal(limit)


def test_a_source_that_is_swept_too_keeps_room_for_both_pages(store: Store, config: Config) -> None:
    class Swept(Billed):
        def recheck(self, native_ids: Sequence[str]) -> Iterator[Page]:
            yield from ()

    spend(store, {"post": 1985})
    gate(store, config, "x", Billed(1), lambda: NOW)()
    with pytest.raises(BudgetUsedUp) as caught:
        gate(store, config, "x", Swept(1), lambda: NOW)()
    assert caught.value.until == JUNE


def test_a_source_without_a_limit_is_never_asked_about_money(tmp_path: Path) -> None:
    closed = Store(f"sqlite:///{tmp_path}/none.db")  # no table stands in it
    gate(closed, configured(tmp_path), "x", Billed(1), lambda: NOW)()
    closed.close()


def test_a_used_up_budget_is_no_failure_waits_for_the_month_and_leaves_a_hole(store: Store, config: Config) -> None:
    moment, told = [NOW], list[str]()
    source, flow = Billed(pages=2), Flow(config, store)

    def collect(name: str, now: datetime) -> SourceError | None:
        if name != "x":
            return None
        return flow.collect(name, now, Gated(source, store, config, now)).error  # type: ignore[arg-type]

    clock = Clock(config, store, collect, lambda now: None, tell=lambda *_: told.append("told"), now=lambda: moment[0])
    clock.prepare()
    assert clock.work(job_of("x"))
    spend(store, {"post": 1980})
    turns = 0
    while moment[0] < JUNE + timedelta(hours=3):
        moment[0] += timedelta(minutes=10)
        with store.read() as connection:
            due = read_due(connection, moment[0])
        if job_of("x") in due:
            turns += clock.work(job_of("x"))
    assert told == []
    assert turns < 24 * 16 + 8, "looked at about once an hour"
    with store.read() as connection:
        job = connection.execute(sa.select(jobs).where(jobs.c.name == job_of("x"))).one()
        (hole,) = connection.execute(sa.select(holes)).all()
        back = connection.scalar(sa.select(sa.func.min(runs.c.started_at)).where(runs.c.started_at >= JUNE))
    assert (job.failures, job.error) == (0, None)
    assert (hole.source, hole.started_at) == ("x", NOW)
    assert back is not None
    assert hole.ended_at == back <= JUNE + timedelta(minutes=10), "the hole reaches to the poll that ended it"
    assert source.asked >= 4


def test_a_sweep_that_has_no_money_left_is_no_gap_in_listening(store: Store, config: Config) -> None:
    sweep = Job(timedelta(hours=6), lambda now: BudgetUsedUp("x", until=JUNE))
    clock = Clock(config, store, lambda *_: None, lambda now: None, others={"sweep/x": sweep}, now=lambda: NOW)
    clock.prepare()
    assert clock.work("sweep/x")
    clock.leases.close()
    with store.read() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(holes)) == 0


def test_a_stop_before_the_first_good_poll_starts_its_hole_then(store: Store) -> None:
    with store.write() as connection:
        plan(connection, [job_of("x")], NOW)
        for hours in range(3):
            note_stop(connection, "x", NOW + timedelta(hours=hours))
        (hole,) = connection.execute(sa.select(holes)).all()
    assert (hole.started_at, hole.ended_at) == (NOW, NOW + timedelta(hours=2))


def test_a_forecast_is_units_and_money_and_says_what_the_counting_cost(tmp_path: Path) -> None:
    told, money = forecast_cost(Billed(1), [BRAND], prices_of(configured(tmp_path), "x"))
    assert (told.units, money, told.billed) == ({"post": 4000}, Decimal("20.000"), {"count": 1})
    assert forecast_cost(Billed(1), [BRAND], {})[1] is None

    class Failing(Billed):
        def forecast(self, brands: Sequence[Brand]) -> Forecast:
            raise Unreachable("x", "no answer")

    with pytest.raises(Unreachable):
        forecast_cost(Failing(1), [BRAND], {})


def test_it_is_said_in_words_with_its_currency(store: Store, config: Config, tmp_path: Path) -> None:
    spend(store, {"post": 620})
    assert describe(read(store, config)["x"], "en") == "3.10 USD of 10.00 USD this month (31 %)"
    assert describe(read(store, configured(tmp_path))["x"], "en") == "3.10 USD this month, without a limit"
    spend(store, {"post": 1500})
    assert describe(read(store, config)["x"], "en") == "budget used up until 1 June"
    spend(store, {"surprise": 1})
    assert "no price" in describe(read(store, config)["x"], "en")
    assert "not known" in describe(read(store, configured(tmp_path))["x"], "en")
