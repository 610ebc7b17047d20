"""Add what «Answers» keeps: seals, snoozes, merges, tickets, groups of alerts, silences, drafts and spikes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from listener.database import JSONText

__all__: list[str] = []

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("cases", sa.Column("kind", sa.Text(), nullable=False, server_default="case"))
    op.add_column("cases", sa.Column("snoozed_until", _MOMENT, nullable=True))
    op.add_column("cases", sa.Column("escalated", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("cases", sa.Column("merged_into", sa.BigInteger(), nullable=True))
    op.add_column("cases", sa.Column("ticket_id", sa.Text(), nullable=True))
    op.add_column("cases", sa.Column("ticket_url", sa.Text(), nullable=True))
    op.create_index(op.f("ix_cases_merged_into"), "cases", ["merged_into"], unique=False)
    op.add_column("event", sa.Column("seal", sa.Text(), nullable=True))
    op.add_column("alert", sa.Column("group_key", sa.Text(), nullable=True))
    op.add_column("alert", sa.Column("level", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("alert", sa.Column("muted_by", JSONText(), nullable=True))
    op.create_index("ix_alert_group_key_state", "alert", ["group_key", "state"], unique=False)
    op.add_column("digest", sa.Column("scope", JSONText(), nullable=True))
    op.create_table(
        "alert_group",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("labels", JSONText(), nullable=False),
        sa.Column("first_at", _MOMENT, nullable=False),
        sa.Column("next_at", _MOMENT, nullable=True),
        sa.Column("sent_at", _MOMENT, nullable=True),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_alert_group")),
    )
    op.create_table(
        "silence",
        sa.Column("id", _ID, nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("matchers", JSONText(), nullable=False),
        sa.Column("starts_at", _MOMENT, nullable=False),
        sa.Column("ends_at", _MOMENT, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silence")),
    )
    op.create_index(op.f("ix_silence_ends_at"), "silence", ["ends_at"], unique=False)
    op.create_table(
        "draft",
        sa.Column("id", _ID, nullable=False),
        sa.Column("case_id", _ID, nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("lang", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("signer", sa.Text(), nullable=True),
        sa.Column("signed_at", _MOMENT, nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_draft_case_id_cases"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft")),
    )
    op.create_index(op.f("ix_draft_case_id"), "draft", ["case_id"], unique=False)
    op.create_table(
        "spike",
        sa.Column("id", _ID, nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("found_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT, nullable=True),
        sa.Column("observed", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("low", sa.Float(), nullable=False),
        sa.Column("high", sa.Float(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("cause", JSONText(), nullable=False),
        sa.Column("case_id", _ID, nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_spike_case_id_cases"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spike")),
        sa.UniqueConstraint("brand", "measure", "hour", name=op.f("uq_spike_brand_measure_hour")),
    )
    op.create_index(op.f("ix_spike_case_id"), "spike", ["case_id"], unique=False)
