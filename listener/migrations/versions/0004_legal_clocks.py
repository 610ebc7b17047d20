"""Add the legal clock of a case: its rule and the last day to answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__: list[str] = []

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cases", sa.Column("regulatory_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("cases", sa.Column("regulatory_rule", sa.Text(), nullable=True))
