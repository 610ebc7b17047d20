"""Lay a week out for its reader: sections in order of priority, every sentence worded, nothing left for the templates.

What strangers wrote stands in its own fields (`quote`, `who`), which the templates show as text.
"""

from __future__ import annotations

from collections.abc import Sequence

from listener.reason import N_
from stakeholders.counting.figures import Figures
from stakeholders.counting.honesty import count_honestly
from stakeholders.counting.owed import kept
from stakeholders.insight import Unusual
from stakeholders.letters import charts
from stakeholders.letters.blocks import HOW, SPOKEN, Block, Outline, Section, Sentence
from stakeholders.letters.comparison import compare
from stakeholders.letters.phrases import (
    answered_row,
    capital,
    case_block,
    forecast_blocks,
    legal_blocks,
    muted_blocks,
    notice_blocks,
    sentence_block,
)
from stakeholders.wording import Wording

__all__ = ["Outline", "lay_out"]

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


def lay_out(
    figures: Figures, headline: Sequence[Sentence], wording: Wording, *, url: str, instance: str, seal: str
) -> Outline:
    """Word every part of a week's letter; `url` is where the dashboard is."""
    w = wording
    days = w.days(figures.days[0].day, figures.days[-1].day)
    overline = w.say(N_("Weekly letter"))
    if figures.running:
        overline += " · " + w.say(N_("this week is not over"))
    told = tuple(sentence_block(one, w) for one in headline)
    rest = Section(w.say(N_("What else did not work")), told[SPOKEN:])
    sections = [rest, _needs(figures, w, url), _happened(figures, w, url), _done(figures, w)]
    if figures.heard:
        sections += [compare(figures, w), _voices(figures, w)]
    sections += [_between_companies(figures, w, url)]
    sections.append(count_honestly(figures, w))
    return Outline(
        subject=" · ".join([figures.name, days, *_subject(figures, w)]),
        title=figures.name,
        days=days,
        overline=overline,
        sentences=told[:SPOKEN],
        glance=_glance(figures, w),
        sections=tuple(section for section in sections if section.blocks),
        attention=w.say(N_("Attention")),
        open=(w.say(N_("Open the inbox")), f"{url}/"),
        how=(w.say(N_("How these figures are made")), HOW),
        foot=(f"{instance} · {figures.week}", w.say(N_("Seal of the figures: {quote_seal}"), quote_seal=seal[:12])),
    )


def _glance(figures: Figures, w: Wording) -> tuple[tuple[str, str, str], ...]:
    """Word the week's few figures beside those of the week before, for a first page."""
    net, then = figures.net, figures.net_before
    rows = []
    if net is not None:
        before = w.say(N_("{quote_now} the week before"), quote_now=w.number(then.mentions)) if then else ""
        rows.append((w.say(N_("Mentions")), w.number(net.mentions), before))
        before = w.say(N_("{quote_now} the week before"), quote_now=w.points(then.net)) if then else ""
        told = f"{w.points(net.net)} ({w.points(net.low)} … {w.points(net.high)})"
        rows.append((w.say(N_("Net sentiment, points")), told, before))
    ours = next((share for share in figures.shares if share.brand == figures.brand), None)
    if len(figures.shares) > 1 and ours is not None and ours.share is not None:
        was = next((share.share for share in figures.shares_before if share.brand == figures.brand), None)
        before = "" if was is None else w.say(N_("{quote_now} the week before"), quote_now=w.percent(was))
        rows.append((w.say(N_("Share of voice")), charts.with_interval(ours, w), before))
    counts, earlier = figures.cases, figures.cases_before
    before = w.say(N_("{quote_now} the week before"), quote_now=w.number(earlier.opened)) if earlier else ""
    rows.append((w.say(N_("New cases")), w.number(counts.opened), before))
    for words, now, was_kept in ((N_("Answered in time"), kept(counts), kept(earlier) if earlier else None),):
        if now is not None:
            before = w.say(N_("{quote_now} the week before"), quote_now=w.percent(was_kept.share)) if was_kept else ""
            part = w.say(N_("{in_time} of {of}"), in_time=now.in_time, of=now.of)
            rows.append((w.say(words), f"{part} ({w.percent(now.share)})", before))
    return tuple(rows)


def _subject(figures: Figures, w: Wording) -> list[str]:
    told = []
    if not figures.heard:
        told.append(w.say(N_("nothing was heard")))
    elif figures.net is None:
        told.append(w.say(N_("no mentions")))
    else:
        told.append(w.say(N_("net sentiment {quote_net} points"), quote_net=w.points(figures.net.net)))
    if figures.incidents:
        told.insert(0, w.say(N_("unanswered incidents: {count}"), count=len(figures.incidents)))
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
        return Section(title, (Block("text", calm), *_ahead(figures, w, url)))
    told = w.say(
        N_("Unresolved alerts: {alerts}. Overdue: {overdue}. Unresolved cases in all: {open}."),
        alerts=now.alerts,
        overdue=now.overdue,
        open=now.open,
    )
    if now.snoozed:
        told += " " + w.say(
            N_("Snoozed: {snoozed}, {late} of them past their time."), snoozed=now.snoozed, late=now.snoozed_overdue
        )
    blocks = [Block("text", told), *(case_block(line, w, url) for line in figures.needing)]
    if now.needing > len(figures.needing):
        more = w.say(N_("and {count} more in the inbox"), count=now.needing - len(figures.needing))
        blocks.append(Block("text", more, link=f"{url}/"))
    return Section(title, (*blocks, *_ahead(figures, w, url)))


def _ahead(figures: Figures, w: Wording, url: str) -> list[Block]:
    """Word what runs out in the days to come: legal days, and answers likely to come late."""
    return [
        *legal_blocks(figures.legal, figures.needing, w, url),
        *forecast_blocks(figures.forecast, figures.forecast_until, w),
    ]


def _happened(figures: Figures, w: Wording, url: str) -> Section:
    blocks: list[Block] = []
    if figures.heard:
        blocks.append(Block("picture", charts.describe_volume(figures.days, w), name="volume"))
    blocks.extend(notice_blocks(figures.spikes, w, url))
    blocks.extend(Block("text", _unusual(day, w), 2 * day.negative > day.mentions) for day in figures.unusual)
    shown = {line.id for line in figures.needing}
    rest = [line for line in figures.largest if line.id not in shown and line.people > 1]
    if rest:
        blocks.append(Block("text", w.say(N_("Other cases of the week, those of most people first:"))))
        blocks.extend(case_block(line, w, url) for line in rest[:3])
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
    return capital(told)


def _before(day: Unusual, w: Wording) -> str:
    """Name the days that an unusual day is measured against."""
    days = w.say(_WEEKDAYS[day.day.weekday()])
    return days if day.sample >= _WEEKS else w.say(N_("{sample} of {quote_days}"), sample=day.sample, quote_days=days)


def _done(figures: Figures, w: Wording) -> Section:
    counts = figures.cases
    title = w.say(N_("What was done"))
    if not counts.opened:
        none = Block("text", w.say(N_("There was no new case this week.")))
        return Section(title, (none, *muted_blocks(figures.muted, w)))
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
    rows = tuple(answered_row(line, w) for line in figures.responses)
    table = Block("table", name="departments", rows=rows)
    return Section(title, (Block("text", " ".join(told)), table, *muted_blocks(figures.muted, w)))


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


def _between_companies(figures: Figures, w: Wording, url: str) -> Section:
    """Word who of the trade praised or attacked whom, and what was said well of us that our accounts passed over."""
    blocks = [*notice_blocks(figures.exchanges, w, url), *notice_blocks(figures.opportunities, w, url)]
    return Section(w.say(N_("Between companies")), tuple(blocks))
