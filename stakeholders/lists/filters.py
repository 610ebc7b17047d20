"""Hold what a reader of the inbox wants to see; it travels in the address of the page, so that a view is a link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from listener.taxonomy import DEPARTMENTS, PRIORITIES, SENTIMENTS, STAKEHOLDERS, STATUSES

__all__ = ["LONGEST_SEARCH", "NOBODY", "Filters"]

NOBODY = "-"  # Filters.owner: cases that nobody took
LONGEST_SEARCH = 500  # characters of a query in an address
_VIEWS = ("open", "all", *STATUSES)
_KNOWN: Mapping[str, tuple[str, ...]] = {
    "department": DEPARTMENTS,
    "priority": PRIORITIES,
    "stakeholder": STAKEHOLDERS,
    "sentiment": SENTIMENTS,
}


@dataclass(frozen=True, slots=True)
class Filters:
    """Hold what the reader wants to see; an empty tuple means any, several values mean any of them."""

    department: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    stakeholder: tuple[str, ...] = ()
    sentiment: tuple[str, ...] = ()  # of the post that opened the case
    source: tuple[str, ...] = ()  # of the post that opened the case
    brand: tuple[str, ...] = ()
    status: str = "open"  # open (new or acknowledged), all, or one status: snoozed, dismissed, …
    owner: str | None = None  # NOBODY: cases that nobody took
    overdue: bool = False
    unsure: bool = False  # only those whose sentiment the judge is unsure of
    q: str = ""  # the query language: cases with a post that fits; one that cannot be read leaves nothing out
    zone: str = field(default="UTC", compare=False)  # whose days since: and until: mean; stands in no address

    def to_query(self) -> dict[str, list[str]]:
        """Give the parameters of the page's address; what is not filtered is left out."""
        query: dict[str, list[str]] = {}
        for one in fields(self):
            value = getattr(self, one.name)
            if value == one.default or one.name == "zone":
                continue
            query[one.name] = ["1"] if value is True else [value] if isinstance(value, str) else list(value)
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, str | Sequence[str]], zone: str = "UTC") -> Filters:
        """Read filters from an address; what a stranger or an older link wrote and nobody knows is left out."""
        told: dict[str, Any] = {"zone": zone}
        for one in fields(cls):
            if one.name == "zone":
                continue
            given = query.get(one.name, ())
            values = tuple(dict.fromkeys([given] if isinstance(given, str) else given))
            if one.name in ("overdue", "unsure"):
                told[one.name] = values[:1] == ("1",)
            elif one.name == "status":
                told["status"] = values[0] if values and values[0] in _VIEWS else "open"
            elif one.name == "q":
                told["q"] = " ".join(values[0].replace("\x00", "").split())[:LONGEST_SEARCH] if values else ""
            elif one.name == "owner":
                told["owner"] = values[0] if values and values[0] else None
            else:
                known = _KNOWN.get(one.name)
                told[one.name] = tuple(value for value in values if value and (known is None or value in known))
        return cls(**told)
