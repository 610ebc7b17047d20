"""Read the grid of departments (CSV or TOML): one row a line of the matrix, and every fault with its line.

A row says for whom it stands (stakeholder, dimension, intent, sentiment, priority; `*` or nothing: any; `a|b`: either)
and what it gives (department, copies, becomes). The first row that fits wins; docs/routing.md has the columns.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from listener.errors import Fault
from listener.faults import did_you_mean
from listener.taxonomy import (
    DEPARTMENTS,
    DIMENSIONS,
    INTENTS,
    PRIORITIES,
    SENTIMENTS,
    STAKEHOLDERS,
    Department,
    Priority,
)

__all__ = ["ASKED", "GIVEN", "GridRow", "bits", "read_grid"]

ASKED: Mapping[str, tuple[str, ...]] = {  # the columns that a row asks for, and what may stand in each
    "stakeholder": STAKEHOLDERS,
    "dimension": DIMENSIONS,
    "intent": INTENTS,
    "sentiment": SENTIMENTS,
    "priority": PRIORITIES,
}
GIVEN: Mapping[str, tuple[str, ...]] = {"department": DEPARTMENTS, "copies": DEPARTMENTS, "becomes": PRIORITIES}
_ANY = ("", "*")
_LARGEST = 2_000_000  # bytes: ten thousand rows and more


@dataclass(frozen=True, slots=True)
class GridRow:
    """Hold one row: the line it stands in, what it asks for (a column left out: anything), and what it gives."""

    line: int
    asks: Mapping[str, frozenset[str]]
    department: Department | None  # None: whom the taxonomy names
    copies: tuple[Department, ...] = ()
    becomes: Priority | None = None  # None: what the taxonomy gives


def read_grid(path: Path) -> tuple[tuple[GridRow, ...], tuple[Fault, ...]]:
    """Give the rows of a grid in their order and every fault in it; never raises. Faults name the file and the line.

    A row that is never reached, since the rows before it take all that it asks for, is a fault.
    """
    faults: list[Fault] = []
    rows: list[GridRow] = []
    try:
        if path.stat().st_size > _LARGEST:
            return (), (Fault(path.name, "is larger than 2 MB", "keep one row a line of the matrix"),)
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return (), (Fault(path.name, "is not UTF-8", "save the file with this encoding"),)
    except OSError:
        hint = "the path starts at the folder of config.toml; escucha routes grid --write makes one"
        return (), (Fault(path.name, "is not there or cannot be opened", hint),)
    lines = _tables(text, path.name, faults) if path.suffix.casefold() == ".toml" else _cells(text, path.name, faults)
    for line, cells in lines:
        row = _row(path.name, line, cells, faults)
        if row is not None:
            rows.append(row)
    if not rows and not faults:
        faults.append(Fault(path.name, "holds no row", "leave [routing] grid out, or write one"))
    faults.extend(_unreached(path.name, rows))
    return tuple(rows), tuple(faults)


def _cells(text: str, name: str, faults: list[Fault]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each line of a CSV table by its headings; Excel in Spanish parts the cells with semicolons."""
    lines = text.splitlines()
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(lines, delimiter=delimiter)
    headings: list[str] | None = None
    try:
        for cells in rows:
            if not any(cell.strip() for cell in cells) or cells[0].lstrip().startswith("#"):
                continue
            if headings is None:
                headings = [cell.strip().casefold() for cell in cells]
                faults.extend(_check_headings(name, rows.line_num, headings))
            elif len(cells) > len(headings):
                faults.append(Fault(f"{name} line {rows.line_num}", "has more cells than headings", "mend the row"))
            else:
                yield rows.line_num, dict(zip(headings, cells, strict=False))
    except csv.Error as error:
        faults.append(Fault(f"{name} line {rows.line_num}", f"is no row of a table: {error}", "mend the row"))


def _check_headings(name: str, line: int, headings: Sequence[str]) -> Iterator[Fault]:
    known = (*ASKED, *GIVEN)
    where = f"{name} line {line}"
    for heading in headings:
        if heading and heading not in known:
            yield Fault(where, f"there is no column '{heading}'", did_you_mean(heading, known))
    for heading in sorted({one for one in headings if one and headings.count(one) > 1}):
        yield Fault(where, f"the column '{heading}' stands twice", "leave one of them out")
    if "department" not in headings:
        yield Fault(where, "no column is named department", f"the first line holds {','.join(known)}")


def _tables(text: str, name: str, faults: list[Fault]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each [[rows]] table of a TOML file; its number stands in for the line, which tomllib does not tell."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        faults.append(Fault(name, f"is not valid TOML: {error}", "mend the line it names"))
        return
    rows = table.get("rows")
    if not isinstance(rows, list) or set(table) != {"rows"}:
        faults.append(Fault(name, "holds more or else than [[rows]]", "write one [[rows]] table a row"))
        return
    known = (*ASKED, *GIVEN)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, Mapping):
            faults.append(Fault(f"{name} line {number}", "is no table", "write one [[rows]] table a row"))
            continue
        wrong = [key for key in row if key not in known]
        faults.extend(Fault(f"{name} line {number}", f"has no '{key}'", did_you_mean(key, known)) for key in wrong)
        yield number, {key: "|".join(map(str, cell)) if isinstance(cell, list) else cell for key, cell in row.items()}


def _row(name: str, line: int, cells: Mapping[str, Any], faults: list[Fault]) -> GridRow | None:
    """Read one row; None when anything in it is at fault."""
    before = len(faults)
    where = f"{name} line {line}"
    asks = {
        column: frozenset(values)
        for column, known in ASKED.items()
        if (values := _values(where, column, cells.get(column), known, faults))
    }
    given = {column: _values(where, column, cells.get(column), known, faults) for column, known in GIVEN.items()}
    hint = "exactly one answers; the others are copies"
    several = [column for column in ("department", "becomes") if len(given[column]) > 1]
    faults.extend(Fault(where, f"{column} names more than one", hint) for column in several)
    if len(faults) > before:
        return None
    department, becomes = next(iter(given["department"]), None), next(iter(given["becomes"]), None)
    return GridRow(line, asks, department, given["copies"], becomes)  # type: ignore[arg-type]  # checked above


def _values(where: str, column: str, cell: Any, known: tuple[str, ...], faults: list[Fault]) -> tuple[str, ...]:
    """Read the values of a cell, parted by `|`; none when it says anything."""
    text = "" if cell is None else str(cell).strip()
    if text in _ANY:
        return ()
    values = tuple(dict.fromkeys(part.strip() for part in text.split("|")))
    unknown = [value for value in values if value not in known]
    faults.extend(Fault(where, f"{column}: '{value}' is not known", did_you_mean(value, known)) for value in unknown)
    return tuple(value for value in values if value in known)


def _unreached(name: str, rows: Sequence[GridRow]) -> Iterator[Fault]:
    """Find rows for which the rows before them leave no case; every case is one bit of a number."""
    taken = 0
    masks: list[tuple[int, int]] = []
    for row in rows:
        mask = bits(row.asks)
        if mask & ~taken == 0:
            alone = next((line for line, other in masks if mask & ~other == 0), None)
            who = f"line {alone} takes" if alone is not None else "the lines before it take"
            what = f"is never reached: {who} all of it"
            yield Fault(f"{name} line {row.line}", what, "move it up or narrow the others")
        taken |= mask
        masks.append((row.line, mask))


def bits(asks: Mapping[str, frozenset[str]]) -> int:
    """Give the cases that fit as a number with one bit for each combination of the labels of the columns."""
    whole, size = 1, 1  # the mask so far stands for all combinations of the columns read so far
    for column, known in ASKED.items():
        chosen = asks.get(column)
        part = 0
        for place, value in enumerate(known):
            if chosen is None or value in chosen:
                part |= whole << (place * size)
        whole, size = part, size * len(known)
    return whole
