"""Read a letter (RFC 5322, MIME) as a post: subject and new words, without quoted history, signature and attachments.

What strangers send is bounded before it is parsed: the parser of the standard library is recursive and its work grows
with the nesting, so a letter that is built too deep is not read at all.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.policy import compat32
from email.utils import parseaddr, parsedate_to_datetime
from typing import Any

from listener.feed import plain
from listener.raw import read_text
from listener.reason import N_

__all__ = ["LARGEST", "NO_LETTER", "TOO_DEEP", "Letter", "new_words", "read_letter"]

LARGEST = 256_000  # bytes of a letter that are read: words come first, attachments behind them
_MOST_BOUNDARIES = 25  # parts that hold parts; the letters of people have five at most
_MOST_PARTS = 200
_FIELD = 2_000  # characters of a header
_WORDS = 20_000  # characters of a post

NO_LETTER = N_("not a letter: no sender and no subject")
TOO_DEEP = N_("the letter is built too deep to be read safely")

_HOLDER = re.compile(rb"(?i)\bboundary\s*=|content-type:\s*message/")
_ID = re.compile(r"<([^<>\s]{1,500})>")
# Codecs of Python that are no character sets of letters, or that take minutes for half a megabyte.
_NOT_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
# Where a mail program begins to quote, in Spanish, English and Portuguese.
_ATTRIBUTION = re.compile(
    r"(?i)^\W{0,3}(?:el|on|em|le)\b.{4,300}\b(?:escribió|wrote|escreveu|a écrit)\s*:\s*$|"
    r"^\W{0,3}\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.{0,200}<[^<>\s]{3,200}>\s*:\s*$"
)
_DIVIDERS = frozenset(
    f"{first} {second}"
    for first, seconds in {
        "mensaje": ("original", "reenviado"),
        "correo": ("original", "reenviado"),
        "original": ("message",),
        "forwarded": ("message",),
        "mensagem": ("original", "encaminhada"),
    }.items()
    for second in seconds
)
_LINE = 300  # characters: a longer line is never where quoting begins, and expressions are not tried on it
_HEADER = re.compile(r"(?i)^\s*\*?(?:de|from)\s*:\*?\s+\S")
_NEXT_HEADER = re.compile(r"(?i)^\s*\*?(?:enviado(?: el)?|sent|fecha|date|data|para|to)\s*:\*?\s+\S")
_SIGNATURE = re.compile(
    r"(?i)^(?:-- ?|(?:enviado desde|sent from|enviado do|obtener outlook|get outlook)\b.{0,80})\s*$"
)
_QUOTING_HTML = re.compile(r"(?i)<blockquote\b|<[a-z]+\b[^<>]{0,300}(?:gmail_quote|divrplyfwdmsg|moz-cite-prefix)")
_BREAK = re.compile(r"(?i)<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^<>]{0,200}>")


@dataclass(frozen=True, slots=True)
class Letter:
    """Hold what a letter says; None where it does not."""

    native_id: str  # its Message-ID, else a hash
    text: str
    subject: str | None
    sent_at: datetime | None
    handle: str | None  # the address of its sender, in small letters
    name: str | None
    in_reply_to: str | None
    thread: str | None  # the first letter of the conversation, as far as this one tells
    automatic: bool  # sent by a machine (RFC 3834): an answer while away, an alert, our own mail
    parts: int

    def as_object(self) -> dict[str, Any]:
        """Give the letter as an object of a post file (docs/formats.md)."""
        return {
            "native_id": self.native_id,
            "text": self.text,
            "published_at": self.sent_at.isoformat() if self.sent_at is not None else None,
            "author": {"handle": self.handle, "name": self.name},
            "in_reply_to": self.in_reply_to,
            "thread": self.thread,
            "mail": {"subject": self.subject, "automatic": self.automatic, "parts": self.parts},
        }


def read_letter(body: bytes) -> Letter:
    """Read a letter from its first LARGEST bytes; ValueError (a catalogue sentence) when it is none or too deep."""
    body = body[:LARGEST]
    if len(_HOLDER.findall(body)) > _MOST_BOUNDARIES:
        raise ValueError(TOO_DEEP)
    try:
        message = BytesParser(policy=compat32).parsebytes(body)
        words, parts = _words(message)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None
    except (LookupError, TypeError, AttributeError, UnicodeError, AssertionError):
        # The parser of the standard library trips over some broken letters; their headers can still be read.
        message, words, parts = BytesHeaderParser(policy=compat32).parsebytes(body), "", 0
    subject = _header(message, "Subject")
    name, address = _sender(message)
    if not address and subject is None:
        raise ValueError(NO_LETTER)
    handle = address.casefold()[:320] if "@" in address else None
    text = "\n".join(part for part in (subject, words) if part)
    if not text:
        raise ValueError(NO_LETTER)
    own_id = _first_id(_header(message, "Message-ID"))
    parent = _first_id(_header(message, "In-Reply-To"))
    facts = (handle or "", _header(message, "Date") or "", subject or "", "" if handle and subject else words)
    native_id = own_id or hashlib.sha256("\n".join(facts).encode("utf-8", "replace")).hexdigest()
    told = (_header(message, "Auto-Submitted") or "no").casefold()
    return Letter(
        native_id=native_id,
        text=text[:_WORDS],
        subject=subject,
        sent_at=_moment(message),
        handle=handle,
        name=name,
        in_reply_to=parent,
        thread=_first_id(_header(message, "References")) or parent or native_id,
        automatic=not told.startswith("no"),
        parts=parts,
    )


def _header(message: Message, name: str) -> str | None:
    """Give a header on one line, decoded whatever its character set; None when it is missing or blank."""
    return _unfolded(_raw(message, name))


def _raw(message: Message, name: str) -> str:
    """Give a header as it was sent; bytes that are no ASCII are read as UTF-8 (RFC 6532)."""
    for key, value in message.raw_items():
        if key.casefold() == name.casefold():
            return str(value)[:_FIELD].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return ""


def _unfolded(written: str) -> str | None:
    """Decode the words of a header (RFC 2047) and put them on one line."""
    try:
        pieces = decode_header(written)
    except (ValueError, LookupError):  # broken base64
        pieces = [(written, None)]
    text = "".join(
        piece if isinstance(piece, str) else _decoded(piece, charset or "utf-8") for piece, charset in pieces
    )
    return read_text(" ".join(text.split()))


def _sender(message: Message) -> tuple[str | None, str]:
    """Give name and address of the sender; they are told apart before the name is decoded, so it can feign none."""
    try:
        name, address = parseaddr(_raw(message, "From")[:500])
    except (RecursionError, ValueError, IndexError):  # comments in comments
        return None, ""
    return _unfolded(name), " ".join(address.split())


def _decoded(piece: bytes, charset: str) -> str:
    try:
        name = codecs.lookup(charset).name
        if name not in _NOT_CHARSETS:
            return piece.decode(name, "replace")
    except (LookupError, ValueError, UnicodeError):  # an unknown one, or a codec that makes no text
        pass
    return piece.decode("utf-8", "replace")


def _first_id(value: str | None) -> str | None:
    match = _ID.search(value or "")
    return match.group(1) if match else None


def _moment(message: Message) -> datetime | None:
    """Give when the letter was sent, else when the last server took it; None when neither can be read."""
    for name in ("Date", "Received"):
        told = (_header(message, name) or "").rpartition(";")[2]
        try:
            moment = parsedate_to_datetime(told.strip())
            return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _words(message: Message) -> tuple[str, int]:
    """Give the new words of a letter and the number of its parts; plain text is preferred to HTML."""
    markup: str | None = None
    number = 0
    for part in message.walk():
        number += 1
        if number > _MOST_PARTS:
            break
        kind = part.get_content_type()
        if kind not in ("text/plain", "text/html") or part.get_content_disposition() == "attachment":
            continue
        body = part.get_payload(decode=True)
        if not isinstance(body, bytes):
            continue
        text = _decoded(body, part.get_content_charset() or "utf-8")
        if kind == "text/plain":
            words = new_words(text)
            if words:
                return words, number
        elif markup is None:
            markup = text
    return (_from_html(markup) if markup is not None else ""), number


def _from_html(markup: str) -> str:
    """Give the words before the first quotation, line by line; `plain` cuts what is long and drops what is no text."""
    quoted = _QUOTING_HTML.search(markup)
    lines = _BREAK.split(markup[: quoted.start()] if quoted and quoted.start() > 0 else markup)
    whole = plain("<br>".join(lines)) if len(lines) > 1_000 else "\n".join(filter(None, map(plain, lines)))
    return new_words(whole)


def new_words(text: str) -> str:
    """Cut quoted history and signature off a letter; when nothing would be left, the whole text stands."""
    lines = text[: 4 * _WORDS].replace("\r\n", "\n").split("\n")
    kept: list[str] = []
    skipped = -1
    for number, line in enumerate(lines):
        if number == skipped:
            continue
        if len(line) > _LINE:
            kept.append(line.rstrip())
            continue
        after = next((one for one in lines[number + 1 : number + 4] if one.strip()), "")[:_LINE]
        if _SIGNATURE.match(line) or _divides(line) or (_HEADER.match(line) and _NEXT_HEADER.match(after)):
            break
        following = lines[number + 1][:_LINE] if number + 1 < len(lines) else ""
        broken = bool(line.strip()) and not _ATTRIBUTION.match(following) and _ATTRIBUTION.match(f"{line} {following}")
        if _ATTRIBUTION.match(line) or broken:
            if not any(one.lstrip().startswith(">") for one in lines[number + 1 : number + 5]):
                break
            skipped = number if _ATTRIBUTION.match(line) else number + 1  # words may stand between the quotations
        elif not line.lstrip().startswith(">"):
            kept.append(line.rstrip())
    words = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    whole = words or re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip()
    return (read_text(whole) or "")[:_WORDS]


def _divides(line: str) -> bool:
    """Tell a line such as -----Mensaje original----- or Outlook's long rule."""
    core = " ".join(line.strip(" \t-_").split()).casefold()
    return core in _DIVIDERS if core else "_" * 20 in line
