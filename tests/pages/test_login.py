"""Signing in: a real provider of OpenID Connect, a real browser, and what each role may see of the same instance."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import sqlalchemy as sa

from listener.database import Store
from stakeholders.store import cases
from tests.pages.test_axe import examine
from tests.pages.visit import running, visiting
from tests.servers.smtp import free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow]

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
# Its log tells when it listens.
PROVIDER = """
import sys
sys.stderr = sys.stdout
from oidc_provider_mock.__main__ import run
run()
"""


@dataclass
class Site:
    """Hold the address of a served instance, its store and where its log goes."""

    url: str
    store: Store
    log: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, filled: Any) -> Iterator[Site]:
    """Serve a filled instance behind a provider, both on the loopback."""
    folder = tmp_path_factory.mktemp("login")
    store = filled(folder, "http://127.0.0.1:1", 40).store
    provider, port = free_port(), free_port()
    config = folder / "config.toml"
    config.write_text(config.read_text("utf-8") + LOGIN.format(port=port, provider=provider), "utf-8")
    people = [part for person in PEOPLE for part in ("--user-claims", json.dumps(person))]
    command = [sys.executable, "-u", "-W", "ignore", "-c", PROVIDER, "--port", str(provider), *people]
    url, log = f"http://127.0.0.1:{port}", folder / "site.log"
    with running(command, folder / "provider.log", "running on"):
        with urlopen(f"http://127.0.0.1:{provider}/.well-known/openid-configuration") as answer:
            assert answer.status == 200
        with running([sys.executable, "-c", PROGRAM, str(config)], log) as told:
            assert told == url
            yield Site(url, store, log)
    store.close()


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
    with visiting(browser, site.url) as page:
        for path in ("/", f"/case?id={theirs}", "/pulse", "/sources"):
            page.goto(path)
            page.get_by_role("button", name="Sign in").wait_for()
            assert page.locator("a.e-row, .e-post, .e-kpi, canvas").count() == 0
            assert "artel_regula" not in page.content()
        page.wait_for_function("document.querySelector('.e-door img').naturalWidth > 0")  # the logo can be seen
        assert examine(page) == []


def test_a_director_sees_every_department_under_the_name_of_the_provider(browser: Any, site: Site) -> None:
    theirs = case_of(site, "communications")
    with visiting(browser, site.url) as page:
        sign_in(page, "1")
        page.locator("a.e-row").first.wait_for()
        assert page.get_by_role("combobox", name="I am").count() == 0, "nobody chooses who they are"
        page.locator(".e-who", has_text="Dora Directora").wait_for()
        page.goto(f"/case?id={theirs}")
        page.get_by_role("button", name="I have seen it").click()
        page.locator(".e-time li", has_text="Dora Directora").first.wait_for()


def test_a_member_reads_the_own_department_and_nothing_else(browser: Any, site: Site) -> None:
    theirs, ours = case_of(site, "communications"), case_of(site, "customer_care")
    with visiting(browser, site.url) as page:
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
    with visiting(browser, site.url) as page:
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
    with visiting(browser, site.url) as page:
        sign_in(page, "1")
        page.locator("a.e-row").first.wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.get_by_role("button", name="End session").wait_for()  # the provider's own page
        page.goto("/")
        page.get_by_role("button", name="Sign in", exact=True).wait_for()
        assert page.locator("a.e-row").count() == 0
