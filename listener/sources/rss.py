"""Read feeds of the press, regulators and official gazettes, and searches that answer as a feed (Google News).

Library: feedparser, on bytes that we fetched ourselves. No key, nothing paid; be polite (15 minutes or more).
It sees what an outlet puts into its feed, mostly title and first lines, and only the latest 10 to 100 entries; what was
published and pushed out between two polls is not seen, and neither are paywalled texts or readers' comments.
"""

from __future__ import annotations

import calendar
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urljoin, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from listener.errors import NotAllowed, RateLimited, SourceError, Unreachable, Unreadable
from listener.failure import classify
from listener.feed import LARGEST, Feed, field, parse_feed, plain
from listener.mention import Author, Brand, Page, Post, Rejected
from listener.question import spellings
from listener.raw import dump, read_state, read_text, scrub, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    import requests

    from listener.egress import Egress

__all__ = ["NO_TEXT", "Settings", "Source", "post_from"]

_PAGE = 500
_DEEPEST = 20
_ACCEPT = (
    "application/rss+xml, application/atom+xml, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"
)
NO_TEXT = N_("an entry without title and text")
_NO_ENTRY = N_("an entry that cannot be read")
_TRUNCATED = N_("the feed ends in the middle")
_STILL_WAITING = N_("the platform asks to wait")
_COST = N_("Feeds cost nothing.")


class Settings(BaseModel):
    """Say which feeds are read and where brands are searched for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feeds: tuple[str, ...] = Field((), description="addresses of feeds")
    searches: tuple[str, ...] = Field(
        (), description="addresses with {query}, asked once for each name of each brand and competitor"
    )

    @field_validator("feeds", "searches")
    @classmethod
    def _web(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            if not url.startswith(("https://", "http://")) or not urlsplit(url).hostname:
                raise ValueError(f"'{url}' is not an address that starts with https://")
        return urls

    @field_validator("searches")
    @classmethod
    def _asking(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        for url in urls:
            if "{query}" not in url or "{query}" in url.partition("?")[0].partition("://")[2].partition("/")[0]:
                raise ValueError(f"'{url}' has no {{query}} where the brand's name goes")
        return urls

    @model_validator(mode="after")
    def _something(self) -> Settings:
        if not self.feeds and not self.searches:
            raise ValueError("neither feeds nor searches are given")
        return self


def _now() -> datetime:
    return datetime.now(UTC)


def post_from(entry: Mapping[str, Any], *, source: str, feed: Mapping[str, Any], url: str, now: datetime) -> Post:
    """Make a Post of one entry as feedparser gives it; ValueError (a catalogue sentence) when it has no text.

    The author is the outlet: its handle is the host of the link, or of <source> where an aggregator names one.
    """
    title = field(entry, "title")
    summary = field(entry, "summary") or plain(within(next(iter(entry.get("content") or ()), None), "value"))
    outlet_name = plain(within(entry, "source", "title"))
    if outlet_name:
        title = title.removesuffix(f" - {outlet_name}")  # Google News ends each title with the outlet
    link = _address(entry.get("link"), url)
    rest = summary[len(title) :].strip(" .-–—|") if title and summary.startswith(title) else summary
    text = "\n".join(part for part in (title, "" if rest == outlet_name else rest) if part)
    if not text:
        raise ValueError(NO_TEXT)
    outlet = _address(within(entry, "source", "href"), url) or link or _address(feed.get("link"), url) or url
    host = (urlsplit(outlet).hostname or "").removeprefix("www.")
    language = read_text(feed.get("language")) or read_text(within(entry, "title_detail", "language")) or ""
    kept = {key: _cut(part) for key, part in entry.items() if not key.endswith("_parsed")}
    return Post(
        source=source,
        native_id=_identity(entry, url, title, summary),
        text=text,
        published_at=min(_moment(entry) or now, now),  # what is here already was not published tomorrow
        author=Author(handle=host or None, name=outlet_name or plain(feed.get("title")) or None, url=f"https://{host}"),
        url=link,
        lang=language.replace("_", "-").partition("-")[0].strip().casefold()[:3] or None,
        raw={"feed": url.partition("?")[0], "entry": scrub(kept)},  # what follows may be a key
    )


def _cut(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return value[:32_000]
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {key: _cut(part, depth + 1) for key, part in value.items() if not str(key).endswith("_parsed")}
    return [_cut(part, depth + 1) for part in value[:50]] if isinstance(value, (list, tuple)) else value


def _address(value: Any, base: str) -> str | None:
    """Give an absolute http(s) address or None: javascript:, data: and the like are not links."""
    text = read_text(value, 2000)
    if text is None:
        return None
    try:
        url = urljoin(base, text.strip())
        parts = urlsplit(url)
        return url if parts.scheme in ("http", "https") and parts.hostname else None
    except ValueError:
        return None


def _identity(entry: Mapping[str, Any], url: str, title: str, summary: str) -> str:
    """Hash what makes an entry the same one: its guid, else its link, else its words (within this feed)."""
    guid, link = read_text(entry.get("id")), read_text(entry.get("link"))
    if guid is not None:
        # A bare number is unique within an outlet only; an address, a tag: or a urn: is unique everywhere.
        key = guid if ":" in guid else f"{urlsplit(url).hostname} {guid}"
    else:
        key = link if link is not None and ":" in link else f"{url} {link or f'{title} {summary}'}"
    return hashlib.sha256(key.strip().encode()).hexdigest()


def _moment(entry: Mapping[str, Any]) -> datetime | None:
    for name in ("published_parsed", "updated_parsed", "created_parsed"):
        parts = entry.get(name)
        if parts:
            try:
                return datetime.fromtimestamp(calendar.timegm(tuple(parts)), UTC)
            except (ValueError, TypeError, OverflowError, OSError):
                continue
    return None


class Source:
    """Read feeds, each with its own place in the cursor, so that one that fails does not stop the others."""

    def __init__(self, name: str, settings: Settings, egress: Egress, *, now: Callable[[], datetime] = _now) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield the entries of every feed that changed; raise what went wrong after all others were read."""
        from listener.fetch import open_session

        known = read_state(cursor)
        urls = self._addresses(brands)
        state = {key: known[key] for url in urls if (key := _key(url)) in known}
        failures: list[tuple[str, SourceError]] = []
        with open_session(self._egress, self.name) as session:
            for url in urls:
                try:
                    yield from self._collect_feed(session, url, state)
                except RateLimited as error:
                    failures.append((url, error))
                    if error.until is not None:
                        state[_key(url)] = {**state.get(_key(url), {}), "wait": error.until.isoformat()}
                        yield Page((), json.dumps(state))
                except SourceError as error:
                    failures.append((url, error))
                except Exception as error:  # noqa: BLE001 - one feed never stops the others
                    failures.append((url, classify(error, self.name)))
        if failures:
            raise self._together(failures, len(urls))

    def _collect_feed(self, session: requests.Session, url: str, state: dict[str, dict[str, str]]) -> Iterator[Page]:
        from listener.fetch import fetch

        before = state.get(_key(url), {})
        wait = datetime.fromisoformat(before["wait"]) if before.get("wait") else None
        if wait is not None and wait > self._now():
            raise RateLimited(self.name, _STILL_WAITING, until=wait)
        asked = {"Accept": _ACCEPT}
        asked |= {"If-None-Match": before["etag"]} if before.get("etag") else {}
        asked |= {"If-Modified-Since": before["modified"]} if before.get("modified") else {}
        answer = fetch(session, url, self.name, headers=asked, limit=LARGEST)
        if answer.status == 304:
            return
        feed = parse_feed(answer.body, self.name)
        after = {"etag": answer.headers.get("ETag", ""), "modified": answer.headers.get("Last-Modified", "")}
        now = self._now()
        for start in range(0, len(feed.entries), _PAGE):
            posts, rejected = self._read(feed, feed.entries[start : start + _PAGE], start, url, now)
            last = start + _PAGE >= len(feed.entries) and not feed.truncated
            if last:
                told = {key: value for key, value in after.items() if value}
                state.pop(_key(url), None)
                state |= {_key(url): told} if told else {}
            yield Page(posts, json.dumps(state) if last else None, rejected)
        if feed.truncated:
            raise Unreadable(self.name, _TRUNCATED, body=answer.body[-2000:])

    def _read(
        self, feed: Feed, entries: Sequence[Mapping[str, Any]], start: int, url: str, now: datetime
    ) -> tuple[tuple[Post, ...], tuple[Rejected, ...]]:
        posts: list[Post] = []
        rejected: list[Rejected] = []
        for number, entry in enumerate(entries, start + 1):
            try:
                posts.append(post_from(entry, source=self.name, feed=feed.channel, url=url, now=now))
            except Exception as error:  # noqa: BLE001 - a strange entry is kept aside, the rest of its feed goes on
                body = dump(_cut(entry))
                why = NO_TEXT if isinstance(error, ValueError) and str(error) == NO_TEXT else _NO_ENTRY
                rejected.append(Rejected(f"{_short(url)} entry {number}", why, body))
        return tuple(posts), tuple(rejected)

    def _together(self, failures: Sequence[tuple[str, SourceError]], asked: int) -> SourceError:
        """Make one error of several; the clock may stop or slow the whole source only when every feed failed alike."""
        told = "; ".join(f"{_short(url)}: {error}" for url, error in failures)
        kinds = {type(error) for _, error in failures}
        body = next((error.body for _, error in failures if error.body), b"")
        if len(failures) == asked and kinds == {RateLimited}:
            untils = [
                error.until for _, error in failures if isinstance(error, RateLimited) and error.until is not None
            ]
            return RateLimited(self.name, told, until=min((until for until in untils if until), default=None))
        if len(failures) == asked and kinds == {NotAllowed}:
            return NotAllowed(self.name, told)
        if Unreadable in kinds:
            return Unreadable(self.name, told, body=body)
        return kinds.pop()(self.name, told) if len(kinds) == 1 and asked == 1 else Unreachable(self.name, told)

    def hosts(self) -> frozenset[str]:
        """Name the hosts of feeds and searches."""
        return frozenset(urlsplit(url).hostname or "" for url in (*self.settings.feeds, *self.settings.searches))

    def probe(self) -> None:
        """Read every feed and try every search once; raise a SourceError that names those that fail."""
        from listener.fetch import fetch, open_session

        urls = [*self.settings.feeds, *(url.replace("{query}", "noticias") for url in self.settings.searches)]
        failures: list[tuple[str, SourceError]] = []
        with open_session(self._egress, self.name) as session:
            for url in urls:
                try:
                    parse_feed(
                        fetch(session, url, self.name, headers={"Accept": _ACCEPT}, limit=LARGEST).body, self.name
                    )
                except SourceError as error:
                    failures.append((url, error))
        if failures:
            raise self._together(failures, len(urls))

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say that feeds cost nothing, as a reason that can be worded in any language."""
        return reason(_COST)

    def _addresses(self, brands: Sequence[Brand]) -> list[str]:
        names = [quote_plus(f'"{name}"') for name in spellings(brands)]
        searches = [url.replace("{query}", name) for url in self.settings.searches for name in names]
        return list(dict.fromkeys((*self.settings.feeds, *searches)))


def _key(url: str) -> str:
    """Name a feed in the cursor: not by its address, which may hold a key."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def _short(url: str) -> str:
    """Name a feed without its query string, which may hold a key."""
    parts = urlsplit(url)
    return f"{parts.hostname}{parts.path}"
