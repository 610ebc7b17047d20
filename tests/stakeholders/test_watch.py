"""Word of a silent source: once a silence, plainly, and its end is noted; the weekly letter says it too."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.database import Store
from listener.silence import Silence
from listener.store import runs
from stakeholders import digest
from stakeholders.letters.letter import write_letter
from stakeholders.store import alerts
from stakeholders.watch import Quiet, queue_silence, queue_silences, read_quiet
from tests.stakeholders.newsroom import NOW, make_config
from tests.stakeholders.weeks import config_of

QUARTER = timedelta(minutes=15)
SINCE = NOW - timedelta(hours=9)


@pytest.fixture
def config(tmp_path: Path, store_url: str) -> Config:
    sources = {"files": {"kind": "file", "path": "in", "every": "15 minutes"}}
    return make_config(tmp_path, store_url, sources=sources)


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    with store.write() as opened:
        yield opened


def listen(connection: Connection, dead: Any = None) -> None:
    """Write six weeks of runs by day, the last at NOW; nothing new comes after `dead`."""
    rows, at = [], NOW - timedelta(days=42)
    while at <= NOW:
        new = int(10 <= at.hour < 23 and (dead is None or at < dead))
        rows.append({"source": "files", "started_at": at, "finished_at": at, "outcome": "ok", "new": new})
        at += QUARTER
    connection.execute(runs.insert(), rows)


def told(connection: Connection) -> list[Any]:
    return list(connection.execute(sa.select(alerts).order_by(alerts.c.id)))


def test_a_silence_is_told_once_to_communications_however_often_the_cycle_comes_by(
    connection: Connection, config: Config
) -> None:
    listen(connection, dead=SINCE)
    assert [queue_silences(connection, config, NOW + timedelta(minutes=one)) for one in range(3)] == [1, 0, 0]
    (row,) = told(connection)
    assert (row.kind, row.recipient, row.department) == ("silent", "communications@nitido.example", "communications")


def test_a_source_that_brings_something_is_not_told(connection: Connection, config: Config) -> None:
    listen(connection)
    assert queue_silences(connection, config, NOW) == 0
    assert told(connection) == []


def silence() -> Silence:
    return Silence("files", SINCE, timedelta(minutes=25), 31, 4)


@pytest.mark.parametrize("lang", ["en", "es", "pt"])
def test_the_letter_says_since_when_and_what_is_usual_and_what_to_do(
    connection: Connection, tmp_path: Path, store_url: str, lang: str
) -> None:
    config = make_config(tmp_path, store_url, instance={"language": lang})
    queue_silence(connection, config, silence(), NOW)
    letter = write_letter(connection, config, told(connection)[0], NOW)
    assert "files" in letter.subject
    for part in ("05:40", "25\u00a0min", "31", "escucha check", "/sources"):
        assert part in letter.text, part
        assert part in (letter.html or ""), part


def test_its_end_is_noted_and_a_new_silence_is_told_anew(connection: Connection, config: Config) -> None:
    queue_silence(connection, config, silence(), NOW)
    back = NOW + timedelta(hours=2)
    connection.execute(runs.insert().values(source="files", started_at=back, outcome="ok", new=3))
    queue_silences(connection, config, back)
    (row,) = told(connection)
    assert (row.payload["until"], row.state) == (back.isoformat(), "withdrawn"), "it was not sent yet, and is over"
    assert queue_silence(connection, config, Silence("files", back, timedelta(minutes=25), 31, 4), back) == 1


def test_silences_are_read_by_the_stretch_they_reach_into(connection: Connection, config: Config) -> None:
    queue_silence(connection, config, silence(), NOW)
    quiet = Quiet("files", SINCE, None, 31)
    assert read_quiet(connection, NOW, NOW + timedelta(days=7)) == (quiet,)
    assert read_quiet(connection, NOW - timedelta(days=7), SINCE) == ()


def test_the_weekly_letter_says_that_a_zero_may_be_none(store: Store, tmp_path: Path) -> None:
    config = config_of(tmp_path, sources={"files": {"kind": "file", "path": "in"}}, instance={"language": "en"})
    with store.write() as connection:
        listen(connection, dead=SINCE)
        assert queue_silences(connection, config, NOW) == 1
        text = digest.render_text(digest.build(connection, config, "2026-W19", "nitido", "en", NOW))
        assert "«files» answers and has brought nothing new since" in text
        assert "Every source of the configuration was heard the whole week." not in text
        connection.execute(runs.insert().values(source="files", started_at=NOW, outcome="ok", new=1))
        queue_silences(connection, config, NOW)
        text = digest.render_text(digest.build(connection, config, "2026-W19", "nitido", "en", NOW))
    assert "«files» answered and brought nothing new from" in text


def test_removed_posts_are_a_line_of_the_honest_count(store: Store, tmp_path: Path) -> None:
    from stakeholders.erasure import erase
    from tests.stakeholders.newsroom import hear

    config = config_of(tmp_path, instance={"language": "en"})
    with store.write() as connection:
        hear(connection, "Nítido me cobró dos veces")
        hear(connection, "Nítido otra vez")
        before = digest.build(connection, config, "2026-W19", "nitido", "en", NOW)
        erase(connection, "x", ["1"], "deleted", NOW)
        after = digest.build(connection, config, "2026-W19", "nitido", "en", NOW)
    assert (before.figures.honest.removed, before.figures.honest.mentions) == (0, 2)
    assert (after.figures.honest.removed, after.figures.honest.mentions) == (1, 1)
    assert after.figures.honest.reconciles()
    assert "Posts removed" not in digest.render_text(before)
    assert "Posts removed this week: 1" in digest.render_text(after)
