"""Describe the tables [channels.NAME] of config.toml: where alerts go beside mail."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, SecretStr

from listener.tables.table import Table
from listener.taxonomy import Language

__all__ = ["ChannelKind", "ChannelTable"]

ChannelKind = Literal["apprise", "log", "slack", "teams", "telegram", "webhook", "whatsapp"]


class ChannelTable(Table):
    """Describe one channel; an address names it as KIND:NAME. Which keys a kind takes stands in docs/channels.md."""

    kind: ChannelKind = Field(description="slack, teams, webhook, telegram, whatsapp, log or apprise")
    enabled: bool = Field(True, description="false: kept in the file; nothing is sent, and no address may name it")
    internal: bool = Field(
        False, description="true: only your own people read it, so personal data in a quote is not masked"
    )
    language: Language | None = Field(None, description="es, en or pt; left out: [instance] language")
    url: SecretStr | None = Field(
        None,
        description='"env:NAME": whoever knows it can write there (slack, teams, webhook, apprise); for telegram and '
        "whatsapp the API's address, if it is not the platform's own",
    )
    secret: SecretStr | None = Field(None, description='webhook: signs each message; "env:NAME", whsec_ and base64')
    token: SecretStr | None = Field(None, description='telegram, whatsapp: the access token; "env:NAME"')
    to: str | None = Field(None, description='telegram: the chat ("-1001234567890" or "@name"); whatsapp: +51999888777')
    sender: str | None = Field(None, description="whatsapp: id of the business number that writes (digits)")
    template: str | None = Field(None, description="whatsapp: name of the approved template (docs/channels.md)")
    agreed: date | None = Field(
        None, description="whatsapp: the day on which this person agreed to be told there; without it nothing is sent"
    )
    path: str | None = Field(
        None, description="log: the file, from the folder of config.toml; left out: data/alerts.jsonl"
    )
