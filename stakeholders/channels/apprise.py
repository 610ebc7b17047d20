"""Send to any of the services that the Apprise library knows, by its address (github.com/caronc/apprise): best effort.

Apprise opens its own connections, so the list of hosts does not hold for it; it carries no key of ours, and tells
neither why a message was not taken nor until when to wait.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from listener.errors import DeliveryError, MissingLibrary
from listener.reason import N_, Reason, reason
from stakeholders.letters.chat import bubble_of, defuse, text_of
from stakeholders.outbox.poster import Poster, reveal, told_of

if TYPE_CHECKING:
    from listener.config import Config
    from stakeholders.channels import Message

__all__ = ["open_line", "probe"]

log = logging.getLogger("escucha.stakeholders")

SECONDS = 20
TEXT = 2000  # UTF-16 units: Discord's, one of the shortest; Apprise splits or cuts for the others
MISSING = N_("it needs the library apprise: pip install 'escucha[apprise]', until then its messages wait")
UNREADABLE = N_("Apprise does not read its address, so its messages wait")
NOT_DELIVERED = N_("Apprise did not deliver this message and does not say why, so it is tried again")
OPENS = N_("Apprise reads the address; nothing was asked or sent, and what goes through it is best effort.")


@contextmanager
def open_line(config: Config) -> Iterator[_AppriseLine]:
    """Open a line to the channels that go through Apprise."""
    yield _AppriseLine(config)


class _AppriseLine:
    """Hand messages to Apprise, one service at a time."""

    def __init__(self, config: Config) -> None:
        self._poster = Poster(config, "apprise")

    @property
    def alive(self) -> bool:
        """Tell that more messages can go over this line."""
        return True

    def send(self, message: Message) -> None:
        """Hand over one message; raises DeliveryError, always with retry: Apprise does not tell faults apart."""
        name = message.recipient
        table = self._poster.table(name)
        service = _service(name, reveal(name, table.url))
        _say_once(name)
        bubble = bubble_of(message, internal=table.internal)
        try:
            result = service.notify(
                body=text_of(bubble, TEXT),
                title=defuse(bubble.title) if not bubble.lines else "",
                body_format="text",
                interpret_escapes=False,
                timeout=SECONDS,
            )
        except Exception:  # noqa: BLE001 - a plugin may raise anything, and its words may hold the address
            result = None
        # Version 2 gives a result with a state of its own; its truth is the one promise that all versions keep.
        if not result:
            raise DeliveryError(told_of(name, NOT_DELIVERED))


def _service(name: str, url: str) -> Any:
    """Give Apprise with one address; raises DeliveryError."""
    from listener.extras import require

    try:
        apprise = require("apprise", "apprise", name)
    except MissingLibrary:
        raise DeliveryError(told_of(name, MISSING)) from None
    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its lines hold addresses and answers
    asset = apprise.AppriseAsset(storage_mode="memory", async_mode=False, secure_logging=True, http_redirects=False)
    service = apprise.Apprise(asset=asset)
    try:
        taken = service.add(url) and len(service) > 0
    except Exception:  # noqa: BLE001 - as above
        taken = False
    if not taken:
        raise DeliveryError(told_of(name, UNREADABLE))
    return service


@cache
def _say_once(name: str) -> None:
    log.info("channels: %s goes through Apprise: best effort, no key on the wire, outside the list of hosts", name)


def probe(config: Config, name: str) -> Reason:
    """See whether Apprise reads the address; it cannot be asked without a message. Raises DeliveryError."""
    _service(name, reveal(name, Poster(config, "apprise").table(name).url))
    return reason(OPENS)
