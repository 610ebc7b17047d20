"""Read a team's own table of bodies (CSV) into entries, and say of every row that is no entry where and why.

Separator, encoding and language of the headings are recognised; docs/registry.md names the columns.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from listener.match import fold
from listener.reason import N_, Reason, reason
from stakeholders.registry import Entry, clashes
from stakeholders.registry.headings import DAY_FIRST, FIELDS, heading
from stakeholders.registry.row import read_row

__all__ = ["RowFault", "Sheet", "read_sheet"]

_LARGEST = 20_000_000  # bytes: a registry is a list of bodies, not of people
_CLASHES = {
    "handle": N_("the account «{quote1}» stands already in line {line}, at «{quote2}»"),
    "domain": N_("the domain «{quote1}» stands already in line {line}, at «{quote2}»"),
    "name": N_("the name «{quote1}» stands already in line {line}, at «{quote2}»"),
}


@dataclass(frozen=True, slots=True)
class RowFault:
    """Hold one fault of a table: the line of the file where its row begins, what is wrong, what to do."""

    line: int
    what: Reason
    todo: Reason

    def say(self, lang: str) -> tuple[str, str]:
        """Word what is wrong and what to do."""
        return self.what.say(lang), self.todo.say(lang)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Hold what a table says: its good entries, every fault by line, and the headings that nobody reads."""

    entries: tuple[Entry, ...]
    faults: tuple[RowFault, ...]
    unread: tuple[str, ...] = ()


def read_sheet(path: Path) -> Sheet:
    """Read a CSV file (separated by comma, semicolon, tab or bar; UTF-8, UTF-16 or Latin-1); never raises.

    Two rows that claim the same account, domain or name for the same time: the later one is at fault.
    """
    try:
        if path.stat().st_size > _LARGEST:
            return _none(reason("the file is larger than 20 MB"), reason("keep one row a body"))
        body = path.read_bytes()
    except OSError:
        return _none(reason("the file is not there or cannot be opened"), reason("check its name"))
    if body[:2] == b"PK" or body[:4] == b"\xd0\xcf\x11\xe0":
        return _none(reason("this is an Excel workbook"), reason("save it as CSV UTF-8"))
    text = _decode(body)
    if text is None or "\0" in text:
        return _none(reason("this is not a text"), reason("save it as CSV UTF-8"))
    return _read(text)


def _none(what: Reason, todo: Reason, line: int = 1) -> Sheet:
    return Sheet((), (RowFault(line, what, todo),))


def _decode(body: bytes) -> str | None:
    wide = body[:2] in (b"\xff\xfe", b"\xfe\xff")
    # Excel saves «CSV» in the Windows letters, which differ from Latin-1 in quotation marks and dashes.
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252", "latin-1"):
        try:
            return body.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _separator(first: str) -> str:
    """Choose the sign that gives most headings we know: names hold commas, so counting signs would not do."""

    def known(sign: str) -> int:
        cells = next(csv.reader([first], delimiter=sign), [])
        return sum(heading(cell) is not None for cell in cells)

    return max(",;\t|", key=lambda sign: (known(sign), first.count(sign)))


def _rows(text: str) -> Iterator[tuple[int, list[str]] | int]:
    """Yield each row with the line it begins on, the headings first; a line number alone where quoting is broken."""
    stream = io.StringIO(text, newline="")
    skipped = 0
    while (first := stream.readline()) and (not first.strip(" \t\r\n,;|") or first.lower().startswith("sep=")):
        skipped += 1  # empty lines, and the line by which Excel is told the separator
    stream.seek(stream.tell() - len(first))
    rows = csv.reader(stream, delimiter=_separator(first), strict=True)
    while True:
        line = skipped + rows.line_num + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield line
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _read(text: str) -> Sheet:
    rows = _rows(text)
    first = next(rows, None)
    if first is None:
        return _none(reason("the file is empty"), reason("write the headings in its first line: name, stakeholder"))
    line, headings = first if isinstance(first, tuple) else (first, [])
    fields = [heading(cell) for cell in headings]
    faults = [
        RowFault(line, reason("two columns mean «{quote}»", quote=name), reason("leave one of them out or join them"))
        for name in FIELDS
        if fields.count(name) > 1
    ]
    if "name" not in fields or not {"stakeholder", "kind"} & set(fields):
        todo = reason("name them in the first line, in es, en or pt: nombre, tipo, cuentas, dominios, desde, hasta")
        faults.append(RowFault(line, reason("a column for the name, or for who it is, is missing"), todo))
    if faults:
        return Sheet((), tuple(faults))
    day_first = any(fold(word).strip() in DAY_FIRST for word in headings)
    unread = tuple(cell.strip() for cell, field in zip(headings, fields, strict=True) if field is None and cell.strip())
    good: list[tuple[int, Entry]] = []
    for row in rows:
        if isinstance(row, int):
            todo = reason("a quotation mark is not closed, or stands inside a cell; double it")
            faults.append(RowFault(row, reason("from here on the table cannot be read"), todo))
            break
        line, cells = row
        if any(cell.strip() for cell in cells[len(fields) :]):
            todo = reason("put cells that hold the separator in quotation marks")
            faults.append(RowFault(line, reason("more cells than headings"), todo))
            continue
        told = {field: cell.strip() for field, cell in zip(fields, cells, strict=False) if field is not None}
        entry, wrong = read_row(told, day_first=day_first)
        faults += [RowFault(line, what, todo) for what, todo in wrong]
        if entry is not None:
            good.append((line, entry))
    good, more = _settle(good)
    if not good and not faults and not more:
        return _none(reason("the table holds no row"), reason("write one row a body below the headings"), line)
    return Sheet(tuple(one for _, one in good), tuple(sorted([*faults, *more], key=lambda one: one.line)), unread)


def _settle(good: Sequence[tuple[int, Entry]]) -> tuple[list[tuple[int, Entry]], list[RowFault]]:
    """Leave out rows that claim what an earlier one has, until the rest agrees."""
    rest, faults = list(good), []
    while found := clashes([entry for _, entry in rest]):
        lines = {id(entry): line for line, entry in rest}
        for one in found:
            what = reason("the successor «{quote}» has no row", quote=one.key)
            todo = reason("add a row for it, or leave the cell empty")
            if one.earlier is not None:
                earlier = one.earlier
                what = reason(_CLASHES[one.what], quote1=one.key, line=lines[id(earlier)], quote2=earlier.name)
                todo = reason("leave it in one row, or give the earlier body the day on which it ended")
            faults.append(RowFault(lines[id(one.entry)], what, todo))
        wrong = {id(one.entry) for one in found}
        rest = [(line, entry) for line, entry in rest if id(entry) not in wrong]
    return rest, faults
