"""Take a picture of every page, light and dark, at 1280 and 390 pixels, of a dashboard that runs.

    escucha demo & python bench/screenshots.py --url http://127.0.0.1:8501 --output docs/images

Prints one JSON line. Needs Chromium (its path by --chromium, else found on PATH) and the development packages.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

__all__ = ["FLAGS", "MAIN", "main"]

SIZES = {"wide": (1280, 800), "phone": (390, 844)}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
MAIN = "[data-testid=stMain]"
_DRAWN = """document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
  && [...document.querySelectorAll('[data-testid=stVegaLiteChart]')].every(one => one.querySelector('svg, canvas'))
  && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')"""
# Resolves when nothing in the page has changed for a second: charts are drawn when they have got their width.
_STILL = """() => new Promise(done => {
  let still = setTimeout(done, 1000);
  new MutationObserver(() => { clearTimeout(still); still = setTimeout(done, 1000); })
    .observe(document.body, { subtree: true, childList: true, attributes: true });
})"""


def main() -> None:
    """Read the arguments and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8501")
    parser.add_argument("--output", type=Path, default=Path("docs/images"))
    parser.add_argument("--chromium", default=shutil.which("chromium") or shutil.which("google-chrome"))
    parser.add_argument("--lang", default="es")
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    taken: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=given.chromium, args=FLAGS)
        for scheme in ("light", "dark"):
            for size, (width, height) in SIZES.items():
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=scheme, base_url=given.url
                )
                page = context.new_page()
                for name, address in addresses(page, given.lang):
                    settle(page, address)
                    path = given.output / f"{name}-{scheme}-{size}.png"
                    page.screenshot(path=path)
                    taken.append(path.name)
                context.close()
        browser.close()
    print(json.dumps({"pictures": len(taken), "folder": str(given.output)}))


def addresses(page: Any, lang: str) -> list[tuple[str, str]]:
    """List the pages with their addresses; the case is the most urgent one of a regulator, else of anybody."""
    case = None
    for query in ("stakeholder=regulator&", ""):
        settle(page, f"/?{query}lang={lang}")
        rows = page.locator("a.e-row")
        if rows.count():
            case = rows.first.get_attribute("href")
            break
    found = [
        ("inbox", f"/?lang={lang}"),
        ("pulse", f"/pulse?days=90&lang={lang}"),
        ("voices", f"/voices?days=90&lang={lang}"),
        ("departments", f"/departments?days=90&lang={lang}"),
        ("posts", f"/posts?days=90&lang={lang}"),
        ("sources", f"/sources?lang={lang}"),
        ("accuracy", f"/accuracy?lang={lang}"),
        ("settings", f"/settings?lang={lang}"),
    ]
    if case:
        found.append(("case", f"/{case}"))
    if page.locator('[data-testid=stSidebarNav] a[href*="letters"]').count():
        found.append(("letters", f"/letters?lang={lang}"))
        settle(page, f"/letters?lang={lang}")
        letter = page.locator("a.e-row")
        if letter.count():
            found.append(("letter", "/" + str(letter.first.get_attribute("href"))))
    return found


def settle(page: Any, address: str) -> None:
    """Open an address and wait until nothing is drawn any more."""
    page.goto(address)
    page.locator(f"{MAIN} .stHtml, {MAIN} iframe").first.wait_for(state="attached", timeout=30_000)
    page.wait_for_function(_DRAWN, timeout=60_000)
    page.evaluate(_STILL)


if __name__ == "__main__":
    main()
