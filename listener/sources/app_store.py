"""Read reviews of apps in Apple's App Store: the customer reviews feed, country by country.

Library: none, plain JSON. No key, nothing paid. It sees the newest 500 reviews of an app and country (10 pages of 50)
that carry a text: no bare stars, no developer's replies; Apple does not say when a review was deleted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from listener.address import WebAddress, host_of
from listener.errors import SourceError, Unreadable
from listener.mention import Author, Brand, Hole, Metrics, Page, Post, Rejected
from listener.raw import dump, read_count, read_moment, read_state, read_text, scrub, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    import requests

    from listener.egress import Egress

__all__ = ["Settings", "Source", "post_from"]

_MOST_PAGES = 10
_REMEMBERED = 500  # reviews whose state is known from former polls

_NO_TEXT = N_("a review without id or text")
_NO_TIME = N_("a review without a readable time")
_NO_FEED = N_("the answer is not a feed of reviews")
_EMPTIED = N_("the feed of reviews is empty although it held reviews before")
_LOOP = N_("the platform sends the same page again and again")
_PAST_REACH = N_("more reviews came between two polls than the platform shows")
_COST = N_("The App Store charges nothing; this source makes up to {requests} requests a poll.")


class Settings(BaseModel):
    """Say which apps are read, in which countries."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    apps: dict[str, str] = Field(min_length=1, description='brand key → id of its app: { nitido = "123456789" }')
    countries: tuple[str, ...] = Field(("pe",), min_length=1, description="two letters each: stores that are read")
    max_pages: int = Field(10, ge=1, le=_MOST_PAGES, description="pages of 50 reviews an app and country, and poll")
    base_url: WebAddress = Field("https://itunes.apple.com", description="another address: a proxy, a test server")

    @field_validator("apps")
    @classmethod
    def _numbers(cls, apps: dict[str, str]) -> dict[str, str]:
        apps = {brand: app.removeprefix("id") for brand, app in apps.items()}
        for app in apps.values():
            if not app.isascii() or not app.isdigit():
                raise ValueError(f"'{app}' is not the id of an app; write the number of its address, 123456789")
        return apps

    @field_validator("countries")
    @classmethod
    def _letters(cls, countries: tuple[str, ...]) -> tuple[str, ...]:
        for country in countries:
            if len(country) != 2 or not country.isascii() or not country.isalpha():
                raise ValueError(f"'{country}' is not a country; write two letters, pe")
        return tuple(dict.fromkeys(country.casefold() for country in countries))


def _now() -> datetime:
    return datetime.now(UTC)


def post_from(raw: Mapping[str, Any], *, source: str, country: str, about: str | None = None) -> Post:
    """Make a Post of one entry of the feed: title and text; the stars stay in `raw`.

    Raises ValueError (a catalogue sentence) when id, text or time cannot be read.
    """
    native_id = read_text(within(raw, "id", "label"))
    title = (read_text(within(raw, "title", "label")) or "").strip()
    body = (read_text(within(raw, "content", "label")) or "").strip()
    if native_id is None or not (title or body):
        raise ValueError(_NO_TEXT)
    try:
        published = read_moment(within(raw, "updated", "label"))
    except ValueError:
        published = None
    if published is None:
        raise ValueError(_NO_TIME)
    name = read_text(within(raw, "author", "name", "label"))
    page = read_text(within(raw, "author", "uri", "label"))
    link = read_text(within(raw, "link", "attributes", "href"))
    return Post(
        source=source,
        native_id=native_id,
        text="\n".join(part for part in (title, body) if part),
        published_at=published,
        author=Author(name=name, url=page if page is not None and page.startswith("https://") else None),
        url=link if link is not None and link.startswith("https://") else None,
        country=country.upper(),
        metrics=Metrics(likes=read_count(within(raw, "im:voteSum", "label"))),
        about=about,
        raw=scrub(raw),
    )


class Source:
    """Read feeds newest first, each app and country with its own place in the cursor."""

    def __init__(self, name: str, settings: Settings, egress: Egress, *, now: Callable[[], datetime] = _now) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield pages of every app and country; the cursor comes with the last page of each.

        A feed whose answer cannot be read does not stop the others; it is raised after them.
        """
        from listener.fetch import open_session

        known = read_state(cursor)
        feeds = {
            f"{country} {app}": (country, app, brand)
            for brand, app in self.settings.apps.items()
            for country in self.settings.countries
        }
        state = {key: known[key] for key in feeds if key in known}
        failures: list[SourceError] = []
        with open_session(self._egress, self.name) as session:
            for key, feed in feeds.items():
                try:
                    yield from self._read_feed(session, key, feed, state)
                except Unreadable as error:
                    failures.append(error)
        if failures:
            raise failures[0]

    def _read_feed(
        self, session: requests.Session, key: str, feed: tuple[str, str, str], state: dict[str, dict[str, Any]]
    ) -> Iterator[Page]:
        country, app, brand = feed
        before = state.get(key, {})
        known: list[str] = list(before.get("reviews", ()))
        seen: list[str] = []
        former: list[str] = []
        moments: list[datetime] = []
        for number in range(1, self.settings.max_pages + 1):
            entries = self._ask(session, country, app, number)
            marks = [_mark(entry) for entry in entries]
            if known and not marks and number == 1:
                raise Unreadable(self.name, f"{country} {app}: {_EMPTIED}")
            if marks and marks == former:
                raise Unreadable(self.name, _LOOP)
            posts, rejected = self._read(entries, country, brand)
            moments += [post.published_at for post in posts]
            seen += marks
            met = bool(marks) and marks[-1] in known  # an edited review comes up again, and its mark is another one
            if marks and not met and number < self.settings.max_pages:
                yield Page(posts, None, rejected)
                former = marks
                continue
            holes: tuple[Hole, ...] = ()
            if before.get("newest") and marks and not set(known) & set(seen):
                start = datetime.fromisoformat(before["newest"])
                holes = (Hole(start, max(start, min(moments, default=start)), _PAST_REACH),)
            newest = max([before.get("newest") or "", *(moment.isoformat() for moment in moments)])
            state[key] = {"newest": newest, "reviews": list(dict.fromkeys(seen + known))[:_REMEMBERED]}
            yield Page(posts, json.dumps(state), rejected, holes=holes)
            return

    def _ask(self, session: requests.Session, country: str, app: str, number: int) -> list[Any]:
        """Ask for a page; gives its reviews, raises Unreadable when the answer is no feed of them."""
        from listener.fetch import fetch

        path = f"/{country}/rss/customerreviews/page={number}/id={app}/sortby=mostrecent/json"
        body = fetch(session, self.settings.base_url + path, self.name).body
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        feed = within(answer, "feed")
        if not isinstance(feed, Mapping) or not ({"author", "entry", "link", "id"} & set(feed)):
            raise Unreadable(self.name, f"{country} {app}: {_NO_FEED}", body=body)
        entries = feed.get("entry", [])
        if isinstance(entries, Mapping):  # a feed with one entry holds an object and no list
            entries = [entries]
        if not isinstance(entries, list):
            raise Unreadable(self.name, f"{country} {app}: {_NO_FEED}", body=body)
        # The first entry may be the app itself: it has a name and no stars.
        return [one for one in entries if within(one, "im:rating") is not None or within(one, "im:name") is None]

    def _read(self, entries: Sequence[Any], country: str, brand: str) -> tuple[tuple[Post, ...], tuple[Rejected, ...]]:
        posts: list[Post] = []
        rejected: list[Rejected] = []
        for number, raw in enumerate(entries, 1):
            try:
                posts.append(post_from(raw, source=self.name, country=country, about=brand))
            except Exception as error:  # noqa: BLE001 - a strange review is kept aside, the rest of its page goes on
                why = str(error) if str(error) in (_NO_TEXT, _NO_TIME) else _NO_TEXT
                rejected.append(Rejected(f"review {read_text(within(raw, 'id', 'label')) or number}", why, dump(raw)))
        return tuple(posts), tuple(rejected)

    def hosts(self) -> frozenset[str]:
        """Name the host of the feeds."""
        return frozenset({host_of(self.settings.base_url)})

    def probe(self) -> None:
        """Read the first page of the first app; raise a SourceError."""
        from listener.fetch import open_session

        with open_session(self._egress, self.name) as session:
            self._ask(session, self.settings.countries[0], next(iter(self.settings.apps.values())), 1)

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say how many requests a poll makes at most, as a reason that can be worded in any language."""
        feeds = len(self.settings.apps) * len(self.settings.countries)
        return reason(_COST, requests=feeds * self.settings.max_pages)


def _mark(entry: Any) -> str:
    """Tell one state of a review from another: its id and when it was last changed."""
    return f"{read_text(within(entry, 'id', 'label'))} {read_text(within(entry, 'updated', 'label'))}"
