"""Ask what would have changed a decision: decide again with one fact changed, and keep the nearest that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from listener.reason import N_, Reason, reason
from listener.taxonomy import DIMENSIONS, Intent, Sentiment, Stakeholder
from stakeholders.deciding.facts import Facts, Route
from stakeholders.deciding.priority import REACH
from stakeholders.deciding.rules import Rules

__all__ = ["nearest", "without"]

# Within one fact the likelier mistake or change comes first.
_SENTIMENTS: tuple[Sentiment, ...] = ("negative", "positive", "neutral")
_INTENTS: tuple[Intent, ...] = (
    "complaint",
    "question",
    "outage_report",
    "legal_threat",
    "safety",
    "purchase",
    "churn_threat",
    "media_request",
    "praise",
    "other",
    "opt_out",
    "job",
)
_STAKEHOLDERS: tuple[Stakeholder, ...] = (
    "customer",
    "press",
    "regulator",
    "government",
    "public",
    "consumer_association",
    "peer_company",
    "employee",
    "civil_society",
    "partner",
    "investor",
)


def without(
    facts: Facts, route: Route, rules: Rules, line: int | None, decide: Callable[[Facts, Rules], Route]
) -> tuple[Reason, ...]:
    """Give what each rule of config.toml changed, first the one that decided: how it would be without that rule.

    `line` is the line of the grid that fits, if any.
    """
    found: list[Reason] = []
    names = {rule.name for rule in rules.routes}
    for name in (route.rule, *route.added):
        if name not in names:
            continue
        other = decide(facts, rules.without(name))
        if (other.department, other.priority) != (route.department, route.priority):
            sentence = N_("Without your rule «{quote}» it would be «{priority}» for {department}")
            found.append(reason(sentence, quote=name, priority=other.priority, department=other.department))
        else:
            spared = [copy for copy in route.copies if copy not in other.copies]
            sentence = N_("Without your rule «{quote}» {department} would not be copied")
            found.extend(reason(sentence, quote=name, department=one) for one in spared[:1])
    if line is not None:
        other = decide(facts, rules.without_line(line))
        if (other.department, other.priority) != (route.department, route.priority):
            sentence = N_("Without line {line} of your grid it would be «{priority}» for {department}")
            found.append(reason(sentence, line=line, priority=other.priority, department=other.department))
    return tuple(found)


def nearest(
    facts: Facts, route: Route, decide: Callable[[Facts], Route], most: int = 3, bars: Sequence[int] = ()
) -> tuple[Reason, ...]:
    """Give, for up to `most` facts, the first change that sends the post to another department or priority.

    The order is fixed (reach, sentiment, intent, speaker, theme), so the same facts always give the same sentences.
    `bars` are numbers of followers that rules ask for, beside that of reach.
    """
    found: list[Reason] = []
    for changes in _each_fact(facts, bars):
        for changed, sentence in changes:
            other = decide(changed)
            if (other.department, other.priority) != (route.department, route.priority):
                found.append(_word(sentence, changed, other, facts))
                break
        if len(found) == most:
            break
    return tuple(found)


def _each_fact(facts: Facts, bars: Sequence[int]) -> Iterator[Iterator[tuple[Facts, str]]]:
    if not facts.relevant:
        sentence = N_("If it were about the brand it would be «{priority}» for {department}")
        yield iter([(replace(facts, relevant=True), sentence)])
        return
    yield _reaches(facts, bars)
    sentence = N_("If the verdict were «{sentiment}» it would be «{priority}» for {department}")
    sure = replace(facts, unsure=False)
    yield ((replace(sure, sentiment=one), sentence) for one in _SENTIMENTS if one != facts.sentiment)
    sentence = N_("If the author wanted «{intent}» it would be «{priority}» for {department}")
    yield ((replace(facts, intent=one, doubtful_intent=None), sentence) for one in _INTENTS if one != facts.intent)
    sentence = N_("If the speaker were «{stakeholder}» it would be «{priority}» for {department}")
    known = replace(facts, doubtful_speaker=None)
    yield ((replace(known, stakeholder=one), sentence) for one in _STAKEHOLDERS if one != facts.stakeholder)
    sentence = N_("If the theme were «{dimension}» it would be «{priority}» for {department}")
    yield (
        (replace(facts, dimension=one, doubtful_dimension=None), sentence)
        for one in DIMENSIONS
        if one != facts.dimension
    )


def _reaches(facts: Facts, bars: Sequence[int]) -> Iterator[tuple[Facts, str]]:
    """Cross each bar, the nearest first; an outlet has reach whatever it tells, so only the bars of rules are tried."""
    now = facts.followers
    every = {*bars, *(() if facts.outlet else (REACH,))}
    for bar in sorted(every, key=lambda bar: (abs(bar - (now or 0)), bar)):
        if now is not None and now >= bar:
            sentence = N_(
                "With fewer than {reach} followers it would be «{priority}» for {department} ({followers} now)"
            )
            yield replace(facts, followers=bar - 1), sentence
        elif now is None:
            told = N_("With {reach} followers or more it would be «{priority}» for {department} (followers not told)")
            yield replace(facts, followers=bar), told
        else:
            sentence = N_("With {reach} followers or more it would be «{priority}» for {department} ({followers} now)")
            yield replace(facts, followers=bar), sentence


def _word(sentence: str, changed: Facts, other: Route, facts: Facts) -> Reason:
    crossed = changed.followers or 0
    bar = crossed + 1 if facts.followers is not None and crossed < facts.followers else crossed
    known: dict[str, str | int] = {
        "sentiment": changed.sentiment,
        "intent": changed.intent,
        "stakeholder": changed.stakeholder,
        "dimension": changed.dimension,
        "reach": f"{bar:,}",
        "followers": f"{facts.followers:,}" if facts.followers is not None else 0,
    }
    used = {name: fact for name, fact in known.items() if f"{{{name}}}" in sentence}
    return reason(sentence, **used, priority=other.priority, department=other.department)
