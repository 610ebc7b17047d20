"""Measure what the pages ask of the database, on archives of growing size: the time of each question and its growth.

Every question is asked through the functions that the pages call, each time about another week, brand, case or word.
`--large` builds 1 M and 10 M mentions, else 10 k and 100 k; SQLite in a temporary folder, or PostgreSQL with `--url`.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection

from bench.archive import BRANDS, NOW, Archive, build
from listener.config import Config, parse
from listener.database import Store
from listener.query import parse as parse_query
from listener.query.search import search
from listener.rollup import fold, recount, rollups
from listener.store import mentions, posts
from sentiment.store import verdicts
from stakeholders import insight
from stakeholders.dossier import case_mentions_of, history, read_case
from stakeholders.figures import gather
from stakeholders.inbox import NOBODY, Filters, count_facets, count_inbox, read_inbox
from stakeholders.period import Period, last_days, week_name
from stakeholders.spike import spikes
from stakeholders.store import cases, decisions

__all__ = ["differences", "main", "measure"]

LIMA = ZoneInfo("America/Lima")
_SMALL, _LARGE = (10_000, 100_000), (1_000_000, 10_000_000)
_LIMITS = {1_000_000: 10.0, 10_000_000: 25.0}  # ms at p95
_GROWTH = 2.0  # of the median, from the one size to the other

Question = Callable[[Connection, random.Random], object]


def _config(folder: Path) -> Config:
    table: dict[str, Any] = {
        "instance": {"name": "Escucha", "language": "es", "country": "PE", "timezone": "America/Lima"},
        "brands": {"nitido": {"name": "Nítido"}},
        "competitors": {"brisatel": {"name": "Brisatel"}, "ondavia": {"name": "Ondavía"}},
        "departments": {"communications": {"alert": ["mail:team@example.org"]}},
        "digest": {"to": ["mail:director@example.org"]},
    }
    return parse(table, folder, {})


def _questions(config: Config, archive: Archive, known: int) -> Mapping[str, Question]:
    """Give every question of a page by name."""

    def some(draw: random.Random, days: int) -> Period:
        return last_days(days, NOW - timedelta(days=draw.randrange(60)), LIMA)

    def brand(draw: random.Random) -> str:
        return draw.choice(BRANDS)

    def case(connection: Connection, draw: random.Random) -> object:
        one = draw.randint(1, known)
        return read_case(connection, one), history(connection, one), case_mentions_of(connection, one)

    def second_page(connection: Connection, draw: random.Random) -> object:
        after = read_inbox(connection, Filters(), NOW, limit=draw.randint(10, 60)).next
        return read_inbox(connection, Filters(), NOW, after)

    def digest(connection: Connection, draw: random.Random) -> object:
        day = (NOW - timedelta(days=7 * draw.randrange(1, 20))).date()
        return gather(connection, config, week_name(day), BRANDS[0], NOW)

    def found(connection: Connection, draw: random.Random, text: str) -> object:
        return search(connection, parse_query(text.format(*draw.sample(archive.words, 2))))

    asked: dict[str, Question] = {
        "inbox": lambda c, _: read_inbox(c, Filters(), NOW),
        "inbox of a department": lambda c, _: read_inbox(c, Filters(department=("legal_regulatory", "sales")), NOW),
        "inbox, second page": second_page,
        "inbox count": lambda c, _: count_inbox(c, Filters(), NOW),
        "inbox count, nobody's": lambda c, _: count_inbox(c, Filters(owner=NOBODY), NOW),
        "inbox count, overdue": lambda c, _: count_inbox(c, Filters(overdue=True), NOW),
        "inbox facets": lambda c, _: count_facets(c, Filters(), NOW),
        "inbox of answered": lambda c, _: read_inbox(c, Filters(status="answered"), NOW),
        "case": case,
        "search, one word": lambda c, d: found(c, d, "{0}"),
        "search, two words": lambda c, d: found(c, d, "{0} {1}"),
        "open now": lambda c, d: insight.open_now(c, brand(d), NOW),
        "needing cases": lambda c, d: insight.needing_cases(c, brand(d), NOW, 10),
        "digest": digest,
    }
    for days in (7, 30, 90):
        asked |= _figures(days, some, brand)
    return asked


def _figures(
    days: int, some: Callable[[random.Random, int], Period], brand: Callable[[random.Random], str]
) -> dict[str, Question]:
    asked: dict[str, Question] = {
        "volume by day": lambda c, d: insight.volume_by_day(c, some(d, days), BRANDS),
        "shares": lambda c, d: insight.shares(c, some(d, days)),
        "net sentiment": lambda c, d: insight.net_sentiment(c, some(d, days), brand(d)),
        "voices": lambda c, d: insight.voices(c, some(d, days), brand(d)),
        "dimensions": lambda c, d: insight.dimensions(c, some(d, days), brand(d)),
        "sources of": lambda c, d: insight.sources_of(c, some(d, days), brand(d)),
        "case counts": lambda c, d: insight.case_counts(c, some(d, days), brand(d), NOW),
        "response times": lambda c, d: insight.response_times(c, some(d, days), brand(d)),
        "top cases": lambda c, d: insight.top_cases(c, some(d, days), brand(d), 5, NOW),
        "honest counts": lambda c, d: insight.honest_counts(c, some(d, days), brand(d), NOW),
        "heard days": lambda c, d: insight.heard_days(c, some(d, days)),
        "gaps": lambda c, d: insight.gaps(c, some(d, days), NOW),
        "unusual days": lambda c, d: insight.unusual_days(c, some(d, days), brand(d)),
        "spikes": lambda c, d: spikes(c, some(d, days), brand(d)),
    }
    return {f"{name}, {days} days": question for name, question in asked.items()}


def measure(store: Store, config: Config, archive: Archive, calls: int, wait: float = 6.0) -> dict[str, dict[str, Any]]:
    """Ask every question `calls` times and give p50 and p95 in ms; a slow one for `wait` s, and at least 5 times."""
    told: dict[str, dict[str, Any]] = {}
    with store.read() as connection:
        known = connection.scalar(sa.select(sa.func.max(cases.c.id))) or 1
    for name, ask in _questions(config, archive, known).items():
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
    """Correct, route anew, take back and erase at random, then count how many kept sums are not what GROUP BY gives."""
    draw = random.Random(11)
    keys = sa.select(*rollups.c).where(rollups.c.mentions != 0)
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
        kept = set(map(tuple, connection.execute(keys)))
        recount(connection)
        return len(kept ^ set(map(tuple, connection.execute(keys))))


def _build(folder: str, url: str | None, size: int) -> Store:
    if url is None:
        return build(f"sqlite:///{folder}/{size}.db", size)
    return build(url.replace("SIZE", str(size)), size)


def main(arguments: list[str] | None = None) -> None:
    """Print for every size what each question takes, then the growth, and which limits are not met."""
    parser = argparse.ArgumentParser(prog="python -m bench pages", description=__doc__)
    parser.add_argument("--large", action="store_true", help="1 M and 10 M mentions instead of 10 k and 100 k")
    parser.add_argument("--sizes", type=int, nargs="+", help="sizes of your own")
    parser.add_argument("--url", help="empty databases to fill: postgresql://…/name_SIZE, one for each size")
    parser.add_argument("--folder", help="where SQLite files are made and removed; the system's temporary folder")
    asked = parser.parse_args(arguments or [])
    sizes = asked.sizes or (_LARGE if asked.large else _SMALL)
    calls, wait = 100, 6.0 if asked.large else 0.2
    told: dict[int, dict[str, dict[str, Any]]] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            began = time.perf_counter()
            store = _build(folder, asked.url, size)
            built = round(time.perf_counter() - began, 1)
            told[size] = measure(store, _config(Path(folder)), Archive(size), calls, wait)
            row: dict[str, Any] = {"bench": "pages", "database": store.engine.dialect.name, "mentions": size}
            row |= {"built_s": built, "load": round(os.getloadavg()[0], 1), "ms": told[size]}
            row["sums_unlike_group_by"] = differences(store)
            limit = _LIMITS.get(size)
            if limit is not None:
                row["over_the_limit"] = {n: one["p95"] for n, one in told[size].items() if one["p95"] > limit}
            print(json.dumps(row), flush=True)
            store.close()
            assert row["sums_unlike_group_by"] == 0
    if len(sizes) > 1:
        small, large = told[sizes[0]], told[sizes[-1]]
        growth = {name: round(large[name]["p50"] / max(small[name]["p50"], 0.01), 2) for name in small}
        row = {"bench": "pages", "from": sizes[0], "to": sizes[-1], "growth": growth}
        row["over_the_limit"] = {name: times for name, times in growth.items() if times > _GROWTH}
        print(json.dumps(row))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
