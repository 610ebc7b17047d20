"""Hold the line to a mail server: checked before it is opened, timed, and never more than is asked for (RFC 3501)."""

from __future__ import annotations

import imaplib
import socket
import ssl
import time
from io import BufferedReader
from typing import Literal

from listener.dial import connect
from listener.egress import TIMEOUT, Egress
from listener.errors import Unreachable, Unreadable
from listener.failure import TOO_SLOW
from listener.platforms.mailpost import LARGEST
from listener.reason import N_

__all__ = ["Line"]

_CHUNK = 65536
_LONGEST_LINE = 2_000_000  # bytes: a search that names a quarter of a million letters
_MOST = 50_000_000  # bytes between two calls of give_time: what a page of letters may bring
_SECONDS = 120.0

_TOO_LARGE = N_("the answer is larger than allowed")
_NO_STARTTLS = N_("the mail server offers no TLS on this port")


class Line(imaplib.IMAP4):
    """Speak IMAP over a socket of listener/dial.py; raises SourceErrors, imaplib's own and OSError."""

    def __init__(
        self, egress: Egress, source: str, host: str, port: int, security: Literal["tls", "starttls", "none"]
    ) -> None:
        self._egress = egress
        self._source = source
        self._security = security
        self._stream: BufferedReader | None = None
        self.give_time()
        super().__init__(host, port, TIMEOUT[1])
        if security == "starttls":
            self._start_tls()

    def give_time(self) -> None:
        """Begin to count anew: two minutes and 50 MB until the next call."""
        self._until = time.monotonic() + _SECONDS
        self._left = _MOST

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        """Connect to the address that was checked; called by imaplib."""
        self.host, self.port = host, port
        opened = connect(self._egress, host, port, self._source)
        try:
            self._use(self._secured(opened) if self._security == "tls" else opened)
        except BaseException:
            opened.close()
            raise

    def _secured(self, opened: socket.socket) -> ssl.SSLSocket:
        """Put TLS around a socket; imaplib's own way would check no certificate."""
        return ssl.create_default_context().wrap_socket(opened, server_hostname=self.host)

    def _use(self, opened: socket.socket) -> None:
        opened.settimeout(TIMEOUT[1])
        self.sock = opened
        self._stream = opened.makefile("rb")

    def _start_tls(self) -> None:
        try:
            if "STARTTLS" not in self.capabilities:
                raise Unreachable(self._source, _NO_STARTTLS)
            told, _ = self._simple_command("STARTTLS")
            if told != "OK":
                raise Unreachable(self._source, _NO_STARTTLS)
            # What came before in clear words is thrown away with the old stream, capabilities included.
            self._use(self._secured(self.sock))
            self._tls_established = True
            self.untagged_responses = {}
            self._get_capabilities()
        except BaseException:
            self.leave()
            raise

    def read(self, size: int) -> bytes:
        """Read a literal piece by piece; Unreadable when it is larger than any that was asked for."""
        if size > LARGEST + _CHUNK or self._stream is None:
            raise Unreadable(self._source, _TOO_LARGE)
        parts: list[bytes] = []
        while size > 0 and (part := self._stream.read1(min(size, _CHUNK))):
            parts.append(part)
            size -= len(part)
            self._count(len(part))
        return b"".join(parts)

    def readline(self) -> bytes:
        """Read a line of an answer, piece by piece."""
        parts: list[bytes] = []
        size = 0
        while self._stream is not None and (part := self._stream.readline(_CHUNK)):
            parts.append(part)
            size += len(part)
            self._count(len(part))
            if part.endswith(b"\n"):
                break
            if size > _LONGEST_LINE:
                raise Unreadable(self._source, _TOO_LARGE)
        return b"".join(parts)

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise Unreadable(self._source, _TOO_LARGE)
        if time.monotonic() > self._until:
            raise Unreachable(self._source, TOO_SLOW)

    def shutdown(self) -> None:
        """Close the line; called by imaplib too."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self.sock.close()

    def leave(self) -> None:
        """Say goodbye if the server still listens, and close."""
        if self._stream is None:
            return
        try:
            self.sock.settimeout(2)
            self.logout()
        except Exception:  # noqa: BLE001 - everything that was asked for is read; the server may be gone
            self.shutdown()
