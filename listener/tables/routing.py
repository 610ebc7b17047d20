"""Describe the tables that say who answers: [[routes]], the conditions of a rule, and [routing]."""

from __future__ import annotations

from pydantic import Field

from listener.tables.table import Table
from listener.taxonomy import Department, Dimension, Intent, Kind, Priority, Sentiment, Stakeholder

__all__ = ["RouteRule", "Routing", "When"]


class When(Table):
    """Hold the conditions of a route; all that are given must hold, a list means any of these."""

    brand: list[str] | str | None = Field(None, description="key of a brand or competitor")
    kind: Kind | None = Field(None, description="own or competitor")
    stakeholder: list[Stakeholder] | Stakeholder | None = Field(None, description="who speaks")
    sentiment: list[Sentiment] | Sentiment | None = Field(None, description="polarity toward the brand")
    dimension: list[Dimension] | Dimension | None = Field(None, description="what it is about")
    intent: list[Intent] | Intent | None = Field(None, description="what the author wants")
    source: list[str] | str | None = Field(None, description="name of a source table")
    country: list[str] | str | None = Field(None, description="two letters, when the post is placed")
    lang: list[str] | str | None = Field(None, description="es, en, pt")
    words: list[str] | str | None = Field(None, description="any of these words or phrases, case and accents folded")
    query: str | None = Field(None, description="a query that the post fits (docs/query.md); without since: and until:")
    min_followers: int | None = Field(
        None, ge=0, description="at least so many; an account that does not say does not fit"
    )
    outlet: bool | None = Field(None, description="a news outlet speaks")
    own_account: bool | None = Field(None, description="one of our own accounts speaks")


class RouteRule(Table):
    """Hold one [[routes]] rule; they are read in order and the first that fits wins."""

    name: str = Field(description="what people read as the reason")
    when: When = Field(description="the conditions, all of which must hold")
    unless: When | None = Field(
        None, description="conditions as in `when`; where all of them hold the rule does not apply"
    )
    department: Department | None = Field(None, description="who answers; only a rule with `continue` has none")
    priority: Priority | None = Field(None, description="left out: what the taxonomy gives")
    copies: list[Department] = Field([], description="who is told beside it")
    goes_on: bool = Field(
        False, alias="continue", description="true: adds its copies and priority, and lets the next rules decide"
    )


class Routing(Table):
    """Say where the grid of departments is."""

    grid: str | None = Field(
        None, description="a CSV or TOML file beside config.toml: who answers whom (`escucha routes grid` writes one)"
    )
