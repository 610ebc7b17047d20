"""Decide who answers a mention, how soon, who is copied and why; pure: facts in, route out.

The order of docs/labels.md: not about us · an explicit rule of config.toml · our own account · what overrides who
speaks · the matrix · the widest net (communications). docs/routing.md explains each step with examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from listener.reason import N_, Reason, reason
from listener.tables.routing import RouteRule
from listener.taxonomy import Department, Priority
from stakeholders.deciding.facts import Facts, Route
from stakeholders.deciding.grid import Line, find_row
from stakeholders.deciding.matrix import cell, doubts, quote
from stakeholders.deciding.otherwise import nearest, without
from stakeholders.deciding.priority import backing, fraud, grade, sanctions, stands, threatens
from stakeholders.deciding.rules import Rules, bars, choose, words_found

__all__ = ["COPIED", "added_by", "decide", "line_on", "otherwise_of", "rule_on"]

COPIED = N_("{stakeholder} always copies communications")


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


def decide(facts: Facts, rules: Rules) -> Route:
    """Decide a mention, with the reasons of every step and what would have changed the answer."""
    route = rule_on(facts, rules)
    return replace(route, otherwise=otherwise_of(facts, route, rules))


def otherwise_of(facts: Facts, route: Route, rules: Rules, most: int = 3) -> tuple[Reason, ...]:
    """Give what would have changed a decision, nearest first: a rule of one's own, then one fact, at most `most`."""
    line = line_on(facts, rules) if route.rule == "matrix" else None
    found = without(facts, route, rules, line.row.line if line is not None else None, rule_on)[:most]
    facts_changed = nearest(facts, route, lambda changed: rule_on(changed, rules), most, bars(rules))
    return (*found, *facts_changed)[:most]


def line_on(facts: Facts, rules: Rules) -> Line | None:
    """Give the line of the grid that fits a mention, whether or not a step before the matrix decides it."""
    return find_row(facts, rules.grid, lambda: _graded(facts, rules)) if rules.grid else None


def rule_on(facts: Facts, rules: Rules) -> Route:
    """Decide a mention, without asking what would have changed the answer."""
    added, chosen = choose(facts, rules) if facts.relevant else ((), None)
    explicit = _explicit(chosen, facts) if chosen is not None else None
    step = _irrelevant(facts) or explicit or _own(facts) or _override(facts) or _matrix(facts, rules)
    because = [*step.because, *(one for rule in added for one in added_by(rule, facts))]
    copies = [*step.copies, *(copy for rule in added for copy in rule.copies)]
    stranger = facts.relevant and facts.stakeholder != "customer" and not facts.own_account
    if stranger and step.department != "communications":
        copies.append("communications")
        because.append(reason(COPIED, stakeholder=facts.stakeholder))
    fined = sanctions(facts) if facts.relevant and not facts.own_account and not step.explicit else ()
    if fined and "legal_regulatory" not in (step.department, *copies):
        copies.append("legal_regulatory")
        sentence = N_("It says «{quote}»: {department} must at least know")
        because.append(reason(sentence, quote=quote(fined), department="legal_regulatory"))
    why: tuple[Reason, ...] = ()
    wanted = next((rule.priority for rule in added if rule.priority is not None), step.priority)
    if wanted is not None:
        priority = wanted
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
        added=tuple(rule.name for rule in added),
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


def _explicit(rule: RouteRule, facts: Facts) -> _Step:
    department = (
        rule.department or "communications"
    )  # only a rule that goes on has none (listener/tables/routingcheck.py)
    sentence = N_("Your rule «{quote}» sends it to {department}")
    because = [reason(sentence, quote=rule.name, department=department), *_worded(rule, facts)]
    named = rule.when.kind == "competitor" or rule.when.brand is not None
    return _Step(department, rule.name, tuple(because), tuple(rule.copies), rule.priority, named, True)


def added_by(rule: RouteRule, facts: Facts) -> Iterator[Reason]:
    """Word what a rule adds that lets the next rules decide."""
    yield reason(N_("Your rule «{quote}» adds to it and lets the next rules decide"), quote=rule.name)
    for copied in rule.copies:
        yield reason(N_("It copies {department}"), department=copied)
    yield from _worded(rule, facts)


def _worded(rule: RouteRule, facts: Facts) -> Iterator[Reason]:
    words = words_found(rule.when, facts)
    if words:
        yield reason(N_("It says «{quote}»"), quote=quote(words))
    if rule.priority is not None:
        yield reason(N_("The rule makes it «{priority}»"), priority=rule.priority)


def _own(facts: Facts) -> _Step | None:
    if not facts.own_account:
        return None
    if facts.kind == "competitor":
        # Whoever runs the account, others will ask about it: those concerned must know first.
        because = reason(N_("One of our own accounts speaks of a competitor: communications must know of it"))
        return _Step("communications", "own account", (because,), priority="important", takes_rivals=True)
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
    line = line_on(facts, rules)
    if line is not None and line.row.department is not None:
        row = line.row
        because = (*line.because, *doubts(facts, line.because))
        return _Step(line.row.department, "matrix", because, row.copies, row.becomes)
    found = cell(facts, rules.matrix)
    if found is not None:
        step = _Step(found.department, "matrix", (*found.because, *doubts(facts, found.because)))
    else:
        because = (reason(N_("No other area fits: {department} takes it"), department="communications"),)
        step = _Step("communications", "widest net", because)
    if line is None or not (line.row.copies or line.row.becomes):
        return step
    return replace(step, because=(*step.because, *line.because), copies=line.row.copies, priority=line.row.becomes)


def _graded(facts: Facts, rules: Rules) -> Priority:
    """Grade a mention as the taxonomy does, with the doubt that asks for a person: what a line of the grid asks for."""
    priority = grade(facts, rules.rivals)[0]
    if facts.unsure and priority == "routine" and facts.sentiment != "negative":
        harm = grade(replace(facts, sentiment="negative", unsure=False), rules.rivals)[0]
        return "routine" if harm == "routine" else "important"
    return priority
