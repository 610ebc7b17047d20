"""Keep what was heard: authors, posts, mentions, cursors, runs, jobs and quarantine.

One table, one owner: this room's tables stand here, the other rooms hang theirs on the same `metadata`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import JSONText, Moment, Store, add_new, metadata
from listener.mention import Author, Mention, Metrics, Post, Rejected, Term

__all__ = [
    "Store",
    "add_quarantine",
    "authors",
    "clean",
    "cursors",
    "finish_run",
    "holes",
    "jobs",
    "mentions",
    "metadata",
    "post_places",
    "posts",
    "quarantine",
    "read_cursor",
    "read_mention",
    "runs",
    "select_mentions",
    "spendings",
    "tombstones",
]


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True)


authors = sa.Table(
    "author",
    metadata,
    _id(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),  # native id, else handle, else name; casefolded
    sa.Column("native_id", sa.Text),
    sa.Column("handle", sa.Text),
    sa.Column("name", sa.Text),
    sa.Column("bio", sa.Text),
    sa.Column("url", sa.Text),
    sa.Column("verified", sa.Boolean),
    sa.Column("followers", sa.BigInteger),
    sa.UniqueConstraint("source", "key"),
)

posts = sa.Table(
    "post",
    metadata,
    _id(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("native_id", sa.Text, nullable=False),
    sa.Column("url", sa.Text),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("lang", sa.Text),
    sa.Column("country", sa.Text),
    sa.Column("author_id", sa.ForeignKey("author.id")),
    sa.Column("published_at", Moment, nullable=False, index=True),
    sa.Column("collected_at", Moment, nullable=False),
    sa.Column("in_reply_to", sa.Text),
    sa.Column("thread", sa.Text),
    sa.Column("likes", sa.BigInteger),
    sa.Column("replies", sa.BigInteger),
    sa.Column("shares", sa.BigInteger),
    sa.Column("views", sa.BigInteger),
    sa.Column("raw", JSONText, nullable=False),
    sa.Column("edited_at", Moment),  # when we saw that its text had changed
    sa.Column("checked_at", Moment),  # when the source was last asked and did not say that it is gone
    sa.Column("cluster", sa.BigInteger, index=True),  # id of the first post that says the same; empty: not compared yet
    sa.UniqueConstraint("source", "native_id"),
    sa.Index("ix_post_author_id_published_at", "author_id", "published_at"),
)

post_places = sa.Table(  # in which blocks of ids the posts of an hour stand, by triggers (listener/query/listed.py)
    "post_place",
    metadata,
    sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),  # of publication, as in mention
    sa.Column("block", sa.Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

tombstones = sa.Table(  # what was removed at the source or on request: no text, no name, and it never comes back
    "tombstone",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),  # SHA-256 of source and native id
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),  # deleted | erased
    sa.Column("at", Moment, nullable=False, index=True),
)

holes = sa.Table(
    "hole",
    metadata,
    _id(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("ended_at", Moment, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("found_at", Moment, nullable=False),
    sa.UniqueConstraint("source", "started_at", "ended_at"),
)

spendings = sa.Table(  # what a platform charges for, counted in the commit of the page that brought it
    "spending",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("month", sa.Text, primary_key=True),  # 2026-11, in UTC, as platforms count
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
)

mentions = sa.Table(
    "mention",
    metadata,
    _id(),
    sa.Column("post_id", sa.ForeignKey("post.id", ondelete="CASCADE"), nullable=False),
    sa.Column("brand", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("terms", JSONText, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("published_at", Moment, nullable=False),
    sa.Column("hour", sa.Integer, nullable=False),  # whole hours since 1970 UTC; local days are derived from hours
    sa.UniqueConstraint("post_id", "brand"),
    # SQLite's indexes end with the row's number by themselves.
    sa.Index("ix_mention_brand_hour", "brand", "hour").ddl_if(dialect="sqlite"),
    sa.Index("ix_mention_brand_hour_id", "brand", "hour", "id").ddl_if(dialect="postgresql"),
    sa.Index("ix_mention_hour", "hour"),  # for shares, which read every brand
)

cursors = sa.Table(
    "cursor",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
)

runs = sa.Table(
    "run",
    metadata,
    _id(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("finished_at", Moment),  # empty: the process stopped in the middle; the next run says so
    sa.Column("outcome", sa.Text, nullable=False),  # running | ok | limited | not allowed | unreachable | …
    sa.Column("posts", sa.Integer, nullable=False, default=0),
    sa.Column("new", sa.Integer, nullable=False, default=0),
    sa.Column("mentions", sa.Integer, nullable=False, default=0),
    sa.Column("rejected", sa.Integer, nullable=False, default=0),
    sa.Column("error", sa.Text),
    sa.Index("ix_run_source_started_at", "source", "started_at"),
    sa.Index(
        "ix_run_source_ok",
        "source",
        "started_at",
        sqlite_where=sa.text("outcome = 'ok'"),
        postgresql_where=sa.text("outcome = 'ok'"),
    ),
)

jobs = sa.Table(
    "job",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("next_due", Moment, nullable=False),
    sa.Column("last_start", Moment),
    sa.Column("last_ok", Moment),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("error", sa.Text),
    sa.Column("holder", sa.Text),  # the process at work on it; the lease keeps every other away until it ends
    sa.Column("held_until", Moment),
    sa.Column("quota", JSONText),  # what the platform last told of the requests left
)

quarantine = sa.Table(
    "quarantine",
    metadata,
    _id(),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("position", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),  # of position and body: the same fault is kept once
    sa.Column("at", Moment, nullable=False, index=True),
    sa.UniqueConstraint("source", "digest"),
)


def clean(text: str | None) -> str | None:
    """Give text that both databases hold: without NUL, lone surrogates replaced."""
    if text is None or (type(text) is str and text.isascii() and "\x00" not in text):  # nearly all, and at once
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def read_cursor(connection: Connection, source: str) -> str | None:
    """Read where the next poll of a source may start; None before the first."""
    return connection.scalar(sa.select(cursors.c.value).where(cursors.c.source == source))


def add_quarantine(connection: Connection, source: str, rejected: Sequence[Rejected], now: datetime) -> int:
    """Keep items that could not be read, each once; give how many were new."""
    rows = []
    for item in rejected:
        position, body = clean(item.position) or "", clean(item.body[:65536]) or ""
        digest = hashlib.sha256(f"{position}\n{body}".encode()).hexdigest()
        rows.append(
            {
                "source": source,
                "position": position,
                "reason": clean(item.reason),
                "body": body,
                "digest": digest,
                "at": now,
            }
        )
    return len(add_new(connection, quarantine, rows, ("source", "digest")))


def finish_run(connection: Connection, run_id: int, **values: Any) -> None:
    """Write how a run ended."""
    told = {name: clean(value) if isinstance(value, str) else value for name, value in values.items()}
    connection.execute(runs.update().where(runs.c.id == run_id).values(**told))


def read_mention(row: sa.Row[Any]) -> Mention:
    """Rebuild a Mention from a row of `select_mentions()`."""
    author = Author(row.handle, row.name, row.author_native_id, row.bio, row.author_url, row.verified, row.followers)
    post = Post(
        source=row.source,
        native_id=row.native_id,
        text=row.text,
        published_at=row.published_at,
        author=author,
        url=row.url,
        lang=row.lang,
        country=row.country,
        in_reply_to=row.in_reply_to,
        thread=row.thread,
        metrics=Metrics(row.likes, row.replies, row.shares, row.views),
        raw={},
    )
    return Mention(post, row.brand, row.kind, tuple(Term(*term) for term in row.terms))


def select_mentions() -> sa.Select[Any]:
    """Give the query of mentions with their post and author, whose rows `read_mention()` understands."""
    return sa.select(
        mentions.c.id.label("mention_id"),
        mentions.c.brand,
        mentions.c.kind,
        mentions.c.terms,
        mentions.c.hour,
        posts.c.id.label("post_id"),
        posts.c.source,
        posts.c.native_id,
        posts.c.url,
        posts.c.text,
        posts.c.lang,
        posts.c.country,
        posts.c.published_at,
        posts.c.collected_at,
        posts.c.in_reply_to,
        posts.c.thread,
        posts.c.likes,
        posts.c.replies,
        posts.c.shares,
        posts.c.views,
        authors.c.handle,
        authors.c.name,
        authors.c.native_id.label("author_native_id"),
        authors.c.bio,
        authors.c.url.label("author_url"),
        authors.c.verified,
        authors.c.followers,
        posts.c.author_id,
    ).select_from(mentions.join(posts, mentions.c.post_id == posts.c.id).outerjoin(authors))
