"""Hold what every page is given: the configuration, the store, the reader's language and name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from listener.config import Config
from listener.database import Store
from listener.reason import label, say
from listener.settings import DepartmentTable
from listener.taxonomy import DEPARTMENTS, LANGUAGES
from stakeholders.viewer import HERE, Viewer

__all__ = ["Scene", "list_people"]


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
        from babel import localedata

        country = f"{self.lang}_{self.config.settings.instance.country.upper()}"
        return country if localedata.exists(country) else self.lang

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


def list_people(departments: Iterable[DepartmentTable]) -> list[str]:
    """Give the names of people in departments, once, in order; a lead that only repeats an area's name is none."""
    areas = {label(name, lang).casefold() for name in DEPARTMENTS for lang in LANGUAGES}
    known = (name for table in departments for name in (*table.people, table.lead) if name)
    return [name for name in dict.fromkeys(known) if name.casefold() not in areas]
