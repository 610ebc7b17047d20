"""Speak Google Play's batchexecute for reviews, as google-play-scraper asks it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from tests.servers.web import Answer, Asked


def review(native_id: str, text: str = "se cierra sola", at: Any = 1_777_900_000, name: str = "Ana") -> list[Any]:
    """Lay the parts where google-play-scraper looks for them."""
    picture = [None, 2, None, [None, None, "https://example.org/picture"]]
    answer = ["Nítido", "Lamentamos lo ocurrido", [1_777_900_500, 0]]
    return [native_id, [name, picture], 1, None, text, [at, 0], 4, answer, None, None, "7.2"]


def answer(items: Sequence[Any] | None, token: str | None = None) -> Answer:
    told: list[Any] = [] if items is None else [list(items), [None, token], None]
    frame = [["wrb.fr", "oCPfdb", json.dumps(told), None, None, None, "generic"]]
    return Answer(b")]}'\n\n" + json.dumps(frame).encode())


class Reviews:
    """Give each app its pages, linked by a token inside the question."""

    def __init__(self, pages: Mapping[str, Sequence[Sequence[Any]]]) -> None:
        self.pages = dict(pages)

    def __call__(self, asked: Asked) -> Answer:
        question = unquote(asked.body.decode())
        app = re.search(r'\[\\"([\w.]+)\\",7\]', question)
        if asked.method != "POST" or asked.path != "/_/PlayStoreUi/data/batchexecute" or app is None:
            return Answer(b"<html>Not found</html>", 404)
        token = re.search(r'\\"page(\d+)\\"', question)
        at = int(token.group(1)) if token else 0
        pages = self.pages.get(app.group(1), [])
        if not pages:
            return answer(None)
        return answer(pages[at], f"page{at + 1}" if at + 1 < len(pages) else None)


def two_pages() -> Reviews:
    """Give a good answer of two pages: three reviews."""
    return Reviews({"pe.nitido.mi": [[review("r1"), review("r2")], [review("r3", at=1_777_800_000)]]})
