"""Count what the known bodies of the registries said: institutions, press and companies, never a private person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.store import mentions
from sentiment.store import verdicts
from stakeholders.counts import counted, named
from stakeholders.period import Period
from stakeholders.registry import Entry
from stakeholders.store import decisions

__all__ = ["Body", "count_bodies", "institutions"]

_PEOPLE = frozenset({"journalist", "legislator"})  # public office or not: a table of who said most names nobody
_LATEST = 3


@dataclass(frozen=True, slots=True)
class Body:
    """Count what one body said of a brand."""

    name: str
    stakeholder: str
    mentions: int
    negative: int
    neutral: int
    positive: int
    latest: tuple[int, ...] = ()  # ids of its newest mentions


def institutions(entries: Iterable[Entry]) -> frozenset[str]:
    """Give the names of the entries that are bodies; a name that also stands for a person is left out."""
    every = list(entries)
    return frozenset(one.name for one in every) - {one.name for one in every if one.kind in _PEOPLE}


def count_bodies(connection: Connection, period: Period, brand: str | None, known: frozenset[str]) -> list[Body]:
    """Count the mentions by the known bodies that published them, loudest first; who was guessed is left out.

    `known` names the bodies that may be shown (`institutions`).
    """
    query = (
        sa.select(mentions.c.id, decisions.c.stakeholder, decisions.c.detail, verdicts.c.sentiment)
        .select_from(counted().join(decisions, decisions.c.mention_id == mentions.c.id))
        # Only what a registry named: its entry is null in all other rows.
        .where(named(period, brand), decisions.c.detail.cast(sa.Text).contains('"entry":"', autoescape=True))
        .order_by(mentions.c.published_at.desc(), mentions.c.id.desc())
    )
    heard: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for row in connection.execute(query):
        name = _entry(row.detail)
        if name in known:
            heard.setdefault((name, row.stakeholder), []).append((row.id, row.sentiment))
    found = [
        Body(
            name=name,
            stakeholder=who,
            mentions=len(said),
            negative=sum(mood == "negative" for _, mood in said),
            neutral=sum(mood == "neutral" for _, mood in said),
            positive=sum(mood == "positive" for _, mood in said),
            latest=tuple(number for number, _ in said[:_LATEST]),
        )
        for (name, who), said in heard.items()
    ]
    return sorted(found, key=lambda one: (-one.mentions, one.name))


def _entry(detail: Any) -> str:
    if ((detail or {}).get("speaker") or {}).get("unsure"):
        return ""
    return str((detail or {}).get("entry") or "")
