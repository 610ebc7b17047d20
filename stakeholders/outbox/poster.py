"""Post messages over the guarded way out: each channel may reach the host of its own address and no other.

The address of a chat is a key: it stands in no log, in no error, and no answer may send a message on to another one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from listener.errors import DeliveryError, RateLimited, SourceError
from listener.failure import classify, judge
from listener.reason import N_

if TYPE_CHECKING:
    import requests
    from pydantic import SecretStr

    from listener.config import Config
    from listener.tables.channel import ChannelTable
    from stakeholders.channels import Message

__all__ = [
    "INCOMPLETE",
    "NOT_THE_CHANNEL",
    "NO_TABLE",
    "SWITCHED_OFF",
    "Answer",
    "PostLine",
    "Poster",
    "asking",
    "open_posts",
    "read_json",
    "reveal",
    "told_of",
]

TIMEOUT = (5.0, 10.0)  # seconds to connect, seconds of silence
WHOLE = 20.0  # seconds for an answer that drips
SLOW = 2.0  # seconds after which a failed try says that the channel is away, so that a round does not wait for it again
LIMIT = 65536  # bytes of an answer
FINAL = frozenset({400, 406, 411, 413, 414, 415, 422, 431})  # this message, and it again, will not be taken

NOT_TAKEN = N_("the channel did not take this message")
WAITS = N_("the channel does not answer as it should, so its messages wait")
ELSEWHERE = N_("the address answers with another address, and a message follows none")
NOT_THE_CHANNEL = N_("something answered that is not the channel, so its messages wait")
NO_TABLE = N_("this channel is no longer in config.toml")
SWITCHED_OFF = N_("this channel is switched off, so its messages wait")
INCOMPLETE = N_("its table in config.toml is not complete, so its messages wait")

_CODE = re.compile(r"[A-Za-z0-9_]{1,60}")


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what a channel answered: its status and at most 64 KiB of its body."""

    status: int
    body: bytes


def told_of(name: str, sentence: str, code: str = "") -> str:
    """Word a fault of a channel: its table, the channel's own short code where it gave one, and a sentence."""
    known = f"{code}: " if _CODE.fullmatch(code) else ""
    return f"channels.{name}: {known}{sentence}"


def reveal(name: str, value: SecretStr | None) -> str:
    """Give a secret of a channel's table; raises DeliveryError when the table has none."""
    if value is None:
        raise DeliveryError(told_of(name, INCOMPLETE))
    return value.get_secret_value()


def read_json(answer: Answer) -> Mapping[str, Any]:
    """Read an answer as a JSON object; anything else reads as an empty one."""
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


class Poster:
    """Hold the sessions of one open line, one for each table of its kind; `config` is what the tables stand in."""

    def __init__(self, config: Config, kind: str) -> None:
        self.config = config
        self._kind = kind
        self._sessions: dict[str, requests.Session] = {}
        self._away: dict[str, DeliveryError] = {}

    def table(self, name: str) -> ChannelTable:
        """Give the table of a channel; raises DeliveryError when there is none of this kind, or it is switched off."""
        table = self.config.settings.channels.get(name)
        if table is None or table.kind != self._kind:
            raise DeliveryError(told_of(name, NO_TABLE), retry=False)
        if not table.enabled:
            raise DeliveryError(told_of(name, SWITCHED_OFF))
        return table

    def ask(
        self, name: str, method: str, url: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask once and give any answer but 429 and 5xx; raises DeliveryError, with `until` where the channel says it.

        A channel that asked to wait, or let this line wait for long, is not asked again over the same line.
        """
        from listener.egress import read_body

        if (away := self._away.get(name)) is not None:
            raise DeliveryError(str(away), until=away.until)
        began = monotonic()
        try:
            response = self._session(name, url).request(
                method, url, data=body, headers=dict(headers or {}), stream=True, timeout=TIMEOUT, allow_redirects=False
            )
            if response.is_redirect:  # its page was not read
                response.close()
                return Answer(response.status_code, b"")
            return Answer(response.status_code, read_body(response, f"channels.{name}", LIMIT, began + WHOLE))
        except SourceError as error:
            failure = error
        except Exception as error:  # noqa: BLE001 - whatever a library raised, its words may hold the address
            failure = classify(error, f"channels.{name}")
        until = failure.until if isinstance(failure, RateLimited) else None
        told = DeliveryError(told_of(name, str(failure)), until=until)
        if isinstance(failure, RateLimited) or monotonic() - began > SLOW:
            self._away[name] = told
        raise told

    def post(
        self,
        name: str,
        url: str,
        message: Mapping[str, Any] | bytes,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Post JSON as `ask` does; `key` goes along as Idempotency-Key (draft-ietf-httpapi-idempotency-key-header)."""
        body = message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False).encode()
        stable = {"Idempotency-Key": f'"{key}"'} if key is not None else {}
        kind = {"Content-Type": "application/json; charset=utf-8"}
        return self.ask(name, "POST", url, body=body, headers={**kind, **stable, **(headers or {})})

    def expect(self, name: str, answer: Answer, *, code: str = "", final: bool | None = None) -> None:
        """Raise DeliveryError unless the status is 2xx.

        A refused key, an address where nothing stands and one that points elsewhere are faults of the table, not of
        the message, which waits; `final` overrules that.
        """
        status = answer.status
        if 200 <= status < 300:
            return
        if 300 <= status < 400:
            raise DeliveryError(told_of(name, ELSEWHERE, code), retry=not final)
        refused = status in FINAL if final is None else final
        if refused:
            raise DeliveryError(told_of(name, NOT_TAKEN, code), retry=False)
        known = judge(status, {}, name) if status in (401, 402, 403, 404, 410) else None
        raise DeliveryError(told_of(name, str(known or WAITS), code))

    def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            session.close()

    def _session(self, name: str, url: str) -> requests.Session:
        from listener.egress import Egress, open_session

        held = self._sessions.get(name)
        if held is None:
            host = (urlsplit(url).hostname or "").casefold()
            inside = frozenset(one.casefold() for one in self.config.settings.egress.inside)
            held = self._sessions[name] = open_session(Egress(frozenset({host}), inside), f"channels.{name}")
        return held


class PostLine:
    """Hand messages to the tables of one kind; each request stands alone, so the line never breaks."""

    def __init__(self, poster: Poster, deliver: Callable[[Poster, Message], bytes | None]) -> None:
        self._poster = poster
        self._deliver = deliver

    @property
    def alive(self) -> bool:
        """Tell that more messages can go over this line."""
        return True

    def send(self, message: Message) -> bytes | None:
        """Hand over one message and give what was answered, where the channel keeps it; raises DeliveryError."""
        return self._deliver(self._poster, message)


@contextmanager
def open_posts(config: Config, kind: str, deliver: Callable[[Poster, Message], bytes | None]) -> Iterator[PostLine]:
    """Open a line for a kind of channel; nothing is asked before the first message."""
    with asking(config, kind) as poster:
        yield PostLine(poster, deliver)


@contextmanager
def asking(config: Config, kind: str) -> Iterator[Poster]:
    """Open the sessions of a kind of channel to ask it something, without a message."""
    poster = Poster(config, kind)
    try:
        yield poster
    finally:
        poster.close()
