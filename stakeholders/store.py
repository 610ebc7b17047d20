"""Keep decisions, cases, their history, who looked at them, the outbox and digests; queries stand by their subject."""

from __future__ import annotations

import sqlalchemy as sa

from listener.database import JSONText, Moment, metadata
from listener.spoken import spoken

__all__ = [
    "BODIES",
    "CORRECTED",
    "alert_groups",
    "alerts",
    "case_mentions",
    "cases",
    "decisions",
    "digests",
    "drafts",
    "events",
    "presences",
    "saved_views",
    "seen",
    "silences",
    "spikes",
    "spoken",
    "suppressions",
]


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


def _some(name: str, *columns: str, only: str) -> sa.Index:
    """Give an index of some rows alone."""
    return sa.Index(name, *columns, sqlite_where=sa.text(only), postgresql_where=sa.text(only))


def _computed() -> tuple[sa.FetchedValue, sa.FetchedValue]:
    return sa.FetchedValue(), sa.FetchedValue(for_update=True)


# How the table writes a decision of which a person corrected or confirmed a label.
CORRECTED = """detail LIKE '%"corrections":[{%'"""

BODIES = "stakeholder IN ('press', 'peer_company')"  # whose words are read for exchanges and opportunities

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
    sa.Column("entry", sa.Text),  # who a registry named for sure as the speaker; of `detail`, for sums and an index
    # Of the mention and of its current verdict, kept by triggers (listener/query/listed.py) for the index below.
    sa.Column("source", sa.Text),
    sa.Column("dimension", sa.Text),
    sa.Column("priority", sa.Text, nullable=False),
    sa.Column("department", sa.Text, nullable=False),
    sa.Column("rule", sa.Text, nullable=False),
    # {"speaker": label json, "entry", "outlet", "own_account", "copies", "because": [reason json], "otherwise", …}
    sa.Column("detail", JSONText, nullable=False),
    sa.Index("ix_decision_brand_hour", "brand", "hour"),
    # what one kind of speaker said, for the posts behind a figure (stakeholders.lists.places)
    _some(
        "ix_decision_labels",
        *("stakeholder", "dimension", "brand", "hour", "source", "mention_id"),
        only="dimension IS NOT NULL",
    ),
    _some("ix_decision_bodies", "stakeholder", "brand", "hour", only=BODIES),
    # those of which a person said something (stakeholders.counting.accuracy); few
    _some("ix_decision_corrected", "mention_id", only=CORRECTED),
    _some("ix_decision_brand_entry_hour", "brand", "entry", "hour", only="entry IS NOT NULL"),
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
    sa.Column("kind", sa.Text, nullable=False, server_default="case", default="case"),  # case | crisis
    sa.Column("snoozed_until", Moment),
    sa.Column("escalated", sa.Integer, nullable=False, server_default="0", default=0),  # steps of the chain told
    sa.Column("merged_into", sa.BigInteger),  # cases.id; such a case is closed and counts no more
    sa.Column("ticket_id", sa.Text),
    sa.Column("ticket_url", sa.Text),
    # Of the post that opened it and its current verdict, kept by triggers (listener/query/listed.py)
    sa.Column("opener_source", sa.Text),
    sa.Column("opener_sentiment", sa.Text),
    sa.Column("opener_unsure", sa.Boolean),
    # Computed by the database from the columns above (migration 0011), for the index of stakeholders.counting.pace.
    sa.Column("opened_quarter", sa.BigInteger, *_computed()),  # quarters of an hour since 1970
    sa.Column("acknowledge_took", sa.BigInteger, *_computed()),  # microseconds from opening
    sa.Column("answer_took", sa.BigInteger, *_computed()),
    # d dismissed, c closed without an answer, o any other; then N no clock, W no answer, K in time, L late
    sa.Column("ends", sa.Text, *_computed()),
    _some(
        "ix_cases_pace",
        *("brand", "department", "opened_at", "opened_quarter", "acknowledge_took", "answer_took", "ends"),
        only="merged_into IS NULL AND opened_quarter IS NOT NULL",
    ),
    sa.Index("ix_cases_thread", "thread"),
    sa.Index("ix_cases_opened_at", "opened_at"),
    sa.Index("ix_cases_brand_opened_at", "brand", "opened_at"),
    # only the merged ones: every list asks for those that are not, and SQLite would take the index for that
    _some("ix_cases_merged_into", "merged_into", only="merged_into IS NOT NULL"),
    # a view of one other status, in order, with all that is filtered and counted by, so that no row of a long list is
    # read; never the open ones, which would else be sorted instead of read in order
    _some(
        "ix_cases_status_rank_due_at_id",
        *("status", "rank", "due_at", "id", "merged_into", "owner", "answered_at", "department", "priority"),
        *("stakeholder", "brand", "opener_source", "opener_sentiment", "opener_unsure"),
        only="status NOT IN ('new', 'acknowledged')",
    ),
    # the inbox: open cases, most urgent first; the partial index keeps it small however old the archive grows
    _some("ix_cases_inbox", "rank", "due_at", "id", only="status IN ('new', 'acknowledged')"),
)

case_mentions = sa.Table(
    "case_mention",
    metadata,
    sa.Column("mention_id", sa.ForeignKey("mention.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("case_id", sa.ForeignKey("cases.id", ondelete="CASCADE"), nullable=False),
    sa.Column("how", sa.Text, nullable=False),  # opened | thread | repeat
    # what a search asks of the post, kept by triggers (listener/query/listed.py)
    sa.Column("post_id", sa.BigInteger),
    sa.Column("source", sa.Text),
    sa.Column("lang", sa.Text),
    sa.Column("country", sa.Text),
    sa.Column("author_id", sa.BigInteger),
    sa.Column("published_at", Moment),
    sa.Index("ix_case_mention_case_id_how", "case_id", "how", "mention_id"),  # all that lists of cases ask of it
)

events = sa.Table(
    "event",
    metadata,
    _id(),
    sa.Column("case_id", sa.ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", sa.Text, nullable=False),  # a person's name or address; "escucha" for the program
    # listener.taxonomy names them: opened, joined, reopened, told, acknowledged, assigned, answered, closed, …
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("before", JSONText),
    sa.Column("after", JSONText),
    sa.Column(
        "seal", sa.Text
    ),  # stakeholders.casework.seal: SHA-256 over the seal before and this row; None only in old rows
    # cases that were sent elsewhere; few
    _some("ix_event_rerouted", "at", only="what = 'rerouted'"),
)

alerts = sa.Table(
    "alert",
    metadata,
    _id(),
    sa.Column("key", sa.Text, nullable=False, unique=True),  # stable: becomes the Message-ID / Idempotency-Key
    sa.Column("kind", sa.Text, nullable=False),  # case | copy | source | digest | crm | mention | …
    sa.Column("case_id", sa.ForeignKey("cases.id", ondelete="CASCADE"), index=True),
    sa.Column("channel", sa.Text, nullable=False),  # mail
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("department", sa.Text),
    sa.Column("reason", JSONText, nullable=False),  # reason json: why this message goes out
    sa.Column("payload", JSONText),  # what the channel needs beyond the case (a digest's key, a source's error)
    sa.Column("state", sa.Text, nullable=False),  # pending | sent | refused | withdrawn | muted
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("next_try", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("sent_at", Moment),
    sa.Column("error", sa.Text),
    sa.Column("group_key", sa.Text),  # alert_group.key: what is told in one message
    sa.Column("level", sa.Integer, nullable=False, server_default="0", default=0),  # step of the escalation chain
    sa.Column("muted_by", JSONText),  # reason json: silence, inhibition
    sa.Index("ix_alert_state_next_try", "state", "next_try"),
    sa.Index("ix_alert_group_key_state", "group_key", "state"),
    # silences are few among all letters, and every page that says what it stands on names them
    _some("ix_alert_silent", "created_at", only="kind = 'silent'"),
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
    sa.Column("scope", JSONText),  # {"name", "cadence", "departments", "from", "to"}; None: the directors' week
)

alert_groups = sa.Table(
    "alert_group",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("labels", JSONText, nullable=False),  # what group_by says its members share
    sa.Column("first_at", Moment, nullable=False),
    sa.Column("next_at", Moment),  # the next flush; None: nothing waits
    sa.Column("sent_at", Moment),
    sa.Column("sent", sa.Integer, nullable=False, default=0),  # messages sent for this group so far
)

silences = sa.Table(
    "silence",
    metadata,
    _id(),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("matchers", JSONText, nullable=False),  # {"department": […], "brand": […], …, "query": "…"}
    sa.Column("starts_at", Moment, nullable=False),
    sa.Column("ends_at", Moment, nullable=False, index=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("ended_by", sa.Text),
)

drafts = sa.Table(
    "draft",
    metadata,
    _id(),
    sa.Column("case_id", sa.ForeignKey("cases.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("lang", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("template", sa.Text),
    sa.Column("state", sa.Text, nullable=False),  # draft | waiting | signed | returned | used
    sa.Column("signer", sa.Text),
    sa.Column("signed_at", Moment),
    sa.Column("note", sa.Text),
)

spikes = sa.Table(
    "spike",
    metadata,
    _id(),
    sa.Column("brand", sa.Text, nullable=False),
    sa.Column("measure", sa.Text, nullable=False),  # all | negative
    sa.Column("hour", sa.Integer, nullable=False),  # onset, whole hours since the epoch, as in mention
    sa.Column("found_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("observed", sa.Integer, nullable=False),
    sa.Column("expected", sa.Float, nullable=False),
    sa.Column("low", sa.Float, nullable=False),
    sa.Column("high", sa.Float, nullable=False),
    sa.Column("sample", sa.Integer, nullable=False),  # past hours the range was learned from
    sa.Column("cause", JSONText, nullable=False),  # {"drivers": […], "because": reason json, …}
    sa.Column("case_id", sa.ForeignKey("cases.id", ondelete="SET NULL"), index=True),
    sa.UniqueConstraint("brand", "measure", "hour"),
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

saved_views = sa.Table(
    "saved_view",
    metadata,
    _id(),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("query", sa.Text, nullable=False),  # what stands behind the ? of the inbox's address
    sa.Column("shared", sa.Boolean, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("owner", "name"),
)

seen = sa.Table(
    "seen",
    metadata,
    sa.Column("case_id", sa.ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("who", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),  # cases.version that this person looked at last
    sa.Column("at", Moment, nullable=False),
)

presences = sa.Table(
    "presence",
    metadata,
    sa.Column("case_id", sa.ForeignKey("cases.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    sa.Column("who", sa.Text, primary_key=True),
    sa.Column("at", Moment, nullable=False),  # the last sign that the case is open before this person
)
