"""Two colleagues in two real browsers: one drafts the reply to a regulator, the other signs, the first copies it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.pages.test_pages import case_of
from tests.pages.visit import MAIN, serving, visiting

LEGAL = '\n[departments.legal_regulatory]\npeople = ["Claudia Reyes"]\n'

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, filled: Any) -> Iterator[tuple[str, int]]:
    """Serve a filled instance; give its address and the number of a regulator's case."""
    folder = tmp_path_factory.mktemp("site")
    made = filled(folder)
    number = case_of(made, "p0")
    made.store.close()
    path = folder / "config.toml"
    path.write_text(path.read_text("utf-8") + LEGAL, "utf-8")
    with serving(folder) as url:
        yield url, number


def test_a_reply_is_drafted_signed_copied_and_posted_and_nothing_goes_out_by_itself(
    browser: Any, site: tuple[str, int]
) -> None:
    url, number = site
    clipboard = ["clipboard-read", "clipboard-write"]
    with (
        visiting(browser, url, who="Ana Flores", permissions=clipboard) as ana,
        visiting(browser, url, 390, who="Claudia Reyes", permissions=clipboard) as legal,
    ):
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
