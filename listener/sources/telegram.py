"""Read Telegram channels and groups that a bot of yours is in (Bot API, getUpdates).

Library: none. python-telegram-bot is asynchronous and waits and retries on its own, so a thin client of one question
stands here. Needs a bot's token; nothing is paid. It sees what is posted from the moment the bot is in, and what waited
for it 24 hours at most: no history, no other channels, no deletions, no private chats (those are passed over).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from listener.address import WebAddress, host_of
from listener.duration import Span
from listener.errors import NotAllowed, RateLimited, SourceError, Unreachable, Unreadable
from listener.failure import LIMITED, classify, judge, wait_until
from listener.mention import Author, Brand, Hole, Page, Post, Rejected
from listener.raw import dump, read_moment, read_state, read_text, scrub, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    import requests

    from listener.egress import Egress

__all__ = ["Settings", "Source", "post_from"]

_KINDS = ("message", "edited_message", "channel_post", "edited_channel_post")
_WAIT = 2  # seconds that Telegram may hold a question open: between two answers a poll can be stopped
_PAGE = 100
_KEPT = timedelta(hours=24)  # how long Telegram keeps what was not fetched
_RENUMBERED = timedelta(days=6)  # after a week without updates Telegram begins its numbers anew, at random
_SILENCE = (5.0, 30.0)

_NO_MESSAGE = N_("an update without a readable message")
_NO_UPDATES = N_("the answer is not a list of updates")
_LOOP = N_("the platform sends the same page again and again")
_WEBHOOK = N_("this bot has a webhook, so it cannot be asked: remove the webhook, or use another bot")
_OTHER_READER = N_("another program reads this bot's updates at the same time: only one can")
_EXPIRED = N_("Telegram keeps updates for 24 hours only, and nobody fetched them")
_COST = N_("Telegram charges nothing.")


class Settings(BaseModel):
    """Say with which bot Telegram is asked, and which of its chats are read."""

    # A token that is written wrongly is still nearly one: no message may show it.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    token: SecretStr = Field(description='the token of your bot, from @BotFather: "env:TELEGRAM_BOT_TOKEN"')
    chats: tuple[str, ...] = Field((), description="@name or number of chats; empty: every channel and group it is in")
    about: str | None = Field(None, description="key of the brand whose channels and groups these are")
    listen: Span = Field(timedelta(seconds=50), description="how long a poll waits for new posts")
    base_url: WebAddress = Field(
        "https://api.telegram.org", description="another address: a Bot API server of your own"
    )

    @field_validator("token")
    @classmethod
    def _token(cls, token: SecretStr) -> SecretStr:
        if not re.fullmatch(r"\d+:[\w-]+", token.get_secret_value(), re.ASCII):  # it becomes part of an address
            raise ValueError("this is not the token of a bot; @BotFather writes it as 123456:ABC-DEF")
        return token

    @field_validator("chats")
    @classmethod
    def _chats(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.strip().lstrip("@").casefold() for name in names)


def _now() -> datetime:
    return datetime.now(UTC)


def post_from(raw: Mapping[str, Any], *, source: str, about: str | None = None) -> Post | None:
    """Make a Post of a message (core.telegram.org/bots/api#message); None for one without words (a sticker, a join).

    Raises ValueError (a catalogue sentence) when chat, number or time cannot be read.
    """
    chat, number = read_text(within(raw, "chat", "id")), read_text(raw.get("message_id"))
    try:
        published = read_moment(raw.get("date"))
    except ValueError:
        published = None
    if chat is None or number is None or published is None:
        raise ValueError(_NO_MESSAGE)
    text = read_text(raw.get("text")) or read_text(raw.get("caption"))
    if text is None:
        return None
    name = read_text(within(raw, "chat", "username"))
    url = f"https://t.me/{name}/{number}" if name else None
    if name is None and chat.startswith("-100"):
        url = f"https://t.me/c/{chat.removeprefix('-100')}/{number}"  # opens for members only
    parent = read_text(within(raw, "reply_to_message", "message_id"))
    root = read_text(raw.get("message_thread_id")) or parent or number
    return Post(
        source=source,
        native_id=f"{chat}/{number}",
        text=text,
        published_at=published,
        author=_author(raw),
        url=url,
        in_reply_to=f"{chat}/{parent}" if parent else None,
        thread=f"{chat}/{root}",
        about=about,
        raw=scrub(raw),
    )


def _author(raw: Mapping[str, Any]) -> Author:
    """Give who speaks: the channel or group that a post is signed with, else the person."""
    channel = raw.get("sender_chat") or (raw.get("chat") if within(raw, "chat", "type") == "channel" else None)
    who = channel if isinstance(channel, Mapping) else raw.get("from")
    names = [read_text(within(who, part)) for part in ("title", "first_name", "last_name")]
    handle = read_text(within(who, "username"))
    return Author(
        handle=handle,
        name=" ".join(name for name in names if name) or None,
        native_id=read_text(within(who, "id")),
        url=f"https://t.me/{handle}" if handle else None,
    )


class Source:
    """Listen to a bot's updates; what was stored is confirmed with the next question, so that none is lost."""

    def __init__(self, name: str, settings: Settings, egress: Egress, *, now: Callable[[], datetime] = _now) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield a page every two seconds at most, until the time to listen is over."""
        state = dict(read_state(cursor).get("update", {}))
        ends = time.monotonic() + self.settings.listen.total_seconds()
        holes = self._holes(state)
        with self._session() as session:
            while True:
                began = time.monotonic()
                question = self._question(state)
                updates = self._ask(session, question)
                page = self._read(updates, question.get("offset", 0), state)
                yield Page(page.posts, json.dumps({"update": state}), page.rejected, holes=holes)
                holes = ()
                # A server that does not hold the question open is not asked again and again.
                hurried = not updates and time.monotonic() - began < _WAIT / 2
                if hurried or time.monotonic() >= ends:
                    return

    def _holes(self, state: Mapping[str, Any]) -> tuple[Hole, ...]:
        """Tell of the updates that Telegram threw away before this poll, if nobody asked for more than a day."""
        asked, edge = state.get("asked"), self._now() - _KEPT
        last = datetime.fromisoformat(asked) if isinstance(asked, str) else edge
        return (Hole(last, edge, _EXPIRED),) if last < edge else ()

    def _question(self, state: Mapping[str, Any]) -> dict[str, Any]:
        asked = {"timeout": _WAIT, "limit": _PAGE, "allowed_updates": json.dumps(_KINDS)}
        heard = state.get("heard")
        fresh = isinstance(heard, str) and self._now() - datetime.fromisoformat(heard) < _RENUMBERED
        return {**asked, "offset": state["id"] + 1} if fresh and isinstance(state.get("id"), int) else asked

    def _read(self, updates: Sequence[Any], offset: int, state: dict[str, Any]) -> Page:
        """Read the posts of an answer and move `state` behind it; raises Unreadable for an answer that goes back."""
        numbers = [number for one in updates if isinstance(number := within(one, "update_id"), int)]
        if updates and not numbers:
            raise Unreadable(self.name, _NO_UPDATES, body=dump(updates).encode())
        if numbers and max(numbers) < offset:
            raise Unreadable(self.name, _LOOP)
        posts: list[Post] = []
        rejected: list[Rejected] = []
        for place, update in enumerate(updates, 1):
            raw: Any = next((update[kind] for kind in _KINDS if within(update, kind) is not None), None)
            if isinstance(update, Mapping) and (raw is None or not self._reads(raw)):
                continue
            try:
                post = post_from(raw, source=self.name, about=self.settings.about)
            except Exception:  # noqa: BLE001 - a strange update is kept aside, the rest of its page goes on
                rejected.append(Rejected(f"update {within(update, 'update_id') or place}", _NO_MESSAGE, dump(update)))
            else:
                posts += [post] if post is not None else []
        now = self._now().isoformat()
        state["asked"] = now
        if numbers:
            state |= {"id": max(numbers), "heard": now}
        return Page(tuple(posts), None, tuple(rejected))

    def _reads(self, raw: Any) -> bool:
        """Tell whether a message stands in a chat that is read: private ones never are."""
        chat = within(raw, "chat")
        if not isinstance(chat, Mapping):
            return True  # strange: it is shown as such
        if chat.get("type") == "private":
            return False
        names = {(read_text(chat.get(part)) or "").casefold() for part in ("username", "id")}
        return not self.settings.chats or bool(names & set(self.settings.chats))

    def _session(self) -> requests.Session:
        from listener.fetch import open_session

        return open_session(self._egress, self.name)

    def _ask(self, session: requests.Session, params: Mapping[str, Any]) -> list[Any]:
        result = self._call(session, "getUpdates", params)
        if not isinstance(result, list):
            raise Unreadable(self.name, _NO_UPDATES, body=dump(result).encode())
        return result

    def _call(self, session: requests.Session, method: str, params: Mapping[str, Any]) -> Any:
        """Ask one method of the Bot API; gives its `result`, raises a SourceError that does not hold the address."""
        url = f"{self.settings.base_url}/bot{self.settings.token.get_secret_value()}/{method}"
        try:
            answer = session.get(url, params=dict(params), timeout=_SILENCE)
        except RateLimited as error:
            raise self._limited(error) from None
        except Exception as error:  # noqa: BLE001 - the caller gets one of our own errors, whatever a library raised
            raise classify(error, self.name) from None
        try:
            told = json.loads(answer.content)
        except (ValueError, RecursionError):
            told = None
        failure = self._judge(answer.status_code, answer.headers, told, answer.content)
        if failure is not None:
            raise failure
        if within(told, "ok") is not True:
            raise Unreadable(self.name, _NO_UPDATES, body=answer.content)
        return within(told, "result")

    def _judge(self, status: int, headers: Mapping[str, str], told: Any, body: bytes) -> SourceError | None:
        if status == 409:
            webhook = "webhook" in (read_text(within(told, "description")) or "").casefold()
            return NotAllowed(self.name, _WEBHOOK) if webhook else Unreachable(self.name, _OTHER_READER)
        if status == 404 and within(told, "ok") is False:
            status = 401  # Telegram knows no bot with this token
        return judge(status, headers, self.name, body=body)

    def _limited(self, error: RateLimited) -> RateLimited:
        """Read how long to wait off the body, where Telegram writes it, when no header said so."""
        try:
            told = read_text(within(json.loads(error.body or b"null"), "parameters", "retry_after"))
        except (ValueError, RecursionError):
            told = None
        until = error.until or wait_until({"Retry-After": told or ""}, self._now())
        return RateLimited(self.name, LIMITED, until=until)

    def hosts(self) -> frozenset[str]:
        """Name the host of the API."""
        return frozenset({host_of(self.settings.base_url)})

    def probe(self) -> None:
        """Ask who the bot is; raise a SourceError."""
        with self._session() as session:
            self._call(session, "getMe", {})

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say that Telegram costs nothing, as a reason that can be worded in any language."""
        return reason(_COST)
