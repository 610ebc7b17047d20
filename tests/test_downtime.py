"""An instance over weeks of a fake clock: a week of downtime, days on which clocks change, a clock set back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from listener.clock import Clock, read_due
from listener.config import Config, parse
from listener.database import Store
from listener.errors import SourceError, Unreachable
from listener.mention import Page, Post
from listener.pipeline import Flow
from listener.store import posts, runs
from sentiment.verdict import Label, Verdict
from stakeholders.counting.hearing import gaps
from stakeholders.counting.period import Period, week
from stakeholders.store import alerts

START = datetime(2026, 5, 4, 13, tzinfo=UTC)  # a Monday in Lima
SOURCES = ("one", "two", "breaks")


def configured(folder: Path, zone: str = "America/Lima", **digest: Any) -> Config:
    return parse(
        {
            "instance": {"timezone": zone},
            "brands": {"a": {"name": "Acme"}},
            "departments": {"communications": {"alert": ["mail:a@example.org"]}},
            "sources": {name: {"kind": "file", "path": name, "every": "1 hour"} for name in SOURCES},
            "clock": {"cycle": "1 hour"},
            "digest": {"to": ["mail:boss@example.org"], **digest},
            "mail": {"port": 1},
        },
        folder,
        {},
    )


class Judge:
    engine = "test"

    def judge(self, items: Any) -> list[Verdict]:
        told = Label("true", 0.9), Label("neutral", 0.9), Label("undefined", 0.9), Label("other", 0.9)
        return [Verdict(*told, "test") for _ in items]


class World:
    """An instance at a fake time; each source has said one thing an hour since the start."""

    def __init__(self, config: Config, store: Store) -> None:
        self.now = START
        self.polls: Counter[str] = Counter()
        self.broken = False
        self.store = store
        self.flow = Flow(config, store)
        self.flow.__dict__["classifier"] = Judge()
        self.clock = Clock(config, store, self._poll, self.flow.cycle, tell=self.flow.tell, now=lambda: self.now)
        self.clock.prepare()

    def _poll(self, name: str, now: datetime) -> SourceError | None:
        self.polls[name] += 1
        world = self

        class Said:
            def collect(self, brands: Any, cursor: str | None) -> Iterator[Page]:
                if world.broken and name == "breaks":
                    raise Unreachable(name, "no answer")
                hours = int((now - START) / timedelta(hours=1))
                said = range(int(cursor or 0), hours)
                found = tuple(Post(name, str(one), f"dice {one}", START + timedelta(hours=one)) for one in said)
                yield Page(found, str(hours))

            def probe(self) -> None:
                if world.broken:
                    raise Unreachable(name, "no answer")

        return self.flow.collect(name, now, Said()).error  # type: ignore[arg-type]

    def live(self, span: timedelta, step: timedelta = timedelta(minutes=20)) -> None:
        """Let time pass as the clock's beats would meet it, one job after the other."""
        end = self.now + span
        while self.now < end:
            with self.store.read() as connection:
                due = read_due(connection, self.now)
            for name in due:
                self.clock.work(name)
            self.now += step

    def told(self, since: datetime) -> Counter[str]:
        with self.store.read() as connection:
            kinds = connection.scalars(sa.select(alerts.c.kind).where(alerts.c.created_at >= since))
            return Counter(kinds)


def test_after_seven_days_of_downtime_each_source_is_polled_once_no_gap_is_hidden_and_one_digest_goes_out(
    tmp_path: Path, store: Store
) -> None:
    world = World(configured(tmp_path), store)
    world.live(timedelta(days=8))
    before = world.polls.copy()
    assert world.told(START) == {"digest": 1}
    with store.read() as connection:
        last = connection.scalar(sa.select(sa.func.max(runs.c.started_at)))
    assert last is not None

    world.now += timedelta(days=7)
    back = world.now
    world.clock = Clock(world.flow.config, store, world._poll, world.flow.cycle, tell=world.flow.tell,
                        now=lambda: world.now)  # fmt: skip
    world.broken = True  # and one source does not come back for a while
    world.clock.prepare()
    world.live(timedelta(minutes=20))
    assert {name: world.polls[name] - before[name] for name in SOURCES} == dict.fromkeys(SOURCES, 1)
    world.live(timedelta(hours=20))
    world.broken = False
    world.live(timedelta(hours=6))
    world.clock.leases.close()

    assert world.told(back) == {"digest": 1, "source": 1}, "no storm: one letter, and one word of the broken source"
    for name in ("one", "two"):
        assert 20 <= world.polls[name] - before[name] <= 27, "an hour apart as ever, not 168 to catch up"
    with store.read() as connection:
        for name in SOURCES:
            stored = list(connection.scalars(sa.select(posts.c.native_id).where(posts.c.source == name)))
            assert len(stored) == len(set(stored)) >= (world.now - START) / timedelta(hours=1) - 2, "nothing is missing"
        away = [gap for one in _weeks(world) for gap in gaps(connection, one, world.now)]
    for name in SOURCES:
        mine = sorted((gap.start, gap.end) for gap in away if gap.source == name and gap.why != "before")
        assert mine[0][0] <= last + timedelta(hours=1)
        assert mine[-1][1] >= back
        assert all(one[1] == two[0] for one, two in pairwise(mine)), "the whole week is a gap"


def _weeks(world: World) -> list[Period]:
    return [week(name, ZoneInfo("America/Lima")) for name in ("2026-W19", "2026-W20", "2026-W21")]


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Madrid", "2026-03-29"),  # 02:00 becomes 03:00
        ("Europe/Madrid", "2026-10-25"),  # 03:00 becomes 02:00
        ("America/Santiago", "2026-04-05"),  # midnight becomes 23:00 of the day before
        ("America/Santiago", "2026-09-06"),  # midnight becomes 01:00
    ],
)
@pytest.mark.parametrize("hour", ["00:00", "00:30", "02:30", "08:00", "23:30"])
def test_on_a_day_on_which_clocks_change_one_digest_goes_out(tmp_path: Path, zone: str, day: str, hour: str) -> None:
    store = Store(f"sqlite:///{tmp_path}/escucha.db", durable=False)
    store.migrate()
    flow = Flow(configured(tmp_path, zone, day="sun", at=f"{hour}:00"), store)
    noon = datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    with store.write() as connection:
        for weeks in range(3):
            at = noon - timedelta(days=7 * weeks + 3)
            connection.execute(runs.insert().values(source="one", started_at=at, outcome="ok"))
    flow.digest(noon - timedelta(days=3))  # the one of the week before is out
    queued = [
        (now, count)
        for minutes in range(-36 * 60, 36 * 60, 10)
        if (count := flow.digest(now := noon + timedelta(minutes=minutes)))
    ]
    store.close()
    assert [count for _, count in queued] == [1]
    local = queued[0][0].astimezone(ZoneInfo(zone))
    assert f"{local:%Y-%m-%d}" == day
    assert f"{local:%H:%M}" >= hour


def test_a_clock_set_back_an_hour_stalls_nothing(tmp_path: Path, store: Store) -> None:
    world = World(configured(tmp_path), store)
    world.live(timedelta(hours=5))
    before = world.polls.copy()
    world.now -= timedelta(hours=1)
    world.clock.beat()  # no thread was started: it only mends the table
    world.live(timedelta(hours=2))
    world.clock.leases.close()
    assert all(world.polls[name] - before[name] >= 1 for name in SOURCES), "at most one span without a poll"
    with store.read() as connection:
        assert read_due(connection, world.now + timedelta(minutes=66)) != []
