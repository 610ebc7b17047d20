"""Send to a Telegram chat by a bot (core.telegram.org/bots/api#sendmessage): text without any markup.

Telegram takes no key of ours, so a message that went out just before the program was killed is shown twice.
"""

from __future__ import annotations

import ipaddress
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from listener.errors import DeliveryError
from listener.reason import N_, Reason, reason
from stakeholders.letters.chat import bubble_of, text_of
from stakeholders.outbox.poster import NOT_THE_CHANNEL, Poster, PostLine, asking, open_posts, read_json, reveal, told_of

if TYPE_CHECKING:
    from listener.config import Config
    from stakeholders.channels import Message

__all__ = ["build", "open_line", "probe"]

API = "https://api.telegram.org"
TEXT = 4096  # UTF-16 units
CHAT_ANSWERS = N_("the bot answers and knows the chat; nothing was sent.")


def open_line(config: Config) -> AbstractContextManager[PostLine]:
    """Open a line to the Telegram chats of the configuration."""
    return open_posts(config, "telegram", _deliver)


def _deliver(poster: Poster, message: Message) -> None:
    name = message.recipient
    table = poster.table(name)
    payload = build(message, _chat(poster, name), internal=table.internal)
    answer = poster.post(name, _url(poster, name, "sendMessage"), payload, key=message.key)
    told = read_json(answer)
    # A chat that is not found, was left or moved is a fault of the table; what the text is accused of is the message's.
    chat = "chat" in str(told.get("description", "")).casefold()
    poster.expect(name, answer, final=False if chat else None)
    if told.get("ok") is not True:
        raise DeliveryError(told_of(name, NOT_THE_CHANNEL))


def build(message: Message, chat: str, *, internal: bool) -> dict[str, Any]:
    """Write a message as sendMessage takes it; its links are buttons where Telegram's own rules allow their address."""
    bubble = bubble_of(message, internal=internal)
    # Telegram refuses a whole message for a button to an address inside a network (BUTTON_URL_INVALID).
    buttons = bool(bubble.links) and all(_public(url) for _, url in bubble.links)
    payload: dict[str, Any] = {
        "chat_id": chat,
        "text": text_of(bubble, TEXT, links=not buttons),
        "link_preview_options": {"is_disabled": True},
    }
    if buttons:
        rows = [[{"text": label, "url": url}] for label, url in bubble.links]
        payload["reply_markup"] = {"inline_keyboard": rows}
    return payload


def probe(config: Config, name: str) -> Reason:
    """Ask for the chat (getChat), which proves the bot's token and that it is a member; raises DeliveryError."""
    with asking(config, "telegram") as poster:
        poster.table(name)
        answer = poster.post(name, _url(poster, name, "getChat"), {"chat_id": _chat(poster, name)})
        poster.expect(name, answer, final=False)
        if read_json(answer).get("ok") is not True:
            raise DeliveryError(told_of(name, NOT_THE_CHANNEL))
    return reason(CHAT_ANSWERS)


def _chat(poster: Poster, name: str) -> str:
    return poster.table(name).to or ""


def _url(poster: Poster, name: str, method: str) -> str:
    table = poster.table(name)
    start = table.url.get_secret_value().rstrip("/") if table.url is not None else API
    return f"{start}/bot{reveal(name, table.token)}/{method}"


def _public(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith((".local", ".localhost", ".internal"))
