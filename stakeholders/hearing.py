"""Tell when each source was heard: a stretch without a successful run is a gap, and a gap is never zero."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.store import runs
from stakeholders.period import Period, midnight

__all__ = ["Gap", "gaps", "heard_days"]

# A source is missed when it was not heard for three times its usual longest step, and never for less than this.
_PATIENCE = timedelta(hours=2)
_LOOK_BACK = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Gap:
    """Hold a stretch in which a source brought nothing because it was not heard.

    `why` is "before" (its first run came later), "silent" (nobody asked it), or the outcome of its last failed run
    ("unreachable", "not allowed", "limited", "unreadable", "refused"…). Posts of that time may have come later.
    """

    source: str
    start: datetime
    end: datetime
    why: str


def gaps(connection: Connection, period: Period, now: datetime | None = None) -> list[Gap]:
    """Find the stretches of a period in which a source was not heard, by source and time.

    With `now`, what lies after it is not missed yet. A source that ran once or twice (an import) has no usual step and
    therefore no gaps; one that was not heard in the period and the 28 days around it was no source then. Source: the
    run table.
    """
    until = period.end if now is None else max(period.start, min(period.end, aware(now)))
    found = []
    for source, (_, misses) in _listen(connection, period, until).items():
        for start, end, why in misses:
            found.append(Gap(source, start, end, why or _failure(connection, source, start, end)))
    return sorted(found, key=lambda gap: (gap.source, gap.start))


def heard_days(connection: Connection, period: Period) -> frozenset[date]:
    """Give the local days of a period in which at least one source was heard for a time."""
    spans = [span for heard, _ in _listen(connection, period, period.end).values() for span in heard]
    found = set()
    for day in period.days:
        begins, ends = midnight(day.date, period.zone), midnight(day.date + timedelta(days=1), period.zone)
        if any(start < ends and (end > begins or start == end == begins) for start, end in spans):
            found.add(day.date)
    return frozenset(found)


def _listen(
    connection: Connection, period: Period, until: datetime
) -> dict[str, tuple[list[tuple[datetime, datetime]], list[tuple[datetime, datetime, str]]]]:
    """Give for each source when it was heard (spans between successful runs), and when it was missed."""
    at = runs.c.started_at
    edges = (
        sa.select(
            runs.c.source,
            sa.func.max(at, type_=at.type).filter(at < period.start).label("before"),
            sa.func.min(at, type_=at.type).filter(at >= period.start, at < period.end).label("first"),
            sa.func.max(at, type_=at.type).filter(at >= period.start, at < period.end).label("last"),
            sa.func.min(at, type_=at.type).filter(at >= period.end).label("after"),
        )
        .where(at >= period.start - _LOOK_BACK, at < period.end + _LOOK_BACK, runs.c.outcome == "ok")
        .group_by(runs.c.source)
        .order_by(runs.c.source)
    )
    usual = _usual_steps(connection, period)
    long = _long_steps(connection, period)
    heard: dict[str, tuple[list[tuple[datetime, datetime]], list[tuple[datetime, datetime, str]]]] = {}
    for row in connection.execute(edges):
        moments = [moment for moment in (row.before, row.first, row.last, row.after) if moment is not None]
        if row.source not in usual:
            heard[row.source] = ([(moment, moment) for moment in moments], [])
            continue
        patience = max(_PATIENCE, 3 * usual[row.source])
        pairs = [(row.before, row.first or row.after), *long.get(row.source, ()), (row.last, row.after)]
        cuts = [(one, two) for one, two in pairs if one is not None and two is not None and two - one > patience]
        spans, start = [], moments[0]
        for gone, back in cuts:
            spans.append((start, gone))
            start = back
        spans.append((start, moments[-1]))
        if row.after is None and until - moments[-1] > patience:
            cuts.append((moments[-1], until))
        misses = [(max(one, period.start), min(two, until), "") for one, two in cuts]
        if row.before is None and row.first is not None and row.first - period.start > patience:
            misses.insert(0, (period.start, min(row.first, until), "before"))
        heard[row.source] = (spans, [miss for miss in misses if miss[0] < miss[1]])
    return heard


def _usual_steps(connection: Connection, period: Period) -> dict[str, timedelta]:
    """Give the step that 19 of 20 runs of a source keep to, good or bad, in the period and the 28 days before."""
    at = runs.c.started_at
    steps = (
        sa.select(runs.c.source, _seconds_since_last().label("seconds"))
        .where(at >= period.start - _LOOK_BACK, at < period.end)
        .subquery()
    )
    tiles = (
        sa.select(
            steps.c.source,
            steps.c.seconds,
            sa.func.ntile(20).over(partition_by=steps.c.source, order_by=steps.c.seconds).label("tile"),
        )
        .where(steps.c.seconds.is_not(None))
        .subquery()
    )
    query = (
        sa.select(tiles.c.source, sa.func.max(tiles.c.seconds).filter(tiles.c.tile < 20).label("usual"))
        .group_by(tiles.c.source)
        .having(sa.func.count() > 1)
    )
    return {row.source: timedelta(seconds=float(row.usual)) for row in connection.execute(query)}


def _long_steps(connection: Connection, period: Period) -> dict[str, list[tuple[datetime, datetime]]]:
    """Give the steps between two successful runs in the period that are longer than any patience, oldest first."""
    at = runs.c.started_at
    before = sa.func.lag(at, type_=at.type).over(partition_by=runs.c.source, order_by=at).label("before")
    steps = (
        sa.select(runs.c.source, at, before, _seconds_since_last().label("seconds"))
        .where(runs.c.outcome == "ok", at >= period.start, at < period.end)
        .subquery()
    )
    query = sa.select(steps).where(steps.c.seconds > _PATIENCE.total_seconds()).order_by(steps.c.started_at)
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.source, []).append((row.before, row.started_at))
    return found


def _seconds_since_last() -> sa.ColumnElement[int]:
    seconds = sa.extract("epoch", runs.c.started_at)
    return seconds - sa.func.lag(seconds).over(partition_by=runs.c.source, order_by=runs.c.started_at)


def _failure(connection: Connection, source: str, start: datetime, end: datetime) -> str:
    at = runs.c.started_at
    query = (
        sa.select(runs.c.outcome)
        .where(runs.c.source == source, runs.c.outcome.not_in(("ok", "running")), at >= start, at <= end)
        .order_by(at.desc())
        .limit(1)
    )
    return connection.scalar(query) or "silent"
