"""Speak enough of YouTube's Data API (commentThreads, comments, search) to serve the real google-api-python-client."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs

from tests.servers.web import Answer, Asked

KEY = "canary-youtube-key-0123456789"


def comment(native_id: str, text: str = "otra vez sin señal", at: str = "2026-05-04T09:12:00Z", **more: Any) -> Any:
    name = {"authorDisplayName": "@ana", "authorChannelId": {"value": "UCana"}}
    facts = {"textOriginal": text, "textDisplay": text, "publishedAt": at, "likeCount": 3, **name, **more}
    return {"kind": "youtube#comment", "id": native_id, "snippet": facts}


def thread(native_id: str, *replies: Any, total: int | None = None, video: str = "video1-abcd", **more: Any) -> Any:
    facts = {"videoId": video, "topLevelComment": comment(native_id, **more)}
    facts["totalReplyCount"] = len(replies) if total is None else total
    item = {"kind": "youtube#commentThread", "id": native_id, "snippet": facts}
    return {**item, "replies": {"comments": list(replies)}} if replies else item


def listed(kind: str, items: Sequence[Any], token: str | None = None) -> Answer:
    more = {"nextPageToken": token} if token else {}
    return Answer(json.dumps({"kind": f"youtube#{kind}ListResponse", "items": list(items), **more}).encode())


def refusal(status: int, reason: str) -> Answer:
    error = {"code": status, "message": reason, "errors": [{"domain": "youtube", "reason": reason}]}
    return Answer(json.dumps({"error": error}).encode(), status)


class Threads:
    """Give each video or channel its pages of threads, each thread its pages of replies, and comments by id."""

    def __init__(
        self,
        pages: Mapping[str, Sequence[Sequence[Any]]],
        replies: Mapping[str, Sequence[Sequence[Any]]] | None = None,
        found: Sequence[str] = (),
    ) -> None:
        self.pages = dict(pages)
        self.replies = dict(replies or {})
        self.found = list(found)
        self.there: dict[str, Any] = {}
        self.most = 50  # ids answered a call

    def __call__(self, asked: Asked) -> Answer:
        sent = {key: values[-1] for key, values in parse_qs(asked.body.decode()).items()}
        query = {**asked.query, **sent}  # a long question comes as a POST that says GET
        if asked.headers.get("X-Goog-Api-Key") != KEY:
            return refusal(400, "keyInvalid")
        if asked.path == "/youtube/v3/i18nLanguages":
            return listed("i18nLanguage", [])
        if asked.path == "/youtube/v3/search":
            items = [{"id": {"videoId": one}, "snippet": {"publishedAt": "2026-05-04T00:00:00Z"}} for one in self.found]
            return listed("search", items)
        if asked.path == "/youtube/v3/comments" and "id" in query:
            return listed(
                "comment", [self.there[one] for one in query["id"].split(",") if one in self.there][: self.most]
            )
        if asked.path == "/youtube/v3/comments":
            return self._page("comment", self.replies.get(query["parentId"], [[]]), query)
        place = query.get("videoId") or query["allThreadsRelatedToChannelId"]
        return (
            self._page("commentThread", self.pages[place], query)
            if place in self.pages
            else refusal(404, "videoNotFound")
        )

    def _page(self, kind: str, pages: Sequence[Sequence[Any]], query: Mapping[str, str]) -> Answer:
        at = int(query.get("pageToken", "page0").removeprefix("page"))
        return listed(kind, pages[at], f"page{at + 1}" if at + 1 < len(pages) else None)


def two_pages() -> Threads:
    """Give a good answer of two pages: five comments, of which one is a reply that has to be asked for."""
    return Threads(
        {
            "video1-abcd": [
                [thread("t1"), thread("t2", total=1, at="2026-05-04T09:00:00Z")],
                [thread("t3", at="2026-05-04T08:00:00Z"), thread("t4", at="2026-05-04T07:00:00Z")],
            ]
        },
        {"t2": [[comment("t2.r1", parentId="t2")]]},
    )
