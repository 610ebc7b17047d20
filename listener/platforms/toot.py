"""Read statuses of Mastodon's API, whichever way they came: timeline, search, stream, or looked up by their ids."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from listener.feed import plain
from listener.mention import Author, Metrics, Post, Rejected
from listener.raw import dump, read_count, read_moment, read_text, scrub, within
from listener.reason import N_

__all__ = ["Toots", "earlier", "moment_of", "post_from", "read_toots", "was_heard"]

_SNOWFLAKE = 17  # digits at least: Mastodon's ids hold milliseconds in all but their last 16 bits
_OPEN = frozenset({"public", "unlisted"})

_NO_ID = N_("a post without id or text")
_NO_TIME = N_("a post without a readable time")


@dataclass(frozen=True, slots=True)
class Toots:
    """Hold what one answer brought: posts, what could not be read, and the ids of all of it, the newest last."""

    posts: tuple[Post, ...]
    rejected: tuple[Rejected, ...]
    ids: tuple[str, ...]


def post_from(raw: Mapping[str, Any], *, source: str, host: str) -> Post:
    """Make a Post of a status; `host` is the server that was asked, whose own accounts are told without it.

    The content warning stands before the text; the text of a boost is the boosted one. Raises ValueError (a catalogue
    sentence) when id, author or time cannot be read.
    """
    native_id = read_text(raw.get("id"))
    said = raw.get("reblog") if isinstance(raw.get("reblog"), Mapping) else raw
    account = raw.get("account")
    if native_id is None or not isinstance(said, Mapping) or not isinstance(said.get("content"), str):
        raise ValueError(_NO_ID)
    try:
        published = read_moment(raw.get("created_at"))
    except ValueError:
        published = None
    if published is None:
        raise ValueError(_NO_TIME)
    handle = read_text(within(account, "acct")) or read_text(within(account, "username"))
    warning = " ".join((read_text(said.get("spoiler_text"), 5000) or "").split())
    return Post(
        source=source,
        native_id=native_id,
        text="\n".join(part for part in (warning, plain(said["content"])) if part),
        published_at=published,
        author=Author(
            handle=f"{handle}@{host}" if handle and "@" not in handle else handle,
            name=read_text(within(account, "display_name")) or read_text(within(account, "username")),
            native_id=read_text(within(account, "id")),
            bio=plain(within(account, "note")) or None,
            url=_address(within(account, "url")),
            followers=read_count(within(account, "followers_count")),
        ),
        url=_address(raw.get("url")) or _address(raw.get("uri")),
        lang=(read_text(said.get("language")) or "").replace("_", "-").partition("-")[0].casefold()[:3] or None,
        in_reply_to=read_text(raw.get("in_reply_to_id")),
        metrics=Metrics(
            likes=read_count(raw.get("favourites_count")),
            replies=read_count(raw.get("replies_count")),
            shares=_sum(raw.get("reblogs_count"), raw.get("quotes_count")),
        ),
        raw=scrub(raw),
    )


def _sum(*values: Any) -> int | None:
    counts = [count for value in values if (count := read_count(value)) is not None]
    return sum(counts) if counts else None


def _address(value: Any) -> str | None:
    text = read_text(value, 2000)
    return text if text is not None and text.startswith(("https://", "http://")) else None


def was_heard(raw: Any, *, reposts: bool) -> bool:
    """Tell whether a status is one to keep: said in public, and no boost unless those are wanted."""
    said_to = within(raw, "visibility")
    return (said_to is None or said_to in _OPEN) and (reposts or not isinstance(within(raw, "reblog"), Mapping))


def read_toots(statuses: Iterable[Any], *, source: str, host: str, reposts: bool) -> Toots:
    """Read a list of statuses; one that cannot be read is kept aside, one that is not public is left out."""
    posts: list[Post] = []
    rejected: list[Rejected] = []
    ids: list[str] = []
    for number, raw in enumerate(statuses, 1):
        known = read_text(within(raw, "id"), 100)
        ids += [known] if known is not None else []
        try:
            if not isinstance(raw, Mapping):
                raise TypeError("no object")
            if was_heard(raw, reposts=reposts):
                posts.append(post_from(raw, source=source, host=host))
        except Exception as error:  # noqa: BLE001 - a strange status is kept aside, the rest of its page goes on
            why = _NO_TIME if str(error) == _NO_TIME else _NO_ID
            rejected.append(Rejected(f"id {known}" if known is not None else f"post {number}", why, dump(raw)))
    return Toots(tuple(posts), tuple(rejected), tuple(sorted(set(ids), key=lambda one: (len(one), one))))


def earlier(native_id: str, time: timedelta) -> str:
    """Give the id that lies so much earlier; an id that holds no time (GoToSocial, Pleroma) comes back as it is."""
    if not (native_id.isascii() and native_id.isdigit() and _SNOWFLAKE <= len(native_id) <= 19):
        return native_id
    return str(max(int(native_id) - (int(time.total_seconds() * 1000) << 16), 0))


def moment_of(native_id: str) -> datetime | None:
    """Read the time out of an id; None where it holds none."""
    if not (native_id.isascii() and native_id.isdigit() and _SNOWFLAKE <= len(native_id) <= 19):
        return None
    return read_moment((int(native_id) >> 16) / 1000)
