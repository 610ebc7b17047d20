"""Show the pulse: what the period shows in a sentence, volume and mood by day, competitors beside us, honest counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import streamlit as st
from sqlalchemy import Connection

from listener.reason import N_
from listener.taxonomy import SENTIMENTS
from stakeholders import insight
from stakeholders.counting.change import growth
from stakeholders.lists.postlist import Wanted
from stakeholders.pages import charts, figures, heat, marks, rises, wire
from stakeholders.pages.lead import lead
from stakeholders.pages.scene import Scene
from stakeholders.pages.span import Span, show_head
from stakeholders.pages.text import escape
from stakeholders.pages.theme import INKS
from stakeholders.spikes.spike import spikes

__all__ = ["show"]

_BY_WEEK = 45  # days: beyond, small charts of single days hide what changes
_PANELS = 6  # brands with a chart of their own, the loudest; all of them stand in the table


def show(scene: Scene) -> None:
    """Draw the page of the pulse for the period and the brand that the address names."""
    span, pivot = Span.of_address(scene), heat.Pivot.of_address()
    period, brand, now = span.period, span.brand, span.now
    st.html(figures.sheet())
    show_head(scene, "pulse", N_("Pulse"), span, pivot.query())
    names = {one.key: one.name for one in scene.config.brands}
    (days, shares, nets, counts, honest, earlier, spoke, about, unusual, rose, tested, table) = scene.keep(
        ("pulse", brand.key, period, span.length, span.until, tuple(names), pivot, scene.lang),
        lambda connection: (
            insight.volume_by_day(connection, period, list(names)),
            insight.shares(connection, period, scene.config.brands),
            {key: insight.net_sentiment(connection, period, key) for key in names},
            insight.case_counts(connection, period, brand.key, now),
            insight.honest_counts(connection, period, brand.key, now),
            _earlier(connection, scene, span),
            insight.voices(connection, period, brand.key),
            insight.dimensions(connection, period, brand.key),
            insight.unusual_days(connection, period, brand.key),
            rises.together(spikes(connection, period, brand.key)),
            rises.tested(connection, scene.config, now, brand.key),
            heat.draw(scene, connection, span, pivot),
        ),
    )
    if not honest.mentions and not any(one.mentions for one in shares):
        why = scene.t(
            N_("No mention was published in this period. Look at the sources to see whether they were heard.")
        )
        more = f"<p>{wire.link('sources', scene.query(), escape(scene.t(N_('Sources'))))}</p>"
        st.html(marks.empty(scene.t(N_("Nothing was heard yet")), why, more))
        return
    mine = [one for one in days if one.brand == brand.key]
    own = next((one for one in shares if one.brand == brand.key), None)
    found = rises.peaks(scene, rose, unusual)
    st.html(lead(scene, brand.name, nets[brand.key], own, earlier, spoke, about, mine, found))
    every = _posts(scene, period.first_day, period.last_day, brand.key)
    st.html(figures.strip(scene, honest, nets[brand.key], shares, counts, brand.key, earlier, every))
    look = _look(scene, mine, now)
    _show_days(scene, brand.key, brand.name, mine, look, found)
    if found or tested is not None:
        st.html(rises.causes(scene, found, tested, lambda day, words: _open(scene, day, brand.key, words)))
    if len(names) > 1:
        _show_rivals(scene, span, days, shares, nets, look)
    if table:
        st.html(table)
        more = wire.link("voices", scene.query(span.query()), escape(scene.t(N_("Who speaks, in detail"))) + " →")
        st.html(f'<p class="e-sub">{more}</p>')
    st.html(figures.honesty(scene, honest))


def _earlier(connection: Connection, scene: Scene, span: Span) -> figures.Earlier:
    """Count the period before, up to the same hour."""
    now, then = span.stretches
    brand = span.brand.key
    volumes = [[one.mentions for one in insight.volume_by_day(connection, stretch, [brand])] for stretch in (now, then)]
    shares = insight.shares(connection, then, scene.config.brands)
    return figures.Earlier(
        growth=growth(*volumes),
        net=insight.net_sentiment(connection, then, brand),
        share=next((one for one in shares if one.brand == brand), None),
        opened=insight.case_counts(connection, then, brand, span.now).opened,
    )


def _posts(scene: Scene, since: date, until: date, brand: str, mood: str | None = None) -> str:
    """Give the address of the posts of some days."""
    return wire.address("posts", scene.query(Wanted(since, until, brand, sentiment=mood).to_query()))


def _open(scene: Scene, day: date, brand: str, words: str) -> str:
    """Write a link to the posts of a day around escaped words."""
    return wire.link("posts", scene.query(Wanted(day, day, brand).to_query()), words)


def _count(scene: Scene, one: insight.DayCount, mood: str | None) -> str:
    number = one.mentions if mood is None else getattr(one, mood)
    wanted = Wanted(one.day, one.day, one.brand, sentiment=mood)
    return wire.link("posts", scene.query(wanted.to_query()), marks.number(scene, number))


def _show_days(
    scene: Scene,
    brand: str,
    name: str,
    days: Sequence[insight.DayCount],
    look: charts.Look,
    found: Sequence[rises.Peak],
) -> None:
    """Draw the days of our brand with what stood out, and the same days as a table."""
    legend = " ".join(marks.mood(scene, mood) for mood in SENTIMENTS)
    title = scene.t(N_("Mentions of {quote_brand} by day"), quote_brand=name)
    st.html(f'<div class="e-top e-wrap"><h2 class="e-h2">{escape(title)}</h2><span class="e-by">{legend}</span></div>')
    if not any(one.mentions for one in days):
        st.html(f'<p class="e-muted">{escape(_silence(scene, days))}</p>')
    chart = charts.daily_polarity(
        days, look, lambda day, mood: _posts(scene, day, day, brand, mood), rises.signs(found)
    )
    st.vega_lite_chart(dict(chart), theme=None, alt=title)
    st.html(figures.days(scene, days, lambda one, mood: _count(scene, one, mood)))


def _silence(scene: Scene, days: Sequence[insight.DayCount]) -> str:
    """Say why a chart has no bar: nobody spoke, or nobody listened."""
    if all(one.mentions is None for one in days):
        return scene.t(N_("Not heard on any of these days: unknown, not zero."))
    return scene.t(N_("No mention on the days that were heard."))


def _show_rivals(
    scene: Scene,
    span: Span,
    days: Sequence[insight.DayCount],
    shares: Sequence[insight.Share],
    nets: dict[str, insight.Net | None],
    look: charts.Look,
) -> None:
    """Draw our brand and each competitor side by side on one scale, and their figures with intervals."""
    title = scene.t(N_("Our brand beside the competitors"))
    words, length = scene.t(N_("by day, all on one scale")), 1
    if len(span.period.days) > _BY_WEEK:
        words = scene.t(N_("sums of seven days, all on one scale; a stretch not wholly heard is left open"))
        days, length = charts.by_sevens(days), 7
        look = _look(scene, days, span.now, length)
    said = f'<span class="e-sub">{escape(words)}</span>'
    st.html(f'<div class="e-top e-wrap"><h2 class="e-h2">{escape(title)}</h2>{said}</div>')
    ordered = sorted(shares, key=lambda one: one.brand != span.brand.key)  # ours first, then the loudest
    shown = ordered[:_PANELS]
    series = {one.brand: [day for day in days if day.brand == one.brand] for one in shown}
    top = charts.top_of([day for brand in series.values() for day in brand])
    for place in range(0, len(shown), 3):
        for column, one in zip(st.columns(3, gap="medium"), shown[place : place + 3], strict=False):
            with column:
                _show_panel(scene, one.brand, series[one.brand], top, look, length)
    period = span.period
    st.html(
        figures.rivals(
            scene,
            ordered,
            nets,
            len(period.days),
            lambda brand: _posts(scene, period.first_day, period.last_day, brand),
        )
    )


def _show_panel(
    scene: Scene, brand: str, days: Sequence[insight.DayCount], top: int, look: charts.Look, length: int
) -> None:
    name = scene.brand(brand)
    told = "" if any(one.mentions for one in days) else f'<span class="e-sub">{escape(_silence(scene, days))}</span>'
    st.html(f'<div class="e-panel"><b>{escape(name)}</b> {told}</div>')

    def link(day: date, mood: str | None) -> str:
        return _posts(scene, charts.first_of(day, length), day, brand, mood)

    words = scene.t(N_("Mentions of {quote_brand} by day"), quote_brand=name)
    st.vega_lite_chart(dict(charts.daily_polarity(days, look, link, top=top)), theme=None, alt=words)


def _look(scene: Scene, days: Sequence[insight.DayCount], now: datetime, length: int = 1) -> charts.Look:
    """Word every day, or every stretch that a day ends, and the running one as such, in the reader's language."""
    from babel.numbers import get_group_symbol

    today = now.astimezone(scene.config.zone).date()

    def name(day: date) -> str:
        if day == today:
            return scene.t(N_("today"))
        return marks.day(scene, datetime.combine(day, time(12), scene.config.zone))

    told = {one.day: name(one.day) for one in days}
    if length > 1:
        told = {day: f"{name(day - timedelta(days=length - 1))} – {words}" for day, words in told.items()}
    return charts.Look(
        words={mood: scene.t("{name}", name=mood) for mood in SENTIMENTS},
        inks=INKS["dark" if st.context.theme.type == "dark" else "light"],
        days=told,
        number=lambda number: marks.number(scene, number),
        thousands=get_group_symbol(scene.locale),
        unknown=scene.t(N_("not heard: unknown, not zero")),
        unheard=scene.t(N_("not heard")),
        titles={
            "day": scene.t(N_("day")),
            "mentions": scene.t(N_("mentions")),
            "all": scene.t(N_("mentions that day") if length == 1 else N_("mentions in these days")),
        },
        running=today,
    )
