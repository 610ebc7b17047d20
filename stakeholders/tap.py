"""Do what a link of a mail or a chat asks, once, when a person presses; and say what its page shows.

Opening a link reads only: mail scanners open every link by themselves. Who acts is the reader that the link was made
for. A second press changes nothing and says who was first.
"""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import Store
from listener.errors import EscuchaError
from listener.reason import N_, say
from stakeholders.case import acknowledge, assign
from stakeholders.casework.dossier import Event, history, read_case
from stakeholders.casework.merging import resolve
from stakeholders.casework.snooze import snooze
from stakeholders.casework.step import UNFINISHED, NotPossible, Stale, hold
from stakeholders.deciding.facts import Case
from stakeholders.letters.letter import before, clock
from stakeholders.links import ACTIONS, Expired, Forged, Link, read

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["tap"]

log = logging.getLogger("escucha.stakeholders")

MORNING: Final = time(9)  # local; what "tomorrow" means

_ASKS: Final = {
    "acknowledge": N_("Acknowledge this case?"),
    "assign": N_("Take this case?"),
    "snooze-hour": N_("Put this case off for an hour?"),
    "snooze-tomorrow": N_("Put this case off until tomorrow?"),
}

_Page = tuple[int, dict[str, Any]]


def tap(config: Config, store: Store, action: str, token: str, now: datetime, *, press: bool) -> _Page:
    """Give the HTTP status of a link and what its page says; with `press`, do what it asks. Never raises for a token.

    200 done or to be pressed, 404 not ours, 409 not possible as the case is, 410 expired, 503 not now.
    """
    lang = config.language
    try:
        link = read(token, config, now, action)
        if isinstance(link, Link):
            with store.write() if press else store.read() as connection:
                return _settle(connection, config, link, now, press=press)
    except (EscuchaError, sa.exc.SQLAlchemyError) as error:
        log.warning("%s: not possible now: %s", action, type(error).__name__)
        return 503, _page(
            say(N_("Not possible at this moment"), lang), say(N_("Nothing was changed. Try again in a minute."), lang)
        )
    if isinstance(link, Expired):
        title = say(N_("This link has expired"), lang)
        days = config.settings.server.link_days
        note = say(N_("It was good for {count} days. The case can still be opened."), lang, count=days)
        return 410, _page(title, note, case=_case_link(config, link.case_id))
    assert isinstance(link, Forged)
    note = say(N_("Nothing was changed. Open the link from the mail once more, whole; or ask for a new one."), lang)
    return 404, _page(say(N_("This link is not one of ours"), lang), note)


def _settle(connection: Connection, config: Config, link: Link, now: datetime, *, press: bool) -> _Page:
    lang = config.language
    number = resolve(connection, link.case_id)
    if press:
        hold(connection, number)  # of two that press together one is first
        if (heir := resolve(connection, number)) != number:
            number = heir
            hold(connection, number)
    case = read_case(connection, number)
    if case is None:
        title, note = N_("This case is no longer there"), N_("It was removed since the mail was sent.")
        return 404, _page(say(title, lang), say(note, lang))
    brand = next((one.name for one in config.brands if one.key == case.brand), case.brand)
    told: dict[str, Any] = {
        "about": " · ".join(
            (brand, say("{fact}", lang, fact=case.stakeholder), say("{fact}", lang, fact=case.department))
        ),
        "case": _case_link(config, case.id),
        "number": say(N_("Case {count}"), lang, count=case.id),
    }
    if case.id != link.case_id:
        told["number"] += " · " + say(N_("case {number} is part of it now"), lang, number=link.case_id)
    lines = history(connection, case.id, merged=True)
    done = _answered(case, lines, config, link, now)
    if done is None and not press:
        note, label = " ".join(_asked(case, config, link, now)), say(ACTIONS[link.action], lang)
        return 200, _page(say(_ASKS[link.action], lang), note, **told, button=label)
    if done is None:
        try:
            done = _act(connection, config, case, link, now)
        except (NotPossible, Stale) as error:
            return 409, _page(say(N_("Nothing was changed"), lang), error.reason.say(lang), **told)
        log.info("%s: case %d, by its link", link.action, case.id)
    title, notes = done
    return 200, _page(title, " ".join(notes), **told, good=True)


def _answered(
    case: Case, lines: list[Event], config: Config, link: Link, now: datetime
) -> tuple[str, list[str]] | None:
    """Say who did before what the link asks, or ended the case; None: nobody did."""
    lang = config.language
    if case.status not in UNFINISHED:
        return say(N_("The case is {status}."), lang, status=case.status), _by(lines, (case.status,), config, now)
    if link.action == "acknowledge" and case.status != "new":
        return say(N_("Already acknowledged"), lang), _by(lines, ("acknowledged", "snoozed"), config, now)
    if link.action == "assign" and case.owner is not None:
        mine = case.owner == _me(config, link.recipient)
        title = (
            say(N_("This case is yours already"), lang)
            if mine
            else say(N_("Already taken by {quote_who}"), lang, quote_who=case.owner)
        )
        return title, _by(lines, ("assigned",), config, now)
    if link.action.startswith("snooze") and case.status == "snoozed" and case.snoozed_until is not None:
        until = clock(case.snoozed_until, now, config)
        title = say(N_("Already put off until {quote_time}"), lang, quote_time=until)
        return title, _by(lines, ("snoozed",), config, now)
    return None


def _by(lines: list[Event], what: tuple[str, ...], config: Config, now: datetime) -> list[str]:
    """Say who took the last of these steps, and when."""
    last = next((line for line in reversed(lines) if line.what in what), None)
    if last is None:
        return []
    return [
        say(
            N_("By {quote_who}, {quote_time}."),
            config.language,
            quote_who=last.who,
            quote_time=clock(last.at, now, config),
        )
    ]


def _asked(case: Case, config: Config, link: Link, now: datetime) -> list[str]:
    """Say what the reader should know before pressing."""
    lang, notes = config.language, []
    if link.action.startswith("snooze"):
        until = clock(_until(link.action, config, now), now, config)
        notes.append(say(N_("It comes back at {quote_time}; its clock runs on meanwhile."), lang, quote_time=until))
    if case.due_at is not None:
        notes.append(say(N_("To be answered {quote_before}."), lang, quote_before=before(case.due_at, now, config)))
    return notes


def _act(connection: Connection, config: Config, case: Case, link: Link, now: datetime) -> tuple[str, list[str]]:
    """Do it, and give the title and the notes of the page; raises NotPossible or Stale."""
    lang, who, notes = config.language, link.recipient, []
    if link.action == "acknowledge":
        acknowledge(connection, case.id, who, now)
        title = say(N_("Done: acknowledged"), lang)
        notes.append(say(N_("The others see that you are on it."), lang))
    elif link.action == "assign":
        acknowledge(connection, case.id, who, now)  # who takes a case has seen it
        assign(connection, case.id, who, now, _me(config, who))
        title = say(N_("Done: it is yours"), lang)
        notes.append(say(N_("The others see that you are on it."), lang))
    else:
        until = _until(link.action, config, now)
        snooze(connection, case.id, who, now, until)
        title = say(N_("Done: put off until {quote_time}"), lang, quote_time=clock(until, now, config))
        notes.append(say(N_("It comes back by itself; its clock runs on meanwhile."), lang))
    if case.due_at is not None:
        notes.append(say(N_("To be answered {quote_before}."), lang, quote_before=before(case.due_at, now, config)))
    return title, notes


def _until(action: str, config: Config, now: datetime) -> datetime:
    if action == "snooze-hour":
        return now + timedelta(hours=1)
    local = now.astimezone(config.zone)
    return datetime.combine(local.date() + timedelta(days=1), MORNING, tzinfo=config.zone)


def _me(config: Config, recipient: str) -> str:
    """Give the name that colleagues know an address by ([people]), else the address."""
    folded = recipient.casefold()
    named = (name for name, one in config.settings.people.items() if (one.mail or "").strip().casefold() == folded)
    return next(named, recipient)


def _page(title: str, note: str | None, **more: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("about", "number", "case", "button"))
    return {"title": title, "note": note, "good": False} | empty | more


def _case_link(config: Config, case_id: int) -> tuple[str, str]:
    return f"{config.public_url}/case?id={case_id}", say(N_("Open the case"), config.language)
