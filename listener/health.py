"""Tell whether each source is alive: "not connected" and "failed" are never shown as zero mentions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import sqlalchemy as sa

from listener.clock import CYCLE, job_of
from listener.reason import N_
from listener.store import jobs, posts, quarantine, runs

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["STATES", "Health", "Quarantined", "State", "read_cycle_error", "read_health", "read_quarantine"]

State = Literal["connected", "late", "failed", "waiting", "not connected", "never asked"]

STATES: dict[State, str] = {
    "connected": N_("connected"),
    "late": N_("late"),
    "failed": N_("failed"),
    "waiting": N_("waiting for the platform"),
    "not connected": N_("not connected"),
    "never asked": N_("never asked yet"),
}


@dataclass(frozen=True, slots=True)
class Health:
    """Hold how one source is; counts are None where nothing is known."""

    source: str
    kind: str
    state: State
    every: timedelta
    last_ok: datetime | None = None
    next_due: datetime | None = None
    last_outcome: str | None = None
    error: str | None = None
    failures: int = 0
    posts_24h: int | None = None
    posts_total: int | None = None
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Hold one item that was kept aside, with where it stood and why."""

    source: str
    position: str
    reason: str
    body: str
    at: datetime


def read_health(connection: sa.Connection, config: Config, now: datetime) -> list[Health]:
    """Read the health of every source in the configuration, in its order."""
    counted = connection.execute(sa.select(quarantine.c.source, sa.func.count()).group_by(quarantine.c.source))
    aside: dict[str, int] = {row[0]: row[1] for row in counted}
    found = []
    for name, table in config.settings.sources.items():
        kind = table.kind or name
        if name not in config.sources:
            found.append(Health(name, kind, "not connected", table.every, quarantined=aside.get(name, 0)))
            continue
        run = connection.execute(
            sa.select(runs.c.outcome, runs.c.error, runs.c.started_at)
            .where(runs.c.source == name)
            .order_by(runs.c.started_at.desc(), runs.c.id.desc())
            .limit(1)
        ).one_or_none()
        job = connection.execute(sa.select(jobs).where(jobs.c.name == job_of(name))).one_or_none()
        last_ok = connection.scalar(
            sa.select(sa.func.max(runs.c.started_at)).where(runs.c.source == name, runs.c.outcome == "ok")
        )
        due = job.next_due if job is not None else None
        state: State = "connected"
        if run is None:
            state = "never asked"
        elif run.outcome == "limited":
            state = "waiting"
        elif run.outcome not in ("ok", "running"):
            state = "failed"
        elif due is not None and now - due > 3 * table.every:
            state = "late"
        counts = connection.execute(
            sa.select(
                sa.func.count(), sa.func.count(sa.case((posts.c.collected_at > now - timedelta(days=1), 1)))
            ).where(posts.c.source == name)
        ).one()
        known = last_ok is not None
        found.append(
            Health(
                source=name,
                kind=kind,
                state=state,
                every=table.every,
                last_ok=last_ok,
                next_due=due,
                last_outcome=run.outcome if run else None,
                error=run.error if run else None,
                failures=job.failures if job is not None else 0,
                posts_24h=counts[1] if known else None,
                posts_total=counts[0] if known else None,
                quarantined=aside.get(name, 0),
            )
        )
    return found


def read_cycle_error(connection: sa.Connection) -> str | None:
    """Give why the stages after collecting failed at their last turn; None when they did not, or had none yet."""
    return connection.scalar(sa.select(jobs.c.error).where(jobs.c.name == CYCLE, jobs.c.failures > 0))


def read_quarantine(connection: sa.Connection, limit: int = 100) -> list[Quarantined]:
    """Read what was kept aside last, newest first."""
    rows = connection.execute(sa.select(quarantine).order_by(quarantine.c.id.desc()).limit(limit))
    return [Quarantined(row.source, row.position, row.reason, row.body, row.at) for row in rows]
