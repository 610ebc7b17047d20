"""Word the letter about a crisis: how many since when, what was expected, what drives it, and the cases in it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.reason import N_, from_json, reason, say
from stakeholders.deciding.facts import Case
from stakeholders.letters.caseletter import FACT, Veil, say_all
from stakeholders.letters.groupletter import line_of
from stakeholders.letters.letter import ANSWERS, Row, before, capital, plain, zone_of
from stakeholders.links import links_for
from stakeholders.spikes.outbreak import say_cause, word_surge
from stakeholders.spikes.surge import read_surge, single_cases
from stakeholders.store import case_mentions

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["word_crisis"]

LISTED = 5  # single cases that the letter shows; the page of the crisis shows all


def word_crisis(
    connection: Connection, config: Config, row: sa.Row[Any], case: Case, now: datetime, lang: str
) -> tuple[str, dict[str, Any]] | None:
    """Word the letter of a row that tells of a crisis: its subject, and what the template fills in.

    Words of strangers that name the rise leave the house masked. None when no rise is kept for the case.
    """
    surge = read_surge(connection, case.id)
    if surge is None:
        return None
    veil = Veil(config, row, None, False)
    copy = row.kind == "copy"
    brand = next((one.name for one in config.brands if one.key == case.brand), case.brand)
    department = say(FACT, lang, fact=case.department)
    due = before(case.due_at, now, config) if case.due_at is not None else None
    headline = capital(plain(say_cause(surge.because[:1], lang))) or say(N_("Crisis"), lang)
    subject = f"[{say(N_('Crisis'), lang)}] {brand} · {headline}"
    if due is not None and not copy:
        subject += " — " + say(N_("answer {quote_before}"), lang, quote_before=due)
    under = [say(N_("Nobody has acknowledged this case"), lang)] if row.kind == "escalated" else []
    if due is None:
        under.append(say(N_("{department} answers"), lang, department=case.department))
    else:
        answers = N_("{department} answers {quote_before}")
        under += [say(answers, lang, department=case.department, quote_before=due), zone_of(config, lang)]
    counted = word_surge(surge, lang, config.zone, now, drivers=False)
    rows: list[Row] = [(label, value, []) for label, value in counted]
    rows.append((say(N_("Who answers"), lang), department, []))
    if case.copies:
        rows.append((say(N_("Copied"), lang), ", ".join(say(FACT, lang, fact=one) for one in case.copies), []))
    told = from_json([row.reason])
    if any(one.sentence == told[0].sentence for one in surge.because):  # the headline says it
        told = (reason(ANSWERS, department=case.department),)
    shown = single_cases(connection, surge.members, LISTED)
    opened = _opened(connection, [one.id for one in shown])
    rest = len(surge.members.cases) - len(shown)
    button: dict[str, str] | None = None
    press: tuple[tuple[str, str], ...] = ()
    if not copy:
        (label, url), *others = links_for(config, case.id, row.channel, row.recipient, now=now, lang=lang)
        days = config.settings.server.link_days
        note = say(N_("One tap, no login. The link is good for {count} days."), lang, count=days)
        button, press = {"url": url, "label": label, "note": note}, tuple(others)
    return subject, {
        "alert": True,
        "chip": say(N_("Crisis"), lang),
        "crumbs": f"{brand} · {department}",
        "number": say(N_("Case {count}"), lang, count=case.id),
        "headline": headline,
        "subline": capital(" · ".join(under)),
        "quote": None,
        "rows": rows,
        "lists": [
            (say(N_("What drives it"), lang), [veil.hide(plain(say_cause((one,), lang))) for one in surge.because[1:]]),
            (say(N_("Why it came to you"), lang), say_all(told, lang, veil)),
        ],
        "facts_first": True,
        "cases": [line_of(connection, config, row, one, opened.get(one.id), now, lang, False) for one in shown],
        "more": say(N_("And {count} more, which the page of the crisis shows."), lang, count=rest) if rest > 0 else "",
        "button": button,
        "press": press,
        "link": (f"{config.public_url}/case?id={case.id}", say(N_("Open the crisis"), lang)),
    }


def _opened(connection: Connection, case_ids: list[int]) -> dict[int, int]:
    """Give the mention that stands for each case."""
    mine = sa.and_(case_mentions.c.case_id.in_(case_ids), case_mentions.c.how == "opened")
    rows = connection.execute(sa.select(case_mentions.c.case_id, case_mentions.c.mention_id).where(mine))
    return {row.case_id: row.mention_id for row in rows}
