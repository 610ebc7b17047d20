"""Follow a figure to its posts in a real Chromium: by mouse on a bar of the chart, by keyboard through the table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.pages.visit import MAIN, serving, visiting

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, filled: Any) -> Iterator[str]:
    """Serve a filled instance; give its address."""
    folder = tmp_path_factory.mktemp("site")
    filled(folder, more=30).store.close()
    with serving(folder) as url:
        yield url


@pytest.mark.parametrize(("width", "lang"), [(1280, "en"), (390, "es")])
def test_a_bar_and_a_number_of_the_table_open_the_posts_that_they_count(
    browser: Any, site: str, width: int, lang: str
) -> None:
    with visiting(browser, site, width, 900, wait=45_000) as page:
        follow(page, lang)


def follow(page: Any, lang: str) -> None:
    page.goto(f"/pulse?days=7&lang={lang}")
    chart = page.locator("[data-testid=stVegaLiteChart]").first
    chart.wait_for()
    harms = "daña" if lang == "es" else "harms"
    bars = chart.locator(f"path[aria-roledescription=bar][aria-label*='· {harms}: ']")
    bars.first.wait_for()
    told = [bar.bounding_box() for bar in bars.all()]
    box = max((one for one in told if one), key=lambda one: one["height"])
    page.evaluate("window.same = true")
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_url("**/posts?since=*&sentiment=negative*")
    page.locator(".e-heard .e-card").first.wait_for()
    assert page.evaluate("window.same === true"), "the page was not loaded anew: the session is the same"
    counted = int(page.locator(".e-nums b").inner_text())
    assert page.locator(".e-heard .e-card").count() == min(30, counted)
    assert page.locator(".e-heard .e-mood.negative").count() == min(30, counted)
    page.go_back()
    page.locator(".e-lead").wait_for()
    assert page.evaluate("window.same === true")
    summary = page.locator("details:has(.e-days) summary")
    summary.focus()
    page.keyboard.press("Enter")
    day = page.locator(".e-days td a").first
    told, there = day.inner_text(), day.get_attribute("href")
    day.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{there}")
    page.locator(".e-heard .e-card").first.wait_for()
    assert page.locator(".e-nums b").inner_text() == told, "the table is the chart for the keyboard"
    page.go_back()
    page.locator(".e-lead").wait_for()
    assert page.evaluate(f"document.querySelector('{MAIN}').scrollWidth <= innerWidth"), "nothing sticks out"
    cell = page.locator(".e-heat tbody td a").first
    words, address = cell.inner_text(), cell.get_attribute("href")
    cell.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{address}")
    page.locator(".e-heard .e-card").first.wait_for()
    assert page.locator(".e-nums b").inner_text() == words
    for name in ("voices", "departments"):
        page.goto(f"/{name}?days=7&lang={lang}")
        page.locator(".e-table, .e-work").first.wait_for()
        assert page.evaluate(f"document.querySelector('{MAIN}').scrollWidth <= innerWidth"), name
