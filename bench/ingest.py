"""Measure how fast pages of posts are stored with full-text index and hourly sums, against bare executemany on sqlite3.

Both write the same pages of 500 posts with one mention each, a commit a page, into files with the same tables, indexes
and settings; the bare side knows no post twice, cuts no words and keeps no sums. Interleaved, so that a busy machine
slows both.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from bench.archive import NOW, Archive
from listener.database import Store
from listener.intake import save_page
from listener.mention import Author, Mention, Post, Term

__all__ = ["main"]

_PAGE = 500
_BARE = (
    ("author", "id, source, key, handle, name", 5),
    ("post", "id, source, native_id, url, text, lang, author_id, published_at, collected_at, raw", 10),
    ("mention", "id, post_id, brand, kind, terms, source, published_at, hour", 8),
)


def _pages(count: int) -> list[list[Post]]:
    """Make pages of posts by many people, published over a day."""
    words, start = Archive(1_000).words, NOW.astimezone(UTC) - timedelta(days=1)
    pages: list[list[Post]] = [[] for _ in range(count)]
    for n in range(count * _PAGE):
        text = " ".join(words[(n * 31 + step * step * 7) % len(words)] for step in range(18))
        at = start + timedelta(seconds=n * 86_400 / (count * _PAGE))
        author = Author(handle=f"u{n % 3_000}", name=f"Persona {n % 3_000}")
        address = f"https://x.example/{n}"
        pages[n // _PAGE].append(Post("x", f"n{n}", f"nitido {text}", at, author, url=address, lang="es"))
    return pages


def _write(store: Store, page: Sequence[Post]) -> None:
    heard = [Mention(post, "nitido", "own", (Term(0, 6, "nitido"),)) for post in page]
    with store.write() as connection:
        save_page(connection, "x", page, heard, [], "cursor", NOW)


def _write_bare(connection: sqlite3.Connection, page: Sequence[Post]) -> None:
    rows: tuple[list[tuple[object, ...]], ...] = ([], [], [])
    for post in page:
        n = int(post.native_id[1:]) + 1
        at, hour = _written(post.published_at), int(post.published_at.timestamp() // 3600)
        if n <= 3_000:
            rows[0].append((n, "x", post.author.handle, post.author.handle, post.author.name))
        author = (n - 1) % 3_000 + 1
        rows[1].append((n, "x", post.native_id, post.url, post.text, post.lang, author, at, _written(NOW), "{}"))
        rows[2].append((n, n, "nitido", "own", '[[0,6,"nitido"]]', "x", at, hour))
    connection.execute("BEGIN IMMEDIATE")
    for (table, names, width), lines in zip(_BARE, rows, strict=True):
        connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * width)})", lines)
    connection.execute("COMMIT")


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"


def _bare(path: Path) -> sqlite3.Connection:
    store = Store(f"sqlite:///{path}")
    store.migrate()
    store.close()
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {name}")
    return connection


def main(count: int = 20) -> None:
    """Print posts a second of both and their ratio."""
    turns: dict[str, list[float]] = {"full": [], "bare": []}
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{folder}/full.db")
        store.migrate()
        bare = _bare(Path(folder, "bare.db"))
        for page in _pages(count):
            began = time.perf_counter()
            _write(store, page)
            turns["full"].append(time.perf_counter() - began)
            began = time.perf_counter()
            _write_bare(bare, page)
            turns["bare"].append(time.perf_counter() - began)
        with store.read() as connection:
            for table in ("post", "mention", "author"):
                ours = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
                assert ours == bare.execute(f"SELECT count(*) FROM {table}").fetchone()[0], table
        store.close()
        bare.close()
    full, alone = median(turns["full"]), median(turns["bare"])
    row = {"bench": "ingest", "posts": count * _PAGE, "posts_per_s": round(_PAGE / full)}
    row |= {"alternative": "bare sqlite3 executemany, same tables and indexes, no full text, no sums"}
    row |= {"alternative_per_s": round(_PAGE / alone), "ratio": round(alone / full, 3), "goal": 0.35}
    print(json.dumps(row))


if __name__ == "__main__":
    main()
