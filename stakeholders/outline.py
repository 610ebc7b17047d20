"""Lay a week out for its reader: sections in order of priority, every sentence worded, nothing left for the templates.

What strangers wrote stands in its own fields (`quote`, `who`), which the templates show as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from listener.reason import N_
from stakeholders import charts
from stakeholders.blocks import Block, Section
from stakeholders.figures import Figures
from stakeholders.honesty import count_honestly
from stakeholders.insight import CaseLine, Net, Share, Unusual, overlap
from stakeholders.wording import Wording

if TYPE_CHECKING:
    from stakeholders.headline import Sentence

__all__ = ["Outline", "lay_out"]

_HOW = "https://github.com/escucha/escucha/blob/main/docs/figures.md"


@dataclass(frozen=True, slots=True)
class Outline:
    """Hold the whole letter in words."""

    subject: str
    title: str
    days: str
    overline: str
    sentences: tuple[Block, ...]
    sections: tuple[Section, ...]
    attention: str
    open: tuple[str, str]  # words, link
    how: tuple[str, str]
    foot: tuple[str, ...] = field(default=())


def lay_out(
    figures: Figures, headline: Sequence[Sentence], wording: Wording, *, url: str, instance: str, seal: str
) -> Outline:
    """Word every part of a week's letter; `url` is where the dashboard is."""
    w = wording
    days = w.days(figures.days[0].day, figures.days[-1].day)
    overline = w.say(N_("Weekly letter"))
    if figures.running:
        overline += " · " + w.say(N_("this week is not over"))
    sections = [_needs(figures, w, url), _happened(figures, w, url), _done(figures, w)]
    if figures.heard:
        sections += [_others(figures, w), _voices(figures, w)]
    sections.append(count_honestly(figures, w))
    return Outline(
        subject=" · ".join([figures.name, days, *_subject(figures, w)]),
        title=figures.name,
        days=days,
        overline=overline,
        sentences=tuple(Block("text", _capital(w.reason(one.reason)), one.bad) for one in headline),
        sections=tuple(section for section in sections if section.blocks),
        attention=w.say(N_("Attention")),
        open=(w.say(N_("Open the inbox")), f"{url}/"),
        how=(w.say(N_("How these figures are made")), _HOW),
        foot=(f"{instance} · {figures.week}", w.say(N_("Seal of the figures: {quote_seal}"), quote_seal=seal[:12])),
    )


def _subject(figures: Figures, w: Wording) -> list[str]:
    told = []
    if not figures.heard:
        told.append(w.say(N_("nothing was heard")))
    elif figures.net is None:
        told.append(w.say(N_("no mentions")))
    else:
        told.append(w.say(N_("net sentiment {quote_net}"), quote_net=w.points(figures.net.net)))
    if figures.open_now.overdue:
        told.append(w.say(N_("{overdue} overdue"), overdue=figures.open_now.overdue))
    return told


def _needs(figures: Figures, w: Wording, url: str) -> Section:
    now = figures.open_now
    title = w.say(N_("What needs you"))
    if not figures.needing:
        calm = w.say(
            N_("Nothing now: no alert is open and no case is overdue. Open cases in all: {open}."), open=now.open
        )
        return Section(title, (Block("text", calm),))
    told = w.say(
        N_("Open alerts: {alerts}. Overdue: {overdue}. Open cases in all: {open}."),
        alerts=now.alerts,
        overdue=now.overdue,
        open=now.open,
    )
    return Section(title, (Block("text", told), *(_case(line, w, url) for line in figures.needing)))


def _happened(figures: Figures, w: Wording, url: str) -> Section:
    blocks: list[Block] = []
    if figures.heard:
        blocks.append(Block("picture", charts.describe_volume(figures.days, w), name="volume"))
    blocks.extend(Block("text", _unusual(day, w), 2 * day.negative > day.mentions) for day in figures.unusual)
    shown = {line.id for line in figures.needing}
    rest = [line for line in figures.largest if line.id not in shown and line.people > 1]
    if rest:
        blocks.append(Block("text", w.say(N_("The largest cases of the week, by people:"))))
        blocks.extend(_case(line, w, url) for line in rest[:3])
    return Section(w.say(N_("What happened")), tuple(blocks))


def _unusual(day: Unusual, w: Wording) -> str:
    told = w.say(
        N_("{day}: {mentions} mentions, where {low} to {high} are usual (from {sample} such days before)."),
        day=day.day,
        mentions=day.mentions,
        low=round(day.low),
        high=round(day.high),
        sample=day.sample,
    )
    if day.words:
        told += " " + w.say(N_("What was new in it: {quote_words}."), quote_words=", ".join(day.words))
    if day.stakeholder:
        told += " " + w.say(N_("Most came from: {who}."), who=day.stakeholder)
    return _capital(told)


def _done(figures: Figures, w: Wording) -> Section:
    counts = figures.cases
    title = w.say(N_("What was done"))
    if not counts.opened:
        return Section(title, (Block("text", w.say(N_("No case was opened this week."))),))
    told = w.say(
        N_("Cases opened: {opened}. Answered: {answered}, {in_time} of them in time. Still open: {open}."),
        opened=counts.opened,
        answered=counts.answered,
        in_time=counts.answered_in_time,
        open=counts.open,
    )
    rows = []
    for line in figures.responses:
        notes = []
        if line.median_answer is not None:
            notes.append(w.say(N_("half answered within {span}"), span=line.median_answer))
        if line.measured < line.cases:
            notes.append(w.say(N_("without an answer: {count}"), count=line.cases - line.measured))
        value = w.say(N_("{answered} of {cases}"), answered=line.measured, cases=line.cases)
        if line.measured:
            value += " · " + w.say(N_("{in_time} in time"), in_time=line.within_clock)
        rows.append((w.label(line.department), value, " · ".join(notes)))
    return Section(title, (Block("text", told), Block("table", rows=tuple(rows))))


def _others(figures: Figures, w: Wording) -> Section:
    blocks: list[Block] = []
    ours = next((share for share in figures.shares if share.brand == figures.brand), None)
    before = next((share for share in figures.shares_before if share.brand == figures.brand), None)
    if len(figures.shares) > 1 and ours is not None and ours.share is not None:
        blocks.append(Block("picture", charts.describe_shares(figures.shares, figures.names, w), name="shares"))
        told = w.say(N_("Share of voice: {quote_share}."), quote_share=charts.with_interval(ours, w))
        blocks.append(_compared(told, ours, before, ours.share, before.share if before else None, figures, w))
    net, then = figures.net, figures.net_before
    if net is not None:
        told = w.say(
            N_("Net sentiment: {quote_net} points (95 % interval from {quote_low} to {quote_high})."),
            quote_net=w.points(net.net),
            quote_low=w.points(net.low),
            quote_high=w.points(net.high),
        )
        blocks.append(_compared(told, net, then, net.net, then.net if then else None, figures, w))
    return Section(w.say(N_("Against the others, and the week before")), tuple(blocks))


def _compared(
    told: str,
    one: Share | Net,
    other: Share | Net | None,
    now: float,
    then: float | None,
    figures: Figures,
    w: Wording,
) -> Block:
    if other is None or then is None:
        sentence = N_("The week before was not heard, so there is nothing to compare with.")
        if figures.heard_before:
            sentence = N_("There were no mentions in the week before.")
        return Block("text", told + " " + w.say(sentence))
    before = w.points(then) if isinstance(one, Net) else w.percent(then)
    sentence = N_("It rose from {quote_before}, more than chance explains.")
    if overlap(one, other):
        sentence = N_("No real change from {quote_before} the week before.")
    elif now < then:
        sentence = N_("It fell from {quote_before}, more than chance explains.")
    bad = isinstance(one, Net) and now < then and not overlap(one, other)
    return Block("text", told + " " + w.say(sentence, quote_before=before), bad)


def _voices(figures: Figures, w: Wording) -> Section:
    spoke = figures.spoke
    if not spoke:
        return Section("", ())
    blocks = [Block("picture", charts.describe_voices(spoke, w), name="voices")]
    total = sum(part.mentions for part in figures.dimensions)
    about = [
        f"{w.label(part.name)} ({w.percent(part.mentions / total)})"
        for part in figures.dimensions[:3]
        if part.name != "undefined"
    ]
    if about:
        blocks.append(Block("text", w.say(N_("What it was about: {quote_list}."), quote_list=w.list(about))))
    return Section(w.say(N_("Who spoke")), tuple(blocks))


def _case(line: CaseLine, w: Wording, url: str) -> Block:
    more = [f"#{line.id}", w.say(N_("people: {people}, posts: {posts}"), people=line.people, posts=line.mentions)]
    if line.overdue and line.due_at is not None:
        more.append(w.say(N_("was due {quote_time}"), quote_time=w.moment(line.due_at)))
    elif line.due_at is not None and line.status in ("new", "acknowledged"):
        more.append(w.say(N_("due {quote_time}"), quote_time=w.moment(line.due_at)))
    else:
        more.append(w.label(line.status))
    return Block(
        "case",
        words=f"{_capital(w.label(line.stakeholder))} → {w.label(line.department)}",
        bad=line.overdue,
        tag=" · ".join([w.label(line.priority), *([w.say(N_("overdue"))] if line.overdue else [])]),
        more=" · ".join(more),
        link=f"{url}/case?id={line.id}",
        quote=line.quote,
        who=" · ".join(part for part in (line.who, line.source) if part),
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
