"""Add an index of cases by status, and hourly sums of mentions that triggers keep (listener/sums/rollup.py)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__: list[str] = []

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _sums() -> list[sa.Column[int]]:
    names = ("mentions", "negative", "neutral", "positive", "unsure")
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "rollup",
        sa.Column("facet", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("hour", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        *_sums(),
        sa.PrimaryKeyConstraint("facet", "brand", "hour", "name", name=op.f("pk_rollup")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup_change",
        sa.Column("id", _ID, nullable=False),
        sa.Column("facet", sa.Text(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        *_sums(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rollup_change")),
    )
    op.create_index("ix_rollup_change_facet_brand_hour", "rollup_change", ["facet", "brand", "hour"], unique=False)
    over = sa.text("status NOT IN ('new', 'acknowledged')")
    op.create_index(
        "ix_cases_status_rank_due_at_id",
        "cases",
        ["status", "rank", "due_at", "id"],
        unique=False,
        sqlite_where=over,
        postgresql_where=over,
    )
    # 0008 makes the triggers that keep them, and counts
