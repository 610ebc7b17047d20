"""Set an instance up: init, check, schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.cli.output import Fatal, emit, open_config, speak, translate
from listener.reason import N_

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["VERBS", "check", "init", "schema"]

CONFIG = typer.Option("--config", "-c", help=translate(N_("the configuration; else ESCUCHA_CONFIG or config.toml")))
JSON = typer.Option("--json", help=translate(N_("one JSON object a line on standard output")))


def init(
    path: Annotated[Path, typer.Argument(help=translate(N_("the file to write")))] = Path("config.toml"),
    brand: Annotated[str, typer.Option(prompt=translate(N_("1/5 Which brand do you watch?")))] = "",
    country: Annotated[str, typer.Option(prompt=translate(N_("2/5 In which country? (two letters: PE, MX…)")))] = "PE",
    competitors: Annotated[
        str, typer.Option(prompt=translate(N_("3/5 Which competitors? (separated by commas; empty: none)")))
    ] = "",
    mail: Annotated[str, typer.Option(prompt=translate(N_("4/5 To which mail address do alerts go?")))] = "",
    sources: Annotated[
        str, typer.Option(prompt=translate(N_("5/5 Which sources? (file, rss, x, reddit; separated by commas)")))
    ] = "file, rss",
) -> None:
    """Write a configuration file from five answers; an existing file is never overwritten."""
    from listener.cli.template import write_config
    from listener.errors import ConfigError

    if path.exists():
        speak(translate(N_("{path} is there already and was not touched; name another file."), path=str(path)))
        raise Fatal(2)
    try:
        text = write_config(brand, country, competitors, mail, sources, path.resolve().parent)
    except ConfigError as error:
        for fault in error.faults:
            speak(str(fault))
        raise Fatal(2) from None
    path.write_text(text, encoding="utf-8")
    speak(translate(N_("{path} is written. Next: escucha check, then escucha serve."), path=str(path)))


def check(config: Annotated[str | None, CONFIG] = None, json: Annotated[bool, JSON] = False) -> None:
    """Read the configuration, then ask every source, the mail server and the database whether they answer."""
    from itertools import chain

    from listener.check import check_instance
    from listener.cli.channels import check_channels
    from sentiment.refusal import refusal

    def refused(one: Config) -> str:
        return refusal(one.settings.sentiment, one.folder, thoroughly=True)

    with open_config(config) as loaded:
        bad = False
        for finding in chain(check_instance(loaded, refused), check_channels(loaded)):
            bad = bad or finding.state == "failed"
            if json:
                emit({"what": finding.what, "state": finding.state, "says": finding.words("en")})
            else:
                mark = {"ok": "✓", "failed": "✗", "skipped": "–"}[finding.state]
                speak(f"{mark} {finding.what}: {finding.words(loaded.language)}")
        if bad:
            raise Fatal(1)


def schema(
    markdown: Annotated[
        bool, typer.Option("--markdown", help=translate(N_("the reference for people instead")))
    ] = False,
) -> None:
    """Print the JSON Schema of config.toml, for editors that complete and check as you type."""
    import json

    from listener.schema import config_reference, config_schema

    text = config_reference() if markdown else json.dumps(config_schema(), ensure_ascii=False, indent=2)
    print(text)  # noqa: T201 - a document, not a line


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (init, N_("Write a config.toml by asking five questions.")),
    (check, N_("Check the configuration, the sources, the mail server; say what each source costs.")),
    (schema, N_("Print the JSON Schema of config.toml for editors.")),
)
