"""Read letters that arrive in a mailbox of yours (IMAP4rev1, RFC 3501), without marking any as read.

Library: imap-tools (extra `imap`), on a connection that we check and open. Needs a user name and a password (where
two-step sign-in is on: an app password); nothing is paid. It sees the folders that you name, subject and new words of
each letter: no attachments, no quoted history, no automatic answers, and no letter that was moved elsewhere before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from listener.duration import Span
from listener.errors import MissingLibrary, NotAllowed, Refused, SourceError, Unreachable, Unreadable
from listener.extras import require
from listener.failure import classify
from listener.mention import Author, Brand, Page, Post, Rejected
from listener.platforms.imapline import Line
from listener.platforms.mailpost import LARGEST, NO_LETTER, TOO_DEEP, read_letter
from listener.raw import read_count, read_state, scrub
from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    from listener.egress import Egress

__all__ = ["Settings", "Source", "post_from"]

_BUSY = re.compile(rb"(?i)\[(?:unavailable|inuse|limit|serverbug)\]|too many|try again|temporar")

_KEY_REFUSED = N_("the mail server does not accept the user name or the password")
_BUSY_NOW = N_("the mail server lets nobody in at the moment")
_NO_FOLDER = N_("this folder is not in the mailbox")
_NO_ANSWER = N_("no connection, or it broke in the middle of the answer")
_NO_TRUST = N_("the connection is not safe: the certificate cannot be trusted")
_NO_TLS = N_("a connection without TLS is made inside your own network only: list the host under [egress] inside")
_NOT_PROMISED = N_("the answer is not what the platform promises")
_NO_LETTER = N_("the letter could not be read")
_COST = N_("Mail costs nothing.")


class Settings(BaseModel):
    """Say which mailbox is read, and how it is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(min_length=1, description="name of the mail server: imap.example.org")
    port: int | None = Field(None, ge=1, le=65535, description="left out: 993 with tls, else 143")
    security: Literal["tls", "starttls", "none"] = Field("tls", description="none: only inside your own network")
    user: str = Field(min_length=1, description="user name, mostly the address")
    password: SecretStr = Field(description='its password: "env:IMAP_PASSWORD"')
    folders: tuple[str, ...] = Field(("INBOX",), min_length=1, description="folders that are read")
    about: str | None = Field(None, description="key of the brand that the letters are about")
    since: Span = Field(timedelta(days=30), description="how far back the first poll reads")
    page_size: int = Field(50, ge=1, le=100, description="letters stored in one commit")
    max_pages: int = Field(20, ge=1, le=1000, description="pages a folder and poll")

    @field_validator("host")
    @classmethod
    def _name(cls, host: str) -> str:
        if any(sign in host for sign in "/:@ "):
            raise ValueError(f"'{host}' is not the name of a server; write it without imaps:// and without a port")
        return host.casefold()

    @field_validator("user", "folders")
    @classmethod
    def _one_line(cls, value: Any) -> Any:
        if any(sign < " " for part in ((value,) if isinstance(value, str) else value) for sign in part):
            raise ValueError("a line break cannot stand here")
        return value


def _now() -> datetime:
    return datetime.now(UTC)


def post_from(body: bytes, *, source: str, now: datetime, about: str | None = None) -> Post | None:
    """Make a Post of a letter; None for one that a machine sent. Raises ValueError (a catalogue sentence) for none.

    The address of the sender is the handle, as elsewhere the account: it is personal data and erased with it.
    """
    letter = read_letter(body)
    if letter.automatic:
        return None
    return Post(
        source=source,
        native_id=letter.native_id,
        text=letter.text,
        published_at=min(letter.sent_at or now, now),  # what is here already was not written tomorrow
        author=Author(handle=letter.handle, name=letter.name),
        in_reply_to=letter.in_reply_to,
        thread=letter.thread,
        about=about,
        raw=scrub(letter.as_object()),
    )


class Source:
    """Read folders in the order in which letters arrived; each has its own place in the cursor."""

    def __init__(self, name: str, settings: Settings, egress: Egress, *, now: Callable[[], datetime] = _now) -> None:
        self.name = name
        self.settings = settings
        self._egress = egress
        self._now = now

    def collect(self, brands: Sequence[Brand], cursor: str | None) -> Iterator[Page]:
        """Yield pages of new letters; each page's cursor lies behind its last letter.

        A folder that cannot be read does not stop the others; it is raised after them.
        """
        known = read_state(cursor)
        state = {folder: known[folder] for folder in self.settings.folders if folder in known}
        failures: list[SourceError] = []
        box = self._open()
        try:
            for folder in self.settings.folders:
                try:
                    yield from self._read_folder(box, folder, state)
                except Exception as error:  # noqa: BLE001 - imaplib, imap-tools and ssl each have their own
                    failures.append(self._failure(error))
                    if isinstance(failures[-1], Unreachable) and str(failures[-1]) != _NO_FOLDER:
                        break  # the line is gone
        finally:
            box.client.leave()
        if failures:
            raise failures[0]

    def _read_folder(self, box: Any, folder: str, state: dict[str, dict[str, Any]]) -> Iterator[Page]:
        imap_tools = require("imap_tools", "imap", self.name)
        box.client.give_time()
        box.folder.set(folder, readonly=True)  # EXAMINE: nothing in the mailbox changes
        validity = _number(box.client.response("UIDVALIDITY")[1])
        before = state.get(folder, {})
        last = read_count(before.get("uid")) or 0
        if last and before.get("validity") == validity:
            asked = imap_tools.AND(uid=imap_tools.U(str(last + 1), "*"))
        else:
            # The server counts anew, or we come for the first time. What is known is found by its Message-ID.
            last = 0
            asked = imap_tools.AND(date_gte=(self._now() - self.settings.since).date())
        found = sorted({int(uid) for uid in box.uids(asked, charset=None) if uid.isascii() and uid.isdigit()})
        new = [uid for uid in found if uid > last]  # "5:*" gives the last letter even when it is older than 5
        size = self.settings.page_size
        for start in range(0, min(len(new), size * self.settings.max_pages), size):
            box.client.give_time()
            chosen = new[start : start + size]
            page = self._read_letters(box, imap_tools, chosen, folder)
            state[folder] = {"validity": validity, "uid": chosen[-1]}
            yield Page(page.posts, json.dumps(state), page.rejected)
        if not new:
            state.setdefault(folder, {"validity": validity, "uid": last})
            yield Page((), json.dumps(state))

    def _read_letters(self, box: Any, imap_tools: Any, uids: Sequence[int], folder: str) -> Page:
        """Read letters by their numbers; of a large one only its beginning comes over the line."""
        sizes = self._sizes(box, uids)
        bodies: dict[int, bytes] = {}
        small = [str(uid) for uid in uids if sizes.get(uid, 0) <= LARGEST and uid in sizes]
        if small:
            for letter in box.fetch(imap_tools.AND(uid=small), charset=None, mark_seen=False):
                bodies[letter.uid] = letter.body
        for uid in uids:
            if sizes.get(uid, 0) > LARGEST:
                told = box.client.uid("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{LARGEST}>)")
                bodies |= {uid: body} if (body := _Letter(told[1]).body) else {}
        posts: list[Post] = []
        rejected: list[Rejected] = []
        for uid in uids:
            if uid not in bodies:
                continue  # it was deleted since the server named it
            try:
                post = post_from(bodies[uid], source=self.name, now=self._now(), about=self.settings.about)
            except Exception as error:  # noqa: BLE001 - a strange letter is kept aside, the rest of its page goes on
                why = str(error) if str(error) in (NO_LETTER, TOO_DEEP) else _NO_LETTER
                rejected.append(Rejected(f"{folder} {uid}", why, bodies[uid][:2000].decode("utf-8", "replace")))
            else:
                posts += [post] if post is not None else []
        return Page(tuple(posts), None, tuple(rejected))

    def _sizes(self, box: Any, uids: Sequence[int]) -> dict[int, int]:
        told, parts = box.client.uid("FETCH", ",".join(map(str, uids)), "(UID RFC822.SIZE)")
        if told != "OK":
            raise Unreadable(self.name, _NOT_PROMISED)
        sizes: dict[int, int] = {}
        for part in parts:
            line = part if isinstance(part, bytes) else b""
            uid, size = re.search(rb"UID (\d{1,10})\b", line), re.search(rb"RFC822\.SIZE (\d{1,18})\b", line)
            if uid and size:
                sizes[int(uid[1])] = int(size[1])
        return sizes

    def _open(self) -> Any:
        """Connect and sign in; raises a SourceError."""
        if self.settings.security == "none" and not self._egress_inside():
            raise Refused(self.name, _NO_TLS)
        imap_tools = require("imap_tools", "imap", self.name)
        settings = self.settings
        line: list[Line] = []

        class Box(imap_tools.BaseMailBox):  # type: ignore[misc, name-defined]
            email_message_class = _Letter

            def _get_mailbox_client(box) -> Line:  # noqa: N805 - the source is `self` here
                port = settings.port or (993 if settings.security == "tls" else 143)
                line.append(Line(self._egress, self.name, settings.host, port, settings.security))
                return line[0]

        try:
            box = Box()
            password = settings.password.get_secret_value()
            plain = (settings.user + password).isascii()
            (box.login if plain else box.login_utf8)(settings.user, password, initial_folder=None)
        except Exception as error:  # noqa: BLE001 - as in collect
            for one in line:
                one.leave()
            raise self._failure(error) from None
        return box

    def _egress_inside(self) -> bool:
        from listener.egress import Egress

        return Egress(self._egress.inside).allows(self.settings.host)

    def _failure(self, error: Exception) -> SourceError:
        """Give our own error for any of imaplib, imap-tools and ssl; it quotes nothing of what the server said."""
        name = type(error).__name__
        if isinstance(error, (SourceError, MissingLibrary)):
            return error
        if name == "MailboxLoginError":
            busy = _BUSY.search(repr(getattr(error, "command_result", "")).encode())
            return Unreachable(self.name, _BUSY_NOW) if busy else NotAllowed(self.name, _KEY_REFUSED)
        if name == "MailboxFolderSelectError":
            return Unreachable(self.name, _NO_FOLDER)
        if name == "SSLCertVerificationError":
            return Unreachable(self.name, _NO_TRUST)
        if isinstance(error, Line.abort) and "socket error" in str(error):
            return Unreachable(self.name, _NO_ANSWER)
        if isinstance(error, OSError):
            return classify(error, self.name)
        return Unreadable(self.name, _NOT_PROMISED)

    def hosts(self) -> frozenset[str]:
        """Name the mail server."""
        return frozenset({self.settings.host})

    def probe(self) -> None:
        """Sign in and open each folder; raise a SourceError."""
        box = self._open()
        try:
            for folder in self.settings.folders:
                box.folder.set(folder, readonly=True)
        except Exception as error:  # noqa: BLE001 - as in collect
            raise self._failure(error) from None
        finally:
            box.client.leave()

    def cost(self, brands: Sequence[Brand]) -> Reason:
        """Say that mail costs nothing, as a reason that can be worded in any language."""
        return reason(_COST)


class _Letter:
    """Hold a letter as it came: imap-tools would parse it at once, however it is built."""

    def __init__(self, told: Sequence[Any]) -> None:
        self.body = b""
        self.uid = 0
        for part in told:
            line = part[0] if isinstance(part, tuple) else part
            if isinstance(part, tuple):
                self.body = part[1]
            found = re.search(rb"UID (\d{1,10})\b", line) if isinstance(line, bytes) else None
            self.uid = int(found[1]) if found and not self.uid else self.uid


def _number(told: Any) -> int:
    """Read the number of an untagged answer, as imaplib gives it: [b"17"], or [None]."""
    first = told[0] if told else None
    return int(first) if isinstance(first, bytes) and first.isdigit() else 0
