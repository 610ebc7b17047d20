"""Keep with each case how long it took and how it stands, as columns that the database itself computes, in an index.

The medians of a period are of times that cannot be added up, so every case of it must be read: from an index that holds
all that is asked, not from the rows (stakeholders/counting/pace.py).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__: list[str] = []

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_ENDS = (
    "CASE WHEN status = 'dismissed' THEN 'd' WHEN status = 'closed' AND answered_at IS NULL THEN 'c' ELSE 'o' END || "
    "CASE WHEN due_at IS NULL THEN 'N' WHEN answered_at IS NULL THEN 'W' WHEN answered_at <= due_at THEN 'K' "
    "ELSE 'L' END"
)
# SQLite keeps a moment as "2026-11-22 10:51:45.123456"; virtual there, for it can add no stored column to a table
_TOOK = {
    "sqlite": "(strftime('%s', {0}) - strftime('%s', opened_at)) * 1000000 "
    "+ CAST(substr({0}, 21, 6) AS INTEGER) - CAST(substr(opened_at, 21, 6) AS INTEGER)",
    "postgresql": "CAST(EXTRACT(epoch FROM {0} - opened_at) * 1000000 AS BIGINT)",
}
_QUARTER = {
    "sqlite": "strftime('%s', opened_at) / 900",
    "postgresql": "CAST(floor(EXTRACT(epoch FROM opened_at AT TIME ZONE 'UTC') / 900) AS BIGINT)",
}


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    kept = "VIRTUAL" if dialect == "sqlite" else "STORED"
    for name, kind, formula in (
        ("opened_quarter", "BIGINT", _QUARTER[dialect]),
        ("acknowledge_took", "BIGINT", _TOOK[dialect].format("acknowledged_at")),
        ("answer_took", "BIGINT", _TOOK[dialect].format("answered_at")),
        ("ends", "TEXT", _ENDS),
    ):
        op.execute(f"ALTER TABLE cases ADD COLUMN {name} {kind} GENERATED ALWAYS AS ({formula}) {kept}")
    mine = sa.text("merged_into IS NULL AND opened_quarter IS NOT NULL")
    columns = ["brand", "department", "opened_at", "opened_quarter", "acknowledge_took", "answer_took", "ends"]
    op.create_index("ix_cases_pace", "cases", columns, unique=False, sqlite_where=mine, postgresql_where=mine)
    moved = sa.text("what = 'rerouted'")
    op.create_index("ix_event_rerouted", "event", ["at"], unique=False, sqlite_where=moved, postgresql_where=moved)
    bodies = sa.text("stakeholder IN ('press', 'peer_company')")
    op.create_index(
        "ix_decision_bodies",
        "decision",
        ["stakeholder", "brand", "hour"],
        unique=False,
        sqlite_where=bodies,
        postgresql_where=bodies,
    )
