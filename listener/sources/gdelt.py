"""Search the world's news for articles that name a brand, by GDELT's DOC 2.0 API.

Library: requests. No key, nothing paid; five seconds between two requests, or it answers with a refusal. It sees titles
only (it searches whole texts in translation, but does not give them), some fifteen minutes late and three months back;
what it calls an article may be a copy of another.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from listener.address import WebAddress, host_of
from listener.duration import Span
from listener.errors import RateLimited, Unreadable
from listener.failure import LIMITED
from listener.feed import plain
from listener.mention import Author, Brand, Hole, Page, Post, Rejected
from listener.names import code_of, name_of
from listener.question import ask_platform
from listener.raw import dump, read_moment, read_state, read_text, scrub, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    import requests

    from listener.egress import Egress

__all__ = ["Settings", "Source", "pause", "post_from"]

_LONGEST_QUERY = 250
_SHORTEST_NAME = 3  # letters; GDELT refuses a whole query for the sake of a shorter word
_HISTORY = timedelta(days=89)
_OVERLAP = timedelta(hours=1)  # articles reach the index late
_QUARTER = timedelta(minutes=15)  # what its times are rounded to
_SLOW_DOWN = timedelta(minutes=1)
_CLOCK = "clock"  # in the cursor: when the last request was made, and whose turn is next
_STAMP = "%Y%m%d%H%M%S"
_ESCAPE = re.compile(r'\\(?!["\\/bfnrtu])')

_NO_ARTICLE = N_("an article without address, title or time")
_NO_PAGE = N_("the answer is not a page of posts")
_EMPTY = N_("the answer is empty")
_DECLINED = N_("GDELT declined the question in words of its own")
_LOOP = N_("the platform sends the same page again and again")
_TOO_MANY = N_("more was new than a poll may read; what lies between was not read")
_TOO_OLD = N_("the platform does not go back so far; what was said before was not read")
_COST = N_("GDELT charges nothing; this source makes up to {requests} requests a poll, {seconds} seconds apart.")


def pause(seconds: float) -> None:
    """Wait between two requests."""
    threading.Event().wait(seconds)


class Settings(BaseModel):
    """Say in which languages and countries the news is searched, and how fast."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    languages: tuple[str, ...] = Field((), description='of the articles: ["es", "pt"]; empty: all 65')
    countries: tuple[str, ...] = Field((), description='of the outlets: ["PE", "MX"]; empty: all')
    first: Span = Field(timedelta(days=1), description="how far back the first poll reads; three months at most")
    apart: Span = Field(timedelta(seconds=5), description="time between two requests; GDELT asks for five seconds")
    page_size: int = Field(250, ge=1, le=250, description="articles a request")
    max_requests: int = Field(6, ge=1, le=60, description="requests a poll; what is left has its turn in the next one")
    base_url: WebAddress = Field(
        "https://api.gdeltproject.org", description="another address for the API: a proxy, a test server"
    )

    @field_validator("languages", "countries")
    @classmethod
    def _known(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        for code in codes:
            if name_of(code) is None:
                raise ValueError(f"'{code}' is not a language (es, pt) or country (PE, MX) in two letters")
        return codes


def _now() -> datetime:
    return datetime.now(UTC)


def post_from(raw: Mapping[str, Any], *, source: str) -> Post:
    """Make a Post of an article; its author is the outlet. ValueError (a catalogue sentence) when it cannot be read."""
    url, title = read_text(raw.get("url"), 2000), plain(raw.get("title"))
    if url is None or not url.startswith(("https://", "http://")) or not title:
        raise ValueError(_NO_ARTICLE)
    try:
        seen = read_moment(raw.get("seendate"))
    except ValueError:
        seen = None
    if seen is None:
        raise ValueError(_NO_ARTICLE)
    outlet = (read_text(raw.get("domain")) or urlsplit(url).hostname or "").removeprefix("www.")
    return Post(
        source=source,
        native_id=hashlib.sha256(url.strip().encode()).hexdigest(),
        text=title,
        published_at=seen,
        author=Author(handle=outlet or None, name=outlet or None, url=f"https://{outlet}" if outlet else None),
        url=url,
        lang=code_of(read_text(raw.get("language")) or ""),
        # The country is the outlet's: where an article is published is not what it is about, but it is told.
        country=code_of(read_text(raw.get("sourcecountry")) or "", country=True),
        raw=scrub(raw),
    )


class Source:
    """Ask one question after the other, the oldest articles first, never two requests within five seconds."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        egress: Egress,
        *,
        now: Callable[[], datetime] = _now,
        wait: Callable[[float], None] | None = None,
    ) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now
        self._wait = wait

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield pages; each carries the cursor, and so does an empty one before each request: it notes its time."""
        known = read_state(cursor)
        asked = self._questions(brands)
        state = {key: known[key] for key in (*asked, _CLOCK) if key in known}
        turn = read_text(state.get(_CLOCK, {}).get("turn"))
        first = asked.index(turn) if turn in asked else 0
        queue = [*asked[first:], *asked[:first]]
        failure: Unreadable | None = None
        with self._session() as session:
            for _ in range(self.settings.max_requests):
                if not queue:
                    break
                question = queue.pop(0)
                self._hold(state)
                yield Page((), json.dumps(state))
                try:
                    page, more = self._turn(session, question, state)
                except Unreadable as error:  # one question that is declined must not stop the others
                    failure = failure or error
                    continue
                queue += [question] if more else []  # the others first: a burst must not keep them waiting
                yield replace(page, cursor=json.dumps(state))
        if queue:
            state[_CLOCK]["turn"] = queue[0]
            yield Page((), json.dumps(state))
        if failure is not None:
            raise failure

    def _hold(self, state: dict[str, dict[str, Any]]) -> None:
        """Wait until the next request may be made, and note that it is made now."""
        clock = state.get(_CLOCK, {})
        try:
            before = read_moment(clock.get("asked"))
        except ValueError:
            before = None
        apart = self.settings.apart.total_seconds()
        passed = (self._now() - before).total_seconds() if before is not None else apart
        # A clock that was set back must not make a wait of hours.
        if 0 <= passed < apart or (before is not None and passed < 0):
            (self._wait or pause)(min(apart - passed, apart))
        state[_CLOCK] = {"asked": self._now().isoformat()}

    def _turn(self, session: requests.Session, question: str, state: dict[str, dict[str, Any]]) -> tuple[Page, bool]:
        """Make one request of a question and move its place; tell whether there is more."""
        now = self._now()
        start, holes = self._start(state.get(question, {}), now)
        articles = self._ask(session, question, start, now)
        page = replace(self._page(articles), holes=holes)
        latest = max((post.published_at for post in page.posts), default=None)
        if len(articles) < self.settings.page_size or latest is None:
            state[question] = {"last": max(latest or now - _OVERLAP, start).isoformat()}
            return page, False
        if latest < start:
            raise Unreadable(self.name, _LOOP)
        if latest == start:  # a quarter of an hour that holds more than an answer may: there is no way to the rest
            latest = start + _QUARTER
            page = replace(page, holes=(*holes, Hole(start, latest, _TOO_MANY)))
        state[question] = {"last": min(latest, now).isoformat(), "cut": True}
        return page, True

    def _start(self, told: Mapping[str, Any], now: datetime) -> tuple[datetime, tuple[Hole, ...]]:
        """Tell from when to ask, and what lies beyond GDELT's three months."""
        try:
            last = read_moment(told.get("last"))
        except ValueError:
            last = None
        oldest = now - _HISTORY
        if last is None:
            return max(now - self.settings.first, oldest), ()
        start = min(last if told.get("cut") else last - _OVERLAP, now - timedelta(seconds=1))
        return (start, ()) if start >= oldest else (oldest, (Hole(start, oldest, _TOO_OLD),))

    def _ask(self, session: requests.Session, question: str, start: datetime, end: datetime) -> list[Any]:
        from listener.fetch import fetch

        asked = {
            "query": question,
            "mode": "artlist",
            "format": "json",
            "sort": "dateasc",
            "maxrecords": str(self.settings.page_size),
            "startdatetime": start.strftime(_STAMP),
            "enddatetime": end.strftime(_STAMP),
        }
        body = fetch(session, f"{self.settings.base_url}/api/v2/doc/doc?{urlencode(asked)}", self.name).body
        text = body.decode("utf-8", "replace").strip("\ufeff \r\n\t")
        if not text:
            raise Unreadable(self.name, _EMPTY)
        if not text.startswith("{"):  # it says what is wrong in plain English, with status 200
            if "limit requests" in text[:2000].casefold():
                raise RateLimited(self.name, LIMITED, until=self._now() + _SLOW_DOWN)
            raise Unreadable(self.name, _NO_PAGE if text.startswith("<") else _DECLINED, body=body)
        try:
            answer = json.loads(_ESCAPE.sub(r"\\\\", text), strict=False)  # titles come with tabs and lone backslashes
        except (ValueError, RecursionError):
            raise Unreadable(self.name, _NO_PAGE, body=body) from None
        articles = within(answer, "articles")
        if articles is None and answer == {}:
            return []
        if not isinstance(articles, list):
            raise Unreadable(self.name, _NO_PAGE, body=body)
        return articles

    def _page(self, articles: Sequence[Any]) -> Page:
        posts: list[Post] = []
        rejected: list[Rejected] = []
        for number, raw in enumerate(articles, 1):
            try:
                posts.append(post_from(raw, source=self.name))
            except Exception:  # noqa: BLE001 - a strange article is kept aside, the rest of its page goes on
                rejected.append(Rejected(f"article {number}", _NO_ARTICLE, dump(raw)))
        return Page(tuple(posts), None, tuple(rejected))

    def _questions(self, brands: Sequence[Brand]) -> list[str]:
        """Build the queries: names that are long enough, then the languages and countries that are wanted."""
        ends = [
            _either([f"{word}:{_joined(name_of(code) or '')}" for code in codes])
            for word, codes in (("sourcelang", self.settings.languages), ("sourcecountry", self.settings.countries))
            if codes
        ]
        asked = [named for brand in brands if (named := _askable(brand)) is not None]
        room = max(_LONGEST_QUERY - sum(map(len, ends)), 60)
        return [" ".join([query, *ends]) for query in ask_platform(asked, "gdelt", limit=room).queries]

    def hosts(self) -> frozenset[str]:
        """Name the host of the API."""
        return frozenset({host_of(self.settings.base_url)})

    def probe(self) -> None:
        """Ask for an article of the last hour; raise a SourceError."""
        with self._session() as session:
            self._ask(session, "news", self._now() - timedelta(hours=1), self._now())

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say how many requests a poll makes, as a reason that can be worded in any language."""
        seconds = int(self.settings.apart.total_seconds())
        return reason(_COST, requests=self.settings.max_requests, seconds=seconds)

    def _session(self) -> requests.Session:
        from listener.fetch import open_session

        return open_session(self._egress, self.name)


def _askable(brand: Brand) -> Brand | None:
    """Give a brand with the names that GDELT can be asked for; None when there is none."""
    names = [name for name in dict.fromkeys((brand.name, *brand.names)) if len(name.strip()) >= _SHORTEST_NAME]
    if not names and brand.query is None:
        return None
    return replace(brand, name=names[0] if names else "", names=tuple(names[1:]), handles=(), hashtags=())


def _either(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"


def _joined(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalpha())
