"""What is read of the past for spikes: less than everything, with the answers that everything would give."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.config import Config
from listener.database import Store
from listener.gaps import Gap
from listener.store import mentions, posts
from sentiment.store import verdicts
from stakeholders.spikes.backtest import back_test
from stakeholders.spikes.lately import Lately, look_lately
from stakeholders.spikes.rise import alarms_of
from stakeholders.spikes.spike import watch_spikes
from stakeholders.spikes.traffic import MEASURES, Traffic, _unheard, count_since, hour_of
from stakeholders.store import spikes as table
from tests.stakeholders.weeks import ask_every, config_of

NOW = datetime(2026, 11, 12, 20, 20, tzinfo=UTC)
WEEKS = 5
MOODS = ("negative", "neutral", "positive")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return config_of(tmp_path)


def live(connection: Any, draw: random.Random) -> None:
    """Write five weeks of two brands on two sources: a usual hour, an hour of nothing, a burst of some minutes."""
    for source in ("x", "news"):
        ask_every(connection, source, timedelta(hours=1), NOW - timedelta(weeks=WEEKS), NOW)
    found: list[tuple[str, str, datetime]] = []
    for brand, rate in (("nitido", 5), ("brisatel", 2)):
        for hour in range(WEEKS * 7 * 24):
            at = NOW - timedelta(weeks=WEEKS) + timedelta(hours=hour)
            if at > NOW - timedelta(days=4) and hour % 48 < 40:
                continue  # quiet days at the end, in which most cycles have nothing to look at
            moments = [draw.randrange(3600) for _ in range(draw.randint(0, 2 * rate))]
            if draw.random() < 0.02:
                begin = draw.randrange(3600)
                moments += [begin + draw.randrange(1200) for _ in range(draw.randint(5, 45))]
            found += [(brand, draw.choice(("x", "x", "news")), at + timedelta(seconds=one)) for one in moments]
    found = [one for one in found if one[2] <= NOW]
    connection.execute(posts.insert(), [
        {"id": number, "source": source, "native_id": f"p{number}", "text": "Nítido y Brisatel", "published_at": at,
         "collected_at": at, "raw": {}, "cluster": number} for number, (_, source, at) in enumerate(found, 1)
    ])  # fmt: skip
    connection.execute(mentions.insert(), [
        {"id": number, "post_id": number, "brand": brand, "kind": "own" if brand == "nitido" else "competitor",
         "terms": [], "source": source, "published_at": at, "hour": hour_of(at)}
        for number, (brand, source, at) in enumerate(found, 1)
    ])  # fmt: skip
    connection.execute(verdicts.insert(), [
        {"mention_id": number, "current": True, "by": "model", "engine": "test", "at": at,
         "relevant": draw.random() < 0.95, "sentiment": draw.choice(MOODS), "dimension": "products_services",
         "intent": "other", "unsure": False, "detail": {}}
        for number, (_, _, at) in enumerate(found, 1)
    ])  # fmt: skip


def alarms(connection: Any, config: Config, brand: str, days: int) -> list[datetime]:
    """Find the alarms of the past by every mention of it, ten minutes by ten minutes."""
    import numpy as np

    traffic = Traffic()
    traffic.fill(connection, [brand], NOW, back=days * 24 + 13 * 168)
    series = traffic.series[brand, "all"]
    fine = np.zeros(len(series.counts) * 6)
    counted = sa.select(mentions.c.published_at).join(verdicts, verdicts.c.mention_id == mentions.c.id)
    for at in connection.scalars(counted.where(mentions.c.brand == brand, verdicts.c.relevant)):
        fine[(hour_of(at) - series.first) * 6 + at.minute // 10] += 1
    loud = alarms_of(fine, series.told, 6, config.settings.spikes)
    onsets, last = [], None
    for place in range((hour_of(NOW) - days * 24 - series.first) * 6, (hour_of(NOW) - series.first) * 6):
        if not loud[place] or not series.heard[place // 6] or series.told.young[place // 6]:
            continue
        if last is None or place - last > 36:  # six calm hours
            onsets.append(datetime.fromtimestamp((series.first + place // 6) * 3600, UTC))
        last = place
    return onsets


def test_the_past_is_tried_on_some_hours_with_the_alarms_of_all(store: Store, config: Config) -> None:
    found: list[datetime] = []
    with store.write() as connection:
        live(connection, random.Random(1))
        for brand in ("nitido", "brisatel"):
            told = back_test(connection, config, NOW, brand, days=20).onsets
            assert list(told) == alarms(connection, config, brand, 20)
            found += told
    assert len(found) > 2, "there is something to find"


def test_a_calm_cycle_reads_no_past_and_finds_what_a_full_look_finds(
    store: Store, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled: list[datetime] = []
    fill = Traffic.fill

    def noted(self: Traffic, connection: Any, brands: Any, now: datetime, *more: Any) -> None:
        filled.append(now)
        fill(self, connection, brands, now, *more)

    def follow() -> list[tuple[Any, ...]]:
        filled.clear()
        with store.write() as connection:
            traffic, told = Traffic(), []
            for minutes in range(5 * 24 * 60, 0, -50):
                now = NOW - timedelta(minutes=minutes)
                told.append(
                    tuple((one.id, one.observed, one.onset) for one in watch_spikes(connection, config, now, traffic))
                )
            rows = connection.execute(sa.select(table.c.brand, table.c.measure, table.c.hour, table.c.ended_at)).all()
            connection.rollback()
        return [tuple(row) for row in rows] + told

    with store.write() as connection:
        live(connection, random.Random(3))
    monkeypatch.setattr(Traffic, "fill", noted)
    quick, few = follow(), len(filled)
    monkeypatch.setattr(Lately, "is_calm", lambda self, least: False)
    whole, many = follow(), len(filled)
    assert [one[1:] for one in quick if len(one) == 4] == [one[1:] for one in whole if len(one) == 4] != []
    assert few < many / 2


def test_the_last_hours_are_counted_as_each_would_be_by_itself(store: Store) -> None:
    with store.write() as connection:
        live(connection, random.Random(4))
        for hours in range(0, 200, 19):
            now = NOW - timedelta(days=10) + timedelta(hours=hours, minutes=13 * hours)
            lately = look_lately(connection, ["nitido", "brisatel"], now)
            for brand in ("nitido", "brisatel"):
                for measure in MEASURES:
                    for hour in lately.hours:
                        begin = datetime.fromtimestamp(hour * 3600, UTC) - timedelta(microseconds=1)
                        end = min(now, begin + timedelta(hours=1))
                        for fresh in ((), ("x",)):
                            plain = count_since(connection, brand, measure, begin, end, fresh)
                            assert lately.count(brand, measure, hour, fresh) == plain


def test_hours_are_unheard_where_gaps_take_a_quarter_of_them() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    first = hour_of(begin)
    draw = random.Random(6)
    found = []
    for _ in range(30):
        start = begin + timedelta(minutes=draw.randrange(-300, 3000))
        found.append(Gap("x", start, start + timedelta(minutes=draw.randrange(1, 400)), "silent"))
    lost = [
        sum(max(0.0, (min(gap.end, at + timedelta(hours=1)) - max(gap.start, at)).total_seconds()) for gap in found)
        for at in (begin + timedelta(hours=hour) for hour in range(40))
    ]
    told = _unheard(found, first, 40)["x"]
    sure = [place for place, seconds in enumerate(lost) if abs(seconds - 900) > 1]
    assert [bool(told[place]) for place in sure] == [lost[place] >= 900 for place in sure]
    assert 0 < sum(told) < 40
