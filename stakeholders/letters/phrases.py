"""Word the pieces that several letters share: a case in a card, legal days, forecasts, what was held back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from listener.reason import N_, Reason
from listener.taxonomy import OPEN_STATUSES
from stakeholders.clocks.forecast import DepartmentForecast, Forecast, forecast_lines
from stakeholders.counting.owed import LegalDay
from stakeholders.counting.response import Response
from stakeholders.letters.blocks import Block, Sentence
from stakeholders.letters.notice import Muted, Notice
from stakeholders.lists.caseline import CaseLine
from stakeholders.spikes.outbreak import say_cause
from stakeholders.wording import Wording

__all__ = [
    "answered_row",
    "capital",
    "case_block",
    "count_words",
    "forecast_blocks",
    "legal_blocks",
    "muted_blocks",
    "notice_blocks",
    "sentence_block",
]

_LEAST = 3  # cases answered: a median of fewer says nothing about a department


def capital(text: str) -> str:
    """Begin a sentence with a capital."""
    return text[:1].upper() + text[1:]


def sentence_block(one: Sentence, wording: Wording) -> Block:
    """Word a sentence of the headline with what must be said right after it."""
    return Block("text", " ".join(capital(wording.reason(part)) for part in (one.reason, *one.notes)), one.bad)


def count_words(count: int, one: str, many: str, wording: Wording) -> str:
    """Word a count by the sentence for one or for many."""
    return wording.say(one) if count == 1 else wording.say(many, count=count)


def case_block(line: CaseLine, wording: Wording, url: str, owners: Mapping[str, str] | None = None) -> Block:
    """Word one case; with `owners`, by number, who took it is named, and that nobody did."""
    w = wording
    more = [f"#{line.id}", w.say(N_("people: {people}, posts: {posts}"), people=line.people, posts=line.mentions)]
    if line.overdue and line.due_at is not None:
        more.append(w.say(N_("was due {quote_time}"), quote_time=w.moment(line.due_at)))
    elif line.due_at is not None and line.status in OPEN_STATUSES:
        more.append(w.say(N_("due {quote_time}"), quote_time=w.moment(line.due_at)))
    else:
        more.append(w.label(line.status))
    if owners is not None:
        owner = owners.get(str(line.id))
        more.append(w.say(N_("with {quote_who}"), quote_who=owner) if owner else w.say(N_("nobody took it yet")))
    return Block(
        "case",
        words=f"{capital(w.label(line.stakeholder))} → {w.label(line.department)}",
        bad=line.overdue,
        tag=" · ".join([w.label(line.priority), *([w.say(N_("overdue"))] if line.overdue else [])]),
        more=" · ".join(more),
        link=f"{url}/case?id={line.id}",
        quote=line.quote,
        who=" · ".join(part for part in (line.who, line.source) if part),
    )


def answered_row(line: Response, wording: Wording) -> tuple[str, str, str]:
    """Word a department's row: what it answered, and beside it what is left."""
    w = wording
    said = count_words(line.measured, N_("1 answered"), N_("{count} answered"), w)
    if line.measured:
        said += ", " + w.say(N_("{in_time} in time"), in_time=line.within_clock)
    notes = []
    if line.median_answer is not None and line.measured >= _LEAST:
        notes.append(w.say(N_("median {span}"), span=line.median_answer))
    if line.closed_unanswered:
        one, many = N_("1 closed without an answer"), N_("{count} closed without an answer")
        notes.append(count_words(line.closed_unanswered, one, many, w))
    if line.open:
        notes.append(w.say(N_("{count} without an answer"), count=line.open))
    cases = count_words(line.cases, N_("1 case"), N_("{count} cases"), w)
    return w.label(line.department), f"{cases} · {said}", " · ".join(notes)


def legal_blocks(found: Sequence[LegalDay], listed: Sequence[CaseLine], wording: Wording, url: str) -> list[Block]:
    """Word the legal days that run out soon or have passed; what is late and listed as a case is not told again."""
    w = wording
    shown = {line.id for line in listed}
    blocks = []
    for one in found:
        if one.late and one.case in shown:
            continue
        about = one.about.get(w.lang) or one.about.get("en") or one.rule
        facts = {
            "quote_case": f"#{one.case}",
            "quote_body": one.body,
            "quote_about": about,
            "department": one.department,
        }
        sentence = N_("Legal day {quote_day}: case {quote_case}, {quote_body}, with {department}.")
        if one.late:
            sentence = N_("Past its legal day, {quote_day}: case {quote_case}, {quote_body}, with {department}.")
        words = w.say(sentence, quote_day=w.day(one.resolve_by.astimezone(w.zone).date()), **facts)
        blocks.append(Block("text", words, one.late, link=f"{url}/case?id={one.case}"))
    return blocks


def forecast_blocks(found: Sequence[DepartmentForecast], until: datetime | None, wording: Wording) -> list[Block]:
    """Word how many answers are likely to come late, a sentence a department."""
    if until is None:
        return []
    lines = forecast_lines(Forecast(until, until, tuple(found)), wording)
    return [Block("text", capital(line) + ".") for line in lines]


def muted_blocks(muted: Muted, wording: Wording) -> list[Block]:
    """Word how many alerts were held back, and which silences are active, by whom and why."""
    w = wording
    blocks = []
    if muted.alerts:
        told = w.say(
            N_("Alerts held back by a silence or a larger alert: {alerts}, of {cases} cases."),
            alerts=muted.alerts,
            cases=muted.cases,
        )
        blocks.append(Block("text", told))
    for one in muted.silences:
        about = ", ".join(w.label(part) for part in one.about)
        told = w.say(
            N_("A silence is active until {quote_time}, by {quote_who}: «{quote_why}» ({quote_about})."),
            quote_time=w.moment(one.ends_at),
            quote_who=one.author,
            quote_why=one.why,
            quote_about=about or w.say(N_("everything")),
        )
        blocks.append(Block("text", told))
    return blocks


def notice_blocks(found: Sequence[Notice], wording: Wording, url: str) -> list[Block]:
    """Word what was noticed, and under each the things it speaks of, with a link where that is ours."""
    blocks = []
    for one in found:
        link = f"{url}/case?id={one.case}" if one.case is not None else ""
        # A spike comes in parts that name countries by their code.
        words = _sentence(one.told, wording) if len(one.told) == 1 else say_cause(one.told, wording.lang) + "."
        blocks.append(Block("text", words, one.bad, link=link))
        for item in one.items:
            link = f"{url}/case?id={item.case}" if item.case is not None else ""
            blocks.append(Block("item", " ".join(_sentence((part,), wording) for part in item.because), link=link))
    return blocks


def _sentence(told: Sequence[Reason], wording: Wording) -> str:
    words = capital("; ".join(wording.reason(part) for part in told))
    return words if words.endswith((".", "?", "!")) else words + "."
