"""Word a case's history for people: what happened, and what was before and after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from listener.reason import N_, Reason

if TYPE_CHECKING:
    from stakeholders.casework.dossier import Event
    from stakeholders.wording import Wording

__all__ = ["HAPPENED", "details", "what_happened"]

HAPPENED: Final[Mapping[str, str]] = {
    "opened": N_("case opened"),
    "joined": N_("another post joined"),
    "told": N_("told"),
    "clocked": N_("legal clock"),
    "acknowledged": N_("acknowledged"),
    "assigned": N_("assigned"),
    "answered": N_("answered"),
    "closed": N_("closed"),
    "corrected": N_("label corrected"),
    "dismissed": N_("dismissed as noise"),
    "drafted": N_("reply drafted"),
    "escalated": N_("escalated: nobody had acknowledged it"),
    "merged": N_("merged"),
    "muted": N_("muted"),
    "note": N_("note"),
    "reopened": N_("opened again"),
    "rerouted": N_("sent to another department"),
    "resealed": N_("a removed post was taken out of the history, which was sealed anew"),
    "returned": N_("reply returned to its author"),
    "signed": N_("reply signed"),
    "snoozed": N_("snoozed"),
    "split": N_("posts taken out into a case of their own"),
    "submitted": N_("reply waits for a signature"),
    "ticketed": N_("ticket of your own system"),
    "used": N_("reply used"),
    "woke": N_("woke from its snooze"),
}
_NAMES: Final[Mapping[str, str]] = {
    "case": N_("case"),
    "copies": N_("copied"),
    "department": N_("department"),
    "dimension": N_("theme"),
    "from": N_("from case"),
    "how": N_("how"),
    "intent": N_("what they want"),
    "into": N_("into case"),
    "level": N_("step"),
    "lines": N_("lines"),
    "note": N_("note"),
    "owner": N_("owner"),
    "priority": N_("priority"),
    "recipient": N_("to"),
    "relevant": N_("about the brand"),
    "rule": N_("rule"),
    "seal": N_("seal"),
    "sentiment": N_("for the brand"),
    "stakeholder": N_("who speaks"),
    "status": N_("status"),
    "ticket": N_("number"),
    "until": N_("until"),
    "url": N_("address"),
}
_HOW: Final[Mapping[str, str]] = {
    "thread": N_("of the same thread"),
    "repeat": N_("a copy or repost"),
    "spike": N_("part of the same rise"),
    "true": N_("yes"),
    "false": N_("no"),
}
_UNTOLD = frozenset({"mention", "mention_id", "mentions", "key", "channel", "kind", "because"})
_LONGEST = 300  # characters of a value: a draft's text stands elsewhere


def what_happened(event: Event, wording: Wording) -> str:
    """Word what a line of the history tells; a step that this version does not know is named as it was written."""
    return wording.say(HAPPENED[event.what]) if event.what in HAPPENED else event.what


def details(event: Event, wording: Wording) -> Iterator[str]:
    """Word what was before and after, a sentence a field; numbers of posts and keys are left out."""
    before, after = event.before or {}, event.after or {}
    for name in dict.fromkeys((*before, *after)):
        if name in _UNTOLD or name not in _NAMES:
            continue
        old, new = (_word(side.get(name), wording) for side in (before, after))
        if name == "note":
            yield f"«{new}»" if isinstance(after.get(name), str) else new
        elif name in before and name in after:
            yield f"{wording.say(_NAMES[name])}: {old} → {new}"
        else:
            yield f"{wording.say(_NAMES[name])}: {new if name in after else old}"


def _word(value: Any, wording: Wording) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, Mapping):  # a reason as JSON
        facts = value.get("facts")
        sentence = value.get("sentence")
        return wording.reason(Reason(str(sentence), facts if isinstance(facts, Mapping) else {})) if sentence else "–"
    if isinstance(value, list | tuple):
        return ", ".join(_word(one, wording) for one in value) or "–"
    if isinstance(value, bool | int | float):
        return str(value)
    text = str(value)
    if text in _HOW:
        return wording.say(_HOW[text])
    try:
        moment = datetime.fromisoformat(text) if len(text) > 18 and text[10:11] == "T" else None
    except ValueError:
        moment = None
    if moment is not None and moment.tzinfo is not None:
        return wording.moment(moment)
    told = wording.label(text)
    return told if len(told) <= _LONGEST else told[: _LONGEST - 1] + "…"
