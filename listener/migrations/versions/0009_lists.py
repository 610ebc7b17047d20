"""Keep an index of the merged cases alone, and one of the decisions of which a person said something."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__: list[str] = []

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_cases_merged_into", "cases")
    merged = sa.text("merged_into IS NOT NULL")
    op.create_index(
        "ix_cases_merged_into", "cases", ["merged_into"], unique=False, sqlite_where=merged, postgresql_where=merged
    )
    corrected = sa.text("""detail LIKE '%"corrections":[{%'""")
    op.create_index(
        "ix_decision_corrected",
        "decision",
        ["mention_id"],
        unique=False,
        sqlite_where=corrected,
        postgresql_where=corrected,
    )
