"""Look after the channels: list them, ask whether they answer, send a marked test message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.cli.instance import CONFIG, JSON
from listener.cli.output import Fatal, emit, open_config, speak, terminal_language, translate
from listener.failure import worded
from listener.reason import N_, Reason, reason, say

if TYPE_CHECKING:
    from listener.check import Finding
    from listener.config import Config

__all__ = ["VERBS", "check_channels", "list_", "test"]

OFF = N_("switched off (enabled = false)")
UNUSED = N_("No address names it, so nothing is sent there.")


def _users(config: Config) -> dict[str, list[str]]:
    """Give who is told by each address: departments and digests."""
    lists: list[tuple[str, list[str]]] = [(name, table.alert) for name, table in config.settings.departments.items()]
    users: dict[str, list[str]] = {}
    lists += [(f"digests {table.name}", table.to) for table in config.settings.digests]
    for name, addresses in (*lists, ("digest", config.settings.digest.to)):
        for address in addresses:
            users.setdefault(address.strip(), []).append(name)
    return users


def _addresses(config: Config) -> list[str]:
    """Give the address of every channel beside mail: those of the tables, and the log that needs none."""
    tables = [f"{table.kind}:{name}" for name, table in config.settings.channels.items()]
    return [*tables, *(["log:"] if "log:" in _users(config) else [])]


def check_channels(config: Config) -> Iterator[Finding]:
    """Ask each channel beside mail whether it answers; no message is sent."""
    from listener.check import Finding
    from listener.errors import DeliveryError
    from stakeholders.channels import probe, table_of

    users = _users(config)
    for address in _addresses(config):
        kind, _, name = address.partition(":")
        what = f"channels.{name or kind}"
        table = table_of(config, kind, name)
        if table is not None and not table.enabled:
            yield Finding(what, "skipped", (reason(OFF),))
            continue
        told = () if address in users else (reason(UNUSED),)
        try:
            yield Finding(
                what, "ok", (Reason("{quote}.", {"quote": probe(kind, config, name).say(config.language)}), *told)
            )
        except DeliveryError as error:
            said = str(error).removeprefix(f"channels.{name}: ")
            yield Finding(what, "failed", (Reason("{failure}.", {"failure": said}), *told))


def list_(config: Annotated[str | None, CONFIG] = None, json: Annotated[bool, JSON] = False) -> None:
    """Show each channel, who is told there, and whether personal data is masked."""
    from stakeholders.channels import is_internal, table_of

    with open_config(config, secrets=False) as loaded:
        users = _users(loaded)
        lang = terminal_language()
        for address in _addresses(loaded):
            kind, _, name = address.partition(":")
            table = table_of(loaded, kind, name)
            internal = is_internal(loaded, kind, name)
            enabled = table is None or table.enabled
            if json:
                told: dict[str, Any] = {"address": address, "enabled": enabled, "internal": internal}
                emit(told | {"told": users.get(address, [])})
                continue
            who = ", ".join(say("{fact}", lang, fact=one) for one in users.get(address, [])) or translate(UNUSED)
            mask = translate(N_("names and numbers are shown") if internal else N_("names and numbers are masked"))
            speak(f"{address:<28} {translate(OFF) if not enabled else who} · {mask}")


def test(
    name: Annotated[str, typer.Argument(help=translate(N_("a table of [channels], or an address: mail:me@acme.pe")))],
    config: Annotated[str | None, CONFIG] = None,  # noqa: PT028 - a verb, not a test
) -> None:
    """Send one message that says that it is a test."""
    from listener.errors import DeliveryError
    from listener.tables.channelcheck import check_address
    from stakeholders.channels import send

    with open_config(config) as loaded:
        table = loaded.settings.channels.get(name)
        address = f"{table.kind}:{name}" if table is not None else name
        if (wrong := check_address(address, loaded.settings)) is not None:
            speak("; ".join(part for part in wrong if part))
            raise Fatal(2)
        kind, _, recipient = address.partition(":")
        try:
            send(kind, loaded, _message(loaded, kind, recipient))
        except DeliveryError as error:
            speak(worded(str(error), terminal_language()))
            raise Fatal(1) from None
        speak(translate(N_("{quote} took the test message."), quote=address))


def _message(config: Config, kind: str, recipient: str) -> Any:
    from stakeholders.channels import About, Message, language_of

    now, lang = datetime.now(UTC), language_of(config, kind, recipient)
    title = say(N_("Test of {quote_name}: nothing has happened"), lang, quote_name=config.settings.instance.name)
    line = say(N_("Somebody asked whether messages arrive here. They do; there is nothing to answer."), lang)
    link = (say(N_("Open the inbox"), lang), config.public_url)
    return Message(
        key=f"test.{kind}.{int(now.timestamp())}",
        recipient=recipient,
        subject=title,
        text=f"{title}\n\n{line}\n\n{link[0]}: {link[1]}\n",
        at=now,
        lang=lang,
        title=title,
        lines=(line,),
        links=(link,),
        about=About("test"),
    )


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (list_, N_("Show each channel, who is told there, and whether names are masked.")),
    (test, N_("Send one message that says that it is a test.")),
)
