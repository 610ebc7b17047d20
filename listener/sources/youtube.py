"""Read the comments of YouTube videos: chosen ones, a channel's, and those that a search for the brands finds.

Library: google-api-python-client (extra `youtube`). Needs a free API key of a Google Cloud project; 10,000 units a day
(one a page of 100 threads) and 100 searches a day come with it. It sees public comments only: no private videos, none
with comments turned off, no live chat, not what is said in a video; a first poll reads the newest pages only.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from listener.address import WebAddress, host_of
from listener.duration import Span
from listener.errors import RateLimited, SourceError, Unreadable
from listener.mention import Brand, Hole, Page, Rejected
from listener.platforms.googlehttp import Declined, GoogleHTTP, ask, open_client
from listener.platforms.youtubecomment import Reading, questions, read_comments, read_items, read_threads
from listener.question import spellings
from listener.raw import read_count, read_state, read_text, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    import requests

    from listener.egress import Egress

__all__ = ["Settings", "Source"]

_PAGE = 100
_RECHECKED = 50  # ids a call
_SEARCH_BACK = timedelta(days=7)
_RESTS = 5  # unread stretches that are remembered for each video or channel
_THREADS = 1000  # threads whose number of replies is remembered, so that unchanged ones are not read again
_SILENT = {
    "commentsDisabled": N_("comments are turned off at this video"),
    "videoNotFound": N_("this video or channel is not there"),
    "channelNotFound": N_("this video or channel is not there"),
    "notFound": N_("this video or channel is not there"),
}

log = logging.getLogger("escucha.sources")

_LOOP = N_("the platform sends the same page again and again")
_FORGOTTEN = N_("the platform no longer gives the comments between two polls")
_COST = N_("YouTube charges nothing; a poll takes about {units} of the 10,000 units of a day.")


class Settings(BaseModel):
    """Say with which key YouTube is asked, and about which videos and channels."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api_key: SecretStr = Field(description='the key of your Google Cloud project: "env:YOUTUBE_API_KEY"')
    videos: tuple[str, ...] = Field((), description="ids of videos (what stands behind watch?v=)")
    channels: tuple[str, ...] = Field((), description="ids of channels (UC…): comments on all their videos")
    about: str | None = Field(None, description="key of the brand whose videos and channels these are")
    searches: int = Field(0, ge=0, le=100, description="searches a day for videos that name a brand; 0: none")
    searched_videos: int = Field(20, ge=1, le=200, description="newest videos found whose comments are read")
    replies: bool = Field(default=True, description="false: only the comments that start a thread are read")
    revisit: Span = Field(timedelta(days=3), description="how long a thread is looked at again for new replies")
    max_pages: int = Field(10, ge=1, le=100, description="pages of 100 threads a video or channel, and poll")
    base_url: WebAddress = Field(
        "https://youtube.googleapis.com", description="another address: a proxy, a test server"
    )

    @field_validator("videos", "channels")
    @classmethod
    def _ids(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not re.fullmatch(r"[\w-]{6,40}", name, re.ASCII):
                raise ValueError(f"'{name}' is not an id of YouTube; write what stands behind watch?v= or /channel/")
        return names

    @model_validator(mode="after")
    def _something(self) -> Settings:
        if not self.videos and not self.channels and not self.searches:
            raise ValueError("neither videos nor channels nor searches are given")
        return self


def _now() -> datetime:
    return datetime.now(UTC)


class Source:
    """Read threads newest first, each video and channel with its own place in the cursor."""

    def __init__(self, name: str, settings: Settings, egress: Egress, *, now: Callable[[], datetime] = _now) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield pages of every video and channel; the cursor comes with the last page of each.

        A place whose answer cannot be read does not stop the others; it is raised after them.
        """
        known = read_state(cursor)
        failures: list[SourceError] = []
        with self._session() as session:
            client = self._client(session)
            search = dict(known.get("search", {}))
            if self.settings.searches and spellings(brands):
                yield from self._search(client, brands, search, known)
            places = self._places(search)
            state = {key: known[key] for key in places if key in known}
            state |= {"search": search} if search else {}
            for key, (params, about) in places.items():
                try:
                    yield from self._read_place(client, key, params, about, state)
                except Unreadable as error:
                    failures.append(error)
        if failures:
            raise failures[0]

    def _places(self, search: Mapping[str, Any]) -> dict[str, tuple[dict[str, str], str | None]]:
        """Name what is read: key in the cursor → parameters of the listing, and the brand that owns it."""
        about = self.settings.about
        found = [one for one in search.get("videos", {}) if one not in self.settings.videos]
        return {
            **{f"video {one}": ({"videoId": one}, about) for one in self.settings.videos},
            **{f"channel {one}": ({"allThreadsRelatedToChannelId": one}, about) for one in self.settings.channels},
            **{f"video {one}": ({"videoId": one}, None) for one in found},
        }

    def _search(
        self, client: Any, brands: Sequence[Brand], state: dict[str, Any], known: Mapping[str, Any]
    ) -> Iterator[Page]:
        """Search when the day's next search is due, one question in turn, and remember the newest videos found."""
        now = self._now()
        last = state.get("at")
        if isinstance(last, str) and now - datetime.fromisoformat(last) < timedelta(days=1) / self.settings.searches:
            return
        asked = questions(spellings(brands))
        turn = (read_count(state.get("turn")) or 0) % len(asked)
        state |= {"at": now.isoformat(), "turn": turn + 1}
        since = (now - _SEARCH_BACK).strftime("%Y-%m-%dT%H:%M:%SZ")
        params = {"part": "id,snippet", "q": asked[turn], "type": "video", "order": "date", "maxResults": 50}
        try:
            answer = self._ask(client.search(), {**params, "publishedAfter": since})
        except Declined as error:
            if not isinstance(error.failure, RateLimited):
                raise error.failure from None
            # Searches have an allowance of their own: comments can still be read.
            log.warning("%s: the searches of the day are used up; the next one waits for its turn", self.name)
            yield Page((), json.dumps({**known, "search": state}))
            return
        videos = dict(state.get("videos", {}))
        for item in read_items(answer, self.name):
            video = read_text(within(item, "id", "videoId"))
            if video is not None and re.fullmatch(r"[\w-]{6,40}", video, re.ASCII):
                videos[video] = read_text(within(item, "snippet", "publishedAt"), 40) or since
        newest = sorted(videos, key=lambda one: str(videos[one]), reverse=True)[: self.settings.searched_videos]
        state["videos"] = {one: videos[one] for one in newest}
        yield Page((), json.dumps({**known, "search": state}), billed={"search": 1})

    def _read_place(
        self, client: Any, key: str, params: Mapping[str, str], about: str | None, state: dict[str, dict[str, Any]]
    ) -> Iterator[Page]:
        """Read what is new, then what earlier polls had to leave, within the pages that a poll may read."""
        before = state.get(key, {})
        newest = read_count(before.get("newest")) or 0
        reading = Reading(dict(before.get("replies", {})), about)
        floor = newest - int(self.settings.revisit.total_seconds()) if newest else None
        rests: list[Any] = []
        holes: list[Hole] = []
        budget = self.settings.max_pages
        stretches: list[Any] = [(None, floor, None), *before.get("rests", ())]
        for number, (token, until, reached) in enumerate(stretches):
            if budget <= 0:
                rests.append([token, until, reached])
                continue
            allowed = max(budget // 2, 1) if number == 0 and len(stretches) > 1 else budget
            try:
                left, oldest, used = yield from self._sweep(client, params, reading, token, until, allowed)
            except Declined as error:
                if token is not None and isinstance(error.failure, Unreadable):  # a token it does not know any more
                    holes.append(_hole(until, reached))
                elif error.reason not in _SILENT:
                    raise error.failure from None
                elif key.partition(" ")[2] in (*self.settings.videos, *self.settings.channels):
                    yield Page((), rejected=(Rejected(key, _SILENT[error.reason], ""),))
                continue
            budget -= used
            end = oldest if oldest is not None else reached
            goal = newest if number == 0 else until  # new threads end where the former poll began
            if left is not None and until is not None and (end is None or end > goal):
                rests.append([left, goal, end or goal])
        holes += [_hole(until, reached) for _, until, reached in rests[_RESTS:]]
        replies = dict(list(reading.seen.items())[:_THREADS])
        state[key] = {"newest": max(newest, reading.newest), "replies": replies, "rests": rests[:_RESTS]}
        yield Page((), json.dumps(state), holes=tuple(holes))

    def _sweep(
        self,
        client: Any,
        params: Mapping[str, str],
        reading: Reading,
        token: str | None,
        floor: int | None,
        allowed: int,
    ) -> Generator[Page, None, tuple[str | None, int | None, int]]:
        """Yield threads from a page on until they are older than `floor`.

        Gives the next page's token if there is more, when the oldest thread began, and how many pages were read.
        """
        oldest: int | None = None
        tokens: set[str] = set()
        for used in range(1, allowed + 1):
            more = {"pageToken": token} if token else {}
            asked = {**params, **more, "part": "snippet,replies", "order": "time", "maxResults": _PAGE}
            answer = self._ask(client.commentThreads(), {**asked, "textFormat": "plainText"})
            page, moments, longer = read_threads(answer, self.name, reading, replies=self.settings.replies)
            oldest = min([*moments, *([oldest] if oldest is not None else [])], default=None)
            yield page
            for thread, video in longer:
                yield from self._read_replies(client, thread, video, reading.about)
            token = read_text(within(answer, "nextPageToken"))
            if token is None or (floor is not None and moments and max(moments) < floor):
                return None, oldest, used
            if token in tokens:
                raise Unreadable(self.name, _LOOP)
            tokens.add(token)
        return token, oldest, allowed

    def _read_replies(self, client: Any, thread: str, video: str | None, about: str | None) -> Iterator[Page]:
        token: str | None = None
        tokens: set[str] = set()
        for _ in range(self.settings.max_pages):
            more = {"pageToken": token} if token else {}
            asked = {"parentId": thread, **more, "part": "snippet", "maxResults": _PAGE, "textFormat": "plainText"}
            try:
                answer = self._ask(client.comments(), asked)
            except Declined as error:
                if error.reason in ("commentNotFound", *_SILENT):
                    return  # deleted since its page was read
                raise error.failure from None
            posts, rejected = read_comments(answer, self.name, video=video, thread=thread, about=about)
            yield Page(posts, None, rejected, billed={"unit": 1})
            token = read_text(within(answer, "nextPageToken"))
            if token is None:
                return
            if token in tokens:
                raise Unreadable(self.name, _LOOP)
            tokens.add(token)

    def recheck(self, native_ids: Sequence[str]) -> Iterator[Page]:
        """Ask for stored comments by id, 50 a call; gone are those that a question for nothing else does not bring."""
        with self._session() as session:
            client = self._client(session)
            for start in range(0, len(native_ids), _RECHECKED):
                missing = list(dict.fromkeys(native_ids[start : start + _RECHECKED]))
                while missing:
                    # YouTube does not promise how many ids a call may name: what it left out is asked for again.
                    asked = {"id": ",".join(missing), "part": "snippet", "textFormat": "plainText"}
                    try:
                        posts, rejected = read_comments(self._ask(client.comments(), asked), self.name)
                    except Declined as error:
                        if error.reason != "commentNotFound":
                            raise error.failure from None
                        posts, rejected = (), ()
                    there = {post.native_id for post in posts} & set(missing)
                    gone = () if there or rejected else tuple(missing)
                    yield Page(posts, None, rejected, gone=gone, billed={"unit": 1})
                    missing = [one for one in missing if one not in there] if there else []

    def _session(self) -> requests.Session:
        from listener.fetch import open_session

        return open_session(self._egress, self.name)

    def _client(self, session: requests.Session) -> Any:
        key = self.settings.api_key.get_secret_value()
        return open_client(
            "youtube", "v3", GoogleHTTP(session, self.name, key, now=self._now), self.settings.base_url, extra="youtube"
        )

    def _ask(self, place: Any, params: Mapping[str, Any]) -> Any:
        return ask(place, params, self.name)

    def hosts(self) -> frozenset[str]:
        """Name the host of the API."""
        return frozenset({host_of(self.settings.base_url)})

    def probe(self) -> None:
        """Ask for the list of languages, one unit; raise a SourceError."""
        with self._session() as session:
            try:
                read_items(self._ask(self._client(session).i18nLanguages(), {"part": "id"}), self.name)
            except Declined as error:
                raise error.failure from None

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say how many units a quiet poll takes, as a reason that can be worded in any language."""
        found = self.settings.searched_videos if self.settings.searches else 0
        return reason(_COST, units=len(self.settings.videos) + len(self.settings.channels) + found)


def _hole(start: int, end: int) -> Hole:
    return Hole(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(max(start, end), UTC), _FORGOTTEN)
