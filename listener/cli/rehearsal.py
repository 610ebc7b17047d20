"""Word what a changed configuration would do, and where open cases go, for a person or as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from listener.cli.output import terminal_language, translate
from listener.reason import N_, label, to_json

if TYPE_CHECKING:
    from stakeholders.deciding.rehearsal import Change, Rehearsal
    from stakeholders.deciding.rerouting import Move

__all__ = ["describe_move", "describe_rehearsal", "move_row", "rehearsal_rows"]

_LONGEST = 100  # characters of a post that are shown
_KINDS = {
    "department": N_("Another department ({n}):"),
    "priority": N_("Another priority ({n}):"),
    "copies": N_("Other copies ({n}):"),
    "rule": N_("Another rule ({n}):"),
    "opened": N_("Owed an answer now ({n}):"),
    "spared": N_("No answer owed any more ({n}):"),
}


def rehearsal_rows(found: Rehearsal) -> Iterator[dict[str, Any]]:
    """Give the counts of a rehearsal and then each example, as plain JSON."""
    more, fewer = found.told()
    yield {
        "mentions": found.mentions,
        "same": found.same,
        "unwatched": found.unwatched,
        "changes": dict(found.counts),
        "open_cases": dict(found.open_cases),
        "told_more": {address: {"before": old, "after": new} for address, (old, new) in more.items()},
        "told_fewer": {address: {"before": old, "after": new} for address, (old, new) in fewer.items()},
    }
    for kind, changes in found.examples.items():
        for one in reversed(changes):
            yield {"change": kind} | _example(one)


def _example(one: Change) -> dict[str, Any]:
    pairs = {"department": one.department, "priority": one.priority, "copies": one.copies, "rule": one.rule}
    return {
        "mention": one.mention_id,
        "case": one.case_id,
        "published_at": one.published_at.isoformat(),
        "brand": one.brand,
        "text": _short(one.text),
        **{name: {"before": before, "after": after} for name, (before, after) in pairs.items()},
        "because": to_json(one.because),
    }


def describe_rehearsal(found: Rehearsal, days: int) -> Iterator[str]:
    """Word a rehearsal for a terminal: counts, who hears more or less, then examples of each kind of change."""
    told = N_("{n} posts of the last {days} days decided under both: {same} go as before.")
    yield translate(told, n=found.mentions, days=days, same=found.same)
    if found.unwatched:
        yield translate(N_("{n} are about brands that the changed file does not watch."), n=found.unwatched)
    yield translate(
        N_("Open cases: {department} would change hands, {priority} their priority."),
        department=str(found.open_cases["department"]),
        priority=str(found.open_cases["priority"]),
    )
    more, fewer = found.told()
    for title, addresses in (
        (N_("Would have been told of more cases:"), more),
        (N_("Would have been told of fewer cases:"), fewer),
    ):
        if addresses:
            yield translate(title)
            yield from (f"  {address}: {old} → {new}" for address, (old, new) in addresses.items())
    shown: set[int] = set()  # a mention stands under the first kind of change that it is an example of
    for kind, title in _KINDS.items():
        changes = [one for one in reversed(found.examples.get(kind, ())) if one.mention_id not in shown]
        shown.update(one.mention_id for one in changes)
        if changes:
            yield translate(title, n=found.counts[kind])
            yield from _lines(changes)


def _lines(changes: Iterable[Change]) -> Iterator[str]:
    lang = terminal_language()
    for one in changes:
        moved = [
            f"{label(before, lang)} → {label(after, lang)}"
            for before, after in (one.department, one.priority)
            if before != after
        ]
        if set(one.copies[0]) != set(one.copies[1]):
            moved.append(translate(N_("copied")) + ": " + " → ".join(_names(copies) for copies in one.copies))
        number = f"#{one.case_id}" if one.case_id is not None else "–"
        change = " · ".join(moved) or " → ".join(one.rule)
        yield f"  {one.published_at:%Y-%m-%d} {number:>6}  {change}  {_short(one.text)}"


def _names(departments: Iterable[str]) -> str:
    return ", ".join(label(one, terminal_language()) for one in departments) or "–"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def move_row(move: Move) -> dict[str, Any]:
    """Give what becomes of one open case, as plain JSON."""
    pairs = {"department": move.department, "priority": move.priority, "copies": move.copies}
    told = {name: {"before": before, "after": after} for name, (before, after) in pairs.items()}
    return {"case": move.case_id, **told, "rule": move.rule, "told": move.told, "moot": move.moot}


def describe_move(move: Move) -> str:
    """Word what becomes of one open case in a line."""
    lang = terminal_language()
    changed = [
        f"{label(old, lang)} → {label(new, lang)}" for old, new in (move.department, move.priority) if old != new
    ]
    if set(move.copies[0]) != set(move.copies[1]):
        changed.append(translate(N_("copied")) + ": " + " → ".join(_names(copies) for copies in move.copies))
    return f"#{move.case_id}  {' · '.join(changed)}  ({move.rule})"
