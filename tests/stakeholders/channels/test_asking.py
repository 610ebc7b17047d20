"""`escucha check` and `escucha channels`: every channel is asked without a message, and a test says that it is one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

import listener.cli.channels as verbs
from listener.cli.output import Fatal
from listener.config import Config
from listener.errors import DeliveryError
from stakeholders.alerts import queue_case, send_due
from stakeholders.channels import probe
from stakeholders.store import alerts
from tests.servers.web import Answer, Asked, serving
from tests.stakeholders.channels.desk import CANARY, HTTP, TOKEN, channel_config, message, tables, taken
from tests.stakeholders.newsroom import NOW, make_config, open_one, open_store


def platform(asked: Asked) -> Answer:
    """Answer to a question, and to nothing that carries a message, as the five platforms do."""
    if asked.path.endswith("/slack"):
        return Answer(b"no_text", 400) if asked.body == b"{}" else Answer(b"a message", 500)
    if asked.path.endswith("/getChat"):
        return Answer(json.dumps({"ok": asked.path.startswith(f"/bot{TOKEN}/")}).encode())
    if asked.path.startswith("/v24.0"):
        return Answer(json.dumps({"id": "1055"}).encode()) if asked.path == "/v24.0/1055" else Answer(b"{}", 400)
    return Answer(b"only POST", 405) if asked.method == "GET" else Answer(b"a message", 500)


@pytest.mark.parametrize("kind", HTTP)
def test_a_channel_is_asked_without_a_message(kind: str, tmp_path: Path) -> None:
    with serving(platform) as web:
        said = probe(kind, channel_config(tmp_path, web.url), kind).say("en")
        assert len(web.asked) == 1
    assert said.endswith((".", kind))
    assert "answers" in said


@pytest.mark.parametrize("kind", HTTP)
@pytest.mark.parametrize("answer", [Answer(b"", 500), Answer(b"", 429), Answer(b"half" * 9, fault="reset")])
def test_a_channel_that_does_not_answer_is_told(kind: str, answer: Answer, tmp_path: Path) -> None:
    with serving(lambda _: answer) as web, pytest.raises(DeliveryError) as told:
        probe(kind, channel_config(tmp_path, web.url), kind)
    assert CANARY not in str(told.value)


@pytest.mark.parametrize("kind", ["slack", "telegram", "whatsapp"])
@pytest.mark.parametrize(
    "answer", [Answer(b"no_service", 404), Answer(b"{}"), Answer(b"<html>", 200), Answer(b"", 403)]
)
def test_a_wrong_key_is_told(kind: str, answer: Answer, tmp_path: Path) -> None:
    with serving(lambda _: answer) as web, pytest.raises(DeliveryError):
        probe(kind, channel_config(tmp_path, web.url), kind)


@pytest.mark.parametrize("channel", ["mail", "pager"])
def test_what_is_no_channel_of_a_table_cannot_be_asked(channel: str, tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match="cannot be asked"):
        probe(channel, channel_config(tmp_path), "x")


def written(folder: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Write a config.toml with a Slack channel, one switched off and one that nobody uses."""
    monkeypatch.setenv("ESCUCHA_LANG", "en")
    monkeypatch.setenv("SLACK_RED", f"{url}/{CANARY}/slack")
    path = folder / "config.toml"
    path.write_text(
        """[instance]
language = "en"
[brands.nitido]
name = "Nítido"
[departments.communications]
alert = ["mail:a@nitido.example", "slack:red", "log:"]
[channels.red]
kind = "slack"
url = "env:SLACK_RED"
internal = true
[channels.old]
kind = "teams"
enabled = false
url = "env:TEAMS_OLD"
[channels.machines]
kind = "log"
[egress]
inside = ["127.0.0.1"]
""",
        "utf-8",
    )
    return str(path)


def test_the_check_asks_every_channel_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from listener.config import load

    with serving(platform) as web:
        config = load(Path(written(tmp_path, web.url, monkeypatch)))
        found = {one.what: one for one in verbs.check_channels(config)}
    assert {what: one.state for what, one in found.items()} == {
        "channels.red": "ok",
        "channels.old": "skipped",
        "channels.machines": "ok",
        "channels.log": "ok",
    }
    assert "No address names it" in found["channels.machines"].words("en")
    assert "No address names it" not in found["channels.red"].words("en")


def test_the_check_says_what_failed_in_the_reader_s_words(tmp_path: Path) -> None:
    with serving(lambda _: Answer(b"no_service", 404)) as web:
        config = channel_config(tmp_path, web.url)
        found = {one.what: one for one in verbs.check_channels(config)}
    told = found["channels.slack"]
    assert told.state == "failed"
    assert told.words("en").startswith("no_service: nothing stands at this address.")
    assert "nothing stands" not in told.words("es")


def test_the_list_shows_who_is_told_where_without_any_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "http://127.0.0.1:1", monkeypatch)
    verbs.list_(path, json=True)
    rows = {row["address"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert rows["slack:red"] == {"address": "slack:red", "enabled": True, "internal": True, "told": ["communications"]}
    assert rows["teams:old"]["enabled"] is False
    assert rows["log:"]["internal"] is False
    verbs.list_(path)
    told = capsys.readouterr().err
    assert CANARY not in told
    assert "names and numbers are shown" in told


def test_a_test_message_says_that_it_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(lambda _: Answer(b"ok")) as web:
        path = written(tmp_path, web.url, monkeypatch)
        verbs.test("red", path)
        verbs.test("slack:red", path)
        payload = json.loads(web.asked[0].body)
        assert len(web.asked) == 2
    assert payload["text"] == "Test of Escucha: nothing has happened"
    assert "took the test message" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "code"), [("rojo", 2), ("mail:nobody", 2), ("slack:old", 2), ("red", 1)])
def test_a_test_that_cannot_arrive_ends_with_a_code_and_words(
    name: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(lambda _: Answer(b"no_service", 404)) as web, pytest.raises(Fatal) as ended:
        verbs.test(name, written(tmp_path, web.url, monkeypatch))
    assert ended.value.code == code
    told = capsys.readouterr().err
    assert told.strip()
    assert CANARY not in told


# ---- over the outbox as it is


def test_an_alert_leaves_the_outbox_for_a_chat_and_is_marked_with_its_key(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/escucha.db"
    store = open_store(url)
    answers = [Answer(b"", 429, {"Retry-After": "60"}), taken("slack"), taken("webhook")]
    with serving(lambda _: answers.pop(0)) as web:
        channels = {name: table for name, table in tables(web.url).items() if name in ("slack", "webhook")}
        care = {"customer_care": {"alert": ["slack:slack", "webhook:webhook"]}}
        config = make_config(tmp_path, url, departments=care, channels=channels, egress={"inside": ["127.0.0.1"]})
        with store.write() as connection:
            case, mention_id = open_one(connection, config)
            assert queue_case(connection, config, case, mention_id, False, NOW) == 2
        answers.insert(2, taken("slack"))
        first = send_due(store, config, NOW)
        assert (first.sent, first.waiting) == (1, 1)
        later = NOW.replace(hour=NOW.hour + 2)
        assert send_due(store, config, later).sent == 1
        with store.read() as connection:
            rows = {row.channel: row for row in connection.execute(sa.select(alerts))}
        assert all(row.state == "sent" for row in rows.values())
        keys = [asked.headers["Idempotency-Key"] for asked in web.asked]
        assert sorted(set(keys)) == sorted(f'"{row.key}"' for row in rows.values())
        assert keys.count(f'"{rows["slack"].key}"') == 2  # the try that had to wait carried the same key
    store.close()


def test_mail_reads_none_of_the_fields_for_chats(tmp_path: Path) -> None:
    from stakeholders.channels.mail import build

    config: Config = make_config(tmp_path, "sqlite://")
    plain = message("a@nitido.example", title="", lines=(), quote="", links=(), about=None)
    assert build(message("a@nitido.example"), config).as_bytes() == build(plain, config).as_bytes()
