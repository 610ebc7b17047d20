"""Search X for posts that name a brand (API v2, recent search: the last seven days).

Library: tweepy. Needs a bearer token of a paid account: X charges 0.005 US dollars a post read (docs.x.com, 2026;
the same post is charged once a UTC day). It sees public posts only: no protected accounts, no direct messages, nothing
older than seven days, no deleted posts; searches are cut at 512 characters, so that many names make several searches.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from listener.errors import Unreadable
from listener.failure import classify
from listener.mention import Author, Brand, Metrics, Page, Post, Rejected
from listener.question import ask
from listener.raw import dump, read_count, read_flag, read_moment, read_state, read_text, scrub, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    import requests

    from listener.egress import Egress

__all__ = ["HISTORY", "Settings", "Source", "post_from"]

_LONGEST_QUERY = 512
HISTORY = timedelta(days=7) - timedelta(minutes=10)  # recent search refuses a since_id that is older
_OVERLAP = timedelta(seconds=90)  # posts reach the search index late and out of order
_EPOCH = 1288834974657  # milliseconds since 1970 at which X began to count its ids
_UNKNOWN_LANGUAGES = frozenset({"und", "zxx", "qam", "qct", "qht", "qme", "qst", "art"})
_TWEEPY_BASE = "https://api.twitter.com"  # written into tweepy 4.17
_FIELDS = {
    "expansions": ["author_id", "referenced_tweets.id", "geo.place_id"],
    "tweet_fields": [
        *("author_id", "conversation_id", "created_at", "entities", "geo", "in_reply_to_user_id", "lang"),
        *("note_tweet", "public_metrics", "referenced_tweets"),
    ],
    "user_fields": ["created_at", "description", "entities", "location", "public_metrics", "url", "verified"],
    "place_fields": ["country_code"],
}

_NO_TEXT = N_("a post without id or text")
_NO_TIME = N_("a post without a readable time")
_ERRORS_ONLY = N_("the answer holds errors and no posts")
_NO_PAGE = N_("the answer is not a page of posts")
_LOOP = N_("the platform sends the same page again and again")
_COST = N_("X charges 0.005 US dollars for each post read: up to {posts} posts, {dollars} US dollars, a poll.")


class Settings(BaseModel):
    """Say with which key X is asked, and how much may be read at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bearer_token: SecretStr = Field(description='the token of your X app: "env:X_BEARER_TOKEN"')
    page_size: int = Field(100, ge=10, le=100, description="posts a page")
    max_pages: int = Field(5, ge=1, le=100, description="pages a search and poll: the ceiling of what a poll costs")
    reposts: bool = Field(default=False, description="true: reposts are read (and paid) too")
    base_url: str = Field("https://api.x.com", description="another address for the API: a proxy, a test server")

    @field_validator("base_url")
    @classmethod
    def _web(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")) or not urlsplit(url).hostname:
            raise ValueError(f"'{url}' is not an address that starts with https://")
        return url.rstrip("/")


def _now() -> datetime:
    return datetime.now(UTC)


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
        published = read_moment(raw.get("created_at")) or _moment_of(native_id)
    except ValueError:
        published = _moment_of(native_id)
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


def _moment_of(native_id: str) -> datetime | None:
    """Read the time out of an id: X counts milliseconds in its upper bits since November 2010."""
    number = read_count(native_id)
    return datetime.fromtimestamp(((number >> 22) + _EPOCH) / 1000, UTC) if number and number > 2**22 * 10**7 else None


class Source:
    """Search X, newest first; what does not fit into one poll is remembered as a hole and read at the next."""

    def __init__(self, name: str, settings: Settings, egress: Egress, *, now: Callable[[], datetime] = _now) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield pages of every search; the cursor comes with the last page of each, since X gives the newest first."""
        known = read_state(cursor)
        queries = {hashlib.sha256(query.encode()).hexdigest()[:16]: query for query in self._queries(brands)}
        state = {key: known[key] for key in queries if key in known}
        with self._session() as session:
            client = self._client(session)
            for key, query in queries.items():
                yield from self._search(client, query, key, state)

    def _search(self, client: Any, query: str, key: str, state: dict[str, dict[str, Any]]) -> Iterator[Page]:
        """Read what is new, then the holes that earlier polls left, within the pages that a poll may read."""
        newest = read_count(state.get(key, {}).get("newest"))
        holes = [(read_count(start), read_count(end)) for start, end in state.get(key, {}).get("holes", ())]
        edge = _id_at(self._now() - HISTORY)
        since = None if newest is None else newest - _span(_OVERLAP)
        budget = self.settings.max_pages
        for start, end in [(since, None), *holes]:
            known = newest if end is None else None
            if budget <= 0:
                break
            if end is not None:
                holes.remove((start, end))
                if end <= edge:  # too old to be asked for
                    continue
            # An older since_id is refused by X; without one the search goes back as far as it can.
            floor = start if start is not None and start > edge else None
            last, seen, cut, budget = yield from self._sweep(client, query, (floor, end, known), budget)
            newest = max((newest or 0, *seen)) or None
            if cut and seen and start is not None:
                holes.insert(0, (start, min(seen)))
            state[key] = {"newest": newest, "holes": holes[:50]}
            yield Page(last.posts, json.dumps(state), last.rejected)

    def _sweep(
        self, client: Any, query: str, span: tuple[int | None, int | None, int | None], budget: int
    ) -> Generator[Page, None, tuple[Page, list[int], bool, int]]:
        """Yield the pages between two ids but the last; give that, all ids, whether more is there, the pages left.

        A page that holds nothing newer than the third id ends the sweep: in a burst the overlap would eat the budget.
        """
        since, until, known = span
        seen: list[int] = []
        tokens: set[str] = set()
        token: str | None = None
        while True:
            answer = self._ask(client, query, since, until, token)
            page, ids = self._read(answer)
            seen += ids
            budget -= 1
            token = read_text(within(answer, "meta", "next_token"))
            if token is not None and ids and known is not None and max(ids) <= known:
                token = None
            if token is None or budget <= 0:
                return page, seen, token is not None, budget
            yield page
            if token in tokens:
                raise Unreadable(self.name, _LOOP)
            tokens.add(token)

    def _session(self) -> requests.Session:
        from listener.fetch import open_session

        return open_session(self._egress, self.name, rewrite={_TWEEPY_BASE: self.settings.base_url})

    def _client(self, session: requests.Session) -> Any:
        import tweepy

        client = tweepy.Client(
            self.settings.bearer_token.get_secret_value(), return_type=dict, wait_on_rate_limit=False
        )
        client.session.close()
        client.session = session
        return client

    def _ask(self, client: Any, query: str, since: int | None, until: int | None, token: str | None) -> Any:
        try:
            return client.search_recent_tweets(
                query,
                max_results=self.settings.page_size,
                since_id=since,
                until_id=until,
                next_token=token,
                **_FIELDS,
            )
        except Exception as error:  # noqa: BLE001 - tweepy lets ValueError, RecursionError and others through
            raise classify(error, self.name) from None

    def _read(self, answer: Any) -> tuple[Page, list[int]]:
        """Read one page; raises Unreadable when it is none."""
        data = within(answer, "data")
        if data is None and within(answer, "errors"):
            raise Unreadable(self.name, _ERRORS_ONLY, body=dump(answer).encode())
        if data is None and isinstance(within(answer, "meta"), Mapping):
            data = []
        if not isinstance(data, list):
            raise Unreadable(self.name, _NO_PAGE, body=dump(answer).encode())
        users, places = _by_id(within(answer, "includes", "users")), _by_id(within(answer, "includes", "places"))
        posts: list[Post] = []
        rejected: list[Rejected] = []
        ids: list[int] = []
        for number, raw in enumerate(data, 1):
            ids += [known] if (known := read_count(within(raw, "id"))) is not None else []
            try:
                posts.append(post_from(raw, source=self.name, users=users, places=places))
            except Exception as error:  # noqa: BLE001 - a strange post is kept aside, the rest of its page goes on
                why = str(error) if str(error) in (_NO_TEXT, _NO_TIME) else _NO_TEXT
                place = f"id {ids[-1]}" if known is not None else f"post {number}"
                rejected.append(Rejected(place, why, dump(raw)))
        return Page(tuple(posts), None, tuple(rejected)), ids

    def hosts(self) -> frozenset[str]:
        """Name the host of the API."""
        return frozenset({urlsplit(self.settings.base_url).hostname or ""})

    def probe(self) -> None:
        """Ask for the usage of the account, which is free; raise a SourceError."""
        try:
            with self._session() as session:
                self._client(session).request("GET", "/2/usage/tweets").json()
        except Exception as error:  # noqa: BLE001 - as in _ask
            raise classify(error, self.name) from None

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say what a poll may cost, as a reason that can be worded in any language."""
        posts = len(self._queries(brands)) * self.settings.max_pages * self.settings.page_size
        return reason(_COST, posts=posts, dollars=f"{posts * 0.005:.2f}")

    def _queries(self, brands: Sequence[Brand]) -> list[str]:
        return ask(brands, _LONGEST_QUERY, suffix="" if self.settings.reposts else " -is:retweet")


def _span(time: timedelta) -> int:
    return int(time.total_seconds() * 1000) << 22


def _id_at(moment: datetime) -> int:
    return max(int(moment.timestamp() * 1000) - _EPOCH, 0) << 22


def _by_id(items: Any) -> dict[str, Mapping[str, Any]]:
    found = (item for item in items if isinstance(item, Mapping)) if isinstance(items, list) else ()
    return {key: item for item in found if (key := read_text(item.get("id"))) is not None}
