"""Hear every public post of Bluesky and keep those that name a brand, or search for them.

Libraries: websockets and atproto. Jetstream, the network's public stream, needs no key; search needs an account and an
app password. Nothing is paid. It sees public posts only, which all posts there are; Jetstream tells edits and deletions
as they happen, goes back about a day, and knows authors by number only (their profiles are looked up, without a key).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from listener.address import WebAddress
from listener.duration import Span
from listener.errors import SourceError, Unreadable
from listener.mention import Author, Brand, Hole, Page, Post, Rejected
from listener.platforms.blueskyclient import BlueskyClient, open_bluesky
from listener.platforms.blueskypost import COLLECTION, NO_ID, NO_TIME, Commit, author_from, post_from, read_commit
from listener.platforms.jetstream import hear, open_jetstream
from listener.platforms.stretch import Found, Stretches
from listener.question import ask_platform
from listener.raw import dump, read_count, read_state, read_text, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    from listener.egress import Egress

__all__ = ["Settings", "Source"]

_AGAIN = 5_000_000  # microseconds of the stream that each poll hears again
_AHEAD = timedelta(minutes=1)
_GAP = timedelta(minutes=5)  # the network is never silent for so long
_OVERLAP = timedelta(minutes=10)  # posts reach the search index late
_MOST_STRANGE = 50  # of one poll; more is no stream of posts
_LOOKED_UP = 25  # posts or profiles a request

_NO_PAGE = N_("the answer is not a page of posts")
_NO_EVENT = N_("a line of the stream that is no post")
_TOO_OLD = N_("the stream does not go back so far; what was said before was not read")
_FREE = N_("Bluesky charges nothing; Jetstream is one connection.")
_COST = N_("Bluesky charges nothing; this source makes up to {requests} requests a poll.")


class Settings(BaseModel):
    """Say whether Bluesky is heard or searched, and with which account."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["jetstream", "search"] = Field(
        "jetstream", description="jetstream: everything, live, without a key; search: every name, with an account"
    )
    handle: str | None = Field(None, description="for search: your account, without @: nitido.bsky.social")
    app_password: SecretStr | None = Field(
        None, description='for search: an app password, never the account\'s own: "env:BLUESKY_APP_PASSWORD"'
    )
    listen: Span = Field(timedelta(seconds=50), description="how long a poll of jetstream listens")
    profiles: bool = Field(default=True, description="jetstream: look up names and followers of those who name a brand")
    page_size: int = Field(100, ge=1, le=100, description="search: posts a page")
    max_pages: int = Field(5, ge=1, le=100, description="search: pages a name, and poll")
    stream_url: str = Field(
        "wss://jetstream2.us-east.bsky.network/subscribe", description="another Jetstream, or a test server"
    )
    base_url: WebAddress = Field(
        "https://bsky.social", description="the server of the account: another one, a test server"
    )
    public_url: WebAddress = Field(
        "https://public.api.bsky.app", description="where profiles and posts are looked up without a key"
    )

    @field_validator("stream_url")
    @classmethod
    def _socket(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("wss", "ws") or not parts.hostname or parts.query or "@" in parts.netloc:
            raise ValueError(f"'{url}' is not an address that starts with wss://")
        return url

    @model_validator(mode="after")
    def _keyed(self) -> Settings:
        if self.mode == "search" and (self.handle is None or self.app_password is None):
            raise ValueError('mode "search" needs handle and app_password')
        return self


def _now() -> datetime:
    return datetime.now(UTC)


class Source:
    """Hear the stream from where the last poll stopped, or search, newest first."""

    def __init__(self, name: str, settings: Settings, egress: Egress, *, now: Callable[[], datetime] = _now) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield what names a brand: off the stream while it listens, or page by page of every search."""
        state = read_state(cursor)
        if not brands:
            return
        if self.settings.mode == "search":
            yield from self._search(brands, state)
        else:
            yield from self._hear(brands, read_count(state.get("jetstream", {}).get("time_us")))

    # ---- search

    def _search(self, brands: Sequence[Brand], known: dict[str, dict[str, Any]]) -> Iterator[Page]:
        asked = _questions(brands)
        state = {key: known[key] for key in asked if key in known}
        stretches = Stretches(self.name, self._now, self.settings.max_pages, _OVERLAP)
        with self._client() as client:
            for question in asked:
                yield from stretches.read(partial(self._ask, client, question), question, state)

    def _ask(
        self, client: BlueskyClient, question: str, low: datetime | None, high: datetime | None, token: str | None
    ) -> Found:
        asked: dict[str, Any] = {"q": question, "sort": "latest", "limit": self.settings.page_size}
        asked |= {"since": _written(low)} if low is not None else {}
        # The search leaves out the moment itself, in which there may be more.
        asked |= {"until": _written(high + timedelta(milliseconds=1))} if high is not None else {}
        asked |= {"cursor": token} if token is not None else {}
        answer = client.get("app.bsky.feed.searchPosts", asked)
        page = self._page(answer, client)
        return Found(page, read_text(answer.get("cursor")))

    def _page(self, answer: Mapping[str, Any], client: BlueskyClient) -> Page:
        views = answer.get("posts")
        if not isinstance(views, list):
            raise Unreadable(self.name, _NO_PAGE, body=dump(answer).encode())
        posts: list[Post] = []
        rejected: list[Rejected] = []
        for number, raw in enumerate(views, 1):
            try:
                posts.append(post_from(raw, source=self.name))
            except Exception as error:  # noqa: BLE001 - a strange post is kept aside, the rest of its page goes on
                why = NO_TIME if str(error) == NO_TIME else NO_ID
                rejected.append(Rejected(read_text(within(raw, "uri"), 200) or f"post {number}", why, dump(raw)))
        return Page(tuple(posts), None, tuple(rejected), quota=client.quota(self._now()))

    # ---- Jetstream

    def _hear(self, brands: Sequence[Brand], last: int | None) -> Iterator[Page]:
        from listener.match import Matcher

        matcher = Matcher(brands)
        handles: dict[str, str] = {}
        strange, since = 0, last
        asked = None if last is None else max(last - _AGAIN, 0)
        with open_jetstream(self._egress, self.settings.stream_url, self.name, COLLECTION, asked) as line:
            for batch in hear(line, self.name, self.settings.listen.total_seconds()):
                commits, rejected = self._commits(batch)
                strange += len(rejected)
                handles |= dict(commit.named for commit in commits if commit.named is not None)
                posts = [commit.post for commit in commits if commit.post is not None]
                named = zip(posts, matcher.mentions_many(posts), strict=True)
                kept = self._with_profiles([post for post, mentions in named if mentions], handles)
                gone = tuple(dict.fromkeys(commit.gone for commit in commits if commit.gone is not None))
                holes = _hole(since, commits)
                since = None if commits else since
                # A time from the future would be asked for again and again, and bring nothing.
                latest = int((self._now() + _AHEAD).timestamp() * 1_000_000)
                last = min(max([*(commit.at for commit in commits), last or 0]), latest)
                cursor = json.dumps({"jetstream": {"time_us": last}}) if commits else None
                posts_left = tuple(post for post in kept if post.native_id not in gone)
                yield Page(posts_left, cursor, rejected, gone, holes)
                if strange > _MOST_STRANGE:
                    raise Unreadable(self.name, _NO_PAGE)

    def _commits(self, batch: Sequence[str | bytes]) -> tuple[list[Commit], tuple[Rejected, ...]]:
        commits: list[Commit] = []
        rejected: list[Rejected] = []
        for line in batch:
            event: Any = None
            try:
                event = json.loads(line)
                commits.append(read_commit(event, source=self.name))
            except Exception:  # noqa: BLE001 - a strange event is kept aside, the stream goes on
                body = line if isinstance(line, str) else line.decode("utf-8", "replace")
                at = read_text(within(event, "time_us"), 40) or "?"
                rejected.append(Rejected(f"event {at}", _NO_EVENT, body[:65536]))
        return commits, tuple(rejected)

    def _with_profiles(self, posts: list[Post], handles: Mapping[str, str]) -> list[Post]:
        """Give the posts with their authors' names; where these cannot be had, the post is as good without them."""
        known: dict[str, Author] = {}
        if posts and self.settings.profiles:
            dids = list(dict.fromkeys(post.author.native_id for post in posts if post.author.native_id))
            try:
                with open_bluesky(self._egress, self.name, self.settings.public_url) as client:
                    for start in range(0, len(dids), _LOOKED_UP):
                        asked = {"actors": dids[start : start + _LOOKED_UP]}
                        known |= _authors(client.get("app.bsky.actor.getProfiles", asked))
            except SourceError:
                pass  # a server that is away must not hold up the stream
        return [_signed(post, known, handles) for post in posts]

    # ---- the rest

    def recheck(self, native_ids: Sequence[str]) -> Iterator[Page]:
        """Look the posts up, 25 a request: those that are not given back are gone."""
        asked = [one for one in native_ids if one.startswith("at://")]
        with self._client() as client:
            for start in range(0, len(asked), _LOOKED_UP):
                wanted = asked[start : start + _LOOKED_UP]
                page = self._page(client.get("app.bsky.feed.getPosts", {"uris": wanted}), client)
                told = {post.native_id for post in page.posts} | {item.position for item in page.rejected}
                yield replace(page, gone=tuple(one for one in wanted if one not in told))

    def hosts(self) -> frozenset[str]:
        """Name the hosts of the stream and of the look-ups, or of the account's server."""
        host, public, stream = (
            urlsplit(url).hostname or ""
            for url in (self.settings.base_url, self.settings.public_url, self.settings.stream_url)
        )
        if self.settings.mode == "jetstream":
            return frozenset({stream, public})
        # An account of bsky.social lives on one of many servers below this name, which the login tells.
        return frozenset({host} | ({".host.bsky.network"} if host == "bsky.social" else set()))

    def probe(self) -> None:
        """Connect to the stream, or search for one post; raise a SourceError."""
        if self.settings.mode == "jetstream":
            with open_jetstream(self._egress, self.settings.stream_url, self.name, COLLECTION, None):
                return
        with self._client() as client:
            self._page(client.get("app.bsky.feed.searchPosts", {"q": "bluesky", "limit": 1}), client)

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say what a poll costs, as a reason that can be worded in any language."""
        if self.settings.mode == "jetstream":
            return reason(_FREE)
        return reason(_COST, requests=len(_questions(brands)) * self.settings.max_pages)

    def _client(self) -> AbstractContextManager[BlueskyClient]:
        password = self.settings.app_password
        if self.settings.mode == "jetstream" or password is None:
            return open_bluesky(self._egress, self.name, self.settings.public_url)
        who = (self.settings.handle, password.get_secret_value())
        return open_bluesky(self._egress, self.name, self.settings.base_url, *who)


def _questions(brands: Sequence[Brand]) -> tuple[str, ...]:
    """List what is searched for: the search knows no OR, so each name, hashtag and handle is asked for by itself."""
    return ask_platform(brands, "bluesky").queries


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _hole(since: int | None, commits: Sequence[Commit]) -> tuple[Hole, ...]:
    """Tell what lies between the last event of the last poll and the first of this one, when that is long ago."""
    if since is None or not commits:
        return ()
    start, end = (datetime.fromtimestamp(at / 1_000_000, UTC) for at in (since, commits[0].at))
    return (Hole(start, end, _TOO_OLD),) if end - start > _GAP else ()


def _authors(answer: Mapping[str, Any]) -> dict[str, Author]:
    profiles = answer.get("profiles")
    found: dict[str, Author] = {}
    for raw in profiles if isinstance(profiles, list) else ():
        if (did := read_text(within(raw, "did"))) is not None:
            found[did] = author_from(raw, did)
    return found


def _signed(post: Post, known: Mapping[str, Author], handles: Mapping[str, str]) -> Post:
    did = post.author.native_id or ""
    author = known.get(did)
    if author is None and did in handles:
        author = replace(post.author, handle=handles[did], url=f"https://bsky.app/profile/{handles[did]}")
    return post if author is None else replace(post, author=author)
