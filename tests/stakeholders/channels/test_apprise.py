"""Apprise, over a real server: what it takes, what it does not, and that its faults tell no address."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

import pytest

from listener.errors import DeliveryError
from stakeholders.channels import probe, send
from stakeholders.channels.apprise import _say_once
from tests.servers.web import Answer, serving
from tests.stakeholders.channels.desk import CANARY, HOSTILE, always, channel_config, message

try:
    import apprise
except ImportError:
    apprise = None

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")  # the library imports it for old Pythons
needed = pytest.mark.skipif(apprise is None, reason="this machine has no apprise (pip install 'escucha[apprise]')")


def given(folder: Path, url: str) -> object:
    return channel_config(folder, rest={"kind": "apprise", "url": url})


@needed
def test_a_message_goes_out_as_plain_text_with_its_links(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "escucha")
    _say_once.cache_clear()
    with serving(always(Answer(b"{}"))) as web:
        config = given(tmp_path, web.url.replace("http", "json") + f"/{CANARY}")
        send("apprise", config, message("rest", quote=HOSTILE))  # type: ignore[arg-type]
        send("apprise", config, message("rest", quote=HOSTILE))  # type: ignore[arg-type]
        assert len(web.asked) == 2
        told = json.loads(web.asked[0].body)
    assert "Responder antes de las 15:40" in told["message"]
    assert "Abrir el caso: https://escucha.example/case?id=12" in told["message"]
    assert "@everyone" not in told["message"]
    assert caplog.text.count("best effort") == 1
    assert CANARY not in caplog.text


@needed
@pytest.mark.parametrize("answer", [Answer(b"no", 400), Answer(b"", 500), Answer(b"", 429, {"Retry-After": "9"})])
def test_what_it_does_not_deliver_is_tried_again_and_tells_no_address(
    answer: Answer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "apprise")
    with serving(always(answer)) as web:
        with pytest.raises(DeliveryError, match="did not deliver") as told:
            send("apprise", given(tmp_path, web.url.replace("http", "json") + f"/{CANARY}"), message("rest"))  # type: ignore[arg-type]
        assert len(web.asked) == 1
    assert told.value.retry
    assert CANARY not in f"{told.value} {caplog.text}"


@needed
def test_it_follows_no_other_address(tmp_path: Path) -> None:
    with serving(always(Answer(b"{}"))) as other, serving(always(Answer(b"", 307, {"Location": other.url}))) as web:
        with pytest.raises(DeliveryError):
            send("apprise", given(tmp_path, web.url.replace("http", "json")), message("rest"))  # type: ignore[arg-type]
        assert other.asked == []


@needed
@pytest.mark.parametrize("url", ["nosuchservice://x", f"slack://{CANARY}", "://"])
def test_an_address_that_it_does_not_read_waits(url: str, tmp_path: Path) -> None:
    config = given(tmp_path, url)
    for act in (lambda: send("apprise", config, message("rest")), lambda: probe("apprise", config, "rest")):  # type: ignore[arg-type]
        with pytest.raises(DeliveryError, match="does not read") as told:
            act()
        assert told.value.retry
        assert CANARY not in str(told.value)


@needed
def test_an_address_that_it_reads_opens_without_a_message(tmp_path: Path) -> None:
    with serving(always(Answer(b"{}"))) as web:
        said = probe("apprise", given(tmp_path, web.url.replace("http", "json")), "rest")  # type: ignore[arg-type]
        assert web.asked == []
    assert "best effort" in said.say("en")


def test_without_the_library_its_messages_wait_and_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    with pytest.raises(DeliveryError, match=r"pip install 'escucha\[apprise\]'") as told:
        send("apprise", given(tmp_path, "json://127.0.0.1:1"), message("rest"))  # type: ignore[arg-type]
    assert told.value.retry
