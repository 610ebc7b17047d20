"""Tell how each source is: "not connected" and "failed" are never shown as zero mentions (C4, C5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib import import_module
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from listener.budget import Spent, read_budget
from listener.clock import CYCLE, job_of
from listener.gaps import Gap, find_gaps
from listener.lease import Held, read_held
from listener.mention import Quota
from listener.policy import is_open
from listener.reason import N_
from listener.silence import Silence, find_silences
from listener.store import jobs, posts, quarantine, runs
from listener.sums.rollup import rollup_changes, rollup_days
from listener.sweep import job_of_sweep, oldest_check, swept_sources

if TYPE_CHECKING:
    from listener.config import Config

__all__ = [
    "STATES",
    "STRIP",
    "Health",
    "Listens",
    "Quarantined",
    "State",
    "Swept",
    "read_cycle_error",
    "read_health",
    "read_quarantine",
    "to_json",
]

State = Literal[
    "connected", "silent", "late", "failed", "waiting", "stopped", "not installed", "not connected", "never asked"
]
Listens = Literal["asks", "stream", "webhook"]

STATES: dict[State, str] = {
    "connected": N_("connected"),
    "silent": N_("silent against its habit"),
    "late": N_("late"),
    "failed": N_("failed"),
    "waiting": N_("waiting for the platform"),
    "stopped": N_("stopped: the budget is used up"),
    "not installed": N_("its library is not installed"),
    "not connected": N_("not connected"),
    "never asked": N_("never asked yet"),
}

STRIP = timedelta(days=14)  # how far back gaps are told
_LAST = 200  # posts that the lag is measured on
_AMONG, _FEW = 20_000, 20  # newest posts of all sources, and so many of them that are enough for that
_AT_ONCE = timedelta()  # also where clocks differ
_read = datetime.fromisoformat
_OF_OUTCOME: Mapping[str, State] = {
    "ok": "connected", "limited": "waiting", "budget": "stopped", "not installed": "not installed",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Swept:
    """Hold how the search for removed posts stands: when it last ended well, why it failed, who waits longest."""

    last_ok: datetime | None = None
    error: str | None = None
    oldest: datetime | None = None  # when the post that waits longest was last seen at its source


@dataclass(frozen=True, slots=True)
class Health:
    """Hold how one source is; None where nothing is known, which is not zero."""

    source: str
    kind: str
    state: State
    every: timedelta
    listens: Listens = "asks"
    last_ok: datetime | None = None
    next_due: datetime | None = None
    behind: timedelta | None = None  # how long it has been due and nobody has begun
    last_outcome: str | None = None
    error: str | None = None  # plain words, a catalogue sentence
    failures: int = 0  # in a row
    resting: bool = False  # failed so often that it is asked at most every 15 minutes
    held: Held | None = None  # who works on it right now
    posts_24h: int | None = None  # new ones that the runs of the last day brought
    posts_total: int | None = None
    newest: datetime | None = None  # when something new came last
    lag: timedelta | None = None  # from publishing to us: the median of the last 200 posts
    quarantined: int = 0
    quota: Quota | None = None
    budget: Spent | None = None
    silence: Silence | None = None
    gaps: tuple[Gap, ...] = ()  # of the last 14 days, oldest first
    sweep: Swept | None = None  # None for a source that cannot tell what was removed


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
    spent = {one.source: one for one in read_budget(connection, config, now)}
    silent = {one.source: one for one in find_silences(connection, config, now)}
    missed: dict[str, list[Gap]] = {}
    for gap in find_gaps(connection, now - STRIP, now, now):
        missed.setdefault(gap.source, []).append(gap)
    swept = swept_sources(config)
    totals = _totals(connection)
    known = {row.name: row for row in connection.execute(sa.select(jobs))}
    asked = [name for name in config.settings.sources if name in config.sources]
    ran, lags = _read_runs(connection, asked, now), _read_lags(connection, asked)
    found = []
    for name, table in config.settings.sources.items():
        kind = table.kind or name
        if name not in config.sources:
            found.append(Health(name, kind, "not connected", table.every, quarantined=aside.get(name, 0)))
            continue
        job = known.get(job_of(name))
        run = ran[name]
        held = read_held(connection, job_of(name), now) if job is not None and job.holder is not None else None
        due = job.next_due if job is not None else None
        behind = now - due if due is not None and held is None and now > due else None
        state: State = "never asked" if run.outcome is None else _OF_OUTCOME.get(run.outcome, "failed")
        if state == "connected" and behind is not None and behind > 3 * table.every:
            state = "late"
        elif state == "connected" and name in silent:
            state = "silent"
        found.append(
            Health(
                source=name,
                kind=kind,
                state=state,
                every=table.every,
                listens=_listens(config.sources[name]),
                last_ok=run.last_ok,
                next_due=due,
                behind=behind,
                last_outcome=run.outcome,
                error=run.error,
                failures=job.failures if job is not None else 0,
                resting=state == "failed" and is_open(connection, name),
                held=held,
                quarantined=aside.get(name, 0),
                quota=_quota(job.quota if job is not None else None, now),
                budget=spent.get(name),
                silence=silent.get(name),
                gaps=tuple(missed.get(name, ())),
                sweep=_swept(connection, name) if name in swept else None,
                posts_24h=_fresh(run, now, well=state in ("connected", "silent", "late")),
                posts_total=totals.get(name, 0) if run.last_ok is not None else None,
                newest=run.newest,
                lag=lags.get(name),
            )
        )
    return found


def _read_runs(connection: sa.Connection, sources: Sequence[str], now: datetime) -> dict[str, Any]:
    """Give what the runs of each source tell, in one question: few steps into an index for each.

    Columns outcome and error of the last that ended (one that is under way says nothing yet), last_ok, newest (when
    something new came last) and fresh (how much the last day brought); None where there was no such run.
    """
    if not sources:
        return {}
    asked = sa.union_all(*(sa.select(sa.literal(name).label("source")) for name in sources)).cte("asked")
    run = runs.alias("last_run")
    mine, at = runs.c.source == asked.c.source, runs.c.started_at

    def last(column: sa.Column[Any], *which: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
        found = sa.select(column).where(mine, *which).order_by(at.desc(), runs.c.id.desc())
        return found.limit(1).correlate(asked).scalar_subquery()

    fresh = sa.select(sa.func.sum(runs.c.new)).where(mine, at > now - timedelta(days=1)).correlate(asked)
    query = sa.select(
        asked.c.source,
        run.c.outcome,
        run.c.error,
        last(at, runs.c.outcome == sa.literal_column("'ok'")).label("last_ok"),
        last(at, runs.c.new > 0).label("newest"),
        fresh.scalar_subquery().label("fresh"),
    ).select_from(asked.outerjoin(run, run.c.id == last(runs.c.id, runs.c.outcome != "running")))
    return {row.source: row for row in connection.execute(query).all()}


def _listens(settings: Any) -> Listens:
    """Tell how a source hears: it asks, it listens to a stream, or its platform calls us."""
    if hasattr(getattr(import_module(type(settings).__module__), "Source", None), "receive"):
        return "webhook"
    streams = hasattr(settings, "listen") and getattr(settings, "mode", "stream") not in ("search", "hashtags")
    return "stream" if streams else "asks"


def _totals(connection: sa.Connection) -> dict[str, int]:
    """Count the posts of every source by the sums that are kept; a limited reader's own ones by the rows."""
    if connection.get_execution_options().get("guard") is not None:
        counted = sa.select(posts.c.source, sa.func.count()).group_by(posts.c.source)
        return {row[0]: row[1] for row in connection.execute(counted)}
    tables = (rollup_days, rollup_changes)[: 2 if connection.dialect.name == "postgresql" else 1]
    parts = [
        sa.select(table.c.name, table.c.mentions).where(table.c.facet == "collected", table.c.brand == "")
        for table in tables
    ]
    kept = sa.union_all(*parts).subquery()
    summed = sa.select(kept.c.name, sa.func.sum(kept.c.mentions)).group_by(kept.c.name)
    return {name: int(number) for name, number in connection.execute(summed)}


def _fresh(run: Any, now: datetime, *, well: bool) -> int | None:
    """Give what a source brought in a day; where it was not heard, a zero is unknown."""
    heard = run.last_ok is not None and run.last_ok > now - timedelta(days=1)
    return int(run.fresh or 0) if heard and (run.fresh or well) else None


def _read_lags(connection: sa.Connection, sources: Sequence[str]) -> dict[str, timedelta]:
    """Measure how late the last posts of each source came, among the newest of all sources, where it has some there."""
    newest = connection.scalar(sa.select(sa.func.max(posts.c.id))) or 0
    plain = connection.dialect.name == "sqlite"
    found: dict[str, timedelta] = {}
    among: dict[str, list[Any]] = {name: [] for name in sources}
    if sources:
        for row in connection.execute(_among(tuple(sources), plain), {"over": newest - _AMONG}).all():
            among[row[0]].append(row)
    for name, rows in among.items():
        last = rows if len(rows) >= _FEW else connection.execute(_last_posts(name, plain)).all()
        times = [(_read(one), _read(two)) for _, one, two in last] if plain else [(one, two) for _, one, two in last]
        late: list[Any] = [two - one if two > one else _AT_ONCE for one, two in times]
        if late:
            found[name] = median(late)
    return found


def _last_posts(source: str, plain: bool, *which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Give the query of the times of the last posts of a source; `plain`: as text, which is read sooner."""
    times = (posts.c.published_at, posts.c.collected_at)
    told = [sa.type_coerce(time, sa.Text).label(time.name) for time in times] if plain else times
    query = sa.select(sa.literal(source).label("source"), *told).where(*(which or (posts.c.source == source,)))
    return query.order_by(posts.c.id.desc()).limit(_LAST)


@lru_cache(maxsize=8)
def _among(sources: tuple[str, ...], plain: bool) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """Give the query of the last posts of each source among the newest of all, built once for a configuration."""
    over = posts.c.id > sa.bindparam("over")
    # + '' keeps the index of sources out, by which both databases would read all posts of the source and sort them
    parts = [_last_posts(name, plain, posts.c.source + "" == name, over).subquery() for name in sources]
    return sa.union_all(*(sa.select(part) for part in parts))


def _quota(told: Mapping[str, Any] | None, now: datetime) -> Quota | None:
    """Read what the platform last told; requests that were left before a reset that has passed say nothing."""
    if not told:
        return None
    resets = datetime.fromisoformat(told["resets_at"]) if told.get("resets_at") else None
    return None if resets is not None and resets < now else Quota(told.get("left"), told.get("limit"), resets)


def _swept(connection: sa.Connection, source: str) -> Swept:
    job = connection.execute(
        sa.select(jobs.c.last_ok, jobs.c.error).where(jobs.c.name == job_of_sweep(source))
    ).one_or_none()
    oldest = oldest_check(connection, source)
    return Swept(oldest=oldest) if job is None else Swept(job.last_ok, job.error, oldest)


def to_json(one: Health) -> dict[str, Any]:
    """Turn a source's health into plain JSON: times in ISO 8601, spans in seconds, null where nothing is known."""
    told: dict[str, Any] = {name: _plain(getattr(one, name)) for name in Health.__slots__}
    told["gaps"] = [
        {name: _plain(getattr(gap, name)) for name in Gap.__slots__ if name != "source"} for gap in one.gaps
    ]
    for name, kept in (("held", Held), ("quota", Quota), ("budget", Spent), ("silence", Silence), ("sweep", Swept)):
        part = getattr(one, name)
        if part is not None:
            fields: Sequence[str] = kept.__slots__
            told[name] = {field: _plain(getattr(part, field)) for field in fields if field != "source"}
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return dict(value) if isinstance(value, Mapping) else str(value)  # money is exact, and so is its text


def read_cycle_error(connection: sa.Connection) -> str | None:
    """Give why the stages after collecting failed at their last turn; None when they did not, or had none yet."""
    return connection.scalar(sa.select(jobs.c.error).where(jobs.c.name == CYCLE, jobs.c.failures > 0))


def read_quarantine(connection: sa.Connection, limit: int = 100) -> list[Quarantined]:
    """Read what was kept aside last, newest first."""
    rows = connection.execute(sa.select(quarantine).order_by(quarantine.c.id.desc()).limit(limit))
    return [Quarantined(row.source, row.position, row.reason, row.body, row.at) for row in rows]
