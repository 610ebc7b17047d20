"""Hear what is said on a Facebook page of your own: comments, posts of visitors, mentions of the page.

Needs an app of Meta's with Advanced Access to pages_read_engagement, pages_read_user_content and pages_manage_metadata,
the page's key, and an https address that Meta can call. Costs nothing; requests are limited by the hour. It sees your
own page only: Facebook offers no search, names of commenters only to apps that may read them, no private messages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import Field

from listener.mention import Author, Brand, Metrics, Page, Post, Rejected
from listener.platforms.calls import NOT_OURS, Call, Change, moment_of, read_changes
from listener.platforms.catchup import OVERLAP, Ask, Found, Plan, catch_up
from listener.platforms.graph import GraphSettings, next_of
from listener.platforms.graphaccount import NO_TEXT, NO_TIME, GraphAccount, set_aside
from listener.raw import dump, read_count, read_text, within

__all__ = ["Settings", "Source", "post_from"]

_COMMENT = "id,message,created_time,from{id,name},parent{id},permalink_url,like_count,comment_count,attachment{type}"
_POST = "id,message,created_time,from{id,name},permalink_url,shares,status_type,attachments{type}"
_NEWEST = {"filter": "stream", "order": "reverse_chronological"}  # answers to comments too, one list
_COMMENTS_A_PAGE = 50
_A_LOOK_UP = 50
# Before the id of what stands on somebody else's page: a key that may not read there cannot tell that it is gone.
_ELSEWHERE = "mention:"
_KEPT = ("id", "created_time", "updated_time", "permalink_url", "status_type", "parent", "is_hidden")
_KEPT_OF_CALLS = ("post_id", "comment_id", "parent_id", "created_time", "item", "verb", "is_hidden", "published")
_ADDED, _CHANGED, _REMOVED = (
    frozenset({"add"}),
    frozenset({"edit", "edited", "update"}),
    frozenset({"remove", "delete"}),
)
_WRITTEN = frozenset({"comment", "post", "status", "photo", "video", "share", "link", "note", "album", "story"})


class Settings(GraphSettings):
    """Say which page is heard, and with which keys."""

    page_id: str = Field(pattern=r"^\d{1,32}$", description="the page's number (Page, About, Page transparency)")


def post_from(raw: Mapping[str, Any], *, source: str, about: str | None = None, thread: str | None = None) -> Post:
    """Make a Post of a post or comment of the Graph API; ValueError (a catalogue sentence) when it cannot be read.

    One without words (a photo, a sticker) reads "[photo]". `thread` is the post under which a comment stands.
    """
    url = read_text(raw.get("permalink_url"), 2048)
    native_id = read_text(raw.get("id"), 200) or _id_in(url)
    kinds = (within(raw, "attachment", "type"), within(_first(within(raw, "attachments", "data")), "type"))
    text = read_text(raw.get("message")) or _named(next((kind for kind in kinds if read_text(kind)), None))
    if native_id is None or text is None:
        raise ValueError(NO_TEXT)
    published = moment_of(raw.get("created_time"))
    if published is None:
        raise ValueError(NO_TIME)
    parent = read_text(within(raw, "parent", "id"), 200) or thread
    return Post(
        source=source,
        native_id=native_id,
        text=text,
        published_at=published,
        author=_author(raw.get("from")),
        url=url if url is not None and url.startswith("https://") else None,
        in_reply_to=parent if parent != native_id else None,
        thread=thread or native_id,
        metrics=Metrics(
            likes=read_count(raw.get("like_count")),
            replies=read_count(raw.get("comment_count")),
            shares=read_count(within(raw, "shares", "count")),
        ),
        about=about,
        # Not kept whole: the addresses in it hold the key, and the people in it are not the author.
        raw={name: raw[name] for name in _KEPT if name in raw},
    )


def _author(told: Any) -> Author:
    return Author(name=read_text(within(told, "name"), 200), native_id=read_text(within(told, "id"), 200))


def _first(items: Any) -> Any:
    return items[0] if isinstance(items, list) and items else None


def _named(kind: Any) -> str | None:
    """Give "[photo]" for what was posted without words, so that somebody looks at it."""
    name = read_text(kind, 40)
    return None if name is None else f"[{name.strip().casefold()}]"


def _id_in(url: str | None) -> str | None:
    """Read the id of a comment out of its address, for answers that leave it out: POST_COMMENT."""
    try:
        parts = urlsplit(url or "")
        told = parse_qs(parts.query)
    except ValueError:
        return None
    number = (told.get("reply_comment_id") or told.get("comment_id") or [""])[0]
    post = next((part for part in reversed(parts.path.split("/")) if part.isdigit()), "")
    return f"{post}_{number}" if post and number.isdigit() else None


class Source(GraphAccount[Settings]):
    """Hear a page: Meta's calls as they come, and what they missed at each poll."""

    @property
    def _feed(self) -> str:
        return f"{self.settings.page_id}/feed"

    @property
    def _page(self) -> str:
        # posts are named PAGE_POST, comments POST_COMMENT, and have other fields
        return f"{self.settings.page_id}_"

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield what stands on the page and under its posts since the cursor, newest first."""
        plan = Plan((self._feed,), self._params, self._read, self.settings.days, self.settings.max_pages)
        with self._graph() as graph:
            yield from catch_up(graph, plan, cursor, self._now())

    def _params(self, path: str) -> dict[str, str | int]:
        if path != self._feed:
            return {"fields": _COMMENT, "limit": _COMMENTS_A_PAGE, **_NEWEST}
        order = "".join(f".{name}({value})" for name, value in _NEWEST.items())
        return {
            "fields": f"{_POST},comments{order}.limit({_COMMENTS_A_PAGE}){{{_COMMENT}}}",
            "limit": self.settings.page_size,
            "since": int((self._now() - timedelta(days=self.settings.days)).timestamp()),
        }

    def _read(self, ask: Ask, body: Mapping[str, Any], since: datetime) -> Found:
        """Read a page of posts with their newest comments, or a page of comments of one post."""
        posts: list[Post] = []
        rejected: list[Rejected] = []
        asks: list[Ask] = []
        if ask.path != self._feed:
            asks += self._comments(body, ask.path.partition("/")[0], since, posts, rejected)
            return Found(posts, rejected, asks)
        for number, raw in enumerate(body["data"], 1):
            self._add(raw, None, f"post {number}", posts, rejected)
            if isinstance(within(raw, "comments", "data"), list) and (known := read_text(raw.get("id"), 200)):
                asks += self._comments(raw["comments"], known, since, posts, rejected)
        moments = [moment for raw in body["data"] if (moment := moment_of(within(raw, "created_time")))]
        over = bool(moments) and max(moments) < self._now() - timedelta(days=self.settings.days)
        token = None if over else next_of(body, self.name)
        return Found(posts, rejected, [*asks, *([Ask(self._feed, token)] if token else [])])

    def _comments(
        self, edge: Any, post: str, since: datetime, posts: list[Post], rejected: list[Rejected]
    ) -> list[Ask]:
        """Read the comments of a post; give the request for older ones, unless these are older than `since` already."""
        oldest: datetime | None = None
        for number, raw in enumerate(edge["data"], 1):
            self._add(raw, post, f"post {post}, comment {number}", posts, rejected)
            moment = moment_of(within(raw, "created_time"))
            oldest = min(oldest or moment, moment) if moment else oldest
        token = next_of(edge, self.name)
        return [Ask(f"{post}/comments", token)] if token and (oldest is None or oldest > since - OVERLAP) else []

    def _add(self, raw: Any, thread: str | None, place: str, posts: list[Post], rejected: list[Rejected]) -> None:
        try:
            post = post_from(raw, source=self.name, about=self.settings.brand, thread=thread)
        except Exception as error:  # noqa: BLE001 - a strange item is kept aside, the rest of its page goes on
            rejected.append(set_aside(raw, error, place, ("message", *_KEPT)))
            return
        if self.settings.own_posts or post.author.native_id != self.settings.page_id:
            posts.append(post)

    def receive(self, body: bytes) -> Page:
        """Read a call: comments, posts and mentions that were written, edited or removed."""
        changes, rejected = read_changes(body, "page")
        posts: list[Post] = []
        gone: list[str] = []
        first: set[str] = set()
        for change in changes:
            try:
                self._hear(change, posts, gone, first, rejected)
            except Exception:  # noqa: BLE001 - a strange change is kept aside, the rest of its call goes on
                rejected.append(Rejected(change.position, NO_TEXT, dump(change.value)))
        return Call(tuple(posts), rejected=tuple(rejected), gone=tuple(gone), first=frozenset(first))

    def _hear(
        self, change: Change, posts: list[Post], gone: list[str], first: set[str], rejected: list[Rejected]
    ) -> None:
        value, verb = change.value, change.value.get("verb")
        item = read_text(value.get("item"), 40) or "post"
        if change.field not in ("feed", "mention") or item not in _WRITTEN or verb not in _ADDED | _CHANGED | _REMOVED:
            return  # likes and reactions, a post that was hidden: nobody said anything
        if change.account != self.settings.page_id:
            rejected.append(Rejected(f"account {change.account}", NOT_OURS, change.field))
            return
        comment, post_id = read_text(value.get("comment_id"), 200), read_text(value.get("post_id"), 200)
        native_id = comment if item == "comment" or comment else post_id
        if native_id is not None and change.field == "mention" and not (post_id or "").startswith(self._page):
            native_id = _ELSEWHERE + native_id
        if verb in _REMOVED and native_id is not None:
            gone.append(native_id)
            return
        told = {
            "id": native_id,
            "message": value.get("message"),
            "created_time": value.get("created_time") if verb in _ADDED else None,
            "from": value.get("from") or {"id": value.get("sender_id"), "name": value.get("sender_name")},
            "parent": {"id": value.get("parent_id") or post_id},
            "permalink_url": within(value, "post", "permalink_url"),
        }
        if told["created_time"] is None:
            told["created_time"] = value.get("created_time") or (change.at or self._now()).timestamp()
        attached = next((name for name in ("photo", "video", "link") if value.get(name)), None)
        if read_text(told["message"]) is None and (attached or item != "comment"):
            told["attachment"] = {"type": attached or item}
        if within(told, "from", "id") == self.settings.page_id and not self.settings.own_posts:
            return
        if value.get("published") == 0:
            return  # a draft
        try:
            post = post_from(told, source=self.name, about=self.settings.brand, thread=post_id)
        except ValueError as error:
            kept = {name: value[name] for name in _KEPT_OF_CALLS if name in value}
            rejected.append(Rejected(f"id {native_id}" if native_id else change.position, str(error), dump(kept)))
            return
        posts.append(post)
        if verb in _ADDED:
            first.add(post.native_id)

    def recheck(self, native_ids: Sequence[str]) -> Iterator[Page]:
        """Ask which posts and comments are still there; raises a SourceError when the key may not read the page."""
        ours = [one for one in native_ids if not one.startswith(_ELSEWHERE)]
        asked = (
            ([one for one in ours if not one.startswith(self._page)], _COMMENT),
            ([one for one in ours if one.startswith(self._page)], _POST),
        )
        with self._graph() as graph:
            # A key that lost its permissions sees nothing at all, which must not read as "all was deleted".
            graph.get(self._feed, {"fields": "id,from{id},comments.limit(1){id}", "limit": 1})
            for ids, fields in asked:
                for start in range(0, len(ids), _A_LOOK_UP):
                    there, gone = graph.look_up(ids[start : start + _A_LOOK_UP], fields)
                    posts: list[Post] = []
                    for known, raw in there.items():
                        self._add({**raw, "id": known}, None, f"id {known}", posts, [])
                    # The thread was told when it was heard; here it is not.
                    yield Page(tuple(replace(one, thread=None, in_reply_to=None) for one in posts), gone=tuple(gone))

    def probe(self) -> None:
        """Ask for the page's name; raise a SourceError."""
        with self._graph() as graph:
            graph.get(self.settings.page_id, {"fields": "id,name"})
