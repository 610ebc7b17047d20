"""Hear Bluesky's Jetstream: one websocket, its events in batches, from the time at which the last poll stopped.

API: github.com/bluesky-social/jetstream. Library: websockets, over a socket that our gate opened.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from listener.dial import connect
from listener.errors import Unreachable
from listener.extras import require
from listener.failure import TOO_SLOW, classify

if TYPE_CHECKING:
    from listener.egress import Egress

__all__ = ["hear", "open_jetstream"]

_OPEN = 10.0  # seconds for the handshakes
_LARGEST = 1_000_000  # bytes of one event
_BATCH = 500
_PULSE = 2.0
_DEAF = 30.0  # the network speaks many times a second: a line that is silent for so long is none


@contextmanager
def open_jetstream(egress: Egress, url: str, source: str, wanted: str, cursor: int | None) -> Iterator[Any]:
    """Open the websocket for one collection; `cursor` (microseconds since 1970) replays from there.

    Raises a SourceError.
    """
    client = require("websockets.sync.client", "bluesky", source)
    parts = urlsplit(url)
    egress.check(parts._replace(scheme="https" if parts.scheme == "wss" else "http").geturl(), source)
    asked = {"wantedCollections": wanted} | ({"cursor": str(cursor)} if cursor is not None else {})
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    line = connect(egress, parts.hostname or "", port, source)
    try:
        opened = client.connect(
            f"{url}?{urlencode(asked)}",
            sock=line,
            proxy=None,
            open_timeout=_OPEN,
            close_timeout=1,
            max_size=_LARGEST,
            user_agent_header="Escucha (reputation monitor)",
        )
        with opened as websocket:
            yield websocket
    except Exception as error:  # noqa: BLE001 - websockets, ssl and the socket each have their own
        raise classify(error, source) from None
    finally:
        line.close()


def hear(websocket: Any, source: str, seconds: float, pulse: float = _PULSE) -> Iterator[list[str | bytes]]:
    """Yield what is heard in batches, at least every `pulse` seconds, for so many seconds.

    Raises Unreachable when the line breaks, or has been silent for 30 seconds.
    """
    deadline = time.monotonic() + seconds
    heard_at = time.monotonic()
    while (left := deadline - time.monotonic()) > 0:
        batch: list[str | bytes] = []
        failure: Exception | None = None
        until = time.monotonic() + min(pulse, left)
        while len(batch) < _BATCH and failure is None:
            try:
                batch.append(websocket.recv(timeout=max(until - time.monotonic(), 0)))
            except TimeoutError:
                break
            except Exception as error:  # noqa: BLE001 - raised once what came before it has been given
                failure = error
        if batch:
            heard_at = time.monotonic()
        yield batch
        if failure is not None:
            raise classify(failure, source) from None
        if time.monotonic() - heard_at > _DEAF:
            raise Unreachable(source, TOO_SLOW)
