"""Give migrated, empty SQLite stores: tables are made once a process, and every store begins as a copy of them."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from listener.database import Store

__all__ = ["open_blank"]


class _Folder:
    """Hold a folder that goes with the process."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="escucha-blank-"))
        weakref.finalize(self, shutil.rmtree, self.path, True)


@cache
def _folder() -> _Folder:
    folder = _Folder()
    store = Store(f"sqlite:///{folder.path}/blank.db", durable=False)
    store.migrate()
    store.close()  # the last to close writes the log into the file
    return folder


def open_blank(url: str) -> Store:
    """Open a store as `Store(url)` and `migrate()` leave it; where SQLite has no file yet, by a copy."""
    made = sa.make_url(url)
    if made.get_backend_name() == "sqlite" and made.database and not (path := Path(made.database)).exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_folder().path / "blank.db", path)
        return Store(url)
    store = Store(url)
    store.migrate()
    return store
