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
from stakeholders.insight import CaseLine, Net, Response, Share, Unusual, overlap
from stakeholders.wording import Wording

if TYPE_CHECKING:
    from stakeholders.headline import Sentence

__all__ = ["Outline", "lay_out"]

_LEAST = 3  # cases answered: a median of fewer says nothing about a department
_WEEKS = 4  # the weeks before that an unusual day is measured against
_WEEKDAYS = (
    N_("the 4 Mondays before"),
    N_("the 4 Tuesdays before"),
    N_("the 4 Wednesdays before"),
    N_("the 4 Thursdays before"),
    N_("the 4 Fridays before"),
    N_("the 4 Saturdays before"),
    N_("the 4 Sundays before"),
)
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
        sentences=tuple(
            Block("text", " ".join(_capital(w.reason(part)) for part in (one.reason, *one.notes)), one.bad)
            for one in headline
        ),
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
        told.append(w.say(N_("net sentiment {quote_net} points"), quote_net=w.points(figures.net.net)))
    if figures.open_now.overdue:
        told.append(w.say(N_("{overdue} overdue"), overdue=figures.open_now.overdue))
    return told


def _needs(figures: Figures, w: Wording, url: str) -> Section:
    now = figures.open_now
    title = w.say(N_("What needs you"))
    if not figures.needing:
        calm = w.say(
            N_("Nothing now: no alert is unresolved and no case is overdue. Unresolved cases in all: {open}."),
            open=now.open,
        )
        return Section(title, (Block("text", calm),))
    told = w.say(
        N_("Unresolved alerts: {alerts}. Overdue: {overdue}. Unresolved cases in all: {open}."),
        alerts=now.alerts,
        overdue=now.overdue,
        open=now.open,
    )
    blocks = [Block("text", told), *(_case(line, w, url) for line in figures.needing)]
    if now.needing > len(figures.needing):
        more = w.say(N_("and {count} more in the inbox"), count=now.needing - len(figures.needing))
        blocks.append(Block("text", more, link=f"{url}/"))
    return Section(title, tuple(blocks))


def _happened(figures: Figures, w: Wording, url: str) -> Section:
    blocks: list[Block] = []
    if figures.heard:
        blocks.append(Block("picture", charts.describe_volume(figures.days, w), name="volume"))
    blocks.extend(Block("text", _unusual(day, w), 2 * day.negative > day.mentions) for day in figures.unusual)
    shown = {line.id for line in figures.needing}
    rest = [line for line in figures.largest if line.id not in shown and line.people > 1]
    if rest:
        blocks.append(Block("text", w.say(N_("Other cases of the week, those of most people first:"))))
        blocks.extend(_case(line, w, url) for line in rest[:3])
    return Section(w.say(N_("What happened")), tuple(blocks))


def _unusual(day: Unusual, w: Wording) -> str:
    told = w.say(
        N_("{day}: {mentions} mentions, where {low} to {high} are usual (from {quote_days})."),
        day=day.day,
        mentions=day.mentions,
        low=round(day.low),
        high=round(day.high),
        quote_days=_before(day, w),
    )
    if day.words:
        told += " " + w.say(N_("What was new in it: {quote_words}."), quote_words=", ".join(day.words))
    if day.stakeholder:
        told += " " + w.say(N_("Most came from: {who}."), who=day.stakeholder)
    return _capital(told)


def _before(day: Unusual, w: Wording) -> str:
    """Name the days that an unusual day is measured against."""
    days = w.say(_WEEKDAYS[day.day.weekday()])
    return days if day.sample >= _WEEKS else w.say(N_("{sample} of {quote_days}"), sample=day.sample, quote_days=days)


def _done(figures: Figures, w: Wording) -> Section:
    counts = figures.cases
    title = w.say(N_("What was done"))
    if not counts.opened:
        return Section(title, (Block("text", w.say(N_("There was no new case this week."))),))
    told = [
        w.say(N_("New cases: {opened}."), opened=counts.opened),
        w.say(
            N_("Answered: {answered}, {in_time} of them in time."),
            answered=counts.answered,
            in_time=counts.answered_in_time,
        ),
    ]
    if counts.closed_unanswered:
        told.append(w.say(N_("Closed without an answer: {closed}."), closed=counts.closed_unanswered))
    told.append(w.say(N_("Still without an answer: {open}."), open=counts.open))
    rows = tuple(_answered(line, w) for line in figures.responses)
    return Section(title, (Block("text", " ".join(told)), Block("table", name="departments", rows=rows)))


def _answered(line: Response, w: Wording) -> tuple[str, str, str]:
    """Word a department's row: what it answered, and beside it what is left."""
    said = _count(line.measured, N_("1 answered"), N_("{count} answered"), w)
    if line.measured:
        said += ", " + w.say(N_("{in_time} in time"), in_time=line.within_clock)
    notes = []
    if line.median_answer is not None and line.measured >= _LEAST:
        notes.append(w.say(N_("median {span}"), span=line.median_answer))
    if line.closed_unanswered:
        one, many = N_("1 closed without an answer"), N_("{count} closed without an answer")
        notes.append(_count(line.closed_unanswered, one, many, w))
    if line.open:
        notes.append(w.say(N_("{count} without an answer"), count=line.open))
    cases = _count(line.cases, N_("1 case"), N_("{count} cases"), w)
    return w.label(line.department), f"{cases} · {said}", " · ".join(notes)


def _count(count: int, one: str, many: str, w: Wording) -> str:
    return w.say(one) if count == 1 else w.say(many, count=count)


def _others(figures: Figures, w: Wording) -> Section:
    blocks: list[Block] = []
    ours = next((share for share in figures.shares if share.brand == figures.brand), None)
    before = next((share for share in figures.shares_before if share.brand == figures.brand), None)
    if len(figures.shares) > 1 and ours is not None and ours.share is not None:
        blocks.append(Block("picture", charts.describe_shares(figures.shares, figures.names, w), name="shares"))
        told = w.say(N_("Share of voice: {quote_share}."), quote_share=charts.with_interval(ours, w))
        said = figures.told_before.share if figures.told_before else None
        blocks.append(_compared(told, ours, before, ours.share, before.share if before else None, said, figures, w))
    net, then = figures.net, figures.net_before
    if net is not None:
        told = w.say(
            N_("Net sentiment: {quote_net} points (95% interval from {quote_low} to {quote_high})."),
            quote_net=w.points(net.net),
            quote_low=w.points(net.low),
            quote_high=w.points(net.high),
        )
        said = figures.told_before.net if figures.told_before else None
        blocks.append(_compared(told, net, then, net.net, then.net if then else None, said, figures, w))
    return Section(w.say(N_("Against the others, and the week before")), tuple(blocks))


def _compared(
    told: str,
    one: Share | Net,
    other: Share | Net | None,
    now: float,
    then: float | None,
    said: float | None,
    figures: Figures,
    w: Wording,
) -> Block:
    if other is None or then is None:
        sentence = N_("The week before was not heard, so there is nothing to compare with.")
        if figures.heard_before:
            sentence = N_("There were no mentions in the week before.")
        return Block("text", told + " " + w.say(sentence))
    before = _worded(then, one, w)
    if said is not None and _worded(said, one, w) != before:
        sentence = N_("{quote_now} ({quote_told} in the letter before; more of that week was counted since)")
        if figures.told_before is not None and figures.told_before.relabelled:
            sentence = N_("{quote_now} ({quote_told} in the letter before; labels were corrected since)")
        before = w.say(sentence, quote_now=before, quote_told=_worded(said, one, w))
    sentence = N_("It rose from {quote_before}, more than chance explains.")
    if overlap(one, other):
        sentence = N_("No real change from {quote_before} the week before.")
    elif now < then:
        sentence = N_("It fell from {quote_before}, more than chance explains.")
    bad = isinstance(one, Net) and now < then and not overlap(one, other)
    return Block("text", told + " " + w.say(sentence, quote_before=before), bad)


def _worded(number: float, one: Share | Net, w: Wording) -> str:
    if isinstance(one, Net):
        return w.say(N_("{quote_net} points"), quote_net=w.points(number))
    return w.percent(number)


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
