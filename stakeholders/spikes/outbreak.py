"""Word the cause of a spike: one sentence of few parts, in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from listener.reason import N_, Reason, reason, say

if TYPE_CHECKING:
    from stakeholders.spikes.drivers import Drivers
    from stakeholders.spikes.surge import Surge
    from stakeholders.spikes.traffic import Measure

__all__ = ["dated", "say_cause", "word_cause", "word_surge"]

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
    since = _hour(onset, now, zone)
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


def _hour(at: datetime, now: datetime, zone: tzinfo) -> str:
    local = at.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == now.astimezone(zone).date() else f"{local:%Y-%m-%d %H:%M}"


def word_surge(surge: Surge, lang: str, zone: tzinfo, now: datetime, *, drivers: bool = True) -> list[tuple[str, str]]:
    """Give what a crisis consists of as labels and values, for pages and letters; words in it may be strangers'.

    What nobody told, or nothing shares, is left out; so are the drivers where their sentences stand beside it. Times
    are written in `zone`.
    """
    part = surge.members
    facts = {"count": part.mentions, "harmful": part.harmful, "people": part.people}
    told = [
        (N_("Since"), _hour(surge.onset, now, zone) + " · " + _until(surge, lang, zone, now)),
        (N_("So far"), say(N_("{count} mentions, {harmful} of them harmful; people: {people}"), lang, **facts)),
        (N_("Expected"), _range(surge, lang)),
    ]
    if drivers and surge.words:
        told.append((N_("New in it"), "«" + "», «".join(surge.words) + "»"))
    if drivers and surge.stakeholder is not None:
        told.append((N_("Who speaks"), say("{fact}", lang, fact=surge.stakeholder)))
    where = [_plain(surge.source)] if surge.source is not None else []
    if surge.country is not None:
        where.append(_country(surge.country, lang))
    if drivers and where:
        told.append((N_("Where"), " · ".join(where)))
    if part.cases:
        sentence = N_("{count}, each with its own author, who is owed an answer")
        told.append((N_("Single cases"), say(sentence, lang, count=len(part.cases))))
    return [(say(label, lang), value) for label, value in told]


def _until(surge: Surge, lang: str, zone: tzinfo, now: datetime) -> str:
    if surge.ended_at is None:
        return say(N_("still on"), lang)
    return say(N_("over at {quote_time}"), lang, quote_time=_hour(surge.ended_at, now, zone))


def _range(surge: Surge, lang: str) -> str:
    facts = {"low": math.floor(surge.low), "high": math.ceil(surge.high), "count": surge.observed}
    sentence = N_("{low} to {high}; {count} came")
    if surge.measure == "negative":
        sentence = N_("{low} to {high} harmful ones; {count} came")
    young = say(N_("not enough history yet: the range is a wide guess"), lang)
    return say(sentence, lang, **facts) + (f"; {young}" if surge.young else "")


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
    return Reason(one.sentence, {**one.facts, "country": _country(code, lang)})


def _country(code: str, lang: str) -> str:
    from babel import Locale

    return str(Locale(lang).territories.get(code.upper(), code))
