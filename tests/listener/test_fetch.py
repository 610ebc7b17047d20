from __future__ import annotations

import gzip
import resource
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from listener.errors import NotAllowed, RateLimited, Refused, SourceError, Unreachable, Unreadable
from listener.failure import wait_until, worded
from listener.fetch import Egress, classify, fetch, open_session
from tests.servers.web import Answer, serving

LOCAL = Egress(frozenset({"127.0.0.1"}), frozenset({"127.0.0.1"}))
NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with open_session(LOCAL, "test") as opened:
        yield opened


# ---- how much and how long


def test_a_gzip_bomb_is_stopped_early_and_cheaply(session: requests.Session) -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    for bytes_, coding in ((bomb, "gzip"), (gzip.compress(bomb), "gzip, gzip")):
        with serving(
            lambda asked, bytes_=bytes_, coding=coding: Answer(bytes_, headers={"Content-Encoding": coding})
        ) as web:
            before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
            with pytest.raises(Unreadable):
                fetch(session, web.url, "test")
            with pytest.raises(Unreadable):
                session.get(web.url)  # a client library reads it
            assert time.monotonic() - began < 5
            assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # kB


def test_a_body_larger_than_allowed_is_unreadable(session: requests.Session) -> None:
    with serving(lambda asked: Answer(b"x" * 1001)) as web:
        assert len(fetch(session, web.url, "test", limit=1001).body) == 1001
        with pytest.raises(Unreadable):
            fetch(session, web.url, "test", limit=1000)


def test_a_silent_server_and_a_dripping_one_are_left_in_time(session: requests.Session) -> None:
    with serving(lambda asked: Answer(fault="hang")) as web:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            fetch(session, web.url, "test", seconds=0.2)
        assert time.monotonic() - began < 3
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                try:
                    while not stop.wait(0.02):
                        connection.sendall(b"x")
                except OSError:
                    pass

        thread = threading.Thread(target=drip)
        thread.start()
        began = time.monotonic()
        with pytest.raises(Unreachable):
            fetch(session, f"http://127.0.0.1:{server.getsockname()[1]}/", "test", seconds=0.3)
        assert time.monotonic() - began < 3
        stop.set()
        thread.join()


def test_a_client_library_that_gives_no_timeout_gets_ours(
    session: requests.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("listener.egress.TIMEOUT", (0.2, 0.2))
    with serving(lambda asked: Answer(fault="hang")) as web, pytest.raises(Unreachable):
        session.get(web.url)


# ---- what an answer means


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(status=401), NotAllowed),
        (Answer(status=402), NotAllowed),
        (Answer(status=403), NotAllowed),
        (Answer(status=404), Unreachable),
        (Answer(status=410), Unreachable),
        (Answer(status=400), Unreadable),
        (Answer(status=429), RateLimited),
        (Answer(status=503, headers={"Retry-After": "5"}), RateLimited),
        (Answer(status=503), Unreachable),
        (Answer(status=500), Unreachable),
        (Answer(status=520), Unreachable),
        (Answer(status=304), None),
        (Answer(b"ok"), None),
        (Answer(b"x" * 10_000, fault="reset"), Unreachable),
        (Answer(b"x" * 10_000, fault="short"), Unreachable),
        (Answer(b"no gzip", headers={"Content-Encoding": "gzip"}), Unreadable),
    ],
)
def test_every_answer_becomes_a_body_or_one_of_our_errors(
    answer: Answer, kind: type | None, session: requests.Session
) -> None:
    with serving(lambda asked: answer) as web:
        if kind is None:
            assert fetch(session, web.url, "test").status == answer.status
            return
        with pytest.raises(SourceError) as told:
            fetch(session, web.url + "/?key=canary", "test")
    assert type(told.value) is kind
    assert "canary" not in str(told.value)


def test_a_name_that_does_not_exist_and_a_closed_port_are_unreachable() -> None:
    with open_session(Egress(frozenset({"nowhere.invalid"})), "t") as session, pytest.raises(Unreachable):
        fetch(session, "http://nowhere.invalid/", "t")
    with open_session(LOCAL, "t") as session, pytest.raises(Unreachable):
        fetch(session, "http://127.0.0.1:1/", "t")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "17"}, 17),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "315360000"}, 3600),
        ({"Retry-After": "9" * 400}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "Mon, 04 May 2026 12:01:00 GMT"}, 60),
        ({"Retry-After": "Mon, 04 May 2020 12:01:00 GMT"}, 1),
        ({"Retry-After": "Mon, 04 May 9999 12:01:00 GMT"}, 3600),
        ({"x-rate-limit-reset": str(int(NOW.timestamp()) + 90)}, 90),
        ({"x-rate-limit-reset": "1"}, 1),
        ({"x-rate-limit-reset": "99999999999999"}, 3600),
        ({"x-ratelimit-reset": "42.0"}, 42),
        ({}, None),
    ],
)
def test_a_wait_lies_between_a_second_and_an_hour(headers: dict[str, str], seconds: int | None) -> None:
    until = wait_until(requests.structures.CaseInsensitiveDict(headers), NOW)
    assert until == (None if seconds is None else NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "error",
    [
        ValueError("key=canary"),
        KeyError("canary"),
        AttributeError("canary"),
        IndexError(),
        RecursionError(),
        TypeError(),
        ZeroDivisionError(),
    ],
)
def test_any_exception_of_a_library_is_classified_without_its_words(error: Exception) -> None:
    told = classify(error, "test")
    assert isinstance(told, Unreadable)
    assert "canary" not in str(told)
    assert isinstance(classify(TimeoutError("canary"), "test"), Unreachable)
    assert isinstance(classify(ConnectionResetError("canary"), "test"), Unreachable)
    refused = Refused("test", "x")
    assert classify(refused, "test") is refused


def test_the_gate_serves_several_threads(session: requests.Session) -> None:
    with serving(lambda asked: Answer(asked.path.encode())) as web:
        got: list[bytes] = []

        def ask(number: int) -> None:
            got.append(fetch(session, f"{web.url}/{number}", "t").body)

        threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(got) == sorted(f"/{n}".encode() for n in range(8))


# ---- said to people


def test_a_message_is_worded_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"the answer is empty": "la respuesta está vacía", "not UTF-8: save": "no es UTF-8: guardar"}
    monkeypatch.setattr("listener.failure.words", lambda lang: known)
    monkeypatch.setattr("listener.reason.words", lambda lang: known)
    told = worded("a.example/f: the answer is empty; b.csv: not UTF-8: save; c: new: words", "es")
    assert told == "a.example/f: la respuesta está vacía; b.csv: no es UTF-8: guardar; c: new: words"
