"""Send signed JSON to a program of your own, as Standard Webhooks says (github.com/standard-webhooks, version 1.0.0).

Signed is `id.timestamp.body` with HMAC-SHA256; the id is the message's key, the same at every try.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b64decode, b64encode
from contextlib import AbstractContextManager
from datetime import UTC
from typing import TYPE_CHECKING, Any

from listener.errors import DeliveryError
from listener.reason import Reason, reason
from stakeholders.channels.teams import REACHED
from stakeholders.letters.chat import bubble_of
from stakeholders.outbox.poster import NOT_THE_CHANNEL, Poster, PostLine, asking, open_posts, reveal, told_of

if TYPE_CHECKING:
    from listener.config import Config
    from stakeholders.channels import Message

__all__ = ["document", "open_line", "probe", "sign"]


def open_line(config: Config) -> AbstractContextManager[PostLine]:
    """Open a line to the webhooks of the configuration."""
    return open_posts(config, "webhook", _deliver)


def _deliver(poster: Poster, message: Message) -> bytes:
    name = message.recipient
    table = poster.table(name)
    told = message.document or document(message, poster.config.settings.instance.name, internal=table.internal)
    body = json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
    # The clock of the wire, not of the rules: a receiver refuses what was signed more than minutes ago.
    at = int(time.time())
    headers = {
        "Webhook-Id": message.key,
        "Webhook-Timestamp": str(at),
        "Webhook-Signature": sign(reveal(name, table.secret), message.key, at, body),
    }
    answer = poster.post(name, reveal(name, table.url), body, key=message.key, headers=headers)
    poster.expect(name, answer)
    if answer.body.lstrip()[:1] == b"<":  # a login page, or a proxy's: whoever answers so took no message
        raise DeliveryError(told_of(name, NOT_THE_CHANNEL))
    return answer.body


def sign(secret: str, key: str, at: int, body: bytes) -> str:
    """Sign a body: "v1," and the base64 of HMAC-SHA256 over `key.at.body`; `at` in seconds since 1970.

    `secret` is "whsec_" and the base64 of the key, as listener/tables/channelcheck.py holds it to be.
    """
    signed = f"{key}.{at}.".encode() + body
    return "v1," + b64encode(hmac.digest(b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)).decode()


def document(message: Message, instance: str, *, internal: bool) -> dict[str, Any]:
    """Give a message as JSON; its schema stands in docs/channels.md."""
    bubble, about = bubble_of(message, internal=internal), message.about
    case = None
    if about is not None and about.case_id is not None:
        case = {
            "id": about.case_id,
            "brand": about.brand,
            "department": about.department,
            "priority": about.priority,
            "stakeholder": about.stakeholder,
            "due_at": about.due_at.astimezone(UTC).isoformat() if about.due_at is not None else None,
            "posts": about.posts,
        }
    return {
        "type": f"alert.{about.kind if about is not None else 'message'}",
        "timestamp": message.at.astimezone(UTC).isoformat(),
        "data": {
            "key": message.key,
            "instance": instance,
            "language": message.lang,
            "title": bubble.title,
            "lines": list(bubble.lines),
            "quote": bubble.quote or None,
            "links": [{"label": label, "url": url} for label, url in bubble.links],
            "case": case,
        },
    }


def probe(config: Config, name: str) -> Reason:
    """Ask the receiver's server with GET, which carries no message; raises DeliveryError when none answers."""
    with asking(config, "webhook") as poster:
        poster.ask(name, "GET", reveal(name, poster.table(name).url))
    return reason(REACHED, quote_name=name)
