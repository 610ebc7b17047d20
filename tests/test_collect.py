"""Collecting under SIGKILL: whatever moment a process dies at, no post is missing and none is there twice."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.database import Store
from listener.store import mentions, posts, runs
from tests.servers.bluesky import HANDLE, PASSWORD
from tests.servers.world import ANSWERS, World, serving_world

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
POSTS = 10_000
KILLS = {"sqlite": 25, "postgresql": 25}  # for each of six sources: 300 in all
PLACES = ("step", "commit", "answer")
DEPTHS = (1, 2, 3, 4, 6, 9, 14)  # early deaths store little, late ones let the cursor move

CONFIG = """
[instance]
country = "PE"
[store]
url = "{store}"
[brands.nitido]
name = "Nítido"
hashtags = ["#nitido"]
[departments.communications]
alert = ["mail:a@nitido.example"]
[egress]
inside = ["127.0.0.1"]
[sources.x]
bearer_token = "canary-bearer-token"
base_url = "{web}/x"
max_pages = 40
[sources.reddit]
client_id = "canary-client"
client_secret = "canary-secret"
user_agent = "escucha/0 (by u/nobody)"
subreddits = ["peru"]
max_pages = 10
base_url = "{web}/reddit"
[sources.rss]
feeds = ["{web}/rss/feed"]
[sources.mastodon]
base_url = "{web}"
max_pages = 100
[sources.hackernews]
base_url = "{web}/hackernews"
max_pages = 40
[sources.bluesky]
mode = "search"
handle = "{handle}"
app_password = "{password}"
base_url = "{web}"
max_pages = 40
"""


@contextmanager
def driving(config: Path) -> Iterator[Any]:
    """Give a function that polls one source in a process of its own, killed where it is told; gives its exit status."""
    command = [sys.executable, str(ROOT / "tests" / "collect_driver.py"), str(config)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdin is not None
        assert driver.stdout is not None
        assert driver.stdout.readline() == "ready\n"

        def poll(source: str, where: str = "none", number: int = 0) -> int:
            driver.stdin.write(f"{source} {where} {number}\n")  # type: ignore[union-attr]
            driver.stdin.flush()  # type: ignore[union-attr]
            return int(driver.stdout.readline())  # type: ignore[union-attr]

        yield poll
        driver.stdin.close()


def kill_everywhere(world: World, poll: Any, kills: int) -> Counter[str]:
    """Let each source be killed so many times while the world goes on; give how many kills fell at which place."""
    chance = random.Random(20261122)
    met: Counter[str] = Counter()
    for turn in range(kills):
        for name, line in world.lines.items():
            line.turn = turn
            # A poll may be shorter than the place of its kill: then it is sent to die at the first place of its kind.
            for place, number in ((chance.choice(PLACES), chance.choice(DEPTHS)), ("step", 2), ("step", 1)):
                status = poll(name, place, number)
                if status == -9:
                    met[place] += 1
                    break
                assert status == 0
    return met


def test_three_hundred_kills_over_six_sources_lose_no_post_and_store_none_twice(store_url: str, tmp_path: Path) -> None:
    kind = store_url.partition(":")[0]
    with serving_world(POSTS, KILLS[kind]) as (world, web):
        config = tmp_path / "config.toml"
        words = {"store": store_url, "web": web.url, "handle": HANDLE, "password": PASSWORD}
        config.write_text(CONFIG.format(**words), "utf-8")
        with driving(config) as poll:
            met = kill_everywhere(world, poll, KILLS[kind])
            for name, line in world.lines.items():
                line.turn += 1
                assert poll(name) == 0
                line.turn += 1
                assert poll(name) == 0
        assert sum(met.values()) == KILLS[kind] * len(ANSWERS)
        assert min(met[place] for place in PLACES) >= len(ANSWERS)

        store = Store(store_url)
        with store.read() as connection:
            stored = Counter(connection.scalars(sa.select(posts.c.source)))
            named = connection.scalar(sa.select(sa.func.count()).select_from(mentions))
            texts = {row.text: row.source for row in connection.execute(sa.select(posts.c.text, posts.c.source))}
            broken = set(connection.scalars(sa.select(runs.c.outcome))) - {"ok", "running"}
        store.close()
        expected = {name: len(line.items) for name, line in world.lines.items()}
        assert sum(expected.values()) >= POSTS * 0.99
        assert stored == expected
        assert named == sum(expected.values())
        assert not broken
        for name, line in world.lines.items():
            there = {text for text, source in texts.items() if source == name}
            assert {item.number for item in line.items if there & {item.text, item.later}} == {
                item.number for item in line.items
            }
