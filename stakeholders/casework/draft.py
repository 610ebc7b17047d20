"""Write the reply to a case together: draft, wait for a signature, be signed or returned, be used.

A case has one living draft; every text it ever had stands in the case's history. Nothing is published by itself: a
person copies the text, posts it where it was said, and says so. Where [signoff] names a department for who speaks, no
answer is given without its signature. Every function takes an open connection and holds the case's row first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from listener.fold import fold
from listener.reason import N_, Reason, reason
from listener.settings import Settings
from listener.store import clean
from listener.tables.reply import LONGEST
from listener.taxonomy import LANGUAGES, Department
from stakeholders.casework.dossier import history
from stakeholders.casework.mentioning import tell
from stakeholders.casework.signature import refuse_signer, signers, signing_department
from stakeholders.casework.step import PROGRAM, NotPossible, Stale, ago, give, lock, record
from stakeholders.casework.template import blanks
from stakeholders.deciding.facts import Case
from stakeholders.store import drafts

if TYPE_CHECKING:
    from listener.config import Config

__all__ = [
    "MOVES",
    "Draft",
    "State",
    "Unseen",
    "answer",
    "answer_allowed",
    "current",
    "give_back",
    "read_drafts",
    "sign",
    "submit",
    "use",
    "write",
]

State = Literal["draft", "waiting", "signed", "returned", "used"]
Unseen = Literal["any", "none"]  # what a caller saw: whatever is there, or that there was no draft

# event → the states it leads from, and the one it leads to; the same table stands in docs/replies.md
MOVES: Final[Mapping[str, tuple[tuple[State | None, ...], State]]] = {
    "drafted": ((None, "draft", "waiting", "signed", "returned"), "draft"),
    "submitted": (("draft",), "waiting"),
    "signed": (("waiting",), "signed"),
    "returned": (("waiting",), "returned"),
    "used": (("draft", "signed"), "used"),
}
_NO_DRAFT = N_("There is no draft to take this step with")
_MOVED = N_("{quote_who} changed this draft meanwhile ({ago} ago): look at it again")
_UNSIGNED = N_("{department} signs replies to {stakeholder} first: no signed draft is there yet")
_WAITING = N_("{department} has not signed the draft yet")
_RETURNED = N_("{department} returned the draft: mend it and send it for signing again")


@dataclass(frozen=True, slots=True)
class Draft:
    """Hold a draft as it stands; `who` wrote the text last, at `at`; `signer` signed or returned it."""

    id: int
    case_id: int
    at: datetime
    who: str
    lang: str
    text: str
    template: str | None
    state: State
    signer: str | None = None
    signed_at: datetime | None = None
    note: str | None = None


def read_drafts(connection: Connection, case_id: int) -> list[Draft]:
    """Read the drafts of a case, newest first; one is not used yet, or two after a merge, until the newest is."""
    query = sa.select(drafts).where(drafts.c.case_id == case_id).order_by(drafts.c.id.desc())
    return [Draft(**row._mapping) for row in connection.execute(query)]


def current(connection: Connection, case_id: int) -> Draft | None:
    """Give the living draft of a case; None when there is none, or all were used."""
    return next((one for one in read_drafts(connection, case_id) if one.state != "used"), None)


def write(
    connection: Connection,
    case_id: int,
    who: str,
    now: datetime,
    text: str,
    lang: str,
    template: str | None = None,
    seen: Draft | Unseen = "any",
) -> Draft:
    """Keep a text as the case's draft; a signature that an earlier text had is gone, as is its place in the queue.

    The same text again changes nothing. Raises Stale when the draft is no longer the one that was `seen`, and
    NotPossible for an empty or overlong text or a language that is not ours.
    """
    lock(connection, case_id, None, now)
    old = _see(connection, case_id, seen, now)
    words = (clean(text) or "").strip()
    if not words:
        raise NotPossible(reason(N_("An empty draft says nothing: write a few words")))
    if len(words) > LONGEST or lang not in LANGUAGES:
        raise NotPossible(reason(N_("A draft has at most {n} characters"), n=LONGEST))
    if old is not None and (old.text, old.lang) == (words, lang):
        return old
    row = {"at": now, "who": who, "lang": lang, "text": words, "template": template, "state": "draft"}
    row |= {"signer": None, "signed_at": None, "note": None}
    if old is None:
        connection.execute(drafts.insert().values(case_id=case_id, **row))
    else:
        connection.execute(drafts.update().where(drafts.c.id == old.id).values(**row))
    before = None if old is None else {"state": old.state, "text": old.text}
    after = {"state": "draft", "text": words, "lang": lang} | ({"template": template} if template else {})
    record(connection, case_id, now, who, "drafted", before, after)
    made = current(connection, case_id)
    if made is None:  # it was written above, in this transaction
        raise NotPossible(reason(_NO_DRAFT))
    return made


def submit(
    connection: Connection, config: Config, case_id: int, who: str, now: datetime, seen: Draft | Unseen = "any"
) -> Draft:
    """Send the draft to be signed; the signing department's people that have an address are told by mail."""
    case, draft = _hold(connection, case_id, "submitted", seen, now)
    department = signing_department(config.settings, case)
    if department is None:
        raise NotPossible(reason(N_("Replies to {stakeholder} need no signature"), stakeholder=case.stakeholder))
    _refuse_blanks(draft)
    changes = {"state": "waiting", "note": None}
    event_id = _move(connection, draft, changes, who, "submitted", now, {"department": department})
    asked = [one for one in signers(config.settings, department) if fold(one.name) != fold(who)]
    tell(connection, config, case_id, asked, who, event_id, now)
    return _now(connection, draft)


def sign(
    connection: Connection, settings: Settings, case_id: int, who: str, now: datetime, seen: Draft | Unseen = "any"
) -> Draft:
    """Sign the draft for the department that must; raises NotPossible for who may not, naming who may."""
    case, draft = _hold(connection, case_id, "signed", seen, now)
    refuse_signer(settings, case, draft.who, who)
    changes = {"state": "signed", "signer": who, "signed_at": now, "note": None}
    _move(connection, draft, changes, who, "signed", now, {"text": draft.text})
    return _now(connection, draft)


def give_back(
    connection: Connection,
    settings: Settings,
    case_id: int,
    who: str,
    now: datetime,
    note: str,
    seen: Draft | Unseen = "any",
) -> Draft:
    """Return the draft to its author with what must change; a note is needed."""
    case, draft = _hold(connection, case_id, "returned", seen, now)
    refuse_signer(settings, case, draft.who, who)
    words = (clean(note) or "").strip()
    if not words:
        raise NotPossible(reason(N_("Say in a few words what must change")))
    _move(connection, draft, {"state": "returned", "note": words, "signer": who}, who, "returned", now, {"note": words})
    return _now(connection, draft)


def use(
    connection: Connection, settings: Settings, case_id: int, who: str, now: datetime, seen: Draft | Unseen = "any"
) -> Draft:
    """Say that the text was posted by a person where it belongs; raises NotPossible before a needed signature."""
    case, draft = _hold(connection, case_id, "used", seen, now)
    if (why := answer_allowed(connection, settings, case)) is not None:
        raise NotPossible(why)
    _refuse_blanks(draft)
    _move(connection, draft, {"state": "used"}, who, "used", now, {"text": draft.text})
    return _now(connection, draft)


def answer_allowed(connection: Connection, settings: Settings, case: Case) -> Reason | None:
    """Tell why a case may not be answered yet: its reply is not signed by whom [signoff] names; None: it may.

    A signed text that was used since the case was last opened counts; an older one answered something else.
    """
    department = signing_department(settings, case)
    if department is None:
        return None
    draft = current(connection, case.id)
    if draft is not None and draft.state != "signed":
        sentence = {"waiting": _WAITING, "returned": _RETURNED}.get(draft.state, _UNSIGNED)
        return _word(sentence, department, case)
    if draft is not None or _used(connection, case.id):
        return None
    return _word(_UNSIGNED, department, case)


def answer(
    connection: Connection,
    settings: Settings,
    case_id: int,
    who: str,
    now: datetime,
    note: str | None = None,
    version: int | None = None,
    seen: Draft | Unseen = "any",
    *,
    with_draft: bool = False,
) -> Case:
    """Say that the author was answered: `with_draft`, by its very words; a signed draft counts as used in any case.

    Raises NotPossible while a needed signature is missing, Stale as stakeholders.case.answer does. This is the one
    door by which a person answers a case.
    """
    from stakeholders.case import answer as take

    row = lock(connection, case_id, version, now)
    draft = _see(connection, case_id, seen, now)
    if (why := answer_allowed(connection, settings, give(connection, row.id))) is not None:
        raise NotPossible(why)
    answered = take(connection, case_id, who, now, note, version)
    if draft is not None and (with_draft or draft.state == "signed"):
        use(connection, settings, case_id, who, now)
    return answered


def _word(sentence: str, department: Department, case: Case) -> Reason:
    facts = {"department": department, "stakeholder": case.stakeholder}
    return Reason(sentence, {name: fact for name, fact in facts.items() if f"{{{name}}}" in sentence})


def _used(connection: Connection, case_id: int) -> bool:
    used = False
    for event in history(connection, case_id):
        if event.what == "used":
            used = True
        elif event.what == "reopened" and (event.after or {}).get("status") == "new":
            used = False
    return used


def _hold(connection: Connection, case_id: int, what: str, seen: Draft | Unseen, now: datetime) -> tuple[Case, Draft]:
    """Hold the case, and give it with a living draft that may take this step."""
    lock(connection, case_id, None, now)
    draft = _see(connection, case_id, seen, now)
    if draft is None:
        raise NotPossible(reason(_NO_DRAFT))
    if draft.state not in MOVES[what][0]:
        raise NotPossible(Reason(_STANDS[draft.state]))
    return give(connection, case_id), draft


_STANDS: Final[Mapping[State, str]] = {
    "draft": N_("This draft was not sent for signing"),
    "waiting": N_("This draft waits for a signature"),
    "signed": N_("This draft is signed already"),
    "returned": N_("This draft was returned and must be mended first"),
    "used": N_("This draft was used already"),
}


def _see(connection: Connection, case_id: int, seen: Draft | Unseen, now: datetime) -> Draft | None:
    """Give the living draft; raises Stale, saying who and when, if it is not what was seen."""
    draft = current(connection, case_id)
    if seen == "any" or draft == (None if seen == "none" else seen):
        return draft
    last = [event for event in history(connection, case_id) if event.what in MOVES]
    who, at = (last[-1].who, last[-1].at) if last else (PROGRAM, now)
    raise Stale(case_id, reason(_MOVED, quote_who=who, ago=ago(at, now)))


def _move(
    connection: Connection,
    draft: Draft,
    changes: Mapping[str, Any],
    who: str,
    what: str,
    now: datetime,
    more: Mapping[str, Any],
) -> int:
    connection.execute(drafts.update().where(drafts.c.id == draft.id).values(**changes))
    return record(
        connection, draft.case_id, now, who, what, {"state": draft.state}, {"state": changes["state"], **more}
    )


def _now(connection: Connection, draft: Draft) -> Draft:
    return next(one for one in read_drafts(connection, draft.case_id) if one.id == draft.id)


def _refuse_blanks(draft: Draft) -> None:
    if left := blanks(draft.text):
        raise NotPossible(reason(N_("The draft still has something to fill in: {quote}"), quote=left[0]))
