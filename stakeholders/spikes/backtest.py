"""Measure on an instance's own past how often the rule for spikes would have alarmed, and how often it was wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.store import mentions
from stakeholders.counting.counts import counted, moment_of
from stakeholders.spikes.baseline import SPANS
from stakeholders.spikes.rise import alarms_of, could_alarm
from stakeholders.spikes.traffic import HISTORY, Traffic, hour_of
from stakeholders.store import cases
from stakeholders.store import spikes as table

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["BackTest", "back_test"]

DAYS = 60
_STEPS = 6  # looks an hour
_APART = 6  # calm hours between two alarms; nearer ones are one
_MONTH = 730.0


@dataclass(frozen=True, slots=True)
class BackTest:
    """Hold what the rule of today would have done over the past days of one brand.

    Which of those alarms were false nobody can know but people: `dismissed` were closed as noise by a person, `real`
    belong to a crisis case that people kept; the others are unknown, and count as false in `at_most`.
    """

    brand: str
    days: float  # heard, and with something to compare with
    alarms: int
    a_month: float | None  # alarms; None: nothing could be compared
    real: int
    dismissed: int
    at_most: float | None  # false alarms a month, when every alarm that is not known as real was false
    onsets: tuple[datetime, ...]


def back_test(connection: Connection, config: Config, now: datetime, brand: str, days: int = DAYS) -> BackTest:
    """Run the rule over the last days of one brand as it would have run then, ten minutes by ten minutes.

    Mentions are read of those hours alone whose sums leave it open whether a spike would have been found.
    """
    import numpy as np

    traffic = Traffic()
    traffic.fill(connection, [brand], now, back=days * 24 + HISTORY)
    series = traffic.series.get((brand, "all"))
    if series is None:
        return BackTest(brand, 0.0, 0, None, 0, 0, None, ())
    start = hour_of(now) - days * 24
    known = series.heard & np.isfinite(series.told.mean) & ~series.told.young
    known[: start - series.first] = False
    known[-1] = False  # the hour that is still running
    fine = np.zeros((len(series.counts), _STEPS))
    fine[:, 0] = series.counts
    doubtful = np.flatnonzero(known & could_alarm(series.counts, series.told, _STEPS, config.settings.spikes))
    read = np.unique([doubtful - back for back in range(max(SPANS) + 1)])  # all that a window can reach back to
    fine[read] = 0
    part = sa.cast(sa.extract("minute", mentions.c.published_at), sa.Integer) // (60 // _STEPS)
    query = (
        sa.select(mentions.c.hour, part.label("part"), sa.func.count())
        .select_from(counted())
        .where(mentions.c.brand == brand, mentions.c.hour.in_([series.first + place for place in read.tolist()]))
        .where(mentions.c.source.not_in(series.fresh))
        .group_by(mentions.c.hour, "part")
    )
    for hour, step, number in connection.execute(query):
        fine[hour - series.first, int(step)] += number
    loud = alarms_of(fine.ravel(), series.told, _STEPS, config.settings.spikes)
    loud &= np.repeat(known, _STEPS)
    places = np.flatnonzero(loud)
    firsts = places[np.append(True, np.diff(places) > _APART * _STEPS)] if len(places) else places
    hours = [series.first + int(place) // _STEPS for place in firsts]
    judged = connection.execute(
        sa.select(table.c.hour, table.c.ended_at, cases.c.status)
        .join(cases, cases.c.id == table.c.case_id)
        .where(table.c.brand == brand, table.c.hour >= start - 24)
    ).all()
    told = [_status(hour, judged) for hour in hours]
    months = float(known.sum()) / _MONTH
    real = sum(status in ("acknowledged", "answered", "closed") for status in told)
    return BackTest(
        brand=brand,
        days=float(known.sum()) / 24,
        alarms=len(hours),
        a_month=len(hours) / months if months else None,
        real=real,
        dismissed=told.count("dismissed"),
        at_most=(len(hours) - real) / months if months else None,
        onsets=tuple(moment_of(hour) for hour in hours),
    )


def _status(hour: int, judged: Sequence[Any]) -> str:
    """Give what people made of the crisis that an alarm belongs to; empty when there was none."""
    for row in judged:
        ended = hour + 1 if row.ended_at is None else hour_of(row.ended_at)
        if row.hour - 2 <= hour <= ended:
            return str(row.status)
    return ""
