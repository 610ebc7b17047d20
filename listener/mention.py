"""Hold what the listener hears: authors, posts, the brands watched, and mentions of a brand.

Times are aware and UTC. None means "the platform did not say", which is never zero. The platform's own record is
kept whole in `Post.raw` and read in `listener/sources/` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, runtime_checkable

from listener.reason import Reason
from listener.taxonomy import Kind

__all__ = [
    "Author",
    "Brand",
    "Forecast",
    "Forecasts",
    "Hole",
    "Mention",
    "Metrics",
    "OptOut",
    "Page",
    "Post",
    "Pushed",
    "Quota",
    "Rechecks",
    "Rejected",
    "Source",
    "Term",
    "aware",
]


def aware(moment: datetime) -> datetime:
    """Give a moment in UTC; a naive one is refused, since guessing a zone would move posts between days."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {moment.isoformat()}")
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Author:
    """Hold the public facts of an account, as the platform told them."""

    handle: str | None = None  # without the @
    name: str | None = None
    native_id: str | None = None
    bio: str | None = None
    url: str | None = None
    verified: bool | None = None
    followers: int | None = None


@dataclass(frozen=True, slots=True)
class Metrics:
    """Count what a platform told about a post when it was collected."""

    likes: int | None = None
    replies: int | None = None
    shares: int | None = None
    views: int | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """Hold one thing that somebody published, whatever the platform."""

    source: str  # the name of the table [sources.NAME] that brought it
    native_id: str
    text: str
    published_at: datetime
    author: Author = Author()
    url: str | None = None
    lang: str | None = None
    country: str | None = None
    in_reply_to: str | None = None
    thread: str | None = None
    metrics: Metrics = Metrics()
    about: str | None = (
        None  # the brand whose page or file this is (a review, an import), when the text need not say it
    )
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Brand:
    """Hold what is watched: a name in a country, our own or a competitor's."""

    key: str
    name: str
    kind: Kind = "own"
    country: str | None = None
    sector: str | None = None
    names: tuple[str, ...] = ()  # spellings, nicknames, products, executives
    handles: tuple[str, ...] = ()  # without the @; posts that name them are mentions
    hashtags: tuple[str, ...] = ()  # without the #
    exclude: tuple[str, ...] = ()  # phrases in which the name does not mean the brand
    own_handles: tuple[str, ...] = ()  # accounts that speak for the brand, of whatever kind
    products: tuple[str, ...] = ()  # among `names`
    executives: tuple[str, ...] = ()  # among `names`
    care_handles: tuple[str, ...] = ()  # among `own_handles`: they answer customers
    sales_handles: tuple[str, ...] = ()
    corporate_handles: tuple[str, ...] = ()
    query: str | None = None  # in the query language: posts that fit it are mentions too (docs/query.md)


@dataclass(frozen=True, slots=True)
class Term:
    """Point to the characters of a post that named a brand: text[start:end]."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Mention:
    """Join a post to one brand that it names; a post that names two brands makes two mentions."""

    post: Post
    brand: str
    kind: Kind
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """Hold one item that could not be read: kept aside and shown, while the rest of its page goes on."""

    position: str  # line 12, entry 3, id 179…
    reason: str
    body: str


@dataclass(frozen=True, slots=True)
class Hole:
    """Hold a stretch whose posts a source knows it could not read: past the platform's reach, or its own ceiling."""

    start: datetime
    end: datetime
    why: str  # a catalogue sentence


@dataclass(frozen=True, slots=True)
class Quota:
    """Hold what a platform told of the requests that are left; None where it did not say."""

    left: int | None = None
    limit: int | None = None
    resets_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OptOut:
    """Hold the wish of an account not to be written to, or that it takes one back."""

    handle: str
    at: datetime
    stops: bool = True  # False: it wants to hear from us again


@dataclass(frozen=True, slots=True)
class Forecast:
    """Hold what a platform counted for a question before it was asked."""

    units: Mapping[str, int]  # a month of it: unit → how many would be charged
    since: datetime  # the stretch that was counted
    until: datetime
    billed: Mapping[str, int] = field(default_factory=dict)  # what the counting itself was charged


@dataclass(frozen=True, slots=True)
class Page:
    """Hold what one answer of a platform brought.

    `cursor` is where the next poll may start once this page is committed; None while that is not safe yet
    (newest-first platforms give it with the last page only). A post seen before whose text changed is an edit.
    """

    posts: tuple[Post, ...]
    cursor: str | None = None
    rejected: tuple[Rejected, ...] = ()
    gone: tuple[str, ...] = ()  # native ids that the platform says were deleted or made private
    holes: tuple[Hole, ...] = ()
    billed: Mapping[str, int] = field(default_factory=dict)  # unit ("post", "count") → how many this answer is charged
    quota: Quota | None = None
    opt_outs: tuple[OptOut, ...] = ()


class Source(Protocol):
    """Say what every file in listener/sources/ offers under the name `Source`.

    A stream keeps to the same shape: it listens for a while, yields a page at least every few seconds (an empty one
    too, so that it can be stopped between two), and ends; the next poll goes on from its cursor.
    """

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield pages of posts newer than the cursor; raise a SourceError when the platform fails."""
        ...

    def hosts(self) -> frozenset[str]:
        """Name the hosts that this source must reach."""
        ...

    def probe(self) -> None:
        """Ask the platform for the least it gives, to see that it answers and accepts the key; raise a SourceError."""
        ...

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say in one sentence what a poll costs."""
        ...


@runtime_checkable
class Rechecks(Protocol):
    """Say what a source offers that can tell whether a stored post is still there (C7)."""

    def recheck(self, native_ids: Sequence[str]) -> Iterator[Page]:
        """Yield pages: `posts` are still there (as they read now), `gone` are not; the rest is not known."""
        ...


@runtime_checkable
class Forecasts(Protocol):
    """Say what a source offers that bills: what a page may cost, and what a month of these names would bring (C6)."""

    @property
    def dearest_page(self) -> Mapping[str, int]:
        """Give the most units that one page is charged: {"post": 100}."""
        ...

    def forecast(self, brands: Sequence[Brand]) -> Forecast:
        """Ask the platform how much it would bring; raise a SourceError when it does not tell."""
        ...


@runtime_checkable
class Pushed(Protocol):
    """Say what a source offers whose platform calls us (a webhook)."""

    def handshake(self, query: Mapping[str, str]) -> str | None:
        """Give the answer to the platform's first call, or None when its verify token is not ours."""
        ...

    def signed(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Tell whether the raw body carries the platform's signature, compared in constant time."""
        ...

    def receive(self, body: bytes) -> Page:
        """Read a call as a page without a cursor; what cannot be read is in `rejected`; never raises."""
        ...
