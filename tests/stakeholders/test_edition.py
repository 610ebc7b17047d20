"""Which digests there are and when each is due: once, in local time, and one after a downtime."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from listener.config import Config
from listener.database import Store
from listener.errors import ConfigError, EscuchaError
from stakeholders import digest
from stakeholders.counting.period import midnight
from stakeholders.edition import due_day, editions_due, read_edition, running, written_for
from stakeholders.store import alerts, digests
from tests.stakeholders.weeks import ask_every, config_of, say

LIMA = ZoneInfo("America/Lima")
SUNDAY = midnight(date(2026, 11, 15), LIMA)
CARE = {"name": "care", "to": ["mail:care@example.org"], "cadence": "daily", "departments": ["customer_care"]}
RED = {"name": "red", "to": ["mail:red@example.org"], "departments": ["network_quality"], "language": "en"}


def team(tmp_path: Path, *tables: dict[str, Any], **more: Any) -> Config:
    return config_of(tmp_path, digests=list(tables), digest={"to": []}, sources={"x": {"enabled": False}}, **more)


def kept(store: Store) -> list[sa.Row[Any]]:
    with store.read() as connection:
        return list(connection.execute(sa.select(digests).order_by(digests.c.id)))


def queue(store: Store, config: Config, now: datetime) -> int:
    with store.write() as connection:
        return digest.queue_due(connection, config, now)


def listen(store: Store) -> None:
    with store.write() as connection:
        ask_every(connection, "x", timedelta(hours=6), SUNDAY - timedelta(days=20), SUNDAY + timedelta(days=20))
        say(connection, SUNDAY)


def test_a_daily_digest_is_queued_once_a_day_at_its_hour(store: Store, tmp_path: Path) -> None:
    listen(store)
    config = team(tmp_path, CARE)
    eight = SUNDAY + timedelta(days=1, hours=8)
    assert queue(store, config, eight - timedelta(seconds=1)) == 1, "Saturday's, which nobody had sent yet"
    assert queue(store, config, eight) == 1
    assert queue(store, config, eight + timedelta(hours=20)) == 0
    assert [row.key for row in kept(store)] == ["2026-11-14/nitido/es/care", "2026-11-15/nitido/es/care"]
    with store.read() as connection:
        keys = connection.scalars(sa.select(alerts.c.key)).all()
    assert len(set(keys)) == 2
    assert all(key.startswith("digest/2026-11-1") and "/nitido/care/" in key for key in keys)


def test_after_a_downtime_one_digest_tells_of_every_day_missed(store: Store, tmp_path: Path) -> None:
    listen(store)
    config = team(tmp_path, CARE)
    eight = SUNDAY + timedelta(days=1, hours=8)
    assert queue(store, config, eight) == 1
    assert queue(store, config, eight + timedelta(days=4)) == 1
    assert queue(store, config, eight + timedelta(days=15)) == 1
    first, second, third = [read_edition(config, row) for row in kept(store)]
    assert len(first.period.days) == 1
    assert second.period.start == first.period.end
    assert len(second.period.days) == 4
    assert len(third.period.days) == 7, "never more than a week"
    assert third.label == "2026-11-30"


def test_each_digest_has_a_key_and_a_scope_of_its_own_and_the_directors_keep_theirs(
    store: Store, tmp_path: Path
) -> None:
    listen(store)
    config = config_of(tmp_path, digests=[CARE, RED], sources={"x": {"enabled": False}})
    assert queue(store, config, SUNDAY + timedelta(days=1, hours=9)) == 3
    rows = kept(store)
    assert [row.key for row in rows] == [
        "2026-W46/nitido/es", "2026-11-15/nitido/es/care", "2026-W46/nitido/en/red",
    ]  # fmt: skip
    assert rows[0].scope is None
    assert rows[2].scope["departments"] == ["network_quality"]
    assert [read_edition(config, row).key for row in rows] == [row.key for row in rows]
    editions = list(editions_due(config, SUNDAY + timedelta(days=1, hours=9)))
    assert [one.about_work for one in editions] == [False, True, True]


@pytest.mark.parametrize(
    ("day", "utc_hour"), [((2026, 3, 28), 7), ((2026, 3, 29), 6), ((2026, 10, 24), 6), ((2026, 10, 25), 7)]
)
def test_eight_o_clock_stays_eight_o_clock_on_the_days_clocks_change(
    tmp_path: Path, day: tuple[int, int, int], utc_hour: int
) -> None:
    config = team(tmp_path, CARE, instance={"timezone": "Europe/Madrid"})
    (table,) = config.settings.digests
    due = datetime(*day, utc_hour, tzinfo=UTC)
    today = date(*day)
    assert due_day(config, due, table).last_day == today - timedelta(days=1)
    assert due_day(config, due - timedelta(minutes=1), table).last_day == today - timedelta(days=2)


def test_the_day_of_a_clock_change_is_told_with_all_its_hours(tmp_path: Path) -> None:
    config = team(tmp_path, CARE, instance={"timezone": "Europe/Madrid"})
    (table,) = config.settings.digests
    for after, hours in ((datetime(2026, 3, 30, 9, tzinfo=UTC), 23), (datetime(2026, 10, 26, 9, tzinfo=UTC), 25)):
        period = due_day(config, after, table)
        assert period.end - period.start == timedelta(hours=hours)


def test_what_a_person_asks_for_by_name_week_or_day_is_found_or_a_clear_fault(tmp_path: Path) -> None:
    config = team(tmp_path, CARE, RED)
    now = SUNDAY + timedelta(days=1, hours=9)
    assert written_for(config, None, None, None, now).key == "2026-W46/nitido/es"
    assert written_for(config, "care", "2026-11-03", None, now).key == "2026-11-03/nitido/es/care"
    assert written_for(config, "red", None, "nitido", now).key == "2026-W46/nitido/en/red"
    assert running(config, "care", None, now).label == "2026-11-16"
    assert running(config, None, None, now).label == "2026-W47"
    for name, label, brand, told in (
        ("nobody", None, None, "care, red"),
        ("care", "2026-W46", None, "2026-11-22"),
        ("red", "yesterday", None, "2026-W46"),
        (None, None, "brisatel", "nitido"),
    ):
        with pytest.raises(EscuchaError, match=told):
            written_for(config, name, label, brand, now)


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"name": "Big Name"}, "name"),
        ({"to": []}, "nobody reads it"),
        ({"brands": ["nitdo"]}, "did you mean 'nitido'"),
        ({"at": time(8, tzinfo=UTC)}, "carries a zone"),
        ({"day": "tue"}, "a daily digest has no day"),
        ({"departments": ["sails"]}, "sales"),
        ({"to": ["mail:@"]}, "is not an address"),
        ({"cadence": "hourly"}, "daily"),
    ],
)
def test_a_digest_that_cannot_work_is_a_pointed_fault(tmp_path: Path, table: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        team(tmp_path, CARE | table)
    assert told in str(caught.value)
    assert "digests" in str(caught.value)


def test_two_digests_of_one_name_are_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="stands there twice"):
        team(tmp_path, CARE, CARE)
