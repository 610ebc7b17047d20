"""The flow under SIGKILL: nothing lost, nothing twice, a repeated mail only with the same Message-ID."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from listener.config import load
from listener.database import Store, metadata
from listener.demo.replay import read_corpus, shift
from tests.servers.smtp import Inbox, free_port, smtp

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[1]
LIMA = ZoneInfo("America/Lima")
NOW = datetime(2026, 5, 11, 9, 0, tzinfo=LIMA)  # a Monday after the digest's hour
KILLS = 25  # for each database


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, int]]:
    port = free_port()
    with smtp(port) as opened:
        yield opened, port


def write_instance(folder: Path, store_url: str, port: int) -> Path:
    """Write a config of the demo's company whose only source is a post file of one week, twenty posts a page."""
    folder.mkdir()
    rows = [row for _, row in shift(read_corpus(), NOW.date(), LIMA) if row["published_at"] > "2026-05-01"]
    rows = [{key: part for key, part in row.items() if key != "labels"} for row in rows[:120]]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    lines.insert(7, '{"text": "cut off')
    (folder / "posts.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    text = (ROOT / "config.toml").read_text("utf-8")
    start, end = text.index("[sources.files]"), text.index("[sources.news]")
    source = '[sources.posts]\nkind = "file"\npath = "posts.jsonl"\npage_size = 20\n\n'
    text = (text[:start] + source + text[end:]).replace("port = 1025", f"port = {port}")
    text = text.replace("sqlite:///data/escucha.db", store_url)
    text = text.replace("[alerts]\n", "[alerts]\ngrouping = false\n", 1)  # one message a case: each is followed
    (folder / "config.toml").write_text(text, "utf-8")
    return folder / "config.toml"


@contextmanager
def driving(steps: Path) -> Iterator[Callable[[Path, int, int], int]]:
    """Give a function that runs the flow in a process of its own, killed after a step; gives its exit status."""
    command = [sys.executable, str(ROOT / "tests" / "flow_driver.py"), str(steps)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdin is not None
        assert driver.stdout is not None
        assert driver.stdout.readline() == "ready\n"

        def run(config: Path, turn: int, kill_at: int) -> int:
            moment = NOW + turn * timedelta(minutes=10)  # a killed sender's claim on an alert has run out by then
            driver.stdin.write(f"{moment.isoformat()} {kill_at} {config}\n")  # type: ignore[union-attr]
            driver.stdin.flush()  # type: ignore[union-attr]
            status = int(driver.stdout.readline())  # type: ignore[union-attr]
            assert status in (0, -9)
            return status

        yield run
        driver.stdin.close()


def contents(config: Path) -> dict[str, Any]:
    """Read what an instance holds, without what depends on when it ran."""
    import sentiment.store  # noqa: F401 - both hang their tables on the metadata
    import stakeholders.store  # noqa: F401

    store = Store(load(config, {}).store_url)
    tables = metadata.tables
    with store.read() as connection:

        def rows(query: Any) -> list[tuple[Any, ...]]:
            return sorted(tuple(row) for row in connection.execute(query))

        # Numbers of rows differ between databases that skip some; what a row is about does not.
        post, mention = tables["post"].c, tables["mention"].c
        verdict, decision, alert = tables["verdict"].c, tables["decision"].c, tables["alert"].c
        about = (post.source, post.native_id, mention.brand)
        heard = tables["mention"].join(tables["post"])
        opened = heard.join(tables["case_mention"]).join(tables["cases"])
        told = opened.join(tables["alert"], alert.case_id == tables["cases"].c.id)
        found = {
            "posts": rows(sa.select(post.source, post.native_id)),
            "mentions": rows(sa.select(*about).select_from(heard)),
            "verdicts": rows(sa.select(*about, verdict.sentiment).select_from(heard.join(tables["verdict"]))),
            "decisions": rows(sa.select(*about, decision.department).select_from(heard.join(tables["decision"]))),
            "cases": rows(sa.select(*about, tables["case_mention"].c.how).select_from(opened)),
            "alerts": rows(
                sa.select(*about, alert.kind, alert.recipient)
                .select_from(told)
                .where(tables["case_mention"].c.how == "opened")
            ),
            "all alerts": rows(sa.select(sa.func.count()).select_from(tables["alert"])),
            "unsent": rows(sa.select(alert.key).where(alert.state != "sent")),
            "quarantine": rows(sa.select(tables["quarantine"].c.position)),
            "digests": rows(sa.select(tables["digest"].c.key)),
        }
    store.close()
    return found


def test_fifty_kills_after_every_step_lose_nothing_and_do_nothing_twice(
    store_url: str, tmp_path: Path, inbox: tuple[Inbox, int]
) -> None:
    with driving(tmp_path / "steps") as run:
        _kill_and_compare(run, store_url, tmp_path, inbox)


def _kill_and_compare(
    run: Callable[[Path, int, int], int], store_url: str, tmp_path: Path, inbox: tuple[Inbox, int]
) -> None:
    handler, port = inbox
    undisturbed = write_instance(tmp_path / "undisturbed", f"sqlite:///{tmp_path}/undisturbed.db", port)
    assert run(undisturbed, 0, 0) == 0
    expected = contents(undisturbed)
    ((mails,),) = expected["all alerts"]
    assert len(expected["posts"]) == 120
    assert len(expected["cases"]) > 10
    assert expected["unsent"] == []
    assert mails == len(Counter(handler.ids)) == sum(Counter(handler.ids).values())
    handler.letters.clear()

    killed = write_instance(tmp_path / "killed", store_url, port)
    steps = tmp_path / "steps"
    kills = 0
    while kills < KILLS:
        # Short turns at first, so that every early step is met; longer ones later, so that the flow gets on.
        assert run(killed, kills, 1 + kills % 3 + (kills // 3) * 2 % 11) == -9, "the flow ended before its kill"
        kills += 1
    assert run(killed, kills, 0) == 0

    assert contents(killed) == expected
    sent = Counter(handler.ids)
    assert len(sent) == mails, "each alert has one Message-ID, however often it went out"
    assert sum(sent.values()) - mails <= kills
    met = Counter(steps.read_text().split("\n")[:-1])
    assert sum(met.values()) == KILLS
    stages = {"run opened", "page stored", "run closed", "verdicts stored", "decisions stored"}
    assert set(met) >= stages | {"mail claimed", "mail sent", "mail marked"}
    assert run(killed, kills + 1, 0) == 0, "a run after all that adds nothing"
    assert contents(killed) == expected
    assert Counter(handler.ids) == sent
