"""Tell when each source was heard: a stretch that nobody listened to, or that could not be read, is never zero.

Two things make a gap: time between two successful runs that is longer than the source's own habit (the run table), and
a stretch of which the source itself knows that its posts are lost (the hole table).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import aware
from listener.store import holes, runs
from listener.sums.habit import run_habits, run_pauses

__all__ = ["Gap", "find_gaps", "heard_spans"]

# A source is missed when it was not heard for three times its usual longest step, and never for less than this.
_PATIENCE = timedelta(hours=2)
_LOOK_BACK = timedelta(days=28)

_Span = tuple[datetime, datetime]
_Heard = dict[str, tuple[list[_Span], list[_Span], timedelta | None]]


@dataclass(frozen=True, slots=True)
class Gap:
    """Hold a stretch in which a source brought nothing because it was not heard.

    `why` is "before" (its first run came later), "silent" (nobody asked it), the outcome of its last failed run
    ("unreachable", "not allowed", "limited", "unreadable", "refused"…), or the catalogue sentence of a hole. Posts of
    that time may have come later, but not those of a hole: they are `lost`.
    """

    source: str
    start: datetime
    end: datetime
    why: str
    lost: bool = False


def find_gaps(
    connection: Connection, start: datetime, end: datetime, now: datetime | None = None, source: str | None = None
) -> list[Gap]:
    """Find the stretches of start ≤ t < end in which a source was not heard, by source and time; none overlap.

    With `now`, what lies after it is not missed yet; with `source`, only that one is looked at. A source that ran once
    or twice (an import) has no usual step and therefore no gaps but its holes; one that was not heard in that time and
    the 28 days around it was no source then.
    """
    until = end if now is None else max(start, min(end, aware(now)))
    lost = _holes(connection, start, end, source)
    found = [gap for gaps in lost.values() for gap in gaps]
    for name, (_, misses, first) in _listen(connection, start, end, until, source).items():
        for one, two in misses:
            parts = [Gap(name, one, two, "")]
            for hole in lost.get(name, ()):
                parts = [left for part in parts for left in _without(part, hole)]
            for part in parts:
                why = "before" if first == two else _failure(connection, name, part.start, part.end)
                found.append(replace(part, why=why))
    return sorted(found, key=lambda gap: (gap.source, gap.start))


def heard_spans(connection: Connection, start: datetime, end: datetime) -> dict[str, list[_Span]]:
    """Give for each source the spans in which it was heard: from one successful run to the last before a gap.

    A source that ran once or twice was heard at those moments. Holes are no hearing.
    """
    lost = _holes(connection, start, end)
    heard = {}
    for source, (spans, _, _) in _listen(connection, start, end, end).items():
        parts = [Gap(source, one, two, "") for one, two in spans]
        for hole in lost.get(source, ()):
            parts = [left for part in parts for left in _without(part, hole)]
        heard[source] = [(part.start, part.end) for part in parts]
    return heard


def _without(part: Gap, hole: Gap) -> list[Gap]:
    """Cut a hole out of a stretch; what is left are its two ends, or fewer."""
    if hole.end <= part.start or hole.start >= part.end:
        return [part]
    left = [replace(part, end=hole.start), replace(part, start=hole.end)]
    return [one for one in left if one.start < one.end]


def _of(column: sa.Column[str], source: str | None) -> sa.ColumnElement[bool]:
    return sa.true() if source is None else column == source


def _holes(connection: Connection, start: datetime, end: datetime, source: str | None = None) -> dict[str, list[Gap]]:
    """Read the holes of each source inside a stretch, those that touch or overlap as one."""
    rows = connection.execute(
        sa.select(holes)
        .where(holes.c.started_at < end, holes.c.ended_at > start, _of(holes.c.source, source))
        .order_by(holes.c.source, holes.c.started_at, holes.c.ended_at)
    )
    found: dict[str, list[Gap]] = {}
    for row in rows:
        known = found.setdefault(row.source, [])
        one, two = max(row.started_at, start), min(row.ended_at, end)
        if known and one <= known[-1].end:
            known[-1] = replace(known[-1], end=max(known[-1].end, two))
        elif one < two:
            known.append(Gap(row.source, one, two, row.why, lost=True))
    return found


def _listen(
    connection: Connection, start: datetime, end: datetime, until: datetime, source: str | None = None
) -> _Heard:
    """Give for each source when it was heard (spans between successful runs), when it was missed, and its first run.

    The first run is None where the source was heard before `start`.
    """
    habits = _habits(connection, start, end, source)
    long = _long_steps(connection, start, end, source)
    heard: _Heard = {}
    for row in connection.execute(_edges(start, end, source)):
        moments = [moment for moment in (row.before, row.first, row.last, row.after) if moment is not None]
        if not moments:
            continue
        patience = habits.get(row.source)
        if patience is None:
            heard[row.source] = ([(moment, moment) for moment in moments], [], None)
            continue
        pairs = [(row.before, row.first or row.after), *long.get(row.source, ()), (row.last, row.after)]
        cuts = [(one, two) for one, two in pairs if one is not None and two is not None and two - one > patience]
        spans, begins = [], moments[0]
        for gone, back in cuts:
            spans.append((begins, gone))
            begins = back
        spans.append((begins, moments[-1]))
        if row.after is None and until - moments[-1] > patience:
            cuts.append((moments[-1], until))
        misses = [(max(one, start), min(two, until)) for one, two in cuts]
        first = None
        if row.before is None and row.first is not None and row.first - start > patience:
            first = min(row.first, until)
            misses.insert(0, (start, first))
        heard[row.source] = (spans, [miss for miss in misses if miss[0] < miss[1]], first)
    return heard


def _edges(start: datetime, end: datetime, source: str | None) -> sa.Select[Any]:
    """Give the query of the successful runs nearest to both ends of a stretch, four steps into an index a source."""
    at = runs.c.started_at
    if source is None:
        # Names are stepped through in the index as well: there are few of them among many runs.
        first = sa.select(sa.func.min(runs.c.source).label("source")).cte("names", recursive=True)
        following = sa.select(sa.func.min(runs.c.source)).where(runs.c.source > first.c.source).scalar_subquery()
        names: sa.FromClause = first.union_all(sa.select(following).where(first.c.source.is_not(None)))
    else:
        names = sa.select(sa.literal(source).label("source")).cte("names")

    def nearest(low: datetime, high: datetime, *, newest: bool) -> sa.ScalarSelect[Any]:
        mine = sa.and_(runs.c.source == names.c.source, runs.c.outcome == sa.literal_column("'ok'"))
        found = sa.select(at).where(mine, at >= low, at < high)
        return found.order_by(at.desc() if newest else at).limit(1).correlate(names).scalar_subquery()

    return (
        sa.select(
            names.c.source,
            nearest(start - _LOOK_BACK, start, newest=True).label("before"),
            nearest(start, end, newest=False).label("first"),
            nearest(start, end, newest=True).label("last"),
            nearest(end, end + _LOOK_BACK, newest=False).label("after"),
        )
        .where(names.c.source.is_not(None))
        .order_by(names.c.source)
    )


def _habits(connection: Connection, start: datetime, end: datetime, source: str | None) -> dict[str, timedelta]:
    """Give how long each source may be silent: three times the step that 19 of 20 runs, good or bad, keep to.

    Of the steps in the stretch and the 28 days before, in whole UTC days; a source of fewer than two has no habit.
    """
    first, last = _day(start - _LOOK_BACK), _day(end - timedelta(microseconds=1))
    query = (
        sa.select(run_habits.c.source, run_habits.c.minutes, sa.func.sum(run_habits.c.steps).label("steps"))
        .where(run_habits.c.day >= first, run_habits.c.day <= last, run_habits.c.since >= first)
        .where(_of(run_habits.c.source, source))
        .group_by(run_habits.c.source, run_habits.c.minutes)
        .having(sa.func.sum(run_habits.c.steps) > 0)
        .order_by(run_habits.c.source, run_habits.c.minutes.desc())
    )
    longest: dict[str, list[tuple[int, int]]] = {}
    for name, minutes, steps in connection.execute(query):
        longest.setdefault(name, []).append((minutes, int(steps)))
    found = {}
    for name, told in longest.items():
        left = sum(steps for _, steps in told)
        if left < 2:
            continue
        left //= 20  # so many steps are longer than the habit
        usual = next(minutes for minutes, passed in _passed(told) if passed > left)
        found[name] = max(_PATIENCE, timedelta(minutes=3 * usual))
    return found


def _passed(told: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Give each length with how many steps are as long or longer."""
    passed = 0
    for minutes, steps in told:
        passed += steps
        yield minutes, passed


def _day(moment: datetime) -> int:
    return int(moment.timestamp() // 86_400)


def _long_steps(
    connection: Connection, start: datetime, end: datetime, source: str | None
) -> dict[str, Sequence[_Span]]:
    """Give the steps between two successful runs in the stretch that are longer than any patience, oldest first."""
    query = (
        sa.select(run_pauses)
        .where(run_pauses.c.ended_at >= start, run_pauses.c.ended_at < end, run_pauses.c.started_at >= start)
        .where(_of(run_pauses.c.source, source))
        .order_by(run_pauses.c.source, run_pauses.c.ended_at)
    )
    found: dict[str, list[_Span]] = {}
    for row in connection.execute(query):
        found.setdefault(row.source, []).append((row.started_at, row.ended_at))
    return dict(found)


def _failure(connection: Connection, source: str, start: datetime, end: datetime) -> str:
    at = runs.c.started_at
    query = (
        sa.select(runs.c.outcome)
        .where(runs.c.source == source, runs.c.outcome.not_in(("ok", "running")), at >= start, at <= end)
        .order_by(at.desc())
        .limit(1)
    )
    return connection.scalar(query) or "silent"
