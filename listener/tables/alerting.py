"""Describe the alerts of config.toml: gathering, waits, quiet hours, who is on duty, escalation, what mutes what."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from listener.duration import Span
from listener.tables.sla import DAYS, Day, Shift
from listener.tables.table import Table
from listener.taxonomy import Department, Dimension, Intent, Priority, Stakeholder

__all__ = ["CRISIS", "Alerts", "DatedTurn", "EscalationStep", "Inhibit", "Label", "Matchers", "Quiet", "Rota", "Turn"]

Label = Literal[
    "department", "brand", "priority", "stakeholder", "source", "rule", "intent", "dimension", "cluster", "case"
]


def _many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _quiet(value: Any) -> Any:
    if isinstance(value, str) and value != "closed":
        from listener.tables.sla import parse_shift

        parse_shift(value)
    return value


Names = Annotated[list[str], BeforeValidator(_many)]
Quiet = Annotated[str, BeforeValidator(_quiet)]


class Matchers(Table):
    """Say which alerts are meant: all keys that are given must hold, a list means any of these."""

    kind: Annotated[list[Literal["case", "crisis"]], BeforeValidator(_many)] = Field([], description="case or crisis")
    department: Annotated[list[Department], BeforeValidator(_many)] = Field([], description="who is told")
    brand: Names = Field([], description="key of a brand or competitor")
    stakeholder: Annotated[list[Stakeholder], BeforeValidator(_many)] = Field([], description="who speaks")
    priority: Annotated[list[Priority], BeforeValidator(_many)] = Field([], description="alert or important")
    source: Names = Field([], description="name of a source table")
    rule: Names = Field([], description="name of the route that decided")
    intent: Annotated[list[Intent], BeforeValidator(_many)] = Field([], description="what the author wants")
    dimension: Annotated[list[Dimension], BeforeValidator(_many)] = Field([], description="what it is about")
    query: str | None = Field(None, description="a query (docs/query.md) that the post fits")
    legal: bool = Field(
        False, description="true: also what a regulator says and what has a legal clock, which is never muted otherwise"
    )

    def told(self) -> dict[str, Any]:
        """Give what was said, as JSON for a table or a file; empty: nothing, so that nothing is meant."""
        return {name: value for name, value in self if value not in ([], None, False)}


class Inhibit(Table):
    """Hold one [[inhibit]] rule: while a case like `source` is open, alerts like `target` are muted."""

    name: str = Field("", description="what people read as the reason")
    source: Matchers = Field(description='the case that speaks for the others: {kind = "crisis"}')
    target: Matchers = Field(description='the alerts that it mutes: {intent = "outage_report"}')
    equal: list[Label | Literal["crisis"]] = Field(
        ["brand"], description='what both must share; "crisis": the post is part of that crisis (docs/spikes.md)'
    )


# What mutes what when config.toml has no [[inhibit]]: a crisis speaks for the outage reports that are part of it.
CRISIS = Inhibit(source=Matchers(kind=["crisis"]), target=Matchers(intent=["outage_report"]), equal=["crisis"])


class Turn(Table):
    """Hold one line of a weekly rota, by the clock on the department's wall."""

    days: list[Day] = Field(list(DAYS), description="left out: every day")
    hours: Shift = Field("00:00-24:00", description='"18:00-09:00" ends on the next day')
    who: str = Field(description="a name of [departments.NAME.rota.people], or an address")


class DatedTurn(Table):
    """Hold who is on duty between two dates; it goes before the weekly rota."""

    since: datetime = Field(description="2026-12-24T18:00:00, by the clock on the department's wall")
    until: datetime = Field(description="written in the same way")
    who: str = Field(description="a name of [departments.NAME.rota.people], or an address")


class Rota(Table):
    """Say who of a department is on duty ([departments.NAME.rota])."""

    timezone: str | None = Field(None, description="IANA name; left out: that of the department's calendar")
    people: dict[str, list[str]] = Field({}, description='NAME = where to tell them: ["mail:ana@example.org"]')
    weekly: list[Turn] = Field([], description='{ days = ["sat"], hours = "00:00-24:00", who = "Ana" }')
    dated: list[DatedTurn] = Field([], description='{ since = …, until = …, who = "Ana" }: holidays, swaps')


class EscalationStep(Table):
    """Hold one step of a chain that is climbed until someone acknowledges."""

    after: Span = Field(description="since the case was opened, opened again or woke")
    to: list[str] = Field(min_length=1, description='addresses; "rota": whoever is on duty')
    working: bool | None = Field(
        None, description="true: working time counts, false: round the clock; left out: round the clock for an alert"
    )


class Alerts(Table):
    """Say how alerts are gathered and repeated (docs/alerts.md)."""

    copies: bool = Field(True, description="departments that are copied get a mail too, marked as for information")
    retry_every: Span = Field(
        timedelta(minutes=2), description="first wait after a failed sending; doubles up to an hour"
    )
    grouping: bool = Field(True, description="false: every case is a message of its own, at once")
    group_by: list[Label] = Field(
        ["department", "brand"], description="cases that share all of this are told in one message to an address"
    )
    group_wait: Span = Field(timedelta(seconds=30), description="the first message of a group waits so long for others")
    group_interval: Span = Field(
        timedelta(minutes=5), description="what comes later waits until so long after the last"
    )
    repeat_interval: Span | None = Field(
        None, description="what nobody acknowledged is told again after so long; left out: never"
    )
    longest_silence: Span = Field(timedelta(days=7), description="a silence may last so long at most")
