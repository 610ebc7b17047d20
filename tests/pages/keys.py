"""A hand that has only the keys; what has the focus must be seen to have it, and nothing may be many tabs away."""

from __future__ import annotations

from tests.pages.hand import OPEN, RING, ROWS, Hand

__all__ = ["Keys"]

STEPS = {
    "acknowledge": "a", "assign": "e", "snooze": "s", "close": "c", "answered": "p", "wake": "b",
}  # fmt: skip
PAGES = {"": "i", "pulse": "p", "voices": "v", "departments": "d", "sources": "s", "accuracy": "a", "letters": "m"}
ON_SCREEN = """() => {
  const box = document.activeElement.getBoundingClientRect();
  return box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
}"""
LABELS = {"sentiment": "1", "stakeholder": "2", "dimension": "3", "intent": "4", "relevant": "5"}


class Keys(Hand):
    """Press keys."""

    way = "keys"

    def press(self, *keys: str) -> None:
        for one in keys:
            self._page.keyboard.press(one)

    def at(self, wanted: str) -> None:
        """Wait until what is wanted has the focus."""
        self._page.wait_for_function("wanted => document.activeElement?.matches(wanted)", arg=wanted)

    def tab(self, wanted: str, most: int, back: bool = False) -> int:
        """Go by Tab to what is wanted, seen at every stop, in no more than `most` steps; give how many it took."""
        self.rest()
        self._page.locator(wanted).first.wait_for(state="attached")  # a kind of widget comes with its first one
        stops: list[str] = []
        for step in range(most + 1):
            there, nowhere = self._page.evaluate(
                "wanted => [document.activeElement.matches(wanted), document.activeElement === document.body]", wanted
            )
            if not nowhere:
                shown = "() => document.activeElement.outerHTML.slice(0, 300)"
                assert self._page.evaluate(RING), "the focus is not seen at " + self._page.evaluate(shown)
            stops.append(self._page.evaluate("() => document.activeElement.outerHTML.slice(0, 60)"))
            if there:
                self.until(ON_SCREEN)
                return step
            self.press("Shift+Tab" if back else "Tab")
        raise AssertionError(f"{most} tabs do not reach {wanted}: {stops}")

    def stand_on(self, number: int) -> None:
        """Go to the row of a case by j and k."""
        self.press("j")
        for _ in range(60):
            self.see(f"{ROWS}.at")
            at = int(self._page.locator(f"{ROWS}.at").get_attribute("data-id"))
            if at == number:
                self.at(f'[data-id="{number}"] a.e-row')
                return
            ids = self.ids()
            self.press("j" if ids.index(at) < ids.index(number) else "k")
        raise AssertionError("never came there")

    def check(self) -> None:
        assert self.counted()["pointer"] == 0, "keys move no mouse"

    def open_row(self, number: int) -> None:
        self.stand_on(number)
        self.press("Enter")

    def pick(self, number: int) -> None:
        self.stand_on(number)
        self.press("x")
        self.see(f'{ROWS}.on[data-id="{number}"]')

    def step(self, name: str) -> None:
        self.press(STEPS[name])

    def undo(self) -> None:
        self.press("z")

    def give(self, name: str) -> None:
        self.press("m")
        key = self.see("dialog#e-give[open] button", name).get_attribute("data-press")
        self.press(key)

    def view(self, words: str) -> None:
        names = self._page.locator(".e-views a > span").all_inner_texts()
        self.press("g", str(names.index(words) + 1))

    def go(self, page: str) -> None:
        self.press("g", PAGES[page])

    def follow(self, wanted: str, most: int = 40) -> None:
        self.see(wanted)
        self.rest()
        if self._page.evaluate("() => document.activeElement === document.body"):
            self.press("j")  # into the page, past the side bar
        before = "wanted => document.querySelector(wanted)?.compareDocumentPosition(document.activeElement) & 4"
        self.tab(wanted, most, back=bool(self._page.evaluate(before, wanted)))
        self.press("Enter")

    def correct(self, head: str, value: str) -> None:
        key = self._page.locator(f'#e-label-{head} [data-value="{value}"]').get_attribute("data-press")
        self.press(LABELS[head], key)

    def ask(self, words: str) -> None:
        self.press("/")
        self.at("#e-q")
        self.press("Control+a")
        self._page.keyboard.type(words)

    def search(self) -> None:
        self.press("Enter")

    def save(self, name: str) -> None:
        self.rest()
        self.press("v")
        self.at(".st-key-view-name input")
        self._page.keyboard.type(name)
        self.tab(".st-key-view-shared input", 2)
        self.press("Space")
        self.tab(".st-key-view-save button", 2)
        self.press("Enter")

    def template(self, place: int) -> None:
        self.press("t")
        self.at('[class*="st-key-template-"] input')
        self.press("ArrowDown")
        self.see('[role="listbox"] [role="option"]')
        self.press(*["ArrowDown"] * place, "Enter")

    def reply(self, words: str) -> None:
        self.at('[class*="st-key-draft-"] textarea')  # where a template leads
        self.until(OPEN)
        self._page.keyboard.type(words)
        self.press("Control+Enter")

    def note(self, words: str) -> None:
        self.press("w")
        self.at(".st-key-words textarea")
        self._page.keyboard.type(words)
        self.press("Control+Enter")

    def speak(self, lang: str) -> None:
        self.rest()
        self.press("g", "b")
        self.at('[data-testid="stSidebarNav"] a')
        self.tab(".st-key-_lang button", 25)
        order = ["ES", "EN", "PT"]
        at = self._page.evaluate("() => document.activeElement.innerText.trim()")
        ahead = order.index(lang.upper()) - order.index(at)
        self.press(*["ArrowRight" if ahead > 0 else "ArrowLeft"] * abs(ahead), "Space")
        if self._page.viewport_size["width"] < 768:
            self.until("lang => document.documentElement.lang === lang", lang)
            self.press("Escape")
            self.see('[data-testid="stExpandSidebarButton"]')
