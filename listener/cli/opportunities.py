"""List what press and peers said well of us and no account of ours took up, and which companies spoke of which."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from listener.cli.instance import CONFIG, JSON
from listener.cli.output import Fatal, emit, open_config, speak, terminal_language, translate
from listener.reason import N_, Reason, to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from listener.config import Config
    from stakeholders.companies.opportunity import Opportunities, Opportunity
    from stakeholders.companies.peer import Exchange

__all__ = ["VERBS", "exchanges", "opportunities"]

_STATES = {
    "open": N_("still open: a to-do"),
    "missed": N_("missed"),
    "untold": N_("cannot be told"),
    "taken": N_("taken up"),
}
_DIRECTIONS = {
    "us_to_them": N_("we of them"),
    "them_to_us": N_("they of us"),
    "them_to_them": N_("others of competitors"),
}
_BRAND = typer.Option(help=translate(N_("key of a brand of ours; left out: all of them")))
_DAYS = typer.Option(min=1, max=366, help=translate(N_("how many local days, today included")))


def _chosen(instance: Config, brand: str | None) -> None:
    """End the program with 2 when a brand is asked for that is none of ours."""
    if brand is not None and brand not in instance.settings.brands:
        told = N_("There is no brand of ours «{quote}»: {quote_known}")
        speak(translate(told, quote=brand, quote_known=", ".join(instance.settings.brands)))
        raise Fatal(2)


def opportunities(
    brand: Annotated[str | None, _BRAND] = None,
    days: Annotated[int, _DAYS] = 7,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """List the good words of press and peers by what became of them; the to-dos first."""
    from listener.database import Store
    from stakeholders.companies.opportunity import opportunities as find
    from stakeholders.counting.period import last_days

    with open_config(config, secrets=False) as instance:
        _chosen(instance, brand)
        now = datetime.now(UTC)
        store = Store(instance.store_url)
        try:
            store.migrate()
            with store.read() as connection:
                told = find(connection, instance.settings, last_days(days, now, instance.zone), brand, now)
        finally:
            store.close()
        for one in told.items:
            if json:
                emit(_row(one))
            else:
                _show(instance, one)
        if not json:
            _sum_up(told)


def _row(one: Opportunity) -> dict[str, Any]:
    return {
        "state": one.state,
        "mention": one.mention_id,
        "case": one.case_id,
        "brand": one.brand,
        "at": one.at.isoformat(),
        "heard_at": one.heard_at.isoformat(),
        "due_at": one.due_at.isoformat(),
        "hours": round(one.hours, 1),
        "stakeholder": one.stakeholder,
        "who": one.who,
        "sentiment": one.sentiment,
        "unsure": one.unsure,
        "people": [person.name for person in one.people],
        "event": one.event.name if one.event else None,
        "url": one.url,
        "copies": one.copies,
        "because": to_json(one.because),
        "wanted": to_json(one.wanted),
        "answer": one.answer.url if one.answer else None,
    }


def _show(instance: Config, one: Opportunity) -> None:
    from stakeholders.letters.quote import quote

    when = f"{one.at.astimezone(instance.zone):%Y-%m-%d %H:%M}"
    state = translate(_STATES[one.state])
    head = f"{when}  {state} · {one.who}: «{quote(one.text, 110)}»"
    _print(head, one.because, one.url)
    if one.state in ("open", "missed"):
        _print_more(translate(N_("would have counted:")), one.wanted)


def _print(head: str, because: Sequence[Reason], url: str | None) -> None:
    print(head)  # noqa: T201 - the answer itself
    for reason in because:
        print(f"    {reason.say(terminal_language())}")  # noqa: T201
    if url:
        print(f"    {url}")  # noqa: T201


def _print_more(words: str, wanted: Sequence[Reason]) -> None:
    if wanted:
        print(f"    {words} {' '.join(one.say(terminal_language()) for one in wanted)}")  # noqa: T201


def _sum_up(told: Opportunities) -> None:
    from stakeholders.letters.peerlines import opportunity_lines

    lines = opportunity_lines(told)
    for line in lines:
        speak(line.reason.say(terminal_language()))
    if not lines:
        speak(translate(N_("Neither press nor peers spoke well of us in these days, as far as we heard.")))


def exchanges(
    brand: Annotated[str | None, _BRAND] = None,
    days: Annotated[int, _DAYS] = 30,
    config: Annotated[str | None, CONFIG] = None,
    json: Annotated[bool, JSON] = False,
) -> None:
    """List which companies spoke of which, for good or ill, at which event and of whom."""
    from listener.database import Store
    from stakeholders.companies.peer import exchanges as find
    from stakeholders.counting.period import last_days
    from stakeholders.letters.peerlines import exchange_lines

    with open_config(config, secrets=False) as instance:
        _chosen(instance, brand)
        store = Store(instance.store_url)
        try:
            store.migrate()
            with store.read() as connection:
                period = last_days(days, datetime.now(UTC), instance.zone)
                found = find(connection, instance.settings, period, brand)
        finally:
            store.close()
        for one in found:
            if json:
                emit(_exchange(one))
            else:
                _show_exchange(instance, one)
        if not json:
            for line in exchange_lines(found):
                speak(line.reason.say(terminal_language()))
            if not found:
                speak(translate(N_("No company spoke of another in these days, as far as we heard.")))


def _exchange(one: Exchange) -> dict[str, Any]:
    return {
        "direction": one.direction,
        "mention": one.mention_id,
        "case": one.case_id,
        "at": one.at.isoformat(),
        "speaker": one.speaker.name,
        "handle": one.handle,
        "brand": one.brand,
        "sentiment": one.sentiment,
        "unsure": one.unsure,
        "people": [{"name": person.name, "quoted": person.quoted} for person in one.people],
        "event": None if one.event is None else {"name": one.event.name, "words": one.event.words},
        "shared": one.shared,
        "department": one.department,
        "copies": one.copies,
        "url": one.url,
        "because": to_json(one.because),
    }


def _show_exchange(instance: Config, one: Exchange) -> None:
    from stakeholders.letters.quote import quote

    when = f"{one.at.astimezone(instance.zone):%Y-%m-%d %H:%M}"
    head = f"{when}  {translate(_DIRECTIONS[one.direction])} · {one.speaker.name} → {one.brand_name}: "
    _print(head + f"«{quote(one.text, 110)}»", one.because, one.url)


VERBS: tuple[tuple[Callable[..., Any], str], ...] = (
    (opportunities, N_("List what press and peers said well of us, and whether our accounts took it up.")),
    (exchanges, N_("List which companies spoke of which, for good or ill.")),
)
