"""Take a page in: find the brands it names, tag languages, and store all that it brought in the caller's transaction.

Collecting and webhooks both come through here, so that a post is treated the same however it arrives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from json.encoder import encode_basestring_ascii as _quote
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.authorship import LONGEST, author_key, save_authors
from listener.batch import insert_new, moment_form, read_among
from listener.database import add_new, add_or_update
from listener.match import Matcher
from listener.mention import Mention, Page, Post, Quota, Rejected
from listener.raw import compact, dump, scrub
from listener.reason import N_
from listener.store import add_quarantine, clean, cursors, holes, jobs, mentions, posts, tombstones

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["Intake", "Saved", "digest_of", "save_page"]

_TOLD = ("text", "url", "lang", "country", "in_reply_to", "thread", "likes", "replies", "shares", "views")
_COLUMNS = ("source", "native_id", "published_at", "author_id", "collected_at", *_TOLD, "raw")
_MENTION_KEYS = ("post_id", "brand")
_MENTIONED = (*_MENTION_KEYS, "kind", "terms", "source", "published_at", "hour")
_Stored = tuple[int, str | datetime]  # id of a post, and its time as `moment_form` writes it

_BURIED_ANY = sa.select(tombstones.c.digest).limit(1)

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
    strange = [post for post in found if len(post.native_id) > LONGEST]
    rejected = [*rejected, *(Rejected(f"id {post.native_id[:40]}", _TOO_LONG, dump(post.raw)) for post in strange)]
    unique = {clean(post.native_id) or "": post for post in found if len(post.native_id) <= LONGEST}
    _drop_buried(connection, source, unique)
    keys = {native_id: author_key(post.author) or "" for native_id, post in unique.items()}
    author_ids = save_authors(connection, source, {keys[one]: post.author for one, post in unique.items() if keys[one]})
    known = _read_known(connection, source, unique)
    fresh = {native_id: post for native_id, post in unique.items() if native_id not in known}
    new = _save_new(connection, source, fresh, {one: author_ids.get(keys[one]) for one in fresh}, now)
    if len(new) < len(fresh):  # another process of PostgreSQL stored the rest at the same moment
        known |= _read_known(connection, source, [native_id for native_id in fresh if native_id not in new])
    edited = _save_edits(connection, known, unique, now)
    added = _save_mentions(connection, source, heard, unique, new, edited)
    add_quarantine(connection, source, rejected, now)
    if cursor is not None:
        row = {"source": source, "value": cursor, "updated_at": now}
        add_or_update(connection, cursors, [row], ("source",))
    return Saved(len(new), added, tuple(edited.values()))


def _told(post: Post) -> tuple[Any, ...]:
    """Give the values of _TOLD."""
    metrics, url, lang, country, parent, thread = (
        post.metrics, post.url, post.lang, post.country, post.in_reply_to, post.thread,
    )  # fmt: skip
    return (
        clean(post.text), url and clean(url), lang and clean(lang), country and clean(country),
        parent and clean(parent), thread and clean(thread),
        metrics.likes, metrics.replies, metrics.shares, metrics.views,
    )  # fmt: skip


def _read_known(connection: Connection, source: str, native_ids: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Read which posts of a source are stored: native id → row id and text."""
    rows = read_among(connection, posts, ("native_id", "id", "text"), "native_id", native_ids, source)
    return {native_id: (id_, text) for native_id, id_, text in rows}


def _save_new(
    connection: Connection, source: str, fresh: Mapping[str, Post], author_ids: Mapping[str, int | None], now: datetime
) -> dict[str, _Stored]:
    """Store posts that are not known, with their words; give native id → row id and time of those that now are."""
    from listener.query.index import index_new

    moment = moment_form(connection)
    collected = moment(now)
    rows = [
        (
            source,
            native_id,
            moment(post.published_at),
            author_ids[native_id],
            collected,
            *_told(post),
            compact(post.raw),
        )
        for native_id, post in fresh.items()
    ]
    ids = insert_new(connection, posts, _COLUMNS, rows, ("source", "native_id"))
    new = [(id_, row) for id_, row in zip(ids, rows, strict=True) if id_ is not None]
    text = _COLUMNS.index("text")
    index_new(connection, [(id_, row[text]) for id_, row in new])
    return {row[1]: (id_, row[2]) for id_, row in new}


def _save_edits(
    connection: Connection, known: Mapping[str, tuple[int, str]], unique: Mapping[str, Post], now: datetime
) -> dict[str, int]:
    """Update the posts whose text is another than the stored one; give native id → id of those."""
    edited: dict[str, int] = {}
    for native_id, (id_, text) in known.items():
        post = unique[native_id]
        if clean(post.text) != text:
            # Its time stays: some platforms give an edited post a new one, but it was said when it was said.
            told = {name: value for name, value in zip(_TOLD, _told(post), strict=True) if value is not None}
            told |= {"raw": scrub(post.raw), "edited_at": now, "cluster": None}
            connection.execute(posts.update().where(posts.c.id == id_).values(**told))
            edited[native_id] = id_
    if edited:
        from listener.query.index import index_posts

        index_posts(connection, edited.values())
    return edited


def _save_mentions(
    connection: Connection,
    source: str,
    heard: Sequence[Mention],
    unique: Mapping[str, Post],
    new: Mapping[str, _Stored],
    edited: Mapping[str, int],
) -> int:
    """Store the mentions of new and edited posts; give how many are new."""
    # The same id twice in a page: what only the dropped post names is no mention of the kept one.
    kept = {id(post): native_id for native_id, post in unique.items()}
    rows: dict[tuple[int, str], tuple[Any, ...]] = {}
    lines: list[dict[str, Any]] = []
    asked = sa.select(posts.c.id, posts.c.published_at).where(posts.c.id.in_(list(edited.values())))
    times = {row.id: row.published_at for row in connection.execute(asked)} if edited else {}
    for mention in heard:
        post, brand = mention.post, mention.brand
        native_id = kept.get(id(post))
        if native_id is None:
            continue
        if native_id in new:
            post_id, at = new[native_id]
            if (post_id, brand) not in rows:
                row = (post_id, brand, mention.kind, _terms(mention), source, at, _hour(post))
                rows[post_id, brand] = row
        elif native_id in edited:
            line = {"post_id": edited[native_id], "brand": brand, "kind": mention.kind, "source": source}
            line["terms"] = [[term.start, term.end, clean(term.text)] for term in mention.terms]
            said = times[edited[native_id]]  # its post's own time, which an edit leaves
            lines.append(line | {"published_at": said, "hour": int(said.timestamp() // 3600)})
    insert_new(connection, mentions, _MENTIONED, list(rows.values()), _MENTION_KEYS)
    if not edited:
        return len(rows)
    added = add_new(connection, mentions, lines, _MENTION_KEYS)
    _mend_terms(connection, edited.values(), lines)
    return len(rows) + len(added)


def _hour(post: Post) -> int:
    return int(post.published_at.timestamp() // 3600)


def _terms(mention: Mention) -> str:
    """Write where a mention names the brand, as JSONText does."""
    told = [f"[{term.start},{term.end},{_quote(clean(term.text) or '')}]" for term in mention.terms]
    return f"[{','.join(told)}]"


def digest_of(source: str, native_id: str) -> str:
    """Name a removed post without keeping its id: SHA-256 of source and native id."""
    return hashlib.sha256(f"{source}\0{clean(native_id)}".encode()).hexdigest()


def _drop_buried(connection: Connection, source: str, unique: dict[str, Post]) -> None:
    if connection.execute(_BURIED_ANY).first() is None:  # most have never removed anything
        return
    digests = {digest_of(source, native_id): native_id for native_id in unique}
    for row in read_among(connection, tombstones, ("digest",), "digest", digests):
        del unique[digests[row.digest]]


def _mend_terms(connection: Connection, edited: Any, lines: Sequence[Mapping[str, Any]]) -> None:
    """Let the terms of an edited post point into its new text; a brand that it no longer names keeps its mention."""
    ids = list(edited)
    connection.execute(mentions.update().where(mentions.c.post_id.in_(ids)).values(terms=[]))
    for line in lines:
        if line["post_id"] in ids:
            same = sa.and_(mentions.c.post_id == line["post_id"], mentions.c.brand == line["brand"])
            connection.execute(mentions.update().where(same).values(terms=line["terms"]))


def _save_quota(connection: Connection, source: str, quota: Quota) -> None:
    from listener.clock import job_of

    told = {
        "left": quota.left,
        "limit": quota.limit,
        "resets_at": quota.resets_at.isoformat() if quota.resets_at else None,
    }
    connection.execute(jobs.update().where(jobs.c.name == job_of(source)).values(quota=told))
