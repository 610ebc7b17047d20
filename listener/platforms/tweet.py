"""Read posts of X's API v2, whichever way they came: search, stream, or looked up by their ids."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from listener.errors import Unreadable
from listener.mention import Author, Metrics, Post, Rejected
from listener.raw import dump, read_count, read_flag, read_moment, read_text, scrub, within
from listener.reason import N_

__all__ = ["Tweets", "fields", "id_at", "moment_of", "post_from", "read_list", "read_tweets"]

_EPOCH = 1288834974657  # milliseconds since 1970 at which X began to count its ids
_UNKNOWN_LANGUAGES = frozenset({"und", "zxx", "qam", "qct", "qht", "qme", "qst", "art"})
_POST_FIELDS = (
    *("author_id", "conversation_id", "created_at", "entities", "geo", "in_reply_to_user_id", "lang"),
    *("note_tweet", "public_metrics", "referenced_tweets"),
)
_USER_FIELDS = ("created_at", "description", "entities", "location", "public_metrics", "url", "verified")

_NO_TEXT = N_("a post without id or text")
_NO_TIME = N_("a post without a readable time")
_ERRORS_ONLY = N_("the answer holds errors and no posts")
_NO_PAGE = N_("the answer is not a page of posts")


def fields(authors: bool) -> dict[str, list[str]]:
    """Name what is asked for with each post; authors are charged for, so they may be left out.

    Posts that a post answers or quotes are not asked for: they would be charged too, and their ids come anyway.
    """
    asked = {
        "expansions": [*(["author_id"] if authors else []), "geo.place_id"],
        "tweet_fields": list(_POST_FIELDS),
        "place_fields": ["country_code"],
    }
    return asked | ({"user_fields": list(_USER_FIELDS)} if authors else {})


@dataclass(frozen=True, slots=True)
class Tweets:
    """Hold what one answer brought: posts, what could not be read, and every id and author that X charges for."""

    posts: tuple[Post, ...]
    rejected: tuple[Rejected, ...]
    ids: tuple[int, ...]
    users: frozenset[str]


def read_tweets(answer: Any, source: str) -> Tweets:
    """Read one page of a search; raises Unreadable when it is none. A post that cannot be read is kept aside."""
    data = within(answer, "data")
    if data is None and within(answer, "errors"):
        raise Unreadable(source, _ERRORS_ONLY, body=dump(answer).encode())
    if data is None and isinstance(within(answer, "meta"), Mapping):
        data = []
    if not isinstance(data, list):
        raise Unreadable(source, _NO_PAGE, body=dump(answer).encode())
    return read_list(data, answer, source)


def read_list(data: list[Any], answer: Any, source: str) -> Tweets:
    """Read posts with the authors and places that came beside them."""
    users, places = _by_id(within(answer, "includes", "users")), _by_id(within(answer, "includes", "places"))
    posts: list[Post] = []
    rejected: list[Rejected] = []
    ids: list[int] = []
    for number, raw in enumerate(data, 1):
        known = read_count(within(raw, "id"))
        ids += [known] if known is not None else []
        post = _read_tweet(raw, source, users, places, f"post {number}")
        if isinstance(post, Post):
            posts.append(post)
        else:
            rejected.append(post)
    return Tweets(tuple(posts), tuple(rejected), tuple(ids), frozenset(users))


def _read_tweet(
    raw: Any,
    source: str,
    users: Mapping[str, Mapping[str, Any]],
    places: Mapping[str, Mapping[str, Any]],
    position: str,
) -> Post | Rejected:
    """Give a post, or what says why it is none; never raises."""
    try:
        return post_from(raw, source=source, users=users, places=places)
    except Exception as error:  # noqa: BLE001 - a strange post is kept aside, the rest of its page goes on
        why = str(error) if str(error) in (_NO_TEXT, _NO_TIME) else _NO_TEXT
        known = read_count(within(raw, "id"))
        return Rejected(position if known is None else f"id {known}", why, dump(raw))


def post_from(
    raw: Mapping[str, Any],
    *,
    source: str,
    users: Mapping[str, Mapping[str, Any]] | None = None,
    places: Mapping[str, Mapping[str, Any]] | None = None,
) -> Post:
    """Make a Post of one tweet of API v2; ValueError (a catalogue sentence) when id, text or time cannot be read."""
    native_id = read_text(raw.get("id"))
    text = read_text(within(raw, "note_tweet", "text")) or read_text(raw.get("text"))
    if native_id is None or text is None:
        raise ValueError(_NO_TEXT)
    try:
        published = read_moment(raw.get("created_at")) or moment_of(native_id)
    except ValueError:
        published = moment_of(native_id)
    if published is None:
        raise ValueError(_NO_TIME)
    author_id = read_text(raw.get("author_id"))
    user: Mapping[str, Any] = (users or {}).get(author_id or "", {})
    handle = read_text(user.get("username"))
    counts = within(raw, "public_metrics")
    shares = [read_count(within(counts, name)) for name in ("retweet_count", "quote_count")]
    lang = (read_text(raw.get("lang")) or "").casefold()
    place = (places or {}).get(read_text(within(raw, "geo", "place_id")) or "")
    return Post(
        source=source,
        native_id=native_id,
        text=html.unescape(text),  # the API writes & < > as entities
        published_at=published,
        author=Author(
            handle=handle,
            name=read_text(user.get("name")),
            native_id=author_id,
            bio=read_text(user.get("description")),
            url=_profile_url(user),
            verified=read_flag(user.get("verified")),
            followers=read_count(within(user, "public_metrics", "followers_count")),
        ),
        url=f"https://x.com/{handle or 'i'}/status/{native_id}",
        lang=None if not lang or lang in _UNKNOWN_LANGUAGES else lang.partition("-")[0],
        country=read_text(within(place, "country_code")),
        in_reply_to=_replied_to(raw),
        thread=read_text(raw.get("conversation_id")),
        metrics=Metrics(
            likes=read_count(within(counts, "like_count")),
            replies=read_count(within(counts, "reply_count")),
            shares=None if shares == [None, None] else sum(count or 0 for count in shares),
            views=read_count(within(counts, "impression_count")),
        ),
        raw={"tweet": scrub(raw), "user": scrub(user)},
    )


def _profile_url(user: Mapping[str, Any]) -> str | None:
    """Give the website of a profile: the real one, since X shows its own short link."""
    links = within(user, "entities", "url", "urls")
    first = links[0] if isinstance(links, list) and links else None
    url = read_text(within(first, "expanded_url")) or read_text(user.get("url"))
    return url if url is not None and url.startswith(("https://", "http://")) else None


def _replied_to(raw: Mapping[str, Any]) -> str | None:
    links = raw.get("referenced_tweets")
    for link in links if isinstance(links, list) else ():
        if within(link, "type") == "replied_to":
            return read_text(within(link, "id"))
    return None


def moment_of(native_id: str | int) -> datetime | None:
    """Read the time out of an id: X counts milliseconds in its upper bits since November 2010."""
    number = read_count(native_id)
    return datetime.fromtimestamp(((number >> 22) + _EPOCH) / 1000, UTC) if number and number > 2**22 * 10**7 else None


def id_at(moment: datetime) -> int:
    """Give the smallest id that a post of this moment may have."""
    return max(int(moment.timestamp() * 1000) - _EPOCH, 0) << 22


def _by_id(items: Any) -> dict[str, Mapping[str, Any]]:
    found = (item for item in items if isinstance(item, Mapping)) if isinstance(items, list) else ()
    return {key: item for item in found if (key := read_text(item.get("id"))) is not None}
