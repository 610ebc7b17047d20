"""Bring a database to the version of this program, on SQLite and PostgreSQL, by one Alembic history."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, text

from listener.errors import StoreError

__all__ = ["upgrade"]


def upgrade(engine: Engine) -> None:
    """Apply what is missing, in one transaction; a database of a newer program is refused, not touched."""
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            # Two processes that start together must not both create the tables.
            connection.execute(text("SELECT pg_advisory_xact_lock(20261121)"))
        current = MigrationContext.configure(connection).get_current_revision()
        if current == script.get_current_head():
            return
        if current is not None and current not in {one.revision for one in script.walk_revisions()}:
            raise StoreError(
                f"the database is of version {current}, which this program does not know; nothing was changed. "
                "Start the newer Escucha that wrote it, or name another database under [store] url"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
