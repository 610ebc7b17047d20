"""SIGTERM to a real `escucha run`: it ends at once, between two pages, with its leases given back."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import sqlalchemy as sa

from listener.database import Store
from listener.store import jobs, posts, read_cursor, runs

ROOT = Path(__file__).resolve().parents[1]
PAGE = 20
STOPS = 5  # fifty more stand in tests/listener/test_clock.py, in one process

CONFIG = """
[store]
url = "{store}"
[brands.a]
name = "Acme"
[departments.communications]
alert = ["mail:a@example.org"]
[mail]
port = 1
[sources.one]
kind = "file"
path = "posts.jsonl"
every = "1 second"
page_size = 20
"""


def test_a_stopped_program_ends_between_two_pages_and_gives_its_leases_back(tmp_path: Path) -> None:
    line = {"text": "hola", "published_at": "2026-05-04T10:00:00Z"}
    rows = (json.dumps({"id": str(number), **line}) for number in range(40_000))
    (tmp_path / "posts.jsonl").write_text("\n".join(rows) + "\n", "utf-8")
    url = f"sqlite:///{tmp_path}/escucha.db"
    (tmp_path / "config.toml").write_text(CONFIG.format(store=url), "utf-8")
    store, chance, before = Store(url), random.Random(3), 0
    store.migrate()
    for _ in range(STOPS):
        command = [sys.executable, "-m", "listener", "run", "--config", str(tmp_path / "config.toml")]
        with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE) as run:
            wanted = before + PAGE * chance.randrange(1, 60)
            ended = time.monotonic() + 60
            stored = before
            while stored < wanted:
                assert run.poll() is None
                assert time.monotonic() < ended
                time.sleep(0.02)
                with store.read() as connection:
                    stored = connection.scalar(sa.select(sa.func.count()).select_from(posts)) or 0
            began = time.monotonic()
            run.send_signal(signal.SIGTERM)
            assert run.wait(30) == 0
            assert time.monotonic() - began < 8, "it waited for the page at hand, not for the poll"
        with store.read() as connection:
            stored = connection.scalar(sa.select(sa.func.count()).select_from(posts)) or 0
            assert stored % PAGE == 0
            (state,) = json.loads(read_cursor(connection, "one") or "{}").values()
            assert state["done"] == stored, "posts and cursor are one commit"
            assert list(connection.scalars(sa.select(jobs.c.holder).where(jobs.c.holder.is_not(None)))) == []
            assert set(connection.scalars(sa.select(runs.c.outcome))) == {"ok"}
        before = stored
    store.close()
    assert before < 40_000, "it was stopped in the middle each time"
