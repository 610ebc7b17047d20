"""What each channel shows: the plain reading of its JSON, a stranger's words as words, and every documented limit."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stakeholders.channels import Message, is_internal, language_of, send, slack, teams, telegram, webhook, whatsapp
from stakeholders.letters.chat import bubble_of, cut, defuse, text_of, units
from tests.servers.web import serving
from tests.stakeholders.channels.desk import HOSTILE, SECRET, always, channel_config, message, taken

DOCS = Path(__file__).resolve().parents[3] / "docs" / "channels.md"


def read_slack(payload: dict[str, Any]) -> str:
    """Read a Slack message as a person does, block after block."""
    lines = []
    for block in payload["blocks"]:
        match block["type"]:
            case "header":
                lines.append(f"# {block['text']['text']}")
            case "section":
                lines.append(block["text"]["text"])
            case "rich_text":
                (quote,) = block["elements"]
                lines.append("| " + "".join(part["text"] for part in quote["elements"]))
            case "actions":
                lines.append(" ".join(f"[{button['text']['text']} → {button['url']}]" for button in block["elements"]))
    return "\n".join(lines)


def read_teams(payload: dict[str, Any]) -> str:
    """Read a Teams card as a person does, element after element."""

    def text(element: dict[str, Any]) -> str:
        if element["type"] == "Container":
            return "| " + "".join(text(one) for one in element["items"])
        return "".join(run["text"] for run in element["inlines"])

    card = payload["attachments"][0]["content"]
    buttons = " ".join(f"[{one['title']} → {one['url']}]" for one in card.get("actions", ()))
    return "\n".join([*(text(one) for one in card["body"]), *([buttons] if buttons else [])])


READING = """[Alerta] Nítido · regulador · Legal — responder antes de las 15:40
Responder antes de las 15:40
Un regulador habla: la cuenta es de Osiptel
| Nítido me cobró dos veces y nadie responde
[Acusar recibo → https://escucha.example/api/acknowledge/abc] [Abrir el caso → https://escucha.example/case?id=12]"""


def test_slack_and_teams_read_the_same() -> None:
    assert read_slack(slack.build(message(), internal=False)) == "# " + READING
    assert read_teams(teams.build(message(), internal=False)) == READING


def test_telegram_reads_as_plain_lines_with_its_links_as_buttons() -> None:
    payload = telegram.build(message(), "-100123", internal=False)
    assert payload["text"] == (
        "[\u2060Alerta] Nítido · regulador · Legal — responder antes de las 15:40\n"
        "Responder antes de las 15:40\n"
        "Un regulador habla: la cuenta es de Osiptel\n\n"
        "> Nítido me cobró dos veces y nadie responde"
    )
    rows = payload["reply_markup"]["inline_keyboard"]
    assert [(row[0]["text"], row[0]["url"]) for row in rows] == list(message().links)
    assert "parse_mode" not in payload
    assert payload["link_preview_options"] == {"is_disabled": True}


@pytest.mark.parametrize("host", ["127.0.0.1:8501", "localhost", "10.0.0.4", "escucha", "nas.local"])
def test_telegram_gets_links_as_text_where_it_would_refuse_a_button(host: str) -> None:
    payload = telegram.build(message(links=(("Abrir", f"http://{host}/case"),)), "1", internal=False)
    assert "reply_markup" not in payload
    assert payload["text"].endswith(f"Abrir: http://{host}/case")


def test_whatsapp_gets_three_parameters_and_no_quote(tmp_path: Path) -> None:
    table = channel_config(tmp_path).settings.channels["whatsapp"]
    payload = whatsapp.build(message(), table, "es")
    (body,) = payload["template"]["components"]
    assert [one["text"] for one in body["parameters"]] == [
        "[\u2060Alerta] Nítido · regulador · Legal — responder antes de las 15:40",
        "Responder antes de las 15:40 Un regulador habla: la cuenta es de Osiptel",
        "https://escucha.example/api/acknowledge/abc",
    ]
    assert payload["to"] == "51999888777"
    assert payload["template"]["name"] == "alerta"
    assert payload["template"]["language"] == {"code": "es"}
    assert payload["biz_opaque_callback_data"] == "case.12.1.0.5f0c"
    assert "me cobró" not in json.dumps(payload, ensure_ascii=False)


def test_whatsapp_gets_nothing_of_a_letter_s_text_even_where_the_channel_is_internal(tmp_path: Path) -> None:
    table = channel_config(tmp_path, whatsapp={"internal": True}).settings.channels["whatsapp"]
    payload = whatsapp.build(message(lines=(), quote="", links=()), table, "es")
    assert "canary" not in json.dumps(payload)
    (body,) = payload["template"]["components"]
    assert [one["text"] for one in body["parameters"]][1:] == ["–", "–"]  # it takes no empty parameter


def test_a_message_written_for_mail_alone_shows_its_text_only_where_the_channel_is_internal() -> None:
    old = Message("k", "slack", "[Alert] Nítido", "canary: Ana, DNI 12345678\n\nsecond\n", message().at)
    assert read_slack(slack.build(old, internal=False)) == "# [Alert] Nítido"
    assert "canary" in read_slack(slack.build(old, internal=True))
    assert "canary" not in json.dumps(teams.build(old, internal=False)) + json.dumps(
        telegram.build(old, "1", internal=False)
    )
    assert "canary" not in json.dumps(webhook.document(old, "Escucha", internal=False))


# ---- a stranger's words


def test_nothing_that_a_stranger_wrote_is_markup_in_slack() -> None:
    payload = slack.build(message(quote=HOSTILE, title=HOSTILE, lines=(HOSTILE,)), internal=False)
    assert not re.search(r"[<>]", payload["text"])
    kinds = set(re.findall(r'"type": "([a-z_]+)"', json.dumps(payload)))
    assert kinds == {"header", "section", "plain_text", "rich_text", "rich_text_quote", "text", "actions", "button"}
    assert all(part["emoji"] is False for part in _find(payload, "plain_text"))
    assert "<!channel>" in read_slack(payload)  # shown, as it was written
    assert payload["unfurl_links"] is payload["unfurl_media"] is False


def test_nothing_that_a_stranger_wrote_is_markup_in_teams() -> None:
    payload = teams.build(message(quote=HOSTILE, title=HOSTILE, lines=(HOSTILE,)), internal=False)
    assert not _find(payload, "TextBlock")
    assert not _find(payload, "FactSet")
    assert "entities" not in json.dumps(payload)  # without them <at> calls nobody
    assert "**fuerte**" in read_teams(payload)


def test_plain_text_calls_nobody_runs_nothing_and_links_nowhere() -> None:
    text = telegram.build(message(quote=HOSTILE, title=HOSTILE, lines=(HOSTILE,)), "1", internal=False)["text"]
    assert not re.search(r"@\w|<[!@a-z]|\]\(h|://|^/", text, re.MULTILINE)
    assert text.replace("\u2060", "").count("@everyone") == 3


@pytest.mark.parametrize("sign", ["\u202e", "\u202c", "\x00", "\x07"])
def test_no_sign_that_turns_or_rings_leaves_in_any_channel(sign: str, tmp_path: Path) -> None:
    hostile = message(quote=HOSTILE, title=HOSTILE, lines=(HOSTILE,), links=((HOSTILE, "https://a.example"),))
    table = channel_config(tmp_path).settings.channels["whatsapp"]
    for payload in (
        slack.build(hostile, internal=True),
        teams.build(hostile, internal=True),
        telegram.build(hostile, "1", internal=True),
        whatsapp.build(hostile, table, "es"),
        webhook.document(hostile, "Escucha", internal=True),
    ):
        assert sign not in "".join(_strings(payload))


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//a.example", "https://a b.example", "http://["]
)
def test_a_link_that_is_none_is_left_out(url: str) -> None:
    assert bubble_of(message(links=(("x", url),)), internal=False).links == ()


def _find(node: Any, kind: str) -> list[dict[str, Any]]:
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    mine = [node] if isinstance(node, dict) and node.get("type") == kind else []
    return mine + [one for part in below for one in _find(part, kind)]


def _strings(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [one for part in below for one in _strings(part)]


# ---- limits

long_text = st.builds(
    lambda start, unit, many: start + unit * many,
    st.text(max_size=40),
    st.sampled_from(["a", "ñ ", "😀", "palabra ", "\n", "\n> x", "@a ", "\u0301", '"', "\\"]),
    st.integers(0, 5000),
)
links = st.tuples(long_text, st.builds(lambda many: "https://a.example/" + "x" * many, st.integers(0, 3000)))
messages = st.builds(
    lambda title, lines, quote, found: message(title=title, lines=tuple(lines), quote=quote, links=tuple(found)),
    long_text,
    st.lists(long_text, max_size=8),
    long_text,
    st.lists(links, max_size=6),
)


@given(messages)
@settings(max_examples=60, deadline=None)
def test_slack_s_limits_hold_for_every_message(told: Message) -> None:
    payload = slack.build(told, internal=True)
    blocks = payload["blocks"]
    assert 1 <= len(blocks) <= 50
    assert 1 <= units(blocks[0]["text"]["text"]) <= 150
    assert len(blocks[0]["block_id"]) <= 255
    for block in blocks:
        if block["type"] == "section":
            assert 1 <= units(block["text"]["text"]) <= 3000
        if block["type"] == "actions":
            assert 1 <= len(block["elements"]) <= 25
            assert len({button["action_id"] for button in block["elements"]}) == len(block["elements"])
            for button in block["elements"]:
                assert 1 <= units(button["text"]["text"]) <= 75
                assert len(button["url"]) <= 3000
        if block["type"] == "rich_text":
            assert 1 <= units(block["elements"][0]["elements"][0]["text"]) <= 3000


@given(messages)
@settings(max_examples=60, deadline=None)
def test_a_teams_message_stays_under_its_28_kilobytes(told: Message) -> None:
    payload = teams.build(told, internal=True)
    assert len(json.dumps(payload, ensure_ascii=False).encode()) <= 20_000
    card = payload["attachments"][0]["content"]
    assert all(run["text"] for run in _find(card, "TextRun"))
    assert len(card.get("actions", ())) <= 6


@given(messages)
@settings(max_examples=60, deadline=None)
def test_a_telegram_text_holds_1_to_4096_units(told: Message) -> None:
    for internal in (True, False):
        text = telegram.build(replace(told, links=(("x", "http://10.0.0.1/"),)), "1", internal=internal)["text"]
        assert 1 <= units(text) <= 4096


@given(messages)
@settings(max_examples=60, deadline=None)
def test_whatsapp_parameters_are_one_line_each_and_fit_a_template(told: Message) -> None:
    table = channel_config(Path("/nowhere")).settings.channels["whatsapp"]
    (body,) = whatsapp.build(told, table, "es")["template"]["components"]
    texts = [one["text"] for one in body["parameters"]]
    assert sum(units(text) for text in texts) < 900
    for text in texts:
        assert text
        assert not re.search(r"[\n\t]| {5}", text)


@given(st.text(), st.integers(0, 60))
def test_a_cut_text_fits_and_begins_as_it_did(text: str, longest: int) -> None:
    shown = cut(text, longest)
    assert units(shown) <= max(longest, 0)
    assert shown == text or text.startswith(shown.removesuffix(" …"))


@given(st.text(alphabet="ab@/<[(!#>:\n "))
def test_defusing_adds_nothing_that_can_be_seen(text: str) -> None:
    assert defuse(text).replace("\u2060", "") == text


@given(messages, st.integers(200, 5000))
@settings(max_examples=60, deadline=None)
def test_plain_text_never_grows_past_what_is_asked(told: Message, longest: int) -> None:
    assert units(text_of(bubble_of(told, internal=True), longest)) <= longest


# ---- the signed webhook


def test_a_signature_is_that_of_the_standard_s_own_example() -> None:
    signed = webhook.sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_arrives_is_signed_fresh_and_verified_by_the_code_in_the_docs(tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert code is not None
    scope: dict[str, Any] = {"base64": base64, "hashlib": hashlib, "hmac": hmac}
    exec(code[1], scope)
    with serving(always(taken("webhook"))) as web:
        config = channel_config(tmp_path, web.url)
        before = int(datetime.now(UTC).timestamp())
        send("webhook", config, message("webhook"))
        (asked,) = web.asked
    headers = {name.lower(): value for name, value in asked.headers.items()}
    assert headers["webhook-id"] == "case.12.1.0.5f0c"
    assert before <= int(headers["webhook-timestamp"]) <= before + 60
    assert scope["is_ours"](SECRET, headers, asked.body)
    assert not scope["is_ours"](SECRET, headers, asked.body + b" ")
    assert not scope["is_ours"](SECRET, {**headers, "webhook-id": "other"}, asked.body)
    assert not scope["is_ours"]("whsec_" + base64.b64encode(b"x" * 24).decode(), headers, asked.body)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    text = re.search(r"```json\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert text is not None
    told: dict[str, Any] = json.loads(text[1])
    jsonschema.Draft202012Validator.check_schema(told)
    return told


@given(messages)
@settings(max_examples=60, deadline=None)
def test_the_body_is_what_the_docs_say(schema: dict[str, Any], told: Message) -> None:
    for one in (told, replace(told, about=None, lang=None)):
        jsonschema.validate(webhook.document(one, "Escucha", internal=True), schema)


def test_the_body_reads_as_the_message(schema: dict[str, Any]) -> None:
    told = webhook.document(message(), "Escucha", internal=False)
    jsonschema.validate(told, schema)
    assert told["type"] == "alert.case"
    assert told["timestamp"] == "2026-05-04T19:40:00+00:00"
    assert told["data"]["case"] == {
        "id": 12,
        "brand": "nitido",
        "department": "legal_regulatory",
        "priority": "alert",
        "stakeholder": "regulator",
        "due_at": "2026-05-04T20:40:00+00:00",
        "posts": 3,
    }
    assert told["data"]["quote"] == "Nítido me cobró dos veces y nadie responde"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**told, "more": 1}, schema)


def test_the_language_and_the_mask_of_an_address_are_those_of_its_table(tmp_path: Path) -> None:
    config = channel_config(tmp_path, slack={"internal": True, "language": "pt"})
    assert (language_of(config, "slack", "slack"), is_internal(config, "slack", "slack")) == ("pt", True)
    assert (language_of(config, "teams", "teams"), is_internal(config, "teams", "teams")) == ("en", False)
    assert (language_of(config, "mail", "a@b.pe"), is_internal(config, "mail", "a@b.pe")) == ("en", True)
    assert is_internal(config, "teams", "slack") is False  # the name of another kind's table
    assert is_internal(config, "log", "") is False
