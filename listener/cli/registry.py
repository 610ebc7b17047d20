"""Keep a team's own list of known bodies: import it from a table, find who answers to a name and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.cli.instance import CONFIG, JSON
from listener.cli.output import Fatal, emit, speak, terminal_language, translate
from listener.reason import N_

if TYPE_CHECKING:
    from listener.config import Config
    from stakeholders.registry import Entry
    from stakeholders.registry.sheet import Sheet

__all__ = ["VERBS", "find", "import_"]

_BY = {
    "handle": N_("by the account @{quote}"),
    "domain": N_("by the address {quote}"),
    "name": N_("by its exact name «{quote}»; a name alone is weak proof: an account or an address is better"),
    "suffix": N_("by the end of the address, {quote}, which is not given to private people; no entry answers"),
}


def _instance(given: str | None) -> Config | None:
    """Read the configuration that is named or lies here; None when there is none and none was named."""
    import os

    from listener.config import find_file, load
    from listener.errors import ConfigError

    if not given and not os.environ.get("ESCUCHA_CONFIG") and not Path("config.toml").is_file():
        return None
    try:
        return load(find_file(given), secrets=False)
    except ConfigError as error:
        _say_faults(error.faults)
        raise Fatal(2) from None


def _say_faults(faults: Iterable[object]) -> None:
    for fault in faults:
        speak(str(fault))


def import_(
    file: Annotated[Path, typer.Argument(help=translate(N_("a CSV table, one row a body (docs/registry.md)")))],
    country: Annotated[
        str | None, typer.Option(help=translate(N_("two letters: PE; left out: that of config.toml")))
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help=translate(N_("the file to write; left out: the table's name with .toml")))
    ] = None,
    skip: Annotated[bool, typer.Option("--skip", help=translate(N_("keep the good rows when others are bad")))] = False,
    force: Annotated[bool, typer.Option("--force", help=translate(N_("write over a file that is there")))] = False,
    config: Annotated[str | None, CONFIG] = None,
) -> None:
    """Turn a team's own table into a registry file; every bad row is named, and nothing is written unless --skip."""
    from stakeholders.registry.sheet import read_sheet

    instance = _instance(config)
    place = (country or (instance.settings.instance.country if instance else "")).upper()
    if len(place) != 2 or not (place.isascii() and place.isalpha()):
        speak(translate(N_("Say the country of these bodies with two letters: --country PE")))
        raise Fatal(2)
    target = output or file.with_suffix(".toml")
    if target.exists() and (not force or target.resolve() == file.resolve()):
        told = N_("{path} is there already and was not touched; name another file, or add --force.")
        speak(translate(told, path=str(target)))
        raise Fatal(2)
    sheet = read_sheet(file)
    for heading in sheet.unread:
        speak(translate(N_("The column «{quote}» is not read."), quote=heading))
    for fault in sheet.faults:
        what, todo = fault.say(terminal_language())
        speak(translate(N_("line {line}: {what}; {todo}"), line=fault.line, what=what, todo=todo))
    if not sheet.entries or (sheet.faults and not skip):
        bad = len({fault.line for fault in sheet.faults})
        told = N_(
            "{bad} rows cannot be read, {good} can; nothing was written. Mend them, or keep the good with --skip."
        )
        speak(translate(told, bad=bad, good=len(sheet.entries)))
        raise Fatal(2)
    _write(target, place, sheet, file)
    told = N_("{path} is written: {n} entries. Put it into config.toml:")
    speak(translate(told, path=str(target), n=len(sheet.entries)))
    speak(_line_for(target, instance))
    if sheet.faults:
        raise Fatal(1)  # what could be read is done


def _write(target: Path, country: str, sheet: Sheet, source: Path) -> None:
    """Write beside the target, read it back, then put it in place: a broken file never stands there."""
    from listener.errors import ConfigError
    from stakeholders.registry import read_entries
    from stakeholders.registry.document import write_document

    draft = target.with_name(target.name + ".new")
    try:
        draft.write_text(write_document(country, sheet.entries, f"{country}: {source.name}"), encoding="utf-8")
        read_entries(draft)
        draft.replace(target)
    except OSError as error:
        speak(translate(N_("{path} cannot be written: {quote}"), path=str(target), quote=error.strerror or ""))
        raise Fatal(2) from None
    except ConfigError as error:
        _say_faults(error.faults)
        raise Fatal(1) from None
    finally:
        if draft.exists():
            draft.unlink()


def _line_for(target: Path, instance: Config | None) -> str:
    """Give the lines of [registry] that name the file, beside those already named there."""
    import json

    files, name = [], str(target)
    if instance is not None:
        files = list(instance.settings.registry.files)
        name = str(target.resolve())
        if target.resolve().is_relative_to(instance.folder.resolve()):
            name = target.resolve().relative_to(instance.folder.resolve()).as_posix()
    return "[registry]\nfiles = " + json.dumps(list(dict.fromkeys([*files, name])), ensure_ascii=False)


def find(
    what: Annotated[str, typer.Argument(help=translate(N_("a name, an @account or an address")))],
    country: Annotated[str | None, typer.Option(help=translate(N_("two letters: of the post, when known")))] = None,
    at: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help=translate(N_("the day of the post; left out: today"))),
    ] = None,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Show which entry of the registries answers to a name, an account or an address, and why."""
    from listener.errors import ConfigError
    from stakeholders.registry import COUNTRIES, load

    instance = _instance(config)
    files = [instance.folder / name for name in instance.settings.registry.files] if instance else []
    try:
        registry = load(COUNTRIES, files)
    except ConfigError as error:
        _say_faults(error.faults)
        raise Fatal(2) from None
    place = country or (instance.settings.instance.country if instance else None)
    day = at.date() if at else datetime.now(UTC).date()
    moment = datetime.combine(day, time(12), UTC)
    queries = _read_query(what)
    match = next((one for query in queries if (one := registry.find(**query, at=moment, country=place))), None)
    if match is not None:
        if json:
            emit({"found": what, **{key: getattr(match, key) for key in match.__slots__}})
            return
        told = N_("{quote1}: {who} ({quote2})")
        if match.country is not None:
            told = N_("{quote1}: {who} ({quote2}), in the registry of {quote3} since {quote4}")
        facts = {"quote1": match.name, "quote2": _kind(match.kind), "quote3": match.country, "quote4": match.since}
        print(translate(told, who=match.stakeholder, **facts))  # noqa: T201 - the answer itself
        print(translate(_BY[match.by], quote=match.found))  # noqa: T201
        own = load(_asked(instance), files) if instance else registry
        if not any(own.find(**query, at=moment, country=place) for query in queries):
            told = N_("This instance does not ask that registry: it asks {quote}; see [registry] countries.")
            speak(translate(told, quote=", ".join(_asked(instance))))
        return
    past = next((found for query in queries if (found := registry.history(**query))), ())
    if json:
        emit({"found": what, "name": None, "other_times": [_past(entry, place) for entry, place in past]})
    elif past:
        print(translate(N_("On {day} nobody answers to «{quote}»."), day=day.isoformat(), quote=what))  # noqa: T201
        for entry, place in past:
            until = entry.until.isoformat() if entry.until else "–"
            told = N_("{quote1} ({quote2}) held from {quote3} until {quote4}; then {quote5}")
            held = {"quote3": entry.began(), "quote4": until, "quote5": entry.successor or "–"}
            print(translate(told, quote1=entry.name, quote2=place, **held))  # noqa: T201
    else:
        print(translate(N_("No registry knows «{quote}»."), quote=what))  # noqa: T201
    raise Fatal(1)


def _read_query(what: str) -> tuple[dict[str, Any], ...]:
    """Choose what a word may be: @x an account, x.y an address first, a single word an account first, else a name."""
    plain = what.strip()
    if plain.startswith("@"):
        return ({"handle": plain},)
    if " " in plain:
        return ({"name": plain},)
    if "." in plain or "/" in plain:
        return ({"domain": plain}, {"handle": plain}, {"name": plain})
    return ({"handle": plain}, {"name": plain})


def _kind(kind: str) -> str:
    from stakeholders.registry.headings import kind_word

    return kind_word(kind, terminal_language())


def _past(entry: Entry, country: str) -> dict[str, str | date | None]:
    ends = {"until": entry.until, "successor": entry.successor}
    return {"name": entry.name, "country": country, "since": entry.began(), **ends}


def _asked(instance: Config | None) -> tuple[str, ...]:
    """Name the countries whose registries an instance asks, as the desk does."""
    if instance is None:
        return ()
    told = {brand.country for brand in instance.brands if brand.country}
    return tuple(instance.settings.registry.countries or sorted({instance.settings.instance.country} | told))


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (import_, N_("Turn your own table (CSV) into a registry file.")),
    (find, N_("Show which entry answers to a name, an @account or an address.")),
)
