"""The page of a crisis: what rises, against what was expected, and the single cases, each a link."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest

from listener.reason import reason, to_json
from stakeholders.case import record
from stakeholders.store import cases, spikes
from tests.pages.test_pages import case_of, draw, markup

EVIL = "<b onclick=1>señal</b>"


@pytest.fixture
def crisis(instance: Any) -> int:
    """Write a crisis of which the instance's complaints are part."""
    now = datetime.now(UTC)
    parts = [
        reason("{count} mentions since {quote_since}, {low} to {high} were expected", count=61, quote_since="09:00",
               low=2, high=9),
        reason("they say «{quote_words}»", quote_words=EVIL),
    ]  # fmt: skip
    row = {
        "key": "crisis:nitido:1", "brand": "nitido", "department": "network_quality", "copies": ["communications"],
        "priority": "alert", "rank": 0, "stakeholder": "customer", "status": "new", "kind": "crisis",
        "opened_at": now, "due_at": now + timedelta(hours=1), "version": 1,
    }  # fmt: skip
    with instance.store.write() as connection:
        number = int(connection.execute(cases.insert().values(**row).returning(cases.c.id)).scalar_one())
        record(connection, number, now, "escucha", "opened", None, {"department": "network_quality"})
        spike = {"brand": "nitido", "measure": "all", "hour": int(now.timestamp() // 3600) - 24 * 30, "found_at": now}
        spike |= {"observed": 61, "expected": 5.2, "low": 2.4, "high": 8.6, "sample": 24, "case_id": number}
        spike["cause"] = {"parts": to_json(parts), "words": [EVIL], "source": "demo-x", "country": "PE", "texts": 40}
        connection.execute(spikes.insert().values(**spike))
    return number


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ("Crisis", "61 mentions since 09:00", "2 to 9; 61 came", "still on", "x · Peru")),
        ("es", ("Crisis", "61 menciones desde 09:00", "sigue", "x · Perú")),
    ],
)
def test_the_page_tells_the_rise_and_leads_to_the_single_cases(
    instance: Any, crisis: int, lang: str, words: tuple[str, ...]
) -> None:
    test = draw("case", str(instance.folder), {"id": str(crisis)}, lang, "Ana Flores").run()
    assert not test.exception
    shown = markup(test)
    for one in words:
        assert one in unescape(shown)
    assert EVIL not in shown, "words of strangers are text"
    assert EVIL in unescape(shown)
    single = case_of(instance, "p1")
    assert f"id={single}" in unescape(shown)
    single_page = draw("case", str(instance.folder), {"id": str(single)}, lang, "Ana Flores").run()
    assert "2 to 9" not in unescape(markup(single_page))
