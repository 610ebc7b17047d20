"""Speak enough of X's API v2 (/2/tweets/search/recent) to serve pages to the real tweepy client."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tests.servers.web import Answer, Asked, Web, serving

TOKEN = "canary-bearer-token-0123456789"


class Pages:
    """Give one page after the other, linked by next_token."""

    def __init__(self, pages: Sequence[dict[str, Any]]) -> None:
        self.pages = list(pages)

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return Answer(b'{"title": "Unauthorized", "status": 401}', 401)
        if asked.path == "/2/usage/tweets":
            return Answer(b'{"data": {"project_usage": "0"}}')
        if asked.path != "/2/tweets/search/recent":
            return Answer(b"{}", 404)
        at = int(asked.query.get("next_token", "page0").removeprefix("page"))
        page = dict(self.pages[at]) if at < len(self.pages) else {}
        page["meta"] = {"result_count": len(page.get("data", ()))}
        if at + 1 < len(self.pages):
            page["meta"]["next_token"] = f"page{at + 1}"
        return Answer(json.dumps(page).encode(), headers={"Content-Type": "application/json"})


@contextmanager
def serving_pages(pages: Sequence[dict[str, Any]]) -> Iterator[Web]:
    with serving(Pages(pages)) as web:
        yield web


class Search:
    """Hold posts and answer since_id, until_id and max_results as X does: newest first."""

    def __init__(self) -> None:
        self.ids: list[int] = []

    def __call__(self, asked: Asked) -> Answer:
        since, until = int(asked.query.get("since_id", 0)), int(asked.query.get("until_id", 2**63))
        until = min(until, int(asked.query.get("next_token", until)))
        fitting = sorted((one for one in self.ids if since < one < until), reverse=True)
        size = int(asked.query.get("max_results", 10))
        page: dict[str, Any] = {"meta": {"result_count": len(fitting[:size])}}
        if fitting:
            page["data"] = [{"id": str(one), "text": f"post {one}", "author_id": "7"} for one in fitting[:size]]
        if len(fitting) > size:
            page["meta"]["next_token"] = str(fitting[size - 1])
        return Answer(json.dumps(page).encode())
