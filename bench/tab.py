"""Be a browser tab to a Streamlit server: open a page, re-run it or its live part, wait until the answer is complete.

The tab speaks Streamlit's own protocol (streamlit.proto: BackMsg to the server, ForwardMsg back) over a WebSocket. It
keeps large messages as a browser does and names them in each request, so that the server need not send them again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

__all__ = ["Answer", "PageError", "Tab"]

_KEPT = 2  # runs for which a browser keeps a large message that was not used again (global.maxCachedMessageAge)
_PATIENCE = 120.0  # seconds in which a server must answer


class PageError(Exception):
    """Say that a page answered with an error, or not at all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what one run of a page took: seconds until it was complete, and how much was sent for it."""

    seconds: float
    messages: int
    size: int  # bytes before compression


@dataclass
class Tab:
    """Hold one open page; `live` is the part of it that re-runs by itself, empty where it has none."""

    address: str  # http://127.0.0.1:8501
    page: str = ""  # as in the address: "case"; empty for the first page
    query: str = ""
    who: str = ""
    live: str = ""
    shown: list[str] = field(default_factory=list)  # the HTML that the last answer brought
    _hash: str = ""
    _runs: int = 0
    _known: dict[str, int] = field(default_factory=dict)
    _socket: Any = None

    async def __aenter__(self) -> Self:
        from websockets.asyncio.client import connect

        place = urlsplit(self.address)
        self._socket = await connect(
            f"ws://{place.netloc}/_stcore/stream",
            additional_headers={"Cookie": f"escucha_who={quote(self.who)}"},
            origin=None,
            subprotocols=["streamlit"],  # type: ignore[list-item]
            max_size=None,
            open_timeout=_PATIENCE,
            ping_interval=None,  # a server that is late is measured, not given up
        )
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        await self._socket.close()

    async def run(self, part: str = "") -> Answer:
        """Re-run the page, or only one part of it, and wait for the whole answer; raises PageError for an error."""
        from asyncio import timeout

        from streamlit.proto.BackMsg_pb2 import BackMsg

        asked = BackMsg()
        state = asked.rerun_script
        state.query_string = self.query
        state.page_script_hash = self._hash
        if not self._runs:
            state.page_name = self.page
        state.fragment_id = part
        state.is_auto_rerun = bool(part)
        state.cached_message_hashes.extend(self._known)
        state.context_info.timezone = "America/Lima"
        state.context_info.locale = "es-PE"
        state.context_info.url = f"{self.address}/{self.page}"
        state.context_info.color_scheme = "light"
        self._runs += 1
        self.shown = []
        start = time.perf_counter()
        async with timeout(_PATIENCE):
            await self._socket.send(asked.SerializeToString())
            messages, size = await self._read()
        took = time.perf_counter() - start
        self._known = {one: run for one, run in self._known.items() if self._runs - run <= _KEPT}
        return Answer(took, messages, size)

    async def _read(self) -> tuple[int, int]:
        """Read messages until the run is over; gives how many came, and their bytes."""
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        messages = size = 0
        while True:
            told = await self._socket.recv()
            message = ForwardMsg.FromString(told)
            messages += 1
            size += len(told)
            kind = message.WhichOneof("type")
            if kind == "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    raise PageError("the page cannot be run")
                if message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    return messages, size
            elif kind == "delta":
                self._look(message)
            elif kind == "ref_hash":
                if message.ref_hash not in self._known:
                    raise PageError("the server left out a message that this browser does not have")
                self._known[message.ref_hash] = self._runs
            elif kind == "new_session":
                self._hash = message.new_session.page_script_hash
            elif kind == "navigation":
                self._hash = message.navigation.page_script_hash
            elif kind == "auto_rerun":
                self.live = message.auto_rerun.fragment_id
            elif kind == "page_not_found":
                raise PageError(f"there is no page '{self.page}'")

    def _look(self, message: Any) -> None:
        if message.metadata.cacheable:
            self._known[message.hash] = self._runs
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "exception":
            raise PageError(f"{self.page or 'the first page'}: {element.exception.type} {element.exception.message}")
        if kind == "html":
            self.shown.append(element.html.body)
