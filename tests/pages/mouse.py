"""A hand that has only the mouse: it clicks, and types only into a field that it clicked."""

from __future__ import annotations

from typing import Any

from listener.reason import say
from tests.pages.hand import OPEN, ROWS, THUMB, Cheating, Hand

__all__ = ["Mouse"]

BUTTONS = {"answered": "draft-use", "acknowledge": "acknowledge", "close": "close", "wake": "wake"}
EXPAND = '[data-testid="stExpandSidebarButton"]'


class Mouse(Hand):
    """Click, and type only into a field that was clicked."""

    way = "mouse"

    def click(self, wanted: str, words: str | None = None, small: bool = False, **more: Any) -> None:
        """Click something; on a phone it is as large as a thumb, unless it is a word in a text (`small`)."""
        found = self._page.locator(wanted, has_text=words) if words else self._page.locator(wanted)
        one = found.first
        if self.width < 600 and not small:
            one.scroll_into_view_if_needed()
            box = one.bounding_box()
            assert box is not None
            assert min(box["width"], box["height"]) >= THUMB - 0.5, f"{wanted} {words or ''} is too small: {box}"
        one.click(**more)

    def type(self, words: str) -> None:
        field = self._page.evaluate("() => Boolean(document.activeElement?.closest('input, textarea'))")
        if not field:
            raise Cheating("nothing was clicked that one can write into")
        self._page.keyboard.type(words)

    def unfold(self) -> None:
        """Open the side bar where a phone hides it."""
        if self._page.locator(EXPAND).count():
            self.click(EXPAND)
            self.gone(EXPAND)

    def fold(self) -> None:
        """Put the side bar away where it covers the page."""
        if self.width < 768:
            self.click('[data-testid="stSidebarCollapseButton"] button')
            self.see(EXPAND)

    def check(self) -> None:
        assert self.counted()["keys"] == 0, "a mouse presses no keys"

    def open_row(self, number: int) -> None:
        self.click(f'[data-id="{number}"] a.e-row')

    def pick(self, number: int) -> None:
        self.click(f'{ROWS}[data-id="{number}"] .e-tick')
        self.see(f'{ROWS}.on[data-id="{number}"]')

    def step(self, name: str) -> None:
        if self._page.locator("[data-case]").count():
            self.click(f".st-key-{BUTTONS[name]} button")
        else:
            self.click(f".e-act [data-do={name}]")

    def undo(self) -> None:
        self.click(".e-undo [data-do=undo]")

    def give(self, name: str) -> None:
        self.click(".e-act [data-do=ask-give]")
        self.click("#e-give button", name)

    def view(self, words: str) -> None:
        self.unfold()
        self.click(".e-views a", words)

    def go(self, page: str) -> None:
        self.unfold()
        self.click(f'[data-testid="stSidebarNav"] a[href$="/{page}"]')

    def follow(self, wanted: str, most: int = 40) -> None:
        self.click(wanted, small=not wanted.startswith('a[data-key="'))

    def correct(self, head: str, value: str) -> None:
        self.click(f'.e-mend[data-label="{head}"]')
        self.click(f'#e-label-{head} [data-value="{value}"]')

    def ask(self, words: str) -> None:
        self.click("#e-q", click_count=3)
        self.type(words)

    def search(self) -> None:
        self.click("[data-find]")

    def save(self, name: str) -> None:
        self.unfold()
        self.click(".st-key-view-box button")
        self.click(".st-key-view-name input", small=True)
        self.type(name)
        self.click(".st-key-view-shared label", small=True)
        self.click(".st-key-view-save button")
        self.see(".e-views a", name)
        self._page.mouse.click(self.width - 4, 4)  # beside the sheet, which puts it away
        self.gone('[data-testid="stPopoverBody"]')
        if self.width < 768:
            self.see(EXPAND)

    def template(self, place: int) -> None:
        self.click('[class*="st-key-template-"] input', small=True)
        self._page.locator('[role="listbox"] [role="option"]').nth(place).click()

    def reply(self, words: str) -> None:
        field = self._page.locator('[class*="st-key-draft-"] textarea')
        field.scroll_into_view_if_needed()
        box = field.bounding_box()
        assert box is not None
        for place in range(60):  # where the eye finds what the template leaves open
            x, y = box["x"] + 20 + place % 6 / 6 * (box["width"] - 40), box["y"] + 18 + place // 6 * 9
            self._page.mouse.click(x, y)
            if self._page.evaluate(OPEN):
                break
        assert self._page.evaluate(OPEN), "what is left open is chosen by a click"
        self.type(words)
        self.click(".st-key-draft-save button")

    def note(self, words: str) -> None:
        self.click('.st-key-case-steps [role="tab"]', say("Note", self.lang), small=True)
        self.click(".st-key-words textarea")
        self.type(words)
        self.click(".st-key-note button")

    def speak(self, lang: str) -> None:
        self.unfold()
        self.click(".st-key-_lang button", lang.upper(), small=True)
        self.fold()
