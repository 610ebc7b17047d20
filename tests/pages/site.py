"""Serve a hostile instance for the browser, with a tracker that listens beside it, and walk through its pages."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.pages.strangers import Strangers, fill
from tests.pages.visit import running, visiting
from tests.servers import web
from tests.servers.smtp import free_port

# Counts what the server says to the page: a run that is over within one frame of the browser leaves no other trace.
EAR = """
window.heard = { count: 0, at: 0 };
window.WebSocket = class extends WebSocket {
  constructor(...told) {
    super(...told);
    this.addEventListener("message", () => { heard.count += 1; heard.at = performance.now(); });
  }
};
"""

# The pages find their configuration by a link, which a test can turn to another file: each is an instance of its own.
PROGRAM = """
import os, sys
from pathlib import Path
from stakeholders.serve import serve
def tell(url):
    os.environ["ESCUCHA_CONFIG"] = sys.argv[2]
    print(url, flush=True)
serve(Path(sys.argv[1]), ready=tell)
"""
EMPTY = """
[instance]
language = "en"
[store]
url = "sqlite:///{name}.db"
[brands.nitido]
name = "Nítido"
[departments.communications]
alert = ["mail:communications@example.org"]
"""


@dataclass
class Site:
    """Hold a served instance."""

    url: str
    strangers: Strangers
    tracker: web.Web
    link: Path

    def turn(self, name: str) -> None:
        """Let the pages read another configuration from now on: config, empty, unheard or broken."""
        new = self.link.with_suffix(".new")
        new.symlink_to(self.strangers.instance.folder / f"{name}.toml")
        new.replace(self.link)

    @contextmanager
    def visiting(self, browser: Any, width: int, **more: Any) -> Iterator[Any]:
        """Open a page at a width, until the block ends."""
        height = 800 if width > 800 else 844
        with visiting(browser, self.url, width, height, script=EAR, wait=60_000, **more) as page:
            yield page


@contextmanager
def serving_strangers(folder: Path) -> Iterator[Site]:
    """Fill and serve an instance, pages and API on one port, with a tracker beside it that nothing may ask."""
    with web.serving(lambda _: web.Answer(status=204)) as tracker:
        port = free_port()
        strangers = fill(folder, tracker.url, port)
        (folder / "empty.toml").write_text(EMPTY.format(name="empty"), "utf-8")
        off = '[sources.rss]\nenabled = false\nkind = "file"\npath = "rss.jsonl"\n'
        (folder / "unheard.toml").write_text(EMPTY.format(name="unheard") + off, "utf-8")
        (folder / "broken.toml").write_text("[instance\nlanguage = <script>window.__hit=1</script>", "utf-8")
        site = Site(f"http://127.0.0.1:{port}", strangers, tracker, folder / "turned")
        site.turn("config")
        command = [sys.executable, "-c", PROGRAM, str(folder / "config.toml"), str(site.link)]
        with running(command, folder / "site.log", ESCUCHA_DEMO_INBOX=str(folder / "letters")) as told:
            assert told == site.url
            yield site
        strangers.instance.store.close()


def walk(page: Any, address: str) -> None:
    """Open an address as a link of ours does, without loading the program again, and wait until it is drawn."""
    before = page.evaluate("heard.count")
    page.evaluate(
        """(address) => {
          history.pushState({}, "", address);
          window.dispatchEvent(new PopStateEvent("popstate"));
        }""",
        address,
    )
    settle(page, before)


def settle(page: Any, before: int = 0) -> None:
    """Wait until the server answered (more than `before` messages), has nothing more to say, and its run is over."""
    from playwright.sync_api import TimeoutError as Late

    try:
        page.wait_for_function(
            """(before) => heard.count > before && performance.now() - heard.at > 100
              && document.querySelector("[data-testid=stApp]")?.dataset.testScriptState === "notRunning" """,
            arg=before,
        )
    except Late:
        state = page.evaluate("[heard.count, document.querySelector('[data-testid=stApp]')?.dataset.testScriptState]")
        raise AssertionError(f"{page.url[:200]} was not drawn: {before} messages before, then {state}") from None
