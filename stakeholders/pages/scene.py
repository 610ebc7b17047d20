"""Hold what every page is given: the configuration, the store, the reader's language and name."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection

from listener.config import Config
from listener.database import Store
from listener.reason import label, say
from listener.settings import DepartmentTable
from listener.taxonomy import DEPARTMENTS, LANGUAGES
from stakeholders.pages.memory import AGE, Memory
from stakeholders.viewer import HERE, Viewer

__all__ = ["Scene", "list_people"]

T = TypeVar("T")
_MEMORY = Memory()


@dataclass(frozen=True, slots=True)
class Scene:
    """Carry what a page needs; nothing in it belongs to one page."""

    config: Config
    store: Store
    lang: str
    who: str
    viewer: Viewer = HERE

    @property
    def now(self) -> datetime:
        """Read the clock: pages are where the outside enters, everything below is told the time."""
        return datetime.now(UTC)

    def t(self, sentence: str, **facts: Any) -> str:
        """Word a sentence of ours in the reader's language; facts must not be strangers' text."""
        return say(sentence, self.lang, **facts)

    @property
    def locale(self) -> str:
        """Give the locale of numbers and dates: the language as the country writes it, where that is known."""
        return _locale(self.lang, self.config.settings.instance.country.upper())

    def keep(self, question: Hashable, ask: Callable[[Connection], T], age: float = AGE) -> T:
        """Read something of the database, or give what was read of it before, for as long as nothing in it changed.

        `question` names what is asked with all that the answer depends on, but the database, what this reader may see
        of it, and the clock: what changes by the clock alone is at most `age` seconds old. The answer is shared.
        """
        guard = self.store.engine.get_execution_options().get("guard")
        sight = getattr(guard, "__self__", guard)  # the Scope of departments, None for who sees all

        def read() -> T:
            with self.store.read() as connection:
                return ask(connection)

        return _MEMORY.keep(self.store.url, self.store.stamp(), (sight, question), read, age)

    def query(self, more: Mapping[str, object] | None = None) -> dict[str, object]:
        """Give the query of a link: its own values, and the language where it is not the instance's."""
        own = dict(more or {})
        if self.lang != self.config.language:
            own["lang"] = self.lang
        return own

    def brand(self, key: str) -> str:
        """Give the name of a brand by its key."""
        return next((brand.name for brand in self.config.brands if brand.key == key), key)

    def source(self, key: str) -> str:
        """Give the name of a source for people: those of the demo without their prefix."""
        return key.removeprefix("demo-")


@lru_cache(maxsize=64)
def _locale(lang: str, country: str) -> str:
    from babel import localedata

    return f"{lang}_{country}" if localedata.exists(f"{lang}_{country}") else lang


def list_people(departments: Iterable[DepartmentTable]) -> list[str]:
    """Give the names of people in departments, once, in order; a lead that only repeats an area's name is none."""
    areas = {label(name, lang).casefold() for name in DEPARTMENTS for lang in LANGUAGES}
    known = (name for table in departments for name in (*table.people, table.lead) if name)
    return [name for name in dict.fromkeys(known) if name.casefold() not in areas]
