"""Speak enough of Reddit's OAuth API (token, search, new, comments) to serve listings to the real praw client."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.servers.web import Answer, Asked

CLIENT_ID, SECRET = "canary-client-id", "canary-client-secret-0123456789"


def token() -> Answer:
    return Answer(
        json.dumps(
            {"access_token": "canary-access-token", "token_type": "bearer", "expires_in": 3600, "scope": "*"}
        ).encode()
    )


class Listings:
    """Give each path its pages of children, linked by `after`."""

    def __init__(self, listings: dict[str, Sequence[Sequence[Any]]]) -> None:
        self.listings = listings

    def __call__(self, asked: Asked) -> Answer:
        if asked.path == "/api/v1/access_token":
            return token()
        if asked.headers.get("Authorization") != "bearer canary-access-token":
            return Answer(b'{"message": "Unauthorized", "error": 401}', 401)
        pages = self.listings.get(asked.path.rstrip("/"), [[]])
        at = int(asked.query.get("after", "t3_page0").removeprefix("t3_page"))
        after = f"t3_page{at + 1}" if at + 1 < len(pages) else None
        listing = {"kind": "Listing", "data": {"children": list(pages[at]), "after": after, "before": None}}
        return Answer(
            json.dumps(listing).encode(), headers={"x-ratelimit-remaining": "99.0", "x-ratelimit-used": "5.0"}
        )
