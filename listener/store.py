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

from listener.database import JSONText, Moment, Store, add_new, add_or_update, metadata
from listener.mention import Author, Mention, Metrics, Post, Rejected, Term
from listener.raw import scrub

__all__ = [
    "Store",
    "add_quarantine",
    "authors",
    "cursors",
    "finish_run",
    "jobs",
    "mentions",
    "metadata",
    "posts",
    "quarantine",
    "read_cursor",
    "read_mention",
    "runs",
    "save_page",
    "select_mentions",
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
    sa.Column("author_id", sa.ForeignKey("author.id"), index=True),
    sa.Column("published_at", Moment, nullable=False, index=True),
    sa.Column("collected_at", Moment, nullable=False),
    sa.Column("in_reply_to", sa.Text),
    sa.Column("thread", sa.Text),
    sa.Column("likes", sa.BigInteger),
    sa.Column("replies", sa.BigInteger),
    sa.Column("shares", sa.BigInteger),
    sa.Column("views", sa.BigInteger),
    sa.Column("raw", JSONText, nullable=False),
    sa.UniqueConstraint("source", "native_id"),
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
    sa.Index("ix_mention_brand_hour", "brand", "hour"),
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
    sa.Column("at", Moment, nullable=False),
    sa.UniqueConstraint("source", "digest"),
)


def _clean(text: str | None) -> str | None:
    return None if text is None else text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _author_key(author: Author) -> str | None:
    key = author.native_id or author.handle or author.name
    return None if not key else (_clean(key) or "").casefold()


def save_page(
    connection: Connection,
    source: str,
    found: Sequence[Post],
    heard: Sequence[Mention],
    rejected: Sequence[Rejected],
    cursor: str | None,
    now: datetime,
) -> tuple[int, int]:
    """Store a page, its mentions, what was rejected and the cursor in one transaction; give (new posts, mentions)."""
    unique = {_clean(post.native_id): post for post in found}
    author_ids = _save_authors(connection, source, list(unique.values()))
    rows = [
        {
            "source": source,
            "native_id": native_id,
            "url": _clean(post.url),
            "text": _clean(post.text),
            "lang": _clean(post.lang),
            "country": _clean(post.country),
            "author_id": author_ids.get(_author_key(post.author) or ""),
            "published_at": post.published_at,
            "collected_at": now,
            "in_reply_to": _clean(post.in_reply_to),
            "thread": _clean(post.thread),
            "likes": post.metrics.likes,
            "replies": post.metrics.replies,
            "shares": post.metrics.shares,
            "views": post.metrics.views,
            "raw": scrub(post.raw),
        }
        for native_id, post in unique.items()
    ]
    new_posts = {row.native_id: row.id for row in add_new(connection, posts, rows, ("source", "native_id"))}
    lines = [
        {
            "post_id": new_posts[native_id],
            "brand": mention.brand,
            "kind": mention.kind,
            "terms": [[term.start, term.end, _clean(term.text)] for term in mention.terms],
            "source": source,
            "published_at": mention.post.published_at,
            "hour": int(mention.post.published_at.timestamp() // 3600),
        }
        for mention in heard
        # The same id twice in a page: what only the dropped post names is no mention of the kept one.
        if (native_id := _clean(mention.post.native_id)) in new_posts and mention.post is unique[native_id]
    ]
    new_mentions = add_new(connection, mentions, lines, ("post_id", "brand"))
    add_quarantine(connection, source, rejected, now)
    if cursor is not None:
        _save_cursor(connection, source, cursor, now)
    return len(new_posts), len(new_mentions)


def _save_authors(connection: Connection, source: str, found: Sequence[Post]) -> dict[str, int]:
    """Store authors once and refresh what the platform now tells of them; give key → id."""
    latest = {key: post.author for post in found if (key := _author_key(post.author))}
    if not latest:
        return {}
    rows = [
        {
            "source": source,
            "key": key,
            "native_id": _clean(author.native_id),
            "handle": _clean(author.handle),
            "name": _clean(author.name),
            "bio": _clean(author.bio),
            "url": _clean(author.url),
            "verified": author.verified,
            "followers": author.followers,
        }
        for key, author in sorted(latest.items())
    ]
    saved = add_or_update(connection, authors, rows, ("source", "key"), keep_told=True)
    return {row.key: row.id for row in saved}


def _save_cursor(connection: Connection, source: str, value: str, now: datetime) -> None:
    add_or_update(connection, cursors, [{"source": source, "value": value, "updated_at": now}], ("source",))


def read_cursor(connection: Connection, source: str) -> str | None:
    """Read where the next poll of a source may start; None before the first."""
    return connection.scalar(sa.select(cursors.c.value).where(cursors.c.source == source))


def add_quarantine(connection: Connection, source: str, rejected: Sequence[Rejected], now: datetime) -> int:
    """Keep items that could not be read, each once; give how many were new."""
    rows = []
    for item in rejected:
        position, body = _clean(item.position) or "", _clean(item.body[:65536]) or ""
        digest = hashlib.sha256(f"{position}\n{body}".encode()).hexdigest()
        rows.append(
            {
                "source": source,
                "position": position,
                "reason": _clean(item.reason),
                "body": body,
                "digest": digest,
                "at": now,
            }
        )
    return len(add_new(connection, quarantine, rows, ("source", "digest")))


def finish_run(connection: Connection, run_id: int, **values: Any) -> None:
    """Write how a run ended."""
    told = {name: _clean(value) if isinstance(value, str) else value for name, value in values.items()}
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
