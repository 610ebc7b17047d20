"""Tell when each source was heard in a period of local days: the one door of figures, charts and letters to gaps."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.failure import worded
from listener.gaps import Gap, find_gaps, heard_spans
from listener.reason import N_, say
from listener.store import runs
from stakeholders.counting.period import Period, midnight

__all__ = ["Gap", "gaps", "heard_days", "new_by_day", "why"]

_WHY = {
    "before": N_("it was connected later"),
    "silent": N_("nobody asked it"),
    "never asked": N_("never asked yet"),
    "unreachable": N_("it did not answer"),
    "stuck": N_("it did not answer"),
    "not allowed": N_("it refused the key"),
    "limited": N_("it asked to wait"),
    "unreadable": N_("its answer could not be read"),
    "refused": N_("its address is not on the list of hosts"),
    "not installed": N_("its library is not installed"),
    "budget": N_("its budget was used up"),
}


def gaps(connection: Connection, period: Period, now: datetime | None = None) -> list[Gap]:
    """Find the stretches of a period in which a source was not heard, by source and time; see listener.gaps."""
    return find_gaps(connection, period.start, period.end, now)


def why(gap: Gap, lang: str) -> str:
    """Say why a source was not heard."""
    return worded(gap.why, lang) if gap.lost else say(_WHY.get(gap.why, N_("it failed")), lang)


def heard_days(connection: Connection, period: Period) -> frozenset[date]:
    """Give the local days of a period in which at least one source was heard for a time."""
    spans = [span for heard in heard_spans(connection, period.start, period.end).values() for span in heard]
    found = set()
    for day in period.days:
        begins, ends = midnight(day.date, period.zone), midnight(day.date + timedelta(days=1), period.zone)
        if any(start < ends and (end > begins or start == end == begins) for start, end in spans):
            found.add(day.date)
    return frozenset(found)


def new_by_day(connection: Connection, period: Period) -> dict[str, dict[date, int]]:
    """Count what each source brought that was new, by the local day on which it came; days without any are left out."""
    from stakeholders.counting.tally import date_of, is_limited, source_sums  # which counts by what was heard

    found: dict[str, dict[date, int]] = {}
    if not is_limited(connection):
        sums = source_sums(connection, period, "brought")
        keys, number = (sums.c.name, sums.c.day), sa.func.sum(sums.c.mentions)
        for source, day, new in connection.execute(sa.select(*keys, number).group_by(*keys).having(number > 0)):
            found.setdefault(source, {})[date_of(day)] = int(new)
        return found
    hour = sa.cast(sa.extract("epoch", runs.c.started_at), sa.BigInteger) // 3600
    query = (
        sa.select(runs.c.source, hour.label("hour"), sa.func.sum(runs.c.new).label("new"))
        .where(runs.c.new > 0)
        .where(runs.c.started_at >= _moment(period.first_hour), runs.c.started_at < _moment(period.end_hour))
        .group_by(runs.c.source, hour)
    )
    edges = [day.end for day in period.days]
    for row in connection.execute(query):
        days = found.setdefault(row.source, {})
        day = period.days[bisect_right(edges, row.hour)].date
        days[day] = days.get(day, 0) + int(row.new)
    return found


def _moment(hour: int) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC)
