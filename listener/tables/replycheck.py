"""Check what answering needs: the templates of a team's own folder, who may sign, and the addresses of colleagues."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from listener.errors import Fault
from listener.fold import fold
from listener.tables.channelcheck import MAIL
from listener.tables.reply import read_templates

if TYPE_CHECKING:
    from listener.settings import Settings

__all__ = ["check_replies", "template_files"]

_LONGEST_NAME = 80  # as the pages keep who is working


def template_files(settings: Settings, folder: Path) -> tuple[Path, ...]:
    """List the files of a team's own templates, in order; a relative folder starts at that of config.toml."""
    own = settings.templates.folder
    return tuple(sorted((folder / own).glob("*.toml"))) if own else ()


def check_replies(settings: Settings, folder: Path) -> Iterator[Fault]:
    """Find faults in [templates], [signoff] and [people]."""
    own = settings.templates.folder
    if own is not None and not (folder / own).is_dir():
        yield Fault("templates", f"there is no folder '{own}'", f"looked for {folder / own}")
    stands: dict[tuple[str | None, str], str] = {}
    for path in template_files(settings, folder):
        language, templates, faults = read_templates(path)
        for fault in faults:
            yield Fault(f"templates {fault.where}", fault.what, fault.hint)
        for one in templates:
            first = stands.setdefault((language, one.name), path.name)
            if first != path.name:
                what = f"«{one.name}» stands in {first} too, in the same language"
                yield Fault(f"templates {path.name}", what, "leave one of them out")
    known: dict[str, str] = {}
    for name, person in settings.people.items():
        where = f'people."{name}"'
        if not name.strip() or len(name) > _LONGEST_NAME or "@" in name:
            yield Fault(where, "is not a name", 'write it as people sign: [people."Ana Torres"]')
        elif (other := known.setdefault(fold(name).strip(), name)) != name:
            yield Fault(where, f'reads the same as [people."{other}"]', "leave one of them out")
        if person.mail is not None and not MAIL.fullmatch(person.mail):
            yield Fault(where, f"mail '{person.mail}' is not an address", "write ana.torres@example.org")
    if "signoff" in settings.model_fields_set:
        yield from _check_signers(settings)


def _check_signers(settings: Settings) -> Iterator[Fault]:
    for stakeholder, department in settings.signoff.items():
        table = settings.departments.get(department)
        listed = table is not None and (table.people or table.lead)
        if not listed and all(person.department != department for person in settings.people.values()):
            what = f"{stakeholder}: nobody is named in {department}, so nobody could sign"
            yield Fault("signoff", what, f'add people = ["…"] to [departments.{department}]')
