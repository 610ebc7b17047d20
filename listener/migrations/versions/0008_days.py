"""Add sums by local day, habits and pauses of sources, indexes that figures read (listener/sums/)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from listener.sums import habit, rollup

__all__: list[str] = []

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# Only what a registry named for sure; its entry is null in all other rows.
_ENTRY = {
    "sqlite": "UPDATE decision SET entry = json_extract(detail, '$.entry') WHERE instr(detail, '\"entry\":\"') > 0 "
    "AND coalesce(json_extract(detail, '$.speaker.unsure'), 0) = 0",
    "postgresql": "UPDATE decision SET entry = CAST(detail AS json) ->> 'entry' "
    'WHERE strpos(detail, \'"entry":"\') > 0 '
    "AND coalesce(CAST(detail AS json) -> 'speaker' ->> 'unsure', 'false') = 'false'",
}


def upgrade() -> None:
    names = ("mentions", "negative", "neutral", "positive", "unsure")
    op.create_table(
        "rollup_day",
        sa.Column("facet", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in names),
        sa.PrimaryKeyConstraint("facet", "brand", "day", "name", name=op.f("pk_rollup_day")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup_zone",
        sa.Column("first_hour", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("first_hour", name=op.f("pk_rollup_zone")),
    )
    op.create_table(
        "run_habit",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("minutes", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "day", "since", "minutes", name=op.f("pk_run_habit")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "run_pause",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "ended_at", "started_at", name=op.f("pk_run_pause")),
        sqlite_with_rowid=False,
    )
    _index_some("ix_run_source_ok", "run", ["source", "started_at"], "outcome = 'ok'")
    _index_some("ix_alert_silent", "alert", ["created_at"], "kind = 'silent'")
    op.create_index("ix_cases_brand_opened_at", "cases", ["brand", "opened_at"], unique=False)
    op.create_index("ix_tombstone_at", "tombstone", ["at"], unique=False)
    op.create_index("ix_quarantine_at", "quarantine", ["at"], unique=False)
    op.add_column("decision", sa.Column("entry", sa.Text(), nullable=True))
    _index_some("ix_decision_brand_entry_hour", "decision", ["brand", "entry", "hour"], "entry IS NOT NULL")
    connection = op.get_bind()
    connection.exec_driver_sql(_ENTRY[connection.dialect.name])
    rollup.install(connection)
    habit.install(connection)


def _index_some(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)
