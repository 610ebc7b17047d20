"""Read files of letters: mailboxes (mbox, RFC 4155) letter by letter from a place on, and single letters (.eml)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from listener.errors import Unreadable
from listener.platforms.mailpost import LARGEST, read_letter
from listener.postfile import BadRow, Row
from listener.reason import N_

__all__ = ["read_eml", "read_mbox"]

_CHUNK = 65536
_POSTMARK = re.compile(rb"From \S{1,320} .{0,200}\d\d:\d\d.{0,60}\d{4}")
_NOT_A_MAILBOX = N_("not a mailbox in mbox format: its first line does not start with From")


def read_mbox(path: Path, source: str, offset: int, number: int) -> Iterator[Row | BadRow]:
    """Yield every letter from byte `offset`, before which lie `number` letters; at most LARGEST bytes of each are held.

    The last letter gives the place of its own start: somebody may still be writing it, so it is read again when the
    file has grown. When no letter starts at `offset`, the mailbox was rewritten and is read from its start.
    """
    with path.open("rb") as stream:
        stream.seek(offset)
        line = stream.readline(_CHUNK)
        if offset and line and not _POSTMARK.match(line):
            stream.seek(0)
            offset, number = 0, 0
            line = stream.readline(_CHUNK)
        if not line.strip() and not stream.read(1):
            return
        if not line.startswith(b"From "):
            raise Unreadable(source, f"{path.name}: {_NOT_A_MAILBOX}")
        start = offset
        while line:
            body, line = _letter(stream)
            number += 1
            if line:  # a letter that another one follows is complete
                start = stream.tell() - len(line)
            yield _row(f"{path.name} letter {number}", body, start, number if line else number - 1)


def _letter(stream: BinaryIO) -> tuple[bytes, bytes]:
    """Give a letter whose postmark was read, and the postmark of the next one, or b"" at the end."""
    parts: list[bytes] = []
    size = 0
    blank, begins = False, True
    while line := stream.readline(_CHUNK):
        if begins and blank and _POSTMARK.match(line):
            return b"".join(parts), line
        blank = begins and not line.strip()
        if size < LARGEST:
            kept = line[1:] if begins and re.match(rb">+From ", line) else line
            parts.append(kept)
            size += len(kept)
        begins = line.endswith(b"\n")
    return b"".join(parts), b""


def read_eml(path: Path) -> Row | BadRow:
    """Give the one letter of a file."""
    with path.open("rb") as stream:
        return _row(path.name, stream.read(LARGEST), 0, 1)


def _row(place: str, body: bytes, offset: int, number: int) -> Row | BadRow:
    try:
        return Row(place, read_letter(body).as_object(), offset, number)
    except ValueError as error:
        return BadRow(place, str(error), body[:1000].decode("utf-8", "replace"), offset, number)
