"""A small real IMAP server on 127.0.0.1 (RFC 3501): folders of letters, and faults as a test wants them."""

from __future__ import annotations

import re
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

USER, PASSWORD = "atencion@nitido.example", 'canary "mail" pass\\word'


@dataclass
class Folder:
    letters: dict[int, bytes] = field(default_factory=dict)
    validity: int = 7

    def add(self, body: bytes) -> int:
        uid = max(self.letters, default=0) + 1
        self.letters[uid] = body
        return uid


class Mailbox:
    """`fault(command line)` may give bytes to send in place of the answer; DROP at their end drops the line."""

    def __init__(self) -> None:
        self.folders = {"INBOX": Folder()}
        self.asked: list[str] = []
        self.sent = 0
        self.fault: Callable[[str], bytes | None] = lambda line: None
        self.greeting = b"* OK ready\r\n"
        self.context: ssl.SSLContext | None = None
        self.tls_at_once = False
        self.port = 0

    @property
    def inbox(self) -> Folder:
        return self.folders["INBOX"]

    def verbs(self) -> list[str]:
        return [" ".join(line.split()[1:3]) if " UID " in line else line.split()[1] for line in self.asked]


def letter(
    text: str = "Llevo tres días sin señal", *, subject: str = "Reclamo", number: int = 1, headers: str = ""
) -> bytes:
    return (
        f"From: Ana Torres <Ana@example.org>\r\nTo: x@nitido.example\r\nSubject: {subject}\r\n"
        f"Date: Mon, 4 May 2026 09:{number % 60:02}:00 -0500\r\nMessage-ID: <m{number}@example.org>\r\n{headers}"
        f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    ).encode()


class _Handler(socketserver.StreamRequestHandler):
    mailbox: Mailbox

    def handle(self) -> None:
        box = self.mailbox
        try:
            if box.context is not None and box.tls_at_once:
                self._wrap(box.context)
            self._send(box.greeting)
            self.folder: Folder | None = None
            while line := self.rfile.readline():
                if not self._answer(box, line.decode("utf-8", "replace").rstrip("\r\n")):
                    return
        except (OSError, ValueError):
            pass  # a client that hangs up is part of many tests

    def _wrap(self, context: ssl.SSLContext) -> None:
        self.request = context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb")

    def _send(self, data: bytes) -> None:
        self.mailbox.sent += len(data)
        self.wfile.write(data)
        self.wfile.flush()

    def finish(self) -> None:
        for part in (self.wfile, self.rfile, self.request):
            with suppress(OSError):
                part.close()

    def _answer(self, box: Mailbox, line: str) -> bool:
        box.asked.append(line)
        tag, _, command = line.partition(" ")
        broken = box.fault(command)
        if broken is not None:
            self._send(broken.replace(b"TAG", tag.encode()).removesuffix(b"DROP"))
            return not broken.endswith(b"DROP")
        verb = command.split(" ", 1)[0].upper()
        done = f"{tag} OK done\r\n".encode()
        if verb == "CAPABILITY":
            more = b" STARTTLS" if box.context is not None and not box.tls_at_once else b""
            self._send(b"* CAPABILITY IMAP4rev1" + more + b"\r\n" + done)
        elif verb == "STARTTLS" and box.context is not None:
            self._send(done)
            self._wrap(box.context)
        elif verb == "LOGIN":
            quoted = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
            good = command == f'LOGIN "{USER}" "{quoted}"'
            self._send(done if good else f"{tag} NO [AUTHENTICATIONFAILED] {command}\r\n".encode())
        elif verb in ("EXAMINE", "SELECT"):
            self.folder = box.folders.get(command.split(" ", 1)[1].strip('"'))
            if self.folder is None:
                self._send(f"{tag} NO no such folder\r\n".encode())
                return True
            told = f"* {len(self.folder.letters)} EXISTS\r\n* OK [UIDVALIDITY {self.folder.validity}] ok\r\n"
            self._send(told.encode() + f"{tag} OK [READ-ONLY] done\r\n".encode())
        elif command.upper().startswith("UID SEARCH") and self.folder is not None:
            found = " ".join(map(str, self._found(self.folder, command)))
            self._send(f"* SEARCH {found}\r\n".encode() + done)
        elif command.upper().startswith("UID FETCH") and self.folder is not None:
            self._fetch(self.folder, command)
            self._send(done)
        elif verb == "LOGOUT":
            self._send(b"* BYE\r\n" + done)
            return False
        else:
            self._send(f"{tag} BAD what?\r\n".encode())
        return True

    def _found(self, folder: Folder, command: str) -> list[int]:
        chosen = re.search(r"\(?UID ([\d:*,]+)\)?$", command)
        if chosen is None:
            return sorted(folder.letters)
        last = max(folder.letters, default=0)
        wanted: set[int] = set()
        for part in chosen[1].split(","):
            start, _, end = part.replace("*", str(last)).partition(":")
            low, high = sorted((int(start), int(end or start)))  # 9:* with a last letter 5 means 5:9
            wanted |= {uid for uid in folder.letters if low <= uid <= high}
        return sorted(wanted)

    def _fetch(self, folder: Folder, command: str) -> None:
        _, _, uids, parts = command.split(" ", 3)
        for number, uid in enumerate(map(int, uids.split(",")), 1):
            body = folder.letters.get(uid)
            if body is None:
                continue
            told = f"UID {uid} RFC822.SIZE {len(body)}"
            if "BODY" in parts.upper():
                cut = re.search(r"<0\.(\d+)>", parts)
                body = body[: int(cut[1])] if cut else body
                name = "BODY[]<0>" if cut else "BODY[]"
                self._send(f"* {number} FETCH ({told} {name} {{{len(body)}}}\r\n".encode() + body + b")\r\n")
            else:
                self._send(f"* {number} FETCH ({told})\r\n".encode())


@contextmanager
def mailing(mailbox: Mailbox | None = None) -> Iterator[Mailbox]:
    """Serve a mailbox until the block ends; `port` says where."""
    mailbox = mailbox or Mailbox()

    class Handler(_Handler):
        pass

    Handler.mailbox = mailbox

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        mailbox.port = int(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield mailbox
        finally:
            server.shutdown()
            thread.join()


def two_pages(mailbox: Mailbox) -> None:
    """Fill a mailbox with three letters: two pages of two."""
    for number in (1, 2, 3):
        mailbox.inbox.add(letter(number=number))
