"""Take a page in: find the brands it names, tag languages, and store all that it brought in the caller's transaction.

Collecting and webhooks both come through here, so that a post is treated the same however it arrives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import add_new, add_or_update
from listener.match import Matcher
from listener.mention import Author, Mention, Page, Post, Quota, Rejected
from listener.raw import dump, scrub
from listener.reason import N_
from listener.store import add_quarantine, authors, clean, cursors, holes, jobs, mentions, posts, tombstones

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["Intake", "Saved", "digest_of", "save_page"]

_CHUNK = 500  # values bound in one IN list
_LONGEST = 500  # characters of an id: an index of PostgreSQL holds no more than a third of a page; no platform has more

_TOO_LONG = N_("an id that is too long")


@dataclass(frozen=True, slots=True)
class Saved:
    """Count what a page added, and name the posts whose text had changed."""

    new: int
    mentions: int
    edited: tuple[int, ...] = ()  # ids of rows in the post table


class Intake:
    """Store the pages of an instance's sources."""

    def __init__(self, config: Config) -> None:
        self.config = config

    @cached_property
    def matcher(self) -> Matcher:
        """Give the matcher of the brands watched."""
        return Matcher(self.config.brands, self.config.settings.instance.timezone)

    def save(self, connection: Connection, source: str, page: Page, now: datetime) -> Saved:
        """Store a page with its mentions, cursor, holes, spending and quota; what is `gone` is left to the caller."""
        found = [self._tagged(post) for post in page.posts]
        heard = [mention for named in self.matcher.mentions_many(found) for mention in named]
        saved = save_page(connection, source, found, heard, page.rejected, page.cursor, now)
        lines = [
            {"source": source, "started_at": one.start, "ended_at": one.end, "why": one.why, "found_at": now}
            for one in page.holes
        ]
        add_new(connection, holes, lines, ("source", "started_at", "ended_at"))
        if page.billed:
            from listener.budget import add_spending

            add_spending(connection, source, page.billed, now)
        if page.quota is not None:
            _save_quota(connection, source, page.quota)
        return saved

    def _tagged(self, post: Post) -> Post:
        """Give a post the language of its text where the platform told none; the platform's own tag is kept."""
        if post.lang is not None:
            return post
        from listener.language import detect

        return replace(post, lang=detect(post.text, self.config.settings.sentiment.languages))


def save_page(
    connection: Connection,
    source: str,
    found: Sequence[Post],
    heard: Sequence[Mention],
    rejected: Sequence[Rejected],
    cursor: str | None,
    now: datetime,
) -> Saved:
    """Store a page, its mentions, what was rejected and the cursor in one transaction.

    A post that is known already is read for edits only; one that was removed (a tombstone) never comes back.
    """
    strange = [post for post in found if len(post.native_id) > _LONGEST]
    rejected = [*rejected, *(Rejected(f"id {post.native_id[:40]}", _TOO_LONG, dump(post.raw)) for post in strange)]
    unique = {clean(post.native_id) or "": post for post in found if len(post.native_id) <= _LONGEST}
    _drop_buried(connection, source, unique)
    author_ids = _save_authors(connection, source, list(unique.values()))
    rows = [
        _row(native_id, post)
        | {"source": source, "author_id": author_ids.get(_author_key(post.author) or ""), "collected_at": now}
        for native_id, post in unique.items()
    ]
    new = {row.native_id: row.id for row in add_new(connection, posts, rows, ("source", "native_id"))}
    edited = _save_edits(connection, source, {one: post for one, post in unique.items() if one not in new}, now)
    lines = [
        {
            "post_id": new.get(native_id) or edited[native_id],
            "brand": mention.brand,
            "kind": mention.kind,
            "terms": [[term.start, term.end, clean(term.text)] for term in mention.terms],
            "source": source,
            "published_at": mention.post.published_at,
            "hour": int(mention.post.published_at.timestamp() // 3600),
        }
        for mention in heard
        # The same id twice in a page: what only the dropped post names is no mention of the kept one.
        if ((native_id := clean(mention.post.native_id) or "") in new or native_id in edited)
        and mention.post is unique[native_id]
    ]
    added = add_new(connection, mentions, lines, ("post_id", "brand"))
    if edited:
        _mend_terms(connection, edited.values(), lines)
    _index(connection, [*new.values(), *edited.values()])
    add_quarantine(connection, source, rejected, now)
    if cursor is not None:
        row = {"source": source, "value": cursor, "updated_at": now}
        add_or_update(connection, cursors, [row], ("source",))
    return Saved(len(new), len(added), tuple(edited.values()))


def _row(native_id: str, post: Post) -> dict[str, Any]:
    return {
        "native_id": native_id,
        "url": clean(post.url),
        "text": clean(post.text),
        "lang": clean(post.lang),
        "country": clean(post.country),
        "published_at": post.published_at,
        "in_reply_to": clean(post.in_reply_to),
        "thread": clean(post.thread),
        "likes": post.metrics.likes,
        "replies": post.metrics.replies,
        "shares": post.metrics.shares,
        "views": post.metrics.views,
        "raw": scrub(post.raw),
    }


def digest_of(source: str, native_id: str) -> str:
    """Name a removed post without keeping its id: SHA-256 of source and native id."""
    return hashlib.sha256(f"{source}\0{clean(native_id)}".encode()).hexdigest()


def _drop_buried(connection: Connection, source: str, unique: dict[str, Post]) -> None:
    digests = {digest_of(source, native_id): native_id for native_id in unique}
    wanted = list(digests)
    for start in range(0, len(wanted), _CHUNK):
        chosen = tombstones.c.digest.in_(wanted[start : start + _CHUNK])
        for digest in connection.scalars(sa.select(tombstones.c.digest).where(chosen)):
            del unique[digests[digest]]


def _save_edits(connection: Connection, source: str, known: Mapping[str, Post], now: datetime) -> dict[str, int]:
    """Update the posts whose text is another than the stored one; give native id → id of those."""
    edited: dict[str, int] = {}
    ids = list(known)
    for start in range(0, len(ids), _CHUNK):
        wanted = sa.select(posts.c.id, posts.c.native_id, posts.c.text).where(
            posts.c.source == source, posts.c.native_id.in_(ids[start : start + _CHUNK])
        )
        for row in connection.execute(wanted).all():
            post = known[row.native_id]
            if clean(post.text) != row.text:
                told = {name: value for name, value in _row(row.native_id, post).items() if value is not None}
                del told["published_at"]  # some platforms give an edited post a new time; it was said when it was said
                connection.execute(
                    posts.update().where(posts.c.id == row.id).values(**told, edited_at=now, cluster=None)
                )
                edited[row.native_id] = row.id
    return edited


def _mend_terms(connection: Connection, edited: Any, lines: Sequence[Mapping[str, Any]]) -> None:
    """Let the terms of an edited post point into its new text; a brand that it no longer names keeps its mention."""
    ids = list(edited)
    connection.execute(mentions.update().where(mentions.c.post_id.in_(ids)).values(terms=[]))
    for line in lines:
        if line["post_id"] in ids:
            same = sa.and_(mentions.c.post_id == line["post_id"], mentions.c.brand == line["brand"])
            connection.execute(mentions.update().where(same).values(terms=line["terms"]))


def _index(connection: Connection, ids: Sequence[int]) -> None:
    if ids:
        from listener.query.index import index_posts

        index_posts(connection, ids)


def _author_key(author: Author) -> str | None:
    key = (clean(author.native_id or author.handle or author.name) or "").casefold()
    return (key if len(key) <= _LONGEST else hashlib.sha256(key.encode()).hexdigest()) or None


def _save_authors(connection: Connection, source: str, found: Sequence[Post]) -> dict[str, int]:
    """Store authors once and refresh what the platform now tells of them; give key → id."""
    latest = {key: post.author for post in found if (key := _author_key(post.author))}
    if not latest:
        return {}
    rows = [
        {
            "source": source,
            "key": key,
            "native_id": clean(author.native_id),
            "handle": clean(author.handle),
            "name": clean(author.name),
            "bio": clean(author.bio),
            "url": clean(author.url),
            "verified": author.verified,
            "followers": author.followers,
        }
        for key, author in sorted(latest.items())
    ]
    saved = add_or_update(connection, authors, rows, ("source", "key"), keep_told=True)
    return {row.key: row.id for row in saved}


def _save_quota(connection: Connection, source: str, quota: Quota) -> None:
    from listener.clock import job_of

    told = {
        "left": quota.left,
        "limit": quota.limit,
        "resets_at": quota.resets_at.isoformat() if quota.resets_at else None,
    }
    connection.execute(jobs.update().where(jobs.c.name == job_of(source)).values(quota=told))
