"""Draw two weeks of a source as a strip: what it brought each day, and the stretches in which it was not heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

from listener.reason import N_
from stakeholders.counting.hearing import Gap, why
from stakeholders.counting.period import Period, midnight
from stakeholders.pages import marks
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["axis", "draw", "legend", "list_gaps", "tell"]

_LEAST = 7  # percent of the height: a single post must be seen


def draw(scene: Scene, found: Sequence[Gap], brought: Mapping[date, int], period: Period, now: datetime) -> str:
    """Draw the strip of a source over the days of a period; in words for those who do not see it."""
    most = max(brought.values(), default=0)
    bars = []
    for day in period.days:
        begins = midnight(day.date, period.zone)
        number = brought.get(day.date, 0)
        height = max(_LEAST, round(100 * number / most)) if number else 0
        words = f"{_day(scene, day.date)}: {marks.number(scene, number)}"
        if begins > now or (
            not number and _covered(found, begins, midnight(day.date + timedelta(days=1), period.zone))
        ):
            bars.append("<i></i>")
        else:
            bars.append(f'<i title="{escape(words)}"><b style="height:{height}%"></b></i>')
    marked = "".join(_mark(scene, gap, period) for gap in found)
    words = tell(scene, found, brought)
    return f'<span class="e-strip" role="img" aria-label="{escape(words)}">{"".join(bars)}{marked}</span>'


def _covered(found: Sequence[Gap], begins: datetime, ends: datetime) -> bool:
    """Tell whether nobody listened in at least half of a day that brought nothing: then its zero is none."""
    missed = sum(
        (min(gap.end, ends) - max(gap.start, begins) for gap in found if gap.start < ends and gap.end > begins),
        timedelta(),
    )
    return missed * 2 >= ends - begins


def _mark(scene: Scene, gap: Gap, period: Period) -> str:
    length = period.end - period.start
    left = 100 * max(0.0, (gap.start - period.start) / length)
    width = max(100 * ((gap.end - max(gap.start, period.start)) / length), 0.6)
    style = "gap lost" if gap.lost else "gap"
    words = f"{_stretch(scene, gap)}: {why(gap, scene.lang)}"
    return f'<u class="{style}" style="left:{left:.2f}%;width:{width:.2f}%" title="{escape(words)}"></u>'


def tell(scene: Scene, found: Sequence[Gap], brought: Mapping[date, int]) -> str:
    """Say in words what the strip shows."""
    told = [scene.t(N_("Last 14 days: {n} new posts"), n=marks.number(scene, sum(brought.values())))]
    if found:
        missed = sum((gap.end - gap.start for gap in found), timedelta())
        told.append(scene.t(N_("not heard for {span} in all"), span=marks.span(scene, missed)))
        told += [f"{_stretch(scene, gap)}: {why(gap, scene.lang)}" for gap in found[:6]]
    elif brought:
        told.append(scene.t(N_("heard all the time")))
    return "; ".join(told)


def list_gaps(scene: Scene, found: Sequence[Gap], limit: int = 8) -> str:
    """List the stretches in which a source was not heard, the last first, with why."""
    lines = "".join(
        f"<li>{escape(_stretch(scene, gap))}: {escape(why(gap, scene.lang))}"
        f"{' · <b>' + escape(scene.t(N_('lost for good'))) + '</b>' if gap.lost else ''}</li>"
        for gap in sorted(found, key=lambda gap: gap.start, reverse=True)[:limit]
    )
    more = ""
    if len(found) > limit:
        more = f"<li>{escape(scene.t(N_('and {n} more'), n=marks.number(scene, len(found) - limit)))}</li>"
    return f'<ul class="e-why">{lines}{more}</ul>' if lines else ""


def _stretch(scene: Scene, gap: Gap) -> str:
    return (
        f"{marks.moment(scene, gap.start)} – {marks.moment(scene, gap.end)} ({marks.span(scene, gap.end - gap.start)})"
    )


def _day(scene: Scene, day: date) -> str:
    return marks.day(scene, datetime.combine(day, time(12), scene.config.zone))


def axis(scene: Scene, period: Period) -> str:
    """Write the days above the strips: the first, the middle one, today."""
    days = period.days
    words = (_day(scene, days[0].date), _day(scene, days[len(days) // 2].date), scene.t(N_("today")))
    ticks = "".join(f"<span>{escape(word)}</span>" for word in words)
    return (
        f'<div class="e-axis" aria-hidden="true"><span></span><span class="ticks">{ticks}</span>'
        f"<span>{escape(scene.t(N_('last 24 h')))}</span><span>{escape(scene.t(N_('last new post')))}</span>"
        f"<span>{escape(scene.t(N_('last answer')))}</span></div>"
    )


def legend(scene: Scene) -> str:
    """Say what the marks of the strips mean."""
    parts = (
        ("bar", N_("new posts a day, each source on its own scale")),
        ("gap", N_("not heard: unknown, not zero")),
        ("gap lost", N_("lost for good: past the platform's reach")),
    )
    marked = "".join(
        f'<span><u class="{style}" aria-hidden="true"></u> {escape(scene.t(words))}</span>' for style, words in parts
    )
    return f'<p class="e-sub e-legend">{marked}</p>'
