"""Serve a hostile instance for the browser, with a tracker that listens beside it, and walk through its pages."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.pages.strangers import Strangers, fill
from tests.pages.test_browser import FLAGS

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


class Tracker:
    """Count every request that reaches it."""

    def __init__(self) -> None:
        hits = self.hits = list[str]()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hits.append(self.path)
                self.send_response(204)
                self.end_headers()

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@dataclass
class Site:
    """Hold a served instance."""

    url: str
    strangers: Strangers
    tracker: Tracker
    link: Path

    def turn(self, name: str) -> None:
        """Let the pages read another configuration from now on: config, empty, unheard or broken."""
        new = self.link.with_suffix(".new")
        new.symlink_to(self.strangers.instance.folder / f"{name}.toml")
        new.replace(self.link)


@contextmanager
def serving(folder: Path) -> Iterator[Site]:
    """Fill and serve an instance, pages and API on one port."""
    tracker = Tracker()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    strangers = fill(folder, tracker.url, port)
    (folder / "empty.toml").write_text(EMPTY.format(name="empty"), "utf-8")
    off = '[sources.rss]\nenabled = false\nkind = "file"\npath = "rss.jsonl"\n'
    (folder / "unheard.toml").write_text(EMPTY.format(name="unheard") + off, "utf-8")
    (folder / "broken.toml").write_text("[instance\nlanguage = <script>window.__hit=1</script>", "utf-8")
    site = Site(f"http://127.0.0.1:{port}", strangers, tracker, folder / "turned")
    site.turn("config")
    environment = os.environ | {"ESCUCHA_DEMO_INBOX": str(folder / "letters")}
    environment.pop("ESCUCHA_STORE", None)
    command = [sys.executable, "-c", PROGRAM, str(folder / "config.toml"), str(site.link)]
    with (folder / "site.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == site.url, (folder / "site.log").read_text()
            yield site
        finally:
            process.terminate()
            process.communicate(timeout=20)
            strangers.instance.store.close()
            tracker.server.shutdown()
            tracker.server.server_close()


@contextmanager
def browsing(chromium: str) -> Iterator[Any]:
    """Open a real Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


def open_page(browser: Any, site: Site, width: int, **more: Any) -> Any:
    """Open a page of its own at a width."""
    height = 800 if width > 800 else 844
    context = browser.new_context(viewport={"width": width, "height": height}, base_url=site.url, **more)
    context.add_init_script(EAR)
    page = context.new_page()
    page.set_default_timeout(60_000)
    return page


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
