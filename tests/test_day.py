"""A department lead's day: a mail, a phone that acknowledges, an answer in time, silence that climbs, the digest.

Every part is the real one: SMTP, the HTTP interface under uvicorn, Chromium at the size of a phone, both databases.
"""

from __future__ import annotations

import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import uvicorn

from listener.config import Config, parse
from listener.database import Store
from stakeholders.alerts import queue_case, send_due
from stakeholders.api import make_api
from stakeholders.case import answer
from stakeholders.casework.dossier import history, read_case
from stakeholders.deciding.facts import Case
from stakeholders.digest import queue_due
from stakeholders.outbox.escalation import escalate_due
from tests.conftest import missing
from tests.pages.visit import browsing
from tests.servers.smtp import Inbox, free_port, smtp
from tests.stakeholders.newsroom import SECRET, make_route, open_one

pytestmark = pytest.mark.browser

NINE = datetime(2026, 5, 4, 14, 0, tzinfo=UTC)  # a Monday, 09:00 in Lima
LEAD, BOSS = "lead@nitido.example", "boss@agency.example"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 1}


class Day:
    """Hold an instance at work, its mailbox, and the time of its clocks."""

    def __init__(self, store: Store, config: Config, inbox: Inbox) -> None:
        self.store, self.config, self.inbox = store, config, inbox
        self.now = NINE

    def pass_on(self, **stretch: float) -> None:
        """Let time go by, and run what runs every minute."""
        self.now += timedelta(**stretch)
        escalate_due(self.store, self.config, self.now)
        with self.store.write() as connection:
            queue_due(connection, self.config, self.now)
        send_due(self.store, self.config, self.now)

    def hear(self, text: str, priority: str) -> Case:
        with self.store.write() as connection:
            route = make_route("customer_care", priority)
            case, mention_id = open_one(connection, self.config, route, text=text, now=self.now)
            queue_case(connection, self.config, case, mention_id, False, self.now)
        return case

    def read(self, case: Case) -> Case:
        with self.store.read() as connection:
            found = read_case(connection, case.id)
        assert found is not None
        return found

    def told(self, case: Case) -> list[tuple[str, str]]:
        with self.store.read() as connection:
            return [(line.who, line.what) for line in history(connection, case.id)]

    def letters(self, recipient: str) -> list[EmailMessage]:
        return [letter for letter in self.inbox.letters if letter["To"] == recipient]


@contextmanager
def listening(day: Day, listener: socket.socket) -> Iterator[None]:
    """Serve the HTTP interface on a socket that is open already."""
    api = make_api(day.config, day.store, lambda: day.now)
    server = uvicorn.Server(uvicorn.Config(api, log_config=None, access_log=False, log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def written(folder: Path, store: str, port: int, site: str) -> Config:
    care = {
        "alert": [f"mail:{LEAD}"],
        "escalation": [{"after": "30 minutes", "to": [f"mail:{BOSS}"], "working": False}],
    }
    table: dict[str, Any] = {
        "instance": {"name": "Escucha", "language": "en"},
        "store": {"url": store},
        "brands": {"nitido": {"name": "Nítido"}},
        "departments": {"communications": {"alert": ["mail:team@nitido.example"]}, "customer_care": care},
        "mail": {"host": "127.0.0.1", "port": port, "sender": "escucha@nitido.example"},
        "server": {"secret": SECRET, "url": site},
        "digests": [
            {
                "name": "care",
                "to": [f"mail:{LEAD}"],
                "cadence": "daily",
                "at": "08:00",
                "departments": ["customer_care"],
            }
        ],
    }
    return parse(table, folder, {})


@pytest.fixture
def day(store: Store, tmp_path: Path) -> Iterator[Day]:
    with socket.create_server(("127.0.0.1", 0)) as listener, smtp(port := free_port()) as inbox:
        config = written(tmp_path, store.url, port, f"http://127.0.0.1:{listener.getsockname()[1]}")
        made = Day(store, config, inbox)
        with listening(made, listener):
            yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        missing("Chromium")
    with browsing(found) as opened:
        yield opened


@pytest.fixture
def phone(browser: Any) -> Iterator[Any]:
    context = browser.new_context(**PHONE, color_scheme="dark", locale="es-PE")
    yield context.new_page()
    assert context.cookies() == [], "nobody had to log in"
    context.close()


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def html_of(letter: EmailMessage) -> str:
    body = letter.get_body(("html",))
    assert body is not None
    return str(body.get_content())


def link_in(letter: EmailMessage, action: str = "acknowledge") -> str:
    """Give the first link of a mail that does this, as its HTML carries it."""
    found = re.search(rf'href="(http://127\.0\.0\.1:\d+/api/{action}/[^"]+)"', html_of(letter))
    assert found is not None
    return found[1]


def press(phone: Any) -> None:
    """Tap the page's one button and wait for what it answers."""
    with phone.expect_navigation():
        phone.get_by_role("button").tap()


def test_the_whole_day_of_a_department_lead(day: Day, phone: Any) -> None:
    # 09:00: somebody complains; the mail is there within the minute.
    first = day.hear("Nítido me cobró dos veces y mi DNI es 45678912", "alert")
    day.pass_on(minutes=1)
    (letter,) = day.letters(LEAD)
    assert "Nítido" in str(letter["Subject"])
    assert "cobró dos veces" in text_of(letter)
    assert day.read(first).status == "new"

    # 09:05: the lead opens the link on a phone; that alone changes nothing, one press acknowledges.
    day.pass_on(minutes=4)
    link = link_in(letter)
    phone.goto(link)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    button = phone.get_by_role("button")
    assert button.count() == 1
    assert button.bounding_box()["height"] >= 44, "a thumb hits it"
    assert day.read(first).status == "new"
    press(phone)
    assert "Done: acknowledged" in phone.inner_text("main")
    assert (day.read(first).status, day.read(first).acknowledged_at) == ("acknowledged", day.now)
    assert (LEAD, "acknowledged") in day.told(first)

    # 09:40: the author is answered in time: the clock of the case ends.
    day.pass_on(minutes=35)
    with day.store.write() as connection:
        answer(connection, first.id, LEAD, day.now)
    assert first.due_at is not None
    assert day.now < first.due_at
    assert not day.read(first).overdue(first.due_at + timedelta(days=1))

    # 10:00: a second case; nobody looks. Half an hour later it climbs, once; the first case does not.
    day.pass_on(minutes=20)
    second = day.hear("Llevo tres días sin servicio de Nítido, mi cel es 987654321", "alert")
    day.pass_on(minutes=1)
    assert day.letters(BOSS) == []
    for _ in range(4):
        day.pass_on(minutes=15)
    (warned,) = day.letters(BOSS)
    assert "tres días sin servicio" in text_of(warned)
    assert "987654321" in text_of(day.letters(LEAD)[-1])
    assert "987654321" not in text_of(warned) + html_of(warned), (
        "the chain ends at an agency: outside, personal data is masked"
    )
    assert [what for _, what in day.told(second)].count("escalated") == 1
    assert "escalated" not in [what for _, what in day.told(first)]

    # 11:01: whoever is above acknowledges from the warning; the lead's own link then says who was first.
    phone.goto(link_in(warned))
    press(phone)
    assert day.read(second).status == "acknowledged"
    phone.goto(link_in(day.letters(LEAD)[-1]))
    assert "Already acknowledged" in phone.inner_text("main")
    assert BOSS in phone.inner_text("main")
    assert phone.get_by_role("button").count() == 0

    # The next morning the digest tells the lead of it: what came, what was answered, what still waits.
    letters = len(day.letters(LEAD))
    day.pass_on(hours=21)
    (digest,) = day.letters(LEAD)[letters:]
    told = text_of(digest)
    assert f"/case?id={second.id}" in told, "what still waits is named, with its link"
    assert "New cases: 2; answered: 1." in told
    assert "1 answered, 1 in time" in told
    assert "tres días sin servicio" in told
    assert f"/case?id={first.id}" not in told

    # Two weeks later the mail is found again: its link has expired, says so, and changes nothing.
    day.now = NINE + timedelta(days=15)
    version = day.read(first).version
    answered = phone.goto(link)
    assert answered.status == 410
    assert "This link has expired" in phone.inner_text("main")
    assert f"/case?id={first.id}" in phone.get_by_role("link").get_attribute("href")
    assert phone.get_by_role("button").count() == 0
    assert day.read(first).version == version


def test_a_case_that_is_put_off_from_a_phone_does_not_climb(day: Day, phone: Any) -> None:
    case = day.hear("Nítido no contesta", "alert")
    day.pass_on(minutes=1)
    (letter,) = day.letters(LEAD)
    phone.goto(link_in(letter, "snooze-tomorrow"))
    press(phone)
    assert "Done: put off until" in phone.inner_text("main")
    assert day.read(case).status == "snoozed"
    for _ in range(4):
        day.pass_on(minutes=30)
    assert day.letters(BOSS) == []
    with day.store.read() as connection:
        assert connection.scalar(sa.text("SELECT escalated FROM cases")) == 0
