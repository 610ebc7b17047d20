"""Add the full-text index of the posts that stand in cases (listener/query/caseindex.py); widen that of their cases."""

from __future__ import annotations

from alembic import op

from listener.query.caseindex import install_cases

__all__: list[str] = []

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_case_mention_case_id_how", "case_mention", ["case_id", "how", "mention_id"])
    op.drop_index("ix_case_mention_case_id", "case_mention")
    if op.get_bind().dialect.name == "sqlite":  # on PostgreSQL it holds what migration 0015 brings, and comes with 0016
        install_cases(op.get_bind())
