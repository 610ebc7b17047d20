"""Read what somebody published on Reddit, a submission or a comment, and tell when it is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from listener.mention import Author, Metrics, Post
from listener.raw import read_count, read_moment, read_text, scrub, within
from listener.reason import N_

__all__ = ["KINDS", "NO_ID", "SITE", "is_gone", "post_from"]

KINDS = ("t1", "t3")  # comment, submission
SITE = "https://www.reddit.com"
NO_ID = N_("an item without id or time")
_GONE = frozenset({"[removed]", "[deleted]", "[ removed by reddit ]"})


def post_from(raw: Mapping[str, Any], *, source: str) -> Post:
    """Make a Post of a submission or comment as Reddit's JSON gives it ({"kind": "t3", "data": {…}}).

    A removed text is left out: of a submission the title stays, of a comment nothing but its place in the thread.
    Raises ValueError (a catalogue sentence) when id or time cannot be read.
    """
    data = raw.get("data")
    own_id = read_text(within(data, "id"))
    try:
        published = read_moment(within(data, "created_utc"))
    except ValueError:
        published = None
    if not isinstance(data, Mapping) or own_id is None or published is None:
        raise ValueError(NO_ID)
    comment = raw.get("kind") == "t1"
    native_id = read_text(data.get("name")) or f"{raw.get('kind')}_{own_id}"
    body = read_text(data.get("body" if comment else "selftext")) or ""
    title = "" if comment else read_text(data.get("title")) or ""
    link = read_text(data.get("permalink"))
    handle = read_text(data.get("author"))
    known = handle is not None and handle not in _GONE
    return Post(
        source=source,
        native_id=native_id,
        text="\n".join(part for part in (title, "" if body.strip().casefold() in _GONE else body) if part),
        published_at=published,
        author=Author(handle, handle, read_text(data.get("author_fullname")), url=f"{SITE}/user/{handle}/")
        if known
        else Author(),
        url=SITE + link if link is not None and link.startswith("/") else None,
        in_reply_to=read_text(data.get("parent_id")) if comment else None,
        thread=read_text(data.get("link_id")) if comment else native_id,
        metrics=Metrics(
            likes=None if data.get("score_hidden") or data.get("hide_score") else read_count(data.get("score")),
            replies=read_count(data.get("num_comments")),
            shares=read_count(data.get("num_crossposts")),
        ),
        raw=scrub({key: value for key, value in data.items() if key != "replies"}),  # replies are posts of their own
    )


def is_gone(raw: Mapping[str, Any]) -> bool:
    """Tell whether a submission or comment was deleted or removed, or its author's account was.

    Reddit wants nothing kept that names an account that is deleted, so its posts count as gone too.
    """
    data = raw.get("data")
    texts = (within(data, name) for name in ("body", "selftext", "author"))
    if any((read_text(text) or "").strip().casefold() in _GONE for text in texts):
        return True
    return read_text(within(data, "removed_by_category")) is not None
