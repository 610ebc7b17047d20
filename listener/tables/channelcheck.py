"""Check the channels of config.toml: each key where it belongs, addresses that can be used, nobody told nowhere."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, get_args
from urllib.parse import urlsplit

from pydantic import SecretStr

from listener.errors import Fault
from listener.faults import did_you_mean
from listener.tables.channel import ChannelKind, ChannelTable

if TYPE_CHECKING:
    from listener.settings import Settings

__all__ = ["KINDS", "MAIL", "check_address", "check_channels"]

KINDS: Final[tuple[str, ...]] = get_args(ChannelKind)
MAIL: Final = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")

_NAME = re.compile(r"[a-z0-9_-]+")
_PHONE = re.compile(r"\+[1-9][0-9]{7,14}")  # E.164
_CHAT = re.compile(r"-?[0-9]+|@[A-Za-z0-9_]{5,32}")
_DIGITS = re.compile(r"[0-9]+")
_TEMPLATE = re.compile(r"[a-z0-9_]{1,512}")
_UNKNOWN = "absent"  # what config.py puts for a variable that is not set, which is told there
_COMMON = frozenset({"kind", "enabled", "internal", "language"})
_KEYS: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {  # needed, allowed
    "apprise": (frozenset({"url"}), frozenset()),
    "log": (frozenset(), frozenset({"path"})),
    "slack": (frozenset({"url"}), frozenset()),
    "teams": (frozenset({"url"}), frozenset()),
    "telegram": (frozenset({"token", "to"}), frozenset({"url"})),
    "webhook": (frozenset({"url", "secret"}), frozenset()),
    "whatsapp": (frozenset({"token", "sender", "to", "template", "agreed"}), frozenset({"url"})),
}
_SHAPES: Final[dict[tuple[str, str], tuple[re.Pattern[str], str]]] = {
    ("telegram", "to"): (_CHAT, 'write the chat\'s number, "-1001234567890", or its name, "@name"'),
    ("whatsapp", "to"): (_PHONE, 'write the number with its country: "+51999888777"'),
    ("whatsapp", "sender"): (_DIGITS, "write the phone number id of the WhatsApp manager: digits"),
    ("whatsapp", "template"): (_TEMPLATE, "write the template's name: small letters, digits and _"),
}


def check_channels(settings: Settings) -> Iterator[Fault]:
    """Find a channel whose keys do not fit its kind, and values that can never work; no value is told, only its key."""
    inside = {host.casefold() for host in settings.egress.inside}
    for name, table in settings.channels.items():
        where = f"channels.{name}"
        if not _NAME.fullmatch(name):
            yield Fault(where, f"the name '{name}' stands in addresses", "write it with a–z, 0–9, - and _")
        needed, allowed = _KEYS[table.kind]
        given = {key for key in table.model_fields_set if getattr(table, key) is not None}
        for key in sorted(needed - given):
            yield Fault(where, f"a channel of kind '{table.kind}' needs '{key}'", "see docs/channels.md")
        for key in sorted(given - needed - allowed - _COMMON):
            yield Fault(where, f"a channel of kind '{table.kind}' has no '{key}'", "leave it out")
        for key in sorted(given & (needed | allowed)):
            yield from _check_value(where, table, key, inside)


def _check_value(where: str, table: ChannelTable, key: str, inside: set[str]) -> Iterator[Fault]:
    value = getattr(table, key)
    text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    shape = _SHAPES.get((table.kind, key))
    if text == _UNKNOWN:
        return
    if shape is not None and not shape[0].fullmatch(text):
        yield Fault(where, f"{key} cannot be right for {table.kind}", shape[1])
    elif key == "url" and table.kind == "apprise":
        if "://" not in text:
            yield Fault(where, "url is not one that Apprise reads", "write it as its documentation says: ntfys://topic")
    elif key == "url" and not _may_be_asked(text, inside):
        what = "url is not an address that a message may go to"
        yield Fault(where, what, "write https://…; http only for a host that [egress] inside names")
    elif key == "secret" and _length(text) not in range(24, 65):
        what = "secret is not whsec_ followed by the base64 of 24 to 64 bytes"
        yield Fault(where, what, 'make one: echo "whsec_$(openssl rand -base64 32)"')
    elif key == "token" and (not text.isascii() or any(sign <= " " or sign in "/?#%\\" for sign in text)):
        yield Fault(where, "token holds a sign that no token has", "copy it again")


def _may_be_asked(url: str, inside: set[str]) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").casefold(), parts.port
    except ValueError:
        return False
    if not host or "@" in parts.netloc or "\\" in url or any(sign <= " " for sign in url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in inside)


def _length(secret: str) -> int:
    """Count the bytes of a secret as Standard Webhooks writes it; 0 when it is none."""
    if not secret.startswith("whsec_"):
        return 0
    try:
        return len(b64decode(secret.removeprefix("whsec_"), validate=True))
    except (binascii.Error, ValueError):
        return 0


def check_address(address: str, settings: Settings) -> tuple[str, str] | None:
    """Give what is wrong with an address of a person or channel, and what to do; None when it can be used.

    Addresses are mail:name@example.org, KIND:NAME of a table [channels.NAME], and log: for the log without a table.
    """
    kind, colon, name = address.partition(":")
    if kind == "mail" or not colon:
        hint = "write mail:name@example.org, or KIND:NAME of a table [channels.NAME]"
        return None if colon and MAIL.fullmatch(name) else (f"'{address}' is not an address", hint)
    if kind not in KINDS:
        return f"'{address}': there is no channel '{kind}'", did_you_mean(kind, ("mail", *KINDS))
    if kind == "log" and not name:
        return None
    table = settings.channels.get(name)
    if table is None:
        known = tuple(key for key, one in settings.channels.items() if one.kind == kind)
        hint = did_you_mean(name, known) or f'add [channels.{name or "NAME"}] with kind = "{kind}"'
        return f"'{address}': there is no [channels.{name}]", hint
    if table.kind != kind:
        return f"'{address}': [channels.{name}] is of kind '{table.kind}'", f"write {table.kind}:{name}"
    if not table.enabled:
        return f"'{address}': [channels.{name}] is switched off", "leave the address out, or set enabled = true there"
    return None
