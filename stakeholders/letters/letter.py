"""Write the letters of the outbox: what was said, by whom, why it came to this reader, by when, and one button.

What a stranger wrote is text in every part of the letter, never markup, and nothing in it is fetched from elsewhere.
Letters about one case stand in caseletter.py, about many in groupletter.py; here stands what all of them share.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.reason import N_, say
from stakeholders.channels import Message
from stakeholders.letters.quote import thin

if TYPE_CHECKING:
    import jinja2

    from listener.config import Config

__all__ = ["ANSWERS", "Row", "before", "capital", "clock", "plain", "render", "write_letter", "zone_of"]

ANSWERS = N_("{department} answers for this")

LISTED = 4  # cases that a chat shows of a letter about many

Row = tuple[str, str, list[str]]  # what it is, the answer, notes to it

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
    if row.kind == "crm":  # a document for a program, which goes out as it stands
        return Message(row.key, row.recipient, row.key, "", now, document=row.payload)
    subject, told = _word(connection, config, row, now, config.language)
    from stakeholders.letters.chat import spoken
    from stakeholders.privacy.masking import is_shown_whole, known_accounts

    told = (
        {"cases": [], "more": "", "press": ()}
        | told
        | {"lang": config.language, "instance": config.settings.instance.name}
    )
    whole = is_shown_whole(config, row.channel, row.recipient)
    said = spoken(told, internal=whole, known=frozenset() if whole else known_accounts(config))
    for one in told["cases"][:LISTED]:  # what a stranger wrote in it was masked when it was worded
        said["lines"] = (*said["lines"], f"{one['head']}: {one['text']}" if one["text"] else one["head"])
    return Message(
        key=row.key,
        recipient=row.recipient,
        subject=subject,
        text=render("alert.txt.j2", **told),
        at=now,
        html=render("alert.html.j2", subject=subject, **told),
        lang=config.language,
        **said,
    )


def _word(
    connection: Connection, config: Config, row: sa.Row[Any], now: datetime, lang: str
) -> tuple[str, dict[str, Any]]:
    """Word a letter by its kind: the subject, and what the template fills in."""
    match row.kind:
        case "budget":
            from stakeholders.bill import word_budget

            return word_budget(config, row, lang)
        case "silent":
            from stakeholders.watch import word_silence

            return word_silence(config, row, lang)
        case "source":
            return _source(config, row, lang)
        case "group":
            from stakeholders.letters.groupletter import word_group

            return word_group(connection, config, row, now, lang)
        case "mention":
            from stakeholders.letters.groupletter import word_note

            return word_note(connection, config, row, now, lang)
        case _:
            from stakeholders.letters.caseletter import word_case

            return word_case(connection, config, row, now, lang)


def _source(config: Config, row: sa.Row[Any], lang: str) -> tuple[str, dict[str, Any]]:
    told: Mapping[str, str] = row.payload or {}
    name = plain(told.get("source", "?"))
    since = clock(datetime.fromisoformat(told["since"]), row.created_at, config)
    headline = say(N_("Nothing is heard from «{quote_source}»"), lang, quote_source=name)
    rows: list[Row] = [
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


def plain(text: str) -> str:
    """Give a stranger's text without controls, lone surrogates, marks that turn the direction, and combining floods."""
    text = thin(text.replace("\r\n", "\n").replace("\t", " "))
    kept = (sign for sign in text if sign in "\n\u200d" or unicodedata.category(sign) not in _HARMFUL)
    return "".join(kept).strip()


_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co"})


def capital(text: str) -> str:
    """Give a sentence with a capital first letter."""
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


def zone_of(config: Config, lang: str) -> str:
    """Say whose clock the times in a letter are."""
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
