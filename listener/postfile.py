"""Read post files (JSONL, CSV, XLSX, mbox; docs/formats.md): one object after the other, with the place of each."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from listener.errors import SourceError, Unreachable, Unreadable
from listener.raw import read_text
from listener.reason import N_

__all__ = [
    "APPENDED",
    "NOT_JSON",
    "NOT_UTF8",
    "NO_FILE",
    "NO_HEADINGS",
    "SUFFIXES",
    "TOO_MANY_CELLS",
    "BadRow",
    "Row",
    "read_rows",
]

SUFFIXES = (".jsonl", ".ndjson", ".csv", ".tsv", ".xlsx", ".mbox", ".eml")
APPENDED = (".jsonl", ".ndjson", ".mbox")  # files that grow at their end: a place in them can be remembered
_LONGEST_LINE = 1_000_000  # bytes
_LARGEST_BOOK = 200_000_000  # bytes of an XLSX after decompression
_PLACES: dict[str, tuple[str, ...]] = {  # plain headings of a table → their place in the object
    **{name: ("author", name) for name in ("handle", "name", "bio", "verified", "followers")},
    **{name: ("metrics", name) for name in ("likes", "replies", "shares", "views")},
}
_NESTED = ("author", "metrics", "labels")

NO_FILE = N_("the file is not there or cannot be opened")
NOT_JSON = N_("not a JSON object on one line")
NOT_UTF8 = N_("not UTF-8: save the file with this encoding")
_TOO_LONG = N_("longer than a million characters")
NO_HEADINGS = N_("the first line holds no heading named text")
TOO_MANY_CELLS = N_("more cells than headings")
_NOT_A_TABLE = N_("not a row of a table")
_NOT_A_BOOK = N_("not an XLSX workbook, or a damaged one")
_UNKNOWN_KIND = N_("only files that end in .jsonl, .csv, .xlsx, .mbox or .eml are read")


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one object of a file: where it stands, and how many bytes of the file lie behind it (APPENDED only)."""

    position: str
    raw: Mapping[str, Any]
    offset: int = 0
    number: int = 0


@dataclass(frozen=True, slots=True)
class BadRow:
    """Hold one line or row that could not be read."""

    position: str
    reason: str
    body: str
    offset: int = 0
    number: int = 0
    unfinished: bool = False  # the last line, without a line end: somebody may still be writing it


def read_rows(path: Path, source: str, *, offset: int = 0, number: int = 0) -> Iterator[Row | BadRow]:
    """Yield every object of a post file; one of APPENDED from byte `offset`, before which lie `number` objects.

    Raises Unreachable when the file cannot be opened, Unreadable when it is no table or workbook.
    """
    suffix = path.suffix.casefold()
    reader = {".xlsx": _book, ".csv": _table, ".tsv": _table}.get(suffix)
    try:
        if reader is not None:
            yield from reader(path, source)
        elif suffix == ".mbox":
            from listener.platforms.letterfile import read_mbox

            yield from read_mbox(path, source, offset, number)
        elif suffix == ".eml":
            from listener.platforms.letterfile import read_eml

            yield read_eml(path)
        elif suffix in SUFFIXES:
            yield from _lines(path, offset, number)
        else:
            raise Unreadable(source, f"{path.name}: {_UNKNOWN_KIND}")
    except OSError as error:
        raise Unreachable(source, f"{path.name}: {NO_FILE}") from error


def _lines(path: Path, offset: int, number: int) -> Iterator[Row | BadRow]:
    with path.open("rb") as stream:
        stream.seek(offset)
        while line := stream.readline(_LONGEST_LINE + 1):
            number += 1
            offset += len(line)
            place = f"{path.name} line {number}"
            if len(line) > _LONGEST_LINE and not line.endswith(b"\n"):
                start = line[:1000].decode("utf-8", "replace")
                while line and not line.endswith(b"\n"):
                    line = stream.readline(_LONGEST_LINE)
                    offset += len(line)
                yield BadRow(place, _TOO_LONG, start, offset, number, unfinished=not line.endswith(b"\n"))
                continue
            if offset == len(line):
                line = line.removeprefix(b"\xef\xbb\xbf")
            if not line.strip():
                continue
            body = line.decode("utf-8", "replace").rstrip("\r\n")
            unfinished = not line.endswith(b"\n")
            try:
                raw = json.loads(line.decode("utf-8"), parse_constant=lambda _: None)
            except UnicodeDecodeError:
                yield BadRow(place, NOT_UTF8, body, offset, number, unfinished)
                continue
            except (ValueError, RecursionError):
                raw = None
            if isinstance(raw, dict):
                yield Row(place, raw, offset, number)
            else:
                yield BadRow(place, NOT_JSON, body, offset, number, unfinished)


def _table(path: Path, source: str) -> Iterator[Row | BadRow]:
    with path.open("rb") as stream:
        wide = stream.read(2) in (b"\xff\xfe", b"\xfe\xff")
    encoding = "utf-16" if wide else "utf-8-sig"
    with path.open(encoding=encoding, errors="replace" if wide else "surrogateescape", newline="") as stream:
        rows = csv.reader(stream, delimiter=_delimiter(stream), strict=True)
        headings: list[str] | None = None
        number = 0
        while True:
            try:
                cells = next(rows)
            except StopIteration:
                break
            except csv.Error:
                number += 1
                yield BadRow(f"{path.name} line {rows.line_num}", _NOT_A_TABLE, "", number=number)
                continue
            place = f"{path.name} line {rows.line_num}"
            if headings is None:
                headings = _headings(cells, path, source)
                continue
            number += 1
            if any(cell.strip() for cell in cells):
                yield _row(place, headings, cells, number)


def _delimiter(stream: TextIO) -> str:
    """Choose the sign that parts the headings most often: Excel in Spanish writes semicolons."""
    first = stream.readline(_LONGEST_LINE)
    stream.seek(0)
    return max(",;\t|", key=first.count)


def _book(path: Path, source: str) -> Iterator[Row | BadRow]:
    from openpyxl import load_workbook

    try:
        with zipfile.ZipFile(path) as parts:
            if sum(part.file_size for part in parts.infolist()) > _LARGEST_BOOK:
                raise Unreadable(source, f"{path.name}: {_NOT_A_BOOK}")
        book = load_workbook(path, read_only=True, data_only=True)
    except (OSError, SourceError):
        raise
    except Exception as error:  # zipfile, openpyxl and the XML parser each have their own
        raise Unreadable(source, f"{path.name}: {_NOT_A_BOOK}") from error
    try:
        headings: list[str] | None = None
        sheet = book.worksheets[0]
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            if not any(cell is not None and str(cell).strip() for cell in cells):
                continue
            if headings is None:
                headings = _headings(cells, path, source)
                continue
            while cells and cells[-1] is None:  # a workbook pads every row to the widest
                cells = cells[:-1]
            yield _row(f"{path.name} row {number}", headings, cells, number)
    except (OSError, SourceError):
        raise
    except Exception as error:  # a damaged sheet shows itself while it is read
        raise Unreadable(source, f"{path.name}: {_NOT_A_BOOK}") from error
    finally:
        book.close()


def _headings(cells: Any, path: Path, source: str) -> list[str]:
    headings = [(read_text(cell) or "").strip().casefold() for cell in cells]
    if "text" not in headings:
        raise Unreadable(source, f"{path.name}: {NO_HEADINGS}")
    return headings


def _row(place: str, headings: list[str], cells: Any, number: int) -> Row | BadRow:
    body = json.dumps([_plain(cell) for cell in cells], ensure_ascii=False)
    if any(isinstance(cell, str) and any("\udc80" <= sign <= "\udcff" for sign in cell) for cell in cells):
        return BadRow(place, NOT_UTF8, body.encode("utf-8", "replace").decode(), number=number)
    if len(cells) > len(headings):
        return BadRow(place, TOO_MANY_CELLS, body, number=number)
    raw: dict[str, Any] = {}
    for heading, cell in zip(headings, cells, strict=False):
        if not heading or cell is None or (isinstance(cell, str) and not cell.strip()):
            continue
        first, dot, rest = heading.partition(".")
        way = (first, rest) if dot and first in _NESTED else _PLACES.get(heading, (heading,))
        if heading == "competitors" and isinstance(cell, str):
            cell = [name.strip() for name in cell.replace("|", ";").split(";") if name.strip()]
        if len(way) == 2:
            part = raw.setdefault(way[0], {})
            if isinstance(part, dict):
                part[way[1]] = cell
        else:
            raw[way[0]] = cell
    return Row(place, raw, number=number)


def _plain(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return cell.isoformat()
    return cell if cell is None or isinstance(cell, (str, int, float)) else str(cell)
