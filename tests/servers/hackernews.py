"""Speak enough of Algolia's search of Hacker News: newest first, by pages, never more than 1,000 items a search."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.servers.web import Answer, Asked

START = int(datetime(2026, 5, 4, 11, 0, tzinfo=UTC).timestamp())


def hit(number: int, text: str = "hola", at: int | None = None, **more: Any) -> dict[str, Any]:
    """Make the comment of second `number` after START."""
    return {
        "objectID": str(1000 + number),
        "created_at_i": START + number if at is None else at,
        "author": "ana",
        "comment_text": f"<p>{text}",
        "parent_id": 7,
        "story_id": 5,
        "story_title": "Una historia",
        "_tags": ["comment", "author_ana", "story_5"],
        "_highlightResult": {"author": {"value": "ana"}},
    } | more


def page(hits: Sequence[Any], pages: int, found: int, number: int = 0) -> Answer:
    body = {"hits": list(hits), "nbHits": found, "page": number, "nbPages": pages, "hitsPerPage": 100}
    return Answer(json.dumps(body).encode(), headers={"Content-Type": "application/json"})


class Index:
    """Hold items; `ceiling` is how many a search gives, whatever it finds."""

    def __init__(self, hits: Sequence[dict[str, Any]] = (), ceiling: int = 1000) -> None:
        self.hits = list(hits)
        self.ceiling = ceiling

    def __call__(self, asked: Asked) -> Answer:
        if asked.path.startswith("/api/v1/items/"):
            wanted = asked.path.rpartition("/")[2]
            found = [one for one in self.hits if one["objectID"] == wanted]
            if not found:
                return Answer(b'{"status":404,"error":"Not Found"}', 404)
            one = found[0]
            item = {"id": int(wanted), "type": "comment", "author": one["author"], "title": one.get("title"),
                    "text": one["comment_text"], "created_at_i": one["created_at_i"], "parent_id": one["parent_id"],
                    "story_id": one["story_id"], "children": [{"id": 1}]}  # fmt: skip
            return Answer(json.dumps(item).encode())
        query = asked.query
        low, high = 0, 2**40
        for bound in query.get("numericFilters", "created_at_i>=0").split(","):
            low = int(bound.removeprefix("created_at_i>=")) if ">=" in bound else low
            high = int(bound.removeprefix("created_at_i<=")) if "<=" in bound else high
        word = query["query"].strip('"').casefold()
        fitting = [
            one
            for one in sorted(self.hits, key=lambda one: -one["created_at_i"])
            if low <= one["created_at_i"] <= high and word in (one["comment_text"] or "").casefold()
        ]
        size, number = int(query["hitsPerPage"]), int(query["page"])
        given = fitting[: self.ceiling]
        return page(given[number * size : (number + 1) * size], -(-len(given) // size), len(fitting), number)
