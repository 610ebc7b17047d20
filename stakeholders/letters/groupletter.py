"""Word the letters about many cases and about a note: how many, the most urgent first, and where the rest stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.reason import N_, say
from listener.store import mentions, read_mention, select_mentions
from stakeholders.casework.dossier import read_case
from stakeholders.deciding.decision import read_decision
from stakeholders.deciding.facts import Case
from stakeholders.deciding.priority import RANKS
from stakeholders.letters.caseletter import FACT, Veil, nameless, say_all
from stakeholders.letters.chat import cut, one_line
from stakeholders.letters.letter import Row, before, capital, clock, plain, zone_of
from stakeholders.links import links_for
from stakeholders.spikes.crisis import reasons_of
from stakeholders.spikes.outbreak import say_cause
from stakeholders.store import alerts, case_mentions, cases, events

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["LISTED", "line_of", "word_group", "word_note"]

LISTED = 10  # cases that a letter about many shows; the inbox shows all
SHORT = 200  # characters of a post

CASES = N_("{count} cases need {department}")
COPIES = N_("{count} cases, for information: {department} is copied")
UNSEEN = N_("Nobody has acknowledged {count} cases")
STILL = N_("{count} cases still wait: nobody has acknowledged them")


def word_group(
    connection: Connection, config: Config, row: sa.Row[Any], now: datetime, lang: str
) -> tuple[str, dict[str, Any]]:
    """Word the letter of a row that tells of many cases: its subject, and what the template fills in.

    Raises LookupError when none of them is left.
    """
    told = row.payload or {}
    kind = str(told.get("kind", "case"))
    shown = _members(connection, row.key) or _repeated(connection, told.get("cases", []))
    found = connection.execute(sa.select(cases).where(cases.c.id.in_(shown))).all() if shown else []
    if not found:
        raise LookupError(f"message {row.key}")
    found = sorted(found, key=lambda one: (RANKS[one.priority], one.due_at is None, one.due_at, one.id))
    brands = sorted({one.brand for one in found})
    names = {brand.key: brand.name for brand in config.brands}
    shown_brands = ", ".join(names.get(key, key) for key in brands[:3])
    alert = found[0].priority == "alert" and kind != "copy"
    chip = say(N_("For information"), lang) if kind == "copy" else capital(say(FACT, lang, fact=found[0].priority))
    department = row.department or found[0].department
    sentence = {"copy": COPIES, "escalated": UNSEEN, "repeat": STILL}.get(kind, CASES)
    headline = say(sentence, lang, count=len(found), department=department)
    first = min((one.due_at for one in found if one.due_at is not None), default=None)
    under = (
        [] if first is None else [say(N_("the first {quote_before}"), lang, quote_before=before(first, now, config))]
    )
    since = told.get("since")
    if since and kind != "repeat":
        at = clock(datetime.fromisoformat(since), now, config)
        under.append(say(N_("new since the message of {quote_time}"), lang, quote_time=at))
    subject = f"[{chip}] {headline} · {shown_brands}"
    if first is not None:
        subject += " — " + under[0]
    link = {"department": department} | ({"brand": brands[0]} if len(brands) == 1 else {})
    rest = len(found) - LISTED
    return subject, {
        "alert": alert,
        "chip": chip,
        "crumbs": f"{shown_brands} · {say(FACT, lang, fact=department)}",
        "number": say(N_("{count} cases"), lang, count=len(found)),
        "headline": headline,
        "subline": capital(" · ".join([*under, zone_of(config, lang)])),
        "quote": None,
        "rows": _counted(found, lang),
        "lists": [],
        "cases": [line_of(connection, config, row, one, shown[one.id], now, lang) for one in found[:LISTED]],
        "more": say(N_("And {count} more, which the inbox shows."), lang, count=rest) if rest > 0 else "",
        "button": None,
        "link": (f"{config.public_url}/?{urlencode(link)}", say(N_("See them in the inbox"), lang)),
    }


def _members(connection: Connection, key: str) -> dict[int, int | None]:
    """Give the cases that a message tells of, each with the mention that is shown."""
    rows = connection.execute(
        sa.select(alerts.c.case_id, alerts.c.payload)
        .where(alerts.c.group_key == key, alerts.c.state == "pending", alerts.c.case_id.is_not(None))
        .order_by(alerts.c.id)
    )
    return {row.case_id: (row.payload or {}).get("mention_id") for row in rows}


def _repeated(connection: Connection, wanted: Sequence[int]) -> dict[int, int | None]:
    """Give the cases of a repeated message that nobody has seen to yet, each with the post that opened it."""
    first = sa.and_(case_mentions.c.case_id == cases.c.id, case_mentions.c.how == "opened")
    rows = connection.execute(
        sa.select(cases.c.id, case_mentions.c.mention_id)
        .select_from(cases.outerjoin(case_mentions, first))
        .where(cases.c.id.in_(wanted), cases.c.status == "new")
    )
    return {row.id: row.mention_id for row in rows}


def _counted(found: Iterable[sa.Row[Any]], lang: str) -> list[Row]:
    """Count the cases by who speaks, the most first."""
    counts: dict[str, int] = {}
    for one in found:
        counts[one.stakeholder] = counts.get(one.stakeholder, 0) + 1
    words = [
        f"{say(FACT, lang, fact=who)}: {count}"
        for who, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    return [(say(N_("Who speaks"), lang), " · ".join(words), [])]


def line_of(
    connection: Connection,
    config: Config,
    row: sa.Row[Any],
    case: sa.Row[Any] | Case,
    mention_id: int | None,
    now: datetime,
    lang: str,
    press: bool = True,
) -> dict[str, Any]:
    """Give one case of a list: by when, who speaks, the start of the post, why it came here, where to press.

    Of a crisis its rise is told, not a post. Without `press` the line only leads to the case.
    """
    if case.kind == "crisis":
        return _line_of_crisis(connection, config, row, case, now, lang)
    found = None
    if mention_id is not None:
        found = connection.execute(select_mentions().where(mentions.c.id == mention_id)).one_or_none()
    mention = read_mention(found) if found is not None else None
    decision = read_decision(connection, mention_id) if mention_id is not None else None
    speaks = {case.stakeholder, decision.speaker.label.name if decision is not None else None}
    veil = Veil(config, row, mention, nameless(config, row, speaks))
    head = [capital(say(FACT, lang, fact=case.priority)), say(FACT, lang, fact=case.stakeholder)]
    if case.due_at is not None:
        head.append(before(case.due_at, now, config))
    why = say_all(decision.route.because[:1], lang, veil) if decision is not None else []
    return {
        "head": " · ".join(head),
        "text": cut(veil.hide(one_line(plain(mention.post.text))), SHORT) if mention is not None else "",
        "why": why[0] if why else "",
        "links": _links(config, row, case.id, now, lang, press),
    }


def _links(
    config: Config, row: sa.Row[Any], case_id: int, now: datetime, lang: str, press: bool
) -> tuple[tuple[str, str], ...]:
    owed = press and (row.payload or {}).get("kind") != "copy"
    return (
        *(links_for(config, case_id, row.channel, row.recipient, now=now, lang=lang)[:1] if owed else ()),
        (say(N_("Case {count}"), lang, count=case_id), f"{config.public_url}/case?id={case_id}"),
    )


def _line_of_crisis(
    connection: Connection, config: Config, row: sa.Row[Any], case: sa.Row[Any] | Case, now: datetime, lang: str
) -> dict[str, Any]:
    head = [say(N_("Crisis"), lang)] + ([before(case.due_at, now, config)] if case.due_at is not None else [])
    told = plain(say_cause(reasons_of(connection, case.id), lang))
    return {
        "head": " · ".join(head),
        "text": cut(Veil(config, row, None, False).hide(told), SHORT),
        "why": "",
        "links": _links(config, row, case.id, now, lang, True),
    }


def word_note(
    connection: Connection, config: Config, row: sa.Row[Any], now: datetime, lang: str
) -> tuple[str, dict[str, Any]]:
    """Word the letter to a colleague whom a note names; raises LookupError when the case is gone."""
    told = row.payload or {}
    case: Case | None = read_case(connection, row.case_id)
    if case is None:
        raise LookupError(f"case {row.case_id}")
    line = connection.execute(sa.select(events).where(events.c.id == told.get("event_id"))).one_or_none()
    note = (line.after or {}).get("note") if line is not None else None
    who = one_line(str(told.get("who", "")))
    brand = next((one.name for one in config.brands if one.key == case.brand), case.brand)
    asked = line is not None and line.what == "submitted"
    sentence = N_("{quote_who} asks you to sign a reply") if asked else N_("{quote_who} named you in a note")
    headline = say(sentence, lang, quote_who=who)
    veil = Veil(config, row, None, False)
    quote = None
    if isinstance(note, str) and line is not None:  # a note that repeats an erased post is withheld
        lines = veil.hide(plain(note)).splitlines()
        quote = {"name": who, "handle": None, "url": None, "open": "", "lines": lines}
        quote["where"] = clock(line.at, now, config)
    stakeholder = say(FACT, lang, fact=case.stakeholder)
    rows: list[Row] = [
        (say(N_("Who speaks"), lang), stakeholder, []),
        (say(N_("Who answers"), lang), say(FACT, lang, fact=case.department), []),
    ]
    if case.due_at is not None:
        rows.append((say(N_("By when"), lang), before(case.due_at, now, config), []))
    number = say(N_("Case {count}"), lang, count=case.id)
    return f"[{number}] {headline} · {brand}", {
        "alert": False,
        "chip": say(N_("Signature") if asked else N_("Note"), lang),
        "crumbs": f"{brand} · {stakeholder}",
        "number": number,
        "headline": headline,
        "subline": "",
        "quote": quote,
        "rows": rows,
        "lists": [],
        "button": None,
        "link": (f"{config.public_url}/case?id={case.id}", say(N_("Open the case"), lang)),
    }
