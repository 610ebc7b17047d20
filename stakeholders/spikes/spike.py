"""Find spikes while they rise, keep them until they are over, and give those of a period: a stage of every cycle.

What an hour lets expect is `baseline`'s, what counts as too much `rise`'s, why it happens `drivers`' and the case that
comes of it `crisis`'. Everything is read from the database, so a process that is killed anywhere finds the same spikes
again; one that is known is never written twice.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import add_new
from listener.reason import Reason, from_json, to_json
from stakeholders.counting.counts import moment_of
from stakeholders.counting.period import Period
from stakeholders.spikes.baseline import LOUD, SPANS, quantile
from stakeholders.spikes.drivers import Drivers, find_drivers
from stakeholders.spikes.lately import Lately, look_lately
from stakeholders.spikes.outbreak import dated, word_cause
from stakeholders.spikes.rise import is_alarm, mean_of
from stakeholders.spikes.traffic import MEASURES, Measure, Series, Traffic, count_since, hour_of
from stakeholders.store import spikes as table

if TYPE_CHECKING:
    from listener.config import Config
    from listener.mention import Brand
    from listener.tables.spiking import Spikes

__all__ = ["Spike", "prepare_spikes", "read_spike", "spikes", "watch_spikes"]

log = logging.getLogger("escucha.stakeholders")

QUIET = 3  # whole calm hours end a spike; a rise within as many of its end goes on with it
_LONGEST = 24  # hours that an onset is looked for
_GREW = 1.1  # a spike is told anew when it grew by a tenth
_USUAL = 1.96  # z of the range that is shown: 95 of 100 such stretches lie in it
_EARLIER = timedelta(weeks=4)
_LOCK = 7_021_997  # an arbitrary number that only this stage asks PostgreSQL for


@dataclass(frozen=True, slots=True)
class Spike:
    """Hold one spike: since when, how much came and was expected since then, and what drives it.

    `low` and `high` hold 95 of 100 stretches like it; `young` says that less than two weeks were there to compare with.
    """

    id: int
    brand: str
    measure: Measure
    onset: datetime
    found_at: datetime
    ended_at: datetime | None
    observed: int
    expected: float
    low: float
    high: float
    sample: int
    because: tuple[Reason, ...]
    words: tuple[str, ...]
    harmful: int
    texts: int
    people: int
    young: bool
    case_id: int | None
    department: str | None = None
    stakeholder: str | None = None
    intent: str | None = None


@dataclass(frozen=True, slots=True)
class _Rise:
    """Hold what is counted of a rise at one moment."""

    onset: int  # hour
    observed: int
    expected: float
    low: float
    high: float
    sample: int
    young: bool


def prepare_spikes(connection: Connection, config: Config, now: datetime, traffic: Traffic) -> None:
    """Read what past weeks let expect into `traffic` where a spike is on or near, so that no write waits for it."""
    settings = config.settings.spikes
    keys = [one.key for one in _watched(config)]
    if settings.enabled and not look_lately(connection, keys, now).is_calm(settings.least):
        traffic.fill(connection, keys, now)


def _watched(config: Config) -> list[Brand]:
    return [one for one in config.brands if one.kind == "own" or config.settings.spikes.competitors]


def watch_spikes(connection: Connection, config: Config, now: datetime, traffic: Traffic | None = None) -> list[Spike]:
    """Find, follow and end spikes at `now`, in the caller's transaction; give those that are on.

    A harmful one of our own brands opens its crisis case here. `traffic` is a memory that the caller keeps between
    cycles: with it, past weeks are read once an hour only.
    """
    settings = config.settings.spikes
    if not settings.enabled:
        return []
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    watched = _watched(config)
    keys = [one.key for one in watched]
    lately = look_lately(connection, keys, now)
    if lately.is_calm(settings.least):
        return []  # most cycles end here
    traffic = traffic or Traffic()
    traffic.fill(connection, keys, now)
    from stakeholders.spikes.crisis import settle_crisis

    found = []
    for brand in watched:
        current = []
        for measure in MEASURES:
            series = traffic.series.get((brand.key, measure))
            if series is None:
                continue
            spike = _follow(connection, config, series, lately, now)
            if spike is not None:
                current.append(spike)
        if brand.kind == "own" and current:
            settle_crisis(connection, config, current, now)
            current = [_read_one(connection, spike.id) for spike in current]
        found.extend(current)
    return found


def _follow(connection: Connection, config: Config, series: Series, lately: Lately, now: datetime) -> Spike | None:
    """Settle one brand's measure: a spike that begins, goes on, comes back or ends; give the one that is on."""
    settings = config.settings.spikes
    counts, hour = _refresh(series, lately), lately.hour
    last = lately.latest.get((series.brand, series.measure))
    if last is not None and last.ended_at is None:
        return _go_on(connection, config, series, counts, last, now)
    if not _is_loud(connection, series, counts, now, settings):
        return None
    onset = _onset(series, counts, hour)
    if last is not None and last.hour >= onset - QUIET:
        onset = last.hour  # the same hour cannot hold two
    if last is not None and (last.hour >= onset or hour_of(last.ended_at) + QUIET >= onset):
        connection.execute(table.update().where(table.c.id == last.id).values(ended_at=None))
        return _go_on(connection, config, series, counts, last, now)
    rise = _weigh(series, counts, onset, now)
    drivers = _drivers(connection, config, series, onset, hour)
    row = {"brand": series.brand, "measure": series.measure, "hour": onset, "found_at": now}
    row |= _values(config, series, rise, drivers, now)
    add_new(connection, table, [row], ("brand", "measure", "hour"))
    ours = sa.and_(table.c.brand == series.brand, table.c.measure == series.measure, table.c.hour == onset)
    found = connection.execute(sa.select(table).where(ours)).one()
    log.info("spikes: %s (%s) %d where %.0f were expected", series.brand, series.measure, rise.observed, rise.expected)
    return read_spike(found)


def _refresh(series: Series, lately: Lately) -> Any:
    """Give the hourly counts with the last hours as they are now: posts come late, and the last hour runs."""
    counts = series.counts.copy()
    for hour in lately.hours:
        counts[hour - series.first] = lately.count(series.brand, series.measure, hour, series.fresh)
    return counts


def _is_loud(connection: Connection, series: Series, counts: Any, now: datetime, settings: Spikes) -> bool:
    place = hour_of(now) - series.first
    part = (now.timestamp() % 3600) / 3600
    if max(counts[max(0, place - max(SPANS)) : place + 1]) * (max(SPANS) + 1) < settings.least:
        return False  # nothing near a spike
    for hours in SPANS:
        since = now - timedelta(hours=hours)
        observed = count_since(connection, series.brand, series.measure, since, now, series.fresh)
        mean = mean_of(series.told.mean, place, part, hours)
        if bool(is_alarm(observed, mean, series.told.spreads[hours][place], hours, settings)):
            return True
    return False


def _hot(series: Series, counts: Any, hour: int) -> bool:
    """Tell whether an hour that is over was louder than 19 of 20."""
    place = hour - series.first
    if place < 0 or not series.heard[place] or not math.isfinite(series.told.mean[place]):
        return False
    bar = float(quantile(series.told.mean[place], series.told.spreads[1][place], LOUD))
    return bool(counts[place] > max(bar, 2.0))


def _onset(series: Series, counts: Any, hour: int) -> int:
    """Find the hour in which a rise began: the first of the loud hours that lead up to now."""
    onset = hour
    for back in range(1, max(SPANS) + 1):
        if _hot(series, counts, hour - back):
            onset = hour - back
    while hour - onset < _LONGEST and _hot(series, counts, onset - 1):
        onset -= 1
    if onset == hour and counts[hour - 1 - series.first] > counts[hour - series.first]:
        onset = hour - 1  # most of it lies before the full hour
    return onset


def _weigh(series: Series, counts: Any, onset: int, now: datetime) -> _Rise:
    """Add up what came and what was expected since the onset, judged by what was known when it began."""
    import numpy as np

    first, last = max(0, onset - series.first), hour_of(now) - series.first
    part = (now.timestamp() % 3600) / 3600
    weights = np.append(np.ones(last - first), part)
    expected = float(np.nansum(series.told.mean[first : last + 1] * weights))
    spread = float(series.told.spreads[max(SPANS)][first])
    low, high = (max(0.0, float(quantile(expected, spread, z))) for z in (-_USUAL, _USUAL))
    observed = int(counts[first : last + 1].sum())
    return _Rise(onset, observed, expected, low, high, int(series.told.sample[first]), bool(series.told.young[first]))


def _go_on(
    connection: Connection, config: Config, series: Series, counts: Any, row: sa.Row[Any], now: datetime
) -> Spike | None:
    hour = hour_of(now)
    if row.hour < hour - QUIET and not _is_loud(connection, series, counts, now, config.settings.spikes):
        calm = [one for one in range(hour - QUIET, hour) if not _hot(series, counts, one)]
        heard = all(series.heard[one - series.first] for one in calm)
        if len(calm) == QUIET and heard:  # an hour that nobody heard ends nothing
            last = next((one for one in range(hour - QUIET - 1, row.hour, -1) if _hot(series, counts, one)), row.hour)
            ended = moment_of(last + 1)
            parts = to_json(dated(from_json(row.cause["parts"]), moment_of(row.hour), config.zone))
            cause = {**row.cause, "because": parts[0], "parts": parts}
            connection.execute(table.update().where(table.c.id == row.id).values(ended_at=ended, cause=cause))
            if row.case_id is not None:
                from stakeholders.spikes.crisis import note_end

                note_end(connection, config, row.case_id, row.brand, ended, now)
            return None
    rise = _weigh(series, counts, row.hour, now)
    if rise.observed >= row.observed * _GREW:
        drivers = _drivers(connection, config, series, row.hour, hour)
        values = _values(config, series, rise, drivers, now)
        connection.execute(table.update().where(table.c.id == row.id).values(**values))
    return _read_one(connection, row.id)


def _drivers(connection: Connection, config: Config, series: Series, onset: int, hour: int) -> Drivers:
    period = Period(moment_of(onset), moment_of(hour + 1), config.zone)
    earlier = Period(moment_of(onset) - _EARLIER, moment_of(onset), config.zone)
    return find_drivers(connection, period, earlier, series.brand, series.measure)


def _values(config: Config, series: Series, rise: _Rise, drivers: Drivers, now: datetime) -> dict[str, Any]:
    because = word_cause(
        drivers, series.measure, rise.observed, rise.low, rise.high, moment_of(rise.onset), now, config.zone, rise.young
    )
    return {
        "observed": rise.observed,
        "expected": rise.expected,
        "low": rise.low,
        "high": rise.high,
        "sample": rise.sample,
        "cause": {
            "because": to_json(because)[0],  # the count: enough for a line of a letter
            "parts": to_json(because),  # the whole sentence, in parts
            "young": rise.young,
            "words": list(drivers.words),
            "stakeholder": drivers.stakeholder,
            "source": drivers.source,
            "country": drivers.country,
            "intent": drivers.intent,
            "department": drivers.department,
            "harmful": drivers.harmful,
            "texts": drivers.texts,
            "people": drivers.people,
        },
    }


def _read_one(connection: Connection, spike_id: int) -> Spike:
    return read_spike(connection.execute(sa.select(table).where(table.c.id == spike_id)).one())


def read_spike(row: sa.Row[Any]) -> Spike:
    """Rebuild a Spike from a row of the table."""
    cause: Mapping[str, Any] = row.cause or {}
    return Spike(
        id=row.id,
        brand=row.brand,
        measure=row.measure,
        onset=moment_of(row.hour),
        found_at=row.found_at,
        ended_at=row.ended_at,
        observed=row.observed,
        expected=row.expected,
        low=row.low,
        high=row.high,
        sample=row.sample,
        because=from_json(cause.get("parts", ())),
        words=tuple(cause.get("words", ())),
        harmful=cause.get("harmful", 0),
        texts=cause.get("texts", 0),
        people=cause.get("people", 0),
        young=cause.get("young", False),
        case_id=row.case_id,
        department=cause.get("department"),
        stakeholder=cause.get("stakeholder"),
        intent=cause.get("intent"),
    )


def spikes(
    connection: Connection, period: Period, brand: str | None, measures: Iterable[Measure] = MEASURES
) -> list[Spike]:
    """Give the spikes that were on in a period, of one brand or all, oldest first; of a rise in both measures, both."""
    query = sa.select(table).where(
        table.c.hour < period.end_hour,
        sa.or_(table.c.ended_at.is_(None), table.c.ended_at > period.start),
        table.c.measure.in_(list(measures)),
    )
    if brand is not None:
        query = query.where(table.c.brand == brand)
    return [read_spike(row) for row in connection.execute(query.order_by(table.c.hour, table.c.brand, table.c.measure))]
