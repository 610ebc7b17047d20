"""Gather the load of a team in one record that can be kept, sealed and worded again: what came, waits and is late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.mention import aware
from stakeholders.clocks.forecast import DepartmentForecast, forecast
from stakeholders.counting.hearing import Gap, gaps
from stakeholders.counting.owed import (
    Incident,
    LegalDay,
    Silent,
    gravest_first,
    incidents,
    legal_days,
    silent_departments,
)
from stakeholders.counting.period import to_day_end
from stakeholders.counting.reckoning import CaseFates, case_fates
from stakeholders.counting.response import Response, response_times
from stakeholders.counting.workload import Routed, Waiting, count_routed, count_waiting
from stakeholders.edition import Edition
from stakeholders.letters.notice import Muted, muted_in
from stakeholders.lists.caseline import CaseLine, needing_cases
from stakeholders.store import cases

__all__ = ["Load", "gather_load"]

_LISTED = 12  # cases by name: a team's list of work, not its archive
_READ = 5000  # cases that need somebody, read to pick a team's own


@dataclass(frozen=True, slots=True)
class Load:
    """Hold every figure of a team's digest; `departments` empty means every one of them."""

    name: str
    label: str  # 2026-11-22, or 2026-W46
    cadence: str
    start: datetime
    end: datetime
    zone: str
    brand: str
    brand_name: str
    departments: tuple[str, ...]
    running: bool  # the time was not over when this was counted
    came: tuple[Response, ...]
    fates: CaseFates
    fates_before: CaseFates
    waiting: Waiting
    routed: Routed
    needing: tuple[CaseLine, ...]
    needing_all: int
    owners: Mapping[str, str]  # case number → who took it
    incidents: tuple[Incident, ...]
    silent: tuple[Silent, ...]
    legal: tuple[LegalDay, ...]
    forecast: tuple[DepartmentForecast, ...]
    forecast_until: datetime | None
    muted: Muted
    gaps: tuple[Gap, ...]

    @property
    def days(self) -> int:
        """Give how many days it tells of."""
        return round((self.end - self.start) / timedelta(days=1))


def gather_load(connection: Connection, config: Config, edition: Edition, now: datetime) -> Load:
    """Count everything that a team's digest says, as it stands at `now`."""
    now, period, brand, names = aware(now), edition.period, edition.brand, edition.departments
    ahead = to_day_end(now, 1 if edition.cadence == "daily" else 7, config.zone)
    lines = [line for line in needing_cases(connection, brand, now, _READ) if not names or line.department in names]
    told = forecast(connection, config, now, ahead, brand)
    crises = incidents(connection, brand, names)
    legal = legal_days(connection, config, brand, now, now + max(ahead, timedelta(days=3)), names)
    listed = gravest_first(lines, crises, legal, _LISTED)
    due = tuple(
        replace(one, cases=()) for one in told.departments if one.due_within and (not names or one.department in names)
    )
    return Load(
        name=edition.name,
        label=edition.label,
        cadence=edition.cadence,
        start=period.start,
        end=period.end,
        zone=config.settings.instance.timezone,
        brand=brand,
        brand_name=config.settings.brands[brand].name,
        departments=names,
        running=now < period.end,
        came=tuple(line for line in response_times(connection, period, brand) if not names or line.department in names),
        fates=case_fates(connection, period, brand, names),
        fates_before=case_fates(connection, period.previous(), brand, names),
        waiting=count_waiting(connection, brand, names, now),
        routed=count_routed(connection, period, brand, names),
        needing=listed,
        needing_all=len(lines),
        owners=_owners(connection, [line.id for line in listed]),
        incidents=tuple(crises),
        silent=tuple(silent_departments(connection, period, brand, now, names)),
        legal=tuple(legal),
        forecast=due,
        forecast_until=told.until if due else None,
        muted=muted_in(connection, period, now, brand, names),
        gaps=tuple(gaps(connection, period, now)),
    )


def _owners(connection: Connection, ids: Sequence[int]) -> dict[str, str]:
    query = sa.select(cases.c.id, cases.c.owner).where(cases.c.id.in_(ids), cases.c.owner.is_not(None))
    return {str(row.id): row.owner for row in connection.execute(query)}
