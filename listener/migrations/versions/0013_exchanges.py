"""Keep what was recognised in posts of the press and of companies (listener/spoken.py)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from listener.spoken import EXCHANGE, PRAISE, install

__all__: list[str] = []

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spoken",
        sa.Column("mention_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("relevant", sa.Boolean()),
        sa.Column("sentiment", sa.Text()),
        sa.Column("unsure", sa.Boolean()),
        sa.Column("seal", sa.BigInteger()),
        sa.Column("direction", sa.Text()),
        sa.Column("ours", sa.Text()),
        sa.Column("at_event", sa.Boolean()),
        sa.Column("praise", sa.SmallInteger(), nullable=False, server_default="0"),
        *(sa.Column(name, sa.BigInteger()) for name in ("at", "heard_at", "cluster", "company", "copied", "voiced")),
        sa.ForeignKeyConstraint(
            ["mention_id"], ["mention.id"], name=op.f("fk_spoken_mention_id_mention"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("mention_id", name=op.f("pk_spoken")),
    )
    found = ["direction", "ours", "hour", "at", "sentiment", "unsure", "at_event", "copied", "voiced", "relevant"]
    good = ["brand", "hour", "at", "heard_at", "cluster", "copied", "seal", "mention_id"]
    good += ["relevant", "praise", "sentiment"]
    for name, columns, where in (
        ("exchange", found, EXCHANGE),
        ("praise", good, PRAISE),
        ("pending", ["hour"], "seal IS NULL"),
    ):
        some = sa.text(where)
        op.create_index(f"ix_spoken_{name}", "spoken", columns, sqlite_where=some, postgresql_where=some)
    op.create_index("ix_spoken_cluster", "spoken", ["cluster", "copied"])
    op.create_index("ix_spoken_company", "spoken", ["company", "voiced"])
    install(op.get_bind())
