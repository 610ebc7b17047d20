"""Give a whole case as one file for a person or a court: what was said, what was done, by whom, and its seals."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from sqlalchemy import Connection

from listener.reason import N_, to_json
from listener.taxonomy import Language
from stakeholders.casework.chronicle import details, what_happened
from stakeholders.casework.dossier import CaseMention, Event, case_mentions_of, history
from stakeholders.casework.merging import resolve
from stakeholders.casework.seal import Broken, verify
from stakeholders.casework.step import PROGRAM, give
from stakeholders.deciding.facts import Case
from stakeholders.wording import Wording

if TYPE_CHECKING:
    from listener.config import Config

__all__ = ["FORMS", "Form", "export_case"]

Form = Literal["json", "pdf"]
FORMS: Final[tuple[Form, ...]] = ("json", "pdf")
_SHOWN = 16  # characters of a seal on paper; the file as JSON has it whole
_FORMAT = 1  # of the JSON: counted up when a field changes its meaning


def export_case(
    connection: Connection,
    config: Config,
    case_id: int,
    form: Form,
    now: datetime,
    lang: Language | None = None,
    merged: bool = False,
) -> bytes:
    """Give a case as "json" (UTF-8) or "pdf"; the same case and moment give the same bytes.

    A merged case gives the case that it is part of, unless `merged` asks for its own history. An employee's name is
    left out where the case goes to human resources. Raises NotPossible for a case that is not there.
    """
    number = case_id if merged else resolve(connection, case_id)
    case = give(connection, number)
    lines, said = history(connection, number, merged=True), case_mentions_of(connection, number)
    broken = {one: verify(connection, one) for one in sorted({number, *(line.case_id for line in lines)})}
    if form == "json":
        told = _document(config, case, lines, said, broken, now)
        return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")
    wording = Wording(lang or config.language, config.settings.instance.country, config.zone)
    return _paper(config, case, lines, said, broken, now, wording)


def _document(
    config: Config,
    case: Case,
    lines: list[Event],
    said: list[CaseMention],
    broken: dict[int, Broken | None],
    now: datetime,
) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "instance": config.settings.instance.name,
        "exported_at": _iso(now),
        "case": {
            "id": case.id,
            "kind": case.kind,
            "brand": case.brand,
            "department": case.department,
            "copies": list(case.copies),
            "priority": case.priority,
            "stakeholder": case.stakeholder,
            "status": case.status,
            "owner": case.owner,
            "opened_at": _iso(case.opened_at),
            "due_at": _iso(case.due_at),
            "acknowledged_at": _iso(case.acknowledged_at),
            "answered_at": _iso(case.answered_at),
            "closed_at": _iso(case.closed_at),
            "snoozed_until": _iso(case.snoozed_until),
            "merged_into": case.merged_into,
            "ticket_id": case.ticket_id,
            "ticket_url": case.ticket_url,
            "posts": case.mentions,
            "people": case.people,
            "because": to_json(case.reasons),
        },
        "posts": [_post(one) for one in said],
        "history": [
            {
                "line": line.id,
                "case": line.case_id,
                "at": _iso(line.at),
                "who": line.who,
                "what": line.what,
                "before": line.before,
                "after": line.after,
                "seal": line.seal,
            }
            for line in lines
        ],
        "verified": [
            {
                "case": number,
                "whole": fault is None,
                "line": fault.event_id if fault is not None else None,
                "why": to_json([fault.why])[0] if fault is not None else None,
            }
            for number, fault in broken.items()
        ],
    }


def _post(one: CaseMention) -> dict[str, Any]:
    post, author = one.mention.post, one.mention.post.author
    return {
        "mention": one.mention_id,
        "how": one.how,
        "source": post.source,
        "published_at": _iso(post.published_at),
        "text": post.text,
        "url": post.url,
        "author": None if one.masked else author.handle or author.name,
        "masked": one.masked,
        "sentiment": one.verdict.sentiment.name if one.verdict is not None else None,
        "stakeholder": one.decision.speaker.label.name if one.decision is not None else None,
        "rule": one.decision.route.rule if one.decision is not None else None,
    }


def _paper(
    config: Config,
    case: Case,
    lines: list[Event],
    said: list[CaseMention],
    broken: dict[int, Broken | None],
    now: datetime,
    w: Wording,
) -> bytes:
    from stakeholders.letters.paper import Paper

    brand = next((one.name for one in config.brands if one.key == case.brand), case.brand)
    title = w.say(N_("Case {number}: {quote_brand}"), number=str(case.id), quote_brand=brand)
    exported = w.say(N_("exported {quote_time}"), quote_time=_stamp(now, w))
    paper = Paper(title, w.lang, f"{config.settings.instance.name} · {title} · {exported}", now)
    paper.heading(title, over=config.settings.instance.name)
    paper.text(exported[:1].upper() + exported[1:], muted=True)
    paper.table(
        [
            [w.say("{name}", name=name) if name == case.status else w.say(name), value]
            for name, value in _facts(case, w)
        ],
        widths=(1, 3),
    )
    _write_check(paper, broken, lines, w)
    if case.reasons:
        paper.heading(w.say(N_("Why it came here")), 2)
        for one in case.reasons:
            paper.bullet(w.reason(one))
    paper.heading(w.say(N_("What was said")), 2)
    if not said:
        paper.text(w.say(N_("all posts removed")), muted=True)
    for mention in said:
        paper.quote(mention.mention.post.text, _source(mention, w))
    paper.heading(w.say(N_("What was done")), 2)
    heads = [w.say(name) for name in (N_("No."), N_("when"), N_("who"), N_("what"), N_("seal"))]
    paper.table(
        [_row(place, line, case, w) for place, line in enumerate(lines, 1)], heads, (1, 4.3, 2.8, 6.2, 3.4), (0,)
    )
    return paper.finish()


def _facts(case: Case, w: Wording) -> list[tuple[str, str]]:
    """Name what the case is, in the order a reader asks it; what is not told has no row."""
    facts: list[tuple[str, str | None]] = [
        (N_("status"), w.label(case.status)),
        (N_("priority"), w.label(case.priority)),
        (N_("department"), w.label(case.department)),
        (N_("copied"), ", ".join(map(w.label, case.copies)) or None),
        (N_("who speaks"), w.label(case.stakeholder)),
        (N_("owner"), case.owner),
        (N_("posts"), w.number(case.mentions)),
        (N_("people"), w.number(case.people)),
        (N_("opened"), _stamp(case.opened_at, w)),
        (N_("answer owed by"), _stamp(case.due_at, w) if case.due_at else None),
        (N_("acknowledged"), _stamp(case.acknowledged_at, w) if case.acknowledged_at else None),
        (N_("snoozed until"), _stamp(case.snoozed_until, w) if case.snoozed_until else None),
        (N_("answered"), _stamp(case.answered_at, w) if case.answered_at else None),
        (case.status, _stamp(case.closed_at, w) if case.closed_at else None),
        (N_("part of case"), str(case.merged_into) if case.merged_into else None),
        (N_("ticket of your own system"), " · ".join(filter(None, (case.ticket_id, case.ticket_url))) or None),
    ]
    return [(name, value) for name, value in facts if value]


def _write_check(paper: Any, broken: dict[int, Broken | None], lines: list[Event], w: Wording) -> None:
    """Say whether the history fits its seals, and give the last seal whole, by which this file can be held to it."""
    faults = [one for one in broken.values() if one is not None]
    sealed = [line for line in lines if line.seal]
    last = w.say(N_("Last seal: {quote_seal}"), quote_seal=sealed[-1].seal or "") if sealed else None
    for fault in faults:
        sentence = N_("The history does not fit its seals, from line {place} of case {number} on")
        told = w.say(sentence, place=fault.place, number=str(fault.case_id))
        paper.callout(told, w.reason(fault.why), "bad")
    if not faults:
        told = w.say(N_("The history fits its seals: {count} lines"), count=len(sealed))
        if len(sealed) < len(lines):
            sentence = N_("{old} of the {count} lines were written before there were seals")
            told = f"{told}. {w.say(sentence, old=len(lines) - len(sealed), count=len(lines))}"
        paper.callout(told, last, "good" if sealed else "plain")


def _source(one: CaseMention, w: Wording) -> str:
    post = one.mention.post
    who = w.say(N_("author withheld")) if one.masked else post.author.handle or post.author.name
    who = f"@{who}" if who and who == post.author.handle and not who.startswith("@") else who
    parts = (who or w.say(N_("author not told")), post.source, _stamp(post.published_at, w), post.url)
    return " · ".join(part for part in parts if part)


def _row(place: int, line: Event, case: Case, w: Wording) -> list[str]:
    what = what_happened(line, w)
    if line.case_id != case.id:
        what = w.say(N_("case {number}: {quote_what}"), number=str(line.case_id), quote_what=what)
    told = "\n".join((what, *details(line, w)))
    who = w.say(N_("Escucha itself")) if line.who == PROGRAM else line.who
    return [str(place), _stamp(line.at, w), who, told, (line.seal or "–")[:_SHOWN]]


def _stamp(moment: datetime, w: Wording) -> str:
    """Write a moment with its year and zone: a file is read years later and elsewhere."""
    local = moment.astimezone(w.zone)
    return f"{local:%Y-%m-%d %H:%M} UTC{local.isoformat()[-6:]}"


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
