"""Read the rise behind a crisis: how much came, since when, what drives it, and its single cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.reason import Reason, from_json
from listener.taxonomy import Status
from stakeholders.casework.dossier import case_from_row, count_people
from stakeholders.casework.step import OVER
from stakeholders.counting.counts import moment_of
from stakeholders.deciding.facts import Case
from stakeholders.spikes.crisis import Members, members_of
from stakeholders.spikes.traffic import Measure
from stakeholders.store import cases
from stakeholders.store import spikes as table

__all__ = ["Surge", "read_surge", "single_cases"]


@dataclass(frozen=True, slots=True)
class Surge:
    """Hold the largest rise of a crisis and what it is by now.

    `observed` came since `onset` where `low` to `high` were expected; of a rise of harm alone both count harm. Drivers
    are None where nothing is shared by at least half; `ended_at` is None while a rise of the crisis is still on.
    """

    measure: Measure
    onset: datetime
    ended_at: datetime | None
    observed: int
    expected: float
    low: float
    high: float
    because: tuple[Reason, ...]
    words: tuple[str, ...]
    stakeholder: str | None
    source: str | None
    country: str | None
    intent: str | None
    texts: int
    young: bool
    members: Members


def read_surge(connection: Connection, case_id: int) -> Surge | None:
    """Read the rise that made a crisis case, with its members counted now; None when the case is no crisis."""
    rows = connection.execute(
        sa.select(table).where(table.c.case_id == case_id).order_by(table.c.observed.desc(), table.c.id)
    ).all()
    members = members_of(connection, case_id) if rows else None
    if members is None:
        return None
    row = rows[0]
    cause: Mapping[str, Any] = row.cause or {}
    return Surge(
        measure=row.measure,
        onset=moment_of(row.hour),
        ended_at=None if any(one.ended_at is None for one in rows) else max(one.ended_at for one in rows),
        observed=row.observed,
        expected=row.expected,
        low=row.low,
        high=row.high,
        because=from_json(cause.get("parts", ())),
        words=tuple(cause.get("words", ())),
        stakeholder=cause.get("stakeholder"),
        source=cause.get("source"),
        country=cause.get("country"),
        intent=cause.get("intent"),
        texts=cause.get("texts", 0),
        young=cause.get("young", False),
        members=members,
    )


def single_cases(connection: Connection, members: Members, limit: int) -> list[Case]:
    """Read the first of a crisis' single cases: those that still owe an answer before the others, the urgent first."""
    done: tuple[Status, ...] = ("answered", *OVER)
    rows = connection.execute(
        sa.select(cases)
        .where(cases.c.id.in_(members.cases))
        .order_by(cases.c.status.in_(done), cases.c.rank, cases.c.due_at, cases.c.id)
        .limit(limit)
    ).all()
    counted = count_people(connection, [row.id for row in rows])
    return [case_from_row(row, counted.get(row.id, (0, 0))) for row in rows]
