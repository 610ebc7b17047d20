"""Word the cause of a spike: one sentence of few parts, in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from listener.reason import N_, Reason, reason

if TYPE_CHECKING:
    from stakeholders.drivers import Drivers
    from stakeholders.traffic import Measure

__all__ = ["dated", "say_cause", "word_cause"]

_COPIED = 0.34  # share of different texts under which it is one text repeated
_FEWEST = 6  # mentions, before that is worth a word


def word_cause(
    drivers: Drivers,
    measure: Measure,
    observed: int,
    low: float,
    high: float,
    onset: datetime,
    now: datetime,
    zone: tzinfo,
    young: bool,
) -> tuple[Reason, ...]:
    """Give the parts of the sentence, the count first; whoever shows them joins them with `say_cause`.

    The hour of the onset is written in `zone`, with its date when that is not today.
    """
    begun = onset.astimezone(zone)
    since = f"{begun:%H:%M}" if begun.date() == now.astimezone(zone).date() else f"{begun:%Y-%m-%d %H:%M}"
    facts: dict[str, str | int | float] = {"count": observed, "quote_since": since}
    facts |= {"low": math.floor(low), "high": math.ceil(high)}
    if drivers.intent is not None:
        facts["intent"] = drivers.intent
        if measure == "negative":
            head = reason(
                N_("{intent}: {count} harmful mentions since {quote_since}, {low} to {high} were expected"), **facts
            )
        else:
            head = reason(N_("{intent}: {count} mentions since {quote_since}, {low} to {high} were expected"), **facts)
    elif measure == "negative":
        head = reason(N_("{count} harmful mentions since {quote_since}, {low} to {high} were expected"), **facts)
    else:
        head = reason(N_("{count} mentions since {quote_since}, {low} to {high} were expected"), **facts)
    parts = [head]
    if drivers.words:
        parts.append(reason(N_("they say «{quote_words}»"), quote_words="», «".join(drivers.words)))
    if drivers.stakeholder is not None and drivers.source is not None:
        sentence = N_("above all {stakeholder} on {quote_source}")
        parts.append(reason(sentence, stakeholder=drivers.stakeholder, quote_source=_plain(drivers.source)))
    elif drivers.stakeholder is not None:
        parts.append(reason(N_("above all {stakeholder}"), stakeholder=drivers.stakeholder))
    elif drivers.source is not None:
        parts.append(reason(N_("above all on {quote_source}"), quote_source=_plain(drivers.source)))
    if drivers.country is not None:
        parts.append(reason(N_("most of them from {country}"), country=drivers.country))
    if drivers.mentions >= _FEWEST and drivers.texts <= drivers.mentions * _COPIED:
        sentence = N_("only {texts} different texts: copies or a campaign")
        parts.append(reason(sentence, texts=drivers.texts))
    if young:
        parts.append(reason(N_("not enough history yet: the range is a wide guess")))
    return tuple(parts)


def dated(because: Sequence[Reason], onset: datetime, zone: tzinfo) -> tuple[Reason, ...]:
    """Give the same parts with the date of the onset: an ended spike is read on other days."""
    since = f"{onset.astimezone(zone):%Y-%m-%d %H:%M}"
    return tuple(
        Reason(one.sentence, {**one.facts, "quote_since": since}) if "quote_since" in one.facts else one
        for one in because
    )


def _plain(source: str) -> str:
    return source.removeprefix("demo-")


def say_cause(because: Sequence[Reason], lang: str) -> str:
    """Say the parts as one sentence, a country by its name."""
    told = "; ".join(_named(one, lang).say(lang) for one in because)
    return told[:1].upper() + told[1:]


def _named(one: Reason, lang: str) -> Reason:
    code = one.facts.get("country")
    if not isinstance(code, str):
        return one
    from babel import Locale

    return Reason(one.sentence, {**one.facts, "country": Locale(lang).territories.get(code.upper(), code)})
