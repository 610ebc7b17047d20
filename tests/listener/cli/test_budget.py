"""What listening costs, at the terminal: escucha budget, and what escucha check says of a source that bills."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listener.budget import add_spending, read_budget
from listener.check import check_instance
from listener.cli.budget import budget
from listener.config import load
from listener.database import Store
from listener.errors import Unreachable
from listener.mention import Brand, Forecast
from listener.reason import Reason

CONFIG = """
[instance]
language = "en"
[store]
url = "{store}"
[brands.a]
name = "Acme"
[departments.communications]
alert = ["mail:a@example.org"]
[mail]
port = 1
[sources.x]
bearer_token = "canary-token"
{more}
"""


@pytest.fixture(autouse=True)
def _english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESCUCHA_LANG", "en")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/escucha.db"


@pytest.fixture
def opened(url: str) -> Iterator[Store]:
    store = Store(url)
    store.migrate()
    yield store
    store.close()


def write(folder: Path, url: str, more: str = "") -> str:
    (folder / "config.toml").write_text(CONFIG.format(store=url, more=more), "utf-8")
    return str(folder / "config.toml")


LIMIT = "[budget.monthly]\nx = 10\n"


def test_the_verb_says_what_was_spent_in_words_and_as_json(
    tmp_path: Path, url: str, opened: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, url, LIMIT)
    budget(config=path)
    assert "0.00 USD of 10.00 USD this month (0 %)" in capsys.readouterr().err
    with opened.write() as connection:
        add_spending(connection, "x", {"post": 1234}, datetime.now(UTC))
    budget(config=path)
    told = capsys.readouterr()
    assert "6.17 USD of 10.00 USD this month (61 %)  (1,234 post)" in told.err
    assert told.out == ""
    budget(config=path, json=True)
    row = json.loads(capsys.readouterr().out)
    assert (row["source"], row["units"], row["money"], row["limit"], row["state"]) == (
        "x", {"post": 1234}, "6.170", "10", "ok"
    )  # fmt: skip


def test_the_verb_says_so_when_there_is_nothing_to_say(
    tmp_path: Path, url: str, opened: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    budget(config=write(tmp_path, url))
    assert "Nothing was billed" in capsys.readouterr().err


class Counted:
    dearest_page: Mapping[str, int]

    def __init__(self, dearest: Mapping[str, int] | None = None, error: Exception | None = None) -> None:
        self.dearest_page = dearest or {"post": 100}
        self.error = error
        self.asked = 0

    def hosts(self) -> frozenset[str]:
        return frozenset()

    def probe(self) -> None:
        pass

    def cost(self, brands: Sequence[Brand]) -> Reason:
        return Reason("dear")

    def forecast(self, brands: Sequence[Brand]) -> Forecast:
        self.asked += 1
        if self.error is not None:
            raise self.error
        now = datetime.now(UTC)
        return Forecast({"post": 2000}, now, now, billed={"count": 2})


def found(path: str, source: Any, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    monkeypatch.setattr("listener.sources.load", lambda *_: source)
    found = check_instance(load(Path(path), {}))
    return [(one.state, one.words("en")) for one in found if one.what == "budget.x"]


def test_check_says_what_a_month_of_the_names_would_bring_and_counts_what_the_counting_cost(
    tmp_path: Path, url: str, opened: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, url, LIMIT)
    ((state, words),) = found(path, Counted(), monkeypatch)
    assert state == "ok"
    assert "0.00 USD of 10.00 USD" in words
    assert "A month of these names would bring 2,000 post: 10.00 USD." in words
    with opened.read() as connection:
        (spent,) = read_budget(connection, load(Path(path), {}), datetime.now(UTC))
    assert spent.units == {"count": 2}


def test_check_names_a_unit_without_a_price_and_a_forecast_that_failed(
    tmp_path: Path, url: str, opened: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, url, LIMIT)
    ((state, words),) = found(path, Counted({"tweet": 100}), monkeypatch)
    assert (state, "tweet has no price" in words) == ("failed", True)
    ((state, words),) = found(path, Counted(error=Unreachable("x", "no answer")), monkeypatch)
    assert (state, "no answer" in words) == ("failed", True)


def test_check_asks_for_no_forecast_that_the_budget_has_no_room_for(
    tmp_path: Path, url: str, opened: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, url, LIMIT)
    with opened.write() as connection:
        add_spending(connection, "x", {"post": 1950}, datetime.now(UTC))
    source = Counted()
    ((state, words),) = found(path, source, monkeypatch)
    assert (state, source.asked) == ("ok", 0), "a used-up budget is no fault"
    assert "9.75 USD of 10.00 USD" in words


def test_check_says_nothing_of_money_for_a_source_that_is_free(
    tmp_path: Path, url: str, opened: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Free:
        def hosts(self) -> frozenset[str]:
            return frozenset()

        def probe(self) -> None:
            pass

        def cost(self, brands: Sequence[Brand]) -> Reason:
            return Reason("free")

    assert found(write(tmp_path, url), Free(), monkeypatch) == []
