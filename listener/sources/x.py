"""Hear what X says of a brand: recent search (the last seven days) or the filtered stream (API v2).

Library: tweepy. Needs a bearer token of a paid account: X charges 0.005 US dollars a post read and 0.010 an author
(docs.x.com, 2026; the same post or author is charged once a UTC day). It sees public posts only: no protected accounts,
no direct messages, nothing older than seven days, no deleted posts; searches are cut at 512 characters, so that many
names make several searches.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from listener.address import WebAddress, host_of
from listener.duration import Span
from listener.errors import Unreadable
from listener.mention import Brand, Forecast, Page
from listener.platforms.xclient import XClient
from listener.platforms.xcompliance import JOB_HOST, MANY, check_by_job, look_up
from listener.platforms.xsearch import Search
from listener.platforms.xstream import ensure_rules, gap, listen, open_lines
from listener.question import ask
from listener.raw import dump, read_count, read_state, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    from listener.egress import Egress

__all__ = ["Settings", "Source"]

_LONGEST_QUERY = 512
_PAGE_OF_STREAM = 100
_POST, _AUTHOR = 0.005, 0.010  # US dollars, docs.x.com/x-api/getting-started/pricing, 2026
_WEEK, _MONTH = 7, 30  # days that X counts, days of a forecast

_NO_COUNT = N_("the answer holds no count")
_COST = N_(
    "X charges 0.005 US dollars for each post read and 0.010 for each author: up to {posts} posts, {dollars} US "
    "dollars, a poll."
)
_STREAM_COST = N_(
    "X charges 0.005 US dollars for each post that the stream brings and 0.010 for each author; only this source's "
    "budget limits how many come."
)


class Settings(BaseModel):
    """Say with which key X is asked, and how much may be read at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bearer_token: SecretStr = Field(description='the token of your X app: "env:X_BEARER_TOKEN"')
    mode: Literal["search", "stream"] = Field("search", description="search: asked now and then; stream: listens")
    page_size: int = Field(100, ge=10, le=100, description="posts a page")
    max_pages: int = Field(5, ge=1, le=100, description="pages a search and poll: the ceiling of what a poll costs")
    reposts: bool = Field(default=False, description="true: reposts are read (and paid) too")
    authors: bool = Field(default=True, description="false: authors are not asked for: cheaper, but without names")
    listen: Span = Field(timedelta(minutes=5), description="mode stream: how long a poll listens")
    catch_up: bool = Field(
        default=True, description="mode stream: what passed between two connections is searched for (and paid)"
    )
    compliance_jobs: bool = Field(
        default=False,
        description="true: a thousand posts or more are re-checked by a compliance job, if your plan has them",
    )
    base_url: WebAddress = Field("https://api.x.com", description="another address for the API: a proxy, a test server")


def _now() -> datetime:
    return datetime.now(UTC)


class Source:
    """Search X, newest first, or listen to its stream; what does not fit into one poll is read at the next."""

    def __init__(self, name: str, settings: Settings, egress: Egress, *, now: Callable[[], datetime] = _now) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield pages of every search, or of what the stream brings while it is listened to."""
        known = read_state(cursor)
        queries = {hashlib.sha256(query.encode()).hexdigest()[:16]: query for query in self._queries(brands)}
        if not queries:
            return
        state = {key: known[key] for key in (*queries, "stream", "users") if key in known}
        with self._client() as client:
            search = Search(
                client,
                page_size=self.settings.page_size,
                max_pages=self.settings.max_pages,
                authors=self.settings.authors,
                now=self._now,
            )
            if self.settings.mode == "search":
                yield from search.read(queries, state)
                return
            rules = ensure_rules(client, self.name, queries)
            # The stream is connected first: what comes while the search reads is waiting in its lines.
            lines = open_lines(client, self.settings.authors)
            try:
                missed = () if self.settings.catch_up else gap(state, self._now())
                if self.settings.catch_up:
                    yield from search.read(queries, state)
                seconds = self.settings.listen.total_seconds()
                yield from listen(lines, self.name, rules, state, seconds, self._now, missed)
            finally:
                lines.close()

    def recheck(self, native_ids: Sequence[str]) -> Iterator[Page]:
        """Yield pages that say which stored posts are still there and which are gone; posts looked up are charged."""
        with self._client() as client:
            if self.settings.compliance_jobs and len(native_ids) >= MANY:
                yield from check_by_job(client, native_ids, self._now)
            else:
                yield from look_up(client, native_ids)

    def hosts(self) -> frozenset[str]:
        """Name the host of the API, and the one where X keeps the files of compliance jobs."""
        own = host_of(self.settings.base_url)
        return frozenset({own, JOB_HOST} if self.settings.compliance_jobs else {own})

    def probe(self) -> None:
        """Ask for the usage of the account, which is free; raise a SourceError."""
        with self._client() as client:
            client.ask("request", "GET", "/2/usage/tweets")

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say what a poll may cost, as a reason that can be worded in any language."""
        if self.settings.mode == "stream":
            return reason(_STREAM_COST)
        posts = len(self._queries(brands)) * self.settings.max_pages * self.settings.page_size
        price = _POST + (_AUTHOR if self.settings.authors else 0)
        return reason(_COST, posts=posts, dollars=f"{posts * price:.2f}")

    @property
    def dearest_page(self) -> Mapping[str, int]:
        """Give the most that one page is charged: each post by another author."""
        most = self.settings.page_size if self.settings.mode == "search" else _PAGE_OF_STREAM
        return {"post": most, **({"user": most} if self.settings.authors else {})}

    def forecast(self, brands: Sequence[Brand]) -> Forecast:
        """Count the posts of the last seven days that these names would have brought; each count is charged."""
        queries = self._queries(brands)
        total = 0
        with self._client() as client:
            for query in queries:
                answer = client.ask("get_recent_tweets_count", query)
                count = read_count(within(answer, "meta", "total_tweet_count"))
                if count is None:
                    raise Unreadable(self.name, _NO_COUNT, body=dump(answer).encode())
                total += count
        posts = -(-total * _MONTH // _WEEK)
        units = {"post": posts, **({"user": posts} if self.settings.authors else {})}
        now = self._now()
        return Forecast(units, now - timedelta(days=_WEEK), now, {"count": len(queries)} if queries else {})

    def _client(self) -> XClient:
        return XClient(self.name, self.settings.bearer_token.get_secret_value(), self.settings.base_url, self._egress)

    def _queries(self, brands: Sequence[Brand]) -> list[str]:
        return ask(brands, _LONGEST_QUERY, suffix="" if self.settings.reposts else " -is:retweet")
