"""Count what listening costs: units as platforms bill them, money by a price list, a warning and a hard stop (C6).

Money is exact (Decimal) in the currency of [budget]. A unit without a price is unknown money, never zero, and where a
limit is set it stops the source: what cannot be reckoned cannot be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from listener.database import Store, add_new
from listener.mention import Brand, Forecast, Forecasts, Rechecks, aware
from listener.policy import USED_UP, BudgetUsedUp
from listener.reason import N_, say
from listener.store import holes, runs, spendings

if TYPE_CHECKING:
    from listener.config import Config

__all__ = [
    "PRICES",
    "Price",
    "Spent",
    "add_spending",
    "allows",
    "count_money",
    "describe",
    "forecast_cost",
    "gate",
    "limit_of",
    "month_of",
    "note_resumed",
    "note_stop",
    "prices_of",
    "read_budget",
    "show_money",
]

WARNING = Decimal("0.8")

State = Literal["ok", "warning", "stopped"]


class Price(NamedTuple):
    """Hold what a platform charges for one unit, in US dollars, when that was looked up, and where."""

    amount: Decimal
    seen: date
    source: str


_X = (date(2026, 11, 21), "https://docs.x.com/x-api/getting-started/pricing")
_FREE = Decimal(0)
PRICES: Mapping[str, Mapping[str, Price]] = {  # kind of source → unit
    "x": {
        "post": Price(Decimal("0.005"), *_X),  # "Posts: Read"; the same post once a UTC day, so this is a ceiling
        "user": Price(Decimal("0.010"), *_X),
        "count": Price(Decimal("0.005"), *_X),  # "Counts: Recent", a request
    },
    "youtube": {  # a quota a day, without money
        "unit": Price(_FREE, date(2026, 11, 21), "https://developers.google.com/youtube/v3/getting-started#quota"),
        "search": Price(_FREE, date(2026, 11, 21), "https://developers.google.com/youtube/v3/getting-started#quota"),
    },
}


@dataclass(frozen=True, slots=True)
class Spent:
    """Hold what a source has cost in a month; money is None when a unit that was billed has no price."""

    source: str
    month: str  # 2026-11, in UTC
    units: Mapping[str, int]
    money: Decimal | None
    limit: Decimal | None
    currency: str
    state: State
    until: datetime  # the first moment of the next month
    forecast_month_end: Decimal | None = None  # at the pace so far; None in the first day, or without money

    @property
    def share(self) -> Decimal | None:
        """Give the part of the limit that is spent; None without a limit, or when the money is not known."""
        if self.money is None or self.limit is None:
            return None
        return self.money / self.limit if self.limit else Decimal(1)


def month_of(moment: datetime) -> str:
    """Name the month that a moment is billed in: 2026-11, in UTC."""
    return f"{aware(moment).astimezone(UTC):%Y-%m}"


def _bounds(now: datetime) -> tuple[datetime, datetime]:
    first = aware(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first, (first + timedelta(days=32)).replace(day=1)


def add_spending(connection: sa.Connection, source: str, billed: Mapping[str, int], now: datetime) -> None:
    """Add what an answer is charged ({"post": 100}) to the month of `now`, in the caller's transaction."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for unit, count in sorted(billed.items()):
        if count <= 0:
            continue
        statement = insert(spendings).values(source=source, month=month_of(now), unit=unit, count=count)
        total = spendings.c.count + statement.excluded.count
        connection.execute(
            statement.on_conflict_do_update(index_elements=["source", "month", "unit"], set_={"count": total})
        )


def prices_of(config: Config, source: str) -> dict[str, Decimal]:
    """Give the price of each unit of a source: its kind's own list in [budget.prices], else the list that ships.

    The list that ships is in US dollars and counts for nothing in another currency.
    """
    table, budget = config.settings.sources.get(source), config.settings.budget
    kind = (table.kind if table is not None else "") or source
    shipped = PRICES.get(kind, {}) if budget.currency == "USD" else {}
    free = {unit: _FREE for unit, price in PRICES.get(kind, {}).items() if price.amount == 0}
    return {**free, **{unit: price.amount for unit, price in shipped.items()}, **budget.prices.get(kind, {})}


def limit_of(config: Config, source: str) -> Decimal | None:
    """Give what a source may cost in a month; None when it has no limit."""
    return config.settings.budget.monthly.get(source)


def count_money(units: Mapping[str, int], prices: Mapping[str, Decimal]) -> Decimal | None:
    """Give the money of units; None when one of them has no price."""
    if any(count > 0 and unit not in prices for unit, count in units.items()):
        return None
    return sum((prices[unit] * count for unit, count in units.items() if count > 0), Decimal(0))


def _read_units(connection: sa.Connection, month: str, source: str | None = None) -> dict[str, dict[str, int]]:
    chosen = sa.true() if source is None else spendings.c.source == source
    found: dict[str, dict[str, int]] = {}
    rows = connection.execute(sa.select(spendings).where(spendings.c.month == month, chosen)).mappings()
    for row in rows:  # a Row has a method of its own called count
        found.setdefault(row["source"], {})[row["unit"]] = row["count"]
    return found


def read_budget(connection: sa.Connection, config: Config, now: datetime) -> list[Spent]:
    """Read what this month has cost so far: each source that has a limit or was billed, in config order."""
    first, until = _bounds(now)
    units = _read_units(connection, month_of(now))
    names = [name for name in config.settings.sources if name in units or limit_of(config, name) is not None]
    found = []
    for name in names:
        used, limit = units.get(name, {}), limit_of(config, name)
        money = count_money(used, prices_of(config, name))
        state: State = "ok"
        if limit is not None:
            if money is None or money >= limit or _was_stopped(connection, name, first):
                state = "stopped"
            elif money >= limit * WARNING:
                state = "warning"
        passed = (aware(now) - first) / (until - first)
        ahead = None
        if money is not None and aware(now) - first >= timedelta(days=1):
            ahead = (money / Decimal(str(passed))).quantize(Decimal("0.01"))
        found.append(
            Spent(name, month_of(now), used, money, limit, config.settings.budget.currency, state, until, ahead)
        )
    return found


def _was_stopped(connection: sa.Connection, source: str, first: datetime) -> bool:
    ended = sa.and_(runs.c.source == source, runs.c.started_at >= first, runs.c.outcome != "running")
    last = sa.select(runs.c.outcome).where(ended).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(1)
    return connection.scalar(last) == BudgetUsedUp.kind


def allows(
    connection: sa.Connection, config: Config, source: str, dearest_page: Mapping[str, int], now: datetime
) -> bool:
    """Tell whether one more page may be asked: True without a limit, or when even its dearest price stays within."""
    limit = limit_of(config, source)
    if limit is None:
        return True
    used = _read_units(connection, month_of(now), source).get(source, {})
    prices = prices_of(config, source)
    spent, next_page = count_money(used, prices), count_money(dearest_page, prices)
    if spent is None or next_page is None:
        return False
    return spent + next_page <= limit if next_page else spent < limit


def gate(store: Store, config: Config, name: str, source: Any, now: Callable[[], datetime]) -> Callable[[], None]:
    """Give the function that a poll calls before each page; it raises BudgetUsedUp when the page might pass the limit.

    A source that is also swept may ask two pages at one time, so there must be room for both.
    """
    if limit_of(config, name) is None:
        return lambda: None
    dearest: Mapping[str, int] = getattr(source, "dearest_page", None) or {}
    if isinstance(source, Rechecks):
        dearest = {unit: 2 * count for unit, count in dearest.items()}

    def pay() -> None:
        moment = now()
        with store.read() as connection:
            if not allows(connection, config, name, dearest, moment):
                raise BudgetUsedUp(name, until=_bounds(moment)[1])

    return pay


def note_stop(connection: sa.Connection, source: str, now: datetime) -> None:
    """Record the time that a source did not listen for want of money: one hole, stretched while the stop lasts."""
    good = sa.select(sa.func.max(runs.c.started_at)).where(runs.c.source == source, runs.c.outcome == "ok")
    since = connection.scalar(good)
    same = sa.and_(holes.c.source == source, holes.c.why == USED_UP)
    last = sa.select(holes).where(same).order_by(holes.c.ended_at.desc()).limit(1)
    hole = connection.execute(last).one_or_none()
    if hole is not None and (since is None or hole.ended_at >= since):
        connection.execute(holes.update().where(holes.c.id == hole.id).values(ended_at=max(now, hole.ended_at)))
        return
    row = {"source": source, "started_at": since or now, "ended_at": now, "why": USED_UP, "found_at": now}
    add_new(connection, holes, [row], ("source", "started_at", "ended_at"))


def note_resumed(connection: sa.Connection, source: str, now: datetime) -> None:
    """Stretch the last such hole to the moment at which the source was asked again."""
    last = sa.select(sa.func.max(holes.c.id)).where(holes.c.source == source, holes.c.why == USED_UP).scalar_subquery()
    stretched = holes.update().where(holes.c.id == last, holes.c.ended_at < now)
    connection.execute(stretched.values(ended_at=now))


def forecast_cost(
    source: Forecasts, brands: Sequence[Brand], prices: Mapping[str, Decimal]
) -> tuple[Forecast, Decimal | None]:
    """Ask a source what a month of these names would bring, and give it with its money (None without a price).

    Raises the source's SourceError. What the counting itself was charged stands in `Forecast.billed`; the caller adds
    it to what was spent (`add_spending`).
    """
    told = source.forecast(brands)
    return told, count_money(told.units, prices)


def show_money(amount: Decimal, currency: str, lang: str) -> str:
    """Word an amount with its currency: «12,30 USD»."""
    from babel.numbers import format_decimal

    return f"{format_decimal(amount.quantize(Decimal('0.01')), format='#,##0.00', locale=lang)} {currency}"


def describe(spent: Spent, lang: str) -> str:
    """Say in one line how a source stands with its budget; a stop names the day on which it ends."""
    from babel.dates import format_date

    money = None if spent.money is None else show_money(spent.money, spent.currency, lang)
    if spent.state == "stopped":
        if spent.money is None:
            return say(N_("stopped: what it is billed for has no price, so the limit cannot be kept"), lang)
        day = format_date(spent.until.date(), "d MMMM" if lang == "en" else "d 'de' MMMM", locale=lang)
        return say(N_("budget used up until {quote_day}"), lang, quote_day=day)
    if money is None:
        return say(N_("billed for something without a price: the cost is not known"), lang)
    if spent.limit is None:
        return say(N_("{quote_money} this month, without a limit"), lang, quote_money=money)
    most, share = show_money(spent.limit, spent.currency, lang), int((spent.share or Decimal(0)) * 100)
    return say(
        N_("{quote_money} of {quote_limit} this month ({share} %)"),
        lang,
        quote_money=money,
        quote_limit=most,
        share=share,
    )
