"""Keep verdicts: every one given by a model or a person stays; one per mention is current."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from listener.database import JSONText, Moment, metadata
from sentiment.verdict import HEADS, HINTS, Verdict, label_from_json, label_to_json

__all__ = ["read_verdict", "save_verdicts", "verdict_from_row", "verdicts"]

verdicts = sa.Table(
    "verdict",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("mention_id", sa.ForeignKey("mention.id", ondelete="CASCADE"), nullable=False),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Column("by", sa.Text, nullable=False),  # model | person
    sa.Column("who", sa.Text),  # the person's name, for a correction
    sa.Column("engine", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Column("relevant", sa.Boolean, nullable=False),
    sa.Column("sentiment", sa.Text, nullable=False),
    sa.Column("dimension", sa.Text, nullable=False),
    sa.Column("intent", sa.Text, nullable=False),
    sa.Column("unsure", sa.Boolean, nullable=False),  # of the sentiment, which every total shows
    sa.Column("detail", JSONText, nullable=False),
    sa.Index("ix_verdict_mention_id", "mention_id"),
    sa.Index(
        "uq_verdict_current",
        "mention_id",
        unique=True,
        sqlite_where=sa.text("current"),
        postgresql_where=sa.text("current"),
    ),
)


def save_verdicts(
    connection: Connection, judged: Sequence[tuple[int, Verdict]], now: datetime, who: str | None = None
) -> int:
    """Store verdicts by mention id as the current ones, in the caller's transaction; give how many were stored.

    A model never replaces a current verdict; a person always does, and the older one stays in the table.
    """
    rows = []
    for mention_id, verdict in judged:
        current = sa.and_(verdicts.c.mention_id == mention_id, verdicts.c.current)
        if verdict.by == "person":
            connection.execute(verdicts.update().where(current).values(current=False))
        rows.append(
            {
                "mention_id": mention_id,
                "current": True,
                "by": verdict.by,
                "who": who,
                "engine": verdict.engine,
                "at": now,
                "relevant": verdict.relevant.name == "true",
                "sentiment": verdict.sentiment.name,
                "dimension": verdict.dimension.name,
                "intent": verdict.intent.name,
                "unsure": verdict.sentiment.unsure,
                "detail": {
                    head: label_to_json(label)
                    for head in (*HEADS, *HINTS)
                    if (label := getattr(verdict, head)) is not None
                },
            }
        )
    if not rows:
        return 0
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(verdicts).on_conflict_do_nothing(index_elements=["mention_id"], index_where=sa.text("current"))
    return len(connection.execute(statement.returning(verdicts.c.id), rows).all())


def verdict_from_row(row: sa.Row[Any]) -> Verdict:
    """Rebuild a Verdict from a row of the verdict table."""
    labels = {head: label_from_json(row.detail[head]) for head in (*HEADS, *HINTS) if head in row.detail}
    return Verdict(**labels, engine=row.engine, by=row.by)


def read_verdict(connection: Connection, mention_id: int) -> Verdict | None:
    """Read the current verdict of a mention."""
    row = connection.execute(
        sa.select(verdicts).where(verdicts.c.mention_id == mention_id, verdicts.c.current)
    ).one_or_none()
    return None if row is None else verdict_from_row(row)
