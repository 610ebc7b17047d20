"""Ask what would have changed a decision: decide again with one fact changed, and keep the nearest that differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from listener.reason import N_, Reason, reason
from listener.taxonomy import DIMENSIONS, Intent, Sentiment, Stakeholder
from stakeholders.facts import Facts, Route
from stakeholders.priority import REACH, reach

__all__ = ["nearest"]

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


def nearest(facts: Facts, route: Route, decide: Callable[[Facts], Route], most: int = 3) -> tuple[Reason, ...]:
    """Give, for up to `most` facts, the first change that sends the post to another department or priority.

    The order is fixed (reach, sentiment, intent, speaker, theme), so the same facts always give the same sentences.
    """
    found: list[Reason] = []
    for changes in _each_fact(facts):
        for changed, sentence in changes:
            other = decide(changed)
            if (other.department, other.priority) != (route.department, route.priority):
                found.append(_word(sentence, changed, other, facts))
                break
        if len(found) == most:
            break
    return tuple(found)


def _each_fact(facts: Facts) -> Iterator[Iterator[tuple[Facts, str]]]:
    if not facts.relevant:
        sentence = N_("If it were about the brand it would be «{priority}» for {department}")
        yield iter([(replace(facts, relevant=True), sentence)])
        return
    yield _reaches(facts)
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


def _reaches(facts: Facts) -> Iterator[tuple[Facts, str]]:
    if reach(facts):
        if not facts.outlet:
            sentence = N_(
                "With fewer than {reach} followers it would be «{priority}» for {department} ({followers} now)"
            )
            yield replace(facts, followers=REACH - 1), sentence
    elif facts.followers is None:
        sentence = N_("With {reach} followers or more it would be «{priority}» for {department} (followers not told)")
        yield replace(facts, followers=REACH), sentence
    else:
        sentence = N_("With {reach} followers or more it would be «{priority}» for {department} ({followers} now)")
        yield replace(facts, followers=REACH), sentence


def _word(sentence: str, changed: Facts, other: Route, facts: Facts) -> Reason:
    known: dict[str, str | int] = {
        "sentiment": changed.sentiment,
        "intent": changed.intent,
        "stakeholder": changed.stakeholder,
        "dimension": changed.dimension,
        "reach": f"{REACH:,}",
        "followers": f"{facts.followers:,}" if facts.followers is not None else 0,
    }
    used = {name: fact for name, fact in known.items() if f"{{{name}}}" in sentence}
    return reason(sentence, **used, priority=other.priority, department=other.department)
