"""Play six platforms with posts that show themselves little by little: some late, some edited, all counted."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers import bluesky, hackernews, mastodon
from tests.servers.reddit import token
from tests.servers.web import Answer, Asked, Web, serving

EPOCH = 1288834974657  # X counts milliseconds from here
# Seconds between two posts. What comes late is late by less than a turn, which each source must bear: a search index
# lags by a minute and a half at most, a listing by an hour.
SPACING = {"reddit": 20}


@dataclass(frozen=True)
class Item:
    number: int
    at: datetime
    turn: int  # the turn in which it can be seen first
    text: str
    later: str | None  # its text from the turn after on


class Timeline:
    """Hold the posts of one platform; `turn` decides which can be seen and how they read."""

    def __init__(self, name: str, count: int, turns: int, now: datetime) -> None:
        chance = random.Random(name)
        self.turn = 0
        self.items = []
        for number in range(count):
            turn = number * turns // count
            late = chance.random() < 0.05
            at = now - timedelta(hours=12) + timedelta(seconds=number * SPACING.get(name, 1))
            text = f"Nítido {name} {number} 📶"
            edited = f"{text} (editado)" if chance.random() < 0.02 else None
            self.items.append(Item(number, at, turn + late, text, edited))

    def seen(self) -> list[Item]:
        return [item for item in self.items if item.turn <= self.turn]

    def text(self, item: Item) -> str:
        return item.later if item.later is not None and item.turn < self.turn else item.text


def x_id(item: Item) -> int:
    return ((int(item.at.timestamp() * 1000) - EPOCH) << 22) + item.number


def answer_x(line: Timeline, asked: Asked) -> Answer:
    since, until = int(asked.query.get("since_id", 0)), int(asked.query.get("until_id", 2**63))
    until = min(until, int(asked.query.get("next_token", until)))
    fitting = sorted(((x_id(item), item) for item in line.seen() if since < x_id(item) < until), reverse=True)
    size = int(asked.query.get("max_results", 10))
    page: dict[str, Any] = {"meta": {"result_count": len(fitting[:size])}}
    if fitting:
        page["data"] = [{"id": str(one), "text": line.text(item), "author_id": "7"} for one, item in fitting[:size]]
    if len(fitting) > size:
        page["meta"]["next_token"] = str(fitting[size - 1][0])
    return Answer(json.dumps(page).encode())


def answer_reddit(line: Timeline, asked: Asked) -> Answer:
    if asked.path.endswith("/api/v1/access_token"):
        return token()
    start = int(asked.query.get("after", "t3_0").removeprefix("t3_"))
    newest = sorted(line.seen(), key=lambda item: item.at, reverse=True)[:1000]  # Reddit lists no more
    shown = newest[start : start + 100]
    children = [
        {"kind": "t3", "data": {"id": str(item.number), "name": f"t3_{item.number}", "title": line.text(item),
                                "selftext": "", "created_utc": item.at.timestamp(), "author": "ana"}}
        for item in shown
    ]  # fmt: skip
    after = f"t3_{start + 100}" if start + 100 < len(newest) else None
    return Answer(json.dumps({"kind": "Listing", "data": {"children": children, "after": after}}).encode())


def answer_rss(line: Timeline, asked: Asked) -> Answer:
    newest = sorted(line.seen(), key=lambda item: item.at, reverse=True)[:600]
    entries = "".join(
        f"<item><guid isPermaLink='false'>urn:{item.number}</guid><title>{line.text(item)}</title>"
        f"<pubDate>{item.at.strftime('%a, %d %b %Y %H:%M:%S GMT')}</pubDate></item>"
        for item in newest
    )
    body = f"<rss version='2.0'><channel><title>Prensa</title>{entries}</channel></rss>"
    return Answer(body.encode(), headers={"ETag": f'"{line.turn}"'})


def answer_mastodon(line: Timeline, asked: Asked) -> Answer:
    if "/timelines/" not in asked.path:
        return mastodon.told({"version": "4.4.2", "api_versions": {"mastodon": 6}, "configuration": {"urls": {}}})
    statuses = [
        mastodon.status(0, line.text(item), id=mastodon.id_at(item.at, item.number), created_at=item.at.isoformat())
        for item in line.seen()
    ]
    return mastodon.told(mastodon.page_of(asked, statuses))


def answer_hackernews(line: Timeline, asked: Asked) -> Answer:
    hits = [hackernews.hit(item.number, line.text(item), int(item.at.timestamp())) for item in line.seen()]
    return hackernews.Index(hits)(asked)


_BLUESKY = bluesky.AppView()


def answer_bluesky(line: Timeline, asked: Asked) -> Answer:
    _BLUESKY.views = [
        bluesky.view(item.number, line.text(item), indexedAt=_iso(item.at))
        | {"record": bluesky.record(0, line.text(item), createdAt=_iso(item.at))}
        for item in line.seen()
    ]
    return _BLUESKY(asked)


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


ANSWERS: dict[str, Callable[[Timeline, Asked], Answer]] = {
    "x": answer_x,
    "reddit": answer_reddit,
    "rss": answer_rss,
    "mastodon": answer_mastodon,
    "hackernews": answer_hackernews,
    "bluesky": answer_bluesky,
}
ROOTS = {"xrpc": "bluesky", "api": "mastodon", "r": "reddit"}  # these libraries ask at the root


class World:
    """Serve every platform under a path of its name."""

    def __init__(self, count: int, turns: int) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        shares = {name: count // len(ANSWERS) for name in ANSWERS}
        self.lines = {name: Timeline(name, share, turns, now) for name, share in shares.items()}

    def __call__(self, asked: Asked) -> Answer:
        name = asked.path.split("/")[1]
        name = "reddit" if asked.path.startswith("/api/v1/access_token") else ROOTS.get(name, name)
        asked.path = asked.path.removeprefix(f"/{name}")
        return ANSWERS[name](self.lines[name], asked)


@contextmanager
def serving_world(count: int, turns: int) -> Iterator[tuple[World, Web]]:
    world = World(count, turns)
    with serving(world) as web:
        _BLUESKY.url = web.url
        yield world, web
