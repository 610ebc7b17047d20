"""Let axe-core look at every page in every state, light and dark, on a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from stakeholders import links
from stakeholders.digest import build, render_html
from stakeholders.edition import running
from tests.pages.site import Site, serving_strangers, settle, walk
from tests.pages.strangers import letters

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# What Streamlit draws and nothing of ours can change, each by its rule and the exact element.
NOT_OURS: tuple[tuple[str, str], ...] = ()
NORM = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")


def examine(page: Any, *only: str) -> list[str]:
    """Let axe look at the page as it stands; give what it finds as lines. `only` names rules, or tags of rules."""
    from axe_playwright_python.sync_playwright import Axe

    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    options = {"resultTypes": ["violations"], "iframes": False} | ({"runOnly": list(only)} if only else {})
    found = page.evaluate("options => axe.run(document, options)", options)["violations"]
    return [
        f"{one['impact']} {one['id']}: {' '.join(map(str, node['target']))}: {node['html'][:160]}: "
        + "; ".join(check["message"] for check in (*node["any"], *node["all"], *node["none"]))[:300]
        for one in found
        for node in one["nodes"]
        if not any(one["id"] == rule and re.search(part, str(node["target"])) for rule, part in NOT_OURS)
    ]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving_strangers(tmp_path_factory.mktemp("axe")) as made:
        yield made


def states(site: Site) -> dict[str, tuple[str, str]]:
    """Give every state of the pages: its name, its address, and the keys that bring it about."""
    made = site.strangers.cases
    return {
        "inbox": ("./", ""),
        "inbox, rows chosen": ("./?priority=important", "jxx"),
        "inbox, keys": ("./?status=all", "?"),
        "inbox, search that cannot be read": ("./?q=from:(", ""),
        "inbox, nothing fits": ("./?brand=brisatel&priority=alert", ""),
        "case": (f"case?id={made['worked on']}", ""),
        "case of many posts": (f"case?id={made['many']}", ""),
        "case that waits for a signature": (f"case?id={made['signing']}", ""),
        "crisis": (f"case?id={made['crisis']}", ""),
        "closed case": (f"case?id={made['closed']}", ""),
        "no such case": ("case?id=999999", ""),
        "pulse": ("pulse?days=7", ""),
        "pulse, nothing heard": ("pulse?days=7&until=2020-01-01", ""),
        "pulse, net": ("pulse?days=7&rows=source&show=net", ""),
        "voices": ("voices?days=7", ""),
        "departments": ("departments?days=7", ""),
        "posts": ("posts", ""),
        "sources": ("sources", ""),
        "accuracy": ("accuracy", ""),
        "digests": ("letters", ""),
        "digest": ("letters?draft=-&brand=nitido", ""),
        "mail": ("letters?mail=evil.eml", ""),
        "settings": ("settings", ""),
    }


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_has_what_people_cannot_read_or_reach(browser: Any, site: Site, width: int) -> None:
    found: dict[str, list[str]] = {}
    with site.visiting(browser, width, color_scheme="light") as page:
        page.goto("/")
        settle(page)
        for name, (address, keys) in states(site).items():
            walk(page, address)
            for key in keys:
                page.keyboard.press(key)
            found[name] = examine(page)
            page.emulate_media(color_scheme="dark")
            settle(page)
            found[f"{name}, dark"] = examine(page, "color-contrast")
            page.emulate_media(color_scheme="light")
            if keys:
                page.keyboard.press("Escape")
        assert {name: lines for name, lines in found.items() if lines} == {}


def test_boxes_that_open_have_neither(browser: Any, site: Site) -> None:
    found: dict[str, list[str]] = {}
    case = f"/case?id={site.strangers.cases['many']}"
    boxes = {"/?priority=important": ("Filter", "Save this view"), case: ("Snooze", "Noise", "More")}
    with site.visiting(browser, 1280, color_scheme="light") as page:
        for address, names in boxes.items():
            page.goto(address)
            settle(page)
            for name in names:
                page.get_by_role("button", name=name).last.click()
                page.locator("[data-testid=stPopoverBody]").wait_for()
                found[name] = examine(page)
                page.keyboard.press("Escape")
        for name in ("Note", "Correct"):
            page.get_by_text(name).first.click()
            found[name] = examine(page)
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto("/")
        settle(page)
        page.get_by_test_id("stExpandSidebarButton").click()
        page.get_by_role("link", name="Pulse").wait_for()
        found["menu"] = examine(page)
        assert {name: lines for name, lines in found.items() if lines} == {}


def test_an_instance_without_posts_or_with_a_broken_file_has_neither(
    browser: Any, site: Site, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: site.turn("config"))
    found: dict[str, list[str]] = {}
    with site.visiting(browser, 1280, color_scheme="light") as page:
        for name, head in (("empty", ".e-first-visit"), ("unheard", ".e-first-visit"), ("broken", "text=broken.toml")):
            site.turn(name)
            page.goto("/")
            settle(page)
            page.locator(head).first.wait_for()
            addresses = ("./",) if name == "broken" else ("./", "sources", "pulse", "accuracy", "settings", "letters")
            for address in addresses:
                if name != "broken":
                    walk(page, address)
                found[f"{name} {address}"] = examine(page)
                page.emulate_media(color_scheme="dark")
                found[f"{name} {address}, dark"] = examine(page, "color-contrast")
                page.emulate_media(color_scheme="light")
        assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_links_and_letters_have_neither(browser: Any, site: Site, scheme: str) -> None:
    instance, made, now = site.strangers.instance, site.strangers.cases, datetime.now(UTC)
    found: dict[str, list[str]] = {}
    with site.visiting(browser, 390, color_scheme=scheme) as page:
        long_ago = now - timedelta(days=400)
        for name, link in {
            "to be pressed": links.sign(instance.config, made["worked on"], "a@example.org"),
            "done already": links.sign(instance.config, made["closed"], "a@example.org"),
            "expired": links.sign(instance.config, made["many"], "a@example.org", now=long_ago),
            "forged": "/api/acknowledge/forged",
            "interface": "/api/docs",
        }.items():
            page.goto(link)
            found[name] = examine(page)
        with instance.store.read() as connection:
            mails = {letter["Subject"]: html for letter, html in letters(connection, instance.config, now)}
            edition = running(instance.config, None, None, now)
            week = build(connection, instance.config, edition, edition.brand, "en", now)
        page.goto("about:blank")  # the policy of a page would go on to hold for what is written into it
        for name, html in [*list(mails.items())[::6], ("week", render_html(week))]:
            page.set_content(html)
            found[name] = examine(page, *NORM)  # landmarks are for pages, not for mails
        assert {name: lines for name, lines in found.items() if lines} == {}


def test_axe_finds_what_is_planted(browser: Any, site: Site) -> None:
    with site.visiting(browser, 390) as page:
        page.set_content("<main><h1>x</h1><img src='data:,'><p style='color:#999;background:#fff'>pale</p></main>")
        assert {line.split()[1] for line in examine(page)} >= {"image-alt:", "color-contrast:", "html-has-lang:"}
