"""Build a synthetic archive of one year: posts, mentions, verdicts, decisions, cases and runs, past every stage.

A larger archive is a denser one: the same year, brands and sources, more posts in every hour. Cases that wait stay few
at any size, as in an inbox that people work off. Every month has a loud day, of which most is collected late.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sentiment.store  # noqa: F401 - hangs its tables on the metadata
import stakeholders.store  # noqa: F401 - hangs its tables on the metadata
from listener.database import Store, metadata
from listener.query.caseindex import index_cases
from listener.query.listed import fill_listed, fill_places
from listener.query.words import words_of
from listener.spoken import fill as fill_spoken
from listener.sums import habit
from listener.sums.rollup import keep_days, recount
from listener.taxonomy import DEPARTMENTS, DIMENSIONS, INTENTS, STAKEHOLDERS

__all__ = ["BODIES", "BRANDS", "LIMA", "NOW", "SOURCES", "Archive", "build", "insert", "rows_of"]

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
YEAR = timedelta(days=365)
BRANDS = ("nitido", "brisatel", "ondavia")
SOURCES = ("x", "news", "facebook", "youtube", "reddit", "play")
_OPEN = 300  # cases that wait
_CHUNK = 20_000
_ORDER = (
    "author", "post", "post_words", "mention", "verdict", "decision", "cases", "case_mention", "event", "alert", "run",
    "quarantine", "tombstone",
)  # fmt: skip
BODIES = tuple(f"Medio {n}" for n in range(1, 41))  # press and institutions that a registry knows
LIMA = ZoneInfo("America/Lima")
_LOUD = timedelta(days=29)  # from one loud day to the next
_NAMED = frozenset({"press", "regulator", "government", "consumer_association", "lawmaker"})
_SYLLABLES = ("se", "ñal", "ma", "ri", "to", "ca", "lle", "po", "ver", "na", "lu", "den", "go", "cla", "fi", "mes")

Rows = dict[str, list[tuple[Any, ...]]]


@dataclass
class Archive:
    """Draw the rows of an archive of `size` mentions; the same seed gives the same rows."""

    size: int
    seed: int = 20261122
    words: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        draw = random.Random(self.seed)
        self.words = ["".join(draw.choices(_SYLLABLES, k=draw.randint(2, 4))) for _ in range(4_000)]

    def batches(self) -> Iterator[Rows]:
        """Give the rows by table, in batches that can be written one after another."""
        draw = random.Random(self.seed + 1)
        authors = max(100, self.size // 15)
        people = [(n, "x", f"a{n}", f"u{n}", f"Persona {n}", n * 7 % 90_000) for n in range(1, authors + 1)]
        aside = [(n, "x", f"p{n}", "unreadable", "{}", f"d{n}", NOW - YEAR * draw.random()) for n in range(1, 2_001)]
        gone = [(f"t{n}", "x", "deleted", NOW - YEAR * draw.random()) for n in range(1, self.size // 100)]
        yield {"author": people, "run": list(self._runs()), "quarantine": aside, "tombstone": gone}
        step = YEAR / self.size
        recent: list[tuple[int, str]] = []
        case_id = 0
        for start in range(1, self.size + 1, _CHUNK):
            rows: Rows = {name: [] for name in _ORDER}
            for n in range(start, min(start + _CHUNK, self.size + 1)):
                at = collected = NOW - YEAR + step * n
                if draw.random() < 0.04:  # said on the last loud day, and heard of later
                    loud = NOW - YEAR + _LOUD * ((at - NOW + YEAR) // _LOUD)
                    at = min(at, loud + timedelta(hours=14) * draw.random())
                copied = recent and draw.random() < 0.15
                cluster, text = draw.choice(recent) if copied else (n, " ".join(draw.choices(self.words, k=18)))
                if not copied:
                    recent = [*recent[-49:], (n, text)]
                self._mention(draw, rows, n, at, collected, draw.randint(1, authors), cluster, text)
                if draw.random() < 0.01:
                    case_id += 1
                    self._case(
                        draw, rows, case_id, n, collected, waits=draw.random() < min(0.3, 100 * _OPEN / self.size)
                    )
                elif case_id and draw.random() < 0.03:
                    rows["case_mention"].append((n, max(1, case_id - draw.randint(0, 5)), "repeat"))
            yield rows

    def _mention(
        self,
        draw: random.Random,
        rows: Rows,
        n: int,
        at: datetime,
        collected: datetime,
        author: int,
        cluster: int,
        text: str,
    ) -> None:
        brand = BRANDS[int(draw.random() ** 1.5 * 3)]  # our own is spoken of most
        kind = "own" if brand == BRANDS[0] else "competitor"
        source = SOURCES[int(draw.random() ** 2 * len(SOURCES))]
        hour = int(at.timestamp() // 3600)
        text = f"{brand} {text}"
        rows["post"].append(
            (
                n,
                source,
                f"n{n}",
                f"https://{source}.example/{n}",
                text,
                "es",
                "PE",
                author,
                at,
                collected,
                "{}",
                cluster,
            )
        )
        rows["post_words"].append((n, text))
        rows["mention"].append((n, n, brand, kind, f'[[0,{len(brand)},"{brand}"]]', source, at, hour))
        if draw.random() < 0.005:
            return  # waits for a judge
        relevant, by = draw.random() < 0.93, "person" if draw.random() < 0.01 else "model"
        mood = draw.choices(("negative", "neutral", "positive"), (5, 3, 2))[0]
        why = [{"sentence": "the words {quote_words}", "facts": {"quote_words": text[:40]}}]
        told = {"relevant": "true", "sentiment": mood, "dimension": "governance", "intent": "other"}
        detail = json.dumps({head: {"is": one, "confidence": 0.8, "because": why} for head, one in told.items()})
        dimension, intent, unsure = draw.choice(DIMENSIONS), draw.choice(INTENTS), draw.random() < 0.2
        rows["verdict"].append((n, n, True, by, "bench", at, relevant, mood, dimension, intent, unsure, detail))
        if relevant:
            who = STAKEHOLDERS[int(draw.random() ** 3 * len(STAKEHOLDERS))]
            where = draw.choice(DEPARTMENTS)
            entry = BODIES[int(draw.random() ** 2 * len(BODIES))] if who in _NAMED and draw.random() < 0.5 else None
            speaker = json.dumps(
                {"speaker": {"is": who, "confidence": 0.9, "because": []}, "entry": entry, "because": []},
                separators=(",", ":"),
            )
            rows["decision"].append((n, n, at, brand, kind, hour, who, entry, "routine", where, "matrix", speaker))

    def _case(self, draw: random.Random, rows: Rows, case_id: int, n: int, at: datetime, *, waits: bool) -> None:
        rank = draw.choices((0, 1, 2), (1, 6, 3))[0]
        priority, late = ("alert", "important", "routine")[rank], timedelta(minutes=draw.randint(5, 900))
        waits = waits or at > NOW - timedelta(hours=12)
        told = None if waits else at + late
        status = "new" if waits else "answered" if draw.random() < 0.6 else "closed"
        due = at + timedelta(hours=(1, 8, 24)[rank]) if rank < 2 else None
        brand = rows["mention"][-1][2]
        rows["cases"].append(
            (case_id, f"mention:{n}", brand, draw.choice(DEPARTMENTS), "[]", priority, rank,
             draw.choice(STAKEHOLDERS), status, at, due, told, told if status == "answered" else None,
             told if status == "closed" else None, 1, "case", 0)
        )  # fmt: skip
        rows["case_mention"].append((n, case_id, "opened"))
        for place, what in enumerate(("opened", "told", "acknowledged")):
            rows["event"].append((case_id * 3 + place, case_id, at, "escucha", what))
        letter = (case_id, f"a{case_id}", "case", case_id, "mail", "team@example.org", "sales", "{}")
        rows["alert"].append((*letter, "sent", 1, at, at, at, 0))

    def _runs(self) -> Iterator[tuple[Any, ...]]:
        at, number = NOW - YEAR, 0
        while at < NOW:
            for source in SOURCES:
                number += 1
                yield (number, source, at, at, "ok", 20, 5, 3, 0)
            at += timedelta(minutes=30)


_COLUMNS = {
    "author": "id source key handle name followers",
    "post": "id source native_id url text lang country author_id published_at collected_at raw cluster",
    "mention": "id post_id brand kind terms source published_at hour",
    "verdict": "id mention_id current by engine at relevant sentiment dimension intent unsure detail",
    "decision": "id mention_id at brand kind hour stakeholder entry priority department rule detail",
    "cases": "id key brand department copies priority rank stakeholder status opened_at due_at acknowledged_at "
    "answered_at closed_at version kind escalated",
    "case_mention": "mention_id case_id how",
    "event": "id case_id at who what",
    "alert": "id key kind case_id channel recipient department reason state tries next_try created_at sent_at level",
    "quarantine": "id source position reason body digest at",
    "tombstone": "digest source why at",
    "run": "id source started_at finished_at outcome posts new mentions rejected",
}


def rows_of(rows: Iterable[tuple[Any, ...]], dialect: str) -> list[tuple[Any, ...]]:
    """Give rows as the driver takes them: times as SQLAlchemy writes them into SQLite, as they are for PostgreSQL."""
    if dialect != "sqlite":
        return list(rows)
    return [tuple(f"{one:%Y-%m-%d %H:%M:%S.%f}" if isinstance(one, datetime) else one for one in row) for row in rows]


def insert(connection: Any, name: str, rows: Sequence[tuple[Any, ...]], dialect: str) -> None:
    """Write rows of one table through the bare driver: executemany on sqlite3, COPY on psycopg."""
    if name == "post_words":
        _insert_words(connection, rows, dialect)
        return
    columns = _COLUMNS[name].split()
    assert set(columns) <= set(metadata.tables[name].c.keys())
    names = ", ".join(f'"{column}"' for column in columns)
    if dialect == "sqlite":
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO {name} ({names}) VALUES ({marks})", rows_of(rows, dialect))
        return
    with connection.cursor() as cursor, cursor.copy(f"COPY {name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _insert_words(connection: Any, rows: Sequence[tuple[Any, ...]], dialect: str) -> None:
    cut = [(n, words_of(text)) for n, text in rows]
    if dialect == "sqlite":
        told = [(n, f" {' '.join(words)} ") for n, words in cut]
        connection.executemany("INSERT INTO post_words (rowid, words) VALUES (?, ?)", told)
        return
    with connection.cursor() as cursor, cursor.copy("COPY post_words (post_id, words, lexemes) FROM STDIN") as copy:
        for n, words in cut:
            copy.write_row((n, f" {' '.join(words)} ", " ".join(f"'{word}'" for word in dict.fromkeys(words))))


def build(url: str, size: int, told: Callable[[int], None] = lambda _: None) -> Store:
    """Make the tables at an empty database and fill them with `size` mentions; nothing waits for the disk.

    `told` is called with the mentions written so far. Sums are counted once at the end, not row by row.
    """
    store = Store(url, durable=False)
    store.migrate()
    dialect = store.engine.dialect.name
    with store.engine.connect() as held:
        bare = held.connection.dbapi_connection
        assert bare is not None
        kept = (
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' "
            "AND (name LIKE 'rollup_%' OR name LIKE 'run_%' OR name LIKE 'listed_%' "
            "OR name LIKE 'spoken_%')"
        )
        triggers = held.exec_driver_sql(kept).all() if dialect == "sqlite" else ()
        if dialect == "sqlite":
            held.exec_driver_sql("PRAGMA cache_size = -262144")
            held.exec_driver_sql("PRAGMA wal_autocheckpoint = 20000")
        for name, _ in triggers:
            held.exec_driver_sql(f"DROP TRIGGER {name}")
        if dialect != "sqlite":
            held.exec_driver_sql("SET session_replication_role = replica")
        held.commit()
        written = 0
        for batch in Archive(size).batches():
            if dialect == "sqlite":
                held.begin()
            for name in _ORDER:
                if batch.get(name):
                    insert(bare, name, batch[name], dialect)
            held.commit()  # a batch a commit: the log of a whole archive would take as much disk again
            written += len(batch.get("post", ()))
            told(written)
        fill_places(held)  # while the triggers that would carry it on rest
        for _, sql in triggers:
            held.exec_driver_sql(sql)
        if dialect != "sqlite":
            held.exec_driver_sql("SET session_replication_role = DEFAULT")
            # What was appended by hand carries its own numbers; the next of the program must come after them.
            for name in _COLUMNS:
                if _COLUMNS[name].startswith("id "):
                    held.exec_driver_sql(
                        f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
                    )
        index_cases(held)  # on PostgreSQL its trigger rested
        fill_listed(held)
        fill_spoken(held)
        recount(held)
        keep_days(held, LIMA)
        habit.recount(held)
        held.commit()
    with store.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as apart:
        apart.exec_driver_sql("ANALYZE" if dialect == "sqlite" else "VACUUM ANALYZE")
    return store
