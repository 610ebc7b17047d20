"""Search Reddit for posts that name a brand, and read the newest posts and comments of chosen subreddits.

Library: praw. Needs an approved app (Reddit's Responsible Builder Policy, November 2025; commercial use is a separate
agreement); nothing is paid a post, 100 requests a minute. Search finds submissions, never comments: those are seen only
in the subreddits read whole (all_new). Private subreddits, messages and deleted texts are not seen, and no listing goes
back further than about 1,000 items.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from listener.errors import RateLimited, Unreadable
from listener.failure import LIMITED, classify, wait_until
from listener.mention import Author, Brand, Metrics, Page, Post, Rejected
from listener.question import ask
from listener.raw import dump, read_count, read_moment, read_state, read_text, scrub, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    import requests

    from listener.egress import Egress

__all__ = ["Settings", "Source", "post_from"]

_LONGEST_QUERY = 512
_PAGE = 100
_OVERLAP = 3600  # seconds: the search index lags, and listings are not strictly ordered
_KINDS = ("t1", "t3")  # comment, submission
_GONE = frozenset({"[removed]", "[deleted]", "[ removed by reddit ]"})
_SITE = "https://www.reddit.com"

log = logging.getLogger("escucha.sources")

_NO_ID = N_("an item without id or time")
_NO_LISTING = N_("the answer is not a list of posts")
_EMPTY = N_("the answer is empty")
_LOOP = N_("the platform sends the same page again and again")
_COST = N_("Reddit charges nothing for an approved app; this source makes up to {requests} requests a poll.")


class Settings(BaseModel):
    """Say with which app Reddit is asked, and where."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    client_id: str = Field(min_length=1, description='the id of your Reddit app: "env:REDDIT_CLIENT_ID"')
    client_secret: SecretStr = Field(description='the secret of your Reddit app: "env:REDDIT_CLIENT_SECRET"')
    user_agent: str = Field(min_length=7, description='who asks: "linux:escucha:1.0 (by /u/yourname)"')
    subreddits: tuple[str, ...] = Field((), description="without r/; empty: the search is over all of Reddit")
    all_new: bool = Field(default=False, description="true: every new post and comment of the subreddits is read too")
    max_pages: int = Field(5, ge=1, le=10, description="pages of 100 a search or subreddit listing, and poll")
    base_url: str | None = Field(None, description="another address for the API: a proxy, a test server")

    @field_validator("subreddits")
    @classmethod
    def _plain(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.removeprefix("/").removeprefix("r/") for name in names)
        for name in names:
            if not name.replace("_", "").isalnum():
                raise ValueError(f"'{name}' is not a subreddit; write it without r/")
        return names

    @field_validator("base_url")
    @classmethod
    def _web(cls, url: str | None) -> str | None:
        if url is not None and (not url.startswith(("https://", "http://")) or not urlsplit(url).hostname):
            raise ValueError(f"'{url}' is not an address that starts with https://")
        return url.rstrip("/") if url is not None else None


def _now() -> datetime:
    return datetime.now(UTC)


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
        raise ValueError(_NO_ID)
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
        author=Author(handle, handle, read_text(data.get("author_fullname")), url=f"{_SITE}/user/{handle}/")
        if known
        else Author(),
        url=_SITE + link if link is not None and link.startswith("/") else None,
        in_reply_to=read_text(data.get("parent_id")) if comment else None,
        thread=read_text(data.get("link_id")) if comment else native_id,
        metrics=Metrics(
            likes=None if data.get("score_hidden") or data.get("hide_score") else read_count(data.get("score")),
            replies=read_count(data.get("num_comments")),
            shares=read_count(data.get("num_crossposts")),
        ),
        raw=scrub({key: value for key, value in data.items() if key != "replies"}),  # replies are posts of their own
    )


class Source:
    """Ask Reddit's listings, newest first; each has its own place in the cursor."""

    def __init__(self, name: str, settings: Settings, egress: Egress, *, now: Callable[[], datetime] = _now) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now
        self._pace = _Pace(name, now)

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield pages of every search and listing; the cursor comes with the last page of each."""
        known = read_state(cursor)
        asked = self._listings(brands)
        state = {key: known[key] for key in asked if key in known}
        with self._session() as session:
            reddit = self._client(session)
            for key, (path, params) in asked.items():
                yield from self._collect_listing(reddit, key, path, params, state)

    def _collect_listing(
        self, reddit: Any, key: str, path: str, params: Mapping[str, str], state: dict[str, dict[str, Any]]
    ) -> Iterator[Page]:
        newest = read_count(state.get(key, {}).get("newest")) or 0
        had = frozenset(state.get(key, {}).get("ids", ()))
        seen: dict[str, int] = {}
        after: str | None = None
        tokens: set[str] = set()
        for number in range(1, self.settings.max_pages + 1):
            answer = self._ask(reddit, path, {**params, "limit": str(_PAGE), **({"after": after} if after else {})})
            posts, rejected = self._read(answer)
            fresh = tuple(post for post in posts if post.native_id not in had)
            seen |= {post.native_id: int(post.published_at.timestamp()) for post in posts}
            after = read_text(within(answer, "data", "after"))
            # Listings are ordered only roughly: a whole page must be old before the rest is believed to be.
            old = bool(posts) and all(post.published_at.timestamp() < newest - _OVERLAP for post in posts)
            if after is None or old or number == self.settings.max_pages:
                top = max([newest, *seen.values()])
                ids = [one for one, at in seen.items() if at >= top - _OVERLAP]
                state[key] = {"newest": top, "ids": sorted(ids)[:500]}
                yield Page(fresh, json.dumps(state), rejected)
                if after is not None and not old and newest:
                    log.warning("%s: more is new than max_pages allows; older items were not read", self.name)
                return
            yield Page(fresh, None, rejected)
            if after in tokens:
                raise Unreadable(self.name, _LOOP)
            tokens.add(after)

    def _session(self) -> requests.Session:
        from listener.fetch import open_session

        session = open_session(self._egress, self.name)
        session.hooks["response"] = [self._pace]
        return session

    def _client(self, session: requests.Session) -> Any:
        import praw

        own = self.settings.base_url
        # Everything is said here, because praw would otherwise look into praw.ini and the environment.
        return praw.Reddit(
            client_id=self.settings.client_id,
            client_secret=self.settings.client_secret.get_secret_value(),
            user_agent=self.settings.user_agent,
            oauth_url=own or "https://oauth.reddit.com",
            reddit_url=own or _SITE,
            short_url=own or "https://redd.it",
            username=None,
            password=None,
            refresh_token=None,
            redirect_uri=None,
            check_for_updates=False,
            check_for_async=False,
            requestor_kwargs={"session": session},
        )

    def _ask(self, reddit: Any, path: str, params: Mapping[str, str]) -> Any:
        self._pace.check()
        try:
            # The plain JSON, not praw's objects: those ask Reddit again for every field that is missing, and one odd
            # item would lose its page.
            return reddit.request(method="GET", path=path, params=dict(params))
        except Exception as error:  # noqa: BLE001 - praw lets ValueError, KeyError and others through
            raise classify(error, self.name) from None

    def _read(self, answer: Any) -> tuple[tuple[Post, ...], tuple[Rejected, ...]]:
        children = within(answer, "data", "children")
        if not isinstance(children, list):
            raise Unreadable(self.name, _NO_LISTING, body=dump(answer).encode())
        posts: list[Post] = []
        rejected: list[Rejected] = []
        for number, raw in enumerate(children, 1):
            if isinstance(raw, Mapping) and isinstance(raw.get("kind"), str) and raw["kind"] not in _KINDS:
                continue  # "more", subreddits, messages: nothing that somebody published
            try:
                posts.append(post_from(raw, source=self.name))
            except Exception:  # noqa: BLE001 - a strange item is kept aside, the rest of its page goes on
                rejected.append(Rejected(f"item {number}", _NO_ID, dump(raw)))
        return tuple(posts), tuple(rejected)

    def hosts(self) -> frozenset[str]:
        """Name the hosts of the API."""
        if self.settings.base_url is not None:
            return frozenset({urlsplit(self.settings.base_url).hostname or ""})
        return frozenset({"oauth.reddit.com", "www.reddit.com"})

    def probe(self) -> None:
        """Ask for one post; raise a SourceError."""
        with self._session() as session:
            self._read(self._ask(self._client(session), f"r/{self._place()}/new", {"limit": "1"}))

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say how many requests a poll makes, as a reason that can be worded in any language."""
        return reason(_COST, requests=len(self._listings(brands)) * self.settings.max_pages)

    def _place(self) -> str:
        return "+".join(self.settings.subreddits) or "all"

    def _listings(self, brands: Sequence[Brand]) -> dict[str, tuple[str, dict[str, str]]]:
        """Name every listing to ask: key in the cursor → path and parameters."""
        place = self._place()
        common = {"sort": "new", "syntax": "lucene", "t": "week", "restrict_sr": str(place != "all").lower()}
        asked: dict[str, tuple[str, dict[str, str]]] = {
            f"search {place} {query}": (f"r/{place}/search/", {**common, "q": query})
            for query in ask(brands, _LONGEST_QUERY, signs=False)
        }
        if self.settings.all_new:
            for name in self.settings.subreddits:
                asked[f"new {name}"] = (f"r/{name}/new", {})
                asked[f"comments {name}"] = (f"r/{name}/comments/", {})
        return asked


class _Pace:
    """Watch each answer: an empty one is a failure, and a used-up allowance stops us where praw would sleep."""

    def __init__(self, source: str, now: Callable[[], datetime]) -> None:
        self._source = source
        self._now = now
        self._until: datetime | None = None

    def check(self) -> None:
        """Raise RateLimited when the last answer said that nothing remains."""
        if self._until is not None and self._until > self._now():
            raise RateLimited(self._source, LIMITED, until=self._until)

    def __call__(self, response: requests.Response, **_: Any) -> None:
        """Read the allowance off an answer; raise Unreadable when it is empty."""
        remaining = read_text(response.headers.get("x-ratelimit-remaining"))
        if remaining is not None and remaining.strip().partition(".")[0] in ("0", "-1"):
            self._until = wait_until(response.headers, self._now()) or self._now() + timedelta(minutes=1)
        for name in ("x-ratelimit-remaining", "x-ratelimit-used", "x-ratelimit-reset"):
            response.headers.pop(name, None)  # prawcore would sleep as long as they say, and trips over "5.0"
        if response.status_code == 401:  # prawcore falls over an answer without it
            response.headers.setdefault("www-authenticate", 'Bearer error="invalid_token"')
        if response.status_code == 200 and not response.content.strip():
            raise Unreadable(self._source, _EMPTY)
