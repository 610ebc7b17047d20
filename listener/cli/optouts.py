"""List who does not want to be written to, so that other tools can keep to it too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from listener.cli.instance import CONFIG, JSON
from listener.cli.output import emit, open_config, speak, translate
from listener.reason import N_

__all__ = ["VERBS", "optouts"]


def optouts(
    source: Annotated[str | None, typer.Argument(help=translate(N_("only of this source")))] = None,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """List the accounts that asked not to be written to, with the time; the handles are personal data."""
    from listener.database import Store
    from stakeholders.arrival import read_opt_outs

    with open_config(config, secrets=False) as instance:
        store = Store(instance.store_url)
        try:
            store.migrate()
            with store.read() as connection:
                rows = read_opt_outs(connection, source)
        finally:
            store.close()
        for row in rows:
            if json:
                emit({"source": row.source, "handle": row.handle, "at": row.at.isoformat()})
            else:
                print(f"{row.source}  {row.handle}  {row.at.astimezone(instance.zone):%Y-%m-%d %H:%M}")  # noqa: T201
        if not json:
            speak(translate(N_("{n} accounts asked not to be written to."), n=len(rows)))


VERBS: tuple[tuple[Callable[..., Any], str], ...] = ((optouts, N_("List who asked not to be written to.")),)
