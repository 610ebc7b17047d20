"""Open every page, letter and export with fifty hostile posts in every field: they are text and do nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from stakeholders import links
from stakeholders.casework.export import export_case
from stakeholders.digest import build, render_html, render_pdf, render_text
from stakeholders.edition import running
from tests.pages.site import Site, serving_strangers, settle, walk
from tests.pages.strangers import MARK, letters

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOK = Path(__file__).with_name("look.js").read_text("utf-8")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving_strangers(tmp_path_factory.mktemp("hostile")) as made:
        yield made


@contextmanager
def watched(browser: Any, site: Site, width: int, **more: Any) -> Iterator[tuple[Any, list[str]]]:
    """Open a page of which every request elsewhere, dialog and window is written down; in the end there was none.

    What a policy stopped before it left the browser is none.
    """
    told: list[str] = []

    def note(request: Any) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob", "about") and address.netloc != urlsplit(site.url).netloc:
            told.append(f"request: {request.url[:200]}")

    def forgive(request: Any) -> None:
        if request.failure == "csp":
            told.remove(f"request: {request.url[:200]}")

    with site.visiting(browser, width, **more) as page:
        page.context.on("request", note)
        page.context.on("requestfailed", forgive)
        page.context.on("page", lambda one: told.append(f"window: {one.url}"))
        page.on("dialog", lambda one: (told.append(f"dialog: {one.message}"), one.dismiss()))
        page.on("websocket", note)
        yield page, told
        assert told == []
        assert site.tracker.asked == []


def addresses(site: Site) -> Iterator[str]:
    """Give every page, and addresses whose every part a stranger wrote."""
    yield from ("./", "./?status=all", "./?status=closed", "posts", "voices?days=7", "departments?days=7")
    yield from ("pulse?days=7", "pulse?days=7&rows=source&columns=stakeholder", "sources", "accuracy", "letters")
    yield "settings"
    yield from ("letters?draft=-&brand=nitido", "letters?draft=care&brand=nitido&as=es")
    yield from (f"case?id={number}" for number in site.strangers.cases.values())
    for n in (3, 21, 24, 30, 33, 39):
        text = site.strangers.texts[n]
        names = ("q", "department", "source", "owner", "status", "after", "brand", "lang", "stakeholder", "priority")
        yield "./?" + urlencode(dict.fromkeys(names, text))
    text = site.strangers.texts[3]
    yield "./?" + urlencode({"owner": text, "status": "all"})
    yield "posts?" + urlencode(dict.fromkeys(("q", "body", "source", "since", "until", "brand", "after"), text))
    yield "case?" + urlencode({"id": text, "q": text})
    yield "pulse?" + urlencode(dict.fromkeys(("days", "until", "brand", "rows", "columns", "show"), text))
    yield "letters?" + urlencode({"digest": text, "as": text})
    yield "letters?" + urlencode({"draft": text, "brand": text})
    yield "accuracy?" + urlencode({"engine": text})


@pytest.mark.parametrize("width", [1280, 390])
def test_fifty_hostile_posts_do_nothing_on_any_page(browser: Any, site: Site, width: int) -> None:
    # Without the policy of the server, which would stop much of it: the markup alone must hold.
    with watched(browser, site, width, bypass_csp=True) as (page, _):
        evil = quote(site.strangers.texts[3][:70])
        names = ({"name": "escucha_who", "value": evil}, {"name": "escucha_lang", "value": evil})
        page.context.add_cookies([{**one, "url": site.url} for one in names])
        page.goto("/")
        settle(page)
        wrong: dict[str, list[str]] = {}
        seen: set[int] = set()
        for address in addresses(site):
            walk(page, address)
            onward = page.locator(".e-nav a", has_text="→").and_(page.locator("[href*='after=']"))
            for turn in range(3):
                told = page.evaluate(LOOK, [MARK, site.tracker.url])
                seen |= set(told["shown"])
                if told["found"]:
                    wrong[f"{address[:80]} #{turn}"] = told["found"][:5]
                if not onward.count() or turn == 2:
                    break
                walk(page, onward.first.get_attribute("href"))
        assert wrong == {}
        assert seen >= set(range(50)), "every one of them stood somewhere"


def test_what_a_stranger_wrote_stands_there_as_it_was_written(browser: Any, site: Site) -> None:
    with watched(browser, site, 1280) as (page, _):
        page.goto(f"/case?id={site.strangers.cases['many']}")
        settle(page)
        page.locator(".st-key-case-history li").first.wait_for()
        history = page.locator(".st-key-case-history").inner_text()
        for n in (0, 2, 4, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 36):
            line = " ".join(site.strangers.texts[n].split())
            assert line in " ".join(history.split()), n
        assert "⇄gnp.exe" in history


def test_a_mail_of_the_sink_runs_nothing_and_loads_nothing(browser: Any, site: Site) -> None:
    with watched(browser, site, 1280) as (page, _):
        for name in ("evil.eml", "0.eml"):
            page.goto(f"/letters?mail={name}")
            settle(page)
            page.frame_locator("iframe[sandbox]").locator("h1").first.wait_for()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.__hit === undefined")


def test_letters_and_digests_hold_no_markup_of_strangers(browser: Any, site: Site) -> None:
    instance, now = site.strangers.instance, datetime.now(UTC)
    with instance.store.read() as connection:
        pages = [html for _, html in letters(connection, instance.config, now)]
        for name, lang in ((None, "es"), ("care", "en")):
            edition = running(instance.config, name, None, now)
            made = build(connection, instance.config, edition, edition.brand, lang, now)
            pages.append(render_html(made))
            assert "<script" not in pages[-1]
            assert render_text(made)
            assert_harmless(render_pdf(made))
    assert sum(MARK in one for one in pages) >= 30
    with watched(browser, site, 600) as (page, _):
        for html in pages:
            page.set_content(html, wait_until="domcontentloaded")
            told = page.evaluate(LOOK, [MARK, site.tracker.url])
            assert told["found"] == []


def test_pages_of_links_hold_no_markup_of_strangers(browser: Any, site: Site) -> None:
    instance, made = site.strangers.instance, site.strangers.cases
    with watched(browser, site, 390, bypass_csp=True) as (page, _):
        for case, action in (("many", "assign"), ("closed", "acknowledge"), ("worked on", "snooze-hour")):
            link = links.sign(instance.config, made[case], site.strangers.texts[3], action)
            page.goto(link)
            assert page.evaluate(LOOK, [MARK, site.tracker.url])["found"] == []
            button = page.get_by_role("button")
            if button.count():
                button.click()
                page.locator("main h1").wait_for()
                assert page.evaluate(LOOK, [MARK, site.tracker.url])["found"] == []
        page.goto(f"/api/acknowledge/{quote(site.strangers.texts[3], safe='')}")
        assert page.evaluate(LOOK, [MARK, site.tracker.url])["found"] == []


def test_exports_hold_them_as_text(site: Site) -> None:
    instance, made = site.strangers.instance, site.strangers.cases
    with instance.store.read() as connection:
        for number in made.values():
            told = export_case(connection, instance.config, number, "json", datetime.now(UTC))
            assert isinstance(json.loads(told), dict)
            assert_harmless(export_case(connection, instance.config, number, "pdf", datetime.now(UTC)))
        told = export_case(connection, instance.config, made["many"], "json", datetime.now(UTC))
    assert site.strangers.texts[0] in json.dumps(json.loads(told), ensure_ascii=False)


def assert_harmless(paper: bytes) -> None:
    """Refuse a PDF that runs, opens, embeds or links to what a stranger named."""
    assert paper.startswith(b"%PDF")
    assert not re.search(rb"/(JavaScript|JS|Launch|EmbeddedFile|RichMedia|SubmitForm|GoToR|ImportData)\b", paper)
    for target in re.findall(rb"/URI \(([^)]*)\)", paper):
        assert MARK.encode() not in target
        assert target.startswith((b"http://127.0.0.1:", b"https://"))
