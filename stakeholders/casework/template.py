"""Choose and fill the reply template that suits a case: a team's own first, then ours, the closest fit first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from listener.reason import label
from listener.tables.reply import ReplyTemplate, read_templates
from listener.tables.replycheck import template_files
from listener.taxonomy import LANGUAGES, Department, Dimension, Intent, Language, Stakeholder

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["Template", "blanks", "fill", "find", "load", "suggest"]

HERE = Path(__file__).parents[1] / "templates" / "replies"

# A name that nobody told goes with the comma or blank before it: «Hola, {author}.» is then «Hola.»
_NOBODY = re.compile(r",?[ \t]*\{author\}")
_PLACE = re.compile(r"\{(author|brand|case|department)\}|\{\{|\}\}")
_BLANK = re.compile(r"\[[^\[\]\n]{3,300}\]")


@dataclass(frozen=True, slots=True)
class Template:
    """Hold a template with its language, and whether it is the team's own."""

    lang: Language
    reply: ReplyTemplate
    own: bool = False

    @property
    def key(self) -> str:
        """Give the stable name that a draft keeps: "es/customer_complaint"."""
        return f"{self.lang}/{self.reply.name}"


def load(config: Config) -> tuple[Template, ...]:
    """Read the templates of an instance: its own, then those that ship and that none of its own replaces.

    A file of its own that was broken after config.toml was read gives what can be read; `escucha check` names it.
    """
    files = template_files(config.settings, config.folder)
    stamps = tuple((path, path.stat().st_mtime_ns) for path in files if path.is_file())
    return _load(stamps)


@lru_cache(maxsize=8)
def _load(files: tuple[tuple[Path, int], ...]) -> tuple[Template, ...]:
    own = [*_read((path for path, _ in files), own=True)]
    taken = {one.key for one in own}
    ours = _read((HERE / f"{lang}.toml" for lang in LANGUAGES), own=False)
    return (*own, *(one for one in ours if one.key not in taken))


def _read(paths: Iterable[Path], *, own: bool) -> Iterator[Template]:
    for path in paths:
        found, replies, _ = read_templates(path)
        for lang in LANGUAGES:
            if lang == found:
                yield from (Template(lang, reply, own) for reply in replies)


def suggest(
    templates: Sequence[Template],
    lang: str,
    stakeholder: Stakeholder | str,
    intent: Intent | str | None = None,
    dimension: Dimension | str | None = None,
    department: Department | str | None = None,
) -> tuple[Template, ...]:
    """List the templates of a language that fit, best first: the team's own, then those that ask for more.

    Who answers says most, then what the author wants, then what it is about, then who speaks.
    """
    fitting = []
    for place, one in enumerate(templates):
        asked = (
            (one.reply.department, department, 8),
            (one.reply.intent, intent, 4),
            (one.reply.dimension, dimension, 2),
            (one.reply.stakeholder, stakeholder, 1),
        )
        if one.lang == lang and all(not wanted or given in wanted for wanted, given, _ in asked):
            close = sum(weight for wanted, _, weight in asked if wanted)
            fitting.append((not one.own, -close, place, one))
    return tuple(one for *_, one in sorted(fitting, key=lambda row: row[:3]))


def find(templates: Iterable[Template], key: str) -> Template | None:
    """Find a template by its key; None when it is gone."""
    return next((one for one in templates if one.key == key), None)


def fill(template: Template, author: str | None, brand: str, case_id: int, department: str) -> str:
    """Fill a template's placeholders, each once; what a stranger calls themselves is never read as a placeholder."""
    facts = {
        # without signs that nobody sees: they could turn the direction of what a person copies
        "author": "".join(sign for sign in " ".join((author or "").split()) if sign.isprintable())[:80].strip(),
        "brand": brand,
        "case": str(case_id),
        "department": label(department, template.lang),
    }
    text = template.reply.text if facts["author"] else _NOBODY.sub("", template.reply.text)
    return _PLACE.sub(lambda found: facts[found[1]] if found[1] else found[0][0], text)


def blanks(text: str) -> tuple[str, ...]:
    """List what a person still has to fill in: everything in square brackets."""
    return tuple(_BLANK.findall(text))
