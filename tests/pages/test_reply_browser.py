"""Two colleagues in two real browsers: one drafts the reply to a regulator, the other signs, the first copies it."""

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
from tests.pages.test_pages import case_of

ROOT = Path(__file__).resolve().parents[2]
LEGAL = '\n[departments.legal_regulatory]\npeople = ["Claudia Reyes"]\n'

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """Serve a filled instance; give its address and the number of a regulator's case."""
    folder = tmp_path_factory.mktemp("site")
    made = request.getfixturevalue("filled")(folder)
    number = case_of(made, "p0")
    made.store.close()
    path = folder / "config.toml"
    path.write_text(path.read_text("utf-8") + LEGAL, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard.py"), "--server.headless", "true"]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.fileWatcherType", "none"]
    environment = os.environ | {"ESCUCHA_CONFIG": str(path), "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}
    environment.pop("ESCUCHA_STORE", None)
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "started on" in line or "URL" in line:
            break
    drain = threading.Thread(target=process.stdout.read, daemon=True)
    drain.start()
    yield f"http://127.0.0.1:{port}", number
    process.terminate()
    process.wait(20)
    drain.join(5)
    process.stdout.close()


def reader(browser: Any, url: str, name: str, width: int) -> Any:
    """Open a browser of its own for a person."""
    context = browser.new_context(viewport={"width": width, "height": 800}, base_url=url)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
    context.add_cookies([{"name": "escucha_who", "value": name.replace(" ", "%20"), "url": url}])
    page = context.new_page()
    page.set_default_timeout(20_000)
    return page


def test_a_reply_is_drafted_signed_copied_and_posted_and_nothing_goes_out_by_itself(
    chromium: str, site: tuple[str, int]
) -> None:
    from playwright.sync_api import sync_playwright

    url, number = site
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        ana = reader(browser, url, "Ana Flores", 1280)
        outside: list[str] = []
        ana.on(
            "request",
            lambda request: (
                outside.append(request.url) if not request.url.startswith((url, "data:", "blob:")) else None
            ),
        )
        ana.goto(f"/case?id={number}&lang=en")
        ana.get_by_role("button", name="Answered", exact=True).wait_for()
        assert ana.get_by_role("button", name="Answered", exact=True).is_disabled()
        box = ana.get_by_role("textbox", name="Reply")
        box.fill("Saludos. Respondemos por el canal formal.")
        ana.get_by_role("button", name="Keep the draft").click()
        ana.get_by_role("button", name="Send to Legal and regulatory to be signed").click()
        ana.get_by_text("To be signed by Legal and regulatory: Claudia Reyes").wait_for()
        assert ana.get_by_test_id("stCode").count() == 0

        legal = reader(browser, url, "Claudia Reyes", 390)
        legal.goto(f"/case?id={number}&lang=en")
        legal.get_by_role("button", name="Sign", exact=True).click()
        legal.get_by_test_id("stCode").wait_for()
        assert legal.evaluate(f"document.querySelector('{MAIN}').scrollWidth") <= 390

        ana.goto(f"/case?id={number}&lang=en")
        ana.get_by_test_id("stCode").hover()
        ana.get_by_test_id("stCode").get_by_role("button").first.click()
        assert ana.evaluate("navigator.clipboard.readText()") == "Saludos. Respondemos por el canal formal."
        ana.get_by_role("button", name="I have posted it: answered").click()
        ana.locator(".e-time li", has_text="answered").wait_for()
        ana.get_by_role("button", name="Open again").wait_for()
        assert outside == []
        browser.close()
