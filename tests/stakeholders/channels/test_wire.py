"""The wire of every HTTP channel: what is taken, what waits and until when, what is refused; and no key is told."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import stakeholders.channels.apprise
import stakeholders.channels.log
import stakeholders.outbox.poster
from listener.errors import DeliveryError
from listener.failure import worded
from listener.reason import say
from listener.tables.channelcheck import KINDS
from stakeholders.channels import channels, open_line, send
from tests.servers.smtp import free_port
from tests.servers.web import Answer, Asked, serving
from tests.stakeholders.channels.desk import CANARY, HTTP, SECRET, TOKEN, always, channel_config, message, taken

PAGE = b"<!doctype html><html><body>Please log in</body></html>"


def refused(kind: str) -> Answer:
    """Give what each platform answers to a message that it will never take."""
    telegram = {"ok": False, "error_code": 400, "description": "Bad Request: message is too long"}
    whatsapp = {"error": {"code": 131009, "message": "Parameter value is not valid"}}
    body = {"slack": "invalid_blocks", "telegram": json.dumps(telegram), "whatsapp": json.dumps(whatsapp)}
    return Answer(body.get(kind, "no").encode(), 400)


def fail(kind: str, folder: Path, answer: Answer) -> tuple[DeliveryError, int]:
    """Send one message to a server that answers so; give the error and how often the server was asked."""
    with serving(always(answer)) as web:
        with pytest.raises(DeliveryError) as told:
            send(kind, channel_config(folder, web.url), message(kind))
        return told.value, len(web.asked)


def test_every_kind_of_the_configuration_is_a_file_and_every_file_a_kind() -> None:
    assert set(channels()) == {*KINDS, "mail"}


@pytest.mark.parametrize("kind", HTTP)
def test_what_the_platform_takes_is_taken_once_as_json_with_its_key(kind: str, tmp_path: Path) -> None:
    with serving(always(taken(kind))) as web:
        config = channel_config(tmp_path, web.url)
        with open_line(kind, config) as line:
            line.send(message(kind))
            line.send(message(kind, key="case.13.1.0.aa"))
            assert line.alive
    first, second = web.asked
    assert first.method == "POST"
    assert first.headers["Content-Type"].startswith("application/json")
    assert first.headers["Idempotency-Key"] == '"case.12.1.0.5f0c"'
    assert second.headers["Idempotency-Key"] == '"case.13.1.0.aa"'
    assert json.loads(first.body)
    if kind != "telegram":  # the Bot API has no field for it
        assert b"case.12.1.0.5f0c" in first.body


@pytest.mark.parametrize("kind", HTTP)
def test_a_channel_that_asks_to_wait_says_until_when_and_is_not_asked_again(kind: str, tmp_path: Path) -> None:
    with serving(always(Answer(b"slow down", 429, {"Retry-After": "90"}))) as web:
        before = datetime.now(UTC)
        with open_line(kind, channel_config(tmp_path, web.url)) as line:
            for _ in range(3):
                with pytest.raises(DeliveryError) as told:
                    line.send(message(kind))
                assert told.value.retry
                assert told.value.until is not None
                assert before + timedelta(seconds=88) < told.value.until < datetime.now(UTC) + timedelta(seconds=91)
        assert len(web.asked) == 1


@pytest.mark.parametrize("kind", HTTP)
@pytest.mark.parametrize(
    ("answer", "waits"),
    [
        (Answer(b"", 429), False),
        (Answer(b"down", 503, {"Retry-After": "30"}), True),
        (Answer(b"fault", 500), False),
        (Answer(b"fault", 502), False),
        (Answer(PAGE, 200, {"Content-Type": "text/html"}), False),
        (Answer(b"{}" * 40, 200, fault="reset"), False),
        (Answer(b"{}" * 40, 200, fault="short"), False),
        (Answer(b"x" * 70_000, 200), False),
        (Answer(b"", 401), False),
        (Answer(b"invalid_token", 403), False),
        (Answer(b"no_service", 404), False),
        (Answer(b"channel_is_archived", 410), False),
        (Answer(b"", 408), False),
        (Answer(b"", 304), False),
    ],
    ids=lambda one: f"{one.status}{one.fault}" if isinstance(one, Answer) else "",
)
def test_what_may_heal_waits(kind: str, answer: Answer, waits: bool, tmp_path: Path) -> None:
    error, asked = fail(kind, tmp_path, answer)
    assert error.retry
    assert (error.until is not None) is waits
    assert asked == 1


@pytest.mark.parametrize("kind", HTTP)
@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_message_that_will_never_be_taken_is_refused_for_good(kind: str, status: int, tmp_path: Path) -> None:
    answer = refused(kind)
    answer.status = status
    error, _ = fail(kind, tmp_path, answer)
    assert error.retry is False
    assert error.until is None


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("slack", "no_team"),
        ("teams", {"error": {"code": "WorkflowTriggerIsNotEnabled", "message": "switched off"}}),
        ("telegram", {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}),
        ("whatsapp", {"error": {"code": 132001, "message": "Template name does not exist in the translation"}}),
        ("whatsapp", {"error": {"code": 130429, "message": "Rate limit hit"}}),
    ],
)
def test_a_fault_of_the_table_waits_until_it_is_mended(
    kind: str, answer: str | dict[str, object], tmp_path: Path
) -> None:
    body = answer if isinstance(answer, str) else json.dumps(answer)
    error, _ = fail(kind, tmp_path, Answer(body.encode(), 400))
    assert error.retry


@pytest.mark.parametrize("kind", HTTP)
def test_an_address_that_points_elsewhere_is_not_followed(kind: str, tmp_path: Path) -> None:
    with serving(always(taken(kind))) as other:

        def away(asked: Asked) -> Answer:
            return Answer(b"ok", 307, {"Location": f"{other.url}/metadata"})

        with serving(away) as web:
            with pytest.raises(DeliveryError, match="follows none") as told:
                send(kind, channel_config(tmp_path, web.url), message(kind))
            assert len(web.asked) == 1
        assert other.asked == []
    assert told.value.retry


@pytest.mark.parametrize("kind", HTTP)
def test_a_channel_that_hangs_costs_one_wait_a_line(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stakeholders.outbox.poster, "TIMEOUT", (0.2, 0.2))
    monkeypatch.setattr(stakeholders.outbox.poster, "SLOW", 0.1)
    with serving(always(Answer(fault="hang"))) as web:
        with open_line(kind, channel_config(tmp_path, web.url)) as line:
            for _ in range(3):
                with pytest.raises(DeliveryError, match="too long") as told:
                    line.send(message(kind))
                assert told.value.retry
        assert len(web.asked) == 1


@pytest.mark.parametrize("kind", HTTP)
def test_a_dead_port_waits(kind: str, tmp_path: Path) -> None:
    config = channel_config(tmp_path, f"http://127.0.0.1:{free_port()}")
    with pytest.raises(DeliveryError, match="no connection") as told:
        send(kind, config, message(kind))
    assert told.value.retry


@pytest.mark.parametrize("kind", HTTP)
def test_an_address_inside_the_network_is_refused_unless_it_is_named(kind: str, tmp_path: Path) -> None:
    with serving(always(taken(kind))) as web:
        config = channel_config(tmp_path, web.url)
        config.settings.egress.inside.clear()
        with pytest.raises(DeliveryError, match="inside the network"):
            send(kind, config, message(kind))
        assert web.asked == []


@pytest.mark.parametrize("kind", HTTP)
@pytest.mark.parametrize(
    "answer",
    [
        Answer(CANARY.encode(), 400),
        Answer(json.dumps({"description": TOKEN, "error": {"message": TOKEN}}).encode(), 400),
        Answer(b"", 404),
        Answer(b"", 500),
        Answer(b"", 302, {"Location": f"https://{CANARY}.example/{CANARY}"}),
        Answer(b"", 302, {"Location": f"http://[{CANARY}"}),
        Answer(b"half" * 9, 200, fault="reset"),
    ],
    ids=lambda answer: f"{answer.status}{answer.fault}",
)
def test_no_key_no_address_and_no_text_is_told(
    kind: str, answer: Answer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    error, _ = fail(kind, tmp_path, answer)
    told = f"{error} {error!r} {error.__cause__} {caplog.text}"
    for secret in (CANARY, TOKEN, SECRET, "me cobró", "127.0.0.1"):
        assert secret not in told
    assert error.__suppress_context__ or error.__context__ is None
    assert str(error).startswith(f"channels.{kind}: ")


@pytest.mark.parametrize(
    "sentence",
    [
        *(getattr(stakeholders.outbox.poster, name) for name in ("NOT_TAKEN", "WAITS", "ELSEWHERE", "NOT_THE_CHANNEL")),
        *(getattr(stakeholders.outbox.poster, name) for name in ("NO_TABLE", "SWITCHED_OFF", "INCOMPLETE")),
        stakeholders.channels.log.NO_FILE,
        stakeholders.channels.apprise.MISSING,
        stakeholders.channels.apprise.UNREADABLE,
        stakeholders.channels.apprise.NOT_DELIVERED,
    ],
)
def test_every_sentence_of_an_error_can_be_found_in_the_catalogue_again(sentence: str) -> None:
    assert "; " not in sentence  # there the wording of errors splits them
    assert worded(f"channels.ops: {sentence}", "es") == f"channels.ops: {say(sentence, 'es')}"


def test_what_a_channel_says_is_worded_for_people_with_its_table_and_code_before_it(tmp_path: Path) -> None:
    error, _ = fail("slack", tmp_path, Answer(b"channel_not_found", 404))
    assert str(error) == "channels.slack: channel_not_found: nothing stands at this address"
    assert (
        worded(str(error), "es") == f"channels.slack: channel_not_found: {say('nothing stands at this address', 'es')}"
    )
    assert "nothing stands" not in worded(str(error), "es")


@pytest.mark.parametrize("kind", HTTP)
def test_a_channel_that_left_the_file_refuses_and_one_switched_off_waits(kind: str, tmp_path: Path) -> None:
    config = channel_config(tmp_path, **{kind: {"enabled": False}})
    with pytest.raises(DeliveryError, match="switched off") as told:
        send(kind, config, message(kind))
    assert told.value.retry
    for name in ("gone", "slack" if kind != "slack" else "teams"):
        with pytest.raises(DeliveryError, match="no longer") as told:
            send(kind, config, message(name))
        assert told.value.retry is False
