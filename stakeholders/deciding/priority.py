"""Grade how soon a person must look: alert, important or routine, with the reason (docs/labels.md)."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Literal

from listener.match import fold
from listener.reason import N_, Reason, reason
from listener.taxonomy import Intent, Priority, Stakeholder
from stakeholders.deciding.facts import Facts
from stakeholders.deciding.matrix import quote
from stakeholders.deciding.topics import Topic, find

__all__ = ["RANKS", "REACH", "Fraud", "backing", "fraud", "grade", "reach", "sanctions", "stands", "threatens"]

REACH = 10_000  # followers; a news outlet counts as reach whatever it tells
RANKS: dict[Priority, int] = {"alert": 0, "important": 1, "routine": 2}

Fraud = Literal["theft", "scam"]
_LOUD = 0.6  # how sure the whole of a text must be of a fraud that no word names

_ANSWERED: tuple[Intent, ...] = (
    "complaint",
    "question",
    "purchase",
    "churn_threat",
    "outage_report",
    "media_request",
    "job",
    "opt_out",
)
_POWERS: tuple[Stakeholder, ...] = ("regulator", "government", "press")
_HEARD: tuple[Stakeholder, ...] = (
    *_POWERS,
    "consumer_association",
    "investor",
    "civil_society",
    "peer_company",
    "employee",
    "partner",
)
_WARNERS: tuple[Stakeholder, ...] = (*_POWERS, "consumer_association", "civil_society", "peer_company")

# The words that must stand in a text before a doubtful wish overrides who speaks.
_BACKED: Mapping[Intent, Topic] = {"legal_threat": "legal", "safety": "safety", "job": "job", "opt_out": "stop"}
# To name a supervisor is no threat yet.
_BODIES = frozenset({"osiptel", "indecopi", "profeco", "sernac", "condusef", "procon", "anpd", "lgpd", "fiscalia"})


def backing(facts: Facts) -> tuple[str, ...]:
    """Give the words of the text that speak for a wish which overrides who speaks."""
    topic = _BACKED.get(facts.intent)
    found = find(facts.text, topic) if topic is not None else ()
    return tuple(word for word in found if fold(word) not in _BODIES)


def stands(facts: Facts) -> bool:
    """Tell whether the wish may override who speaks: it is sure, or the text itself holds words of it."""
    return facts.intent in _BACKED and (facts.doubtful_intent is None or bool(backing(facts)))


def sanctions(facts: Facts) -> tuple[str, ...]:
    """Give the words of a fine, sanction or official inquiry, told by anybody; "sin multa" and good news are none."""
    if facts.sentiment == "positive" and not facts.unsure:
        return ()
    text = facts.text
    for harmless in find(text, "no_sanction"):
        text = text.replace(harmless, " ")
    return find(text, "sanction")


def reach(facts: Facts) -> bool | None:
    """Tell whether the speaker has reach; None when the platform did not tell the followers."""
    if facts.outlet:
        return True
    return None if facts.followers is None else facts.followers >= REACH


def fraud(facts: Facts) -> tuple[Fraud, tuple[str, ...]] | None:
    """Tell whether a post speaks of a theft or leak, or of a scam that blames nobody, with the words found.

    Good words about a brand ("they warn us in time") are no report of fraud, unless the judge is unsure of them. A
    neutral warning by an institution that explains SIM swap is a scam in the taxonomy's sense: nobody is blamed. Words
    that mean fraud only beside the theme of governance ("duplicado", "falso") count there alone.
    """
    if facts.sentiment == "positive" and not facts.unsure:
        return None
    if facts.sounds == "security_fraud" and facts.loud >= _LOUD:
        words = (*find(facts.text, "theft"), *find(facts.text, "scam"), *find(facts.text, "theft_hint"))
        return ("theft" if facts.sentiment == "negative" or facts.unsure else "scam"), words
    theft = find(facts.text, "theft")
    hints = find(facts.text, "theft_hint") if facts.dimension == "governance" else ()
    blamed = facts.sentiment == "negative" or facts.unsure
    if theft and (blamed or facts.stakeholder not in _WARNERS):
        return "theft", theft
    if hints and blamed:
        return "theft", hints
    words = (*theft, *find(facts.text, "scam"), *hints)
    if not words and facts.dimension == "governance" and facts.sentiment == "neutral":
        words = find(facts.text, "scam_hint")
    return ("scam", words) if words else None


def threatens(facts: Facts) -> tuple[str, ...]:
    """Give the words of a legal threat inside an opt-out ("STOP or I sue")."""
    return find(facts.text, "legal") if facts.intent == "opt_out" else ()


def grade(facts: Facts, rivals: Set[str] = frozenset()) -> tuple[Priority, Reason]:
    """Grade a post about our brand; `rivals` holds the folded handles of competitors and their executives."""
    alert = _alert(facts)
    if alert is not None:
        return "alert", alert
    important = _important(facts, rivals)
    if important is not None:
        return "important", important
    sentence = N_("{intent}, {sentiment}: no answer is owed")
    return "routine", reason(sentence, intent=facts.intent, sentiment=facts.sentiment)


def _alert(facts: Facts) -> Reason | None:
    urgent = facts.intent in ("safety", "legal_threat") and stands(facts)
    if urgent and facts.doubtful_intent is not None:
        sentence = N_("{intent} (unsure, {percent} %), and it says «{quote}»: always an alert")
        words = quote(backing(facts))
        return reason(sentence, intent=facts.intent, percent=facts.doubtful_intent, quote=words)
    if urgent and facts.intent == "safety":
        return reason(N_("Someone may be hurt: always an alert"))
    if urgent:
        return reason(N_("A legal threat: always an alert"))
    threat = threatens(facts)
    if threat:
        return reason(N_("A legal threat comes with it («{quote}»): always an alert"), quote=quote(threat))
    found = fraud(facts)
    if found is not None and found[0] == "theft":
        if not found[1]:
            return reason(N_("The whole sounds like a SIM swap, stolen money or a leak: always an alert"))
        return reason(N_("SIM swap, stolen money or a leak («{quote}»): always an alert"), quote=quote(found[1]))
    if facts.stakeholder in _POWERS and facts.sentiment == "negative" and reach(facts):
        if facts.outlet:
            sentence = N_("{stakeholder} harms the brand and is a news outlet: reach")
            return reason(sentence, stakeholder=facts.stakeholder)
        sentence = N_("{stakeholder} harms the brand before {followers} followers: reach")
        return reason(sentence, stakeholder=facts.stakeholder, followers=f"{facts.followers or 0:,}")
    crisis = () if facts.sentiment == "positive" and not facts.unsure else find(facts.text, "crisis")
    if crisis:
        return reason(N_("A crisis word stands in it: «{quote}»"), quote=quote(crisis))
    return None


def _important(facts: Facts, rivals: Set[str]) -> Reason | None:
    if facts.intent in _BACKED and facts.doubtful_intent is not None and not stands(facts):
        sentence = N_("Possible {intent} ({percent} %, unsure): somebody should look")
        return reason(sentence, intent=facts.intent, percent=facts.doubtful_intent)
    if facts.intent in _ANSWERED:
        return reason(N_("{intent}: an answer is owed"), intent=facts.intent)
    found = fraud(facts)
    if found is not None:
        if not found[1]:
            return reason(N_("The whole sounds like a scam in the brand's name: people must be warned"))
        return reason(N_("A scam in the brand's name («{quote}»): people must be warned"), quote=quote(found[1]))
    if facts.stakeholder in _HEARD and facts.sentiment == "negative":
        if facts.stakeholder not in _POWERS:
            return reason(N_("{stakeholder} harms the brand"), stakeholder=facts.stakeholder)
        if facts.followers is None:
            sentence = N_("{stakeholder} harms the brand; how many follow is not told")
            return reason(sentence, stakeholder=facts.stakeholder)
        sentence = N_("{stakeholder} harms the brand before {followers} followers, below the reach of {reach}")
        known = {"followers": f"{facts.followers:,}", "reach": f"{REACH:,}"}
        return reason(sentence, stakeholder=facts.stakeholder, **known)
    words = sanctions(facts)
    if words:
        return reason(N_("It tells of a fine, a sanction or an inquiry («{quote}»)"), quote=quote(words))
    if facts.stakeholder == "peer_company" and facts.handle and fold(facts.handle) in rivals and facts.kind == "own":
        return reason(N_("A competitor speaks of us: communications must at least know"))
    return None
