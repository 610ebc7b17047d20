"""Follow a figure to its posts in a real Chromium: by mouse on a bar of the chart, by keyboard through the table."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pages.test_browser import FLAGS, MAIN

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[str]:
    """Serve a filled instance; give its address."""
    folder = tmp_path_factory.mktemp("site")
    request.getfixturevalue("filled")(folder, more=30).store.close()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard.py"), "--server.headless", "true"]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.fileWatcherType", "none"]
    environment = os.environ | {
        "ESCUCHA_CONFIG": str(folder / "config.toml"),
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    }
    environment.pop("ESCUCHA_STORE", None)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "started on" in line or "URL" in line:
            break
    drain = threading.Thread(target=process.stdout.read, daemon=True)
    drain.start()
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(20)
    drain.join(5)
    process.stdout.close()


@pytest.mark.parametrize(("width", "lang"), [(1280, "en"), (390, "es")])
def test_a_bar_and_a_number_of_the_table_open_the_posts_that_they_count(
    chromium: str, site: str, width: int, lang: str
) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_context(viewport={"width": width, "height": 900}, base_url=site).new_page()
        page.set_default_timeout(45_000)
        try:
            follow(page, lang)
        finally:
            browser.close()


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
