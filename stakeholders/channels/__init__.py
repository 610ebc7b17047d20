"""Find the channels: one a file in this folder, and the file's name stands before the colon in an address.

A channel offers `open_line(config)`, a context manager that gives a `Line`; opening it again after a fault is cheap.
All but mail offer `probe(config, name)` too, which asks whether the channel answers without sending a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Protocol, cast

from listener.errors import DeliveryError

if TYPE_CHECKING:
    from listener.config import Config
    from listener.reason import Reason
    from listener.tables.channel import ChannelTable

__all__ = [
    "About",
    "Line",
    "Message",
    "Picture",
    "channels",
    "is_internal",
    "language_of",
    "open_line",
    "probe",
    "send",
    "split_address",
    "table_of",
]


@dataclass(frozen=True, slots=True)
class Picture:
    """Hold a picture that travels inside a message; its HTML shows it as <img src="cid:NAME">."""

    name: str  # ASCII, unique in its message
    body: bytes
    kind: str = "png"


@dataclass(frozen=True, slots=True)
class About:
    """Say what a message speaks of, for machines; None: not told."""

    kind: str  # case | copy | source | digest | … as in the outbox
    case_id: int | None = None
    brand: str | None = None
    department: str | None = None
    priority: str | None = None
    stakeholder: str | None = None
    due_at: datetime | None = None  # aware
    posts: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Hold one message to one recipient; `key` goes on the wire, the same at every try: a repeat can be dropped.

    Mail shows subject, text, html and pictures. Every other channel shows title, lines, quote and links, and shows
    nothing of text unless it is internal: whoever writes a message masks `quote` for all others
    (`masking.is_shown_whole`).
    """

    key: str
    recipient: str
    subject: str
    text: str
    at: datetime  # aware; the date that the reader sees
    html: str | None = None
    pictures: tuple[Picture, ...] = ()
    lang: str | None = None
    title: str = ""  # one line; left empty: the subject
    lines: tuple[str, ...] = ()  # by when, and why it came here: a sentence each, the most important first
    quote: str = ""  # what a stranger wrote, as text; already masked
    links: tuple[tuple[str, str], ...] = ()  # (label, URL); the first is what the reader is asked to do
    about: About | None = None
    document: Mapping[str, Any] | None = None  # for a webhook alone: the JSON that goes out instead


class Line(Protocol):
    """Say what an open channel offers."""

    @property
    def alive(self) -> bool:
        """Tell whether more messages can go over this line; if not, open another."""
        ...

    def send(self, message: Message) -> bytes | None:
        """Hand over one message; give what the channel answered, where that may matter; raise DeliveryError."""
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


def probe(channel: str, config: Config, name: str) -> Reason:
    """Ask a channel whether it answers, sending no message; raises DeliveryError."""
    if channel not in channels() or channel == "mail":
        raise DeliveryError(f"the channel '{channel}' cannot be asked", retry=False)
    return cast("Reason", import_module(f"{__name__}.{channel}").probe(config, name))


def table_of(config: Config, channel: str, recipient: str) -> ChannelTable | None:
    """Give the table [channels.NAME] behind an address; None for mail and for the log without a table."""
    table = config.settings.channels.get(recipient)
    return table if table is not None and table.kind == channel else None


def is_internal(config: Config, channel: str, recipient: str) -> bool:
    """Tell whether only the team's own people read an address, so that nothing need be masked.

    Mail goes to named people on the team's own server; a log without a table stays on this machine, but machines that
    read it may be anybody's.
    """
    table = table_of(config, channel, recipient)
    return channel == "mail" if table is None else table.internal


def language_of(config: Config, channel: str, recipient: str) -> str:
    """Give the language an address is written to in."""
    table = table_of(config, channel, recipient)
    return (table.language if table is not None else None) or config.language


def split_address(addresses: Iterable[str]) -> list[tuple[str, str]]:
    """Split "mail:name@example.org" into channel and recipient; each address once, in the order given."""
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for address in addresses:
        channel, _, recipient = address.partition(":")
        found.setdefault((channel, recipient.strip().casefold()), (channel, recipient.strip()))
    return list(found.values())
