"""Replay the synthetic corpus through the real pipeline, day by day, on a clock that runs fast."""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from listener.config import Config, load
from listener.database import Store
from listener.demo import POSTS, REGISTRY
from listener.demo.people import Crew
from listener.demo.sink import Sink
from listener.errors import EscuchaError
from listener.pipeline import Flow

__all__ = ["Ready", "adopt_port", "prepare", "read_corpus", "ready", "replay", "shift"]

STEP = timedelta(hours=2)  # the clock's stride where nothing is said
BUSY = timedelta(minutes=20)  # and where much is said
MARK = "ready.json"
BROKEN = 1100  # the post before which a broken line stands


@dataclass(frozen=True, slots=True)
class Ready:
    """Say what a finished replay holds."""

    day: str
    posts: int
    mentions: int
    cases: int
    mails: int


def ready(folder: Path, today: date) -> Ready | None:
    """Read what an earlier replay of the same day left; None when it must run again."""
    try:
        mark = Ready(**json.loads((folder / MARK).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return mark if mark.day == today.isoformat() else None


def shift(rows: Iterator[dict[str, Any]], today: date, zone: ZoneInfo) -> list[tuple[datetime, dict[str, Any]]]:
    """Turn the corpus's day offsets into dates that end today; give (moment, post-file object), oldest first."""
    shifted = []
    for row in rows:
        hour, minute = (int(part) for part in row.pop("time").split(":"))
        local = datetime.combine(today + timedelta(days=row.pop("day")), time(hour, minute), zone)
        row["native_id"] = row["id"]
        row["published_at"] = local.isoformat()
        shifted.append((local.astimezone(UTC), row))
    return sorted(shifted, key=lambda pair: (pair[0], pair[1]["id"]))


def read_corpus() -> Iterator[dict[str, Any]]:
    """Read the synthetic posts that ship with Escucha."""
    with POSTS.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def prepare(folder: Path, port: int, platforms: list[str]) -> Config:
    """Write the demo's config.toml from the one that ships: file sources for each platform, the local mail server."""
    beside = Path(__file__).parents[2] / "config.toml"
    text = (beside if beside.exists() else Path(str(resources.files("listener"))) / "config.toml").read_text("utf-8")
    start, end = text.index("[sources.files]"), text.index("[sources.news]")
    tables = "".join(
        f'[sources.demo-{name}]\nkind = "file"\nevery = "5 minutes"\npath = "data/posts/{name}.jsonl"\n\n'
        for name in platforms
    )
    text = text[:start] + tables + text[end:]
    for old, new in (("port = 1025", f"port = {port}"), ("files = []", f'files = ["{REGISTRY.name}"]')):
        if text.count(old) != 1:
            raise EscuchaError(f"config.toml no longer says '{old}' once: the demo cannot adapt it")
        text = text.replace(old, new)
    text = text.replace("[alerts]\n", "[alerts]\ngrouping = false\n", 1)  # ninety days pass in half a minute: no waits
    tomllib.loads(text)
    (folder / "data" / "posts").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(REGISTRY, folder / REGISTRY.name)
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, {name: value for name, value in os.environ.items() if name == "ESCUCHA_PORT"})


def adopt_port(folder: Path, port: int) -> None:
    """Point an earlier replay's configuration at the mail server of this start."""
    path = folder / "config.toml"
    text = path.read_text("utf-8")
    path.write_text(re.sub(r"(?m)(^\[mail\]\n(?:.*\n)*?port = )\d+", rf"\g<1>{port}", text, count=1), "utf-8")


def _beats(posts: list[tuple[datetime, dict[str, Any]]], now: datetime) -> Iterator[datetime]:
    """Give the moments at which the fast clock beats: often where posts are dense, else every two hours."""
    beat = posts[0][0].replace(minute=0, second=0, microsecond=0)
    place = 0
    while beat < now:
        ahead = place
        while ahead < len(posts) and posts[ahead][0] <= beat + STEP:
            ahead += 1
        beat = min(beat + (BUSY if ahead - place > 6 else STEP), now)
        while place < len(posts) and posts[place][0] <= beat:
            place += 1
        yield beat


def replay(folder: Path, now: datetime, sink: Sink, progress: Callable[[int, int], None]) -> Ready:
    """Run the whole flow over ninety days that end at `now`; `progress(done, all)` counts posts."""
    shutil.rmtree(folder / "data", ignore_errors=True)
    zone = ZoneInfo("America/Lima")
    today = now.astimezone(zone).date()
    posts = [pair for pair in shift(read_corpus(), today, zone) if pair[0] <= now]
    platforms = sorted({row["source"] for _, row in posts})
    config = prepare(folder, sink.port, platforms)
    store = Store(config.store_url, durable=False)  # a replay that is cut short starts again from nothing
    store.migrate()
    flow = Flow(config, store)
    crew = Crew(config, flow.desk, {row["id"]: row["labels"] for _, row in posts}, now)
    written = 0
    files = {name: (folder / "data" / "posts" / f"{name}.jsonl").open("w", encoding="utf-8") for name in platforms}
    try:
        for beat in _beats(posts, now):
            touched = set()
            while written < len(posts) and posts[written][0] <= beat:
                row = {key: part for key, part in posts[written][1].items() if key != "labels"}
                line = json.dumps(row, ensure_ascii=False)
                if written == BROKEN:  # a line that was cut off, so that the Sources page has something to show
                    files[row["source"]].write(line[: len(line) // 2] + "\n")
                files[row["source"]].write(line + "\n")
                touched.add(row["source"])
                written += 1
            for name in platforms:
                files[name].flush()
                # Every source is asked twice a day even when it has nothing new: silence is not a gap.
                if name in touched or beat.hour % 12 == 0:
                    flow.collect(f"demo-{name}", beat)
            flow.cycle(beat)
            with store.read() as connection:
                crew.plan(connection)
            crew.act(store, beat)
            progress(written, len(posts))
    finally:
        for file in files.values():
            file.close()
        store.close()
    return _finish(folder, config, today)


def _finish(folder: Path, config: Config, today: date) -> Ready:
    import sqlalchemy as sa

    from listener.store import mentions
    from listener.store import posts as stored
    from stakeholders.store import cases

    store = Store(config.store_url)
    with store.write() as connection:

        def count(table: sa.Table) -> int:
            return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0

        mails = len(list((folder / "inbox").glob("*.eml")))
        mark = Ready(today.isoformat(), count(stored), count(mentions), count(cases), mails)
    store.close()
    (folder / MARK).write_text(json.dumps({name: getattr(mark, name) for name in Ready.__slots__}), "utf-8")
    return mark
