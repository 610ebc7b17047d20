from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from listener.platforms.calls import answer_challenge, is_signed, moment_of, read_changes
from tests.servers.graph import SECRET, VERIFY, sign

GREETING = {"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "1158201444"}


def test_the_challenge_is_echoed_to_whoever_knows_our_word() -> None:
    assert answer_challenge(GREETING, VERIFY) == "1158201444"


@pytest.mark.parametrize(
    "change",
    [
        {"hub.verify_token": "another"},
        {"hub.verify_token": VERIFY + "x"},
        {"hub.verify_token": "ñ\ud800"},
        {"hub.mode": "unsubscribe"},
        {"hub.challenge": "<script>alert(1)</script>"},
        {"hub.challenge": "١٢٣"},
        {"hub.challenge": "1" * 65},
        {"hub.challenge": ""},
    ],
)
def test_every_other_handshake_gets_nothing(change: dict[str, str]) -> None:
    assert answer_challenge(GREETING | change, VERIFY) is None
    assert answer_challenge({}, VERIFY) is None


BODIES = [b'{"a":1}', '{"emoji":"😮 ñ"}'.encode(), b'{"escaped":"\\u00e1\\/"}', b"", b"\xff\xfe no text"]


@pytest.mark.parametrize("body", BODIES)
def test_the_signature_is_taken_over_the_raw_bytes(body: bytes) -> None:
    assert is_signed(body, sign(body), SECRET)
    assert is_signed(body, {name.lower(): value for name, value in sign(body).items()}, SECRET)
    assert not is_signed(body + b" ", sign(body), SECRET)


def bad_headers() -> list[dict[str, str]]:
    (right,) = sign(BODIES[0]).values()
    told = [
        right.upper(),
        right.replace("sha256=", "SHA256="),
        "sha256=" + right[7:].upper(),
        right[:-1],
        right + "0",
        right[7:],
        "sha1=" + right[7:],
        "sha256=",
        "",
        "sha256=ñ",
        *sign(BODIES[0], "another secret").values(),
        *sign(BODIES[0], "").values(),
    ]
    return [{}, {"X-Hub-Signature": right}, *({"X-Hub-Signature-256": value} for value in told)]


@pytest.mark.parametrize("headers", bad_headers())
def test_a_missing_short_upper_case_or_foreign_signature_is_refused(headers: dict[str, str]) -> None:
    assert not is_signed(BODIES[0], headers, SECRET)


def test_what_is_no_call_is_kept_aside_and_the_rest_goes_on() -> None:
    good = {"field": "feed", "value": {"item": "comment"}}
    call = {"object": "page", "entry": [{"id": "1", "time": 1700000000, "changes": [good, {"field": 5}, None]}, None]}
    changes, rejected = read_changes(json.dumps(call).encode(), "page")
    assert [(one.field, one.account, one.at) for one in changes] == [
        ("feed", "1", datetime.fromtimestamp(1700000000, UTC))
    ]
    assert [one.position for one in rejected] == ["entry 1, change 2", "entry 1, change 3", "entry 2"]


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b"{}", b'{"object":"user","entry":[]}', b'{"object":"page","entry":{}}', b"\xff",
     b"[" * 200_000, b'{"object":"page","entry":' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_an_unreadable_body_is_one_item_kept_aside(body: bytes) -> None:
    changes, rejected = read_changes(body, "page")
    assert (changes, [one.position for one in rejected]) == ([], ["call"])


def test_private_messages_of_a_page_are_left_alone() -> None:
    call = {"object": "page", "entry": [{"id": "1", "messaging": [{"message": {"text": "secret"}}]}]}
    assert read_changes(json.dumps(call).encode(), "page") == ([], [])


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("1697043223", datetime(2023, 10, 11, 16, 53, 43, tzinfo=UTC)),
        (1697043223, datetime(2023, 10, 11, 16, 53, 43, tzinfo=UTC)),
        (1697043223000, datetime(2023, 10, 11, 16, 53, 43, tzinfo=UTC)),
        ("2021-07-21T21:05:14+0000", datetime(2021, 7, 21, 21, 5, 14, tzinfo=UTC)),
        (float("nan"), None),
        (10**400, None),
        ("9" * 19, None),
        ("soon", None),
        ({}, None),
        (True, None),
        (None, None),
    ],
)
def test_times_of_meta_are_read_or_none(told: Any, moment: datetime | None) -> None:
    assert moment_of(told) == moment


def test_every_recorded_call_is_readable(shared: Path) -> None:
    fields: set[str] = set()
    for path in sorted((shared / "payloads" / "whatsapp" / "updates").glob("*.json")):
        for call in json.loads(path.read_text("utf-8")).values():
            changes, rejected = read_changes(json.dumps(call).encode(), "whatsapp_business_account")
            assert len(changes) == 1
            assert not rejected
            fields |= {change.field for change in changes}
    assert {"messages", "user_preferences", "calls", "account_update", "smb_message_echoes"} <= fields
