"""Write the letters of the outbox: what was said, by whom, why it came to this reader, by when, and one button.

What a stranger wrote is text in every part of the letter, never markup, and nothing in it is fetched from elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.mention import Mention
from listener.reason import N_, Reason, from_json, say
from listener.store import mentions, read_mention, select_mentions
from sentiment.store import read_verdict
from sentiment.verdict import Label
from stakeholders.channels import Message, is_internal
from stakeholders.decision import read_decision
from stakeholders.dossier import is_masked, read_case
from stakeholders.links import sign

if TYPE_CHECKING:
    import jinja2

    from listener.config import Config

__all__ = ["ANSWERS", "before", "clock", "plain", "render", "write_letter"]

ANSWERS = N_("{department} answers for this")

_Line = tuple[str, str, list[str]]  # what it is, the answer, notes to it

LONGEST = 600  # characters of a post that a letter quotes
HIDDEN = "[…]"

FIX: Mapping[str, str] = {
    "not allowed": N_("The platform refuses the key, or the plan is too small: look at its table in config.toml."),
    "unreachable": N_("It does not answer. Escucha goes on trying."),
    "unreadable": N_("What comes is not what it promises. The answer is kept in quarantine; Escucha goes on trying."),
    "refused": N_("Its address is not on the list of hosts that may be reached: see [egress] in config.toml."),
    "limited": N_("The platform asks to wait. Escucha waits, then goes on."),
    "failed": N_("It fails. Escucha goes on trying."),
}


def write_letter(connection: Connection, config: Config, row: sa.Row[Any], now: datetime) -> Message:
    """Write the message of an outbox row; raises LookupError when what it speaks of is gone."""
    if row.kind == "digest":
        from stakeholders.digest import write_letter as write_digest

        return write_digest(connection, config, row, now)
    lang = config.language
    if row.kind == "budget":
        from stakeholders.bill import word_budget

        subject, told = word_budget(config, row, lang)
    elif row.kind == "silent":
        from stakeholders.watch import word_silence

        subject, told = word_silence(config, row, lang)
    elif row.kind == "source":
        subject, told = _source(config, row, lang)
    else:
        subject, told = _case(connection, config, row, now, lang)
    from stakeholders.chat import spoken

    told |= {"lang": lang, "instance": config.settings.instance.name}
    return Message(
        key=row.key,
        recipient=row.recipient,
        subject=subject,
        text=render("alert.txt.j2", **told),
        at=now,
        html=render("alert.html.j2", subject=subject, **told),
        lang=lang,
        **spoken(told, internal=is_internal(config, row.channel, row.recipient)),
    )


def _case(
    connection: Connection, config: Config, row: sa.Row[Any], now: datetime, lang: str
) -> tuple[str, dict[str, Any]]:
    case = read_case(connection, row.case_id)
    if case is None:
        raise LookupError(f"case {row.case_id}")
    mention_id = int((row.payload or {}).get("mention_id", 0))
    found = connection.execute(select_mentions().where(mentions.c.id == mention_id)).one_or_none()
    mention = read_mention(found) if found is not None else None  # a post may be erased after its alert was queued
    decision = read_decision(connection, mention_id)
    verdict = read_verdict(connection, mention_id)
    speaker = decision.speaker.label if decision is not None else None
    speaks = {case.stakeholder, speaker.name if speaker is not None else None}
    mask = _Mask(mention, config) if _nameless(config, row, speaks) else None

    copy = row.kind == "copy"
    brand = next((one.name for one in config.brands if one.key == case.brand), case.brand)
    stakeholder, department = say(_FACT, lang, fact=case.stakeholder), say(_FACT, lang, fact=case.department)
    chip = say(N_("For information"), lang) if copy else _capital(say(_FACT, lang, fact=case.priority))
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
    elif due is None:
        headline = say(N_("This needs a person of {department}"), lang, department=case.department)
    elif case.overdue(now):
        headline = say(N_("It should have been answered {quote_before}"), lang, quote_before=due)
    else:
        headline = _capital(say(N_("answer {quote_before}"), lang, quote_before=due))

    rows: list[_Line] = [(say(N_("Who speaks"), lang), _worded(speaker, lang) if speaker else stakeholder, [])]
    if speaker is not None and mask is None:
        rows[0][2].extend(one.say(lang) for one in speaker.because[:3])
    if verdict is not None:
        rows.append((say(N_("For the brand"), lang), _worded(verdict.sentiment, lang), []))
        about = [one for one in (verdict.dimension, verdict.intent) if one.name not in ("undefined", "other")]
        if about:
            rows.append((say(N_("What about"), lang), " · ".join(_worded(one, lang) for one in about), []))
    rows.append((say(N_("Who answers"), lang), department, []))
    if case.copies:
        rows.append((say(N_("Copied"), lang), ", ".join(say(_FACT, lang, fact=one) for one in case.copies), []))
    if case.mentions > 1:
        rows.append((say(N_("So far"), lang), say(N_("{count} posts in this case"), lang, count=case.mentions), []))

    route = decision.route if decision is not None else None
    first = from_json([row.reason])  # why this message; that the department answers is said by the route's reasons too
    because = route.because if route is not None else ()
    why = _say_all(because if because and row.reason["sentence"] == ANSWERS else (*first, *because), lang, mask)
    other = _say_all(route.otherwise[:2] if route is not None else (), lang, mask)
    days = config.settings.server.link_days
    button = None
    if not copy:
        button = {
            "url": sign(config, case.id, row.recipient, now=now),
            "label": say(N_("Acknowledge"), lang),
            "note": say(N_("One tap, no login. The link is good for {count} days."), lang, count=days),
        }
    return subject, {
        "alert": case.priority == "alert" and not copy,
        "chip": chip,
        "crumbs": f"{brand} · {stakeholder}",
        "number": say(N_("Case {count}"), lang, count=case.id),
        "headline": headline,
        "subline": " · ".join(([] if copy else [department]) + ([] if due is None else [_zone(config, lang)])),
        "quote": _quote(mention, config, now, lang, mask),
        "rows": rows,
        "lists": [
            (say(N_("Why it came to you"), lang), list(dict.fromkeys(why))),
            (say(N_("What would have changed it"), lang), other),
        ],
        "button": button,
        "link": (f"{config.public_url}/case?id={case.id}", say(N_("Open the case"), lang)),
    }


_FACT = "{fact}"  # say() words a fact that is a label key


def _source(config: Config, row: sa.Row[Any], lang: str) -> tuple[str, dict[str, Any]]:
    told: Mapping[str, str] = row.payload or {}
    name = plain(told.get("source", "?"))
    since = clock(datetime.fromisoformat(told["since"]), row.created_at, config)
    headline = say(N_("Nothing is heard from «{quote_source}»"), lang, quote_source=name)
    rows: list[_Line] = [
        (say(N_("Source"), lang), name, []),
        (say(N_("Fails since"), lang), since, []),
        (say(N_("It says"), lang), plain(say(told.get("message", ""), lang)), []),
    ]
    return f"[{say(N_('Source'), lang)}] {headline}", {
        "alert": True,
        "chip": say(N_("Source"), lang),
        "crumbs": name,
        "number": "",
        "headline": headline,
        "subline": say(N_("Mentions may be missing until it answers again."), lang),
        "quote": None,
        "rows": rows,
        "lists": [(say(N_("What to do"), lang), [say(FIX.get(told.get("kind", ""), FIX["failed"]), lang)])],
        "button": None,
        "link": (f"{config.public_url}/sources", say(N_("See the sources"), lang)),
    }


def _nameless(config: Config, row: sa.Row[Any], speaks: Iterable[str | None]) -> bool:
    """Tell whether the author must not be shown: an employee is never named to human resources (taxonomy)."""
    table = config.settings.departments.get("human_resources")
    theirs = [address.partition(":")[2].strip().casefold() for address in table.alert] if table is not None else []
    told = "human_resources" if row.recipient.casefold() in theirs else row.department
    return any(is_masked(one, told) for one in speaks if one is not None)


class _Mask:
    """Take an author's account, name and parts of the name out of what is said; a brand's own name stays."""

    def __init__(self, mention: Mention | None, config: Config) -> None:
        author = mention.post.author if mention is not None else None
        known = {word.casefold() for brand in config.brands for name in brand.names for word in name.split()}
        whole = [author.handle, author.name] if author is not None else []
        parts = (author.name or "").split() if author is not None else []
        hidden = {one for one in whole if one} | {one for one in parts if len(one) > 2 and one.casefold() not in known}
        words = "|".join(re.escape(one) for one in sorted(hidden, key=len, reverse=True))
        self._pattern = re.compile(rf"(?i)@?(?<!\w)(?:{words})(?!\w)") if words else None

    def hide(self, text: str) -> str:
        """Give the text without the author."""
        return self._pattern.sub(HIDDEN, text) if self._pattern is not None else text


def _say_all(reasons: Sequence[Reason], lang: str, mask: _Mask | None) -> list[str]:
    worded = [_capital(plain(one.say(lang))) for one in reasons]
    return [mask.hide(one) for one in worded] if mask is not None else worded


def _worded(label: Label, lang: str) -> str:
    worded = say(_FACT, lang, fact=label.name)
    return f"{worded} ({say(_FACT, lang, fact='unsure')})" if label.unsure else worded


def _quote(
    mention: Mention | None, config: Config, now: datetime, lang: str, mask: _Mask | None
) -> dict[str, Any] | None:
    if mention is None:
        return None
    post, author = mention.post, mention.post.author
    text = plain(post.text)
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit(" ", 1)[0] + " …"
    where = [plain(post.source), clock(post.published_at, now, config)]
    quote: dict[str, Any] = {"name": None, "handle": None, "url": None, "open": say(N_("See the post"), lang)}
    if mask is not None:
        text = mask.hide(text)
        quote["name"] = say(N_("someone who works here; the author is not shown"), lang)
    else:
        quote["name"] = _line(author.name, 80)
        quote["handle"] = _line(author.handle, 60)
        quote["url"] = post.url if post.url and _web(post.url) else None
        if author.followers is not None:
            many = f"{author.followers:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
            where.append(say(N_("{quote_many} followers"), lang, quote_many=many))
        if author.verified:
            where.append(say(N_("verified account"), lang))
    return quote | {"lines": re.sub(r"\n{3,}", "\n\n", text).splitlines(), "where": " · ".join(where)}


def _web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def plain(text: str) -> str:
    """Give a stranger's text without controls, lone surrogates and the marks that turn the reading direction."""
    text = text.replace("\r\n", "\n").replace("\t", " ")
    kept = (sign for sign in text if sign in "\n\u200d" or unicodedata.category(sign) not in _HARMFUL)
    return "".join(kept).strip()


def _line(text: str | None, longest: int) -> str | None:
    """Give a stranger's name on one line."""
    return " ".join(plain(text or "").split())[:longest] or None


_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co"})


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def clock(moment: datetime, now: datetime, config: Config) -> str:
    """Word a moment in the instance's zone and language: «15:40» on the day of `now`, else «mar 5 may, 15:40»."""
    local = moment.astimezone(config.zone)
    if local.date() == now.astimezone(config.zone).date():
        return f"{local:%H:%M}"
    return f"{_day(local, config.language)}, {local:%H:%M}"


def before(moment: datetime, now: datetime, config: Config) -> str:
    """Word a deadline: «antes de las 15:40» on the day of `now`, else «antes del mar 5 may, 15:40»."""
    local, lang = moment.astimezone(config.zone), config.language
    if local.date() == now.astimezone(config.zone).date():
        return say(N_("before {quote_time}"), lang, quote_time=f"{local:%H:%M}")
    return say(N_("before {quote_day}, {quote_time}"), lang, quote_day=_day(local, lang), quote_time=f"{local:%H:%M}")


def _day(local: datetime, lang: str) -> str:
    from babel.dates import format_date

    return str(format_date(local.date(), "EEE d MMM", locale=lang)).replace(" ", "\N{NO-BREAK SPACE}")


def _zone(config: Config, lang: str) -> str:
    from babel.dates import get_timezone_location

    place = get_timezone_location(config.settings.instance.timezone, locale=lang, return_city=True)
    return say(N_("time of {quote_place}"), lang, quote_place=place)


def render(template: str, **told: Any) -> str:
    """Fill a template of this room; in HTML everything is escaped."""
    return _templates().get_template(template).render(**told)


@cache
def _templates() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("stakeholders", "templates"),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
