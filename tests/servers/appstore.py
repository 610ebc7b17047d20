"""Speak Apple's customer reviews feed: pages of 50, the app itself first, one entry as an object."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tests.servers.web import Answer, Asked

APP = {"im:name": {"label": "Mi Nítido"}, "id": {"label": "app"}, "title": {"label": "Mi Nítido"}}


def review(native_id: str, text: str = "se cierra sola", at: str = "2026-05-04T09:12:00-07:00", **more: Any) -> Any:
    return {
        "author": {"uri": {"label": "https://itunes.apple.com/pe/reviews/id1"}, "name": {"label": "ana"}, "label": ""},
        "updated": {"label": at},
        "im:rating": {"label": "1"},
        "im:version": {"label": "7.2"},
        "id": {"label": native_id},
        "title": {"label": "Mala"},
        "content": {"label": text, "attributes": {"type": "text"}},
        "link": {"attributes": {"rel": "related", "href": "https://itunes.apple.com/pe/review?id=1&type=Purple"}},
        "im:voteSum": {"label": "2"},
        "im:voteCount": {"label": "3"},
        **more,
    }


def feed(entries: Sequence[Any] | Mapping[str, Any] | None) -> Answer:
    told: dict[str, Any] = {"author": {"name": {"label": "iTunes Store"}}, "id": {"label": "https://example.org"}}
    if entries is not None:
        told["entry"] = entries
    return Answer(json.dumps({"feed": told}).encode())


class Reviews:
    """Give each country and app its pages; the form of each answer is Apple's, one entry and none included."""

    def __init__(self, pages: Mapping[str, Sequence[Sequence[Any]]]) -> None:
        self.pages = dict(pages)

    def __call__(self, asked: Asked) -> Answer:
        match = re.fullmatch(r"/(\w\w)/rss/customerreviews/page=(\d+)/id=(\d+)/sortby=mostrecent/json", asked.path)
        if match is None:
            return Answer(b"<html>Not found</html>", 404)
        country, number, app = match.groups()
        pages = self.pages.get(f"{country} {app}", [])
        entries = list(pages[int(number) - 1]) if int(number) <= len(pages) else []
        return feed(entries[0] if len(entries) == 1 else entries or None)


def two_pages() -> Reviews:
    """Give a good answer of two pages: three reviews."""
    return Reviews(
        {"pe 123456789": [[APP, review("r1"), review("r2")], [review("r3", at="2026-05-03T09:00:00-07:00")]]}
    )
