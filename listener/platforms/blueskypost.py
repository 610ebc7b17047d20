"""Read posts of Bluesky, whichever way they came: as the AppView shows them, or as records off Jetstream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from listener.mention import Author, Metrics, Post
from listener.raw import read_count, read_moment, read_text, scrub, within
from listener.reason import N_

__all__ = ["COLLECTION", "NO_ID", "NO_TIME", "Commit", "author_from", "post_from", "read_commit", "uri_of"]

COLLECTION = "app.bsky.feed.post"

_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)  # what a program dates back further it does not mean
_FIRST, _LAST = 10**15, 4 * 10**15  # microseconds since 1970: the years 2001 and 2096

NO_ID = N_("a post without id or text")
NO_TIME = N_("a post without a readable time")


def uri_of(did: str, key: str) -> str:
    """Give the address of a post's record, by which every way of reading knows it."""
    return f"at://{did}/{COLLECTION}/{key}"


def post_from(raw: Mapping[str, Any], *, source: str) -> Post:
    """Make a Post of a post view (app.bsky.feed.defs#postView).

    Its time is the earlier of what the author's program wrote and when the network saw it, as Bluesky itself sorts.
    Raises ValueError (a catalogue sentence) when id, text or time cannot be read.
    """
    uri, record = read_text(raw.get("uri")), raw.get("record")
    author = raw.get("author")
    did = read_text(within(author, "did")) or _did_of(uri)
    if uri is None or not uri.startswith("at://") or not isinstance(record, Mapping) or did is None:
        raise ValueError(NO_ID)
    if not isinstance(record.get("text", ""), str):
        raise ValueError(NO_ID)
    published = _sorted_at(record.get("createdAt"), raw.get("indexedAt"))
    if published is None:
        raise ValueError(NO_TIME)
    who = author_from(author, did)
    shares = [read_count(raw.get(name)) for name in ("repostCount", "quoteCount")]
    languages = record.get("langs")
    tags = [read_text(tag) for tag in languages] if isinstance(languages, list) else []
    return Post(
        source=source,
        native_id=uri,
        text=read_text(record.get("text")) or "",
        published_at=published,
        author=who,
        url=f"{who.url}/post/{uri.rpartition('/')[2]}",
        # Several tags say what the author reads, not what this post is written in.
        lang=(tags[0] or "").partition("-")[0].casefold()[:3] or None if len(tags) == 1 else None,
        in_reply_to=read_text(within(record, "reply", "parent", "uri")),
        thread=read_text(within(record, "reply", "root", "uri")) or uri,
        metrics=Metrics(
            likes=read_count(raw.get("likeCount")),
            replies=read_count(raw.get("replyCount")),
            shares=None if shares == [None, None] else sum(count or 0 for count in shares),
        ),
        raw=scrub(raw),
    )


def author_from(raw: Any, did: str) -> Author:
    """Make an Author of a profile view (app.bsky.actor.defs); what is no profile gives the DID alone."""
    handle = read_text(within(raw, "handle"))
    handle = None if handle == "handle.invalid" else handle
    verified = within(raw, "verification", "verifiedStatus")
    return Author(
        handle=handle,
        name=read_text(within(raw, "displayName")),
        native_id=did,
        bio=read_text(within(raw, "description")),
        url=f"https://bsky.app/profile/{handle or did}",
        verified=verified == "valid" if isinstance(verified, str) else None,
        followers=read_count(within(raw, "followersCount")),
    )


def _did_of(uri: str | None) -> str | None:
    did = (uri or "").removeprefix("at://").partition("/")[0]
    return did if did.startswith("did:") else None


def _sorted_at(created: Any, indexed: Any) -> datetime | None:
    moments = []
    for value in (created, indexed):
        try:
            moment = read_moment(value)
        except ValueError:
            continue
        moments += [moment] if moment is not None and moment >= _OLDEST else []
    return min(moments, default=None)


@dataclass(frozen=True, slots=True)
class Commit:
    """Hold what one event of Jetstream says: a post written or changed, one taken away, or a handle that changed."""

    at: int  # microseconds since 1970, when the network saw it
    post: Post | None = None
    gone: str | None = None
    named: tuple[str, str] | None = None  # did, handle


def read_commit(event: Any, *, source: str) -> Commit:
    """Read one event (github.com/bluesky-social/jetstream); ValueError when it is none or its post cannot be read.

    Jetstream tells an author by DID only; account events and other collections give a Commit that holds nothing.
    """
    at = read_count(within(event, "time_us"))
    did = read_text(within(event, "did"))
    if at is None or not _FIRST < at < _LAST or did is None or not did.startswith("did:"):
        raise ValueError(NO_ID)
    commit = within(event, "commit")
    if within(event, "kind") == "identity":
        handle = read_text(within(event, "identity", "handle"))
        return Commit(at, named=(did, handle) if handle is not None else None)
    if not isinstance(commit, Mapping) or commit.get("collection") != COLLECTION:
        return Commit(at)
    key = read_text(commit.get("rkey"))
    if key is None:
        raise ValueError(NO_ID)
    if commit.get("operation") == "delete":
        return Commit(at, gone=uri_of(did, key))
    seen = datetime.fromtimestamp(at / 1_000_000, UTC).isoformat()
    view = {"uri": uri_of(did, key), "author": {"did": did}, "record": commit.get("record"), "indexedAt": seen}
    return Commit(at, post=post_from(view, source=source))
