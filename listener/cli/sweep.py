"""Honour deletions: sweep (ask the sources which stored posts are gone) and erase (on request, for good)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from listener.cli.flow import open_flow
from listener.cli.instance import CONFIG, JSON
from listener.cli.output import Fatal, emit, speak, terminal_language, translate
from listener.reason import N_

__all__ = ["VERBS", "erase", "sweep"]


def sweep(
    source: Annotated[str | None, typer.Argument(help=translate(N_("a source's table name; left out: all")))] = None,
    everything: Annotated[
        bool, typer.Option("--all", help=translate(N_("every post, also those looked for within the last day")))
    ] = False,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Ask the sources which stored posts were deleted or edited there, and do the same here."""
    from listener.errors import SourceError
    from listener.failure import worded
    from listener.faults import did_you_mean
    from listener.sweep import swept_sources

    with open_flow(config) as flow:
        known = swept_sources(flow.config)
        if source is not None and source not in known:
            if source in flow.config.sources:
                speak(f"[sources.{source}] " + translate(N_("cannot tell which of its posts were removed")))
            else:
                hint = did_you_mean(source, tuple(flow.config.sources))
                speak(f"[sources.{source}] " + translate(N_("is not connected")) + f"; {hint}")
            raise Fatal(2)
        failed = False
        for name in [source] if source else known:
            row: dict[str, Any] = {"source": name, "checked": None, "gone": None, "edited": None, "left": None}
            try:
                done = flow.sweep(name, datetime.now(UTC), everything=everything)
            except SourceError as error:
                failed = True
                if json:
                    emit(row | {"error": str(error)})
                else:
                    speak(f"{name}: {worded(str(error), terminal_language())}")
                continue
            row |= {"checked": done.checked, "gone": done.gone, "edited": done.edited, "left": done.left}
            if json:
                emit(row | {"error": None})
            else:
                told = N_("{name}: {checked} still there, {gone} removed, {edited} edited, {left} left for later")
                speak(translate(told, name=name, **{key: row[key] for key in ("checked", "gone", "edited", "left")}))
        if not known and not json:
            speak(translate(N_("No connected source can tell which of its posts were removed.")))
        if failed:
            raise Fatal(1)


def erase(
    source: Annotated[str | None, typer.Option(help=translate(N_("a source's table name; left out: all")))] = None,
    id_: Annotated[
        list[str] | None, typer.Option("--id", help=translate(N_("a post's id at its source; may be given again")))
    ] = None,
    handle: Annotated[
        str | None, typer.Option(help=translate(N_("an account: all its posts, by handle, name or id")))
    ] = None,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """Erase posts on request, for good: a tombstone without words stays, and they never come back."""
    from listener.erasure import compact, find_by_handle
    from stakeholders.erasure import erase as erase_everywhere

    if bool(id_) == bool(handle) or (id_ and source is None):
        speak(translate(N_("erase takes --source with --id, or --handle")))
        raise Fatal(2)
    with open_flow(config) as flow:
        now = datetime.now(UTC)
        with flow.store.write() as connection:
            wanted = find_by_handle(connection, handle, source) if handle else {source or "": id_ or []}
            gone = {
                name: len(erase_everywhere(connection, name, ids, "erased", now, always=handle is None))
                for name, ids in wanted.items()
            }
        clean = not sum(gone.values()) or compact(flow.store, now, at_once=True)
        for name, count in gone.items():
            if json:
                emit({"source": name, "erased": count})
            else:
                speak(translate(N_("{name}: {count} posts erased"), name=name, count=count))
        if not gone and not json:
            speak(translate(N_("Nothing of that account is stored.")))
        if not clean:
            told = N_("The words are out of every table. The database's files are rewritten at the next sweep.")
            speak(translate(told))


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (sweep, N_("Ask the sources which stored posts were deleted or edited there, and do the same here.")),
    (erase, N_("Erase posts on request, for good.")),
)
