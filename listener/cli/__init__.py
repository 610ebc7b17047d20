"""Offer the verbs: parse, call the pipeline, print. Each verb's own imports wait until it is used."""

from __future__ import annotations

import typer

import listener.cli.budget as budget
import listener.cli.cases as cases
import listener.cli.channels as channels
import listener.cli.files as files
import listener.cli.flow as flow
import listener.cli.instance as instance
import listener.cli.opportunities as opportunities
import listener.cli.optouts as optouts
import listener.cli.query as query
import listener.cli.registry as registry
import listener.cli.routes as routes
import listener.cli.silences as silences
import listener.cli.sweep as sweep
import listener.cli.templates as templates
import listener.cli.trial as trial
from listener.cli.output import translate
from listener.reason import N_

__all__ = ["app", "main"]

app = typer.Typer(
    name="escucha",
    help=translate(N_("Hear what is said of a brand, judge it, and see that the right department answers in time.")),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
for room in (instance, flow, trial, query, files, budget, sweep, optouts, templates, opportunities):
    for verb, summary in room.VERBS:
        app.command(verb.__name__.rstrip("_").replace("_", "-"), help=translate(summary))(verb)
_GROUPS = (
    (cases, "cases", N_("Look after cases: hold their histories to their seals, write one as a file.")),
    (channels, "channels", N_("Look after the channels: list them, send a test message.")),
    (registry, "registry", N_("Keep your own list of known bodies; find who answers.")),
    (routes, "routes", N_("Look after the rules of who answers: show, test, rehearse a change, move open cases.")),
    (silences, "silences", N_("Add, list, end and preview silences.")),
)
for room, name, about in _GROUPS:
    group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
    for verb, summary in room.VERBS:
        group.command(verb.__name__.rstrip("_").replace("_", "-"), help=translate(summary))(verb)
    app.add_typer(group, name=name, help=translate(about))


def main() -> None:
    """Run the command line."""
    app()
