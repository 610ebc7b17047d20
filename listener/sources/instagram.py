"""Hear what is said under your own Instagram posts: comments, answers to them, posts and comments that mention you.

Needs a professional account linked to a Facebook page, an app with Advanced Access to instagram_basic,
instagram_manage_comments and pages_manage_metadata, the page's key, and an https address that Meta can call. Costs
nothing; requests are limited by the hour. It sees nothing of private accounts, no stories, no private messages.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from listener.errors import NotAllowed, Refused, SourceError, Unreadable
from listener.mention import Author, Brand, Metrics, Page, Post, Rejected
from listener.platforms.calls import NOT_OURS, Call, Change, moment_of, read_changes
from listener.platforms.catchup import OVERLAP, Ask, Found, Plan, catch_up
from listener.platforms.graph import GraphSettings, next_of
from listener.platforms.graphaccount import NO_TEXT, NO_TIME, GraphAccount, set_aside
from listener.raw import dump, read_count, read_text, within
from listener.reason import N_

__all__ = ["Settings", "Source", "post_from"]

_COMMENT = "id,text,timestamp,username,from,user,parent_id,like_count,media{id,permalink}"
_MEDIA = "id,caption,timestamp,username,permalink,media_type,like_count,comments_count"
_SHOWN_COMMENT = "id,text,timestamp,username,like_count,media{id}"  # what is shown of others' words is less
_SHOWN_MEDIA = "id,caption,timestamp,username,media_type,like_count,comments_count"
_COMMENTS_A_PAGE = 50
_A_LOOK_UP = 50
# Before the id of what others posted: a key that may not read there cannot tell that it is gone.
_ELSEWHERE = "mention:"
_UNSEEN = frozenset({10, 100})  # codes of what this key may not see
_PATIENCE = 15.0  # seconds for every look-up of one call: Meta waits for our answer
_KEPT = ("id", "timestamp", "permalink", "media_type", "parent_id", "hidden", "media")

_NOT_SEEN = N_("a mention that the platform does not show: it was deleted, or its account is private")


class Settings(GraphSettings):
    """Say which account is heard, and with which keys."""

    account_id: str = Field(pattern=r"^\d{1,32}$", description="the number of the professional account")


def post_from(
    raw: Mapping[str, Any], *, source: str, about: str | None = None, media: Any = None, elsewhere: bool = False
) -> Post:
    """Make a Post of a comment or a post of the Graph API; ValueError (a catalogue sentence) when it cannot be read.

    A post without words reads "[image]". `media` is the post under which a comment stands; `elsewhere` tells that it
    is another account's.
    """
    native_id = read_text(raw.get("id"), 200)
    kind = read_text(raw.get("media_type"), 40)
    text = read_text(raw.get("text")) or read_text(raw.get("caption")) or (f"[{kind.casefold()}]" if kind else None)
    if native_id is None or text is None:
        raise ValueError(NO_TEXT)
    published = moment_of(raw.get("timestamp"))
    if published is None:
        raise ValueError(NO_TIME)
    under = raw.get("media") if isinstance(raw.get("media"), Mapping) else media
    thread = read_text(within(under, "id"), 200)
    url = read_text(raw.get("permalink") or within(under, "permalink"), 2048)
    handle = read_text(raw.get("username"), 200) or read_text(within(raw, "from", "username"), 200)
    return Post(
        source=source,
        native_id=_ELSEWHERE + native_id if elsewhere else native_id,
        text=text,
        published_at=published,
        author=Author(handle=handle, native_id=None if handle else read_text(within(raw, "from", "id"), 200)),
        url=url if url is not None and url.startswith("https://") else None,
        in_reply_to=read_text(raw.get("parent_id"), 200) or thread,
        thread=thread or native_id,
        metrics=Metrics(likes=read_count(raw.get("like_count")), replies=read_count(raw.get("comments_count"))),
        about=about,
        # Not kept whole: addresses in it hold the key, and those of pictures expire.
        raw={name: raw[name] for name in _KEPT if name in raw},
    )


class Source(GraphAccount[Settings]):
    """Hear an account: Meta's calls as they come, and what they missed at each poll."""

    @property
    def _own(self) -> str:
        return f"{self.settings.account_id}/media"

    @property
    def _tagged(self) -> str:
        return f"{self.settings.account_id}/tags"

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield comments under the account's posts, and posts in which it is tagged, since the cursor."""
        roots = (self._own, self._tagged)
        plan = Plan(roots, self._params, self._read, self.settings.days, self.settings.max_pages)
        with self._graph() as graph:
            yield from catch_up(graph, plan, cursor, self._now())

    def _params(self, path: str) -> dict[str, str | int]:
        replies = f"replies.limit({_COMMENTS_A_PAGE}){{{_COMMENT}}}"
        if path == self._tagged:
            return {"fields": _MEDIA, "limit": self.settings.page_size}
        if path == self._own:
            comments = f"comments.limit({_COMMENTS_A_PAGE}){{{_COMMENT},{replies}}}"
            return {"fields": f"{_MEDIA},{comments}", "limit": self.settings.page_size}
        both = f"{_COMMENT},{replies}" if path.endswith("/comments") else _COMMENT
        return {"fields": both, "limit": _COMMENTS_A_PAGE}

    def _read(self, ask: Ask, body: Mapping[str, Any], since: datetime) -> Found:
        """Read a page of own posts with their comments, of posts that tag the account, or of comments of one post."""
        posts: list[Post] = []
        rejected: list[Rejected] = []
        asks: list[Ask] = []
        if ask.path not in (self._own, self._tagged):
            asks += self._comments(body, ask.path, None, since, posts, rejected)
            return Found(posts, rejected, asks)
        for number, raw in enumerate(body["data"], 1):
            # What the account itself posts is no mention of it; its comments are.
            if ask.path == self._tagged or self.settings.own_posts:
                self._add(raw, None, f"post {number}", posts, rejected, elsewhere=ask.path == self._tagged)
            known = read_text(within(raw, "id"), 200)
            if known and isinstance(within(raw, "comments", "data"), list):
                asks += self._comments(raw["comments"], f"{known}/comments", raw, since, posts, rejected)
        moments = [moment for raw in body["data"] if (moment := moment_of(within(raw, "timestamp")))]
        over = bool(moments) and max(moments) < self._now() - timedelta(days=self.settings.days)
        token = None if over else next_of(body, self.name)
        return Found(posts, rejected, [*asks, *([Ask(ask.path, token)] if token else [])])

    def _comments(
        self, edge: Any, path: str, media: Any, since: datetime, posts: list[Post], rejected: list[Rejected]
    ) -> list[Ask]:
        """Read comments with their answers; give the requests for older ones, unless these are too old already."""
        asks: list[Ask] = []
        newest: list[datetime] = []
        for number, raw in enumerate(edge["data"], 1):
            self._add(raw, media, f"{path} {number}", posts, rejected)
            newest += [moment] if (moment := moment_of(within(raw, "timestamp"))) else []
            below, known = within(raw, "replies"), read_text(within(raw, "id"), 200)
            if known and isinstance(within(below, "data"), list):
                asks += self._comments(below, f"{known}/replies", media, since, posts, rejected)
        token = next_of(edge, self.name)
        # Answers stand oldest first, comments newest first.
        going = path.endswith("/replies") or not newest or min(newest) > since - OVERLAP
        return [*asks, Ask(path, token)] if token and going else asks

    def _add(
        self,
        raw: Any,
        media: Any,
        place: str,
        posts: list[Post],
        rejected: list[Rejected],
        *,
        elsewhere: bool = False,
    ) -> None:
        try:
            post = post_from(raw, source=self.name, about=self.settings.brand, media=media, elsewhere=elsewhere)
        except Exception as error:  # noqa: BLE001 - a strange item is kept aside, the rest of its page goes on
            rejected.append(set_aside(raw, error, place, ("text", *_KEPT)))
            return
        if self.settings.own_posts or not self._is_own(raw):
            posts.append(post)

    def _is_own(self, raw: Mapping[str, Any]) -> bool:
        """Tell whether the account itself wrote: Graph names the user, or marks the author, only then."""
        ids = (within(raw, "user", "id"), within(raw, "from", "id"))
        return self.settings.account_id in ids or bool(within(raw, "from", "self_ig_scoped_id"))

    def receive(self, body: bytes) -> Page:
        """Read a call: new comments, and mentions, whose words are looked up since Meta sends their ids only."""
        changes, rejected = read_changes(body, "instagram")
        posts: list[Post] = []
        again, deadline = False, time.monotonic() + _PATIENCE
        for change in changes:
            if change.field not in ("comments", "live_comments", "mentions"):
                continue
            if change.account != self.settings.account_id:
                rejected.append(Rejected(f"account {change.account}", NOT_OURS, change.field))
            elif change.field == "mentions":
                again = not self._look_up(change, posts, rejected, deadline) or again
            else:
                # A call names no time of its own; the moment it was sent is that of the comment.
                at = (change.at or self._now()).timestamp()
                self._add({**change.value, "timestamp": at}, None, change.position, posts, rejected)
        first = frozenset(post.native_id for post in posts)
        return Call(tuple(posts), rejected=tuple(rejected), first=first, again=again)

    def _look_up(self, change: Change, posts: list[Post], rejected: list[Rejected], deadline: float) -> bool:
        """Ask for the post or comment that mentions the account; False when Meta should tell us once more."""
        comment, media = (read_text(change.value.get(name), 200) for name in ("comment_id", "media_id"))
        known = comment or media
        if known is None or not known.isalnum():
            rejected.append(Rejected(change.position, NO_TEXT, dump(change.value)))
            return True
        left = deadline - time.monotonic()
        if left < 1:
            return False
        name, fields = ("mentioned_comment", _SHOWN_COMMENT) if comment else ("mentioned_media", _SHOWN_MEDIA)
        asked = f"{name}.{'comment' if comment else 'media'}_id({known}){{{fields}}}"
        try:
            with self._graph(timeout=(3.0, left / 2)) as graph:
                # A comment under a post of our own is told as a comment too, and must keep the one id.
                told: Any = graph.get(known, {"fields": _COMMENT}, spare=_UNSEEN).body if comment else None
                elsewhere = not told
                if elsewhere:
                    told = graph.get(self.settings.account_id, {"fields": asked}, spare=_UNSEEN).body.get(name)
        except (NotAllowed, Refused, Unreadable) as error:  # asking again would not help
            rejected.append(Rejected(f"mention {known}", str(error), dump(change.value)))
            return True
        except SourceError:
            return False
        if not isinstance(told, Mapping):
            rejected.append(Rejected(f"mention {known}", _NOT_SEEN, dump(change.value)))
            return True
        under = {"media": {"id": media}} if comment and media else {}
        self._add({**under, **told}, None, change.position, posts, rejected, elsewhere=elsewhere)
        return True

    def recheck(self, native_ids: Sequence[str]) -> Iterator[Page]:
        """Ask which comments are still there; raises a SourceError when the key may not read the account."""
        with self._graph() as graph:
            # A key that lost its permissions sees nothing at all, which must not read as "all was deleted".
            graph.get(self._own, {"fields": "id,comments.limit(1){id}", "limit": 1})
            ours = [one for one in native_ids if not one.startswith(_ELSEWHERE)]
            for start in range(0, len(ours), _A_LOOK_UP):
                there, gone = graph.look_up(ours[start : start + _A_LOOK_UP], "id,text,timestamp,username")
                posts: list[Post] = []
                for known, raw in there.items():
                    self._add({**raw, "id": known}, None, f"id {known}", posts, [])
                # The thread was told when it was heard; here it is not.
                yield Page(tuple(replace(one, thread=None, in_reply_to=None) for one in posts), gone=tuple(gone))

    def probe(self) -> None:
        """Ask for the account's name; raise a SourceError."""
        with self._graph() as graph:
            graph.get(self.settings.account_id, {"fields": "id,username"})
