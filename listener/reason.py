"""Say things to people in their language: reasons travel as a sentence with facts and are worded when shown.

Sentences stand in the code in English, marked by `reason()` or `N_()`, and are translated by the gettext catalogues
in listener/locale (GNU gettext manual, https://www.gnu.org/software/gettext/manual/). Facts are names, numbers and
quotes; a fact that is itself a label key ("customer_care") is worded too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["CATALOGUES", "N_", "Reason", "from_json", "label", "reason", "say", "to_json", "words"]

CATALOGUES = Path(__file__).parent / "locale"


def N_(sentence: str) -> str:
    """Mark a sentence for the catalogues without translating it yet."""
    return sentence


@dataclass(frozen=True, slots=True)
class Reason:
    """Hold one reason: an English sentence with {facts}, and the facts."""

    sentence: str
    facts: Mapping[str, str | int | float] = field(default_factory=dict)

    def say(self, lang: str) -> str:
        """Word the reason in a language."""
        return say(self.sentence, lang, **self.facts)


def reason(sentence: str, **facts: str | int | float) -> Reason:
    """Make a reason; the sentence is picked up by the catalogue extractor."""
    return Reason(sentence, facts)


@lru_cache(maxsize=8)
def words(lang: str) -> Mapping[str, str]:
    """Read the catalogue of a language: sentence → translation (empty for English, the language of the code)."""
    path = CATALOGUES / f"{lang}.po"
    if lang == "en" or not path.exists():
        return {}
    from babel.messages.pofile import read_po

    with path.open("rb") as lines:
        catalogue = read_po(lines, locale=lang)
    return {str(entry.id): str(entry.string) for entry in catalogue if entry.id and entry.string}


def say(sentence: str, lang: str, **facts: Any) -> str:
    """Translate a sentence and fill in its facts; facts that are catalogue keys themselves are translated too."""
    known = words(lang)
    if not facts:
        return known.get(sentence, sentence)
    filled = {
        name: label(fact, lang) if isinstance(fact, str) and not name.startswith("quote") else fact
        for name, fact in facts.items()
    }
    return known.get(sentence, sentence).format(**filled)


def label(key: str, lang: str) -> str:
    """Word a label key of the taxonomy ("customer_care" → «Atención al cliente»); anything else comes back as it is."""
    from listener.labels import LABELS

    sentence = LABELS.get(key)
    return words(lang).get(sentence, sentence) if sentence is not None else key


def to_json(reasons: Iterable[Reason]) -> list[dict[str, Any]]:
    """Turn reasons into plain JSON for a table or a file."""
    return [{"sentence": one.sentence, "facts": dict(one.facts)} for one in reasons]


def from_json(rows: Iterable[Mapping[str, Any]]) -> tuple[Reason, ...]:
    """Read reasons back from plain JSON."""
    return tuple(Reason(row["sentence"], row.get("facts", {})) for row in rows)
