"""Find the channels: one a file in this folder, and the file's name stands before the colon in an address.

A channel offers `open_line(config)`, a context manager that gives a `Line`; opening it again after a fault is cheap.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol, cast

from listener.errors import DeliveryError

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["Line", "Message", "Picture", "channels", "open_line", "send", "split_address"]


@dataclass(frozen=True, slots=True)
class Picture:
    """Hold a picture that travels inside a message; its HTML shows it as <img src="cid:NAME">."""

    name: str  # ASCII, unique in its message
    body: bytes
    kind: str = "png"


@dataclass(frozen=True, slots=True)
class Message:
    """Hold one message to one recipient; `key` goes on the wire, the same at every try: a repeat can be dropped."""

    key: str
    recipient: str
    subject: str
    text: str
    at: datetime  # aware; the date that the reader sees
    html: str | None = None
    pictures: tuple[Picture, ...] = ()
    lang: str | None = None


class Line(Protocol):
    """Say what an open channel offers."""

    @property
    def alive(self) -> bool:
        """Tell whether more messages can go over this line; if not, open another."""
        ...

    def send(self, message: Message) -> None:
        """Hand over one message; raise DeliveryError."""
        ...


@cache
def channels() -> tuple[str, ...]:
    """Name every channel, sorted."""
    return tuple(sorted(module.name for module in iter_modules(__path__)))


def open_line(channel: str, config: Config) -> AbstractContextManager[Line]:
    """Give the context manager that opens a channel; raises DeliveryError, for an unknown one at once."""
    if channel not in channels():
        raise DeliveryError(f"there is no channel '{channel}'; known: {', '.join(channels())}", retry=False)
    return cast("AbstractContextManager[Line]", import_module(f"{__name__}.{channel}").open_line(config))


def send(channel: str, config: Config, message: Message) -> None:
    """Send one message over a line of its own; raises DeliveryError."""
    with open_line(channel, config) as line:
        line.send(message)


def split_address(addresses: Iterable[str]) -> list[tuple[str, str]]:
    """Split "mail:name@example.org" into channel and recipient; each address once, in the order given."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for address in addresses:
        channel, _, recipient = address.partition(":")
        found.setdefault((channel, recipient.strip().casefold()), (channel, recipient.strip()))
    return list(found.values())
