"""Take every mail of the demo on this machine and keep it as a file; nothing is ever passed on."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from listener.errors import EscuchaError

__all__ = ["Sink"]


class Sink:
    """Run a real SMTP server on the loopback; each mail becomes one .eml file, numbered as it came."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        taken = [int(path.stem) for path in folder.glob("*.eml") if path.stem.isdigit()]
        self._number = itertools.count(max(taken, default=0) + 1)
        self._server: Any = None
        self.port = 0

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one mail."""
        path = self.folder / f"{next(self._number):06d}.eml"
        path.write_bytes(envelope.original_content or envelope.content)
        return "250 kept"

    def start(self) -> int:
        """Listen on a free port of 127.0.0.1 and give its number."""
        try:
            from aiosmtpd.controller import Controller
        except ImportError:
            raise EscuchaError("the demo needs aiosmtpd: pip install 'escucha[demo]'") from None
        import socket

        with socket.socket() as probe:  # the controller cannot tell the port that the system chose
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._server = Controller(self, hostname="127.0.0.1", port=self.port)
        self._server.start()
        return self.port

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.stop()
