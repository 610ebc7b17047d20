"""Measure whether an event or a campaign moved how people speak of a brand, and say so when it did not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import hypot

from sqlalchemy import Connection

from listener.config import Config
from listener.mention import aware
from stakeholders.counting.period import Period, midnight
from stakeholders.insight import Net, net_sentiment

__all__ = ["Campaign", "campaigns", "change"]

LEAST = 20  # mentions in each of the two stretches, below which nothing can be measured
_MOST = 92  # days: longer ones are a way of life, not a campaign


@dataclass(frozen=True, slots=True)
class Campaign:
    """Hold the days of a campaign beside as many days before it; the change is None where it cannot be measured."""

    name: str
    first: date
    last: date  # of the days counted: the last whole one while it runs
    running: bool
    mentions: int
    mentions_before: int
    change: float | None  # of net sentiment (−2..2)
    low: float | None  # its 95 % interval
    high: float | None

    @property
    def moved(self) -> bool:
        """Tell whether net sentiment changed by more than chance explains."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def change(now: Net, before: Net) -> tuple[float, float, float]:
    """Give the change of net sentiment between two stretches with its 95 % interval.

    The intervals of both are joined by MOVER (Zou and Donner 2008, "Construction of confidence limits about effect
    measures", Statistics in Medicine 27), which needs no more than the two intervals.
    """
    moved = now.net - before.net
    low = moved - hypot(now.net - now.low, before.high - before.net)
    high = moved + hypot(now.high - now.net, before.net - before.low)
    return moved, low, high


def campaigns(connection: Connection, config: Config, period: Period, brand: str, now: datetime) -> list[Campaign]:
    """Measure every event of [[events]] that took place in a period and has a first day, in their order."""
    return [_measure(connection, *one, brand) for one in _stretches(config, period, aware(now))]


def _stretches(config: Config, period: Period, now: datetime) -> Iterator[tuple[str, Period, bool]]:
    """Give each event with the whole days of it that are over, and whether it still runs."""
    over = min(midnight(now.astimezone(config.zone).date(), config.zone), period.end)
    for event in config.settings.events:
        if event.starts is None or (event.ends is not None and (event.ends - event.starts).days >= _MOST):
            continue
        start = midnight(event.starts, config.zone)
        ends = None if event.ends is None else midnight(event.ends + timedelta(days=1), config.zone)
        end = min(over, ends or over)
        inside = start < period.end and (ends is None or ends > period.start)
        if inside and start < end and (end - start).days < _MOST:
            yield event.name, Period(start, end, config.zone), ends is None or ends > over


def _measure(connection: Connection, name: str, days: Period, running: bool, brand: str) -> Campaign:
    net, before = net_sentiment(connection, days, brand), net_sentiment(connection, days.previous(), brand)
    told = (net.mentions if net else 0, before.mentions if before else 0)
    known = net is not None and before is not None and min(told) >= LEAST
    moved, low, high = change(net, before) if known and net and before else (None, None, None)
    return Campaign(name, days.first_day, days.last_day, running, *told, moved, low, high)
