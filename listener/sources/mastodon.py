"""Read hashtags of a Mastodon server, search it, or listen to it, for posts that name a brand.

Library: Mastodon.py. Hashtag timelines need no key on open servers; search and streaming need the token of an account
there. Nothing is paid; 300 requests in five minutes. It sees what this one server knows: its own people and those they
follow; no followers-only or direct posts, and search finds only authors who agreed to be found.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from listener.address import WebAddress, host_of
from listener.duration import Span
from listener.errors import SourceError, Unreadable
from listener.mention import Brand, Page
from listener.platforms.live import Live
from listener.platforms.mastodonclient import SILENCE, Event, MastodonClient
from listener.platforms.timeline import Read, Turn, rank
from listener.platforms.toot import Toots, read_toots
from listener.question import ask_platform
from listener.raw import dump, read_state, read_text, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    from listener.egress import Egress

__all__ = ["Settings", "Source"]

_STREAMS = ("stream", "public")

_NO_PAGE = N_("the answer is not a page of posts")
_COST = N_("Mastodon charges nothing; this source makes up to {requests} requests a poll.")

Ask = Callable[..., Any]  # the library and keywords of paging → the JSON of a page


class Settings(BaseModel):
    """Say which server is asked, in which way, and with which token."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: WebAddress = Field("https://mastodon.social", description="the server that is asked")
    mode: Literal["hashtags", "search", "stream", "public"] = Field(
        "hashtags",
        description="hashtags: their timelines, no token needed; search: every name; stream: hashtags, live; "
        "public: everything that the server sees, live, of which what names a brand is kept",
    )
    access_token: SecretStr | None = Field(
        None, description='for search, stream and public: the token of an account there: "env:MASTODON_TOKEN"'
    )
    hashtags: tuple[str, ...] = Field((), description="without #, beside those of the brands")
    reposts: bool = Field(default=False, description="true: boosts count as posts of their own")
    page_size: int = Field(40, ge=1, le=40, description="posts a page")
    max_pages: int = Field(5, ge=1, le=100, description="pages a hashtag or search, and poll")
    listen: Span = Field(timedelta(seconds=50), description="how long a poll of stream or public listens")

    @field_validator("hashtags")
    @classmethod
    def _tags(cls, tags: tuple[str, ...]) -> tuple[str, ...]:
        for tag in tags:
            if not _is_tag(tag.removeprefix("#")):
                raise ValueError(f"'{tag}' is not a hashtag; write it in one word, without #")
        return tuple(tag.removeprefix("#") for tag in tags)

    @model_validator(mode="after")
    def _keyed(self) -> Settings:
        if self.mode != "hashtags" and self.access_token is None:
            raise ValueError(f'mode "{self.mode}" needs access_token')
        return self


def _is_tag(tag: str) -> bool:
    return bool(tag) and tag.replace("_", "").isalnum()


def _now() -> datetime:
    return datetime.now(UTC)


class Source:
    """Read timelines forward from the last post read, so that none is passed over, however many there are."""

    def __init__(self, name: str, settings: Settings, egress: Egress, *, now: Callable[[], datetime] = _now) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now
        self._host = host_of(settings.base_url)

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield what is new page by page, then, in a streaming mode, what is said while it listens."""
        known = read_state(cursor)
        asked = self._asked(brands)
        state = {key: known[key] for key in asked if key in known}
        if not asked:
            return
        if self.settings.mode not in _STREAMS:
            yield from self._catch_up(asked, state)
            return
        clients = [self._client() for _ in (asked if self.settings.mode == "stream" else (0,))]
        chosen = self._chooser(brands)
        stops = [client.stop for client in clients]
        try:
            # The streams are opened first: what is said while older posts are read waits in them.
            with Live(self._streams(clients, list(asked)), stops) as live:
                yield from map(chosen, self._catch_up(asked, state))
                for events in live.batches(self.settings.listen.total_seconds()):
                    yield chosen(self._hear(events, state))
        finally:
            for one in clients:
                one.close()

    def _catch_up(self, asked: dict[str, Ask], state: dict[str, dict[str, Any]]) -> Iterator[Page]:
        with self._client() as client:
            turn = Turn(self._now, self.settings.max_pages, whole=self.settings.mode != "public")
            for key, ask in asked.items():
                way = turn.search if self.settings.mode == "search" else turn.read
                yield from way(partial(self._read, client, ask), key, state)

    def _read(self, client: MastodonClient, ask: Ask, **paging: Any) -> Read:
        answer = client.ask(lambda api: ask(api, **paging))
        statuses = within(answer, "statuses") if self.settings.mode == "search" else answer
        if not isinstance(statuses, list):
            raise Unreadable(self.name, _NO_PAGE, body=dump(answer).encode())
        found = self._toots(statuses)
        return Read(
            found, len(statuses), len(statuses) >= self.settings.page_size, client.quota(self._now()), self.name
        )

    def _toots(self, statuses: Sequence[Any]) -> Toots:
        return read_toots(statuses, source=self.name, host=self._host, reposts=self.settings.reposts)

    def _asked(self, brands: Sequence[Brand]) -> dict[str, Ask]:
        """Name everything to ask for: key in the cursor → call of the library."""
        size, mode = self.settings.page_size, self.settings.mode
        if mode == "public":
            return {"public": lambda api, **paging: api.timeline_public(limit=size, **paging)} if brands else {}
        told = [tag.strip("# ") for brand in brands for tag in brand.hashtags]
        tags = dict.fromkeys(tag.casefold() for tag in (*told, *self.settings.hashtags) if _is_tag(tag.strip("# ")))
        if mode != "search":
            return {f"tag {tag}": partial(_ask_tag, tag, size) for tag in tags}
        # Mastodon's search knows no OR, so each name is a search of its own.
        words = (*ask_platform(brands, "mastodon").queries, *(f"#{tag}" for tag in self.settings.hashtags))
        return {f"search {word}": partial(_ask_word, word, size) for word in dict.fromkeys(words)}

    # ---- streams

    def _streams(
        self, clients: Sequence[MastodonClient], keys: Sequence[str]
    ) -> list[Callable[[Callable[[Event], None]], None]]:
        if self.settings.mode == "public":
            return [partial(clients[0].listen, lambda api, ear: api.stream_public(ear, timeout=SILENCE))]
        tags = (key.removeprefix("tag ") for key in keys)
        return [partial(client.listen, partial(_hear_tag, tag)) for client, tag in zip(clients, tags, strict=True)]

    def _hear(self, events: Sequence[Event], state: dict[str, dict[str, Any]]) -> Page:
        """Read a batch of events; they move the cursor of `public` only, hashtags are read again by the next poll."""
        gone = [read_text(data, 100) for name, data in events if name == "delete"]
        found = self._toots([data for name, data in events if name in ("update", "status.update")])
        posts = tuple(post for post in found.posts if post.native_id not in gone)
        cursor = None
        if self.settings.mode == "public" and found.ids:
            fresh = self._toots([data for name, data in events if name == "update"]).ids
            last = read_text(state.get("public", {}).get("last"))
            newest = max([*fresh, *([last] if last else [])], key=rank, default=None)
            if newest is not None:
                state["public"] = {"last": newest}
                cursor = json.dumps(state)
        return Page(posts, cursor, found.rejected, tuple(one for one in gone if one is not None))

    def _chooser(self, brands: Sequence[Brand]) -> Callable[[Page], Page]:
        """Give what keeps, of a whole server's posts, those that name a brand; a hashtag's are kept all."""
        if self.settings.mode != "public":
            return lambda page: page
        from listener.match import Matcher

        matcher = Matcher(brands)

        def choose(page: Page) -> Page:
            named = zip(page.posts, matcher.mentions_many(page.posts), strict=True)
            return replace(page, posts=tuple(post for post, mentions in named if mentions))

        return choose

    # ---- the rest

    def recheck(self, native_ids: Sequence[str]) -> Iterator[Page]:
        """Ask for each post by its id: those that the server no longer has, or no longer shows in public, are gone."""
        with self._client() as client:
            for native_id in native_ids:
                try:
                    raw = client.ask(partial(_ask_one, native_id))
                except SourceError:
                    if not client.is_missing():
                        raise
                    yield Page((), gone=(native_id,), quota=client.quota(self._now()))
                    continue
                found = self._toots([raw])
                hidden = within(raw, "visibility") in ("private", "direct")
                posts = tuple(replace(post, native_id=native_id) for post in found.posts)
                yield Page(posts, None, found.rejected, (native_id,) if hidden else (), quota=client.quota(self._now()))

    def hosts(self) -> frozenset[str]:
        """Name the server; large ones stream from a host of their own below it."""
        streams = {f"streaming.{self._host}"} if self.settings.mode in _STREAMS else set()
        return frozenset({self._host} | streams)

    def probe(self) -> None:
        """Ask for one post in the way that collecting does; raise a SourceError."""
        brand = Brand("probe", "mastodon", hashtags=("mastodon",))
        with self._client() as client:
            self._read(client, next(iter(self._asked((brand,)).values())))

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say how many requests a poll makes, as a reason that can be worded in any language."""
        return reason(_COST, requests=len(self._asked(brands)) * self.settings.max_pages)

    def _client(self) -> MastodonClient:
        token = self.settings.access_token
        return MastodonClient(
            self._egress, self.name, self.settings.base_url, token.get_secret_value() if token else None
        )


def _ask_tag(tag: str, size: int, api: Any, **paging: Any) -> Any:
    return api.timeline_hashtag(tag, limit=size, **paging)


def _ask_word(word: str, size: int, api: Any, **paging: Any) -> Any:
    return api.search_v2(word, resolve=False, result_type="statuses", limit=size, **paging)


def _ask_one(native_id: str, api: Any) -> Any:
    return api.status(quote(native_id, safe=""))


def _hear_tag(tag: str, api: Any, ear: Any) -> Any:
    return api.stream_hashtag(tag, ear, timeout=SILENCE)
