"""Describe the table [crm] of config.toml: which webhook channels are told of the steps of cases, and of which."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Literal, get_args

from pydantic import Field

from listener.errors import Fault
from listener.faults import did_you_mean
from listener.tables.table import Table

if TYPE_CHECKING:
    from listener.settings import Settings

__all__ = ["CASE_STEPS", "CaseStep", "Crm", "check_crm"]

CaseStep = Literal[
    "opened", "acknowledged", "answered", "closed", "dismissed", "reopened", "snoozed", "woke", "merged", "split"
]
CASE_STEPS: Final[tuple[CaseStep, ...]] = get_args(CaseStep)


class Crm(Table):
    """Say where your own system of cases or tickets hears of each step."""

    channels: list[str] = Field([], description="names of [channels.NAME] of kind webhook; empty: nobody is told")
    steps: list[CaseStep] = Field(list(CASE_STEPS), description="the steps that are told (docs/cases.md)")


def check_crm(settings: Settings) -> Iterator[Fault]:
    """Find channels of [crm] that are not there, are no webhooks, or are switched off."""
    webhooks = tuple(name for name, table in settings.channels.items() if table.kind == "webhook")
    for name in settings.crm.channels:
        table = settings.channels.get(name)
        if table is None:
            hint = did_you_mean(name, webhooks) or f'add a table: [channels.{name}] with kind = "webhook"'
            yield Fault("crm", f"channels: there is no channel '{name}'", hint)
        elif table.kind != "webhook":
            yield Fault("crm", f"channels: '{name}' is of kind {table.kind}", 'only kind = "webhook" is told of steps')
        elif not table.enabled:
            yield Fault("crm", f"channels: '{name}' is switched off", "set enabled = true, or take it out")
    if settings.crm.channels and not settings.crm.steps:
        yield Fault("crm", "steps is empty: nothing would be told", "leave steps out to tell all")
