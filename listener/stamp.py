"""Tell whether a database changed since it was last asked, so that what was read of it can be used again."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

__all__ = ["Watch"]

_SERIALS = itertools.count()


class Watch:
    """Watch one database; `read` gives another value whenever anything was committed to it, by whatever process.

    SQLite counts the commits of others for each connection (https://sqlite.org/pragma.html#pragma_data_version), so one
    connection is kept for nothing else. PostgreSQL's current snapshot names the transactions that are over: two equal
    ones see the same rows (https://www.postgresql.org/docs/current/functions-info.html, pg_current_snapshot).
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._line: Any = None
        self._serial = next(_SERIALS)

    def read(self) -> Hashable:
        """Give the stamp of what is committed now; read it before the rows that are kept under it.

        A database that does not answer has none: whoever reads it then is told why by the reading itself.
        """
        file = self._engine.url.database
        try:
            if self._engine.dialect.name == "postgresql":
                return self._snapshot()
            if file in (None, "", ":memory:"):
                return object()  # known to its own connections only: never taken for unchanged
            return self._count(Path(str(file)))
        except (OSError, self._engine.dialect.loaded_dbapi.Error):
            self.close()
            return object()

    def _count(self, file: Path) -> Hashable:
        with self._lock:
            if self._line is None:
                names, options = self._engine.dialect.create_connect_args(self._engine.url)
                options = {**options, "check_same_thread": False, "isolation_level": None}
                self._line = self._engine.dialect.connect(*names, **options)
                self._serial = next(_SERIALS)  # the counts of two connections cannot be compared
            found = file.stat()  # a file that was put aside, replaced or written over is not counted
            count = self._line.execute("PRAGMA data_version").fetchone()[0]
            return self._serial, count, found.st_ino, found.st_mtime_ns, found.st_size

    def _snapshot(self) -> Hashable:
        connection = self._engine.pool.connect()
        try:
            cursor = connection.cursor()
            cursor.execute("SELECT pg_current_snapshot()::text")
            row: Any = cursor.fetchone()
            cursor.close()
        finally:
            connection.close()
        return self._serial, row[0]

    def close(self) -> None:
        """Close the connection; the next reading opens another, whose stamps are all new."""
        with self._lock:
            if self._line is not None:
                self._line.close()
            self._line = None
