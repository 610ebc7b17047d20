"""Speak enough of Bluesky to real clients: the AppView's queries with logins (atproto), and Jetstream (websockets)."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.web import Answer, Asked, Web

HANDLE = "nitido.bsky.social"
PASSWORD = "canary-app-password-0123"
START = datetime(2026, 5, 4, 11, 0, tzinfo=UTC)
DID = "did:plc:ana0000000000000000000000"


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def iso(minute: float) -> str:
    return at(minute).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def uri(number: int, did: str = DID) -> str:
    return f"at://{did}/app.bsky.feed.post/k{number:05d}"


def record(minute: float, text: str, **more: Any) -> dict[str, Any]:
    return {"$type": "app.bsky.feed.post", "text": text, "createdAt": iso(minute), "langs": ["es"]} | more


def view(number: int, text: str = "hola", **more: Any) -> dict[str, Any]:
    """Make the view of the post of minute `number`."""
    return {
        "uri": uri(number),
        "cid": f"bafy{number}",
        "author": {"did": DID, "handle": "ana.bsky.social", "displayName": "Ana"},
        "record": record(number, text),
        "replyCount": 1,
        "repostCount": 2,
        "likeCount": 3,
        "quoteCount": 4,
        "indexedAt": iso(number),
    } | more


def told(value: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(json.dumps(value).encode(), status, {"Content-Type": "application/json; charset=utf-8"} | headers)


def token(kind: str, lives: float = 7200) -> str:
    """Make a token that looks like one; its end is what the client's own clock goes by."""
    now = int(time.time())
    parts = ({"alg": "ES256K", "typ": "JWT"}, {"scope": kind, "sub": DID, "iat": now, "exp": now + int(lives)})
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "canary"]
    )


class AppView:
    """Hold post views; answer searches newest first with an offset for a cursor, look-ups, and logins."""

    def __init__(self, views: Sequence[dict[str, Any]] = ()) -> None:
        self.views = list(views)
        self.access = token("com.atproto.access")
        self.logins = 0
        self.renewals = 0
        self.lives: float = 7200
        self.profiles: dict[str, dict[str, Any]] = {}
        self.url = ""
        self.path = threading.local()

    def session(self) -> Answer:
        self.access = token(f"com.atproto.access{self.logins}{self.renewals}", self.lives)
        service = {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": self.url}
        document = {
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": DID,
            "alsoKnownAs": [],
            "verificationMethod": [],
        }
        tokens = {"accessJwt": self.access, "refreshJwt": token("refresh")}
        return told(
            {"did": DID, "handle": HANDLE, "didDoc": document | {"service": [service]}, "active": True} | tokens
        )

    def __call__(self, asked: Asked) -> Answer:
        name = asked.path.removeprefix("/xrpc/")
        if name == "com.atproto.server.createSession":
            sent = json.loads(asked.body)
            if (sent["identifier"], sent["password"]) != (HANDLE, PASSWORD):
                return told({"error": "AuthenticationRequired", "message": "Invalid identifier or password"}, 401)
            self.logins += 1
            return self.session()
        if name == "com.atproto.server.refreshSession":
            self.renewals += 1
            return self.session()
        if name == "app.bsky.actor.getProfiles":
            wanted = self.all_of("actors")
            return told({"profiles": [self.profiles[did] for did in wanted if did in self.profiles]})
        if name == "app.bsky.feed.getPosts":
            wanted = self.all_of("uris")
            return told({"posts": [one for one in self.views if one["uri"] in wanted]})
        if asked.headers.get("Authorization") != f"Bearer {self.access}":
            return told({"error": "ExpiredToken", "message": "Token has expired"}, 400)
        return self.search(asked)

    def search(self, asked: Asked) -> Answer:
        query = asked.query
        word = query["q"].strip('"').removeprefix("mentions:").casefold()
        low, high = query.get("since", ""), query.get("until", "9")
        fitting = [
            one
            for one in sorted(self.views, key=lambda one: one["indexedAt"], reverse=True)
            if low <= one["indexedAt"] < high and word in one["record"]["text"].casefold()
        ]
        start, size = int(query.get("cursor", 0)), int(query.get("limit", 25))
        more = {"cursor": str(start + size)} if start + size < len(fitting) else {}
        headers = {
            "ratelimit-limit": "3000",
            "ratelimit-remaining": "2990",
            "ratelimit-reset": str(int(time.time()) + 200),
        }
        return told({"posts": fitting[start : start + size], "hitsTotal": len(fitting)} | more, **headers)

    def all_of(self, name: str) -> list[str]:
        """Give every value of a parameter that is asked for several times."""
        return parse_qs(urlsplit(self.path.told).query).get(name, [])


class _Server(Web):
    def __init__(self, view: AppView) -> None:
        self.view = view
        super().__init__(view)
        view.url = self.url

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        self.view.path.told = handler.path
        super().serve(handler)


@contextmanager
def serving_appview(view: AppView) -> Iterator[Web]:
    web = _Server(view)
    try:
        yield web
    finally:
        web.close()


# ---- Jetstream


def event(
    number: float, text: str | None = None, operation: str = "create", did: str = DID, **more: Any
) -> dict[str, Any]:
    """Make the event of a post at minute `number`; without a text, of one that was deleted."""
    commit: dict[str, Any] = {
        "rev": "3l", "operation": operation, "collection": "app.bsky.feed.post", "rkey": f"k{int(number):05d}"
    }  # fmt: skip
    if text is not None:
        commit |= {"record": record(number, text), "cid": "bafy"}
    return {"did": did, "time_us": micros(number), "kind": "commit", "commit": commit} | more


def micros(minute: float) -> int:
    return int(at(minute).timestamp() * 1_000_000)


class Jetstream:
    """Replay events from a cursor on, then say what is new; "end" and "reset" in `script` break the line there."""

    def __init__(self, script: Sequence[Any] = ()) -> None:
        from websockets.sync.server import serve

        self.script = list(script)
        self.asked: list[dict[str, str]] = []
        self.told = threading.Event()
        self.status = 0  # an answer other than the handshake
        self.server = serve(self._speak, "127.0.0.1", 0, process_request=self._greet, close_timeout=0.2)
        self.url = f"ws://127.0.0.1:{self.server.socket.getsockname()[1]}/subscribe"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def _greet(self, connection: Any, request: Any) -> Any:
        self.asked.append({key: values[-1] for key, values in parse_qs(urlsplit(request.path).query).items()})
        return connection.respond(self.status, "no\n") if self.status else None

    def _speak(self, connection: Any) -> None:
        from websockets.exceptions import ConnectionClosed

        since = int(self.asked[-1].get("cursor", 0))
        try:
            for step in self.script:
                if step == "end":
                    return
                if step == "reset":
                    connection.socket.close()
                    return
                if isinstance(step, dict) and step.get("time_us", since) < since:
                    continue
                connection.send(json.dumps(step) if isinstance(step, dict) else step)
            self.told.set()
            while True:
                connection.recv()
        except ConnectionClosed:
            pass

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()


@contextmanager
def serving_events(*script: Any) -> Iterator[Jetstream]:
    stream = Jetstream(script)
    try:
        yield stream
    finally:
        stream.close()
