"""Serve an instance as `streamlit run dashboard.py` does, and visit it with a real Chromium."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from bench.screenshots import FLAGS, MAIN
from tests.servers.smtp import free_port

__all__ = ["MAIN", "browsing", "open_page", "running", "serving", "visiting"]

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def running(command: list[str], log: Path, ready: str = "", **environment: str) -> Iterator[str]:
    """Run a program until the block ends; give the line of its output that holds `ready`, else its first.

    Its complaints go to a log. One that does not end when it is told to fails the test and is not left behind.
    """
    around = {name: value for name, value in os.environ.items() if name != "ESCUCHA_STORE"}
    with (
        log.open("w") as lines,
        subprocess.Popen(command, env=around | environment, stdout=subprocess.PIPE, stderr=lines, text=True) as process,
        ThreadPoolExecutor(1) as drain,
    ):
        assert process.stdout is not None
        try:
            told = next((line for line in process.stdout if ready in line), None)
            assert told is not None, log.read_text("utf-8")
            drain.submit(process.stdout.read)  # a full pipe would stop it
            yield told.strip()
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[str]:
    """Serve the instance of a folder; give its address."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "dashboard.py"), "--server.headless", "true"]
    command += ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.fileWatcherType", "none"]
    told = {"ESCUCHA_CONFIG": str(folder / "config.toml"), "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false"}
    url = f"http://127.0.0.1:{port}"
    with running(command, folder / "site.log", "URL", **told, **environment):
        with urlopen(f"{url}/_stcore/health", timeout=20) as answer:
            assert answer.status == 200
        yield url


@contextmanager
def browsing(chromium: str) -> Iterator[Any]:
    """Open a real Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


def open_page(
    browser: Any,
    url: str,
    width: int = 1280,
    height: int = 800,
    *,
    who: str = "",
    lang: str = "",
    script: str = "",
    wait: int = 20_000,
    **more: Any,
) -> Any:
    """Open a page with cookies of its own: a reader's name and language where they are given."""
    context = browser.new_context(viewport={"width": width, "height": height}, base_url=url, **more)
    known = {"escucha_who": quote(who), "escucha_lang": lang}
    context.add_cookies([{"name": name, "value": value, "url": url} for name, value in known.items() if value])
    if script:
        context.add_init_script(script)
    page = context.new_page()
    page.set_default_timeout(wait)
    return page


@contextmanager
def visiting(browser: Any, url: str, *size: int, **more: Any) -> Iterator[Any]:
    """Open a page as `open_page` does, until the block ends."""
    page = open_page(browser, url, *size, **more)
    try:
        yield page
    finally:
        page.context.close()
