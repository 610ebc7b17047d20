"""Letters about money: one at 80 % of a source's month, one at its end, both to communications, both in words."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.budget import add_spending
from listener.database import Store
from stakeholders.bill import queue_budgets
from stakeholders.letters.letter import write_letter
from stakeholders.store import alerts
from tests.stakeholders.newsroom import NOW, make_config


@pytest.fixture
def config(tmp_path: Path, store: Store) -> Any:
    sources = {"x": {"bearer_token": "canary"}}
    return make_config(tmp_path, store.url, sources=sources, budget={"monthly": {"x": 10}})


def spend_and_queue(store: Store, config: Any, many: int, now: Any = NOW, unit: str = "post") -> int:
    with store.write() as connection:
        add_spending(connection, "x", {unit: many}, now)
        return queue_budgets(connection, config, now)


def test_a_month_has_one_warning_and_one_stop(store: Store, config: Any) -> None:
    assert spend_and_queue(store, config, 1500) == 0
    assert spend_and_queue(store, config, 100) == 1
    assert spend_and_queue(store, config, 100) == 0
    assert spend_and_queue(store, config, 400) == 1
    assert spend_and_queue(store, config, 400) == 0
    month_later = NOW + timedelta(days=31)
    assert spend_and_queue(store, config, 1700, month_later) == 1
    with store.read() as connection:
        told = connection.execute(sa.select(alerts.c.kind, alerts.c.department, alerts.c.recipient)).all()
    assert set(map(tuple, told)) == {("budget", "communications", "communications@nitido.example")}


def test_without_a_limit_nothing_is_told(store: Store, tmp_path: Path) -> None:
    config = make_config(tmp_path, store.url, sources={"x": {"bearer_token": "canary"}})
    assert spend_and_queue(store, config, 10**6) == 0


@pytest.mark.parametrize(
    ("unit", "many", "headline", "says"),
    [
        ("post", 1700, "has used most of its budget", "8.50 USD of 10.00 USD"),
        ("post", 2000, "has used up its budget", "udget used up until 1 June"),
        ("surprise", 1, "something it is billed for has no price", "no price"),
    ],
)
def test_the_letter_says_what_was_spent_and_what_to_do(
    store: Store, tmp_path: Path, unit: str, many: int, headline: str, says: str
) -> None:
    sources = {"x": {"bearer_token": "canary"}}
    budget = {"monthly": {"x": 10}}
    config = make_config(tmp_path, store.url, sources=sources, budget=budget, instance={"language": "en"})
    assert spend_and_queue(store, config, many, unit=unit) == 1
    with store.read() as connection:
        row = connection.execute(sa.select(alerts)).one()
        letter = write_letter(connection, config, row, NOW)
    assert headline in letter.subject
    assert "The source «x»" in letter.subject
    for part in (letter.text, letter.html or ""):
        assert says in part
        assert f"{many:,} {unit}" in part
        assert "[budget." in part
