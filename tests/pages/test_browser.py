"""Use the dashboard as people do, in a real Chromium: triage a case and share a view."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest

from tests.pages.visit import MAIN, serving, visiting
from tests.servers import web

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def tracker() -> Iterator[web.Web]:
    """Listen for requests: a page that shows a stranger's words must cause none."""
    with web.serving(lambda _: web.Answer(status=204)) as made:
        yield made
        assert made.asked == []


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, tracker: web.Web, filled: Any) -> Iterator[str]:
    """Serve a filled instance; give its address."""
    folder = tmp_path_factory.mktemp("site")
    filled(folder, tracker.url, 60).store.close()
    letters = folder / "letters"
    letters.mkdir()
    letter = EmailMessage()
    letter["To"], letter["Subject"] = "care@example.org", "Alerta <script>window.__hit=1</script>"
    letter.set_content("plain")
    letter.add_alternative(
        f'<h1>Alerta</h1><img src="{tracker.url}/mail.png"><script>parent.__hit=1</script><a href="https://a.example">x</a>',
        subtype="html",
    )
    (letters / "1.eml").write_bytes(letter.as_bytes())
    with serving(folder, ESCUCHA_DEMO_INBOX=str(letters)) as url:
        yield url


@pytest.fixture
def page(browser: Any, site: str) -> Iterator[Any]:
    with visiting(browser, site) as opened:
        yield opened


def test_a_case_is_filtered_opened_acknowledged_and_seen_in_its_history(page: Any) -> None:
    page.goto("/")
    page.locator("a.e-row").first.wait_for()
    assert page.get_by_role("combobox", name="I am").input_value() == "", "nobody until it is said"
    sign(page, "Ana Flores")
    assert page.locator("a.e-row").count() == 50
    page.get_by_role("link", name="Next page").click()
    page.get_by_role("link", name="Most urgent").wait_for()
    page.go_back()
    page.locator("a.e-chip", has_text="alert").first.click()
    page.wait_for_url("**/?priority=alert")
    page.locator("a.e-chip.on", has_text="alert").wait_for()
    row = page.locator("a.e-row", has_text="artel_regula")
    row.click()
    page.wait_for_url("**/case?priority=alert&id=*")
    page.get_by_role("button", name="I have seen it").click()
    page.locator(".e-time li", has_text="acknowledged").wait_for()
    page.get_by_role("button", name="I have seen it").wait_for(state="detached")
    page.keyboard.press("u")
    page.wait_for_url("**/?priority=alert")
    page.locator("a.e-row", has_text="artel_regula").wait_for()


def sign(page: Any, name: str) -> None:
    """Say who is working, as a person does, and wait until the browser keeps it."""
    box = page.get_by_role("combobox", name="I am")
    box.fill(name)
    box.press("Enter")
    page.wait_for_function("name => document.cookie.includes(encodeURIComponent(name))", arg=name)


def test_a_filter_from_the_list_changes_the_address_and_the_rows(page: Any) -> None:
    page.goto("/")
    page.locator("a.e-row").first.wait_for()
    page.get_by_role("button", name="Filter").click()
    box = page.get_by_role("combobox", name="Who speaks")
    box.fill("regulator")
    box.press("Enter")
    page.wait_for_url("**stakeholder=regulator**")
    page.wait_for_function("document.querySelectorAll('a.e-row').length === 1")
    page.locator(".e-queues a", has_text="All departments").locator("i", has_text="1").wait_for()


def test_a_shared_link_opens_the_same_view_in_another_browser(page: Any) -> None:
    page.goto("/?stakeholder=regulator&lang=en")
    page.locator("a.e-row").first.wait_for()
    assert page.locator("a.e-row").count() == 1


def test_the_name_of_the_reader_outlives_the_tab(page: Any, browser: Any) -> None:
    page.goto("/")
    sign(page, "Ana Flores")
    other = page.context.new_page()
    other.goto("/sources")
    other.get_by_text("Set aside: what could not be read").wait_for()
    other.wait_for_function("document.querySelector('[data-testid=stSidebar]').innerHTML.includes('Ana Flores')")


def test_the_language_outlives_the_page_and_adds_no_step_to_the_way_back(page: Any) -> None:
    page.goto("/sources")
    page.locator(f"{MAIN} h1", has_text="Sources").wait_for()
    page.get_by_role("link", name="Pulse").click()
    page.locator(f"{MAIN} h1", has_text="Pulse").wait_for()
    steps = page.evaluate("history.length")
    page.get_by_role("radio", name="PT").or_(page.get_by_role("button", name="PT")).first.click()
    page.wait_for_function("document.cookie.includes('escucha_lang=pt')")
    assert page.evaluate("history.length") == steps
    page.go_back()
    page.locator(f"{MAIN} h1", has_text="Fontes").wait_for()
    page.reload()
    page.locator(f"{MAIN} h1", has_text="Fontes").wait_for()


def test_on_a_phone_the_side_bar_folds_and_the_steps_come_before_the_history(browser: Any, site: str) -> None:
    with visiting(browser, site, 390, 844) as page:
        page.goto("/")
        page.locator("a.e-row").first.wait_for()
        page.get_by_test_id("stExpandSidebarButton").click()
        page.get_by_role("link", name="Pulse").click()
        page.locator(f"{MAIN} h1", has_text="Pulse").wait_for()
        page.get_by_test_id("stExpandSidebarButton").wait_for()
        facts = page.locator(".e-facts.two")
        facts.locator("dd").first.wait_for()
        assert min(one.bounding_box()["width"] for one in facts.locator("dd").all()) > 5
        page.go_back()
        page.locator("a.e-row").first.click()
        page.get_by_role("button", name="Keep the draft").wait_for()
        names = ("bar", "post", "steps", "owner", "sent", "labels", "history")
        places = [page.locator(f".st-key-case-{name}").bounding_box()["y"] for name in names]
        assert places == sorted(set(places))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone(browser: Any, site: str, scheme: str) -> None:
    with visiting(browser, site, 390, 844, color_scheme=scheme) as page:
        page.goto("/")
        page.locator("a.e-row").first.wait_for()
        case = page.locator("a.e-row").first.get_attribute("href")
        for address in ("/", f"/{case}", "/pulse", "/sources", "/accuracy", "/letters"):
            page.goto(address)
            page.locator(f"{MAIN} .stHtml h1").first.wait_for()
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
            assert page.evaluate(f"document.querySelector('{MAIN}').scrollWidth") <= 390, address
