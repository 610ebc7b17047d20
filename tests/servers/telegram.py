"""Speak enough of Telegram's Bot API (getUpdates, getMe): updates are kept until a later question confirms them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.servers.web import Answer, Asked

TOKEN = "123456789:canary-telegram-token-0123456789"
CHANNEL = {"id": -1001, "type": "channel", "title": "Avisos Perú", "username": "avisosperu"}
GROUP = {"id": -1002, "type": "supergroup", "title": "Vecinos"}
ANA = {"id": 7, "is_bot": False, "first_name": "Ana", "last_name": "Torres", "username": "ana"}


def message(number: int, text: str | None = "Nítido sin señal", **more: Any) -> dict[str, Any]:
    words = {} if text is None else {"text": text}
    return {"message_id": number, "chat": GROUP, "from": ANA, "date": 1_777_900_000 + number, **words, **more}


def posted(number: int, text: str = "Nítido sin señal", **more: Any) -> dict[str, Any]:
    return {"message_id": number, "chat": CHANNEL, "date": 1_777_900_000 + number, "text": text, **more}


def ok(result: Any) -> Answer:
    return Answer(json.dumps({"ok": True, "result": result}).encode())


def refused(status: int, description: str, **parameters: Any) -> Answer:
    told = {"ok": False, "error_code": status, "description": description, "parameters": parameters}
    return Answer(json.dumps(told).encode(), status)


class Updates:
    """Hold updates as Telegram does: an offset throws away what lies before it. `page` is how many one answer gives."""

    def __init__(self, updates: Sequence[dict[str, Any]], page: int = 100) -> None:
        self.updates = list(updates)
        self.page = page

    def __call__(self, asked: Asked) -> Answer:
        if not asked.path.startswith(f"/bot{TOKEN}/"):
            return refused(401, "Unauthorized")
        if asked.path.endswith("/getMe"):
            return ok({"id": 1, "is_bot": True})
        offset = int(asked.query.get("offset", 0))
        self.updates = [one for one in self.updates if one["update_id"] >= offset]
        return ok(self.updates[: self.page])


def two_pages() -> Updates:
    """Give a good answer of two pages: three posts."""
    updates = [
        {"update_id": 11, "channel_post": posted(1)},
        {"update_id": 12, "message": message(2)},
        {"update_id": 13, "message": message(3)},
    ]
    return Updates(updates, page=2)
