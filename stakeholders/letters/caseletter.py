"""Word the letter about one case: what was said, by whom, why it came to this reader, by when, and what to press.

An employee is never named to human resources, and what names a private person leaves the house masked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import Mention
from listener.reason import N_, Reason, from_json, say
from listener.store import mentions, read_mention, select_mentions
from sentiment.store import read_verdict
from sentiment.verdict import Label
from stakeholders.casework.dossier import is_masked, read_case
from stakeholders.deciding.decision import read_decision
from stakeholders.letters.letter import ANSWERS, Row, before, capital, clock, plain, zone_of
from stakeholders.links import links_for
from stakeholders.privacy.masking import is_shown_whole, known_accounts, masked_for

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["FACT", "Veil", "nameless", "quote_of", "say_all", "word_case"]

FACT = "{fact}"  # say() words a fact that is a label key
LONGEST = 600  # characters of a post that a letter quotes
HIDDEN = "[…]"


def word_case(
    connection: Connection, config: Config, row: sa.Row[Any], now: datetime, lang: str
) -> tuple[str, dict[str, Any]]:
    """Word the letter of a row that tells of one case: its subject, and what the template fills in.

    Raises LookupError when the case is gone.
    """
    case = read_case(connection, row.case_id)
    if case is None:
        raise LookupError(f"case {row.case_id}")
    if case.kind == "crisis":
        from stakeholders.letters.crisisletter import word_crisis

        told = word_crisis(connection, config, row, case, now, lang)
        if told is not None:
            return told
    mention_id = int((row.payload or {}).get("mention_id", 0))
    found = connection.execute(select_mentions().where(mentions.c.id == mention_id)).one_or_none()
    mention = read_mention(found) if found is not None else None  # a post may be erased after its alert was queued
    decision = read_decision(connection, mention_id)
    verdict = read_verdict(connection, mention_id)
    speaker = decision.speaker.label if decision is not None else None
    speaks = {case.stakeholder, speaker.name if speaker is not None else None}
    veil = Veil(config, row, mention, nameless(config, row, speaks))

    copy = row.kind == "copy"
    brand = next((one.name for one in config.brands if one.key == case.brand), case.brand)
    stakeholder, department = say(FACT, lang, fact=case.stakeholder), say(FACT, lang, fact=case.department)
    chip = say(N_("For information"), lang) if copy else capital(say(FACT, lang, fact=case.priority))
    due = before(case.due_at, now, config) if case.due_at is not None else None
    subject = f"[{chip}] {brand} · {stakeholder} · {department}"
    if due is not None:
        subject += " — " + say(N_("answer {quote_before}"), lang, quote_before=due)
    if copy:
        headline = say(N_("{department} answers"), lang, department=case.department)
        if due is not None:
            headline = say(
                N_("{department} answers {quote_before}"), lang, department=case.department, quote_before=due
            )
    elif row.kind == "escalated":
        headline = say(N_("Nobody has acknowledged this case"), lang)
    elif due is None:
        headline = say(N_("This needs a person of {department}"), lang, department=case.department)
    elif case.overdue(now):
        headline = say(N_("It should have been answered {quote_before}"), lang, quote_before=due)
    else:
        headline = capital(say(N_("answer {quote_before}"), lang, quote_before=due))

    rows: list[Row] = [(say(N_("Who speaks"), lang), _worded(speaker, lang) if speaker else stakeholder, [])]
    if speaker is not None and not veil.nameless:
        rows[0][2].extend(veil.hide(one.say(lang)) for one in speaker.because[:3])
    if verdict is not None:
        rows.append((say(N_("For the brand"), lang), _worded(verdict.sentiment, lang), []))
        about = [one for one in (verdict.dimension, verdict.intent) if one.name not in ("undefined", "other")]
        if about:
            rows.append((say(N_("What about"), lang), " · ".join(_worded(one, lang) for one in about), []))
    rows.append((say(N_("Who answers"), lang), department, []))
    if case.copies:
        rows.append((say(N_("Copied"), lang), ", ".join(say(FACT, lang, fact=one) for one in case.copies), []))
    if case.mentions > 1:
        rows.append((say(N_("So far"), lang), say(N_("{count} posts in this case"), lang, count=case.mentions), []))

    route = decision.route if decision is not None else None
    first = from_json([row.reason])  # why this message; that the department answers is said by the route's reasons too
    because = route.because if route is not None else ()
    why = say_all(because if because and row.reason["sentence"] == ANSWERS else (*first, *because), lang, veil)
    other = say_all(route.otherwise[:2] if route is not None else (), lang, veil)
    days = config.settings.server.link_days
    button: dict[str, str] | None = None
    press: tuple[tuple[str, str], ...] = ()
    if not copy:
        (label, url), *others = links_for(config, case.id, row.channel, row.recipient, now=now, lang=lang)
        note = say(N_("One tap, no login. The link is good for {count} days."), lang, count=days)
        button, press = {"url": url, "label": label, "note": note}, tuple(others)
    return subject, {
        "alert": case.priority == "alert" and not copy,
        "chip": chip,
        "crumbs": f"{brand} · {stakeholder}",
        "number": say(N_("Case {count}"), lang, count=case.id),
        "headline": headline,
        "subline": " · ".join(([] if copy else [department]) + ([] if due is None else [zone_of(config, lang)])),
        "quote": quote_of(mention, config, now, lang, veil),
        "rows": rows,
        "lists": [
            (say(N_("Why it came to you"), lang), list(dict.fromkeys(why))),
            (say(N_("What would have changed it"), lang), other),
        ],
        "button": button,
        "press": press,
        "link": (f"{config.public_url}/case?id={case.id}", say(N_("Open the case"), lang)),
    }


def nameless(config: Config, row: sa.Row[Any], speaks: Iterable[str | None]) -> bool:
    """Tell whether the author must not be shown: an employee is never named to human resources (taxonomy)."""
    table = config.settings.departments.get("human_resources")
    theirs = [address.partition(":")[2].strip().casefold() for address in table.alert] if table is not None else []
    told = "human_resources" if row.recipient.casefold() in theirs else row.department
    return any(is_masked(one, told) for one in speaks if one is not None)


class Veil:
    """Take out of a text what its reader must not see: an employee's name, and private people outside the house.

    A brand's own name stays. `whole` tells that only our own people read the address; `nameless` that the author's
    account, name and parts of the name are hidden.
    """

    def __init__(self, config: Config, row: sa.Row[Any], mention: Mention | None, nameless: bool) -> None:
        self._config, self._channel, self._recipient = config, row.channel, row.recipient
        self.nameless = nameless
        self.whole = is_shown_whole(config, row.channel, row.recipient)
        self._pattern = _named(mention, config) if nameless else None

    def hide(self, text: str) -> str:
        """Give the text as the reader may see it."""
        told = self._pattern.sub(HIDDEN, text) if self._pattern is not None else text
        return told if self.whole else masked_for(told, self._channel, self._config, self._recipient)

    def shows(self, mention: Mention) -> bool:
        """Tell whether the author may be named: to our own people, or as an account that is nobody's private one."""
        if self.nameless or self.whole:
            return not self.nameless
        return (mention.post.author.handle or "").casefold() in known_accounts(self._config)


def _named(mention: Mention | None, config: Config) -> re.Pattern[str] | None:
    author = mention.post.author if mention is not None else None
    known = {word.casefold() for brand in config.brands for name in brand.names for word in name.split()}
    whole = [author.handle, author.name] if author is not None else []
    parts = (author.name or "").split() if author is not None else []
    hidden = {one for one in whole if one} | {one for one in parts if len(one) > 2 and one.casefold() not in known}
    words = "|".join(re.escape(one) for one in sorted(hidden, key=len, reverse=True))
    return re.compile(rf"(?i)@?(?<!\w)(?:{words})(?!\w)") if words else None


def say_all(reasons: Sequence[Reason], lang: str, veil: Veil) -> list[str]:
    """Word reasons, each with a capital, as the reader may see them."""
    return [veil.hide(capital(plain(one.say(lang)))) for one in reasons]


def _worded(label: Label, lang: str) -> str:
    worded = say(FACT, lang, fact=label.name)
    return f"{worded} ({say(FACT, lang, fact='unsure')})" if label.unsure else worded


def quote_of(mention: Mention | None, config: Config, now: datetime, lang: str, veil: Veil) -> dict[str, Any] | None:
    """Give what the template shows of a post: its lines, who wrote it where that may be told, when and where."""
    if mention is None:
        return None
    post, author = mention.post, mention.post.author
    text = plain(post.text)
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit(" ", 1)[0] + " …"
    where = [plain(post.source), clock(post.published_at, now, config)]
    quote: dict[str, Any] = {"name": None, "handle": None, "url": None, "open": say(N_("See the post"), lang)}
    if veil.nameless:
        quote["name"] = say(N_("someone who works here; the author is not shown"), lang)
    elif veil.shows(mention):
        quote["name"] = _line(author.name, 80)
        quote["handle"] = _line(author.handle, 60)
        quote["url"] = post.url if post.url and _web(post.url) else None
    if not veil.nameless and author.followers is not None:
        many = f"{author.followers:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
        where.append(say(N_("{quote_many} followers"), lang, quote_many=many))
    if not veil.nameless and author.verified:
        where.append(say(N_("verified account"), lang))
    lines = re.sub(r"\n{3,}", "\n\n", veil.hide(text)).splitlines()
    return quote | {"lines": lines, "where": " · ".join(where)}


def _web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _line(text: str | None, longest: int) -> str | None:
    """Give a stranger's name on one line."""
    return " ".join(plain(text or "").split())[:longest] or None
