"""Read the calls that Meta's platforms make to us: the handshake, the signature, and the changes in a body.

Source: https://developers.facebook.com/docs/graph-api/webhooks/getting-started. Meta sends a call again, for hours and
in any order, until it is answered with 200; nothing in the signature tells an old call from a new one.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from listener.mention import Page, Rejected
from listener.raw import dump, read_moment, read_text, within
from listener.reason import N_

__all__ = [
    "NOT_OURS",
    "UNREADABLE_CALL",
    "Call",
    "Change",
    "answer_challenge",
    "is_signed",
    "moment_of",
    "read_changes",
]

_HEADER = "x-hub-signature-256"
_LONGEST_CHALLENGE = 64

UNREADABLE_CALL = N_("a call of the platform that cannot be read")
NOT_OURS = N_("a call about another account than the one in config.toml")


@dataclass(frozen=True, slots=True)
class Call(Page):
    """Hold what one call of a platform told.

    `first` names the posts that are told as new: where one is stored already, the call is an old one sent again, and
    must not undo an edit. `again`: a part could not be looked up now, so the platform is asked to send it once more.
    """

    first: frozenset[str] = frozenset()
    again: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """Hold one change of a call: what it is about, whose account it is, when it was sent, and where it stood."""

    field: str
    value: Mapping[str, Any]
    account: str | None
    at: datetime | None
    position: str


def answer_challenge(query: Mapping[str, str], verify_token: str) -> str | None:
    """Give what to echo when Meta checks the address (hub.mode, hub.verify_token, hub.challenge); None: not ours.

    Only digits are echoed, as Meta sends: whoever knows the token cannot make our address say something else.
    """
    told = query.get("hub.verify_token", "").encode("utf-8", "replace")
    known = hmac.compare_digest(told, verify_token.encode())
    challenge = query.get("hub.challenge", "")
    digits = challenge.isascii() and challenge.isdigit() and len(challenge) <= _LONGEST_CHALLENGE
    return challenge if known and digits and query.get("hub.mode") == "subscribe" else None


def is_signed(body: bytes, headers: Mapping[str, str], app_secret: str) -> bool:
    """Tell whether X-Hub-Signature-256 is the HMAC-SHA256 of the raw body with the app's secret, in constant time."""
    told = next((value for name, value in headers.items() if name.casefold() == _HEADER), "")
    right = "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(told.encode("utf-8", "replace"), right.encode())


def read_changes(body: bytes, kind: str) -> tuple[list[Change], list[Rejected]]:
    """Give the changes of a call about `kind` ("page", "instagram"…), and what cannot be read; never raises."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return [], [Rejected("call", UNREADABLE_CALL, body.decode("utf-8", "replace"))]
    entries = within(told, "entry")
    if within(told, "object") != kind or not isinstance(entries, list):
        return [], [Rejected("call", UNREADABLE_CALL, dump(told))]
    found: list[Change] = []
    rejected: list[Rejected] = []
    for number, entry in enumerate(entries, 1):
        changes = within(entry, "changes")
        if not isinstance(changes, list):
            if not isinstance(within(entry, "messaging"), list):  # private messages of a page, which we do not read
                rejected.append(Rejected(f"entry {number}", UNREADABLE_CALL, dump(entry)))
            continue
        for place, change in enumerate(changes, 1):
            field, value = read_text(within(change, "field"), 200), within(change, "value")
            position = f"entry {number}, change {place}"
            if field is None or not isinstance(value, Mapping):
                rejected.append(Rejected(position, UNREADABLE_CALL, dump(change)))
                continue
            account = read_text(within(entry, "id"), 200)
            found.append(Change(field, value, account, moment_of(within(entry, "time")), position))
    return found, rejected


def moment_of(value: Any) -> datetime | None:
    """Read a time of Meta: (milli)seconds since 1970 as a number or digits, or ISO 8601; None if it is none."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 20:
        value = int(value)
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 10**11:
            value = value / 1000
        return read_moment(value)
    except (ValueError, OverflowError):
        return None
