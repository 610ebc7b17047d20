"""Search Hacker News for stories and comments that name a brand, through Algolia's public index of it.

Library: requests. No key, nothing paid; 10,000 requests an hour. It sees every story and comment, some minutes late;
a search gives 1,000 items at most, so that more are asked for by time. Votes of comments are not told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, Field

from listener.address import WebAddress, host_of
from listener.errors import Unreadable
from listener.failure import classify, judge
from listener.feed import plain
from listener.mention import Author, Brand, Metrics, Page, Post, Rejected
from listener.platforms.stretch import Found, Stretches
from listener.question import ask_platform
from listener.raw import dump, read_count, read_moment, read_state, read_text, scrub, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    import requests

    from listener.egress import Egress

__all__ = ["Settings", "Source", "post_from"]

_SITE = "https://news.ycombinator.com"
_CEILING = 1000  # items that a search gives, whatever it found
_OVERLAP = timedelta(minutes=30)  # the index lags

_NO_ID = N_("an item without id or time")
_NO_PAGE = N_("the answer is not a page of posts")
_COST = N_("Hacker News charges nothing; this source makes up to {requests} requests a poll.")


class Settings(BaseModel):
    """Say what of Hacker News is searched."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    comments: bool = Field(default=True, description="false: stories only")
    page_size: int = Field(100, ge=1, le=1000, description="items a page")
    max_pages: int = Field(5, ge=1, le=100, description="pages a name, and poll")
    base_url: WebAddress = Field(
        "https://hn.algolia.com", description="another address for the API: a proxy, a test server"
    )


def _now() -> datetime:
    return datetime.now(UTC)


def post_from(raw: Mapping[str, Any], *, source: str) -> Post:
    """Make a Post of a hit of the search, or of an item looked up by its id.

    A story's text is its title and, on the next line, what its author wrote. Raises ValueError (a catalogue sentence)
    when id or time cannot be read.
    """
    native_id = read_text(raw.get("objectID")) or read_text(raw.get("id"))
    try:
        published = read_moment(read_count(raw.get("created_at_i"))) or read_moment(raw.get("created_at"))
    except ValueError:
        published = None
    if native_id is None or published is None:
        raise ValueError(_NO_ID)
    own = raw.get("comment_text") or raw.get("story_text") or raw.get("text")
    handle = read_text(raw.get("author"))
    story = read_text(raw.get("story_id"))
    return Post(
        source=source,
        native_id=native_id,
        text="\n".join(part for part in (plain(raw.get("title")), plain(own)) if part),
        published_at=published,
        author=Author(handle, handle, url=f"{_SITE}/user?id={quote(handle)}") if handle else Author(),
        url=f"{_SITE}/item?id={quote(native_id)}",
        in_reply_to=read_text(raw.get("parent_id")),
        thread=story or (native_id if raw.get("parent_id") is None else None),
        metrics=Metrics(likes=read_count(raw.get("points")), replies=read_count(raw.get("num_comments"))),
        raw=scrub({key: value for key, value in raw.items() if key not in ("children", "_highlightResult")}),
    )


class Source:
    """Search every name, newest first; what does not fit into one poll is read by the next ones."""

    def __init__(self, name: str, settings: Settings, egress: Egress, *, now: Callable[[], datetime] = _now) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield pages of every search; the cursor comes with the last page of each."""
        known = read_state(cursor)
        asked = _questions(brands)
        state = {question: known[question] for question in asked if question in known}
        stretches = Stretches(self.name, self._now, self.settings.max_pages, _OVERLAP)
        with self._session() as session:
            for question in asked:
                yield from stretches.read(partial(self._ask, session, question), question, state)

    def _ask(
        self, session: requests.Session, question: str, low: datetime | None, high: datetime | None, token: str | None
    ) -> Found:
        """Ask for one page; a token says up to which second, and which page: "1777888999 3"."""
        until, _, number = (token or " 0").partition(" ")
        edge = read_count(until) if until else None if high is None else int(high.timestamp())
        bounds = [f"created_at_i>={int(low.timestamp())}"] if low is not None else []
        bounds += [f"created_at_i<={edge}"] if edge is not None else []
        asked = {
            "query": question,
            "tags": "(story,comment)" if self.settings.comments else "story",
            "hitsPerPage": str(self.settings.page_size),
            "page": number,
            "typoTolerance": "false",
            "advancedSyntax": "true",
        }
        answer = self._get(session, "search_by_date", asked | ({"numericFilters": ",".join(bounds)} if bounds else {}))
        hits = within(answer, "hits")
        if not isinstance(hits, list):
            raise Unreadable(self.name, _NO_PAGE, body=dump(answer).encode())
        return Found(self._page(hits), self._next(answer, hits, edge, int(number)))

    def _next(self, answer: Any, hits: Sequence[Any], edge: int | None, number: int) -> str | None:
        """Give the token of the next page; past the ceiling of a search the next one begins where this one ended."""
        pages = read_count(within(answer, "nbPages")) or 0
        if number + 1 < pages:
            return f"{'' if edge is None else edge} {number + 1}"
        found = read_count(within(answer, "nbHits")) or 0
        read = number * self.settings.page_size + len(hits)
        times = [at for hit in hits if (at := read_count(within(hit, "created_at_i"))) is not None]
        if found <= read or not times or (edge is not None and min(times) >= edge):
            return None
        return f"{min(times)} 0"

    def _page(self, hits: Sequence[Any]) -> Page:
        posts: list[Post] = []
        rejected: list[Rejected] = []
        for number, raw in enumerate(hits, 1):
            try:
                posts.append(post_from(raw, source=self.name))
            except Exception:  # noqa: BLE001 - a strange item is kept aside, the rest of its page goes on
                rejected.append(Rejected(read_text(within(raw, "objectID"), 40) or f"item {number}", _NO_ID, dump(raw)))
        return Page(tuple(posts), None, tuple(rejected))

    def _get(self, session: requests.Session, path: str, asked: Mapping[str, str]) -> Any:
        from listener.fetch import fetch

        url = f"{self.settings.base_url}/api/v1/{path}" + (f"?{urlencode(asked)}" if asked else "")
        return self._parse(fetch(session, url, self.name).body)

    def recheck(self, native_ids: Sequence[str]) -> Iterator[Page]:
        """Look each item up by its id: one that the index no longer has, or holds without a word, is gone."""
        with self._session() as session:
            for native_id in native_ids:
                if not native_id.isascii() or not native_id.isdigit():
                    continue
                raw = self._look_up(session, native_id)
                page = self._page([raw]) if raw is not None else Page((), gone=(native_id,))
                if any(not post.text for post in page.posts):
                    page = Page((), gone=(native_id,))
                yield page

    def _look_up(self, session: requests.Session, native_id: str) -> Any:
        """Give an item, or None when the index itself says that it has none: another 404 is no word about it."""
        try:
            answer = session.get(f"{self.settings.base_url}/api/v1/items/{native_id}")
            body, status = answer.content, answer.status_code
        except Exception as error:  # noqa: BLE001 - the caller gets one of our own errors, whatever a library raised
            raise classify(error, self.name) from None
        told = self._parse(body) if status == 200 or (status == 404 and body.startswith(b"{")) else None
        if status == 404 and (within(told, "error") is not None or within(told, "status") == 404):
            return None
        failure = judge(status, answer.headers, self.name, body=body)
        if failure is not None:
            raise failure
        if read_text(within(told, "id")) != native_id:
            raise Unreadable(self.name, _NO_PAGE, body=body)
        return told

    def _parse(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise Unreadable(self.name, _NO_PAGE, body=body) from None

    def hosts(self) -> frozenset[str]:
        """Name the host of the API."""
        return frozenset({host_of(self.settings.base_url)})

    def probe(self) -> None:
        """Search for one item; raise a SourceError."""
        with self._session() as session:
            self._ask(session, "hacker", None, None, None)

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say how many requests a poll makes, as a reason that can be worded in any language."""
        return reason(_COST, requests=len(_questions(brands)) * self.settings.max_pages)

    def _session(self) -> requests.Session:
        from listener.fetch import open_session

        return open_session(self._egress, self.name)


def _questions(brands: Sequence[Brand]) -> tuple[str, ...]:
    """List what is searched for; handles and hashtags of other platforms are not, since nobody writes them here."""
    return ask_platform([replace(brand, handles=(), hashtags=()) for brand in brands], "hacker_news").queries
