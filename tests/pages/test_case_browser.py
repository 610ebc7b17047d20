"""A case in a real Chromium: all of it stands on one screen, what is long scrolls in its panel, two keys correct it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from listener.reason import reason, to_json
from listener.store import mentions, posts
from sentiment.store import read_verdict
from stakeholders.case import acknowledge, close, join, note, record
from stakeholders.store import case_mentions, cases, spikes
from tests.pages.hand import IDLE, WALKING
from tests.pages.test_pages import case_of
from tests.pages.visit import MAIN, serving, visiting

LEGAL = '\n[departments.legal_regulatory]\npeople = ["Claudia Reyes"]\n'
LONG = "Nítido no contesta y sigo sin internet. " * 120

# Where everything of a case stands, and what of it is cut off.
MEASURE = """() => {
  const place = (one) => {
    const box = one.getBoundingClientRect();
    return { top: box.top, bottom: box.bottom, left: box.left, right: box.right, height: box.height,
             scrolls: one.scrollHeight > one.clientHeight + 1,
             reached: one.tabIndex === 0 || !!one.querySelector("button, a") };
  };
  const drawn = (one) => one.getClientRects().length > 0;
  const all = (wanted) => [...document.querySelectorAll(wanted)].filter(drawn).map(place);
  const main = document.querySelector("[data-testid=stMain]");
  return {
    page: [main.scrollHeight - main.clientHeight, main.scrollWidth - main.clientWidth],
    panes: all(".e-pane"),
    work: all("[data-testid=stLayoutWrapper]:has(> .st-key-case-steps)"),
    must: all(".e-ahead :is(a, h1), .st-key-case-bar button, .st-key-case-owner input, .st-key-case-steps [role=tab]"),
    said: all(".st-key-case-post .e-post, .st-key-case-post .e-legal").slice(0, 1),
    post: all(".st-key-case-post .e-pane"),
    newest: all(".st-key-case-history li").slice(0, 1),
    history: all(".st-key-case-history .e-pane"),
  };
}"""

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def _prepare(made: Any) -> dict[str, int]:
    """Make five kinds of cases of the instance: their numbers by name."""
    now = datetime.now(UTC)
    found = {
        "press": case_of(made, "p5"),
        "regulator": case_of(made, "p0"),
        "thread": case_of(made, "p1"),
        "employee": case_of(made, "p4"),
        "closed": case_of(made, "p6"),
        "long": case_of(made, "p2"),
    }
    with made.store.write() as connection:
        for native_id in ("p3", "p100", "p101", "p102", "p103", "p104", "p105"):
            other = sa.select(mentions.c.id).join(posts).where(posts.c.native_id == native_id)
            mention = connection.scalars(other).first()
            if mention is None:
                continue
            connection.execute(case_mentions.delete().where(case_mentions.c.mention_id == mention))
            join(connection, made.config.settings, found["thread"], mention, "thread", "important", now)
        for number in range(30):
            note(connection, found["closed"], "Ana Flores", now - timedelta(minutes=number), f"nota {number} " * 12)
        acknowledge(connection, found["closed"], "Ana Flores", now)
        close(connection, found["closed"], "Ana Flores", now + timedelta(minutes=1), "listo")
        connection.execute(posts.update().where(posts.c.native_id == "p2").values(text=LONG))
        found["crisis"] = _add_crisis(connection, now)
    return found


def _add_crisis(connection: sa.Connection, now: datetime) -> int:
    row = {
        "key": "crisis:nitido:1", "brand": "nitido", "department": "network_quality", "copies": ["communications"],
        "priority": "alert", "rank": 0, "stakeholder": "customer", "status": "new", "kind": "crisis",
        "opened_at": now, "due_at": now + timedelta(hours=1), "version": 1,
    }  # fmt: skip
    number = int(connection.execute(cases.insert().values(**row).returning(cases.c.id)).scalar_one())
    record(connection, number, now, "escucha", "opened", None, {"department": "network_quality"})
    told = "{count} mentions since {quote_since}, {low} to {high} were expected"
    parts = to_json([reason(told, count=61, quote_since="09:00", low=2, high=9)])
    spike = {"brand": "nitido", "measure": "all", "hour": int(now.timestamp() // 3600) - 24 * 30, "found_at": now}
    spike |= {"observed": 61, "expected": 5.2, "low": 2.4, "high": 8.6, "sample": 24, "case_id": number}
    spike["cause"] = {"parts": parts, "words": ["señal"], "source": "social", "country": "PE", "texts": 40}
    connection.execute(spikes.insert().values(**spike))
    return number


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, filled: Any) -> Iterator[tuple[str, Any, Any]]:
    """Serve the instance; give its address, itself, and the numbers of its cases."""
    folder = tmp_path_factory.mktemp("site")
    made = filled(folder, more=6)
    found = _prepare(made)
    path = folder / "config.toml"
    path.write_text(path.read_text("utf-8") + LEGAL, "utf-8")
    with serving(folder) as url:
        yield url, made, found
    made.store.close()


@pytest.fixture(scope="module")
def page(browser: Any, house: tuple[str, Any, Any]) -> Iterator[Any]:
    """Open a case at 1280 × 800 as a person whose name the browser knows."""
    url, _, found = house
    with visiting(browser, url, 1280, 800, who="Ana Flores") as opened:
        opened.goto(f"/case?id={found['press']}&lang=en")
        opened.locator(".e-pane").first.wait_for()
        yield opened


def go(page: Any, number: int, lang: str = "en") -> Any:
    """Go to a case as a link of the pages does, and measure it once it is drawn."""
    page.evaluate(WALKING, f"/case?id={number}&lang={lang}")
    page.locator(f'[data-case="{number}"]').wait_for()
    page.wait_for_function(IDLE)
    page.locator(".st-key-case-steps [role=tab]").first.wait_for()
    return page.evaluate(MEASURE)


@pytest.mark.parametrize("name", ["press", "regulator", "thread", "employee", "crisis", "closed", "long"])
def test_all_of_a_case_stands_on_one_screen(page: Any, house: tuple[str, Any, Any], name: str) -> None:
    for lang in ("en", "es") if name in ("regulator", "thread") else ("en",):  # long words, many of them
        seen = go(page, house[2][name], lang)
        assert seen["page"] == [0, 0], "the page itself never scrolls"
        parts = [*seen["panes"], *seen["work"]]
        assert len(parts) >= (4 if name == "crisis" else 5)
        for one in [*parts, *seen["must"]]:
            assert one["top"] >= 0
            assert one["left"] >= 248
            assert one["right"] <= 1280
            assert one["bottom"] <= 800
        for one in parts:
            assert one["height"] >= 70
            assert one["reached"], "who has no mouse can scroll it"
            for other in parts:
                apart = one["bottom"] <= other["top"] or other["bottom"] <= one["top"]
                assert one is other or apart or one["right"] <= other["left"] or other["right"] <= one["left"]
        assert seen["newest"][0]["bottom"] <= seen["history"][0]["bottom"], "the newest line is in view"
        if seen["said"]:
            assert seen["said"][0]["top"] < seen["post"][0]["bottom"] - 20


def test_what_is_long_scrolls_inside_its_own_panel(page: Any, house: tuple[str, Any, Any]) -> None:
    assert go(page, house[2]["long"])["post"][0]["scrolls"]
    seen = go(page, house[2]["closed"])
    assert seen["history"][0]["scrolls"]
    page.locator(".st-key-case-history .e-pane").focus()
    page.keyboard.press("End")
    page.wait_for_function("document.querySelector('.st-key-case-history .e-pane').scrollTop > 0")


def test_the_words_that_named_the_brand_and_those_that_decided_are_told_apart(
    page: Any, house: tuple[str, Any, Any]
) -> None:
    go(page, house[2]["thread"])
    assert page.locator(".st-key-case-post mark").first.inner_text() == "Nítido"
    assert page.locator(".e-thread summary").count() >= 5
    go(page, house[2]["employee"])
    assert "author withheld" in page.locator(".st-key-case-post").inner_text()
    assert "tele_tecnico" not in page.locator(MAIN).inner_html()


def test_a_label_is_corrected_in_two_keys_and_the_page_tells_both_values(
    page: Any, house: tuple[str, Any, Any]
) -> None:
    _, made, found = house
    go(page, found["long"])
    keys = [one.inner_text() for one in page.locator(".e-mend kbd").all()]
    assert keys == ["1", "2", "3", "4", "5"]
    page.keyboard.press("1")
    wanted = page.locator("dialog#e-label-sentiment[open] [data-value=positive]")
    wanted.wait_for()
    page.keyboard.press(wanted.get_attribute("data-press"))
    row = page.locator('[data-row="sentiment"]')
    row.locator("s", has_text="neutral").wait_for()
    assert "helps" in row.inner_text()
    assert "Ana Flores" in row.inner_text()
    with made.store.read() as connection:
        query = sa.select(mentions.c.id).join(posts).where(posts.c.native_id == "p2")
        verdict = read_verdict(connection, int(connection.scalars(query).first() or 0))
    assert verdict is not None
    assert verdict.sentiment.name == "positive"
