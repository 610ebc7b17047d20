"""Answer by the grid of departments: the first row that fits, in words; and write the taxonomy's matrix as a grid."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from listener.reason import N_, Reason, reason
from listener.tables.gridfile import ASKED, GridRow
from listener.taxonomy import STAKEHOLDERS, Priority
from stakeholders.deciding.facts import Facts

__all__ = ["Line", "find_row", "stands", "starting_grid"]

_SENT = N_("Line {line} of your grid sends it to {department}")
_LEFT = N_("Line {line} of your grid leaves it to the taxonomy")
_COPIED = N_("That line copies {department}")
_MADE = N_("That line makes it «{priority}»")
_ASKS = {
    "stakeholder": N_("That line asks who speaks: {stakeholder}"),
    "dimension": N_("That line asks for the theme: {dimension}"),
    "intent": N_("That line asks what the author wants: {intent}"),
    "sentiment": N_("That line asks for the verdict: {sentiment}"),
    "priority": N_("That line asks for the priority of the taxonomy: {priority}"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """Hold the row that fits, and the words for it."""

    row: GridRow
    because: tuple[Reason, ...]


def find_row(facts: Facts, grid: Sequence[GridRow], graded: Callable[[], Priority]) -> Line | None:
    """Give the first row that fits; `graded` gives the taxonomy's priority and is asked only where a row needs it."""
    urgency: Priority | None = None
    for row in grid:
        if any(getattr(facts, name) not in wanted for name, wanted in row.asks.items() if name != "priority"):
            continue
        if "priority" in row.asks:
            urgency = urgency or graded()
            if urgency not in row.asks["priority"]:
                continue
        return Line(row, tuple(_words(row, facts, urgency)))
    return None


def stands(row: GridRow, facts: Facts) -> bool:
    """Tell whether no label that a row asks for is in doubt, so that it stands as it is written."""
    doubtful = {
        "stakeholder": facts.doubtful_speaker is not None,
        "dimension": facts.doubtful_dimension is not None,
        "intent": facts.doubtful_intent is not None,
        "sentiment": facts.unsure,
    }
    if "priority" in row.asks:  # a priority rests on all of them
        return not any(doubtful.values())
    return not any(doubtful[name] for name in row.asks)


def _words(row: GridRow, facts: Facts, urgency: Priority | None) -> Iterator[Reason]:
    if row.department is None:
        yield reason(_LEFT, line=row.line)
    else:
        yield reason(_SENT, line=row.line, department=row.department)
    for name in row.asks:
        told = urgency if name == "priority" else getattr(facts, name)
        yield reason(_ASKS[name], **{name: str(told)})
    for copied in row.copies:
        yield reason(_COPIED, department=copied)
    if row.becomes is not None:
        yield reason(_MADE, priority=row.becomes)


# What the taxonomy's matrix says (docs/routing.md), the narrower line first; * leaves the choice to words of the text.
_PLAIN = {
    "regulator": "legal_regulatory",
    "government": "public_affairs",
    "press": "communications",
    "peer_company": "communications",
    "consumer_association": "legal_regulatory",
    "investor": "investor_relations",
}
_SPLIT: dict[str, tuple[tuple[str, str, str, str], ...]] = {  # dimension, intent, sentiment, department
    "customer": (
        ("*", "purchase", "*", "sales"),
        ("*", "outage_report", "*", "network_quality"),
        ("*", "churn_threat", "*", "customer_care"),
        ("*", "question", "neutral|positive", "customer_care"),
        ("*", "praise", "*", "communications"),
        ("*", "media_request", "*", "communications"),
        ("*", "other", "neutral|positive", "communications"),
        ("*", "*", "*", "*"),
    ),
    "employee": (
        ("products_services|innovation", "*", "positive", "communications"),
        ("*", "*", "*", "human_resources"),
    ),
    "partner": (("*", "*", "*", "*"),),
    "civil_society": (("*", "*", "*", "*"),),
    "public": (
        ("citizenship", "*", "*", "sustainability"),
        ("performance", "*", "*", "investor_relations"),
        ("*", "purchase", "*", "sales"),
        ("*", "*", "*", "communications"),
    ),
}


def starting_grid() -> str:
    """Write the taxonomy's matrix as a CSV grid, which decides as no grid does until somebody edits it."""
    lines = [",".join((*ASKED, "department", "copies", "becomes"))]
    for stakeholder in STAKEHOLDERS:
        for dimension, intent, sentiment, department in _SPLIT.get(
            stakeholder, (("*", "*", "*", _PLAIN.get(stakeholder, "*")),)
        ):
            lines.append(",".join((stakeholder, dimension, intent, sentiment, "*", department, "", "")))
    return "\n".join(lines) + "\n"
