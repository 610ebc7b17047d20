"""Write the figures of the pulse as HTML: strip of totals, days as a table, brands beside each other, honest counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

from listener.reason import N_
from listener.taxonomy import SENTIMENTS
from stakeholders.counting.bodies import Body
from stakeholders.counting.change import Direction, Growth, direction
from stakeholders.insight import CaseCounts, DayCount, Honest, Net, Share
from stakeholders.pages import marks
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["Earlier", "balance", "days", "honesty", "rivals", "sheet", "stack", "strip", "turn"]

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
    posts: str,
) -> str:
    """Write the figures that a director asks for first, each with its interval and the period before.

    `posts` is the address of the list of all that is counted.
    """
    mine = next((one for one in shares if one.brand == brand), None)
    told, then = earlier.growth.direction, earlier.share
    heard = earlier.growth.mentions_before is not None
    parts = [
        (
            N_("mentions"),
            _open(posts, marks.number(scene, honest.relevant)),
            _rate(scene, earlier.growth),
            _before(scene, marks.number(scene, earlier.growth.mentions_before), told),
        ),
        (
            N_("net sentiment"),
            _bold(marks.signed(net.net) if net else "—"),
            _range(marks.signed(net.low), marks.signed(net.high)) if net else "",
            _before(scene, marks.signed(earlier.net.net) if earlier.net else None, direction(net, earlier.net)),
        ),
        (
            N_("share of voice"),
            _bold(marks.percent(scene, mine.share) if mine else "—"),
            _range(marks.percent(scene, mine.low), marks.percent(scene, mine.high))
            if mine and mine.share is not None
            else "",
            _before(scene, marks.percent(scene, then.share) if then and then.mentions else None, direction(mine, then)),
        ),
        (
            N_("cases opened"),
            _bold(marks.number(scene, counts.opened)),
            scene.t(N_("{n} answered in time"), n=marks.number(scene, counts.answered_in_time))
            if counts.answered
            else "",
            _before(scene, marks.number(scene, earlier.opened) if heard else None, None),
        ),
        (
            N_("still to answer"),
            _bold(marks.number(scene, counts.open)),
            scene.t(N_("{n} overdue"), n=marks.number(scene, counts.overdue)) if counts.overdue else "",
            "",
        ),
    ]
    boxes = "".join(
        f'<div><span class="what">{escape(scene.t(words))}</span>{figure}<span>{escape(more)}</span>{last}</div>'
        for words, figure, more, last in parts
    )
    return f'<div class="e-figures e-first">{boxes}</div>'


def _bold(figure: str) -> str:
    return f"<b>{escape(figure)}</b>"


def _open(address: str, figure: str) -> str:
    return f'<a href="{escape(address)}" target="_self" data-go="1">{_bold(figure)}</a>'


def _range(low: str, high: str) -> str:
    return f"{low} … {high}"


def _rate(scene: Scene, told: Growth) -> str:
    """Say by how much a day's volume changed, as an interval, whether it is measurable or not."""
    if told.low is None or told.high is None:
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


def rivals(
    scene: Scene,
    shares: Sequence[Share],
    nets: Mapping[str, Net | None],
    days: int,
    posts: Callable[[str], str],
) -> str:
    """Write each brand with its mentions, share of voice and net sentiment, both with their 95 % intervals.

    `posts` gives the address of all that is counted of a brand.
    """
    lines = []
    for one in shares:
        name = escape(scene.brand(one.brand))
        name = f"<b>{name}</b>" if one.kind == "own" else name
        told, share_bar, share = _open(posts(one.brand), marks.number(scene, one.mentions)), "", "—"
        if one.share is not None and one.low is not None and one.high is not None:
            share_bar = (
                f'<span class="e-track {escape(one.kind)}" aria-hidden="true">'
                f'<span class="fill" style="width:{one.share:.1%}"></span>'
                f'<span class="range" style="left:{one.low:.1%};width:{one.high - one.low:.1%}"></span></span>'
            )
            far = _range(marks.percent(scene, one.low), marks.percent(scene, one.high))
            share = f'<b>{escape(marks.percent(scene, one.share))}</b> <span class="far">{escape(far)}</span>'
        net, mood = nets.get(one.brand), "—"
        if net is not None:
            far = _range(marks.signed(net.low), marks.signed(net.high))
            mood = f'<b>{escape(marks.signed(net.net))}</b> <span class="far">{escape(far)}</span>'
        lines.append(
            f'<tr><th scope="row">{name}</th><td class="n">{told}</td><td class="track">{share_bar}</td>'
            f'<td>{share}</td><td class="track">{balance(net)}</td><td>{mood}</td></tr>'
        )
    heads = [escape(scene.t(words)) for words in (N_("mentions"), N_("share of voice"), N_("net sentiment"))]
    foot = scene.t(
        N_("The line is the 95 % interval. {n} mentions in {days} days."),
        n=marks.number(scene, sum(one.mentions for one in shares)),
        days=days,
    )
    return (
        f'<div class="e-scroll"><table class="e-table e-rivals"><thead><tr><td></td><th class="n">{heads[0]}</th>'
        f'<td class="track"></td>'
        f'<th>{heads[1]}</th><td class="track"></td><th>{heads[2]}</th></tr></thead><tbody>{"".join(lines)}</tbody>'
        f'</table></div><p class="e-sub">{escape(foot)}</p>'
    )


def balance(net: Net | None) -> str:
    """Draw net sentiment as a point on −100 to +100 % with its interval; the figures stand beside it in words."""
    if net is None:
        return ""
    left, width = (net.low + 1) / 2, (net.high - net.low) / 2
    # The point is coloured only where the whole interval lies on one side; elsewhere chance may explain it.
    side = "negative" if net.high < 0 else "positive" if net.low > 0 else "neutral"
    return (
        '<span class="e-track e-balance" aria-hidden="true"><span class="zero"></span>'
        f'<span class="range" style="left:{left:.1%};width:{width:.1%}"></span>'
        f'<span class="dot {side}" style="left:{(net.net + 1) / 2:.1%}"></span></span>'
    )


def stack(one: Body) -> str:
    """Draw the moods of what a body said as parts of one bar; the words stand beside it for who does not see it."""
    total = one.mentions or 1
    parts = "".join(
        f'<span class="{mood}" style="width:{getattr(one, mood) / total:.1%}"></span>' for mood in SENTIMENTS
    )
    return f'<span class="e-stack" aria-hidden="true">{parts}</span>'


def honesty(scene: Scene, honest: Honest) -> str:
    """Say what the figures stand on: what is in, what is out, and what is missing."""
    lines = [
        (N_("posts collected, whoever they name"), honest.collected),
        (N_("posts that name the brand"), honest.mentions),
        (N_("about the brand: what is counted above"), honest.relevant),
        (N_("left out: not about the brand"), honest.excluded),
        (N_("waiting to be judged"), honest.waiting),
        (N_("counted, but the polarity is unsure"), honest.unsure),
        (N_("texts first said then: copies and reposts do not count"), honest.texts),
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
    return f'<h2 class="e-h2">{title}</h2><div class="e-card"><dl class="e-facts two e-counts">{facts}</dl>{more}</div>'
