"""Servers that take a connection and then say nothing: mail, and what goes through Apprise."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from listener.errors import DeliveryError
from stakeholders.channels import mail, open_line, send
from tests.servers.smtp import Inbox, free_port, smtp
from tests.servers.web import Answer, serving
from tests.stakeholders.channels.desk import always, channel_config, message
from tests.stakeholders.newsroom import make_config


@contextmanager
def mute() -> Iterator[int]:
    """Listen and never answer; give the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


def test_a_mail_server_that_says_nothing_costs_its_wait_and_the_letter_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "TIMEOUT", 0.2)
    began = time.monotonic()
    with mute() as port, pytest.raises(DeliveryError, match="does not serve us") as told:
        send("mail", make_config(tmp_path, "sqlite://", port), message(recipient="a@nitido.example"))
    assert told.value.retry
    assert time.monotonic() - began < 5


def test_a_mail_server_that_falls_silent_after_the_letter_breaks_the_line_and_may_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    class Slow(Inbox):
        async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
            await super().handle_DATA(server, session, envelope)
            await asyncio.sleep(1)
            return "250 OK"

    monkeypatch.setattr(mail, "TIMEOUT", 0.3)
    inbox = Slow()
    with smtp(port := free_port(), inbox), open_line("mail", make_config(tmp_path, "sqlite://", port)) as line:
        with pytest.raises(DeliveryError, match="line broke") as told:
            line.send(message(recipient="a@nitido.example"))
        assert told.value.retry
        assert not line.alive
    assert len(inbox.ids) == 1, "it has arrived: the next try carries the same Message-ID"


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # the library imports it for old Pythons
def test_a_service_behind_apprise_that_hangs_waits(tmp_path: Path) -> None:
    pytest.importorskip("apprise")
    with serving(always(Answer(fault="hang"))) as web:
        url = web.url.replace("http", "json") + "/?rto=0.3&cto=0.3"
        config = channel_config(tmp_path, rest={"kind": "apprise", "url": url})
        with pytest.raises(DeliveryError, match="did not deliver") as told:
            send("apprise", config, message("rest"))
        assert told.value.retry
