"""Break a good answer in every way that a platform or a wire has broken one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.servers.web import Answer, Asked

RESET = 120  # seconds that a platform asks to wait
HTML = b"<!DOCTYPE html><html><head><title>Maintenance</title></head><body><p>Back soon.</p></body></html>"


@dataclass(frozen=True)
class Platform:
    """Serve a list of posts in two pages.

    `page_of` says which page a request is for, or gives the answer to a request that is for none (a token, a session).
    `body` makes the answer of a page from its items; its second number is the next page, None when there is none.
    """

    kind: str
    settings: Callable[[str], dict[str, Any]]  # the address of the server → the source's table
    items: tuple[Sequence[Any], Sequence[Any]]
    ids: tuple[frozenset[str], frozenset[str]]
    page_of: Callable[[Asked], int | Answer]
    body: Callable[[Sequence[Any], int, int | None], Answer]
    bad: Any  # an item that cannot be read
    errors_only: bytes
    secrets: tuple[str, ...] = ()
    paged: bool = True  # False: everything comes in one answer
    steps: bool = False  # True: a page's cursor comes with it, so that the first page moves it
    waits: Callable[[int], dict[str, str]] = lambda seconds: {"Retry-After": str(seconds)}
    unauthorized: Answer = field(default_factory=lambda: Answer(b'{"error": "unauthorized"}', 401))
    every: str = "15 minutes"


def x_waits(seconds: int) -> dict[str, str]:
    return {"x-rate-limit-reset": str(int(time.time()) + seconds)}


Break = Callable[[Platform, Sequence[Any], int], Answer]


class Broken:
    """Serve a platform whose second page (or only one) is broken by `fault` while `armed`."""

    def __init__(self, platform: Platform, fault: str | Break) -> None:
        self.platform = platform
        self.fault: Break = BREAK[fault] if isinstance(fault, str) else fault
        self.armed = True
        self.met = 0

    def __call__(self, asked: Asked) -> Answer:
        place = self.platform.page_of(asked)
        if isinstance(place, Answer):
            return place
        if self.armed and place == (1 if self.platform.paged else 0):
            self.met += 1
            return self.fault(self.platform, self._items(place), place)
        return self.platform.body(self._items(place), place, self._next(place))

    def _items(self, place: int) -> Sequence[Any]:
        if not self.platform.paged:
            return [*self.platform.items[0], *self.platform.items[1]]
        return self.platform.items[place] if place < 2 else []

    def _next(self, place: int) -> int | None:
        return 1 if self.platform.paged and place == 0 else None


def _status(status: int, body: bytes = b"oops") -> Break:
    return lambda platform, items, place: Answer(body, status)


def _limit(headers: Callable[[Platform], dict[str, str]]) -> Break:
    return lambda platform, items, place: Answer(b"{}", 429, headers(platform))


def _malformed(platform: Platform) -> dict[str, str]:
    return dict.fromkeys(platform.waits(1), "soon-ish")


def _good(platform: Platform, items: Sequence[Any], place: int) -> Answer:
    return platform.body(items, place, None)


def _cut(platform: Platform, items: Sequence[Any], place: int) -> Answer:
    whole = _good(platform, items, place)
    return replace(whole, body=whole.body[: len(whole.body) * 2 // 3])


def _again(platform: Platform, items: Sequence[Any], place: int) -> Answer:
    first = platform.items[0]
    return _good(platform, [*first, *items, *items], place)


def _with_bad(platform: Platform, items: Sequence[Any], place: int) -> Answer:
    return _good(platform, [*items[:1], platform.bad, *items[1:]], place)


def repeat_keys(platform: Platform, items: Sequence[Any], place: int) -> Answer:
    """Answer with a page that shows what was sent, as a proxy that is being repaired does."""
    return Answer(HTML.replace(b"Back soon.", " ".join(platform.secrets).encode()))


BREAK: dict[str, Break] = {
    "429 with reset": _limit(lambda platform: platform.waits(RESET)),
    "429 without reset": _limit(lambda platform: {}),
    "429 with absurd reset": _limit(lambda platform: platform.waits(10 * 365 * 86400)),
    "429 with malformed reset": _limit(_malformed),
    "500": _status(500),
    "502": _status(502, HTML),
    "503": _status(503, HTML),
    "504": _status(504),
    "reset mid-body": lambda platform, items, place: replace(_good(platform, items, place), fault="reset"),
    "short body": lambda platform, items, place: replace(_good(platform, items, place), fault="short"),
    "truncated body": _cut,
    "HTML with 200": lambda platform, items, place: Answer(HTML, headers={"Content-Type": "text/html"}),
    "empty 200": lambda platform, items, place: Answer(b""),
    "errors-only 200": lambda platform, items, place: Answer(platform.errors_only),
    "duplicate ids across pages": _again,
    "page-token loop": lambda platform, items, place: platform.body(items, place, place),
    "expired token": lambda platform, items, place: platform.unauthorized,
    "no reply": lambda platform, items, place: Answer(fault="hang"),
    "one bad item": _with_bad,
    "redirect elsewhere": lambda platform, items, place: Answer(status=302, headers={"Location": "http://192.0.2.7/"}),
}
