"""Show what listening costs: budget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from listener.cli.instance import CONFIG, JSON
from listener.cli.output import emit, speak, terminal_language, translate
from listener.reason import N_

__all__ = ["VERBS", "budget"]


def budget(config: Annotated[str | None, CONFIG] = None, json: Annotated[bool, JSON] = False) -> None:
    """Show what each source has cost this month (UTC), against its limit, and where the pace leads."""
    from listener.budget import describe, read_budget, show_money
    from listener.cli.flow import open_flow

    lang = terminal_language()
    with open_flow(config) as flow:
        with flow.store.read() as connection:
            found = read_budget(connection, flow.config, datetime.now(UTC))
        for one in found:
            if json:
                emit({name: getattr(one, name) for name in one.__slots__} | {"share": one.share})
                continue
            units = ", ".join(f"{count:,} {unit}" for unit, count in sorted(one.units.items()))
            speak(f"{one.source:<16} {describe(one, lang)}" + (f"  ({units})" if units else ""))
            if one.forecast_month_end is not None:
                ahead = show_money(one.forecast_month_end, one.currency, lang)
                told = N_("at this pace by the end of the month: {quote_money}")
                speak(f"{'':<16} " + translate(told, quote_money=ahead))
        if not found and not json:
            speak(translate(N_("Nothing was billed this month, and no source has a limit.")))


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (budget, N_("Show what each source has cost this month, and what is left of its limit.")),
)
