"""Find the colleagues whom a note names with @, keep the note, and queue a mail for each who has an address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from listener.fold import fold
from listener.labels import LABELS
from listener.reason import N_, label, reason
from listener.settings import Settings
from listener.store import clean
from listener.taxonomy import DEPARTMENTS, LANGUAGES, Department
from stakeholders.casework.step import NotPossible, lock, record

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["Colleague", "Noted", "colleagues", "mentioned_in", "tell", "write_note"]

# An @ that does not stand in a mail address: nothing, or no letter, digit, dot or dash, before it.
_AT = re.compile(r"(?<![\w.+\-@/])@(?=\w)")
_MOST = 20  # colleagues that one note tells; more is a mistake, not a message


@dataclass(frozen=True, slots=True)
class Colleague:
    """Hold a colleague that a note can name; without a mail address they are named and told nothing."""

    name: str
    mail: str | None = None
    department: Department | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """Hold what a note did: its event, who was told by mail, and who was named but has no address."""

    event_id: int
    told: tuple[Colleague, ...] = ()
    unreached: tuple[Colleague, ...] = ()


def colleagues(settings: Settings) -> tuple[Colleague, ...]:
    """List everybody that config.toml names, once: [people], then the people and leads of departments.

    A lead that only repeats the name of its area is nobody.
    """
    areas = {fold(label(name, lang)).strip() for name in DEPARTMENTS for lang in LANGUAGES}
    areas |= {fold(LABELS[name]).strip() for name in DEPARTMENTS}
    placed: dict[str, Department] = {}
    named: dict[str, str] = {}
    for department, table in settings.departments.items():
        for name in (*table.people, *([table.lead] if table.lead else ())):
            key = fold(name).strip()
            if key and key not in areas:
                placed.setdefault(key, department)
                named.setdefault(key, name.strip())
    found = []
    for name, person in settings.people.items():
        key = fold(name).strip()
        named.pop(key, None)
        found.append(Colleague(name.strip(), person.mail, person.department or placed.get(key)))
    return (*found, *(Colleague(name, None, placed[key]) for key, name in named.items()))


def mentioned_in(text: str, settings: Settings) -> tuple[Colleague, ...]:
    """Find whom a text names with @, in order and once; case and accents do not matter.

    "@Ana Torres", "@ana.torres", "@ana_torres", "@AnaTorres", or "@Ana" where only one colleague is called so; the
    longest way wins, and what stands in a mail address names nobody.
    """
    spelled = _spellings(settings)
    longest = max(map(len, spelled), default=0)
    found: dict[str, Colleague] = {}
    for place in _AT.finditer(text):
        after = " ".join(fold(text[place.end() : place.end() + 2 * longest + 8]).split(" "))
        for length in range(min(longest, len(after)), 0, -1):
            one = spelled.get(after[:length])
            if one is not None and not (after[length : length + 1].isalnum() or after[length : length + 1] == "_"):
                found.setdefault(one.name, one)
                break
    return tuple(found.values())[:_MOST]


def _spellings(settings: Settings) -> dict[str, Colleague]:
    """Give every folded way to write a colleague; one that two share names neither."""
    spelled: dict[str, Colleague | None] = {}
    for one in colleagues(settings):
        for way in _ways(one):
            spelled[way] = one if spelled.get(way, one) is one else None
    return {way: one for way, one in spelled.items() if one is not None}


def _ways(one: Colleague) -> Iterator[str]:
    parts = fold(one.name).split()
    if parts:
        yield from dict.fromkeys((" ".join(parts), "".join(parts), ".".join(parts), "_".join(parts), parts[0]))


def write_note(connection: Connection, config: Config, case_id: int, who: str, now: datetime, text: str) -> Noted:
    """Write a note into a case's history and queue a mail for each colleague it names, in one transaction.

    Nobody is told of a note of their own. Raises NotPossible for an empty note or a case that is not there. The mail is
    a row of the outbox of kind "mention", its key stable for the note and the person (stakeholders.alerts).
    """
    lock(connection, case_id, None, now)
    words = (clean(text) or "").strip()
    if not words:
        raise NotPossible(reason(N_("An empty note says nothing: write a few words")))
    named = [one for one in mentioned_in(words, config.settings) if fold(one.name) != fold(who)]
    after: dict[str, object] = {"note": words} | ({"named": [one.name for one in named]} if named else {})
    event_id = record(connection, case_id, now, who, "note", after=after)
    tell(connection, config, case_id, named, who, event_id, now)
    return Noted(event_id, tuple(one for one in named if one.mail), tuple(one for one in named if not one.mail))


def tell(
    connection: Connection,
    config: Config,
    case_id: int,
    named: list[Colleague],
    who: str,
    event_id: int,
    now: datetime,
) -> None:
    """Queue a mail for each colleague that has an address."""
    from stakeholders.alerts import queue_mention

    for one in named:
        if one.mail:
            queue_mention(connection, config, case_id, one.name, one.mail, who, event_id, now)
