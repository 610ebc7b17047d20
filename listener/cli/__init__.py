"""Offer the verbs: parse, call the pipeline, print. Each verb's own imports wait until it is used."""

from __future__ import annotations

import typer

import listener.cli.budget as budget
import listener.cli.channels as channels
import listener.cli.files as files
import listener.cli.flow as flow
import listener.cli.instance as instance
import listener.cli.optouts as optouts
import listener.cli.query as query
import listener.cli.registry as registry
import listener.cli.sweep as sweep
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
for room in (instance, flow, trial, query, files, budget, sweep, optouts):
    for verb, summary in room.VERBS:
        app.command(verb.__name__.rstrip("_").replace("_", "-"), help=translate(summary))(verb)
bodies = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
for verb, summary in registry.VERBS:
    bodies.command(verb.__name__.rstrip("_"), help=translate(summary))(verb)
lines = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
for verb, summary in channels.VERBS:
    lines.command(verb.__name__.rstrip("_"), help=translate(summary))(verb)
app.add_typer(lines, name="channels", help=translate(N_("Look after the channels: list them, send a test message.")))
app.add_typer(bodies, name="registry", help=translate(N_("Keep your own list of known bodies; find who answers.")))


def main() -> None:
    """Run the command line."""
    app()
