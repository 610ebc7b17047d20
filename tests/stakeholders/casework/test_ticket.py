"""A case carries its ticket, and the team's own system hears of every step once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from listener.config import Config
from listener.database import Store
from listener.errors import ConfigError
from listener.tables.crosscheck import cross_check
from stakeholders.alerts import send_due
from stakeholders.case import NotPossible, Stale, acknowledge, answer, assign, close, history, note, read_case
from stakeholders.casework.merging import merge
from stakeholders.casework.seal import verify
from stakeholders.casework.ticket import PAST, Ticket, queue_crm, queue_crm_due, read_answer, set_ticket, take_answer
from stakeholders.store import alerts, cases, events
from tests.servers.web import Answer, Asked, serving
from tests.stakeholders.newsroom import NOW, make_config, open_one

SOON, LATER = NOW + timedelta(minutes=1), NOW + timedelta(hours=1)
HOOK = {"kind": "webhook", "url": "https://desk.example/hook", "secret": "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"}


def make(folder: Path, url: str, **crm: Any) -> Config:
    channels = {"desk": HOOK, "inner": HOOK | {"internal": True}}
    return make_config(folder, url, channels=channels, crm={"channels": ["desk", "inner"], **crm})


@pytest.fixture
def config(store: Store, tmp_path: Path) -> Config:
    return make(tmp_path, store.url)


@pytest.fixture
def connection(store: Store) -> Iterator[sa.Connection]:
    with store.write() as opened:
        yield opened


def rows(connection: sa.Connection) -> list[Any]:
    found = sa.select(alerts).where(alerts.c.kind == "crm").order_by(alerts.c.recipient, alerts.c.id)
    return list(connection.execute(found))


def ticket_of(connection: sa.Connection, case_id: int) -> tuple[str | None, str | None]:
    case = read_case(connection, case_id)
    assert case is not None
    return case.ticket_id, case.ticket_url


def test_a_person_writes_a_ticket_and_both_values_stay_in_the_history(
    connection: sa.Connection, config: Config
) -> None:
    case, _ = open_one(connection, config)
    told = set_ticket(connection, case.id, " 4711 ", "https://desk.example/4711", "Rosa", SOON)
    assert (told.ticket_id, told.ticket_url, told.version) == ("4711", "https://desk.example/4711", case.version)
    set_ticket(connection, case.id, "4711", "https://desk.example/4711", "Rosa", SOON)
    set_ticket(connection, case.id, None, "", "Rosa", LATER)
    lines = [line for line in history(connection, case.id) if line.what == "ticketed"]
    assert [(line.before, line.after) for line in lines] == [
        ({"ticket": None, "url": None}, {"ticket": "4711", "url": "https://desk.example/4711"}),
        ({"ticket": "4711", "url": "https://desk.example/4711"}, {"ticket": None, "url": None}),
    ]


@pytest.mark.parametrize(
    ("number", "url"),
    [
        ("1" * 201, None),
        (None, "javascript:alert(1)"),
        (None, "https://a b.example"),
        (None, "https://user@desk.example/"),
        (None, "https://"),
        (None, "http://[::1"),
        (None, "https://desk.example/" + "a" * 2000),
    ],
)
def test_what_is_no_ticket_is_refused_in_words(
    connection: sa.Connection, config: Config, number: str | None, url: str | None
) -> None:
    case, _ = open_one(connection, config)
    with pytest.raises(NotPossible, match=r"ticket's (number has at most 200|address starts with https://)"):
        set_ticket(connection, case.id, number, url, "Rosa", SOON)
    assert read_answer(json.dumps({"ticket_id": number, "ticket_url": url}).encode()) is None


def test_an_old_view_writes_no_ticket(connection: sa.Connection, config: Config) -> None:
    case, _ = open_one(connection, config)
    assign(connection, case.id, "Ana", NOW, "Ana")
    with pytest.raises(Stale, match="Ana gave"):
        set_ticket(connection, case.id, "1", None, "Rosa", SOON, version=case.version)


@given(st.binary(max_size=60) | st.recursive(st.none() | st.text() | st.integers() | st.floats(), st.lists).map(
    lambda told: json.dumps({"ticket_id": told, "ticket_url": told}).encode()
))  # fmt: skip
def test_any_answer_can_be_read(body: bytes) -> None:
    ticket = read_answer(body)
    assert ticket is None or (ticket.id or ticket.url)


def test_an_answer_tells_a_ticket() -> None:
    assert read_answer(b'{"ticket_id": 4711}') == Ticket("4711", None)
    body = b'{"ticket_id": "A-1", "ticket_url": "https://desk.example/1", "more": []}'
    assert read_answer(body) == Ticket("A-1", "https://desk.example/1")
    assert read_answer(b"<html>") is None
    assert read_answer(b'{"ticket_id": true}') is None
    assert read_answer(b"[" * 100_000) is None


def test_an_answer_is_kept_unless_a_person_wrote_a_ticket(connection: sa.Connection, config: Config) -> None:
    case, _ = open_one(connection, config)
    take_answer(connection, case.id, "desk", b'{"ticket_id": 1}', SOON)
    take_answer(connection, case.id, "desk", b'{"ticket_url": "https://desk.example/1"}', SOON)
    assert ticket_of(connection, case.id) == ("1", "https://desk.example/1")
    assert history(connection, case.id)[-1].who == "webhook:desk"
    set_ticket(connection, case.id, "mine", None, "Rosa", SOON)
    assert take_answer(connection, case.id, "desk", b'{"ticket_id": 2}', LATER) is None
    assert ticket_of(connection, case.id) == ("mine", None)
    assert take_answer(connection, 404, "desk", b'{"ticket_id": 2}', LATER) is None
    other, _ = open_one(connection, config)
    merge(connection, other.id, case.id, "Rosa", LATER)
    set_ticket(connection, case.id, None, None, "Rosa", LATER)
    assert take_answer(connection, other.id, "desk", b'{"ticket_id": 3}', LATER) is None  # Rosa took it away


def test_every_step_is_queued_once_whoever_took_it(connection: sa.Connection, config: Config) -> None:
    case, _ = open_one(connection, config)
    acknowledge(connection, case.id, "Rosa", SOON)
    assert queue_crm_due(connection, config, SOON) == 4
    note(connection, case.id, "Rosa", SOON, "llamar")
    answer(connection, case.id, "Luis", LATER)
    close(connection, case.id, "Luis", LATER)
    assert queue_crm_due(connection, config, LATER) == 4
    assert queue_crm_due(connection, config, LATER) == 0
    desk = [row for row in rows(connection) if row.recipient == "desk"]
    assert [row.payload["type"] for row in desk] == ["case.opened", "case.acknowledged", "case.answered", "case.closed"]
    assert len({row.key for row in rows(connection)}) == 8
    assert {(row.channel, row.state, row.case_id) for row in rows(connection)} == {("webhook", "pending", case.id)}
    told = desk[2].payload["data"]
    assert told["seal"] == next(line.seal for line in history(connection, case.id) if line.what == "answered")
    assert told["case"]["url"] == f"http://127.0.0.1:8501/case?id={case.id}"
    assert queue_crm(connection, config, case.id, "note", 3, LATER) == 0


def test_names_of_colleagues_go_to_internal_channels_only_and_no_text_of_a_post_to_any(
    connection: sa.Connection, config: Config
) -> None:
    case, _ = open_one(connection, config)
    assign(connection, case.id, "Rosa Quispe", SOON, "Luis Paz")
    answer(connection, case.id, "Rosa Quispe", LATER, note="le escribí a @ana por mensaje")
    queue_crm_due(connection, config, LATER)
    outer, inner = (json.dumps([row.payload for row in rows(connection) if row.recipient == name])
                    for name in ("desk", "inner"))  # fmt: skip
    assert "Rosa" not in outer
    assert "Luis" not in outer
    assert '"who": "Rosa Quispe"' in inner
    assert '"owner": "Luis Paz"' in inner
    for told in (outer, inner):
        assert "cobr" not in told
        assert "mensaje" not in told
        assert "canary" not in told


def test_what_is_long_past_of_another_brand_or_not_asked_for_is_not_told(
    connection: sa.Connection, config: Config, tmp_path: Path
) -> None:
    open_one(connection, config, now=NOW - PAST - timedelta(hours=1))
    gone, _ = open_one(connection, config)
    connection.execute(cases.update().where(cases.c.id == gone.id).values(brand="gone"))
    case, _ = open_one(connection, config)
    answer(connection, case.id, "Luis", SOON)
    few = make(tmp_path, config.settings.store.url, steps=["answered"])
    assert queue_crm_due(connection, few, SOON) == 2
    assert {row.payload["type"] for row in rows(connection)} == {"case.answered"}
    assert queue_crm_due(connection, config, SOON) == 2
    none = replace(config, settings=config.settings.model_copy(update={"crm": type(config.settings.crm)()}))
    assert queue_crm_due(connection, none, SOON) == 0


def test_a_merged_case_tells_where_it_went(connection: sa.Connection, config: Config) -> None:
    first, _ = open_one(connection, config)
    second, _ = open_one(connection, config)
    merge(connection, first.id, second.id, "Rosa", SOON)
    queue_crm_due(connection, config, SOON)
    told = [row.payload["data"]["case"] for row in rows(connection) if row.payload["type"] == "case.merged"]
    assert {(one["id"], one["merged_into"], one["url"][-4:]) for one in told} == {
        (first.id, second.id, f"id={second.id}"[-4:]), (second.id, None, f"id={second.id}"[-4:])
    }  # fmt: skip
    assert connection.scalar(sa.select(sa.func.count()).select_from(events).where(events.c.what == "merged")) == 2


@pytest.mark.parametrize(
    ("crm", "channels", "words"),
    [
        ({"channels": ["dsk"]}, {"desk": HOOK}, "there is no channel 'dsk'; did you mean"),
        ({"channels": ["log"]}, {"log": {"kind": "log"}}, "'log' is of kind log"),
        ({"channels": ["desk"]}, {"desk": HOOK | {"enabled": False}}, "'desk' is switched off"),
        ({"channels": ["desk"], "steps": []}, {"desk": HOOK}, "steps is empty"),
        ({"steps": ["told"]}, {}, "steps"),
    ],
)
def test_a_wrong_table_is_a_fault_with_a_hint(tmp_path: Path, crm: Any, channels: Any, words: str) -> None:
    with pytest.raises(ConfigError) as told:
        make_config(tmp_path, f"sqlite:///{tmp_path}/a.db", crm=crm, channels=channels)
    assert "[crm" in str(told.value)
    assert words in str(told.value)


def test_a_right_table_has_no_fault(config: Config, tmp_path: Path) -> None:
    assert [one for one in cross_check(config.settings, tmp_path) if one.where.startswith("crm")] == []


def test_the_team_s_own_system_is_told_over_the_wire_and_its_answer_becomes_the_ticket(
    store: Store, tmp_path: Path
) -> None:
    def answer_it(asked: Asked) -> Answer:
        number = json.loads(asked.body)["data"]["case"]["id"]
        return Answer(json.dumps({"ticket_id": number + 4000, "ticket_url": f"https://desk.example/{number}"}).encode())

    with serving(answer_it) as web:
        channels = {"desk": HOOK | {"url": f"{web.url}/hook"}}
        config = make_config(
            tmp_path, store.url, channels=channels, crm={"channels": ["desk"]}, egress={"inside": ["127.0.0.1"]}
        )
        with store.write() as connection:
            case, _ = open_one(connection, config)
            acknowledge(connection, case.id, "Rosa", NOW)
            queue_crm_due(connection, config, NOW)
        assert send_due(store, config, NOW).sent == 2
        assert send_due(store, config, NOW).sent == 0
    bodies = [json.loads(asked.body) for asked in web.asked]
    assert [one["type"] for one in bodies] == ["case.opened", "case.acknowledged"]
    keys = [asked.headers["Idempotency-Key"] for asked in web.asked]
    assert len(set(keys)) == 2
    assert all(asked.headers["Webhook-Signature"].startswith("v1,") for asked in web.asked)
    with store.read() as connection:
        assert ticket_of(connection, case.id) == (str(case.id + 4000), f"https://desk.example/{case.id}")
        assert [line.what for line in history(connection, case.id)] == ["opened", "acknowledged", "ticketed"]
        assert verify(connection, case.id) is None
