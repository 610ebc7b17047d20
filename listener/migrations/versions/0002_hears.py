"""Add what «Hears» keeps: edits, sweeps and clusters of posts, tombstones, holes, spendings, leases and quotas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__: list[str] = []

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("post", sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("post", sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("post", sa.Column("cluster", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_post_cluster"), "post", ["cluster"], unique=False)
    op.add_column("job", sa.Column("holder", sa.Text(), nullable=True))
    op.add_column("job", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("job", sa.Column("quota", sa.Text(), nullable=True))
    op.create_table(
        "tombstone",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_tombstone")),
    )
    op.create_table(
        "hole",
        sa.Column("id", _ID, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hole")),
        sa.UniqueConstraint("source", "started_at", "ended_at", name=op.f("uq_hole_source_started_at_ended_at")),
    )
    op.create_table(
        "spending",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", "month", "unit", name=op.f("pk_spending")),
    )
