"""Look after the rules of who answers: show them, test them, rehearse a change, send open cases where they lead now."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.cli.instance import CONFIG, JSON
from listener.cli.output import Fatal, emit, open_config, speak, terminal_language, translate
from listener.reason import N_, to_json

if TYPE_CHECKING:
    from listener.config import Config
    from listener.database import Store
    from stakeholders.deciding.expectation import Expectation, Outcome

__all__ = ["VERBS", "dry_run", "grid", "reroute", "show", "test"]

_WHY, _OTHERWISE = N_("Why"), N_("What would have changed it")


def show(config: Annotated[str | None, CONFIG] = None, json: Annotated[bool, JSON] = False) -> None:
    """Show the order in which posts are decided, in words."""
    from stakeholders.deciding.order import describe_order, order_json
    from stakeholders.deciding.rules import rules_of

    with open_config(config, secrets=False) as loaded:
        rules = rules_of(loaded.settings, loaded.folder)
        if json:
            for row in order_json(rules):
                emit(row)
            return
        for line in describe_order(rules, terminal_language()):
            print(line)  # noqa: T201 - the answer itself


def grid(
    write: Annotated[Path | None, typer.Option("--write", help=translate(N_("the CSV file to write")))] = None,
) -> None:
    """Write the taxonomy's matrix as a grid to start from; it decides as no grid does until somebody edits it."""
    from stakeholders.deciding.grid import starting_grid

    text = starting_grid()
    if write is None:
        print(text, end="")  # noqa: T201 - the answer itself
        return
    try:
        with write.open("x", encoding="utf-8") as lines:
            lines.write(text)
    except FileExistsError:
        told = N_("{path} is there already and was not touched; name another file.")
        speak(translate(told, path=str(write)))
        raise Fatal(2) from None
    except OSError as error:
        speak(translate(N_("{path} cannot be written: {quote}"), path=str(write), quote=error.strerror or ""))
        raise Fatal(2) from None
    speak(translate(N_("{path} is written. Put it into config.toml:"), path=str(write)))
    speak(f'[routing]\ngrid = "{write.name}"')


def test(
    file: Annotated[
        Path, typer.Argument(help=translate(N_("what you expect: a post file with labels, or TOML (docs/routing.md)")))
    ],
    config: Annotated[str | None, CONFIG] = None,  # noqa: PT028 - a verb, not a test
    json: Annotated[bool, JSON] = False,  # noqa: PT028
) -> None:
    """Hold the rules against what a team expects of them: 1 when one of its posts goes elsewhere."""
    from listener.errors import SourceError
    from listener.failure import worded
    from stakeholders.deciding.expectation import Problem, compare, read_expectations
    from stakeholders.deciding.rules import rules_of

    with open_config(config, secrets=False) as loaded:
        rules = rules_of(loaded.settings, loaded.folder)
        whole = bad = missed = 0
        try:
            for one in read_expectations(file, loaded):
                if isinstance(one, Problem):
                    bad += 1
                    speak(f"{one.place}: {one.what.say(terminal_language())}")
                    continue
                outcome = compare(one, rules)
                whole += 1
                missed += bool(outcome.misses)
                if json:
                    emit(_outcome(one, outcome))
                elif outcome.misses:
                    _show_miss(one, outcome)
        except SourceError as error:
            speak(worded(str(error), terminal_language()))
            raise Fatal(2) from None
        speak(translate(N_("{good} of {whole} posts go where you expect."), good=whole - missed, whole=whole))
        if bad or not whole:
            raise Fatal(2)
        if missed:
            raise Fatal(1)


def _outcome(one: Expectation, outcome: Outcome) -> dict[str, Any]:
    route = outcome.route
    misses = [{"what": miss.what, "expected": _plain(miss.wanted), "got": _plain(miss.got)} for miss in outcome.misses]
    return {
        "place": one.place,
        "name": one.name,
        "ok": not misses,
        "misses": misses,
        "rule": route.rule,
        "added": list(route.added),
        "because": to_json(route.because),
        "otherwise": to_json(route.otherwise),
    }


def _show_miss(one: Expectation, outcome: Outcome) -> None:
    lang = terminal_language()
    print(f"✗ {one.place} «{one.name}»")  # noqa: T201 - the answer itself
    head = (translate(N_("expected")), translate(N_("got")))
    rows = [("", *head)] + [(miss.what, _word(miss.wanted), _word(miss.got)) for miss in outcome.misses]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("    " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())  # noqa: T201
    for title, reasons in ((_WHY, outcome.route.because), (_OTHERWISE, outcome.route.otherwise)):
        if reasons:
            print(f"    {translate(title)}: " + "; ".join(one.say(lang) for one in reasons))  # noqa: T201


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


def _word(value: Any) -> str:
    """Write labels by their keys, as the file has them."""
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "–"
    return str(value).lower() if isinstance(value, bool) else str(value)


def dry_run(
    file: Annotated[Path, typer.Argument(help=translate(N_("the changed config.toml")))],
    days: Annotated[int, typer.Option(min=1, max=3650, help=translate(N_("how far back")))] = 30,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Tell what a changed configuration would have done with the stored mentions; nothing is written or sent."""
    from listener.cli.demo import show_progress
    from listener.cli.rehearsal import describe_rehearsal, rehearsal_rows
    from listener.config import load
    from listener.errors import ConfigError
    from stakeholders.deciding.rehearsal import rehearse

    with _opened(config) as (loaded, store):
        try:
            if not file.is_file():
                speak(translate(N_("there is no file {path}"), path=str(file)))
                raise Fatal(2)
            changed = load(file, secrets=False)
        except ConfigError as error:
            for fault in error.faults:
                speak(str(fault))
            raise Fatal(2) from None
        with show_progress(translate(N_("posts"))) as progress:
            found = rehearse(store, loaded, changed, datetime.now(UTC), days, progress)
        if json:
            for row in rehearsal_rows(found):
                emit(row)
        else:
            for line in describe_rehearsal(found, days):
                print(line)  # noqa: T201 - the answer itself


@contextmanager
def _opened(path: str | None) -> Iterator[tuple[Config, Store]]:
    from listener.database import Store

    with open_config(path, secrets=False) as config:
        store = Store(config.store_url)
        try:
            store.migrate()
            yield config, store
        finally:
            store.close()


def reroute(
    who: Annotated[
        str, typer.Option("--who", help=translate(N_("your name; it stands in the history of each case")))
    ] = "",
    days: Annotated[
        int | None, typer.Option(min=1, help=translate(N_("only cases opened in the last so many days")))
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help=translate(N_("move them; left out: only show")))] = False,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Send open cases where today's rules lead, and tell who owes the answer now; without --yes nothing is moved."""
    from listener.cli.demo import show_progress
    from listener.cli.rehearsal import describe_move, move_row
    from stakeholders.deciding.rerouting import reroute_open
    from stakeholders.desk import Desk

    if yes and not who.strip():
        speak(translate(N_("Say who asks for it: --who NAME. It stands in the history of each case.")))
        raise Fatal(2)
    with _opened(config) as (loaded, store):
        desk, now = Desk(loaded), datetime.now(UTC)
        moved = told = moot = 0
        with show_progress(translate(N_("cases"))) as progress:
            for move in reroute_open(store, desk, who.strip(), now, days, dry=not yes, progress=progress):
                moot += move.moot
                moved += not move.moot
                told += move.told
                if json:
                    emit(move_row(move))
                elif not move.moot:
                    print(describe_move(move))  # noqa: T201 - the answer itself
        if moot:
            speak(translate(N_("{n} open cases need no answer under these rules; a person may close them."), n=moot))
        if yes:
            speak(translate(N_("{n} cases moved, {told} messages queued."), n=moved, told=told))
        else:
            speak(translate(N_("{n} cases would move; nothing was changed. Move them with --yes."), n=moved))


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (show, N_("Show the order in which posts are decided.")),
    (test, N_("Hold the rules against your own expectations; 1 when one fails.")),
    (dry_run, N_("Tell what a changed config.toml would have done with the last 30 days; writes nothing.")),
    (reroute, N_("Send open cases where today's rules lead, kept in their history.")),
    (grid, N_("Write the taxonomy's matrix as a grid to start from.")),
)
