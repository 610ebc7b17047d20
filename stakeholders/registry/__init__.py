"""Know the public bodies of a country: dated entries found by account, by address and by exact name, in constant time.

The entries stand in one TOML file a country beside this module; a team adds its own file of the same form
(docs/registry.md). An entry answers only for posts of its own time: the IFT in 2024, the CRT in 2026.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from listener.errors import ConfigError, Fault
from listener.match import fold
from listener.taxonomy import Stakeholder

__all__ = ["COUNTRIES", "STATE_SUFFIXES", "Clash", "Entry", "Match", "Registry", "clashes", "load", "read_entries"]

HERE = Path(__file__).parent
_TOP = frozenset({"country", "entry"})
COUNTRIES: tuple[str, ...] = ("AR", "BR", "CL", "CO", "ES", "GB", "MX", "PE", "US")

Handle = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.\-]{2,60}$")]
Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9\-]+(\.[a-z0-9\-]+)+(/[a-z0-9_\-]+)?$", max_length=200)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=200)]
EntryKind = Literal[
    "authority", "bank", "business body", "central bank", "company", "consumer body", "court", "dealer", "exchange",
    "journalist", "legislator", "legislature", "media", "ministry", "municipality", "ngo", "ombudsman", "operator",
    "police", "rating agency", "regulator", "supplier", "union", "university", "utility",
]  # fmt: skip

_By = Literal["handle", "domain", "name"]

# Addresses that only states hand out; the entry of the body itself, where there is one, is found first. American states
# stand under state.XX.us, too (RFC 1480).
_STATES = (
    "al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa "
    "ri sc sd tn tx ut vt va wa wv wi wy"
)
STATE_SUFFIXES = frozenset(
    {
        *("gob.pe", "gob.mx", "gob.cl", "gov.cl", "gob.ar", "gov.ar", "gov.co", "gob.ec", "gob.bo", "gub.uy", "gov.py"),
        *("gob.gt", "gob.sv", "gob.hn", "gob.ni", "gob.ve", "go.cr", "gob.pa", "gob.do", "gob.es", "mil.pe", "mil.mx"),
        *("mil.co", "mil.ar", "mil.cl", "gov.br", "jus.br", "leg.br", "mp.br", "def.br", "tc.br", "mil.br", "gov.pt"),
        *("gov.uk", "parliament.uk", "police.uk", "judiciary.uk", "nhs.uk", "mod.uk", "gov.scot", "gov.wales"),
        *("gov", "mil", "fed.us", "europa.eu", "gc.ca", *(f"state.{state}.us" for state in _STATES.split())),
    }
)
UNIVERSITY_SUFFIXES = frozenset(
    {"edu", "edu.pe", "edu.mx", "edu.co", "edu.ar", "edu.ec", "edu.bo", "edu.uy", "edu.br", "edu.py", "ac.uk", "ac.cr"}
)


class Entry(BaseModel):
    """Hold one body: what it is, how it signs, where it publishes, and from when to when this holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Text
    stakeholder: Stakeholder
    kind: EntryKind
    handles: tuple[Handle, ...] = ()
    domains: tuple[Domain, ...] = ()
    aliases: tuple[Text, ...] = ()
    outlet: bool = False
    since: date
    since_precision: Literal["day", "month", "year"] = "day"
    until: date | None = None  # the first day on which it no longer holds
    successor: Text | None = None

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise ValueError("until must be later than since")
        if self.since_precision != "day" and self.since.day != 1:
            raise ValueError("a month or year stands with day 1")
        if self.since_precision == "year" and self.since.month != 1:
            raise ValueError("a year stands with month 1")
        if self.outlet and self.stakeholder != "press":
            raise ValueError("only press is an outlet")
        if self.successor is not None and self.until is None:
            raise ValueError("a successor needs an until")
        return self

    def holds(self, day: date) -> bool:
        """Tell whether the entry holds on a day."""
        return self.since <= day and (self.until is None or day < self.until)

    def began(self) -> str:
        """Word the beginning no more exactly than it is known: 1991, 1992-11 or 1991-07-11."""
        return self.since.isoformat()[: {"day": 10, "month": 7, "year": 4}[self.since_precision]]


@dataclass(frozen=True, slots=True)
class Match:
    """Hold what the registry answers: who it is, and by what it was found."""

    name: str
    stakeholder: Stakeholder
    by: Literal["handle", "domain", "name", "suffix"]
    found: str
    kind: str
    country: str | None = None
    since: str | None = None
    outlet: bool = False
    handles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Clash:
    """Hold what two entries claim for the same time, or a successor that has no entry (`earlier` is None)."""

    entry: Entry
    earlier: Entry | None
    what: Literal["handle", "domain", "name", "successor"]
    key: str


@dataclass(frozen=True, slots=True)
class _Held:
    entry: Entry
    country: str
    level: int  # 0 for the team's own files, which go first, 1 for ours


def _key(text: str) -> str:
    """Fold a name for comparison: no case, no accents, no invisible marks, single blanks."""
    return " ".join(fold(text[:400]).split())


class Registry:
    """Find bodies by account, address or exact name, at the time of a post."""

    def __init__(self, held: Iterable[tuple[Entry, str, int]] = ()) -> None:
        self._handles: dict[str, list[_Held]] = {}
        self._domains: dict[str, list[_Held]] = {}
        self._names: dict[str, list[_Held]] = {}
        rows = tuple(held)
        self.entries = tuple(entry for entry, _, _ in rows)
        for entry, country, level in rows:
            one = _Held(entry, country, level)
            for handle in entry.handles:
                self._handles.setdefault(_key(handle), []).append(one)
            for domain in entry.domains:
                self._domains.setdefault(domain, []).append(one)
            for name in {_key(name) for name in (entry.name, *entry.aliases)}:
                self._names.setdefault(name, []).append(one)

    def find(
        self,
        *,
        handle: str | None = None,
        domain: str | None = None,
        url: str | None = None,
        name: str | None = None,
        at: datetime,
        country: str | None = None,
    ) -> Match | None:
        """Find who an account is: by its handle, then its address, then its exact name; None when nobody known.

        `at` is the aware time of the post; `country` (ISO 3166) decides between two bodies of the same name. An
        address under a state's own suffix (gob.pe, gov.br) gives `by="suffix"` when no entry answers at all.
        """
        day = at.astimezone(UTC).date()
        keys = (*_address_keys(domain), *_address_keys(url))
        for by, found, held in self._held(handle, keys, name):
            if one := _best(held, day, country):
                return _match(one, by, found)
        for key in keys:
            if key in STATE_SUFFIXES:
                return Match(key, "government", "suffix", key, "authority")
            if key in UNIVERSITY_SUFFIXES:
                return Match(key, "civil_society", "suffix", key, "university")
        return None

    def history(
        self, *, handle: str | None = None, domain: str | None = None, name: str | None = None
    ) -> tuple[tuple[Entry, str], ...]:
        """Give every entry, with its country, that ever answered to an account, an address or a name, the oldest first.

        An address gives what stands under its longest known part; nothing is said about who answers today.
        """
        held = next((held for _, _, held in self._held(handle, tuple(_address_keys(domain)), name) if held), ())
        return tuple((one.entry, one.country) for one in sorted(held, key=lambda one: one.entry.since))

    def _held(
        self, handle: str | None, keys: Sequence[str], name: str | None
    ) -> Iterable[tuple[_By, str, list[_Held]]]:
        """Look under the account, then each part of the address, then the name."""
        if handle:
            bare = handle.removeprefix("@")
            yield "handle", bare, self._handles.get(_key(bare), [])
        for key in keys:
            yield "domain", key, self._domains.get(key, [])
        if name:
            yield "name", name.strip()[:120], self._names.get(_key(name), [])


def _best(found: Sequence[_Held], day: date, country: str | None) -> _Held | None:
    holding = [one for one in found if one.entry.holds(day)]
    return min(holding, key=lambda one: (one.level, one.country != country), default=None)


def _match(one: _Held, by: _By, found: str) -> Match:
    entry = one.entry
    return Match(
        entry.name, entry.stakeholder, by, found, entry.kind, one.country, entry.began(), entry.outlet, entry.handles
    )


def _address_keys(address: str | None) -> Iterable[str]:
    """Give the keys an address may stand under, longest first: host/first folder, then the host and its parents."""
    if not address or len(address) > 2048:
        return
    try:
        parts = urlsplit(address.strip() if "//" in address else "//" + address.strip())
        host = (parts.hostname or "").rstrip(".").removeprefix("www.")
    except ValueError:  # "http://[": an address that is none
        return
    if not re.fullmatch(r"[a-z0-9\-]+(\.[a-z0-9\-]+)+", host):
        return
    if folder := parts.path.strip("/").split("/")[0].casefold():
        yield f"{host}/{folder}"
    labels = host.split(".")
    for first in range(len(labels)):
        yield ".".join(labels[first:])


def read_entries(path: Path) -> tuple[str, tuple[Entry, ...]]:
    """Read one registry file: its country and entries; raise a ConfigError with every fault, by file and entry."""
    try:
        with path.open("rb") as lines:
            table = tomllib.load(lines)
    except FileNotFoundError:
        raise ConfigError([Fault(path.name, "there is no such registry file", f"looked for {path}")]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError([Fault(path.name, f"not readable as TOML: {error}")]) from error
    faults = [Fault(path.name, f"unknown key «{key}»", "known: country, entry") for key in table.keys() - _TOP]
    country, rows = table.get("country"), table.get("entry", [])
    if not isinstance(country, str) or not re.fullmatch(r"[A-Z]{2}", country):
        faults.append(Fault(path.name, "country is missing or not two capital letters", 'write country = "PE"'))
    if not isinstance(rows, list):
        faults.append(Fault(path.name, "entry must be a list of tables", "write [[entry]]"))
        rows = []
    entries: list[Entry] = []
    for number, row in enumerate(rows, 1):
        label = row.get("name", "without a name") if isinstance(row, dict) else "not a table"
        where = f"{path.name}, entry {number} «{label}»"
        try:
            entries.append(Entry.model_validate(row))
        except ValidationError as error:
            faults += [
                Fault(where, f"{'.'.join(map(str, one['loc'])) or 'entry'}: {one['msg']}") for one in error.errors()
            ]
    for one in clashes(entries):
        what = f"successor «{one.key}» has no entry"
        if one.earlier is not None:
            what = f"{one.what} «{one.key}» already stands at «{one.earlier.name}»"
        faults.append(Fault(f"{path.name}, «{one.entry.name}»", what))
    if faults:
        raise ConfigError(faults)
    return str(country), tuple(entries)


def clashes(entries: Sequence[Entry]) -> tuple[Clash, ...]:
    """Name every account, address or name that two entries claim for the same time, and successors without an entry."""
    claimed: dict[tuple[str, str], list[Entry]] = {}
    names = {entry.name for entry in entries}
    found = [
        Clash(one, None, "successor", one.successor)
        for one in entries
        if one.successor is not None and one.successor not in names
    ]
    for entry in entries:
        handles, domains = dict.fromkeys(map(_key, entry.handles)), dict.fromkeys(entry.domains)
        named = dict.fromkeys(_key(name) for name in (entry.name, *entry.aliases))
        every: tuple[tuple[_By, Iterable[str]], ...] = (("handle", handles), ("domain", domains), ("name", named))
        for what, key in ((what, key) for what, keys in every for key in keys):
            found += [
                Clash(entry, other, what, key)
                for other in claimed.setdefault((what, key), [])
                if entry.since < (other.until or date.max) and other.since < (entry.until or date.max)
            ]
            claimed[what, key].append(entry)
    return tuple(found)


@lru_cache(maxsize=16)
def _load(countries: tuple[str, ...], extra: tuple[Path, ...]) -> Registry:
    held: list[tuple[Entry, str, int]] = []
    faults: list[Fault] = []
    files = [(path, 0) for path in extra] + [(HERE / f"{country.lower()}.toml", 1) for country in countries]
    for path, level in files:
        try:
            country, entries = read_entries(path)
            held += [(entry, country, level) for entry in entries]
        except ConfigError as error:
            faults += error.faults
    if faults:
        raise ConfigError(faults)
    return Registry(held)


def load(countries: Iterable[str] = COUNTRIES, extra_files: Iterable[Path | str] = ()) -> Registry:
    """Load the registry of some countries and a team's own files; files are read once in a process.

    A country without a registry is left out (its posts still meet the profile rules); a team's entry goes before
    ours. Raises ConfigError with every fault of every file.
    """
    known = tuple(sorted({country.upper() for country in countries} & set(COUNTRIES)))
    return _load(known, tuple(Path(path) for path in extra_files))
