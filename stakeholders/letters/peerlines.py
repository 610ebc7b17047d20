"""Word exchanges and opportunities for a letter: a sentence with its figures, and up to three posts to open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from listener.reason import N_, Reason, reason
from stakeholders.companies.opportunity import Opportunities, Opportunity
from stakeholders.companies.peer import Direction, Exchange, totals

__all__ = ["Item", "Line", "exchange_lines", "opportunity_lines"]

_MOST = 3  # posts beside a sentence; the page shows them all
_COUNTS: dict[Direction, str] = {
    "us_to_them": N_(
        "Posts of our accounts about other companies: {n} "
        "(helping: {positive}, harming: {negative}, neither: {neutral})"
    ),
    "them_to_us": N_(
        "Posts of other companies about us: {n} (helping: {positive}, harming: {negative}, neither: {neutral})"
    ),
    "them_to_them": N_(
        "Posts of other companies about competitors: {n} (helping: {positive}, harming: {negative}, neither: {neutral})"
    ),
}


@dataclass(frozen=True, slots=True)
class Item:
    """Hold one post to open; `text` and `who` are a stranger's words: mask and escape them."""

    mention_id: int
    case_id: int | None
    at: datetime
    who: str
    text: str
    url: str | None
    because: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """Hold a sentence of a letter with up to three posts; `urgent` marks what needs a person."""

    reason: Reason
    items: tuple[Item, ...] = ()
    urgent: bool = False


def exchange_lines(found: Sequence[Exchange]) -> tuple[Line, ...]:
    """Word the exchanges of a period, a line for each direction that has any; those that help or harm first."""
    lines = []
    for total in totals(found):
        if not total.exchanges:
            continue
        mine = [one for one in found if one.direction == total.direction]
        mine.sort(key=lambda one: (one.sentiment == "neutral", not one.people, one.event is None, -one.at.timestamp()))
        counts = {"n": total.exchanges, "positive": total.positive, "negative": total.negative}
        told = reason(_COUNTS[total.direction], **counts, neutral=total.neutral)
        # Needs somebody: at least as much harm as good, and we are one of the two.
        urgent = total.direction != "them_to_them" and total.negative >= max(total.positive, 1)
        lines.append(Line(told, tuple(_exchange(one) for one in _apart(mine)), urgent))
    return tuple(lines)


def _apart(found: Sequence[Exchange]) -> list[Exchange]:
    """Choose the first of each text."""
    seen: dict[int, Exchange] = {}
    for one in found:
        seen.setdefault(one.cluster, one)
    return list(seen.values())[:_MOST]


def _exchange(one: Exchange) -> Item:
    who = one.speaker.name if one.speaker.side != "own" or one.handle is None else f"@{one.handle.removeprefix('@')}"
    return Item(one.mention_id, one.case_id, one.at, who, one.text, one.url, one.because)


def opportunity_lines(told: Opportunities) -> tuple[Line, ...]:
    """Word the opportunities of a period: to-dos, then the missed, then what cannot be told; () for none."""
    if not told.items:
        return ()
    hours = f"{told.within.total_seconds() / 3600:g}"
    if told.why_not is not None:
        sentence = N_("Good words of press or peers about us: {n}; whether we took them up cannot be told")
        return (Line(reason(sentence, n=len(told.items)), _items(told.items)), Line(told.why_not))
    lines = []
    to_do, missed, untold = told.of("open"), told.of("missed"), told.of("untold")
    if to_do:
        sentence = N_("Still to be taken up by our accounts, within {hours} h of hearing it: {n}")
        lines.append(Line(reason(sentence, n=len(to_do), hours=hours), _items(to_do), True))
    sentence = N_(
        "Good words of press or peers about us: {n}; our accounts took up within {hours} h: {taken}, missed: {missed}, "
        "still open: {open}, cannot be told: {untold}"
    )
    counts = {"n": len(told.items), "taken": len(told.of("taken")), "missed": len(missed), "open": len(to_do)}
    lines.append(Line(reason(sentence, **counts, untold=len(untold), hours=hours), _items(missed), bool(missed)))
    return tuple(lines)


def _items(found: Sequence[Opportunity]) -> tuple[Item, ...]:
    return tuple(
        Item(one.mention_id, one.case_id, one.at, one.who, one.text, one.url, one.because) for one in found[:_MOST]
    )
