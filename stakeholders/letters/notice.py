"""Collect what others noticed, as a letter keeps it: sentences and links; never the words of a post."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.reason import Reason
from stakeholders.companies.opportunity import opportunities
from stakeholders.companies.peer import exchanges
from stakeholders.counting.period import Period
from stakeholders.letters.peerlines import Line, exchange_lines, opportunity_lines
from stakeholders.letters.quote import quote
from stakeholders.outbox.silences import active_silences
from stakeholders.spikes.spike import Spike, spikes
from stakeholders.store import alerts, cases

__all__ = ["Item", "Muted", "Notice", "Noticed", "Silence", "muted_in", "noticed"]


@dataclass(frozen=True, slots=True)
class Item:
    """Point to one thing that a notice speaks of; erasing its mention takes the item out of the letters kept."""

    because: tuple[Reason, ...]
    mention: int | None = None
    case: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Hold a sentence in its parts, up to three things it speaks of, and whether it needs somebody."""

    told: tuple[Reason, ...]
    items: tuple[Item, ...] = ()
    bad: bool = False
    case: int | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """Hold a silence that was active: who asked for it, why, until when, and what it is about (label keys)."""

    author: str
    why: str
    ends_at: datetime
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Muted:
    """Count the alerts of a period that were held back, and name the silences active when it was counted."""

    alerts: int = 0
    cases: int = 0  # of how many cases
    silences: tuple[Silence, ...] = ()


@dataclass(frozen=True, slots=True)
class Noticed:
    """Hold what was noticed in a period: spikes, exchanges with peers, opportunities open or missed."""

    spikes: tuple[Notice, ...] = ()
    exchanges: tuple[Notice, ...] = ()
    opportunities: tuple[Notice, ...] = ()


def muted_in(
    connection: Connection, period: Period, now: datetime, brand: str, departments: Sequence[str] = ()
) -> Muted:
    """Count the alerts of a period that a silence or an inhibition holds back, and list the silences active at `now`.

    Of the cases of one brand, and of some departments where they are named.
    """
    held = sa.and_(
        alerts.c.state == "muted",
        alerts.c.created_at >= period.start,
        alerts.c.created_at < period.end,
        cases.c.brand == brand,
    )
    if departments:
        held = sa.and_(held, cases.c.department.in_(list(departments)))
    counted = sa.select(sa.func.count(), sa.func.count(alerts.c.case_id.distinct()))
    row = connection.execute(counted.select_from(alerts.join(cases)).where(held)).one()
    found = tuple(
        Silence(one.author, one.why, one.ends_at, _about(one.matchers.told()))
        for one in active_silences(connection, now)
        if _concerns(one.matchers.brand, (brand,)) and _concerns(one.matchers.department, departments)
    )
    return Muted(row[0], row[1], found)


def noticed(connection: Connection, config: Config, period: Period, brand: str, now: datetime) -> Noticed:
    """Collect the spikes, the exchanges with peer companies and the opportunities of a period, of one brand."""
    settings = config.settings
    between = exchange_lines(exchanges(connection, settings, period, brand))
    praised = opportunity_lines(opportunities(connection, settings, period, brand, now))
    return Noticed(_spikes(spikes(connection, period, brand)), _notices(between), _notices(praised))


def _notices(lines: Sequence[Line]) -> tuple[Notice, ...]:
    return tuple(
        Notice(
            (line.reason,),
            tuple(Item(_quoted(one.because), one.mention_id, one.case_id) for one in line.items),
            line.urgent,
        )
        for line in lines
    )


def _quoted(because: Sequence[Reason]) -> tuple[Reason, ...]:
    """Mask what strangers wrote in the facts of reasons, as every quote of a letter is."""
    return tuple(
        Reason(
            one.sentence,
            {
                name: quote(fact, 80) if isinstance(fact, str) and name.startswith("quote") else fact
                for name, fact in one.facts.items()
            },
        )
        for one in because
    )


def _concerns(asked: Sequence[str], ours: Sequence[str]) -> bool:
    return not asked or not ours or not set(asked).isdisjoint(ours)


def _about(told: Mapping[str, Any]) -> tuple[str, ...]:
    """List what a silence is about, beside the brand: label keys, names and a query as they are."""
    values = [value for name, value in told.items() if name not in ("brand", "legal")]
    return tuple(str(one) for value in values for one in ([value] if isinstance(value, str) else value))


def _spikes(found: Sequence[Spike]) -> tuple[Notice, ...]:
    """Tell each rise once; where all mentions and the negative ones rose together, the larger count is told."""
    told: dict[object, Notice] = {}
    for one in sorted(found, key=lambda one: (one.onset, -one.observed)):
        same = one.case_id if one.case_id is not None else one.onset
        bad = one.measure == "negative" or one.case_id is not None
        if one.because:
            told.setdefault(same, Notice(one.because, bad=bad, case=one.case_id))
    return tuple(told.values())
