"""Read the matrix of docs/labels.md: which department answers whom, by words and labels where a row splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from listener.reason import N_, Reason, reason
from listener.taxonomy import Department, Stakeholder
from stakeholders.deciding.facts import Facts
from stakeholders.deciding.topics import Topic, find

__all__ = ["Cell", "cell", "doubts", "quote"]


@dataclass(frozen=True, slots=True)
class Cell:
    """Hold what the matrix answers, and why."""

    department: Department
    because: tuple[Reason, ...]


_LOUD = 0.5  # how sure the whole must be before it chooses between two departments


def quote(words: tuple[str, ...]) -> str:
    """Join the words found for a reason, three at most."""
    return "», «".join(words[:3])


def doubts(facts: Facts, because: tuple[Reason, ...]) -> tuple[Reason, ...]:
    """Give what must be said beside reasons that rest on an unsure label: that it is doubtful, and how sure it is."""
    found: list[Reason] = []
    for name, percent in (
        ("stakeholder", facts.doubtful_speaker),
        ("intent", facts.doubtful_intent),
        ("dimension", facts.doubtful_dimension),
    ):
        told = next((one.facts[name] for one in because if name in one.facts), None)
        if told is not None and percent is not None:
            sentence = N_("«{label}» is only the likeliest label (unsure, {percent} %)")
            found.append(reason(sentence, label=told, percent=percent))
    return tuple(found)


def _plain(facts: Facts, department: Department) -> Cell:
    because = reason(N_("{stakeholder} speaks → {department}"), stakeholder=facts.stakeholder, department=department)
    return Cell(department, (because,))


def _wish(facts: Facts, department: Department) -> Cell:
    sentence = N_("{stakeholder} speaks, the post is about {intent} → {department}")
    known = {"stakeholder": facts.stakeholder, "intent": facts.intent, "department": department}
    return Cell(department, (reason(sentence, **known),))


def _driver(facts: Facts, department: Department) -> Cell:
    sentence = N_("{stakeholder} speaks, the theme is {dimension} → {department}")
    known = {"stakeholder": facts.stakeholder, "dimension": facts.dimension, "department": department}
    return Cell(department, (reason(sentence, **known),))


def _words(facts: Facts, topic: Topic, department: Department) -> Cell | None:
    found = find(facts.text, topic)
    if not found:
        return None
    sentence = N_("{stakeholder} speaks and writes «{quote}» → {department}")
    known = {"stakeholder": facts.stakeholder, "quote": quote(found), "department": department}
    return Cell(department, (reason(sentence, **known),))


def _sounded(facts: Facts, among: Mapping[Department, Topic | None]) -> Cell | None:
    """Choose among a row's departments by what the text sounds like as a whole; its words are the reason, if any."""
    sounds = facts.sounds
    if sounds is None or sounds not in among or facts.loud < _LOUD:
        return None
    topic = among[sounds]
    found = _words(facts, topic, sounds) if topic else None
    if found is not None:
        return found
    sentence = N_("{stakeholder} speaks, and the text as a whole sounds like {department} ({percent} %)")
    known = {"stakeholder": facts.stakeholder, "department": sounds}
    return Cell(sounds, (reason(sentence, **known, percent=round(100 * facts.loud)),))


def _customer(facts: Facts) -> Cell | None:
    network, care = find(facts.text, "network"), find(facts.text, "care")
    sounded = _sounded(facts, {"network_quality": "network", "customer_care": "care"})
    match facts.intent:
        case "purchase":
            return _wish(facts, "sales")
        case "outage_report":
            return _wish(facts, "network_quality")
        case "churn_threat":
            return _wish(facts, "customer_care")
        case "question" if facts.sentiment != "negative" or not network:
            return _wish(facts, "customer_care")  # a plain question: it asks, and reports no defect
        case "praise":
            return _wish(facts, "communications")
        case "complaint" | "question" | "legal_threat" | "safety" | "job" | "opt_out":
            pass  # the last four come here only when they are doubtful: they then count as complaints
        case "other" if facts.sentiment == "negative" and (sounded or (facts.sounds is None and (network or care))):
            pass  # it names what fails without asking: the department that can mend it hears of it
        case "other":
            sentence = N_("{stakeholder} makes a remark that asks nothing → {department}")
            return Cell("communications", (reason(sentence, stakeholder="customer", department="communications"),))
        case _:
            return None  # what no row names goes to the widest net
    if sounded is not None:
        return sounded
    if network and len(network) >= len(care):
        return _words(facts, "network", "network_quality")
    doubtful = facts.intent not in ("complaint", "question", "other")
    plain = _plain if doubtful else _wish
    return _words(facts, "care", "customer_care") or plain(facts, "customer_care")


def _employee(facts: Facts) -> Cell:
    proud = facts.sentiment == "positive" and facts.dimension in ("products_services", "innovation")
    return _driver(facts, "communications") if proud else _plain(facts, "human_resources")


def _partner(facts: Facts) -> Cell | None:
    found = _sounded(facts, {"sales": "dealer", "communications": "supplier"})
    found = found or _words(facts, "dealer", "sales") or _words(facts, "supplier", "communications")
    return found or (_wish(facts, "sales") if facts.intent == "purchase" else None)  # wants to become a dealer


def _civil_society(facts: Facts) -> Cell:
    found = _sounded(facts, {"public_affairs": "works", "sustainability": "community", "communications": None})
    found = found or _words(facts, "works", "public_affairs") or _words(facts, "community", "sustainability")
    if found is None and facts.dimension == "citizenship":
        return _driver(facts, "sustainability")
    return found or _plain(facts, "communications")


def _public(facts: Facts) -> Cell:
    if facts.dimension == "citizenship":
        return _driver(facts, "sustainability")
    if facts.dimension == "performance":
        return _driver(facts, "investor_relations")
    return _wish(facts, "sales") if facts.intent == "purchase" else _plain(facts, "communications")


_PLAIN: Mapping[Stakeholder, Department] = {
    "regulator": "legal_regulatory",
    "consumer_association": "legal_regulatory",
    "government": "public_affairs",
    "press": "communications",
    "peer_company": "communications",
    "investor": "investor_relations",
}
_SPLIT = {
    "employee": _employee,
    "partner": _partner,
    "civil_society": _civil_society,
    "customer": _customer,
    "public": _public,
}


def cell(facts: Facts, instead: Mapping[Stakeholder, Department]) -> Cell | None:
    """Give what the matrix answers; `instead` holds the rows that config.toml replaces. None: no row takes it."""
    ours = instead.get(facts.stakeholder)
    if ours is not None:
        sentence = N_("{stakeholder} speaks → {department}, as config.toml says in [matrix]")
        return Cell(ours, (reason(sentence, stakeholder=facts.stakeholder, department=ours),))
    plain = _PLAIN.get(facts.stakeholder)
    return _plain(facts, plain) if plain is not None else _SPLIT[facts.stakeholder](facts)
