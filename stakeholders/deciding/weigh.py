"""Weigh a decision by the doubts of its labels, since a route is only as sure as what it was decided on.

A route is decided on the likeliest labels. Where they are in doubt, the same rules are asked again for every likely
reading, each weighed by the shares of its labels; half of the answer is that, half what the model hears in the whole
(Verdict.department and Verdict.priority). Where both together speak for another department or priority, the
likeliest reading that leads there decides, and the reasons say so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from listener.reason import N_, reason
from sentiment.verdict import Label, Verdict
from stakeholders.deciding.facts import Facts, Route, Speaker
from stakeholders.deciding.grid import stands
from stakeholders.deciding.rules import Rules
from stakeholders.route import COPIED, added_by, line_on, otherwise_of, rule_on

__all__ = ["weigh"]

_HEARD = 0.5  # share of what the model hears in the whole; on validation and held-out posts 0.3 and 0.7 did worse
_LEAST = 0.03  # share under which a label is no likely reading
_FIXED = ("not about us", "own account")
_OVERRIDES = ("safety", "legal threat", "job", "opt-out")  # sure ones are answered whoever speaks
_OWED = 0.35  # share of the readings that owe an answer, from which an unsure post is looked at
_MOST = {"stakeholder": 3, "intent": 3, "sentiment": 3, "dimension": 2}


@dataclass(frozen=True, slots=True)
class _Reading:
    """Hold one likely reading of a post: where it leads, and how likely it is."""

    facts: Facts
    route: Route
    share: float


def weigh(route: Route, facts: Facts, rules: Rules, verdict: Verdict, speaker: Speaker) -> Route:
    """Give the route with the shares of its department and priority, or a likelier one where the labels are in doubt.

    What a rule of config.toml, our own account or a person decided stands as it is.
    """
    named = {rule.name for rule in rules.routes}
    judged = verdict.by == "person" or speaker.label.confidence >= 1
    override = route.rule in _OVERRIDES and facts.doubtful_intent is None
    if route.rule in _FIXED or route.rule in named or judged or override:
        return route
    readings = list(_readings(facts, rules, verdict, speaker))
    departments = _mixed([(one.route.department, one.share) for one in readings], verdict.department)
    priorities = _mixed([(one.route.priority, one.share) for one in readings], verdict.priority)
    department = max(departments, key=lambda name: (departments[name], name == route.department))
    priority = max(priorities, key=lambda name: (priorities[name], name == route.priority))
    line = line_on(facts, rules) if route.rule == "matrix" else None
    if line is not None and line.row.department is not None and stands(line.row, facts):
        department = route.department  # a line of the grid stands where nothing that it asks for is in doubt
        priority = route.priority if line.row.becomes is not None else priority
    elif route.rule == "matrix" and facts.stakeholder in rules.matrix and (line is None or line.row.department is None):
        department = route.department  # a row of config.toml stands
    if any(rule.priority is not None for rule in rules.routes if rule.name in route.added):
        priority = route.priority  # a rule of config.toml said it
    elif route.priority == "alert":
        priority = "alert"  # doubts may raise a post; they never talk anybody out of an alert
    elif facts.unsure and route.priority == "important" and 1 - priorities.get("routine", 0.0) >= _OWED:
        priority = "important"  # unsure, and it may well owe an answer: a person must look
    one, other = departments.get(department, 0.0), priorities.get(priority, 0.0)
    if (department, priority) == (route.department, route.priority):
        return replace(route, department_share=one, priority_share=other)
    own = facts.kind == "own" and facts.relevant
    route = replace(route, department_share=one, priority_share=other)
    return _keep(_instead(route, rules, readings, department, priority, own=own), route, facts, rules)


def _keep(weighed: Route, route: Route, facts: Facts, rules: Rules) -> Route:
    """Keep what the likeliest labels promise whatever is weighed: the copies of rules, and word to communications."""
    lost = [rule for rule in rules.routes if rule.name in route.added and rule.name not in weighed.added]
    copies = [*weighed.copies, *(copy for rule in lost for copy in rule.copies)]
    because = [*weighed.because, *(one for rule in lost for one in added_by(rule, facts))]
    stranger = facts.relevant and facts.stakeholder != "customer" and not facts.own_account
    if stranger and "communications" not in (weighed.department, *copies):
        copies.append("communications")
        because.append(reason(COPIED, stakeholder=facts.stakeholder))
    return replace(
        weighed,
        copies=tuple(dict.fromkeys(copy for copy in copies if copy != weighed.department)),
        because=tuple(because),
        added=tuple(rule.name for rule in rules.routes if rule.name in (*route.added, *weighed.added)),
    )


def _readings(facts: Facts, rules: Rules, verdict: Verdict, speaker: Speaker) -> Iterator[_Reading]:
    """Rule on every likely reading; a label that something better than a guess gave has one reading."""
    calm = {"unsure": False, "doubtful_speaker": None, "doubtful_dimension": None, "doubtful_intent": None}
    choices = [
        _likely(speaker.label, "stakeholder"),
        _likely(verdict.intent, "intent"),
        _likely(verdict.sentiment, "sentiment"),
        _likely(verdict.dimension, "dimension"),
    ]
    readings = []
    for (who, p), (wish, q), (effect, r), (theme, s) in product(*choices):
        read = replace(facts, stakeholder=who, intent=wish, sentiment=effect, dimension=theme, **calm)  # type: ignore[arg-type]
        readings.append(_Reading(read, rule_on(read, rules), p * q * r * s))
    total = sum(one.share for one in readings)
    yield from (replace(one, share=one.share / total) for one in readings)


def _likely(label: Label, name: str) -> Sequence[tuple[str, float]]:
    scores = label.scores
    if not scores or label.confidence > max(scores.values()) + 1e-6:
        return [(label.name, 1.0)]  # a registry, a rule or a person gave it
    ranked = sorted(scores.items(), key=lambda pair: -pair[1])[: _MOST[name]]
    return [pair for pair in ranked if pair[1] > _LEAST] or ranked[:1]


def _mixed(ruled: Sequence[tuple[str, float]], heard: Label | None) -> dict[str, float]:
    """Give the share of everything that some reading leads to."""
    shares: dict[str, float] = {}
    for name, share in ruled:
        shares[name] = shares.get(name, 0.0) + share
    if heard is None or not heard.scores:
        return shares
    return {name: (1 - _HEARD) * share + _HEARD * heard.scores.get(name, 0.0) for name, share in shares.items()}


def _instead(
    route: Route, rules: Rules, readings: Sequence[_Reading], department: str, priority: str, *, own: bool
) -> Route:
    """Take the likeliest reading that leads there, and say that the labels were in doubt."""
    there = [one for one in readings if one.route.department == department]
    both = [one for one in there if one.route.priority == priority]
    reading = max(both or there or readings, key=lambda one: one.share)
    chosen = reading.route
    because = chosen.because
    if department != route.department:
        sentence = N_("The labels are in doubt; weighed together they speak for {department} ({percent} %)")
        percent = round(100 * route.department_share)
        because = (reason(sentence, department=department, percent=percent), *because)
    if priority != route.priority:
        sentence = N_("The labels are in doubt; weighed together they speak for «{priority}» ({percent} %)")
        because = (*because, reason(sentence, priority=priority, percent=round(100 * route.priority_share)))
    return replace(
        chosen,
        department=department,  # type: ignore[arg-type]  # of the taxonomy, as all that were weighed
        priority=priority,  # type: ignore[arg-type]  # one of those that a reading led to
        because=because,
        otherwise=otherwise_of(reading.facts, chosen, rules),
        opens_case=priority != "routine" and (own or chosen.opens_case),
        suppress=route.suppress,
        department_share=route.department_share,
        priority_share=route.priority_share,
    )
