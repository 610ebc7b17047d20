"""Write the figures of the pulse as HTML: strip of totals, share of voice, days, honest counts, unusual days."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

from listener.reason import N_
from listener.taxonomy import SENTIMENTS
from stakeholders.change import Direction, Growth, direction
from stakeholders.insight import CaseCounts, DayCount, Honest, Net, Share, Unusual
from stakeholders.pages import marks
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["Earlier", "causes", "days", "honesty", "share_of_voice", "sheet", "strip", "turn"]

_TURNS: dict[Direction, str] = {
    "up": N_("▲ measurably up"),
    "down": N_("▼ measurably down"),
    "same": N_("= no measurable change"),
    "unknown": N_("nothing to compare with"),
}


@dataclass(frozen=True, slots=True)
class Earlier:
    """Hold the figures of the period before, each with whether it really changed since."""

    growth: Growth
    net: Net | None
    share: Share | None
    opened: int


def sheet() -> str:
    """Give the style of the pages of figures, as one element."""
    return "<style>\n" + Path(__file__).with_name("figures.css").read_text("utf-8") + "</style>"


def turn(scene: Scene, where: Direction, *, short: bool = False) -> str:
    """Word where a figure went, by a shape and words; a change that chance explains is none.

    With `short`, what is no change is a sign with its words behind it.
    """
    if short and where in ("same", "unknown"):
        words = escape(scene.t(_TURNS[where]))
        sign = "=" if where == "same" else "—"
        return f'<span class="e-turn" title="{words}" aria-label="{words}" role="img">{sign}</span>'
    style = "e-turn told" if where in ("up", "down") else "e-turn"
    return f'<span class="{style}">{escape(scene.t(_TURNS[where]))}</span>'


def strip(
    scene: Scene,
    honest: Honest,
    net: Net | None,
    shares: Sequence[Share],
    counts: CaseCounts,
    brand: str,
    earlier: Earlier,
) -> str:
    """Write the figures that a director asks for first, each with what it stands on and the period before."""
    mine = next((one for one in shares if one.brand == brand), None)
    told, then = earlier.growth.direction, earlier.share
    parts = [
        (
            marks.number(scene, honest.relevant),
            N_("mentions about the brand"),
            _rate(scene, earlier.growth),
            _before(scene, marks.number(scene, earlier.growth.mentions_before), told),
        ),
        (
            marks.signed(net.net) if net else "—",
            N_("net sentiment"),
            _range(marks.signed(net.low), marks.signed(net.high)) if net else "",
            _before(scene, marks.signed(earlier.net.net) if earlier.net else None, direction(net, earlier.net)),
        ),
        (
            marks.percent(scene, mine.share) if mine else "—",
            N_("share of voice"),
            _range(marks.percent(scene, mine.low), marks.percent(scene, mine.high))
            if mine and mine.share is not None
            else "",
            _before(scene, marks.percent(scene, then.share) if then and then.mentions else None, direction(mine, then)),
        ),
        (
            marks.number(scene, counts.opened),
            N_("cases opened"),
            scene.t(N_("{n} answered in time"), n=marks.number(scene, counts.answered_in_time))
            if counts.answered
            else "",
            _before(
                scene, marks.number(scene, earlier.opened) if earlier.growth.mentions_before is not None else None, None
            ),
        ),
        (
            marks.number(scene, counts.open),
            N_("still to answer"),
            scene.t(N_("{n} overdue"), n=marks.number(scene, counts.overdue)) if counts.overdue else "",
            "",
        ),
    ]
    boxes = "".join(
        f"<div><b>{escape(figure)}</b><span>{escape(scene.t(words))}</span><span>{escape(more)}</span>{last}</div>"
        for figure, words, more, last in parts
    )
    return f'<div class="e-figures">{boxes}</div>'


def _range(low: str, high: str) -> str:
    return f"{low} … {high}"


def _rate(scene: Scene, told: Growth) -> str:
    """Say by how much a day's volume changed, as an interval; nothing where it cannot be told."""
    if told.low is None or told.high is None or told.direction not in ("up", "down"):
        return ""
    low, high = marks.signed(told.low - 1), marks.signed(told.high - 1)
    return scene.t(N_("{quote_low} … {quote_high} a day"), quote_low=low, quote_high=high)


def _before(scene: Scene, figure: str | None, where: Direction | None) -> str:
    if figure is None or figure == "—":
        return f"<span>{escape(scene.t(_TURNS['unknown']))}</span>"
    words = escape(scene.t(N_("before: {quote_figure}"), quote_figure=figure))
    return f"<span>{words}</span>{turn(scene, where) if where else ''}"


def days(scene: Scene, counted: Sequence[DayCount], link: Callable[[DayCount, str | None], str]) -> str:
    """Write the chart's days as a table, for who reads it without seeing or with the keyboard; counts are links."""
    heads = "".join(f'<th class="n">{marks.mood(scene, name)}</th>' for name in SENTIMENTS)
    rows = []
    for one in reversed(counted):
        when = escape(marks.day(scene, datetime.combine(one.day, time(12), scene.config.zone)))
        if one.mentions is None:
            unknown = escape(scene.t(N_("not heard: unknown, not zero")))
            rows.append(f'<tr><td>{when}</td><td class="n" colspan="4">{unknown}</td></tr>')
            continue
        cells = "".join(
            f'<td class="n">{link(one, name) if getattr(one, name or "mentions") else "0"}</td>'
            for name in (None, *SENTIMENTS)
        )
        rows.append(f"<tr><td>{when}</td>{cells}</tr>")
    words = escape(scene.t(N_("The days as a table")))
    names = [escape(scene.t(one)) for one in (N_("day"), N_("mentions"))]
    return (
        f'<details><summary class="e-sub">{words}</summary><div class="e-scroll e-days"><table class="e-table"><thead>'
        f'<tr><th>{names[0]}</th><th class="n">{names[1]}</th>{heads}</tr></thead><tbody>{"".join(rows)}</tbody>'
        "</table></div></details>"
    )


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
