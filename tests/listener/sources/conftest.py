"""Give the tests of sources a store and a way to collect into it as the flow does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.database import Store
from listener.errors import SourceError
from listener.fetch import Egress
from listener.intake import save_page
from listener.mention import Brand, Page
from listener.store import posts, quarantine, read_cursor
from tests.blank import open_blank

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LOCAL = Egress(frozenset({"127.0.0.1"}), frozenset({"127.0.0.1"}))
BRANDS = (Brand("nitido", "Nítido", names=("Nítido", "Nitido Móvil"), handles=("NitidoPE",), hashtags=("nitido",)),)


@pytest.fixture
def local() -> Egress:
    return LOCAL


@pytest.fixture
def brands() -> tuple[Brand, ...]:
    return BRANDS


@pytest.fixture
def plain_store(tmp_path: Path) -> Iterator[Store]:
    opened = open_blank(f"sqlite:///{tmp_path}/posts.db")
    yield opened
    opened.close()


class Collector:
    """Collect a source into a store page by page; keep what it raised."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.error: SourceError | None = None
        self.pages: list[Page] = []

    def __call__(self, source: Any, brands: Sequence[Brand] = BRANDS) -> int:
        self.error, self.pages = None, []
        with self.store.read() as connection:
            cursor = read_cursor(connection, source.name)
        new = 0
        try:
            for page in source.collect(brands, cursor):
                self.pages.append(page)
                with self.store.write() as connection:
                    new += save_page(connection, source.name, page.posts, [], page.rejected, page.cursor, NOW).new
        except SourceError as error:
            self.error = error
        return new

    def cursor(self, name: str) -> str | None:
        with self.store.read() as connection:
            return read_cursor(connection, name)

    def ids(self) -> list[str]:
        with self.store.read() as connection:
            return list(connection.scalars(sa.select(posts.c.native_id).order_by(posts.c.native_id)))

    def texts(self) -> list[str]:
        with self.store.read() as connection:
            return list(connection.scalars(sa.select(posts.c.text).order_by(posts.c.id)))

    def rejected(self) -> list[tuple[str, str]]:
        with self.store.read() as connection:
            rows = connection.execute(sa.select(quarantine.c.position, quarantine.c.reason).order_by(quarantine.c.id))
            return [(row.position, row.reason) for row in rows]


@pytest.fixture
def collect(plain_store: Store) -> Collector:
    return Collector(plain_store)


@pytest.fixture
def clock() -> Callable[[], datetime]:
    return lambda: NOW
