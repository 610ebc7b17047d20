"""Write the figures of the pulse as HTML: strip of totals, share of voice, who speaks, honest counts, unusual days."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any

from listener.reason import N_
from listener.taxonomy import SENTIMENTS
from stakeholders.insight import CaseCounts, Honest, Net, Share, Unusual, Voice
from stakeholders.pages import marks, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["causes", "honesty", "share_of_voice", "strip", "who_speaks"]


def strip(
    scene: Scene, honest: Honest, net: Net | None, shares: Sequence[Share], counts: CaseCounts, brand: str
) -> str:
    """Write the four figures that a director asks for first, each with what it stands on."""
    mine = next((one for one in shares if one.brand == brand), None)
    parts = [
        (marks.number(scene, honest.relevant), N_("mentions about the brand"), ""),
        (
            marks.signed(net.net) if net else "—",
            N_("net sentiment"),
            f"{marks.signed(net.low)} … {marks.signed(net.high)}" if net else "",
        ),
        (
            marks.percent(scene, mine.share) if mine else "—",
            N_("share of voice"),
            f"{marks.percent(scene, mine.low)} … {marks.percent(scene, mine.high)}"
            if mine and mine.share is not None
            else "",
        ),
        (
            marks.number(scene, counts.opened),
            N_("cases opened"),
            scene.t(N_("{n} answered in time"), n=marks.number(scene, counts.answered_in_time))
            if counts.answered
            else "",
        ),
        (
            marks.number(scene, counts.open),
            N_("still to answer"),
            scene.t(N_("{n} overdue"), n=marks.number(scene, counts.overdue)) if counts.overdue else "",
        ),
    ]
    boxes = "".join(
        f"<div><b>{escape(figure)}</b><span>{escape(scene.t(words))}</span><span>{escape(more)}</span></div>"
        for figure, words, more in parts
    )
    return f'<div class="e-figures">{boxes}</div>'


def causes(scene: Scene, odd: Sequence[Unusual]) -> str:
    """List the numbered days of the chart: what was expected, how many came, and what drove them."""
    lines = []
    for place, one in enumerate(odd, start=1):
        when = marks.day(scene, datetime.combine(one.day, time(12), scene.config.zone))
        # The words of the day are strangers' words: escaped with the rest of the line.
        words = scene.t(
            N_("{n} mentions, where {low} to {high} are usual; {negative} harm"),
            n=marks.number(scene, one.mentions),
            low=marks.number(scene, math.floor(one.low)),
            high=marks.number(scene, math.ceil(one.high)),
            negative=marks.number(scene, one.negative),
        )
        if one.stakeholder is not None:
            words += " · " + scene.t(N_("who spoke most: {stakeholder}"), stakeholder=one.stakeholder)
        if one.words:
            words += " · " + scene.t(N_("new that day: {quote_words}"), quote_words=", ".join(one.words))
        lines.append(f"<li><b>{place}</b> · <b>{escape(when)}</b> · {escape(words)}</li>")
    title = escape(scene.t(N_("Unusual days")))
    return f'<p class="e-sub">{title}</p><ul class="e-why e-plain">{"".join(lines)}</ul>'


def share_of_voice(scene: Scene, shares: Sequence[Share], nets: Mapping[str, Net | None], days: int) -> str:
    """Draw each brand's share with its 95 % interval, and its net sentiment."""
    lines = []
    for one in shares:
        name = escape(scene.brand(one.brand))
        if one.share is None or one.low is None or one.high is None:
            lines.append(f'<span>{name}</span><span class="e-muted">—</span><span></span>')
            continue
        bar = (
            f'<span class="e-track {escape(one.kind)}" aria-hidden="true">'
            f'<span class="fill" style="width:{one.share:.1%}"></span>'
            f'<span class="range" style="left:{one.low:.1%};width:{one.high - one.low:.1%}"></span></span>'
        )
        net = nets.get(one.brand)
        mood = marks.signed(net.net) if net else "—"
        figure = f"<b>{escape(marks.percent(scene, one.share))}</b> <span class='e-muted'>· {escape(mood)}</span>"
        strong = f"<b>{name}</b>" if one.kind == "own" else name
        lines.append(f"<span>{strong}</span>{bar}<span>{figure}</span>")
    title = escape(scene.t(N_("Share of voice · net sentiment")))
    total = sum(one.mentions for one in shares)
    foot = scene.t(
        N_("The line is the 95 % interval. {n} mentions in {days} days."), n=marks.number(scene, total), days=days
    )
    return (
        f'<h2 class="e-h2">{title}</h2><div class="e-share">{"".join(lines)}</div><p class="e-sub">{escape(foot)}</p>'
    )


def who_speaks(scene: Scene, voices: Sequence[Voice], brand: str) -> str:
    """Write the table of stakeholders by mood; the inbox knows no period, so the counts of this one are no links."""
    said = [one for one in voices if one.mentions or one.cases]
    if not said:
        return ""
    heads = "".join(f'<th class="n">{marks.mood(scene, name)}</th>' for name in SENTIMENTS)
    rows = []
    for one in said:
        if one.stakeholder is None:
            name = escape(scene.t(N_("not routed yet")))
            every = ""
        else:
            query: Any = scene.query({"stakeholder": one.stakeholder, "brand": brand, "status": "all"})
            worded = scene.t("{name}", name=one.stakeholder)
            name = escape(worded)
            all_of_them = scene.t(N_("all cases, whenever"))
            every = wire.link("inbox", query, escape(all_of_them), label=f"{worded}: {all_of_them}")
        total = one.mentions or 1
        stack = "".join(
            f'<span class="{mood}" style="width:{getattr(one, mood) / total:.1%}"></span>' for mood in SENTIMENTS
        )
        cells = "".join(f'<td class="n">{marks.number(scene, getattr(one, mood))}</td>' for mood in SENTIMENTS)
        rows.append(
            f'<tr><td>{name}</td><td class="n">{marks.number(scene, one.mentions)}</td>'
            f'<td style="width:22%"><div class="e-stack" aria-hidden="true">{stack}</div></td>'
            f'{cells}<td class="n">{marks.number(scene, one.cases)}</td><td class="n">{every}</td></tr>'
        )
    title = escape(scene.t(N_("Who speaks, and how")))
    words = [escape(scene.t(one)) for one in (N_("who"), N_("mentions"), N_("cases"))]
    return (
        f'<h2 class="e-h2">{title}</h2><div class="e-scroll"><table class="e-table"><thead><tr><th>{words[0]}</th>'
        f'<th class="n">{words[1]}</th><th></th>{heads}<th class="n">{words[2]}</th><th></th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def honesty(scene: Scene, honest: Honest) -> str:
    """Say what the figures stand on: what is in, what is out, and what is missing."""
    lines = [
        (N_("posts collected, whoever they name"), honest.collected),
        (N_("posts that name the brand"), honest.mentions),
        (N_("about the brand: what is counted above"), honest.relevant),
        (N_("left out: not about the brand"), honest.excluded),
        (N_("waiting to be judged"), honest.waiting),
        (N_("counted, but the polarity is unsure"), honest.unsure),
        (N_("different texts among them: copies and reposts count once"), honest.texts),
        (N_("copies and reposts that joined a case"), honest.repeats),
        (N_("labels corrected by a person"), honest.corrected),
        (N_("items that could not be read"), honest.rejected),
        (N_("posts removed at the source or on request"), honest.removed),
    ]
    facts = "".join(f"<dt>{escape(scene.t(words))}</dt><dd>{marks.number(scene, value)}</dd>" for words, value in lines)
    gaps = ""
    for gap in honest.gaps[:12]:
        name = escape(scene.source(gap.source))
        gaps += f"<li>{name}: {marks.clock(scene, gap.start)} – {marks.clock(scene, gap.end)}</li>"
    title = escape(scene.t(N_("What these figures stand on")))
    missing = escape(scene.t(N_("Not heard in this period")))
    more = f'<p class="e-sub">{missing}</p><ul class="e-why">{gaps}</ul>' if gaps else ""
    return f'<h2 class="e-h2">{title}</h2><div class="e-card"><dl class="e-facts two">{facts}</dl>{more}</div>'
