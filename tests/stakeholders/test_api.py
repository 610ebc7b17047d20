"""HTTP: health tells the truth, and a link acknowledges once, when a person presses."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
import uvicorn

from listener.database import Store
from listener.store import runs
from stakeholders.alerts import queue_case
from stakeholders.api import make_api
from stakeholders.case import close, history
from stakeholders.casework.merging import merge
from stakeholders.links import ACTIONS, sign
from stakeholders.store import alerts, cases
from tests.stakeholders.newsroom import NOW, make_config, open_one

PEOPLE = {"Ana Ruiz": {"mail": "Ana@nitido.example"}}


class Client(requests.Session):
    """Ask a server by path, or by a whole link of which the path counts."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    def request(self, method: str, url: str, *args: Any, **more: Any) -> requests.Response:  # type: ignore[override]
        path = url.removeprefix("http://127.0.0.1:8501")
        return super().request(method, self.base + path, *args, timeout=20, **more)


@contextmanager
def serving(api: Any) -> Iterator[Client]:
    """Serve an ASGI application from a thread, over a real socket."""
    server = uvicorn.Server(uvicorn.Config(api, log_config=None, access_log=False, log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            with Client(f"http://127.0.0.1:{listening.getsockname()[1]}") as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


class Desk:
    """Hold an instance with one case, its clock, and a client of its API."""

    client: Client

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.config = make_config(
            folder, store.url, sources={"feeds": {"kind": "rss", "enabled": False}}, people=PEOPLE
        )
        object.__setattr__(self.config, "sources", {"feeds": None})
        self.now = NOW
        self.api = make_api(self.config, store, lambda: self.now)
        with store.write() as connection:
            self.case, mention_id = open_one(connection, self.config)
            queue_case(connection, self.config, self.case, mention_id, False, NOW)

    def link(self, recipient: str = "ana@nitido.example", action: str = "acknowledge", **more: Any) -> str:
        return sign(self.config, self.case.id, recipient, action, **{"now": self.now, **more})

    def status(self) -> tuple[str, datetime | None]:
        with self.store.read() as connection:
            row = connection.execute(sa.select(cases).where(cases.c.id == self.case.id)).one()
        return row.status, row.acknowledged_at

    def row(self) -> Any:
        with self.store.read() as connection:
            return connection.execute(sa.select(cases).where(cases.c.id == self.case.id)).one()

    def told(self) -> list[tuple[str, str]]:
        with self.store.read() as connection:
            return [(event.who, event.what) for event in history(connection, self.case.id)]


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Iterator[Desk]:
    made = Desk(store, tmp_path)
    with serving(made.api) as made.client:
        yield made


def test_opening_a_link_shows_one_button_and_changes_nothing(desk: Desk) -> None:
    answer = desk.client.get(desk.link())
    assert answer.status_code == 200
    assert answer.text.count("<button") == answer.text.count("<form") == 1
    assert "Nítido · customer · Customer care" in answer.text
    assert "cobró" not in answer.text  # the post itself is behind the login
    assert desk.status() == ("new", None)


def test_pressing_acknowledges_and_a_second_press_says_who_was_first(desk: Desk) -> None:
    answer = desk.client.post(desk.link())
    assert answer.status_code == 200
    assert "Done: acknowledged" in answer.text
    assert desk.status() == ("acknowledged", NOW)
    desk.now = NOW + timedelta(minutes=5)
    for again in (desk.client.post(desk.link("bob@nitido.example")), desk.client.get(desk.link("bob@nitido.example"))):
        assert again.status_code == 200
        assert "Already acknowledged" in again.text
        assert "By ana@nitido.example, 14:40." in again.text
        assert "<button" not in again.text
    assert desk.status() == ("acknowledged", NOW)
    with desk.store.read() as connection:
        told = [(event.who, event.what) for event in history(connection, desk.case.id)]
    assert told.count(("ana@nitido.example", "acknowledged")) == 1
    assert ("bob@nitido.example", "acknowledged") not in told


def test_a_closed_case_says_so(desk: Desk) -> None:
    with desk.store.write() as connection:
        close(connection, desk.case.id, "Eva", NOW)
    for answer in (desk.client.get(desk.link()), desk.client.post(desk.link())):
        assert answer.status_code == 200
        assert "The case is closed." in answer.text
        assert "By Eva, 14:40." in answer.text


def test_taking_a_case_makes_it_the_readers_and_acknowledges_it(desk: Desk) -> None:
    link = desk.link(action="assign")
    asked = desk.client.get(link)
    assert "Take this case?" in asked.text
    assert "Assign to me</button>" in asked.text
    assert (desk.row().status, desk.row().owner) == ("new", None)
    assert "Done: it is yours" in desk.client.post(link).text
    assert (desk.row().status, desk.row().owner) == ("acknowledged", "Ana Ruiz")  # as [people] names the address
    desk.now += timedelta(minutes=5)
    again = desk.client.post(link)
    assert "This case is yours already" in again.text
    other = desk.client.post(desk.link("bob@nitido.example", "assign"))
    assert other.status_code == 200
    assert "Already taken by Ana Ruiz" in other.text
    assert "By ana@nitido.example, 14:40." in other.text
    assert desk.row().owner == "Ana Ruiz"
    assert desk.told().count(("ana@nitido.example", "assigned")) == 1


@pytest.mark.parametrize(
    ("action", "until", "shown"),
    [
        ("snooze-hour", NOW + timedelta(hours=1), "15:40"),
        ("snooze-tomorrow", datetime(2026, 5, 5, 14, 0, tzinfo=UTC), "Tue 5 May, 09:00"),
    ],
)
def test_putting_off_says_until_when_and_a_second_reader_hears_of_it(
    desk: Desk, action: str, until: datetime, shown: str
) -> None:
    asked = desk.client.get(desk.link(action=action)).text.replace("\N{NO-BREAK SPACE}", " ")
    assert f"It comes back at {shown}; its clock runs on meanwhile." in asked
    assert desk.row().status == "new"
    done = desk.client.post(desk.link(action=action)).text.replace("\N{NO-BREAK SPACE}", " ")
    assert f"Done: put off until {shown}" in done
    assert (desk.row().status, desk.row().snoozed_until) == ("snoozed", until)
    assert desk.row().due_at == desk.case.due_at
    desk.now += timedelta(minutes=5)
    again = desk.client.post(desk.link("slack:care", action)).text.replace("\N{NO-BREAK SPACE}", " ")
    assert f"Already put off until {shown}" in again
    assert "By ana@nitido.example, 14:40." in again
    assert desk.row().snoozed_until == until
    assert "Already acknowledged" in desk.client.post(desk.link()).text


def test_of_many_who_press_at_once_one_takes_the_case(desk: Desk) -> None:
    links = [desk.link(f"p{number}@nitido.example", "assign") for number in range(6)]
    together = threading.Barrier(len(links))
    shown: list[str] = []

    def work(link: str) -> None:
        with Client(desk.client.base) as client:
            together.wait()
            shown.append(client.post(link).text)

    threads = [threading.Thread(target=work, args=(link,)) for link in links]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("Done: it is yours" in text for text in shown) == 1
    assert sum("Already taken by p" in text for text in shown) == len(links) - 1
    assert sum(what == "assigned" for _, what in desk.told()) == 1


def test_a_link_to_a_merged_case_leads_to_its_heir(desk: Desk) -> None:
    with desk.store.write() as connection:
        heir, _ = open_one(connection, desk.config)
        merge(connection, desk.case.id, heir.id, "Eva", NOW)
    asked = desk.client.get(desk.link())
    assert f"Case {heir.id} · case {desk.case.id} is part of it now" in asked.text
    assert f"/case?id={heir.id}" in asked.text
    assert "Done: acknowledged" in desk.client.post(desk.link()).text
    with desk.store.read() as connection:
        row = connection.execute(sa.select(cases).where(cases.c.id == heir.id)).one()
    assert (row.status, desk.row().status) == ("acknowledged", "closed")


@pytest.mark.parametrize("action", list(ACTIONS))
def test_a_link_does_what_it_was_signed_for_and_nothing_else(desk: Desk, action: str) -> None:
    for other in ACTIONS:
        token = desk.link(action=other).rpartition("/")[2]
        if other != action:
            assert desk.client.post(f"/api/{action}/{token}").status_code == 404
    assert (desk.row().status, desk.row().owner) == ("new", None)
    assert desk.client.head(desk.link(action=action)).status_code in (200, 405)
    assert desk.row().status == "new"


@pytest.mark.parametrize("action", list(ACTIONS))
def test_every_action_on_a_closed_case_says_so_and_changes_nothing(desk: Desk, action: str) -> None:
    with desk.store.write() as connection:
        close(connection, desk.case.id, "Eva", NOW)
    version = desk.row().version
    answer = desk.client.post(desk.link(action=action))
    assert "The case is closed." in answer.text
    assert "<button" not in desk.client.get(desk.link(action=action)).text
    assert desk.row().version == version


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_expired_link_is_gone_and_still_leads_to_the_case(desk: Desk, method: str) -> None:
    link = desk.link()
    desk.now = NOW + timedelta(days=14, seconds=1)
    answer = desk.client.request(method, link)
    assert answer.status_code == 410
    assert "This link has expired" in answer.text
    assert f"/case?id={desk.case.id}" in answer.text
    assert desk.status()[0] == "new"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("token", ["x", "a.b.c", "%00", "%3Cscript%3E", "W10.aaaa.bbbb"])
def test_a_forged_link_is_not_found_and_shows_nothing_of_itself(desk: Desk, method: str, token: str) -> None:
    answer = desk.client.request(method, f"/api/acknowledge/{token}")
    assert answer.status_code == 404
    assert "not one of ours" in answer.text
    assert "<script" not in answer.text
    assert desk.status()[0] == "new"


def test_a_link_to_a_case_that_is_gone_says_so(desk: Desk) -> None:
    answer = desk.client.post(sign(desk.config, 999, "a@x.pe", now=NOW))
    assert answer.status_code == 404
    assert "no longer there" in answer.text


def test_every_answer_forbids_frames_scripts_and_telling_the_address(desk: Desk) -> None:
    for path in (desk.link(), "/api/acknowledge/x", "/api/health", "/api/docs", "/api/nothing"):
        answer = desk.client.get(path)
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none';")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
    page = desk.client.get(desk.link())
    (nonce,) = set(re.findall(r'nonce="([^"]+)"', page.text))
    assert f"'nonce-{nonce}'" in page.headers["content-security-policy"]
    assert nonce not in desk.client.get(desk.link()).text


@pytest.mark.parametrize("path", ["acknowledge", "docs"])
def test_a_page_asks_nothing_of_another_site(desk: Desk, path: str) -> None:
    text = desk.client.get(desk.link() if path == "acknowledge" else "/api/docs").text
    assert not re.search(r"""(src|srcset|@import|url\()""", text)
    assert not re.search(r"""(?i)https?://(?!127\.0\.0\.1)""", text)


def test_the_pages_speak_the_instances_language(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("listener.reason.words", lambda lang: {"Acknowledge": "Acusar recibo"} if lang == "es" else {})
    instance = desk.config.settings.instance.model_copy(update={"language": "es"})
    object.__setattr__(desk.config, "settings", desk.config.settings.model_copy(update={"instance": instance}))
    text = desk.client.get(desk.link()).text
    assert '<html lang="es">' in text
    assert "Acusar recibo</button>" in text


def test_no_log_line_holds_a_link(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    link = desk.link()
    with caplog.at_level("DEBUG", logger="escucha"):
        desk.client.get(link)
        desk.client.post(link)
        desk.client.post("/api/acknowledge/canary-token")
    assert "acknowledge: case 1" in caplog.text
    for canary in (link.rpartition("/")[2], "canary-token", "ana@nitido.example"):
        assert canary not in caplog.text


def test_health_counts_what_waits_and_for_how_long(desk: Desk) -> None:
    desk.now = NOW + timedelta(minutes=3)
    told = desk.client.get("/api/health")
    assert told.status_code == 200
    assert told.json()["alerts"] == {"waiting": 1, "oldest_seconds": 180, "late": False, "refused": 0}
    assert told.json()["database"] == "ok"
    assert told.json()["sources"] == {"feeds": {"outcome": None, "started_at": None}}
    assert told.json()["status"] == "ok"


def test_health_is_degraded_by_a_late_alert_a_failing_source_or_a_stopped_clock(desk: Desk) -> None:
    with desk.store.write() as connection:
        connection.execute(runs.insert().values(source="feeds", started_at=NOW, outcome="unreadable", error="canary"))
    told = desk.client.get("/api/health")
    assert (told.status_code, told.json()["status"]) == (200, "degraded")
    assert told.json()["sources"]["feeds"] == {"outcome": "unreadable", "started_at": NOW.isoformat()}
    assert "canary" not in told.text
    with desk.store.write() as connection:
        connection.execute(runs.insert().values(source="feeds", started_at=NOW + timedelta(minutes=1), outcome="ok"))
    assert desk.client.get("/api/health").json()["status"] == "ok"
    desk.api.state.clock = lambda: False
    assert desk.client.get("/api/health").json()["status"] == "degraded"
    desk.api.state.clock = lambda: True
    with desk.store.write() as connection:
        connection.execute(alerts.update().values(tries=1))
    assert desk.client.get("/api/health").json()["status"] == "degraded"


def test_health_is_503_and_links_say_later_when_the_database_does_not_answer(desk: Desk) -> None:
    link = desk.link()
    with desk.store.write() as connection:
        for table in ("alert", "event", "case_mention", "cases"):
            connection.execute(sa.text(f"ALTER TABLE {table} RENAME TO gone_{table}"))
    told = desk.client.get("/api/health")
    assert (told.status_code, told.json()["status"], told.json()["database"]) == (503, "down", "down")
    answer = desk.client.post(link)
    assert answer.status_code == 503
    assert "Nothing was changed" in answer.text


def test_the_interface_is_described(desk: Desk) -> None:
    schema = desk.client.get("/api/openapi.json").json()
    links = {f"/api/{action}/{{token}}" for action in ACTIONS}
    assert set(schema["paths"]) == {"/api/health", "/api/hooks/{source}"} | links
    assert "POST /api/acknowledge/{token}" in desk.client.get("/api/docs").text
