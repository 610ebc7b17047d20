"""Receive what people write to your WhatsApp business number (Cloud API), and their wish not to be written to.

Needs an app of Meta's with the WhatsApp product, its secret, and an https address that Meta can call. Receiving costs
nothing. It sees messages to your own number only, no pictures or voices (somebody has to look), nothing that was sent
while the webhook was not set up: WhatsApp has no archive to ask.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from listener.address import WebAddress, host_of
from listener.errors import NotAllowed
from listener.mention import Author, Brand, OptOut, Page, Post, Rejected
from listener.optout import wants_out
from listener.platforms.calls import NOT_OURS, Call, Change, answer_challenge, is_signed, moment_of, read_changes
from listener.raw import dump, read_text, within
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    from listener.egress import Egress

__all__ = ["Settings", "Source", "text_of"]

_KEPT = ("id", "type", "timestamp")
_MEDIA = ("image", "video", "document", "audio", "sticker")

_NO_TEXT = N_("a message without id or type")
_UNSUBSCRIBED = N_("the app is not subscribed to this WhatsApp account, so that no message arrives")
_FREE = N_("Receiving messages costs nothing; this source asks nobody.")


class Settings(BaseModel):
    """Say whose messages are received, and with which secrets calls are checked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    app_secret: SecretStr = Field(
        min_length=1, description='the secret of your Meta app, which signs every call: "env:META_APP_SECRET"'
    )
    verify_token: SecretStr = Field(
        min_length=1, description='a word of your own that Meta repeats at the handshake: "env:META_VERIFY_TOKEN"'
    )
    brand: str = Field(min_length=1, description="the key of the brand that people write to")
    phone_number_id: str | None = Field(
        None, pattern=r"^\d{1,32}$", description="only messages to this number; left out: to every one of the account"
    )
    account_id: str | None = Field(
        None, pattern=r"^\d{1,32}$", description="the WhatsApp business account, to see that calls are still subscribed"
    )
    access_token: SecretStr | None = Field(
        None, description='the key for that question, with account_id: "env:WHATSAPP_TOKEN"'
    )
    base_url: WebAddress = Field(
        "https://graph.facebook.com/v24.0", description="the API and its version; a test server"
    )

    @model_validator(mode="after")
    def _both(self) -> Settings:
        if (self.account_id is None) != (self.access_token is None):
            raise ValueError("account_id and access_token belong together: give both or none")
        return self


def _now() -> datetime:
    return datetime.now(UTC)


def text_of(message: Any) -> str | None:
    """Give the words of a message; "[audio]" for one that has none, since somebody wrote and waits; None for none."""
    kind = read_text(within(message, "type"), 40)
    if kind is None:
        return None
    if kind == "reaction":
        return read_text(within(message, "reaction", "emoji"))  # without it, a reaction was taken back
    reply = within(message, "interactive", read_text(within(message, "interactive", "type"), 40) or "")
    told = {
        "text": within(message, "text", "body"),
        "button": within(message, "button", "text"),
        "interactive": within(reply, "title") or within(reply, "response") or within(reply, "body"),
        "order": within(message, "order", "text"),
        **{name: within(message, name, "caption") for name in _MEDIA},
    }
    return read_text(told.get(kind)) or f"[{kind.strip().casefold()}]"


class Source:
    """Receive the messages of a number; a poll asks nobody for messages, since there is nothing to ask."""

    def __init__(self, name: str, settings: Settings, egress: Egress, *, now: Callable[[], datetime] = _now) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield an empty page: this process is up to take calls; with account_id, that Meta would call is asked too."""
        self.probe()
        yield Page(())

    def handshake(self, query: Mapping[str, str]) -> str | None:
        """Give the challenge back when Meta knows our word."""
        return answer_challenge(query, self.settings.verify_token.get_secret_value())

    def signed(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Tell whether the raw body carries the signature of our app."""
        return is_signed(body, headers, self.settings.app_secret.get_secret_value())

    def receive(self, body: bytes) -> Page:
        """Read a call: messages, edits, what was taken back, and wishes to be left alone or written to again."""
        changes, rejected = read_changes(body, "whatsapp_business_account")
        posts: list[Post] = []
        gone: list[str] = []
        first: set[str] = set()
        wishes: list[OptOut] = []
        for change in changes:
            if change.field not in ("messages", "user_preferences"):
                continue  # what we sent, calls, templates, the state of the account
            number = read_text(within(change.value, "metadata", "phone_number_id"), 64)
            if self.settings.phone_number_id not in (None, number):
                rejected.append(Rejected(f"number {number}", NOT_OURS, change.field))
                continue
            for place, item in enumerate(_items(change.value, "messages"), 1):
                try:
                    self._hear(item, change, number, posts, gone, first)
                except Exception:  # noqa: BLE001 - a strange message is kept aside, the rest of its call goes on
                    known = read_text(within(item, "id"), 200)
                    position = f"id {known}" if known else f"{change.position}, message {place}"
                    rejected.append(Rejected(position, _NO_TEXT, dump(item)))
            wishes += filter(
                None, (self._preference(item, change) for item in _items(change.value, "user_preferences"))
            )
        wishes += filter(None, (_wish(post) for post in posts))
        return Call(tuple(posts), None, tuple(rejected), tuple(gone), opt_outs=tuple(wishes), first=frozenset(first))

    def _hear(
        self, item: Any, change: Change, number: str | None, posts: list[Post], gone: list[str], first: set[str]
    ) -> None:
        """Read one message; raises ValueError when it is none."""
        native_id, kind = read_text(within(item, "id"), 200), read_text(within(item, "type"), 40)
        if native_id is None or kind is None:
            raise ValueError(_NO_TEXT)
        if kind == "revoke":
            gone += [known] if (known := read_text(within(item, "revoke", "original_message_id"), 200)) else []
            return
        if kind == "system":
            return  # a number was changed: nobody said anything
        message = item
        if kind == "edit":
            native_id = read_text(within(item, "edit", "original_message_id"), 200)
            message = within(item, "edit", "message")
            if native_id is None or message is None:
                raise ValueError(_NO_TEXT)
        text = text_of(message)
        if text is None:
            return  # a reaction that was taken back
        phone, user = read_text(item.get("from"), 64), read_text(item.get("from_user_id"), 200)
        answered = within(message, "context", "id") or within(message, "reaction", "message_id")
        contact = next((one for one in _items(change.value, "contacts") if within(one, "wa_id") == phone), None)
        posts.append(
            Post(
                source=self.name,
                native_id=native_id,
                text=text,
                published_at=moment_of(item.get("timestamp")) or change.at or self._now(),
                author=Author(
                    handle=phone,
                    name=read_text(within(contact, "profile", "name"), 200),
                    native_id=user if phone is None else None,  # one person has one row, whichever Meta tells
                ),
                in_reply_to=read_text(answered, 200),
                thread=self._thread(number, phone or user),
                about=self.settings.brand,
                # Not kept whole: places, address cards and links to pictures belong to people, not to a monitor.
                raw={name: item[name] for name in _KEPT if name in item},
            )
        )
        if kind != "edit":
            first.add(native_id)

    def _thread(self, number: str | None, person: str | None) -> str | None:
        """Name the conversation of a person with a number, without their phone number in it."""
        if person is None:
            return None
        key = self.settings.app_secret.get_secret_value().encode()
        return hmac.new(key, f"{number}\0{person}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:24]

    def _preference(self, item: Any, change: Change) -> OptOut | None:
        """Read what a person chose in WhatsApp's own menu: stop, resume or signup."""
        handle = read_text(within(item, "wa_id"), 64) or read_text(within(item, "user_id"), 200)
        chosen = within(item, "value")
        if handle is None or chosen not in ("stop", "resume", "signup"):
            return None
        at = moment_of(within(item, "timestamp")) or change.at or self._now()
        return OptOut(handle, at, stops=chosen == "stop")

    def hosts(self) -> frozenset[str]:
        """Name the host of the API."""
        return frozenset({host_of(self.settings.base_url)})

    def probe(self) -> None:
        """Ask whether our app is called for this account, when a key for the question is given; raise a SourceError."""
        if self.settings.account_id is None:
            return
        from listener.platforms.graph import Graph

        with Graph(self.name, self.settings, self._egress) as graph:
            answer = graph.get(f"{self.settings.account_id}/subscribed_apps", {})
        if not answer.body.get("data"):
            raise NotAllowed(self.name, _UNSUBSCRIBED)

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say what a poll costs, as a reason that can be worded in any language."""
        return reason(_FREE)


def _items(value: Mapping[str, Any], name: str) -> list[Any]:
    told = value.get(name)
    return told if isinstance(told, list) else []


def _wish(post: Post) -> OptOut | None:
    """Read a wish out of a message that says nothing else."""
    stops, handle = wants_out(post.text), post.author.handle or post.author.native_id
    return None if stops is None or handle is None else OptOut(handle, post.published_at, stops)
