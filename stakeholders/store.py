"""Keep decisions, cases, their history, the outbox, digests and suppressions; queries stand by their subject."""

from __future__ import annotations

import sqlalchemy as sa

from listener.database import JSONText, Moment, metadata

__all__ = ["alerts", "case_mentions", "cases", "decisions", "digests", "events", "suppressions"]


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


decisions = sa.Table(
    "decision",
    metadata,
    _id(),
    sa.Column("mention_id", sa.ForeignKey("mention.id", ondelete="CASCADE"), nullable=False, unique=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("brand", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("hour", sa.Integer, nullable=False),  # of publication, as in mention
    sa.Column("stakeholder", sa.Text, nullable=False),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    # {"speaker": label json, "entry", "outlet", "own_account", "copies", "because": [reason json], "otherwise", …}
    sa.Column("detail", JSONText, nullable=False),
    sa.Index("ix_decision_brand_hour", "brand", "hour"),
)

cases = sa.Table(
    "cases",  # CASE is a word of SQL
    metadata,
    _id(),
    sa.Column("key", sa.Text, nullable=False, unique=True),  # "mention:ID" of the mention that opened it: opened once
    sa.Column("brand", sa.Text, nullable=False),
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("copies", JSONText, nullable=False),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("rank", sa.Integer, nullable=False),  # 0 alert, 1 important, 2 routine: what the inbox sorts by
    sa.Column("stakeholder", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("thread", sa.Text),  # "source/thread id"; a later post of the same thread joins
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("due_at", Moment),
    sa.Column("acknowledged_at", Moment),
    sa.Column("answered_at", Moment),
    sa.Column("closed_at", Moment),
    sa.Column("version", sa.Integer, nullable=False, default=1),
    sa.Column("regulatory_due_at", Moment),
    sa.Column("regulatory_rule", sa.Text),
    sa.Index("ix_cases_thread", "thread"),
    sa.Index("ix_cases_opened_at", "opened_at"),
    # the inbox: open cases, most urgent first; the partial index keeps it small however old the archive grows
    sa.Index(
        "ix_cases_inbox",
        "rank",
        "due_at",
        "id",
        sqlite_where=sa.text("status IN ('new', 'acknowledged')"),
        postgresql_where=sa.text("status IN ('new', 'acknowledged')"),
    ),
)

case_mentions = sa.Table(
    "case_mention",
    metadata,
    sa.Column("mention_id", sa.ForeignKey("mention.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("case_id", sa.ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("how", sa.Text, nullable=False),  # opened | thread | repeat
)

events = sa.Table(
    "event",
    metadata,
    _id(),
    sa.Column("case_id", sa.ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", sa.Text, nullable=False),  # a person's name or address; "escucha" for the program
    # opened | joined | reopened | told | acknowledged | assigned | answered | closed | corrected | rerouted | note
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("before", JSONText),
    sa.Column("after", JSONText),
)

alerts = sa.Table(
    "alert",
    metadata,
    _id(),
    sa.Column("key", sa.Text, nullable=False, unique=True),  # stable: becomes the Message-ID / Idempotency-Key
    sa.Column("kind", sa.Text, nullable=False),  # case | copy | source | digest
    sa.Column("case_id", sa.ForeignKey("cases.id", ondelete="CASCADE"), index=True),
    sa.Column("channel", sa.Text, nullable=False),  # mail
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("department", sa.Text),
    sa.Column("reason", JSONText, nullable=False),  # reason json: why this message goes out
    sa.Column("payload", JSONText),  # what the channel needs beyond the case (a digest's key, a source's error)
    sa.Column("state", sa.Text, nullable=False),  # pending | sent | refused | withdrawn
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("next_try", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("sent_at", Moment),
    sa.Column("error", sa.Text),
    sa.Index("ix_alert_state_next_try", "state", "next_try"),
)

digests = sa.Table(
    "digest",
    metadata,
    _id(),
    sa.Column("key", sa.Text, nullable=False, unique=True),  # "2026-W46/nitido/es"
    sa.Column("week", sa.Text, nullable=False),
    sa.Column("brand", sa.Text, nullable=False),
    sa.Column("lang", sa.Text, nullable=False),
    sa.Column("figures", JSONText, nullable=False),  # what was counted when it went out
    sa.Column("hash", sa.Text, nullable=False),  # of the figures: same data, same hash
    sa.Column("created_at", Moment, nullable=False),
)

suppressions = sa.Table(
    "suppression",
    metadata,
    _id(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("handle", sa.Text, nullable=False),
    sa.Column("mention_id", sa.ForeignKey("mention.id", ondelete="SET NULL")),
    sa.Column("at", Moment, nullable=False),
    sa.UniqueConstraint("source", "handle"),
)
