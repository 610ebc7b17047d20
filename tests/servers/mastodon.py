"""Speak enough of Mastodon's API to the real Mastodon.py: timelines, search, statuses by id, and streams (SSE)."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote

from tests.servers.web import Answer, Asked, Web

TOKEN = "canary-mastodon-token-0123456789"
START = datetime(2026, 5, 4, 11, 0, tzinfo=UTC)


def id_at(moment: datetime, number: int = 0) -> str:
    return str((int(moment.timestamp() * 1000) << 16) + number)


def status(number: int, text: str = "hola", **more: Any) -> dict[str, Any]:
    """Make the status of minute `number` after START."""
    moment = START + timedelta(minutes=number)
    return {
        "id": id_at(moment, number),
        "created_at": moment.isoformat().replace("+00:00", "Z"),
        "content": f"<p>{text}</p>",
        "spoiler_text": "",
        "visibility": "public",
        "language": "es",
        "url": f"https://server.example/@ana/{number}",
        "account": {"id": "7", "username": "ana", "acct": "ana", "display_name": "Ana", "note": "<p>de Lima</p>",
                    "url": "https://server.example/@ana", "followers_count": 12},
        "reblog": None,
        "in_reply_to_id": None,
        "favourites_count": 1,
        "replies_count": 2,
        "reblogs_count": 3,
    } | more  # fmt: skip


def told(value: Any, status: int = 200, **headers: str) -> Answer:
    known = {"Content-Type": "application/json", "X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "291"}
    return Answer(json.dumps(value).encode(), status, known | headers)


def page_of(asked: Asked, statuses: Sequence[Any]) -> list[Any]:
    """Choose a page as Mastodon does: min_id gives the next ones, max_id and since_id the newest; newest first."""
    query = asked.query
    size = int(query.get("limit", 20))
    known = sorted(statuses, key=lambda one: int(one["id"]), reverse=True)
    low = int(query.get("min_id") or query.get("since_id") or 0)
    high = int(query.get("max_id") or 2**63)
    fitting = [one for one in known if low < int(one["id"]) < high]
    return fitting[-size:] if "min_id" in query else fitting[:size]


class Server(Web):
    """Hold statuses, all of them under every hashtag; `script` is what a stream says before it is held open."""

    def __init__(self, statuses: Sequence[Any] = (), script: Sequence[Any] = ()) -> None:
        self.statuses = list(statuses)
        self.script = list(script)
        self.heard = threading.Event()  # a stream has been told its script
        self.open = False  # True: no token is asked for
        super().__init__(self.speak)

    def speak(self, asked: Asked) -> Answer:
        if asked.path.rstrip("/") == "/api/v2/instance":
            return told({"version": "4.4.2", "api_versions": {"mastodon": 6}, "configuration": {"urls": {}}})
        if asked.path.rstrip("/") == "/api/v1/instance":
            return told({"version": "4.4.2", "uri": "x", "urls": {}})
        needs_token = not asked.path.startswith(("/api/v1/timelines/tag/", "/api/v1/statuses/"))
        if needs_token and not self.open and asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return told({"error": "This method requires an authenticated user"}, 401)
        if asked.path.startswith("/api/v1/timelines/"):
            return told(page_of(asked, self.statuses))
        if asked.path == "/api/v2/search":
            return self._search(asked)
        if asked.path.startswith("/api/v1/statuses/"):
            wanted = unquote(asked.path.rpartition("/")[2])
            found = [one for one in self.statuses if one["id"] == wanted]
            return told(found[0]) if found else told({"error": "Record not found"}, 404)
        return told({"error": "Record not found"}, 404)

    def _search(self, asked: Asked) -> Answer:
        """Search as Mastodon does: newest first, counted from `offset`, bounds in whole seconds."""
        query = asked.query
        word = query["q"].strip('"').casefold()
        low, high = int(query.get("min_id", 0)) >> 16, int(query.get("max_id", 2**62)) >> 16
        fitting = [
            one
            for one in sorted(self.statuses, key=lambda one: int(one["id"]), reverse=True)
            if low // 1000 < (int(one["id"]) >> 16) // 1000 < high // 1000 and word in one["content"].casefold()
        ]
        start = int(query.get("offset", 0))
        return told({"accounts": [], "hashtags": [], "statuses": fitting[start : start + int(query["limit"])]})

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        if not handler.path.startswith("/api/v1/streaming/"):
            super().serve(handler)
            return
        self.asked.append(Asked("GET", handler.path, {}, dict(handler.headers.items()), b""))
        handler.close_connection = True
        if handler.headers.get("Authorization") != f"Bearer {TOKEN}":
            handler.send_response(401)
            handler.end_headers()
            return
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Connection", "close")
        handler.end_headers()
        for step in self.script:
            if step == "reset":
                handler.wfile.flush()
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                handler.connection.close()
                return
            if step == "end":
                return
            handler.wfile.write(step if isinstance(step, bytes) else event(*step))
        handler.wfile.flush()
        self.heard.set()
        self.closed.wait(30)


def event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()


@contextmanager
def serving_statuses(statuses: Sequence[Any] = (), script: Sequence[Any] = ()) -> Iterator[Server]:
    server = Server(statuses, script)
    try:
        yield server
    finally:
        server.close()
