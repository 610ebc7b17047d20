"""Speak enough of Meta's Graph API (edges with paging, objects by id) and sign calls as Meta does."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers.web import Answer, Asked

TOKEN = "canary-page-token-0123456789"
SECRET = "canary-app-secret-0123456789"
VERIFY = "canary-verify-word"
PAGE = "111222333"
ACCOUNT = "178414000"
NUMBER = "106540352242922"


def keys(**more: Any) -> dict[str, Any]:
    """Give the settings that every kind of account has."""
    return {"app_secret": SECRET, "verify_token": VERIFY, "access_token": TOKEN, "brand": "nitido", **more}


def sign(body: bytes, secret: str = SECRET) -> dict[str, str]:
    """Give the header that Meta sends with a body."""
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def failing(code: int, subcode: int | None = None, status: int = 400, **headers: str) -> Answer:
    """Give an error as Graph words it."""
    error = {"message": f"(#{code}) as Graph words it", "type": "OAuthException", "code": code, "fbtrace_id": "A1"}
    if subcode is not None:
        error["error_subcode"] = subcode
    return Answer(json.dumps({"error": error}).encode(), status, headers)


class Edges:
    """Give each edge its pages of items, linked by `after`, and each object by its id.

    `ids` are the native ids that a source reads from all of it.
    """

    def __init__(
        self,
        edges: Mapping[str, Sequence[Sequence[Any]]],
        objects: Mapping[str, Any] | None = None,
        ids: Sequence[str] = (),
    ) -> None:
        self.edges = {path: [list(page) for page in pages] for path, pages in edges.items()}
        self.objects = dict(objects or {})
        self.ids = frozenset(ids)

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return failing(190, 463, 401)
        path = asked.path.strip("/")
        if "ids" in asked.query:
            wanted = asked.query["ids"].split(",")
            if any(one not in self.objects for one in wanted):
                return failing(100, 33) if len(wanted) == 1 else failing(803, None)
            return Answer(json.dumps({one: self.objects[one] for one in wanted}).encode())
        if path in self.edges:
            return Answer(json.dumps(self.page(path, asked.query.get("after"))).encode())
        if path in self.objects:
            return Answer(json.dumps(self.objects[path]).encode())
        return failing(100, 33)

    def page(self, path: str, after: str | None = None) -> dict[str, Any]:
        """Give one page of an edge, with the address of the next, in which Graph repeats the key."""
        pages = self.edges[path]
        at = int(after.removeprefix("page")) if after else 0
        told: dict[str, Any] = {"data": pages[at]}
        if at + 1 < len(pages):
            link = f"https://graph.facebook.com/v24.0/{path}?access_token={TOKEN}&limit=25&after=page{at + 1}"
            told["paging"] = {"cursors": {"before": "x", "after": f"page{at + 1}"}, "next": link}
        return told


def stamp(moment: datetime) -> str:
    """Write a time as Graph does."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def comment(number: int | str, at: datetime, text: str = "Nítido no responde", **more: Any) -> dict[str, Any]:
    """Make a comment under a post of the page."""
    return {
        "id": f"900_{number}",
        "message": text,
        "created_time": stamp(at),
        "from": {"id": f"7{number}", "name": f"Persona {number}"},
        "like_count": 2,
        "comment_count": 0,
        **more,
    }


def good_facebook(now: datetime) -> Edges:
    """Give a feed of two pages (asked as PAGE/feed, then with after=page1): visitors' posts with comments."""
    pages = [
        [
            {
                "id": f"{PAGE}_{page}{n}",
                "message": f"Nítido, publicación {page}{n}",
                "created_time": stamp(now - timedelta(hours=1 + page, minutes=n)),
                "from": {"id": f"5{page}{n}", "name": "Visitante"},
                "comments": {"data": [comment(f"{page}{n}{m}", now - timedelta(minutes=m)) for m in range(2)]},
            }
            for n in range(3)
        ]
        for page in range(2)
    ]
    ids = [one["id"] for page in pages for one in page]
    ids += [one["id"] for page in pages for post in page for one in post["comments"]["data"]]
    return Edges({f"{PAGE}/feed": pages}, {PAGE: {"id": PAGE, "name": "Nítido"}}, ids)


def reply(number: int | str, at: datetime, text: str = "Nítido no responde", **more: Any) -> dict[str, Any]:
    """Make a comment under a post of an Instagram account."""
    return {"id": f"1790{number}", "text": text, "timestamp": stamp(at), "username": f"persona{number}", **more}


def good_instagram(now: datetime) -> Edges:
    """Give two pages of own posts with comments (asked as ACCOUNT/media, then with after=page1), and one of tags."""
    pages = [
        [
            {
                "id": f"1780{page}{n}",
                "caption": "Nuestra publicación",
                "timestamp": stamp(now - timedelta(hours=1 + page, minutes=n)),
                "media_type": "IMAGE",
                "permalink": f"https://www.instagram.com/p/C{page}{n}/",
                "comments": {"data": [reply(f"{page}{n}{m}", now - timedelta(minutes=m)) for m in range(2)]},
            }
            for n in range(3)
        ]
        for page in range(2)
    ]
    tagged = {
        "id": "18001",
        "caption": "Con @nitidope",
        "timestamp": stamp(now - timedelta(hours=3)),
        "username": "eva",
    }
    ids = [one["id"] for page in pages for post in page for one in post["comments"]["data"]]
    edges = {f"{ACCOUNT}/media": pages, f"{ACCOUNT}/tags": [[tagged]]}
    return Edges(edges, {ACCOUNT: {"id": ACCOUNT, "username": "nitidope"}}, [*ids, "mention:18001"])
