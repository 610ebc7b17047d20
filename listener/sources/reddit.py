"""Search Reddit for posts that name a brand, and read the newest posts and comments of chosen subreddits.

Library: praw. Needs an approved app (Reddit's Responsible Builder Policy, November 2025; commercial use is a separate
agreement); nothing is paid a post, 100 requests a minute. Search finds submissions, never comments: those are seen only
in the subreddits read whole (all_new). Private subreddits, messages and deleted texts are not seen, and no listing goes
back further than about 1,000 items.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from listener.address import WebAddress, host_of
from listener.errors import RateLimited, Unreadable
from listener.failure import LIMITED, classify, wait_until
from listener.mention import Brand, Hole, Page, Post, Quota, Rejected
from listener.platforms.redditpost import KINDS, NO_ID, SITE, is_gone, post_from
from listener.question import ask
from listener.raw import dump, read_count, read_state, read_text, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    import requests

    from listener.egress import Egress

__all__ = ["Settings", "Source", "post_from"]

_LONGEST_QUERY = 512
_PAGE = 100
_OVERLAP = 3600  # seconds: the search index lags, and listings are not strictly ordered
_FULLNAME = re.compile(r"t[13]_[0-9a-z]{1,20}", re.ASCII)

_NO_LISTING = N_("the answer is not a list of posts")
_EMPTY = N_("the answer is empty")
_LOOP = N_("the platform sends the same page again and again")
_TOO_MANY = N_("more was new than max_pages allows to read")
_SAYS_NOTHING = N_("the answer says nothing of the posts that were asked for")
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
    base_url: WebAddress | None = Field(None, description="another address for the API: a proxy, a test server")

    @field_validator("subreddits")
    @classmethod
    def _plain(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.removeprefix("/").removeprefix("r/") for name in names)
        for name in names:
            if not name.replace("_", "").isalnum():
                raise ValueError(f"'{name}' is not a subreddit; write it without r/")
        return names


def _now() -> datetime:
    return datetime.now(UTC)


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
                lost = self._lost(newest, seen) if after is not None and not old else ()
                yield Page(fresh, json.dumps(state), rejected, holes=lost, quota=self._pace.quota)
                return
            yield Page(fresh, None, rejected, quota=self._pace.quota)
            if after in tokens:
                raise Unreadable(self.name, _LOOP)
            tokens.add(after)

    def _lost(self, newest: int, seen: Mapping[str, int]) -> tuple[Hole, ...]:
        """Tell which stretch a poll did not reach; before the first poll nothing was promised."""
        start, end = datetime.fromtimestamp(newest, UTC), datetime.fromtimestamp(min(seen.values(), default=0), UTC)
        return (Hole(start, end, _TOO_MANY),) if newest and start < end else ()

    def recheck(self, native_ids: Sequence[str]) -> Iterator[Page]:
        """Yield a page for every 100 ids: posts as they read now, and those that were deleted or removed."""
        wanted = [one for one in native_ids if _FULLNAME.fullmatch(one)]
        with self._session() as session:
            reddit = self._client(session)
            for start in range(0, len(wanted), _PAGE):
                asked = wanted[start : start + _PAGE]
                posts, rejected, gone = self._info(reddit, asked)
                if not posts and not gone and not rejected:
                    self._confirm(reddit, asked)
                known = {*(post.native_id for post in posts), *gone}
                # What could not be read is there, but it does not say which one it is.
                missing = () if rejected else (one for one in asked if one not in known)
                yield Page(posts, None, rejected, (*gone, *missing), quota=self._pace.quota)

    def _info(
        self, reddit: Any, asked: Sequence[str]
    ) -> tuple[tuple[Post, ...], tuple[Rejected, ...], tuple[str, ...]]:
        answer = self._ask(reddit, "api/info/", {"id": ",".join(asked), "limit": str(_PAGE)})
        posts, rejected = self._read(answer)
        children = [raw for raw in within(answer, "data", "children") if isinstance(raw, Mapping)]
        gone = {read_text(within(raw, "data", "name")) for raw in children if is_gone(raw)}
        told = [post for post in posts if post.native_id in asked]
        return (
            tuple(post for post in told if post.native_id not in gone),
            rejected,
            tuple(post.native_id for post in told if post.native_id in gone),
        )

    def _confirm(self, reddit: Any, asked: Sequence[str]) -> None:
        """Ask for posts that seem gone together with one that must be there; raise Unreadable when that fails too."""
        newest, _ = self._read(self._ask(reddit, f"r/{self._place()}/new", {"limit": "1"}))
        sure = newest[0].native_id if newest else ""
        found, _, gone = self._info(reddit, [*asked[: _PAGE - 1], sure]) if sure else ((), (), ())
        if [post.native_id for post in found] != [sure] and sure not in gone:
            raise Unreadable(self.name, _SAYS_NOTHING)

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
            reddit_url=own or SITE,
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
            if isinstance(raw, Mapping) and isinstance(raw.get("kind"), str) and raw["kind"] not in KINDS:
                continue  # "more", subreddits, messages: nothing that somebody published
            try:
                posts.append(post_from(raw, source=self.name))
            except Exception:  # noqa: BLE001 - a strange item is kept aside, the rest of its page goes on
                rejected.append(Rejected(f"item {number}", NO_ID, dump(raw)))
        return tuple(posts), tuple(rejected)

    def hosts(self) -> frozenset[str]:
        """Name the hosts of the API."""
        if self.settings.base_url is not None:
            return frozenset({host_of(self.settings.base_url)})
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
        self.quota: Quota | None = None

    def check(self) -> None:
        """Raise RateLimited when the last answer said that nothing remains."""
        if self._until is not None and self._until > self._now():
            raise RateLimited(self._source, LIMITED, until=self._until)

    def __call__(self, response: requests.Response, **_: Any) -> None:
        """Read the allowance off an answer; raise Unreadable when it is empty."""
        remaining = read_text(response.headers.get("x-ratelimit-remaining"))
        self._note(remaining, response)
        if remaining is not None and remaining.strip().partition(".")[0] in ("0", "-1"):
            self._until = wait_until(response.headers, self._now()) or self._now() + timedelta(minutes=1)
        for name in ("x-ratelimit-remaining", "x-ratelimit-used", "x-ratelimit-reset"):
            response.headers.pop(name, None)  # prawcore would sleep as long as they say, and trips over "5.0"
        if response.status_code == 401:  # prawcore falls over an answer without it
            response.headers.setdefault("www-authenticate", 'Bearer error="invalid_token"')
        if response.status_code == 200 and not response.content.strip():
            raise Unreadable(self._source, _EMPTY)

    def _note(self, remaining: str | None, response: requests.Response) -> None:
        left = read_count((remaining or "").strip().partition(".")[0])
        used = read_count((response.headers.get("x-ratelimit-used") or "").strip().partition(".")[0])
        if left is not None:
            until = wait_until(response.headers, self._now())
            self.quota = Quota(left, None if used is None else left + used, until)
