"""Keep what lists ask for (listener/query/listed.py): labels of cases and decisions, and where posts of an hour stand.

Indexes hold them; two are widened: cases of a status by all that is filtered by, posts of an author by their time.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from listener.query.listed import install_listed

__all__: list[str] = []

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name, kind in (("source", sa.Text()), ("sentiment", sa.Text()), ("unsure", sa.Boolean())):
        op.add_column("cases", sa.Column(f"opener_{name}", kind))
    for name in ("source", "dimension"):
        op.add_column("decision", sa.Column(name, sa.Text()))
    op.create_table(
        "post_place",
        sa.Column("hour", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("block", sa.Integer(), primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    install_listed(op.get_bind())
    said = sa.text("dimension IS NOT NULL")
    labels = ["stakeholder", "dimension", "brand", "hour", "source", "mention_id"]
    op.create_index("ix_decision_labels", "decision", labels, sqlite_where=said, postgresql_where=said)
    op.drop_index("ix_cases_status_rank_due_at_id", "cases")
    over = sa.text("status NOT IN ('new', 'acknowledged')")
    listed = ["status", "rank", "due_at", "id", "merged_into", "owner", "answered_at", "department", "priority"]
    listed += ["stakeholder", "brand", "opener_source", "opener_sentiment", "opener_unsure"]
    op.create_index("ix_cases_status_rank_due_at_id", "cases", listed, sqlite_where=over, postgresql_where=over)
    op.create_index("ix_post_author_id_published_at", "post", ["author_id", "published_at"])
    op.drop_index("ix_post_author_id", "post")
    # An index of PostgreSQL holds no more than a third of a page: its beginning leads to a handle of any length.
    begins = {"sqlite": "handle COLLATE NOCASE", "postgresql": 'left(lower(handle COLLATE "C"), 200)'}
    op.execute(f"CREATE INDEX ix_author_handle ON author ({begins[op.get_bind().dialect.name]})")
