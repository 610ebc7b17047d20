"""Look after cases: hold their histories to their seals, and write one case as a file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.cli.instance import CONFIG, JSON
from listener.cli.output import Fatal, emit, open_config, speak, terminal_language, translate
from listener.reason import N_

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from stakeholders.casework.seal import Broken

__all__ = ["VERBS", "export", "verify"]

_BATCH = 500


def verify(
    number: Annotated[int | None, typer.Argument(help=translate(N_("a case; left out: all of them")))] = None,
    against: Annotated[
        Path | None, typer.Option(help=translate(N_("a file of «cases export»: are its seals still in the histories?")))
    ] = None,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Hold histories to their seals; each that does not fit is named, and the program ends with 1."""
    from listener.database import Store

    kept = _seals(against) if against is not None else []
    with open_config(config, secrets=False) as instance:
        store = Store(instance.store_url)
        try:
            store.migrate()
            with store.read() as connection:
                seen, faults = _look(connection, number)
                missing = _missing(connection, kept)
        finally:
            store.close()
    if not seen:
        speak(translate(N_("There is no case to verify.")))
        raise Fatal(1 if number is not None else 0)
    for fault in faults:
        told = {"case": fault.case_id, "line": fault.place, "event": fault.event_id}
        if json:
            emit({**told, "why": fault.why.say("en")})
            continue
        sentence = N_("case {number}, line {place}: {quote_why}")
        why = fault.why.say(terminal_language())
        print(translate(sentence, number=fault.case_id, place=fault.place, quote_why=why))  # noqa: T201
    for case_id, event in missing:
        if json:
            emit({"case": case_id, "event": event, "why": "the seal in the file is not in the history"})
        else:
            sentence = N_("case {number}: the seal of line {place} in the file is not in its history any more")
            print(translate(sentence, number=case_id, place=event))  # noqa: T201 - the answer itself
    if faults or missing:
        raise Fatal(1)
    speak(translate(N_("{n} histories fit their seals."), n=seen))


def _look(connection: Connection, number: int | None) -> tuple[int, list[Broken]]:
    """Verify one case or all, in batches of numbers; give how many there were and what does not fit."""
    import sqlalchemy as sa

    from stakeholders.casework.seal import verify as check
    from stakeholders.store import cases

    if number is not None:
        known = connection.scalar(sa.select(cases.c.id).where(cases.c.id == number))
        fault = check(connection, number) if known is not None else None
        return int(known is not None), [fault] if fault is not None else []
    seen, last = 0, 0
    faults: list[Broken] = []
    while True:
        after = sa.select(cases.c.id).where(cases.c.id > last).order_by(cases.c.id).limit(_BATCH)
        ids = list(connection.scalars(after))
        if not ids:
            return seen, faults
        faults += [fault for one in ids if (fault := check(connection, one)) is not None]
        seen, last = seen + len(ids), ids[-1]


def _seals(file: Path) -> list[tuple[int, int, str]]:
    """Read (case, line, seal) of an exported file; one that is none ends the program with 2."""
    from json import loads

    try:
        told = loads(file.read_text(encoding="utf-8"))
        rows = [(int(row["case"]), int(row["line"]), row["seal"]) for row in told["history"]]
    except OSError as error:
        speak(translate(N_("{path} cannot be read: {quote}"), path=str(file), quote=error.strerror or ""))
        raise Fatal(2) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        speak(translate(N_("{path} is not a case that was exported as JSON."), path=str(file)))
        raise Fatal(2) from None
    return [(case, line, seal) for case, line, seal in rows if isinstance(seal, str)]


def _missing(connection: Connection, kept: list[tuple[int, int, str]]) -> list[tuple[int, int]]:
    """Give (case, line) of the seals in a file that its history does not have; of each case the last.

    A lawful removal reseals and names the seals before it. The last in the file covers all that stand before it there.
    """
    from stakeholders.casework.seal import has_seal

    last = {case: (line, seal) for case, line, seal in kept}
    return [(case, line) for case, (line, seal) in last.items() if not has_seal(connection, case, seal)]


def export(
    number: Annotated[int, typer.Argument(help=translate(N_("the number of the case")))],
    output: Annotated[Path, typer.Option(help=translate(N_("the file to write: case.pdf or case.json")))],
    language: Annotated[str | None, typer.Option(help=translate(N_("es, en or pt; left out: the instance's")))] = None,
    force: Annotated[bool, typer.Option("--force", help=translate(N_("write over a file that is there")))] = False,
    config: Annotated[str | None, CONFIG] = None,
) -> None:
    """Write a case with its posts, its history and its seals into one file."""
    from listener.database import Store
    from listener.taxonomy import LANGUAGES
    from stakeholders.casework.export import FORMS, export_case

    form = next((one for one in FORMS if output.suffix.casefold() == f".{one}"), None)
    if form is None:
        speak(translate(N_("Name the file case.pdf or case.json: its end says what is written.")))
        raise Fatal(2)
    lang = next((one for one in LANGUAGES if one == language), None)
    if language is not None and lang is None:
        speak(translate(N_("There is no language {quote}; write es, en or pt."), quote=language))
        raise Fatal(2)
    if output.exists() and not force:
        told = N_("{path} is there already and was not touched; name another file, or add --force.")
        speak(translate(told, path=str(output)))
        raise Fatal(2)
    with open_config(config, secrets=False) as instance:
        store = Store(instance.store_url)
        try:
            store.migrate()
            with store.read() as connection:
                body = export_case(connection, instance, number, form, datetime.now(UTC), lang)
        finally:
            store.close()
    draft = output.with_name(output.name + ".new")
    try:
        draft.write_bytes(body)
        draft.replace(output)
    except OSError as error:
        speak(translate(N_("{path} cannot be written: {quote}"), path=str(output), quote=error.strerror or ""))
        raise Fatal(2) from None
    finally:
        draft.unlink(missing_ok=True)
    speak(translate(N_("{path} is written."), path=str(output)))


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (verify, N_("Hold the histories of cases to their seals.")),
    (export, N_("Write a case as PDF or JSON for a file.")),
)
