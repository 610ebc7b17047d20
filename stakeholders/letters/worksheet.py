"""Lay a team's digest out: what waits and is late by name and link first, then what came and what was done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

from listener.reason import N_, reason
from stakeholders.counting.honesty import case_rows, gap_blocks
from stakeholders.counting.load import Load
from stakeholders.letters.blocks import HOW, Block, Outline, Section, Sentence
from stakeholders.letters.phrases import (
    answered_row,
    case_block,
    forecast_blocks,
    legal_blocks,
    muted_blocks,
    sentence_block,
)
from stakeholders.letters.trouble import departments_silent, incidents_unanswered, legal_days_missed
from stakeholders.wording import Wording

__all__ = ["lay_out_load", "load_sentences"]


def load_sentences(load: Load) -> tuple[Sentence, ...]:
    """Say a team's day or week in a few sentences: what did not work, what waits, what came and what was done."""
    return (
        *incidents_unanswered(load.incidents, load.zone),
        *legal_days_missed(load.legal),
        *departments_silent(load.silent),
        _waits(load),
        _came(load),
    )


def _waits(load: Load) -> Sentence:
    waiting = load.waiting
    if not waiting.open:
        return Sentence(reason("Nothing waits for an answer."))
    if waiting.overdue:
        told = reason(
            "{overdue} of the {open} cases that wait are past their time.", overdue=waiting.overdue, open=waiting.open
        )
        if waiting.overdue == waiting.open:
            told = reason("Every case that waits is past its time: {open}.", open=waiting.open)
        return Sentence(told, bad=True)
    if waiting.open == 1:
        return Sentence(reason("One case waits for an answer, and its time has not run out."))
    return Sentence(reason("{open} cases wait for an answer; none is past its time.", open=waiting.open))


def _came(load: Load) -> Sentence:
    made, answered = load.fates.made, load.fates.answered
    if not made:
        return Sentence(reason("Nothing new came in."))
    told = reason("New cases: {made}; answered: {answered}.", made=made, answered=answered)
    if not load.routed.moved:
        return Sentence(told)
    moved = reason(
        "Right the first time: {right} of {first}; {moved} had to go to another department.",
        right=load.routed.right,
        first=load.routed.first,
        moved=load.routed.moved,
    )
    return Sentence(told, notes=(moved,))


def lay_out_load(load: Load, wording: Wording, *, url: str, instance: str, seal: str) -> Outline:
    """Word every part of a team's digest; `url` is where the dashboard is."""
    w = wording
    title = _title(load.departments, w)
    start, end = load.start.astimezone(w.zone).date(), (load.end - timedelta(microseconds=1)).astimezone(w.zone).date()
    days = w.days(start, end) if start != end else w.day(end)
    overline = w.say(N_("Daily digest")) if load.cadence == "daily" else w.say(N_("Weekly digest"))
    overline += f" · {load.brand_name}"
    if load.running:
        overline += " · " + w.say(N_("not over yet"))
    inbox = f"{url}/?{urlencode([('department', one) for one in load.departments])}".rstrip("?")
    told = [w.say(N_("{count} wait"), count=load.waiting.open)]
    if load.waiting.overdue:
        told.insert(0, w.say(N_("{overdue} overdue"), overdue=load.waiting.overdue))
    sections = [_needs(load, w, url, inbox), _new(load, w), _ahead(load, w, url), _honest(load, w)]
    return Outline(
        subject=" · ".join([title, load.brand_name, *told]),
        title=title,
        days=days,
        overline=overline,
        sentences=tuple(sentence_block(one, w) for one in load_sentences(load)),
        sections=tuple(section for section in sections if section.blocks),
        attention=w.say(N_("Attention")),
        open=(w.say(N_("Open the inbox")), inbox),
        how=(w.say(N_("How these figures are made")), HOW),
        foot=(
            f"{instance} · {load.label}" + (f" · {load.name}" if load.name else ""),
            w.say(N_("Seal of the figures: {quote_seal}"), quote_seal=seal[:12]),
        ),
    )


def _title(departments: Sequence[str], w: Wording) -> str:
    if not departments:
        return w.say(N_("Every department"))
    return " · ".join(w.label(one) for one in departments)


def _needs(load: Load, w: Wording, url: str, inbox: str) -> Section:
    title = w.say(N_("What needs you"))
    if not load.needing:
        return Section(
            title, (Block("text", w.say(N_("Nothing now: no alert is unresolved and no case is overdue."))),)
        )
    blocks = [case_block(line, w, url, load.owners) for line in load.needing]
    if load.needing_all > len(load.needing):
        more = w.say(N_("and {count} more in the inbox"), count=load.needing_all - len(load.needing))
        blocks.append(Block("text", more, link=inbox))
    return Section(title, tuple(blocks))


def _new(load: Load, w: Wording) -> Section:
    """Word what came in and what was done with it, beside the stretch of time before."""
    rows = tuple(answered_row(line, w) for line in load.came)
    before = load.fates_before.made
    sentence = N_("New cases: {made}; in the days before: {before}.")
    if load.days == 1:
        sentence = N_("New cases: {made}; the day before: {before}.")
    elif load.cadence == "weekly":
        sentence = N_("New cases: {made}; the week before: {before}.")
    blocks = [Block("text", w.say(sentence, made=load.fates.made, before=before))]
    if rows:
        blocks.append(Block("table", name="departments", rows=rows))
    if load.routed.first:
        told = w.say(N_("Right the first time: {right} of {first}."), right=load.routed.right, first=load.routed.first)
        blocks.append(Block("text", told))
    return Section(w.say(N_("What came and what was done")), tuple(blocks))


def _ahead(load: Load, w: Wording, url: str) -> Section:
    blocks = [
        *legal_blocks(load.legal, load.needing, w, url),
        *forecast_blocks(load.forecast, load.forecast_until, w),
        *muted_blocks(load.muted, w),
    ]
    return Section(w.say(N_("What is coming")), tuple(blocks))


def _honest(load: Load, w: Wording) -> Section:
    waiting = load.waiting
    rows = [
        (w.say(N_("Open now, as the inbox counts")), w.number(waiting.open), ""),
        (w.say(N_("of them alerts")), w.number(waiting.alerts), ""),
        (w.say(N_("of them past their time")), w.number(waiting.overdue), ""),
        (w.say(N_("of them that nobody took")), w.number(waiting.nobody), ""),
        (w.say(N_("Snoozed now")), w.number(waiting.snoozed), ""),
        *case_rows(load.fates, w),
    ]
    blocks = [Block("table", rows=tuple(rows)), *gap_blocks(load.gaps, w)]
    return Section(w.say(N_("Honest count")), tuple(blocks), boxed=True)
