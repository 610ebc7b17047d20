"""Tell how many answers will come late: open clocks against the team's own times to answer, unfinished cases honoured.

How long a department takes is learnt from its last cases, alerts round the clock and the others in its working hours.
A case that is still open, or was when it was last seen, counts as lasting at least so long (Kaplan and Meier).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.config import Config
from listener.mention import aware
from listener.reason import N_
from stakeholders.casework.step import TAKEN_BACK
from stakeholders.clocks.survival import Curve, likely_count, survival
from stakeholders.clocks.worktime import Hours, Ruler
from stakeholders.counting.response import in_order, unfinished
from stakeholders.sla import hours_of
from stakeholders.store import cases, events
from stakeholders.wording import Wording

__all__ = ["MIN_ENDED", "MIN_KNOWN", "CaseChance", "DepartmentForecast", "Forecast", "forecast", "forecast_lines"]

MIN_ENDED = 20  # cases that came to an end, below which nothing is said of a department
MIN_KNOWN = 5  # cases that lasted as long as one has, below which nothing is said of that one
_PAST = timedelta(days=180)
_MOST = 500  # latest cases of a department and kind of clock: what it does now, not years ago
_CHUNK = 500
_OVER = ("answered", "closed", "dismissed")
_Key = tuple[str, bool]  # department, and whether the clock runs round the clock


@dataclass(frozen=True, slots=True)
class CaseChance:
    """Hold one open case whose clock runs out within the horizon, and how likely nobody answers in time."""

    case_id: int
    priority: str
    due_at: datetime
    chance: float | None  # None: too few cases lasted as long to say


@dataclass(frozen=True, slots=True)
class DepartmentForecast:
    """Hold what a department is in for; `expected` is of the cases due within the horizon that are not `untold`."""

    department: str
    open: int  # not answered, closed or dismissed
    overdue: int  # of the open: late already
    due_within: int  # of the open: the clock runs out within the horizon
    expected: float | None  # how many of these come late, on average; None: too little is known
    low: int | None  # with 80 % between these two, if the past is a guide
    high: int | None
    untold: int  # of due_within: too little is known of cases like them
    sample: int  # cases that came to an end, which this is learnt from
    unfinished: int  # cases that were still open, honoured as lasting at least so long
    cases: tuple[CaseChance, ...]  # likeliest to be late first, then the untold, each by due time


@dataclass(frozen=True, slots=True)
class Forecast:
    """Hold the forecast of every department with open cases, most expected late answers first."""

    at: datetime
    until: datetime
    departments: tuple[DepartmentForecast, ...]


class _Clocks:
    """Measure how long cases lasted, each on its own clock: all hours for an alert, else its department's work."""

    def __init__(self, config: Config, starts: Mapping[int, datetime], until: datetime) -> None:
        self._settings, self._starts, self._until = config.settings, starts, until
        self._first = min(starts.values(), default=until)
        self._rulers: dict[str, Ruler] = {}
        self._same: dict[Hours, Ruler] = {}  # most departments work the same hours

    def lasted(self, row: sa.Row[Any], until: datetime) -> float:
        """Give the seconds of clock time from the start of a case's clock."""
        start = self._starts[row.id]
        if row.priority == "alert":
            return max(0.0, (until - start).total_seconds())
        if row.department not in self._rulers:
            hours = hours_of(self._settings, row.department)
            if hours not in self._same:
                self._same[hours] = Ruler(hours, self._first, self._until)
            self._rulers[row.department] = self._same[hours]
        return self._rulers[row.department].worked(start, until).total_seconds()


def forecast(
    connection: Connection, config: Config, now: datetime, horizon: timedelta, brand: str | None = None
) -> Forecast:
    """Forecast late answers until `now + horizon`, of one brand's cases or of all; learnt from every brand's past.

    `now` is the present: what the tables held at an earlier moment is not asked.
    """
    now = aware(now)
    past, waiting = _past(connection, now), _open(connection, brand)
    clocks = _Clocks(config, _starts(connection, (*past, *waiting)), now + horizon)
    learnt: dict[_Key, list[tuple[float, bool]]] = defaultdict(list)
    for row in past:
        ended = min((at for at in (row.answered_at, row.closed_at) if at is not None and at <= now), default=None)
        if ended is None and row.status in _OVER:
            continue  # when it ended is not told
        learnt[_key(row)].append((clocks.lasted(row, ended or now), ended is not None))
    curves = {key: survival([time for time, _ in seen], [over for _, over in seen]) for key, seen in learnt.items()}
    chances: dict[str, list[CaseChance]] = defaultdict(list)
    found: dict[str, list[sa.Row[Any]]] = defaultdict(list)
    for row in waiting:
        found[row.department].append(row)
        if row.due_at is not None and now <= row.due_at <= now + horizon:
            chance = _chance(curves.get(_key(row)), clocks.lasted(row, now), clocks.lasted(row, row.due_at))
            chances[row.department].append(CaseChance(row.id, row.priority, row.due_at, chance))
    told = [_department(name, rows, chances[name], curves, now) for name, rows in found.items()]
    told.sort(key=lambda one: (-(one.expected or 0), -one.due_within, one.department))
    return Forecast(now, now + horizon, tuple(told))


def forecast_lines(told: Forecast, words: Wording) -> list[str]:
    """Word a forecast, one sentence a department whose clocks run out within the horizon; [] when none does."""
    lines = []
    for one in told.departments:
        if not one.due_within:
            continue
        facts: dict[str, Any] = {"department": one.department, "due": one.due_within, "sample": one.sample}
        facts["quote_time"] = words.moment(told.until)
        if one.expected is None:
            sentence = N_(
                "{department}: answers owed until {quote_time}: {due}; too few answered cases to learn from ({sample}) "
                "to say how many will come late"
            )
            lines.append(words.say(sentence, **facts))
            continue
        sentence = N_(
            "{department}: answers owed until {quote_time}: {due}; likely to come late: {late} "
            "({low} to {high}, learnt from {sample} cases)"
        )
        line = words.say(sentence, **facts, late=round(one.expected, 1), low=one.low, high=one.high)
        if one.untold:
            line += " · " + words.say(N_("too little is known to say it of {count} more"), count=one.untold)
        lines.append(line)
    return lines


def _key(row: sa.Row[Any]) -> _Key:
    return row.department, row.priority == "alert"


def _department(
    name: str,
    rows: Sequence[sa.Row[Any]],
    chances: Sequence[CaseChance],
    curves: Mapping[_Key, Curve],
    now: datetime,
) -> DepartmentForecast:
    likely = [one.chance for one in chances if one.chance is not None]
    known = bool(likely) or not chances
    low, high = likely_count(likely)
    mine = [curve for (department, _), curve in curves.items() if department == name]
    return DepartmentForecast(
        department=name,
        open=len(rows),
        overdue=sum(row.due_at is not None and row.due_at < now for row in rows),
        due_within=len(chances),
        expected=sum(likely) if known else None,
        low=low if known else None,
        high=high if known else None,
        untold=len(chances) - len(likely),
        sample=sum(curve.ended for curve in mine),
        unfinished=sum(len(curve.lasted) - curve.ended for curve in mine),
        cases=tuple(sorted(chances, key=_urgency)),
    )


def _chance(curve: Curve | None, lasted: float, until: float) -> float | None:
    if curve is None or curve.ended < MIN_ENDED or curve.known_at(lasted) < MIN_KNOWN:
        return None
    return curve.after(lasted, until)


def _urgency(one: CaseChance) -> tuple[bool, float, datetime, int]:
    return one.chance is None, -(one.chance or 0), one.due_at, one.case_id


_COLUMNS = (
    cases.c.id, cases.c.department, cases.c.priority, cases.c.status, cases.c.opened_at, cases.c.due_at,
    cases.c.answered_at, cases.c.closed_at,
)  # fmt: skip


def _past(connection: Connection, now: datetime) -> list[sa.Row[Any]]:
    """Read the latest cases with a clock of each department and kind of clock, finished or not."""
    alert = sa.case((cases.c.priority == "alert", 1), else_=0)
    place = sa.func.row_number().over(
        partition_by=(cases.c.department, alert), order_by=(cases.c.opened_at.desc(), cases.c.id.desc())
    )
    clocked = sa.and_(
        cases.c.due_at.is_not(None),
        cases.c.merged_into.is_(None),  # it ended by no answer of its own
        cases.c.opened_at >= now - _PAST,
        cases.c.opened_at <= now,
    )
    ranked = sa.select(*_COLUMNS, place.label("place")).where(clocked).subquery()
    return list(connection.execute(sa.select(ranked).where(ranked.c.place <= _MOST)))


def _open(connection: Connection, brand: str | None) -> list[sa.Row[Any]]:
    open_here, put_off = unfinished(brand)
    query = sa.select(*_COLUMNS).where(cases.c.answered_at.is_(None))
    rows = [*connection.execute(query.where(open_here)), *connection.execute(in_order(query.where(put_off)))]
    return sorted(rows, key=lambda row: row.id)


def _starts(connection: Connection, rows: Iterable[sa.Row[Any]]) -> dict[int, datetime]:
    """Give when each case's clock began: at its opening, or when it was last opened again or became an alert."""
    starts = {row.id: row.opened_at for row in rows}
    ids = sorted(starts)
    for first in range(0, len(ids), _CHUNK):
        happened = (
            sa.select(events.c.case_id, events.c.at, events.c.what, events.c.after)
            .where(
                events.c.case_id.in_(ids[first : first + _CHUNK]),
                events.c.what.in_(("reopened", "joined", "rerouted")),
            )
            .order_by(events.c.id)
        )
        for row in connection.execute(happened):
            after = row.after or {}
            again = row.what == "reopened" and after.get("status") == "new" and not after.get(TAKEN_BACK)
            if again or (row.what != "reopened" and after.get("priority") == "alert"):
                starts[row.case_id] = max(starts[row.case_id], row.at)
    return starts
