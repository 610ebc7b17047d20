"""A hand at work in a real Chromium, and the house that it works in; what it can do is all that it can do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from listener.reason import reason, say, to_json
from stakeholders import digest
from stakeholders.case import history, read_case, record
from stakeholders.edition import running
from stakeholders.store import cases, spikes
from tests.pages.visit import open_page, serving

__all__ = ["COMBINATIONS", "IDLE", "OPEN", "RING", "ROWS", "THUMB", "Cheating", "Glass", "Hand", "sit_down"]

ROWS = ".e-item"
CASES = 90  # complaints: every combination uses up some of them
THUMB = 44  # pixels that a touch target has on a phone (WCAG 2.5.5)
COMBINATIONS = [(lang, width) for lang in ("es", "en") for width in (1280, 390)]
PEOPLE = '\n[people."Jorge Huamán"]\nmail = "jorge@example.org"\n'

# What a person does is counted in the browser, whatever the test says that it did.
COUNTING = """
window.__hand = { pointer: 0, keys: 0 };
addEventListener("pointerdown", (event) => { if (event.isTrusted) __hand.pointer += 1; }, true);
addEventListener("keydown", (event) => {
  const typed = event.target.closest?.("input, textarea") && event.key.length === 1 && !event.ctrlKey;
  if (event.isTrusted && !typed) __hand.keys += 1;
}, true);
"""
# Go to an address as a link of the pages does: the tab stays the same, as it does for a person who works on.
WALKING = """(address) => new Promise((done) => {
  const app = document.querySelector("[data-testid=stApp]");
  let begun = false;
  const seen = new MutationObserver(() => {
    if (app.dataset.testScriptState !== "notRunning") begun = true;
    else if (begun) { seen.disconnect(); done(); }
  });
  seen.observe(app, { attributeFilter: ["data-test-script-state"] });
  history.pushState({}, "", address);
  window.dispatchEvent(new PopStateEvent("popstate"));
})"""
IDLE = """() => {
  const app = document.querySelector("[data-testid=stApp]");
  return app?.dataset.testScriptState === "notRunning" && !document.querySelector("[data-stale=true]");
}"""
RING = """() => {
  const one = document.activeElement;
  const inner = one.shadowRoot?.activeElement; // a letter stands in a frame of its own
  if (inner) return getComputedStyle(inner).outlineStyle !== "none";
  for (let box = one; box && box !== document.body; box = box.parentElement) {
    const style = getComputedStyle(box);
    if (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) return true;
    if (style.boxShadow !== "none" && box.matches(":focus-within")) return true;
    if (box.matches("[data-baseweb], [data-testid]") && box !== one) return box.matches(":focus-within");
  }
  return false;
}"""
OPEN = """() => {
  const box = document.activeElement;
  return box.tagName === "TEXTAREA" && /^\\[[^\\]]+\\]$/.test(box.value.slice(box.selectionStart, box.selectionEnd));
}"""
ACTS = frozenset(
    """check clear click dblclick dispatch_event drag_and_drop drag_to fill focus hover keyboard mouse press
    press_sequentially select_option select_text set_checked set_input_files tap touchscreen type uncheck""".split()  # noqa: SIM905 - shorter
)
SCRIPTED = re.compile(r"\.(?:click|focus|submit|select|showModal|close|dispatchEvent|setRangeText)\(|\.value\s*=[^=]")


class Cheating(AssertionError):
    """Say that a task did what its hand cannot do."""


class Glass:
    """Let a task look at a page, and refuse whatever would touch it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        if name in ACTS:
            raise Cheating(f"{name}: a task has only its hand")
        found = getattr(self._inner, name)
        if not callable(found):
            return Glass(found) if type(found).__name__ == "Locator" else found

        def look(*args: Any, **more: Any) -> Any:
            if any(isinstance(one, str) and SCRIPTED.search(one) for one in args):
                raise Cheating("a script may look, not act")
            seen = found(*args, **more)
            if isinstance(seen, list):
                return [Glass(one) if type(one).__name__ == "Locator" else one for one in seen]
            return Glass(seen) if type(seen).__name__ in ("Locator", "FrameLocator") else seen

        return look


class Hand:
    """Work at a desk: what to press or to click is said by a task, how is the hand's own."""

    way = ""

    def __init__(self, browser: Any, url: str, made: Any, lang: str, width: int) -> None:
        self.made, self.lang, self.width, self.url = made, lang, width, url
        self.who = f"{self.way} {lang} {width}"
        self._browser = browser
        self._page = self._open(self.who)
        self.page = Glass(self._page)
        self._begun = False

    def _open(self, who: str) -> Any:
        look = "dark" if self.width < 768 else "light"
        known = {"who": who, "lang": self.lang, "script": COUNTING}
        return open_page(self._browser, self.url, self.width, **known, color_scheme=look)

    def shut(self) -> None:
        self._page.context.close()

    # where the work starts, and what is seen there

    def start(self, address: str, ready: str = ".e-act.live") -> None:
        """Come to an address at the start of a task; the first time by loading the program."""
        if self._begun:
            self._page.evaluate(WALKING, address)
        else:
            self._page.goto(address)
        self._begun = True
        self.see(ready)
        self.rest()
        self._page.evaluate("() => { __hand.pointer = 0; __hand.keys = 0; document.activeElement?.blur?.(); }")

    def t(self, words: str, **facts: Any) -> str:
        return say(words, self.lang, **facts)

    def see(self, wanted: str, words: str | None = None) -> Any:
        """Wait until something is seen, and give it."""
        found = self._page.locator(wanted, has_text=words) if words else self._page.locator(wanted)
        found.first.wait_for()
        return Glass(found.first)

    def gone(self, wanted: str, words: str | None = None) -> None:
        found = self._page.locator(wanted, has_text=words) if words else self._page.locator(wanted)
        found.first.wait_for(state="hidden")

    def rest(self) -> None:
        """Wait until the page is drawn."""
        self._page.wait_for_function(IDLE)

    def until(self, test: str, value: Any = None) -> None:
        self._page.wait_for_function(test, arg=value)

    def address(self, pattern: str) -> None:
        """Wait for an address that holds a pattern."""
        self._page.wait_for_url(re.compile(pattern), wait_until="commit")

    def ids(self) -> list[int]:
        read = "all => all.map(one => Number(one.dataset.id))"
        return [int(one) for one in self._page.eval_on_selector_all(ROWS, read)]

    def told(self, words: str) -> None:
        """Wait for what is said below about the step."""
        self.see(".e-undo", words)

    # what the database holds

    def read(self, number: int) -> Any:
        with self.made.store.read() as connection:
            return read_case(connection, number)

    def past(self, number: int) -> list[Any]:
        with self.made.store.read() as connection:
            return list(history(connection, number))

    def what(self, number: int) -> list[str]:
        return [one.what for one in self.past(number) if one.who == self.who]

    # another person, another browser

    @contextmanager
    def elsewhere(self, who: str = "Lucía Campos", address: str | None = None) -> Iterator[Any]:
        """Open the address of the moment, or another, in a browser that knows nothing of this one; only to look."""
        page = self._open(who)
        try:
            page.goto(address or self._page.url)
            page.wait_for_function(IDLE)
            yield Glass(page)
        finally:
            page.context.close()

    def counted(self) -> dict[str, int]:
        told = self._page.evaluate("() => window.__hand")
        return {name: int(told[name]) for name in ("pointer", "keys")}

    def check(self) -> None:
        """Fail when more than this hand was at work."""
        raise NotImplementedError

    # what a hand can do, each in its own way

    def open_row(self, number: int) -> None:
        """Open a case of the list."""
        raise NotImplementedError

    def pick(self, number: int) -> None:
        """Choose a row."""
        raise NotImplementedError

    def step(self, name: str) -> None:
        """Take a step with what is chosen, or with the case that is open."""
        raise NotImplementedError

    def undo(self) -> None:
        raise NotImplementedError

    def give(self, name: str) -> None:
        """Give what is chosen to a colleague."""
        raise NotImplementedError

    def view(self, words: str) -> None:
        """Go to a view of the side bar."""
        raise NotImplementedError

    def go(self, page: str) -> None:
        """Go to another page."""
        raise NotImplementedError

    def follow(self, wanted: str, most: int = 40) -> None:
        """Follow a link, reached in no more than `most` tabs."""
        raise NotImplementedError

    def correct(self, head: str, value: str) -> None:
        """Say what a label is in truth."""
        raise NotImplementedError

    def ask(self, words: str) -> None:
        """Write into the search, in place of what stands there."""
        raise NotImplementedError

    def search(self) -> None:
        """Search what was written."""
        raise NotImplementedError

    def save(self, name: str) -> None:
        """Save the view under a name, for all colleagues."""
        raise NotImplementedError

    def template(self, place: int) -> None:
        """Choose the template at a place of the list."""
        raise NotImplementedError

    def reply(self, words: str) -> None:
        """Write into what the template leaves open, and keep the draft."""
        raise NotImplementedError

    def note(self, words: str) -> None:
        """Write a note to colleagues and keep it."""
        raise NotImplementedError

    def speak(self, lang: str) -> None:
        """Change the language of the pages."""
        raise NotImplementedError


def furnish(made: Any) -> None:
    """Give an instance a colleague with an address, a kept digest and a crisis with its spike."""
    path = made.folder / "config.toml"
    path.write_text(path.read_text("utf-8") + PEOPLE, "utf-8")
    now = datetime.now(UTC)
    row = {
        "key": "crisis:nitido:1", "brand": "nitido", "department": "network_quality", "copies": [], "priority": "alert",
        "rank": 0, "stakeholder": "customer", "status": "acknowledged", "kind": "crisis", "opened_at": now,
        "acknowledged_at": now, "due_at": now + timedelta(hours=9), "version": 1,
    }  # fmt: skip
    because = reason("{count} mentions since {quote_since}, {low} to {high} were expected", count=61,
                     quote_since="09:00", low=2, high=9)  # fmt: skip
    with made.store.write() as connection:
        number = int(connection.execute(cases.insert().values(**row).returning(cases.c.id)).scalar_one())
        record(connection, number, now, "escucha", "opened", None, {"department": "network_quality"})
        spike = {"brand": "nitido", "measure": "all", "hour": int(now.timestamp() // 3600) - 3, "found_at": now}
        spike |= {"observed": 61, "expected": 5.2, "low": 2.4, "high": 8.6, "sample": 24, "case_id": number}
        spike["cause"] = {"parts": to_json([because]), "words": ["señal"], "source": "social", "country": "PE"}
        connection.execute(spikes.insert().values(**spike))
        digest.keep(connection, made.config, running(made.config, None, None, now), now)


@contextmanager
def sit_down(kind: type[Hand], browser: Any, folder: Path, fill: Any) -> Iterator[Any]:
    """Fill, furnish and serve an instance; give how to make a hand for a language and a width."""
    made = fill(folder, more=CASES)
    furnish(made)
    with serving(folder) as url:
        yield lambda lang, width: kind(browser, url, made, lang, width)
    made.store.close()
