"""Add saved views of the inbox, what each person has seen, and who has a case open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__: list[str] = []

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "saved_view",
        sa.Column("id", _ID, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("owner", "name", name=op.f("uq_saved_view_owner_name")),
    )
    op.create_table(
        "seen",
        sa.Column("case_id", _ID, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_seen_case_id_cases"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", "who", name=op.f("pk_seen")),
    )
    op.create_table(
        "presence",
        sa.Column("case_id", _ID, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_presence_case_id_cases"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("case_id", "who", name=op.f("pk_presence")),
    )
