"""Signing in: a real provider of OpenID Connect, a real browser, and what each role may see of the same instance."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import sqlalchemy as sa

from listener.database import Store
from stakeholders.store import cases
from tests.pages.test_axe import examine

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
PEOPLE = [
    {"sub": "1", "email": "directora@nitido.example", "name": "Dora Directora"},
    {"sub": "2", "email": "lucia@nitido.example", "name": "Lucía Campos", "groups": ["care"]},
    {"sub": "3", "email": "otro@elsewhere.example", "name": "Otro Más"},
    {"sub": "4", "email": "directora@nitido.example", "email_verified": False, "name": "Falsa"},
]
LOGIN = """
[server]
url = "http://127.0.0.1:{port}"
port = {port}
secret = "a-secret-of-tests-0123456789-0123456789"
[login]
provider = "http://127.0.0.1:{provider}/.well-known/openid-configuration"
client_id = "escucha"
client_secret = "canary-client-secret"
[[login.roles]]
role = "director"
mails = ["directora@nitido.example"]
[[login.roles]]
role = "member"
groups = ["care"]
departments = ["customer_care"]
"""
PROGRAM = """
import logging, sys
from pathlib import Path
from stakeholders.serve import serve
logging.basicConfig(level="INFO", stream=sys.stderr)
serve(Path(sys.argv[1]), ready=lambda url: print(url, flush=True))
"""


@dataclass
class Site:
    """Hold the address of a served instance, its store and where its log goes."""

    url: str
    store: Store
    log: Path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[str]]:
    with log.open("w") as lines:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=lines, text=True)
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=20)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Serve a filled instance behind a provider, both on the loopback."""
    folder = tmp_path_factory.mktemp("login")
    store = request.getfixturevalue("filled")(folder, "http://127.0.0.1:1", 40).store
    provider, port = free_port(), free_port()
    config = folder / "config.toml"
    config.write_text(config.read_text("utf-8") + LOGIN.format(port=port, provider=provider), "utf-8")
    people = [part for person in PEOPLE for part in ("--user-claims", json.dumps(person))]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(provider), *people]
    with running(command, folder / "provider.log"):
        for _ in range(200):
            try:
                with urlopen(f"http://127.0.0.1:{provider}/.well-known/openid-configuration") as answer:
                    assert answer.status == 200
                break
            except URLError:
                pass
        with running([sys.executable, "-c", PROGRAM, str(config)], folder / "site.log") as process:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == f"http://127.0.0.1:{port}"
            yield Site(f"http://127.0.0.1:{port}", store, folder / "site.log")
    store.close()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@contextmanager
def visiting(browser: Any, site: Site) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=site.url)
    page = context.new_page()
    page.set_default_timeout(20_000)
    try:
        yield page
    finally:
        context.close()


def sign_in(page: Any, sub: str) -> None:
    page.goto("/")
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/oauth2/authorize**")
    page.locator("input[name=sub]").first.fill(sub)
    page.get_by_role("button", name=re.compile("authorize", re.I)).first.click()
    page.wait_for_url(re.compile(r":\d+/(\?.*)?$"))


def case_of(site: Site, department: str) -> int:
    with site.store.read() as connection:
        found = connection.scalar(
            sa.select(cases.c.id).where(
                cases.c.department == department, cases.c.copies.cast(sa.Text).not_like("%customer_care%")
            )
        )
    assert found is not None
    return int(found)


def test_without_a_login_only_the_door_is_shown(browser: Any, site: Site) -> None:
    theirs = case_of(site, "communications")
    with visiting(browser, site) as page:
        for path in ("/", f"/case?id={theirs}", "/pulse", "/sources"):
            page.goto(path)
            page.get_by_role("button", name="Sign in").wait_for()
            assert page.locator("a.e-row, .e-post, .e-kpi, canvas").count() == 0
            assert "artel_regula" not in page.content()
        assert examine(page) == []


def test_a_director_sees_every_department_under_the_name_of_the_provider(browser: Any, site: Site) -> None:
    theirs = case_of(site, "communications")
    with visiting(browser, site) as page:
        sign_in(page, "1")
        page.locator("a.e-row").first.wait_for()
        assert page.get_by_role("combobox", name="I am").count() == 0, "nobody chooses who they are"
        page.locator(".e-who", has_text="Dora Directora").wait_for()
        page.goto(f"/case?id={theirs}")
        page.get_by_role("button", name="I have seen it").click()
        page.locator(".e-time li", has_text="Dora Directora").first.wait_for()


def test_a_member_reads_the_own_department_and_nothing_else(browser: Any, site: Site) -> None:
    theirs, ours = case_of(site, "communications"), case_of(site, "customer_care")
    with visiting(browser, site) as page:
        sign_in(page, "2")
        page.locator("a.e-row").first.wait_for()
        page.locator(".e-who", has_text="Customer care").wait_for()
        assert page.locator("a.e-row", has_text="artel_regula").count() == 0
        page.goto(f"/case?id={ours}")
        page.locator(".e-time li").first.wait_for()
        page.goto(f"/case?id={theirs}")
        page.get_by_text("There is no such case").wait_for()
        assert "artel_regula" not in page.content()


@pytest.mark.parametrize("sub", ["3", "4"])
def test_an_account_without_a_role_or_with_an_unchecked_address_is_refused_and_logged(
    browser: Any, site: Site, sub: str
) -> None:
    with visiting(browser, site) as page:
        sign_in(page, sub)
        page.get_by_text("Your account may not see this dashboard").wait_for()
        assert examine(page) == []
        assert page.locator("a.e-row").count() == 0
        page.get_by_role("button", name="Sign in with another account").click()
        page.get_by_role("button", name="End session").wait_for()
        page.goto("/")
        page.get_by_role("button", name="Sign in", exact=True).wait_for()
    told = site.log.read_text()
    assert f"sub {sub}" in told
    assert "elsewhere.example" not in told
    assert "canary-client-secret" not in told


def test_who_signs_out_is_out(browser: Any, site: Site) -> None:
    with visiting(browser, site) as page:
        sign_in(page, "1")
        page.locator("a.e-row").first.wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="End session").wait_for()  # the provider's own page
        page.goto("/")
        page.get_by_role("button", name="Sign in", exact=True).wait_for()
        assert page.locator("a.e-row").count() == 0
