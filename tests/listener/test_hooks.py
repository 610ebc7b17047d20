"""Platforms call over a real socket: what is signed is stored once, before 200; all else leaves no trace."""

from __future__ import annotations

import json
import logging
import random
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import sqlalchemy as sa
from fastapi import FastAPI

from listener import hooks
from listener.database import Store
from listener.egress import egress_of
from listener.hooks import make_hooks
from listener.intake import Intake
from listener.mention import Pushed
from listener.sources import load
from listener.store import mentions, posts, quarantine, runs
from stakeholders.arrival import read_opt_outs, settle_arrival
from tests.servers.graph import ACCOUNT, SECRET, TOKEN, VERIFY, failing, reply, sign
from tests.servers.house import PHONE, House, call, edit, message, open_house
from tests.servers.web import Answer, serving
from tests.stakeholders.newsroom import NOW

GREETING = {"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "1158201444"}


@pytest.fixture
def house(store: Store, tmp_path: Path) -> Iterator[House]:
    with open_house(store, tmp_path) as opened:
        yield opened


# ---- the handshake


def test_the_handshake_is_answered_to_who_knows_the_word_and_only_where_calls_are_taken(house: House) -> None:
    def greet(source: str, **change: str) -> requests.Response:
        return house.session.get(f"{house.url}/api/hooks/{source}", params=GREETING | change, timeout=10)

    for source in ("whatsapp", "facebook", "instagram"):
        answer = greet(source)
        assert (answer.status_code, answer.text) == (200, "1158201444")
        assert answer.headers["Content-Type"].startswith("text/plain")
    assert greet("whatsapp", **{"hub.verify_token": "x"}).status_code == 403
    assert greet("whatsapp", **{"hub.challenge": "<b>1</b>"}).status_code == 403
    assert [greet(source).status_code for source in ("off", "press", "nobody", "..")] == [404, 404, 404, 404]


# ---- what is stored


def test_a_signed_call_is_stored_with_its_mention_before_it_is_answered(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = house.post("whatsapp", call(message("sin señal 😮 hace días")))
    assert answer.status_code == 200
    assert house.texts() == {"wamid.1": "sin señal 😮 hace días"}
    with house.store.read() as connection:
        assert list(connection.scalars(sa.select(mentions.c.brand))) == ["nitido"]
        run = connection.execute(sa.select(runs)).one()
    assert (run.source, run.outcome, run.posts, run.new, run.mentions) == ("whatsapp", "ok", 1, 1, 1)
    for secret in (PHONE, "señal", SECRET, VERIFY, TOKEN):
        assert secret not in caplog.text


def wrong_headers(body: bytes) -> list[dict[str, str]]:
    (right,) = sign(body).values()
    told = [right[:-1], right.upper(), "sha256=" + right[7:].upper(), "sha256=", "", right[7:], right + "0"]
    told += (
        list(sign(body, "another secret").values()) + list(sign(body, "").values()) + list(sign(body + b" ").values())
    )
    return [{}, {"X-Hub-Signature": right}, *({"X-Hub-Signature-256": value} for value in told)]


def test_what_is_not_signed_by_our_app_leaves_no_trace(house: House, caplog: pytest.LogCaptureFixture) -> None:
    for body in (call(message("sin señal")), b"no json", "«ñ😮»".encode()):
        for headers in wrong_headers(body):
            assert house.post("whatsapp", body, headers).status_code == 403
    assert [house.count(table) for table in (posts, quarantine, runs)] == [0, 0, 0]
    assert sum("signature" in record.getMessage() for record in caplog.records) == 1  # nobody fills the log
    assert house.post("off", call(message("x"))).status_code == 404
    assert house.post("press", call(message("x"))).status_code == 404


def test_unreadable_json_with_a_good_signature_is_kept_aside(house: House) -> None:
    for body in (b"", b"<html>", b"\xff\xfe\x00", b"[]", b'{"object":"page","entry":1}'):
        assert house.post("whatsapp", body).status_code == 200
        assert house.post("whatsapp", body).status_code == 200
    assert (house.count(posts), house.count(quarantine)) == (0, 5)


def test_a_call_that_is_too_large_is_refused_while_it_comes_in(house: House) -> None:
    whole = b" " * hooks.LARGEST
    assert house.post("whatsapp", whole).status_code == 200
    assert house.post("whatsapp", whole + b" ").status_code == 413

    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        while len(sent) < 1000:  # 64 MB, if anybody read it
            sent.append(1)
            yield b" " * 65536

    host, port = house.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(b"POST /api/hooks/whatsapp HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for part in endless():
                line.sendall(b"%x\r\n%s\r\n" % (len(part), part))
        except OSError:
            pass
        try:
            answer = line.recv(65536)
        except OSError:
            answer = b""
    assert len(sent) < 200
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
    assert house.count(quarantine) == 1


def test_a_body_that_drips_in_is_given_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "PATIENCE", 0.2)
    host, port = house.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(b"POST /api/hooks/whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{")
        assert line.recv(65536).startswith(b"HTTP/1.1 408")


def test_a_database_that_is_away_is_no_200_and_the_call_is_taken_later(store: Store, tmp_path: Path) -> None:
    away = Store("postgresql://nobody@127.0.0.1:9/none?connect_timeout=2")

    def api(house: House) -> FastAPI:
        app = FastAPI()
        app.include_router(make_hooks(house.config, away, Intake(house.config), settle_arrival), prefix="/api")
        return app

    with open_house(store, tmp_path, api) as house:
        answer = house.post("whatsapp", call(message("sin señal")))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    away.close()
    with open_house(store, tmp_path) as house:
        assert house.post("whatsapp", call(message("sin señal"))).status_code == 200
        assert house.count(posts) == 1


def test_a_call_that_can_never_be_stored_is_kept_aside_whole_and_nothing_of_it_by_halves(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = "sin señal"

    def broken(*_: Any) -> None:
        raise ZeroDivisionError(words)

    def api(house: House) -> FastAPI:
        app = FastAPI()
        app.include_router(make_hooks(house.config, store, Intake(house.config), broken), prefix="/api")
        return app

    with open_house(store, tmp_path, api) as house:
        assert house.post("whatsapp", call(message("sin señal"))).status_code == 200
        assert [house.count(table) for table in (posts, mentions, runs, quarantine)] == [0, 0, 0, 1]
    assert "ZeroDivisionError" in caplog.text
    assert "señal" not in caplog.text


# ---- calls again, late, together


def recorded(folder: Path) -> list[dict[str, Any]]:
    return [
        told for path in sorted(folder.glob("*.json")) for told in json.loads(path.read_text("utf-8")).values()
    ]  # fmt: skip


@pytest.mark.parametrize("renamed", [False, True], ids=["as recorded", "each an id of its own"])
def test_recorded_calls_three_times_each_shuffled_by_eight_threads_are_one_row_an_id(
    house: House, shared: Path, renamed: bool
) -> None:
    calls = recorded(shared / "payloads" / "whatsapp" / "updates")
    for number, told in enumerate(calls):
        for one in told["entry"][0]["changes"][0]["value"].get("messages", ()):
            if renamed:
                one["id"] = f"wamid.{number}"
    wa = load("whatsapp", house.config.sources["whatsapp"], egress_of(house.config))
    assert isinstance(wa, Pushed)
    bodies = [json.dumps(told).encode() for told in calls]
    wanted = {post.native_id for body in bodies for post in wa.receive(body).posts}
    assert len(wanted) == (26 if renamed else 6)
    sent = bodies * 3
    random.Random(7).shuffle(sent)
    with ThreadPoolExecutor(8) as pool:
        statuses = set(pool.map(lambda body: house.post("whatsapp", body).status_code, sent))
    assert statuses == {200}
    assert set(house.texts()) == wanted
    assert house.count(posts) == house.count(mentions) == len(wanted)
    with house.store.read() as connection:
        assert connection.scalar(sa.select(sa.func.sum(runs.c.new))) == len(wanted)
        assert connection.scalar(sa.select(sa.func.count()).select_from(runs)) == 1  # a minute is one run
        assert read_opt_outs(connection) == []


def test_a_first_wording_that_comes_late_does_not_undo_an_edit(house: House) -> None:
    first, changed = call(message("sin señal")), call(edit("ya volvió"))
    for body in (first, changed, first, first):
        assert house.post("whatsapp", body).status_code == 200
    assert house.texts() == {"wamid.1": "ya volvió"}
    for body in (call(edit("dos", "wamid.2")), call(message("uno", "wamid.2"))):  # the edit overtook the message
        house.post("whatsapp", body)
    assert house.texts()["wamid.2"] == "dos"


def test_a_message_taken_back_is_gone_and_does_not_come_back(house: House) -> None:
    back = {**message("", "wamid.r"), "type": "revoke", "revoke": {"original_message_id": "wamid.1"}}
    for body in (call(message("sin señal")), call(back), call(message("sin señal")), call(back)):
        assert house.post("whatsapp", body).status_code == 200
    assert house.texts() == {}


def test_an_old_wish_that_is_sent_again_does_not_undo_a_newer_one(house: House) -> None:
    def listed() -> list[str]:
        with house.store.read() as connection:
            return [one.handle for one in read_opt_outs(connection)]

    stop, resume = call(message("BAJA", "wamid.1", 1)), call(message("ALTA", "wamid.2", 2))
    house.post("whatsapp", stop)
    assert listed() == [PHONE]
    house.post("whatsapp", resume)
    assert listed() == []
    house.post("whatsapp", stop)
    assert listed() == []
    house.post("whatsapp", call(message("STOP", "wamid.3", 3)))
    house.post("whatsapp", resume)
    assert listed() == [PHONE]
    assert set(house.texts().values()) == {"BAJA", "ALTA", "STOP"}


def test_a_burst_is_one_run_a_minute_with_the_sum_of_its_calls(house: House) -> None:
    for number in range(30):
        house.post("whatsapp", call(message(f"mensaje {number}", f"wamid.{number}")))
    house.now += timedelta(minutes=2)
    house.post("whatsapp", call(message("otro", "wamid.x")))
    with house.store.read() as connection:
        rows = connection.execute(sa.select(runs).order_by(runs.c.started_at)).all()
    assert [(row.posts, row.new, row.outcome) for row in rows] == [(30, 30, "ok"), (1, 1, "ok")]


def test_a_mention_that_cannot_be_looked_up_now_is_asked_for_again_and_the_rest_is_kept(
    store: Store, tmp_path: Path
) -> None:
    answers = iter([Answer(b"", 503), failing(100, 33)])
    found = Answer(json.dumps({"mentioned_comment": reply("9", NOW, "@nitidope sin señal")}).encode())
    changes = [
        {"field": "mentions", "value": {"media_id": "17", "comment_id": "17909"}},
        {"field": "comments", "value": {"id": "17905", "text": "hola", "from": {"username": "ana"}}},
    ]
    entry = {"id": ACCOUNT, "time": int(NOW.timestamp()), "changes": changes}
    body = json.dumps({"object": "instagram", "entry": [entry]}).encode()
    with serving(lambda asked: next(answers, found)) as web, open_house(store, tmp_path, graph=web.url) as house:
        assert house.post("instagram", body).status_code == 503
        assert set(house.texts()) == {"17905"}
        assert house.post("instagram", body).status_code == 200
        assert set(house.texts()) == {"17905", "mention:17909"}
