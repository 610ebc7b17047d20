"""Know the clocks that the law sets: dated rules with their source, and which of them a complaint sets running.

The rules that ship stand in the files beside this one; [sla] regulation chooses them and [sla.rules] changes them.
A public post is no complaint filed with the company: the clock is counted as if it had been filed when it was heard.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from listener.mention import aware
from listener.reason import N_, Reason, reason
from listener.settings import Settings
from listener.tables.sla import PRESETS, RegulatoryRule
from stakeholders.clocks.worktime import Hours, business_day_after, plain_hours
from stakeholders.deciding.facts import Facts
from stakeholders.deciding.matrix import doubts, quote
from stakeholders.deciding.topics import find, find_words
from stakeholders.sla import calendar_hours
from stakeholders.wording import Wording

__all__ = ["RegulatoryClock", "Rule", "clock_of", "clock_on", "describe", "rules_of", "shipped", "told_by"]

_WORKDAYS = ("mon", "tue", "wed", "thu", "fri")  # días hábiles: the administration's week, whatever the team works
_END = time(23, 59)  # the law counts days: the last one counts whole


@dataclass(frozen=True, slots=True)
class Rule:
    """Hold one legal clock: its id ("PE.osiptel.quality") and what config.toml or the preset says of it."""

    id: str
    table: RegulatoryRule


@dataclass(frozen=True, slots=True)
class RegulatoryClock:
    """Hold by when the law wants a case resolved and the customer told, by which rule, and why it fits."""

    rule: str
    resolve_by: datetime  # UTC, the last minute of the last day
    notify_by: datetime | None  # None: the rule names no days of its own for that
    because: tuple[Reason, ...] = ()


@cache
def shipped() -> dict[str, RegulatoryRule]:
    """Read the rules that ship, by id, in the order in which PRESETS names them."""
    found: dict[str, RegulatoryRule] = {}
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        for name, table in tomllib.loads(path.read_text("utf-8")).items():
            found[name] = RegulatoryRule.model_validate(table)
    return {name: found[name] for names in PRESETS.values() for name in names}


def rules_of(settings: Settings) -> tuple[Rule, ...]:
    """Give the rules that a configuration chose, changed as it says, then its own; disabled ones are left out."""
    chosen = {name: shipped()[name] for preset in settings.sla.regulation for name in PRESETS[preset]}
    for name, ours in settings.sla.rules.items():
        changes = {key: getattr(ours, key) for key in ours.model_fields_set}
        chosen[name] = chosen[name].model_copy(update=changes) if name in chosen else ours
    return tuple(Rule(name, table) for name, table in chosen.items() if table.enabled and table.resolve is not None)


def clock_of(facts: Facts, settings: Settings, heard_at: datetime) -> RegulatoryClock | None:
    """Give the clock that a mention sets running; of several that fit, the one that runs out first. None: none fits."""
    if not facts.relevant or facts.kind != "own" or facts.own_account:
        return None
    clocks = []
    for rule in rules_of(settings):
        because = _fits(rule, facts, settings, heard_at)
        if because:
            clocks.append(clock_on(rule, settings, heard_at, because))
    return min(clocks, key=lambda clock: clock.resolve_by, default=None)


def clock_on(rule: Rule, settings: Settings, start: datetime, because: tuple[Reason, ...] = ()) -> RegulatoryClock:
    """Count one rule from a moment: the first business day is the one after it, and the last one counts whole."""
    table, hours = rule.table, _business_days(rule.table, settings)
    last = business_day_after(aware(start).astimezone(hours.zone).date(), table.resolve or 0, hours)
    resolve_by = _end_of(last, hours.zone)
    sentence = N_("{quote_body} sets a clock: {count} business days to resolve, until {day}")
    told = [reason(sentence, quote_body=table.body or rule.id, count=table.resolve or 0, day=last.isoformat())]
    notify_by = told_by(rule, settings, resolve_by)
    if notify_by is not None:
        sentence = N_("{count} business days more to tell the customer, until {day}")
        day = notify_by.astimezone(hours.zone).date().isoformat()
        told.append(reason(sentence, count=table.notify or 0, day=day))
    return RegulatoryClock(rule.id, resolve_by, notify_by, (*told, *because))


def told_by(rule: Rule, settings: Settings, resolve_by: datetime) -> datetime | None:
    """Give by when the customer must be told of what was resolved in time; None when the rule does not say."""
    if not rule.table.notify:
        return None
    hours = _business_days(rule.table, settings)
    last = aware(resolve_by).astimezone(hours.zone).date()
    return _end_of(business_day_after(last, rule.table.notify, hours), hours.zone)


def describe(rule_id: str, resolve_by: datetime, settings: Settings, words: Wording) -> list[str]:
    """Word a case's legal clock in full sentences: the matter, both days, the source, what to know; [] if unknown.

    `resolve_by` is what stands on the case; a rule that config.toml has dropped since is named by its id alone.
    """
    rule = next((one for one in rules_of(settings) if one.id == rule_id), None)
    if rule is None:
        told = N_("A legal clock that config.toml no longer holds ({quote_rule}): resolve by {quote_time}")
        return [words.say(told, quote_rule=rule_id, quote_time=words.moment(resolve_by))]
    table, hours = rule.table, _business_days(rule.table, settings)
    last = aware(resolve_by).astimezone(hours.zone).date()
    about = table.about.get(words.lang) or table.about.get("en") or rule.id  # type: ignore[call-overload]
    lines = [
        words.say(
            N_("{quote_body}, {quote_about}: to be resolved by {quote_day} ({count} business days)"),
            quote_body=table.body or rule.id,
            quote_about=about,
            quote_day=words.day(last),
            count=table.resolve,
        )
    ]
    notify_by = told_by(rule, settings, resolve_by)
    if notify_by is not None:
        told = N_("The customer is to be told by {quote_day} ({count} business days more)")
        day = words.day(notify_by.astimezone(hours.zone).date())
        lines.append(words.say(told, quote_day=day, count=table.notify))
    lines.append(words.say(N_("Counted as if the complaint had been filed when the post was heard")))
    note = table.note.get(words.lang)  # type: ignore[call-overload]
    lines += [note] if note else []
    if table.source:
        lines.append(words.say(N_("Source: {quote_source}"), quote_source=table.source))
    return lines


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    return aware(datetime.combine(day, _END, zone))


def _business_days(table: RegulatoryRule, settings: Settings) -> Hours:
    if table.calendar is not None and table.calendar in settings.calendars:
        return calendar_hours(settings, table.calendar)
    zone = ZoneInfo(table.timezone or settings.instance.timezone)
    return plain_hours(_WORKDAYS, time(0), time(23, 59), zone, table.country or settings.instance.country)


def _holds(table: RegulatoryRule, day: date) -> bool:
    return (table.since is None or table.since <= day) and (table.until is None or day <= table.until)


def _fits(rule: Rule, facts: Facts, settings: Settings, heard_at: datetime) -> tuple[Reason, ...]:
    """Give why a rule fits a mention; empty when it does not."""
    table = rule.table
    zone = ZoneInfo(table.timezone or settings.instance.timezone)
    brand = settings.brands.get(facts.brand)
    at_home = (brand.country if brand is not None else None) or settings.instance.country
    asked = (
        table.automatic,
        table.country in (None, at_home),
        _holds(table, aware(heard_at).astimezone(zone).date()),
        facts.stakeholder in table.stakeholders,
        facts.sentiment in table.sentiments,
        not table.intents or facts.intent in table.intents,
        not table.dimensions or facts.dimension in table.dimensions,
    )
    if not all(asked) or find_words(facts.text, table.not_words):
        return ()
    sentence = N_("{stakeholder} speaks, and the post is about {intent}")
    because = [reason(sentence, stakeholder=facts.stakeholder, intent=facts.intent)]
    if table.topics or table.words:
        words = [word for topic in table.topics for word in find(facts.text, topic)]
        words += find_words(facts.text, table.words)
        if not words:
            return ()
        because.append(reason(N_("It says «{quote}»"), quote=quote(tuple(dict.fromkeys(words)))))
    return (*because, *doubts(facts, tuple(because)))
