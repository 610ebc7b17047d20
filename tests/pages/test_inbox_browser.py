"""Work through the inbox in a real Chromium, by mouse, by keyboard and on a phone; whole tasks stand in errands.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from listener.reason import say
from stakeholders.case import assign, history, read_case
from stakeholders.lists.attention import look
from stakeholders.store import cases
from tests.pages.visit import serving, visiting

ROWS = ".e-item"
WAYS = [("mouse", "en", 1280), ("keys", "en", 1280), ("mouse", "es", 390)]
WAIT = 15_000

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, filled: Any) -> Iterator[tuple[str, Any]]:
    """Serve a filled instance; give its address and the instance."""
    folder = tmp_path_factory.mktemp("site")
    made = filled(folder, more=60)
    with serving(folder) as url:
        yield url, made
    made.store.close()


@pytest.fixture
def desk(request: pytest.FixtureRequest, browser: Any, house: tuple[str, Any]) -> Iterator[Desk]:
    """Open the inbox as a person whose browser knows the name."""
    way, lang, width = getattr(request, "param", WAYS[0])
    url, made = house
    who = f"{way} {lang} {datetime.now(UTC):%M%S%f}"
    with visiting(browser, url, width, 844, who=who, lang=lang, wait=WAIT) as page:
        yield Desk(page, made, way, lang, who)


class Desk:
    """Do what a person does, by mouse or by keys."""

    def __init__(self, page: Any, made: Any, way: str, lang: str, who: str) -> None:
        self.page, self.made, self.way, self.lang, self.who = page, made, way, lang, who

    def open(self, query: str = "status=open") -> None:
        self.page.goto(f"/?{query}")
        self.page.locator(".e-act.live").wait_for()

    def t(self, words: str, **facts: Any) -> str:
        return say(words, self.lang, **facts)

    def ids(self) -> list[int]:
        return [int(one) for one in self.page.eval_on_selector_all(ROWS, "all => all.map(one => one.dataset.id)")]

    def stand_on(self, place: int) -> None:
        """Go to a row by keys."""
        wanted = str(self.ids()[place])
        self.page.locator("body").press("j")
        for _ in range(60):
            at = self.page.locator(f"{ROWS}.at").get_attribute("data-id")
            if at == wanted:
                return
            self.page.keyboard.press("j" if self.ids().index(int(at)) < place else "k")
        raise AssertionError("never came there")

    def choose(self, *places: int) -> list[int]:
        ids = self.ids()
        for place in places:
            if self.way == "mouse":
                self.page.locator(f"{ROWS} input").nth(place).click()
            else:
                self.stand_on(place)
                self.page.keyboard.press("x")
        self.page.locator(".e-act.some").wait_for()
        return [ids[place] for place in places]

    def do(self, step: str, key: str) -> None:
        if self.way == "mouse":
            self.page.locator(f".e-act [data-do={step}]").click()
        else:
            self.page.keyboard.press(key)

    def undo(self) -> None:
        if self.way == "mouse":
            self.page.locator(".e-undo [data-do=undo]").click()
        else:
            self.page.keyboard.press("z")

    def told(self, text: str) -> None:
        self.page.locator(".e-undo", has_text=text).wait_for()

    def read(self, number: int) -> Any:
        with self.made.store.read() as connection:
            return read_case(connection, number)

    def what(self, number: int) -> list[str]:
        with self.made.store.read() as connection:
            return [event.what for event in history(connection, number)]


both = pytest.mark.parametrize("desk", WAYS, indirect=True, ids=lambda way: "-".join(map(str, way)))


@both
def test_noise_asks_why_and_a_snooze_lasts_until_tomorrow_at_nine(desk: Desk) -> None:
    desk.open()
    (noise,) = desk.choose(6)
    desk.do("ask-noise", "d")
    box = desk.page.locator("#e-noise input")
    box.fill("una broma <b>vieja</b>")
    if desk.way == "mouse":
        desk.page.locator("#e-noise [data-do]").click()
    else:
        box.press("Enter")
    desk.told(desk.t("1 case put away as noise"))
    desk.page.locator(f'[data-id="{noise}"]').wait_for(state="detached")
    (later,) = desk.choose(6)
    desk.do("snooze", "s")
    desk.told(desk.t("1 case put off to tomorrow, 9:00"))
    assert desk.read(noise).status == "dismissed"
    slept = desk.read(later)
    assert slept.status == "snoozed"
    assert slept.snoozed_until.astimezone(desk.made.config.zone).hour == 9


@both
def test_a_range_is_chosen_and_let_go(desk: Desk) -> None:
    desk.open()
    if desk.way == "mouse":
        desk.page.locator(f"{ROWS} input").nth(1).click()
        desk.page.locator(f"{ROWS} input").nth(4).click(modifiers=["Shift"])
        desk.page.locator("[data-count]", has_text=desk.t("{n} chosen", n=4)).wait_for()
        desk.page.locator("[data-all]").click()
    else:
        desk.page.locator("body").press("*")
    count = len(desk.ids())
    desk.page.locator("[data-count]", has_text=desk.t("{n} chosen", n=count)).wait_for()
    desk.do("none", "Escape")
    desk.page.locator(".e-act:not(.some)").wait_for()
    assert desk.page.locator(f"{ROWS}.on").count() == 0


@both
def test_a_case_is_opened_and_the_way_back_leads_to_the_same_row(desk: Desk) -> None:
    desk.open()
    number = desk.ids()[20]
    if desk.way == "mouse":
        desk.page.locator(f'[data-id="{number}"] a.e-row').click()
    else:
        desk.stand_on(20)
        desk.page.keyboard.press("Enter")
    desk.page.wait_for_url(re.compile(f"id={number}(&|$)"), wait_until="commit")
    desk.page.locator(".e-post").first.wait_for()
    if desk.way == "mouse":
        desk.page.locator(".e-nav a").first.click()
    else:
        desk.page.keyboard.press("u")
    row = desk.page.locator(f'{ROWS}.at[data-id="{number}"]')
    row.wait_for()
    desk.page.wait_for_function(
        'id => { const box = document.querySelector(`[data-id="${id}"]`).getBoundingClientRect();'
        "return box.top >= 0 && box.bottom <= innerHeight }",
        arg=number,
    )


@both
def test_reply_opens_the_case_at_its_draft(desk: Desk) -> None:
    desk.open("stakeholder=customer&status=open")
    number = desk.ids()[0]
    if desk.way == "mouse":
        desk.page.locator(f'[data-id="{number}"] a.e-row').click()
        desk.page.locator(".st-key-case-steps textarea").first.click()
    else:
        desk.stand_on(0)
        desk.page.keyboard.press("r")
    desk.page.wait_for_function("document.activeElement?.matches('.st-key-case-steps textarea')")
    assert f"id={number}" in desk.page.url
    assert "at=reply" not in desk.page.url


@both
def test_the_help_sheet_names_the_keys_and_closes(desk: Desk) -> None:
    desk.open()
    if desk.way == "mouse" and desk.page.viewport_size["width"] > 700:
        desk.page.locator(".e-act [data-do=help]").click()
    else:
        desk.page.locator("body").press("?")
    sheet = desk.page.locator("dialog#e-help[open]")
    sheet.wait_for()
    assert desk.t("reply: open at its draft") in sheet.inner_text()
    if desk.way == "mouse":
        sheet.locator("[data-shut]").click()
    else:
        desk.page.keyboard.press("Escape")
    sheet.wait_for(state="detached")


def test_what_a_colleague_changed_meanwhile_is_left_alone_and_named(desk: Desk) -> None:
    desk.open("status=new")
    one, two = desk.choose(8, 9)
    with desk.made.store.write() as connection:
        assign(connection, one, "Jorge Huamán", datetime.now(UTC), "Jorge Huamán")
    desk.do("close", "c")
    desk.told("1 case closed")
    desk.told("1 case left as it is:")
    desk.told("Jorge Huamán gave this case to somebody else")
    assert (desk.read(one).status, desk.read(two).status) == ("new", "closed")


def test_new_cases_are_counted_and_no_row_moves_until_they_are_asked_for(desk: Desk) -> None:
    desk.open()
    before = desk.ids()
    with desk.made.store.write() as connection:  # the last of all is suddenly the first
        last = connection.scalar(sa.select(cases.c.id).where(cases.c.status == "new").order_by(cases.c.rank.desc(),
            cases.c.due_at.desc(), cases.c.id.desc()).limit(1))  # fmt: skip
        connection.execute(cases.update().where(cases.c.id == last).values(rank=0, priority="alert"))
        look(connection, "Lucía Campos", before[0], 1, datetime.now(UTC))
    pill = desk.page.locator(".e-fresh")
    pill.wait_for()
    assert desk.ids() == before
    desk.page.locator(f'[data-id="{before[0]}"]', has_text="Lucía Campos is looking").wait_for()
    desk.page.keyboard.press(".")
    desk.page.locator(f'[data-id="{last}"]').wait_for()
    assert desk.ids()[:10] != before[:10]
