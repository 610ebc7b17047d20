"""Measure what the pages ask of the database, on archives of growing size: the time of each question and its growth.

Every question is asked through the functions that the pages call, each time about another week, brand, case or word.
`--large` builds 1 M and 10 M mentions, else 10 k and 100 k; SQLite in a temporary folder, or PostgreSQL with `--url`.
With `--keep` the archives stay in `--folder`, and the next run asks them again, brought to the newest tables first.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa

from bench.archive import NOW, SOURCES, Archive, build
from bench.figurequestions import figure_questions
from bench.listquestions import list_questions
from bench.postgres import running
from listener.config import Config, parse
from listener.database import Store
from listener.store import mentions, posts
from listener.sums.rollup import fold, recount, rollup_days, rollups
from sentiment.store import verdicts
from stakeholders.companies.peer import peers_of
from stakeholders.companies.recognition import recognise
from stakeholders.store import cases, decisions

__all__ = ["check_room", "differences", "main", "measure"]

_SMALL, _LARGE = (10_000, 100_000), (1_000_000, 10_000_000)
_LIMITS = {1_000_000: 10.0, 10_000_000: 25.0}  # ms at p95
_GROWTH = 2.0  # of the median, from the one size to the other
_BYTES = {"sqlite": 2_400, "postgresql": 2_900}  # a mention, with all that hangs on it


def _config(folder: Path) -> Config:
    table: dict[str, Any] = {
        "instance": {"name": "Escucha", "language": "es", "country": "PE", "timezone": "America/Lima"},
        "brands": {"nitido": {"name": "Nítido"}},
        "competitors": {"brisatel": {"name": "Brisatel"}, "ondavia": {"name": "Ondavía"}},
        "departments": {"communications": {"alert": ["mail:team@example.org"]}},
        "sources": {name: {"kind": "rss", "feeds": ["https://news.example/feed"]} for name in SOURCES},
        "digest": {"to": ["mail:director@example.org"]},
    }
    return parse(table, folder, {})


def measure(store: Store, config: Config, archive: Archive, calls: int, wait: float = 6.0) -> dict[str, dict[str, Any]]:
    """Ask every question `calls` times and give p50 and p95 in ms; a slow one for `wait` s, and at least 5 times."""
    told: dict[str, dict[str, Any]] = {}
    if recognise(store, peers_of(config.settings), NOW):  # the one stage that asks for a configuration
        with store.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as apart:
            tidy = "ANALYZE spoken" if store.engine.dialect.name == "sqlite" else "VACUUM ANALYZE spoken"
            apart.exec_driver_sql(tidy)
    with store.read() as connection:
        known = connection.scalar(sa.select(sa.func.max(cases.c.id))) or 1
    asked = {**figure_questions(config, archive, known), **list_questions(config, archive, known)}
    for name, ask in asked.items():
        draw, began = random.Random(7), time.perf_counter()
        took: list[float] = []
        with store.read() as connection:
            for _ in range(3):
                ask(connection, draw)
            while len(took) < calls and (len(took) < 5 or time.perf_counter() - began < wait):
                start = time.perf_counter()
                ask(connection, draw)
                took.append((time.perf_counter() - start) * 1000)
        took.sort()
        told[name] = {"p50": round(median(took), 2), "p95": round(took[int(len(took) * 0.95)], 2), "n": len(took)}
    return told


def differences(store: Store, changes: int = 300) -> int:
    """Correct, route anew, take back and erase at random, and count how many kept sums are not what GROUP BY gives.

    Nothing of it stays: the archive is afterwards what it was.
    """
    draw = random.Random(11)
    every = [sa.select(*table.c).where(table.c.mentions != 0) for table in (rollups, rollup_days)]
    with store.write() as connection:
        last = connection.scalar(sa.select(sa.func.max(mentions.c.id))) or 1
        for _ in range(changes):
            one = draw.randint(1, last)
            mine = sa.and_(verdicts.c.mention_id == one, verdicts.c.current)
            mood = draw.choice(("negative", "neutral", "positive"))
            kind = draw.randrange(4)
            if kind == 0:
                connection.execute(verdicts.update().where(mine).values(sentiment=mood, relevant=draw.random() < 0.8))
            elif kind == 1:
                connection.execute(verdicts.update().where(mine).values(current=False))
            elif kind == 2:
                routed = decisions.update().where(decisions.c.mention_id == one)
                connection.execute(routed.values(stakeholder=draw.choice(("press", "customer"))))
            else:
                connection.execute(posts.delete().where(posts.c.id == one))
        fold(connection)
        kept = [set(map(tuple, connection.execute(query))) for query in every]
        recount(connection)
        counted = [set(map(tuple, connection.execute(query))) for query in every]
        connection.rollback()
    return sum(len(known ^ rows) for known, rows in zip(kept, counted, strict=True))


def _needs(size: int, dialect: str) -> int:
    """Give the bytes that an archive takes while it is built, with its log and sorting."""
    return size * _BYTES[dialect] + 500_000_000


def check_room(folder: Path, sizes: Sequence[int], dialect: str) -> None:
    """Say how much disk the largest archive takes; exit with a sentence where there is less."""
    needed, free = max(_needs(size, dialect) for size in sizes), shutil.disk_usage(folder).free
    told = (
        f"{needed / 1e9:.1f} GB of disk under {folder} for {dialect}, one archive at a time; {free / 1e9:.1f} GB free"
    )
    if free < needed:
        raise SystemExit(f"bench pages: not enough room: it takes {told}. Name another disk with --folder.")
    print(f"bench pages: takes {told}", file=sys.stderr, flush=True)


@contextmanager
def _built(url: str, size: int, mark: Path) -> Iterator[Store]:
    """Give the archive that the mark tells to be there, or build it and then set the mark."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    if mark.exists():
        store = Store(url, durable=False)
        store.migrate()
    else:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(f"{sa.make_url(url).get_backend_name()}, {size:,} mentions", total=size)
            store = build(url, size, lambda done: progress.update(task, completed=done))
        mark.touch()
    yield store
    store.close()


def _run(url: str, size: int, folder: Path, calls: int, wait: float) -> dict[str, dict[str, Any]]:
    """Build one archive, ask it everything, hold its sums against the rows, and print the row."""
    config, began = _config(folder), time.perf_counter()
    with _built(url, size, folder / "built") as store:
        built = round(time.perf_counter() - began, 1)
        told = measure(store, config, Archive(size), calls, wait)
        row: dict[str, Any] = {"bench": "pages", "database": store.engine.dialect.name, "mentions": size}
        row |= {"built_s": built, "load": round(os.getloadavg()[0], 1), "ms": told}
        row["sums_unlike_group_by"] = differences(store)
    limit = _LIMITS.get(size)
    if limit is not None:
        row["over_the_limit"] = {name: one["p95"] for name, one in told.items() if one["p95"] > limit}
    print(json.dumps(row), flush=True)
    assert row["sums_unlike_group_by"] == 0
    return told


def _grown(dialect: str, sizes: Sequence[int], told: Mapping[int, Mapping[str, Mapping[str, Any]]]) -> None:
    small, large = told[sizes[0]], told[sizes[-1]]
    growth = {name: round(large[name]["p50"] / max(small[name]["p50"], 0.01), 2) for name in small}
    row: dict[str, Any] = {"bench": "pages", "database": dialect, "from": sizes[0], "to": sizes[-1], "growth": growth}
    row["over_the_limit"] = {name: times for name, times in growth.items() if times > _GROWTH}
    print(json.dumps(row), flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Print for every size what each question takes, then the growth, and which limits are not met."""
    parser = argparse.ArgumentParser(prog="python -m bench pages", description=__doc__)
    parser.add_argument("--large", action="store_true", help="1 M and 10 M mentions instead of 10 k and 100 k")
    parser.add_argument("--sizes", type=int, nargs="+", help="sizes of your own")
    parser.add_argument("--postgresql", action="store_true", help="start a PostgreSQL from the wheel of the tests")
    parser.add_argument("--url", help="empty databases to fill: postgresql://…/name_SIZE, one for each size")
    parser.add_argument("--folder", help="where the archives are made and removed; the system's temporary folder")
    parser.add_argument(
        "--keep", action="store_true", help="leave the archives in --folder and use those that are there"
    )
    parser.add_argument("--calls", type=int, default=100, help="how often each question is asked at most; 100")
    asked = parser.parse_args(arguments or [])
    if asked.keep and (asked.url or not asked.folder):
        parser.error("--keep needs --folder, and is not for databases of your own (--url)")
    sizes = tuple(asked.sizes or (_LARGE if asked.large else _SMALL))
    wait = 6.0 if asked.large else 0.2
    dialect = "postgresql" if asked.postgresql or asked.url else "sqlite"
    missing = [size for size in sizes if not (asked.keep and (_place(asked.folder, dialect, size) / "built").exists())]
    if missing and not asked.url:
        check_room(Path(asked.folder or tempfile.gettempdir()), missing, dialect)
    told: dict[int, dict[str, dict[str, Any]]] = {}
    for size in sizes:
        with ExitStack() as held:
            if asked.keep:
                folder = _place(asked.folder, dialect, size)
                folder.mkdir(parents=True, exist_ok=True)
            else:
                folder = Path(held.enter_context(tempfile.TemporaryDirectory(dir=asked.folder)))
            url = f"sqlite:///{folder}/archive.db"
            if asked.url:
                url = asked.url.replace("SIZE", str(size))
            elif asked.postgresql:
                url = held.enter_context(running(folder))
            told[size] = _run(url, size, folder, asked.calls, wait)
    if len(sizes) > 1:
        _grown(dialect, sizes, told)


def _place(folder: str, dialect: str, size: int) -> Path:
    return Path(folder) / f"{dialect}_{size}"


if __name__ == "__main__":
    main(sys.argv[1:])
