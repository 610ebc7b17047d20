"""Tell communications what listening costs: one letter at 80 % of a source's month, one when its budget is used up."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.budget import Spent, describe, read_budget, show_money
from listener.database import add_new
from listener.reason import N_, reason, say, to_json
from stakeholders.store import alerts

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["queue_budget", "queue_budgets", "word_budget"]

NEARLY = N_("the source {quote_source} has used most of its budget of this month")
USED_UP = N_("the source {quote_source} has used up its budget of this month")
NO_PRICE = N_("the source {quote_source} is stopped, since something it is billed for has no price")


def queue_budgets(connection: Connection, config: Config, now: datetime) -> int:
    """Queue word of each source at its warning or its limit, in the caller's transaction; give how many letters."""
    if not config.settings.budget.monthly:
        return 0
    return sum(queue_budget(connection, config, spent, now) for spent in read_budget(connection, config, now))


def queue_budget(connection: Connection, config: Config, spent: Spent, now: datetime) -> int:
    """Queue word of one source to the widest net: once a month for the warning, once for the stop."""
    from stakeholders.alerts import addresses_of

    if spent.state == "ok" or spent.limit is None:
        return 0
    rows = []
    for channel, recipient in addresses_of(config, "communications")[0]:
        about = f"{spent.source}/{spent.month}/{spent.state}/{channel}:{recipient.casefold()}"
        rows.append(
            {
                "key": f"budget.{hashlib.sha256(about.encode()).hexdigest()[:24]}",
                "kind": "budget",
                "case_id": None,
                "channel": channel,
                "recipient": recipient,
                "department": "communications",
                "reason": to_json([reason(USED_UP if spent.state == "stopped" else NEARLY, quote_source=spent.source)])[
                    0
                ],
                "payload": _told(spent),
                "state": "pending",
                "tries": 0,
                "next_try": now,
                "created_at": now,
            }
        )
    # Asked first: the cycle comes by every minute, and an insert that changes nothing would still number its rows.
    keys = [row["key"] for row in rows]
    known = set(connection.scalars(sa.select(alerts.c.key).where(alerts.c.key.in_(keys))))
    return len(add_new(connection, alerts, [row for row in rows if row["key"] not in known], ("key",)))


def _headline(spent: Spent) -> str:
    if spent.state != "stopped":
        return NEARLY
    return NO_PRICE if spent.money is None else USED_UP


def _told(spent: Spent) -> dict[str, Any]:
    return {
        "source": spent.source,
        "month": spent.month,
        "units": dict(spent.units),
        "money": None if spent.money is None else str(spent.money),
        "limit": str(spent.limit),
        "currency": spent.currency,
        "state": spent.state,
        "until": spent.until.isoformat(),
        "forecast": None if spent.forecast_month_end is None else str(spent.forecast_month_end),
    }


def word_budget(config: Config, row: sa.Row[Any], lang: str) -> tuple[str, dict[str, Any]]:
    """Word the letter of an outbox row of kind "budget": its subject and what the template fills in."""
    from stakeholders.letters.letter import plain

    told: Mapping[str, Any] = row.payload or {}
    money, ahead = (None if told.get(key) is None else Decimal(told[key]) for key in ("money", "forecast"))
    spent = Spent(
        source=plain(told["source"]),
        month=told["month"],
        units=told["units"],
        money=money,
        limit=Decimal(told["limit"]),
        currency=told["currency"],
        state=told["state"],
        until=datetime.fromisoformat(told["until"]),
        forecast_month_end=ahead,
    )
    stopped = spent.state == "stopped"
    headline = say(_headline(spent), lang, quote_source=f"«{spent.source}»")
    headline = headline[:1].upper() + headline[1:]
    unknown = say(N_("not known"), lang)

    def worded(amount: Decimal | None) -> str:
        return unknown if amount is None else show_money(amount, spent.currency, lang)

    rows: list[tuple[str, str, list[str]]] = [
        (say(N_("Source"), lang), spent.source, []),
        (say(N_("Spent this month"), lang), worded(spent.money), [f"{n:,} {unit}" for unit, n in spent.units.items()]),
        (say(N_("Limit"), lang), worded(spent.limit), []),
        (say(N_("At this pace by the end of the month"), lang), worded(spent.forecast_month_end), []),
    ]
    says = describe(spent, lang)
    stays = N_(
        "Until then the source is not asked: what is said there is missing from the figures, and shown as a gap."
    )
    goes = N_("It goes on listening. At its limit it stops until the next month begins (UTC).")
    if spent.money is None:
        stays = N_("It is not asked until each unit has a price in [budget.prices] of config.toml.")
    more = N_("To listen more, raise its amount in [budget.monthly] of config.toml; to spend less, narrow its names.")
    return f"[{say(N_('Budget'), lang)}] {headline}", {
        "alert": stopped,
        "chip": say(N_("Budget"), lang),
        "crumbs": spent.source,
        "number": "",
        "headline": headline,
        "subline": says[:1].upper() + says[1:],
        "quote": None,
        "rows": rows,
        "lists": [
            (say(N_("What this means"), lang), [say(stays if stopped else goes, lang)]),
            (say(N_("What to do"), lang), [say(more, lang)]),
        ],
        "button": None,
        "link": (f"{config.public_url}/sources", say(N_("See the sources"), lang)),
    }
