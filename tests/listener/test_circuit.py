"""The circuit through the real flow: after five failures only the probe is asked, and one good poll closes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from listener.clock import Clock, job_of, read_due
from listener.config import parse
from listener.database import Store
from listener.errors import SourceError, Unreachable
from listener.mention import Brand, Page
from listener.pipeline import Flow
from listener.policy import is_open
from listener.store import jobs, runs

NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)


class Flaky:
    """Fail while `down`; remember when it was polled and when it was probed."""

    def __init__(self) -> None:
        self.down = self.probe_down = True
        self.polled: list[datetime] = []
        self.probed: list[datetime] = []
        self.now = NOW

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        self.polled.append(self.now)
        if self.down:
            raise Unreachable("one", "no answer")
        yield Page((), "done")

    def probe(self) -> None:
        self.probed.append(self.now)
        if self.probe_down:
            raise Unreachable("one", "no answer")


def test_an_open_circuit_asks_the_probe_first_and_seldom_and_closes_with_the_first_good_poll(
    tmp_path: Path, store: Store
) -> None:
    table: dict[str, Any] = {
        "brands": {"a": {"name": "A"}},
        "departments": {"communications": {"alert": ["mail:a@example.org"]}},
        "sources": {"one": {"kind": "file", "path": "one", "every": "1 minute"}},
    }
    config = parse(table, tmp_path, {})
    flow, source = Flow(config, store), Flaky()

    def collect(name: str, now: datetime) -> SourceError | None:
        return flow.collect(name, now, source).error  # type: ignore[arg-type]

    clock = Clock(config, store, collect, lambda now: None, now=lambda: source.now)
    clock.prepare()

    def live(span: timedelta) -> None:
        end = source.now + span
        while source.now < end:
            with store.read() as connection:
                due = read_due(connection, source.now)
            if job_of("one") in due:
                clock.work(job_of("one"))
            source.now += timedelta(seconds=30)

    live(timedelta(hours=6))
    assert len(source.polled) == 5, "closed at first: it is polled; then open: it is not"
    assert 20 <= len(source.probed) <= 24
    waits = [two - one for one, two in zip(source.probed, source.probed[1:], strict=False)]
    assert min(waits) >= timedelta(minutes=15)
    with store.read() as connection:
        assert is_open(connection, "one")
        assert connection.scalar(sa.select(sa.func.count()).select_from(runs)) == 5 + len(source.probed)

    source.probe_down = False  # it answers its probe, but the poll still fails: half-open, and open again
    probed = len(source.probed)
    live(timedelta(hours=1))
    assert len(source.polled) - 5 == len(source.probed) - probed >= 3
    source.down = False
    live(timedelta(hours=1))
    with store.read() as connection:
        assert not is_open(connection, "one")
        assert connection.scalar(sa.select(jobs.c.failures)) == 0
    polled, probed = len(source.polled), len(source.probed)
    live(timedelta(minutes=30))
    clock.leases.close()
    assert len(source.polled) - polled >= 15, "a minute apart as ever"
    assert len(source.probed) == probed
