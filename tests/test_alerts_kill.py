"""Sending under SIGKILL: whatever moment a sender dies at, no alert is lost, and a repeat carries the same key."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.config import Config, load
from listener.database import Store
from stakeholders.alerts import queue_case
from stakeholders.deciding.facts import Case
from stakeholders.store import alerts, events
from tests.servers.smtp import free_port, smtp
from tests.servers.web import Answer, Asked, serving
from tests.stakeholders.newsroom import NOW, open_one

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
KILLS = 50  # over each of two channels, in each of two databases: 200 in all
DEPTHS = {"step": (1, 2, 3, 4, 5, 8, 13), "commit": (1, 2, 3, 5, 8), "wire": (1, 1, 2, 3, 5)}
LEASE = timedelta(minutes=6)  # what a killed sender held is due again by then
MANY = 10_000

CONFIG = """
[instance]
language = "en"
[store]
url = "{store}"
[brands.nitido]
name = "Nítido"
[departments.communications]
alert = ["{address}"]
[departments.customer_care]
alert = [{addresses}]
[alerts]
grouping = false
[mail]
port = {port}
sender = "escucha@nitido.example"
[server]
secret = "a-secret-of-tests-0123456789-0123456789"
[egress]
inside = ["127.0.0.1"]
{channels}
"""
HOOK = """
[channels.desk]
kind = "webhook"
url = "{url}/alerts"
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""


class Driver:
    """Start senders, one after the other or many at once."""

    def __init__(self, config: Path) -> None:
        command = [sys.executable, str(ROOT / "tests" / "alerts_driver.py"), str(config)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def run(self, turn: int, where: str, number: int) -> int:
        """Let a sender run `turn` leases after the alerts were queued; give its exit status."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{(NOW + turn * LEASE).isoformat()} {where} {number}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@contextmanager
def driving(config: Path) -> Iterator[Driver]:
    driver = Driver(config)
    try:
        yield driver
    finally:
        assert driver.process.stdin is not None
        driver.process.stdin.close()
        driver.process.wait(20)
        assert driver.process.stdout is not None
        driver.process.stdout.close()


@contextmanager
def mail(folder: Path) -> Iterator[tuple[dict[str, Any], Callable[[], list[str]]]]:
    """Receive over SMTP; give what the configuration needs, and how to read the keys that came over the wire."""
    port = free_port()
    with smtp(port) as inbox:
        told = {"address": "mail:team@nitido.example", "port": port, "channels": ""}
        yield told, lambda: [one.strip("<>").rpartition("@")[0] for one in inbox.ids]


@contextmanager
def webhook(folder: Path) -> Iterator[tuple[dict[str, Any], Callable[[], list[str]]]]:
    """Receive over HTTP; every message carries its key twice, in the header and in the standard's own."""

    def take(asked: Asked) -> Answer:
        return Answer(b"", 204)

    with serving(take) as web:
        told = {"address": "webhook:desk", "port": 1, "channels": HOOK.format(url=web.url)}

        def keys() -> list[str]:
            lowered = [{name.casefold(): value for name, value in one.headers.items()} for one in web.asked]
            assert all(one["idempotency-key"].strip('"') == one["webhook-id"] for one in lowered)
            return [one["webhook-id"] for one in lowered]

        yield told, keys


def write_config(folder: Path, store_url: str, told: dict[str, Any], addresses: list[str] | None = None) -> Path:
    path = folder / "config.toml"
    named = ", ".join(f'"{one}"' for one in addresses or [told["address"]])
    path.write_text(CONFIG.format(store=store_url, addresses=named, **told), encoding="utf-8")
    return path


def queue(store: Store, config: Config, cases: int) -> int:
    """Open cases and queue who must hear of each; give how many alerts wait."""
    with store.write() as connection:
        return sum(queue_one(connection, config) for _ in range(cases))


def queue_one(connection: sa.Connection, config: Config) -> int:
    case: Case
    case, mention_id = open_one(connection, config)
    return queue_case(connection, config, case, mention_id, False, NOW)


def owed(store: Store) -> Counter[str]:
    with store.read() as connection:
        return Counter(connection.scalars(sa.select(alerts.c.state)))


@pytest.mark.parametrize("channel", [mail, webhook])
def test_fifty_kills_of_the_sender_lose_no_alert_and_double_only_what_was_on_the_wire(
    channel: Any, store: Store, store_url: str, tmp_path: Path
) -> None:
    chance = random.Random(channel.__name__)
    with channel(tmp_path) as (told, keys), ExitStack() as stack:
        path = write_config(tmp_path, store_url, told)
        config = load(path, {})
        driver = stack.enter_context(driving(path))
        queued, kills, turn = 0, 0, 0
        while kills < KILLS:
            if owed(store)["pending"] < 20:
                queued += queue(store, config, 30)
            turn += 1
            where = ("step", "commit", "wire")[kills % 3]
            killed = driver.run(turn, where, chance.choice(DEPTHS[where]))
            assert killed in (-9, 0)
            kills += killed == -9
            wire = Counter(keys())
            assert sum(wire.values()) - len(wire) <= kills, "one kill gives one repeat at most"
        while owed(store)["pending"]:
            turn += 1
            assert driver.run(turn, "none", 0) == 0
        wire = Counter(keys())
    with store.read() as connection:
        expected = set(connection.scalars(sa.select(alerts.c.key)))
        history = connection.scalar(sa.select(sa.func.count()).where(events.c.what == "told"))
    assert set(wire) == expected, "none is lost, and none is there that nobody queued"
    assert len(expected) == queued, "a receiver that drops equal keys has each once"
    assert sum(wire.values()) - queued <= kills
    assert sum(wire.values()) > queued, "the kills did hit messages on the wire"
    assert owed(store) == {"sent": queued}
    assert history == queued, "each is told once in its case's history"
    assert turn < 3 * KILLS


def test_ten_thousand_alerts_and_two_senders_at_once_double_nothing(tmp_path: Path) -> None:
    addresses = [f"log:sink{number}" for number in range(100)]
    sinks = "\n".join(
        f'[channels.sink{number}]\nkind = "log"\npath = "out.jsonl"\ninternal = true' for number in range(100)
    )
    told = {"address": "log:sink0", "port": 1, "channels": sinks}
    url = f"sqlite:///{tmp_path}/escucha.db"
    path = write_config(tmp_path, url, told, addresses)
    store = Store(url)
    store.migrate()
    assert queue(store, load(path, {}), MANY // len(addresses)) == MANY
    with driving(path) as driver:
        assert driver.run(1, "drain", 2) == 0
    lines = (tmp_path / "out.jsonl").read_text("utf-8").split("\n")
    written = [json.loads(line)["data"]["key"] for line in lines if line]
    assert owed(store) == {"sent": MANY}
    assert len(written) == MANY
    assert len(set(written)) == MANY
    store.close()
