"""Describe what answering needs in config.toml (templates, sign-off, people), and read files of reply templates."""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, get_args

from pydantic import Field, StringConstraints

from listener.errors import Fault
from listener.faults import did_you_mean, read_model
from listener.tables.table import Table
from listener.taxonomy import Department, Dimension, Intent, Language, Stakeholder

__all__ = ["LONGEST", "PLACEHOLDERS", "Person", "ReplyTemplate", "Signoff", "Templates", "read_templates"]

PLACEHOLDERS: Final = ("author", "brand", "case", "department")
LONGEST: Final = 4000  # characters of a template, and of a draft

_LANGUAGES: Final[tuple[str, ...]] = get_args(Language)
_TOP: Final = ("language", "reply")

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,60}$")]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=80)]
Body = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=LONGEST)]

Signoff = dict[Stakeholder, Department]


class Templates(Table):
    """Say where a team's own reply templates stand."""

    folder: str | None = Field(
        None, description="a folder with your own templates (docs/replies.md); they go before those that ship"
    )


class Person(Table):
    """Describe a colleague ([people."Ana Torres"]): a note that says @Ana Torres tells them by mail."""

    mail: str | None = Field(None, description="ana.torres@example.org; left out: named, but told nothing")
    department: Department | None = Field(None, description="where they work; who signs for it is found by this")


class ReplyTemplate(Table):
    """Hold one [[reply]]: whom it suits, and its words."""

    name: Name = Field(description="the same name and language as one that ships takes its place")
    title: Title = Field(description="what people choose it by")
    stakeholder: list[Stakeholder] = Field([], description="who speaks; empty: anybody")
    intent: list[Intent] = Field([], description="what the author wants; empty: anything")
    dimension: list[Dimension] = Field([], description="what the post is about; empty: anything")
    department: list[Department] = Field([], description="who answers; empty: anybody")
    text: Body = Field(description="the words, with {author} {brand} {case} {department}; {{ and }} are braces")


def read_templates(path: Path) -> tuple[str | None, tuple[ReplyTemplate, ...], tuple[Fault, ...]]:
    """Read one file of templates: its language, the templates that can be used, and every fault by file and place.

    The language is the key `language`, else the name of the file (es.toml). Nothing is raised: a file that cannot be
    read at all is one fault.
    """
    where = path.name
    try:
        table = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        return None, (), (Fault(where, f"cannot be read: {error.strerror or 'no such file'}"),)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return None, (), (Fault(where, f"is not valid TOML: {error}", "mend the line it names"),)
    faults = [Fault(where, f"has no '{key}'", did_you_mean(key, _TOP)) for key in table if key not in _TOP]
    language = table.get("language", path.stem)
    if language not in _LANGUAGES:
        hint = 'write language = "es" at the top, or name the file es.toml'
        faults.append(Fault(where, f"the language '{language}' is not one of es, en, pt", hint))
        language = None
    rows = table.get("reply", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return language, (), (*faults, Fault(where, "reply must be a list of tables", "write [[reply]]"))
    if not rows:
        faults.append(Fault(where, "holds no template", "write [[reply]] with name, title and text"))
    good: list[ReplyTemplate] = []
    seen = set[str]()
    for place, row in enumerate(rows, 1):
        at = f"{where}, reply {place} «{row.get('name', 'without a name')}»"
        found = list(_read(at, row, good))
        if not found and good[-1].name in seen:
            found = [Fault(at, "stands in this file twice", "give one of them another name")]
            good.pop()
        elif not found:
            seen.add(good[-1].name)
        faults += found
    return language, tuple(good), tuple(faults)


def _read(at: str, row: dict[str, Any], good: list[ReplyTemplate]) -> Iterator[Fault]:
    """Yield the faults of one template; without any it is added to the good ones."""
    template, faults = read_model(ReplyTemplate, row)
    for fault in faults:
        yield Fault(at, f"{fault.where}: {fault.what}" if fault.where != "the file" else fault.what, fault.hint)
    wrong = [] if template is None else list(_check_words(at, template.text))
    yield from wrong
    if template is not None and not faults and not wrong:
        good.append(template)


def _check_words(at: str, text: str) -> Iterator[Fault]:
    """Find a placeholder that nobody fills, one with more than its name, and a brace that stands alone."""
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        yield Fault(at, "text: a brace stands alone", "write {{ and }} for braces, {author} for a placeholder")
        return
    for _, name, layout, conversion in parts:
        if name is None:
            continue
        if name not in PLACEHOLDERS:
            bare = re.split(r"[.\[]", name)[0]
            hint = did_you_mean(name, PLACEHOLDERS) if bare not in PLACEHOLDERS else f"write {{{bare}}}"
            yield Fault(at, f"text: there is no placeholder {{{name}}}", hint)
        elif layout or conversion:
            yield Fault(at, f"text: {{{name}}} takes nothing after its name", f"write {{{name}}}")
