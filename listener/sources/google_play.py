"""Read reviews of apps in Google Play, newest first.

Library: google-play-scraper (extra `google_play`), for the form of Google's questions and answers; requests go through
our own gate. No key, nothing paid; the interface is not official and may change without notice. It sees reviews with a
text in the chosen language and country: no bare stars, no account names, no developer's replies, no deletions.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, field_validator

from listener.address import WebAddress, host_of
from listener.egress import TIMEOUT
from listener.errors import RateLimited, SourceError, Unreadable
from listener.extras import require
from listener.failure import LIMITED, classify, judge
from listener.mention import Author, Brand, Hole, Metrics, Page, Post, Rejected
from listener.raw import dump, read_count, read_moment, read_state, read_text, scrub
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    import requests

    from listener.egress import Egress

__all__ = ["Settings", "Source", "post_from"]

_LOCK = threading.Lock()
_SITE = "https://play.google.com"  # written into google-play-scraper 1.2.7
_ASKED_TOO_OFTEN = b"com.google.play.gateway.proto.PlayGatewayError"
_NEWEST = 2  # google_play_scraper.Sort.NEWEST
_REMEMBERED = 500  # reviews whose state is known from former polls
_KEPT = ("reviewId", "userName", "content", "score", "thumbsUpCount", "reviewCreatedVersion", "appVersion")

_NO_TEXT = N_("a review without id or text")
_NO_TIME = N_("a review without a readable time")
_NO_REVIEWS = N_("the answer is not a list of reviews")
_EMPTIED = N_("the list of reviews is empty although it held reviews before")
_LOOP = N_("the platform sends the same page again and again")
_MORE_THAN_READ = N_("more reviews came between two polls than max_pages allows to read")
_COST = N_("Google Play charges nothing; this source makes up to {requests} requests a poll.")


class Settings(BaseModel):
    """Say which apps are read, in which language and country."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    apps: dict[str, str] = Field(min_length=1, description='brand key → its app: { nitido = "pe.nitido.mi" }')
    lang: str = Field("es", pattern="^[a-z]{2}(-[A-Za-z0-9]{2,4})?$", description="language of the reviews")
    country: str = Field("pe", pattern="^[A-Za-z]{2}$", description="two letters: the store that is read")
    page_size: int = Field(100, ge=10, le=199, description="reviews a page")
    max_pages: int = Field(5, ge=1, le=100, description="pages an app and poll")
    base_url: WebAddress = Field(_SITE, description="another address: a proxy, a test server")

    @field_validator("apps")
    @classmethod
    def _names(cls, apps: dict[str, str]) -> dict[str, str]:
        for app in apps.values():
            # The name is written into a question, so nothing else may stand in it.
            if not app.isascii() or not app.replace(".", "").replace("_", "").isalnum():
                raise ValueError(f"'{app}' is not the id of an app; write what stands behind id= in its address")
        return apps


def _now() -> datetime:
    return datetime.now(UTC)


def post_from(
    raw: Mapping[str, Any], *, source: str, app: str, about: str | None = None, lang: str | None = None
) -> Post:
    """Make a Post of one review as google-play-scraper names its parts, `at` in seconds; the stars stay in `raw`.

    Raises ValueError (a catalogue sentence) when id, text or time cannot be read.
    """
    native_id, text = read_text(raw.get("reviewId")), read_text(raw.get("content"))
    if native_id is None or text is None:
        raise ValueError(_NO_TEXT)
    try:
        published = read_moment(raw.get("at"))
    except ValueError:
        published = None
    if published is None:
        raise ValueError(_NO_TIME)
    return Post(
        source=source,
        native_id=native_id,
        text=text,
        published_at=published,
        author=Author(name=read_text(raw.get("userName"))),
        url=f"{_SITE}/store/apps/details?id={quote(app)}&reviewId={quote(native_id)}",
        lang=lang,
        metrics=Metrics(likes=read_count(raw.get("thumbsUpCount"))),
        about=about,
        raw={"app": app, **scrub({name: raw.get(name) for name in _KEPT})},
    )


class Source:
    """Read reviews newest first, each app with its own place in the cursor."""

    def __init__(self, name: str, settings: Settings, egress: Egress, *, now: Callable[[], datetime] = _now) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield pages of every app; the cursor comes with the last page of each.

        An app whose answer cannot be read does not stop the others; it is raised after them.
        """
        known = read_state(cursor)
        apps = {app: brand for brand, app in self.settings.apps.items()}
        state = {app: known[app] for app in apps if app in known}
        failures: list[SourceError] = []
        library = _Library(self.name)
        with self._session() as session:
            for app, brand in apps.items():
                try:
                    yield from self._read_app(session, library, app, brand, state)
                except Unreadable as error:
                    failures.append(error)
        if failures:
            raise failures[0]

    def _read_app(
        self, session: requests.Session, library: _Library, app: str, brand: str, state: dict[str, dict[str, Any]]
    ) -> Iterator[Page]:
        before = state.get(app, {})
        known: list[str] = list(before.get("reviews", ()))
        seen: list[str] = []
        moments: list[datetime] = []
        tokens: set[str] = set()
        token: str | None = None
        for number in range(1, self.settings.max_pages + 1):
            items, token = self._ask(session, library, app, token)
            if known and not items and number == 1:
                raise Unreadable(self.name, f"{app}: {_EMPTIED}")
            posts, rejected, marks = self._read(library, items, app, brand)
            moments += [post.published_at for post in posts]
            seen += marks
            met = bool(marks) and marks[-1] in known  # an edited review comes up again, and its mark is another one
            if token is not None and not met and number < self.settings.max_pages:
                yield Page(posts, None, rejected)
                if token in tokens:
                    raise Unreadable(self.name, f"{app}: {_LOOP}")
                tokens.add(token)
                continue
            holes: tuple[Hole, ...] = ()
            if before.get("newest") and token is not None and not set(known) & set(seen):
                start = datetime.fromisoformat(before["newest"])
                holes = (Hole(start, max(start, min(moments, default=start)), _MORE_THAN_READ),)
            newest = max([before.get("newest") or "", *(moment.isoformat() for moment in moments)])
            state[app] = {"newest": newest, "reviews": list(dict.fromkeys(seen + known))[:_REMEMBERED]}
            yield Page(posts, json.dumps(state), rejected, holes=holes)
            return

    def _ask(
        self, session: requests.Session, library: _Library, app: str, token: str | None
    ) -> tuple[list[Any], str | None]:
        """Ask for one page; give its items and the next page's token. Raises a SourceError."""
        size = self.settings.page_size
        body = library.formats.build_body(app, _NEWEST, size, "null", "null", token)
        url = library.formats.build(lang=self.settings.lang, country=self.settings.country)
        kind = "application/x-www-form-urlencoded;charset=UTF-8"
        try:
            answer = session.post(url, data=body, headers={"Content-Type": kind}, timeout=TIMEOUT)
        except Exception as error:  # noqa: BLE001 - the caller gets one of our own errors, whatever a library raised
            raise classify(error, self.name) from None
        failure = judge(answer.status_code, answer.headers, self.name, body=answer.content)
        if failure is not None:
            raise failure
        try:
            return library.unpack(answer.content)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            if _ASKED_TOO_OFTEN in answer.content:
                raise RateLimited(self.name, LIMITED) from None
            raise Unreadable(self.name, f"{app}: {_NO_REVIEWS}", body=answer.content) from None

    def _read(
        self, library: _Library, items: Sequence[Any], app: str, brand: str
    ) -> tuple[tuple[Post, ...], tuple[Rejected, ...], list[str]]:
        posts: list[Post] = []
        rejected: list[Rejected] = []
        marks: list[str] = []
        lang = self.settings.lang.partition("-")[0]
        for number, item in enumerate(items, 1):
            raw = library.name_parts(item)
            marks.append(f"{read_text(raw.get('reviewId'))} {read_text(raw.get('at'))}")
            try:
                posts.append(post_from(raw, source=self.name, app=app, about=brand, lang=lang))
            except ValueError as error:
                rejected.append(Rejected(f"{app} review {number}", str(error), dump(item)))
        return tuple(posts), tuple(rejected), marks

    def _session(self) -> requests.Session:
        from listener.fetch import open_session

        return open_session(self._egress, self.name, rewrite={_SITE: self.settings.base_url})

    def hosts(self) -> frozenset[str]:
        """Name the host of the store."""
        return frozenset({host_of(self.settings.base_url)})

    def probe(self) -> None:
        """Read the first page of the first app; raise a SourceError."""
        with self._session() as session:
            self._ask(session, _Library(self.name), next(iter(self.settings.apps.values())), None)

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say how many requests a poll makes at most, as a reason that can be worded in any language."""
        return reason(_COST, requests=len(self.settings.apps) * self.settings.max_pages)


class _Library:
    """Borrow from google-play-scraper what Google changes: the question's form, and where each part of a review lies.

    Its own `reviews()` is not called: it sends by urllib past any gate and without a time-out, tries three times with
    pauses, and gives an empty list for every fault of the network or the format, which would read as "no reviews".
    """

    def __init__(self, source: str) -> None:
        with _LOCK:
            trusted = ssl._create_default_https_context
            require("google_play_scraper", "google_play", source)
            # Importing it turns off the check of certificates for urllib in the whole process; that is undone here.
            careless = trusted is ssl._create_unverified_context
            ssl._create_default_https_context = ssl.create_default_context if careless else trusted
        self.formats: Any = import_module("google_play_scraper.constants.request").Formats.Reviews
        self._parts: Any = import_module("google_play_scraper.constants.element").ElementSpecs.Review
        self._frame: Any = import_module("google_play_scraper.constants.regex").Regex.REVIEWS
        self._lookup: Any = import_module("google_play_scraper.utils").nested_lookup

    def unpack(self, body: bytes) -> tuple[list[Any], str | None]:
        """Give the items and the next page's token; ValueError, TypeError or LookupError for anything else."""
        (framed,) = self._frame.findall(body.decode("utf-8"))
        told = json.loads(json.loads(framed)[0][2])
        if not isinstance(told, list):
            raise TypeError
        items = told[0] if told else []
        if not isinstance(items, list):
            raise TypeError
        last = told[-2][-1] if len(told) > 1 and isinstance(told[-2], list) and told[-2] else None
        return items, last if items and isinstance(last, str) and last else None

    def name_parts(self, item: Any) -> dict[str, Any]:
        """Give the named parts of a review; None where one is missing, `at` in seconds since 1970."""
        parts = {name: spec.extract_content(item) for name, spec in self._parts.items()}
        try:
            # The library makes a local time without zone of it, which is ambiguous when clocks are put back.
            parts["at"] = self._lookup(item, self._parts["at"].data_map)
        except (TypeError, LookupError, AttributeError):
            parts["at"] = None
        return parts
