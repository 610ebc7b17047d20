"""Speak enough of GDELT's DOC 2.0: articles between two times, the oldest first, and its refusals in plain English."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers.web import Answer, Asked

START = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)
TOO_FAST = b"Please limit requests to one every 5 seconds or contact kalev.leetaru5@gmail.com for larger queries.\n"
TOO_SHORT = b"The specified phrase is too short.\n"


def article(minute: int, title: str = "Noticia", **more: Any) -> dict[str, Any]:
    """Make the article of `minute` minutes after START."""
    return {
        "url": f"https://diario.example/nota/{minute}",
        "url_mobile": "",
        "title": title,
        "seendate": f"{START + timedelta(minutes=minute):%Y%m%dT%H%M%SZ}",
        "socialimage": "",
        "domain": "diario.example",
        "language": "Spanish",
        "sourcecountry": "Peru",
    } | more


def page(articles: Sequence[Any]) -> Answer:
    body = {"articles": list(articles)} if articles else {}
    return Answer(json.dumps(body).encode(), headers={"Content-Type": "application/json"})


class News:
    """Hold articles and answer startdatetime, enddatetime and maxrecords."""

    def __init__(self, articles: Sequence[dict[str, Any]] = ()) -> None:
        self.articles = list(articles)

    def __call__(self, asked: Asked) -> Answer:
        low, high = asked.query["startdatetime"], asked.query["enddatetime"]
        known = sorted(self.articles, key=lambda one: one["seendate"])
        fitting = [one for one in known if low <= one["seendate"].replace("T", "").strip("Z") <= high]
        return page(fitting[: int(asked.query["maxrecords"])])
