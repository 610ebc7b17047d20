"""Decide who answers a mention, how soon, who is copied and why; pure: facts in, route out.

The order of docs/labels.md: not about us · an explicit rule of config.toml · our own account · what overrides who
speaks · the matrix · the widest net (communications). docs/routing.md explains each step with examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from listener.match import fold
from listener.reason import N_, Reason, reason
from listener.settings import RouteRule, Settings, When
from listener.taxonomy import Department, Priority, Stakeholder
from stakeholders.facts import Facts, Route
from stakeholders.matrix import cell, doubts, quote
from stakeholders.otherwise import nearest
from stakeholders.priority import backing, fraud, grade, sanctions, stands, threatens
from stakeholders.topics import find_words

__all__ = ["Rules", "decide", "fits", "rule_on", "rules_of"]


@dataclass(frozen=True, slots=True)
class Rules:
    """Hold what config.toml adds to the taxonomy: explicit rules, other matrix rows, and who the competitors are."""

    routes: tuple[RouteRule, ...] = ()
    matrix: Mapping[Stakeholder, Department] = field(default_factory=dict)
    rivals: frozenset[str] = frozenset()  # folded handles of competitors and of the executives that speak for them


@dataclass(frozen=True, slots=True)
class _Step:
    """Hold the answer of one step, before copies and priority."""

    department: Department
    rule: str
    because: tuple[Reason, ...]
    copies: tuple[Department, ...] = ()
    priority: Priority | None = None  # None: what the taxonomy gives
    takes_rivals: bool = False  # an explicit rule that names competitors opens cases about them
    explicit: bool = False  # a rule of config.toml


def rules_of(settings: Settings) -> Rules:
    """Give the rules of a configuration."""
    rivals = {fold(handle) for brand in settings.watched() if brand.kind == "competitor" for handle in brand.handles}
    return Rules(tuple(settings.routes), settings.matrix, frozenset(rivals))


def decide(facts: Facts, rules: Rules) -> Route:
    """Decide a mention, with the reasons of every step and what would have changed the answer."""
    route = rule_on(facts, rules)
    return replace(route, otherwise=nearest(facts, route, lambda changed: rule_on(changed, rules)))


def rule_on(facts: Facts, rules: Rules) -> Route:
    """Decide a mention, without asking what would have changed the answer."""
    step = _irrelevant(facts) or _explicit(facts, rules) or _own(facts) or _override(facts) or _matrix(facts, rules)
    because = list(step.because)
    copies = list(step.copies)
    stranger = facts.relevant and facts.stakeholder != "customer" and not facts.own_account
    if stranger and step.department != "communications":
        copies.append("communications")
        because.append(reason(N_("{stakeholder} always copies communications"), stakeholder=facts.stakeholder))
    fined = sanctions(facts) if facts.relevant and not facts.own_account and not step.explicit else ()
    if fined and "legal_regulatory" not in (step.department, *copies):
        copies.append("legal_regulatory")
        sentence = N_("It says «{quote}»: {department} must at least know")
        because.append(reason(sentence, quote=quote(fined), department="legal_regulatory"))
    why: tuple[Reason, ...] = ()
    if step.priority is not None:
        priority = step.priority
    else:
        priority, graded = grade(facts, rules.rivals)
        why = (graded, *(one for one in doubts(facts, (graded,)) if "percent" not in graded.facts))
    if facts.unsure and facts.relevant:
        sentence = N_("The verdict is unsure: «{sentiment}» is only the likeliest")
        unsure = reason(sentence, sentiment=facts.sentiment)
        if priority == "routine" and facts.sentiment != "negative" and not facts.own_account:
            other = rule_on(replace(facts, sentiment="negative", unsure=False), rules)
            if other.priority != "routine":
                priority = "important"
                # What the likeliest reading would have owed no longer counts.
                why = (reason(N_("If it harms the brand an answer is owed: a person must look")),)
        why = (unsure, *why)
    because.extend(one for one in why if one not in because)
    opens = priority != "routine" and facts.relevant
    if facts.kind == "competitor" and not step.takes_rivals:
        if opens:
            because.append(reason(N_("It is about a competitor: noted, no case is opened")))
        opens = False
    return Route(
        department=step.department,
        copies=tuple(dict.fromkeys(copy for copy in copies if copy != step.department)),
        priority=priority,
        rule=step.rule,
        because=tuple(because),
        opens_case=opens,
        suppress=facts.intent == "opt_out"
        and stands(facts)
        and facts.relevant
        and facts.kind == "own"
        and not facts.own_account,
    )


def _irrelevant(facts: Facts) -> _Step | None:
    if facts.relevant:
        return None
    return _Step("communications", "not about us", (reason(N_("The post is not about the brand")),), priority="routine")


def _explicit(facts: Facts, rules: Rules) -> _Step | None:
    for rule in rules.routes:
        if fits(rule.when, facts):
            sentence = N_("Your rule «{quote}» sends it to {department}")
            because = [reason(sentence, quote=rule.name, department=rule.department)]
            words = find_words(facts.text, _many(rule.when.words))
            if words:
                because.append(reason(N_("It says «{quote}»"), quote=quote(words)))
            if rule.priority is not None:
                because.append(reason(N_("The rule makes it «{priority}»"), priority=rule.priority))
            named = rule.when.kind == "competitor" or rule.when.brand is not None
            return _Step(rule.department, rule.name, tuple(because), tuple(rule.copies), rule.priority, named, True)
    return None


def _own(facts: Facts) -> _Step | None:
    if not facts.own_account:
        return None
    because = reason(N_("One of our own accounts speaks: communications keeps it, nobody owes an answer"))
    return _Step("communications", "own account", (because,), priority="routine")


def _override(facts: Facts) -> _Step | None:
    """Take what is answered by the same department whoever speaks; the first that applies wins."""
    wish = facts.intent if stands(facts) else "other"  # a doubtful wish without a word of it overrides nothing
    if wish == "safety":
        sentence = N_("Someone may be hurt: {department}, whoever speaks; communications is told")
        because = _backed(facts, "network_quality") or reason(sentence, department="network_quality")
        return _Step("network_quality", "safety", (because,), ("communications",))
    if wish == "legal_threat":
        sentence = N_("A legal threat: {department}, whoever speaks")
        because = _backed(facts, "legal_regulatory") or reason(sentence, department="legal_regulatory")
        return _Step("legal_regulatory", "legal threat", (because,))
    if wish == "job":
        sentence = N_("It is about a job: {department}, whoever speaks")
        because = _backed(facts, "human_resources") or reason(sentence, department="human_resources")
        return _Step("human_resources", "job", (because,))
    found = fraud(facts)
    if found is not None:
        sentence = N_("It speaks of fraud («{quote}»): {department}, whoever speaks")
        because = reason(sentence, quote=quote(found[1]), department="security_fraud")
        if not found[1]:
            sentence = N_("The whole sounds like fraud ({percent} %): {department}, whoever speaks")
            because = reason(sentence, percent=round(100 * facts.loud), department="security_fraud")
        return _Step("security_fraud", "fraud", (because,))
    if wish == "opt_out":
        stop = reason(N_("The author does not want to be written to: on the suppression list"))
        words = threatens(facts)
        if words:
            sentence = N_("It comes with a legal threat («{quote}»): {department}")
            threat = reason(sentence, quote=quote(words), department="legal_regulatory")
            return _Step("legal_regulatory", "opt-out", (stop, threat))
        sentence = N_("An opt-out: {department}, whoever speaks")
        whom = _backed(facts, "customer_care") or reason(sentence, department="customer_care")
        return _Step("customer_care", "opt-out", (stop, whom))
    return None


def _backed(facts: Facts, department: Department) -> Reason | None:
    """Word an override that rests on a doubtful wish and on words of the text; None when the wish is sure."""
    if facts.doubtful_intent is None:
        return None
    sentence = N_("{intent} (unsure, {percent} %), and it says «{quote}»: {department}, whoever speaks")
    words = quote(backing(facts))
    return reason(sentence, intent=facts.intent, percent=facts.doubtful_intent, quote=words, department=department)


def _matrix(facts: Facts, rules: Rules) -> _Step:
    found = cell(facts, rules.matrix)
    if found is not None:
        return _Step(found.department, "matrix", (*found.because, *doubts(facts, found.because)))
    because = reason(N_("No other area fits: {department} takes it"), department="communications")
    return _Step("communications", "widest net", (because,))


def _many(value: Any) -> tuple[Any, ...]:
    return () if value is None else tuple(value) if isinstance(value, list) else (value,)


def _among(wanted: object, value: str) -> bool:
    return wanted is None or value in _many(wanted)


def _among_folded(wanted: list[str] | str | None, value: str | None) -> bool:
    return wanted is None or (value is not None and fold(value) in {fold(one) for one in _many(wanted)})


def fits(when: When, facts: Facts) -> bool:
    """Tell whether every condition given holds; what is not told fits no condition on it."""
    same: Iterable[bool] = (
        _among(when.brand, facts.brand),
        when.kind in (None, facts.kind),
        _among(when.stakeholder, facts.stakeholder),
        _among(when.sentiment, facts.sentiment),
        _among(when.dimension, facts.dimension),
        _among(when.intent, facts.intent),
        _among(when.source, facts.source or ""),
        _among_folded(when.country, facts.country),
        _among_folded(when.lang, facts.lang),
        when.min_followers is None or (facts.followers is not None and facts.followers >= when.min_followers),
        when.outlet in (None, facts.outlet),
        when.own_account in (None, facts.own_account),
    )
    return all(same) and (when.words is None or bool(find_words(facts.text, _many(when.words))))
