"""Show the pulse: how much is said by day, in what mood, by whom, beside the competitors; with honest counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from functools import partial

import streamlit as st
from sqlalchemy import Connection

from listener.reason import N_
from listener.taxonomy import SENTIMENTS
from stakeholders import insight
from stakeholders.change import growth
from stakeholders.pages import charts, figures, heat, marks, rises, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.span import Span, show_head
from stakeholders.pages.text import escape
from stakeholders.pages.theme import INKS
from stakeholders.postlist import Wanted
from stakeholders.spike import spikes

__all__ = ["show"]

_BY_WEEK = 45  # days: beyond, lines of single days hide what changes


def show(scene: Scene) -> None:
    """Draw the page of the pulse for the period and the brand that the address names."""
    span, pivot = Span.of_address(scene), heat.Pivot.of_address()
    period, brand, now = span.period, span.brand, span.now
    st.html(figures.sheet())
    show_head(scene, "pulse", N_("Pulse"), span, pivot.query())
    names = {one.key: one.name for one in scene.config.brands}
    with scene.store.read() as connection:
        days = insight.volume_by_day(connection, period, list(names))
        shares = insight.shares(connection, period, scene.config.brands)
        nets = {key: insight.net_sentiment(connection, period, key) for key in names}
        counts = insight.case_counts(connection, period, brand.key, now)
        honest = insight.honest_counts(connection, period, brand.key, now)
        earlier = _earlier(connection, scene, span)
        unusual = insight.unusual_days(connection, period, brand.key)
        rose = rises.together(spikes(connection, period, brand.key))
        tested = rises.tested(connection, scene.config, now, brand.key)
        table = heat.draw(scene, connection, span, pivot)
    if not honest.mentions and not any(one.mentions for one in shares):
        why = scene.t(
            N_("No mention was published in this period. Look at the sources to see whether they were heard.")
        )
        more = f"<p>{wire.link('sources', scene.query(), escape(scene.t(N_('Sources'))))}</p>"
        st.html(marks.empty(scene.t(N_("Nothing was heard yet")), why, more))
        return
    st.html(figures.strip(scene, honest, nets[brand.key], shares, counts, brand.key, earlier))
    inks = INKS["dark" if st.context.theme.type == "dark" else "light"]
    mine = [one for one in days if one.brand == brand.key]
    formats = _formats(scene, mine, now)
    words: dict[str, str] = {name: scene.t("{name}", name=name) for name in SENTIMENTS}
    legend = " ".join(marks.mood(scene, name) for name in SENTIMENTS)
    title = scene.t(N_("Mentions of {quote_brand} by day"), quote_brand=brand.name)
    st.html(f'<div class="e-top e-wrap"><h2 class="e-h2">{escape(title)}</h2><span class="e-by">{legend}</span></div>')
    signs = {one.day: str(place) for place, one in enumerate(unusual, start=1)}
    unknown = scene.t(N_("not heard: unknown, not zero"))
    posts = partial(_posts, scene)
    st.altair_chart(
        charts.daily_polarity(
            mine, words, inks, signs, unknown, formats, rises.letters(scene, rose),
            lambda day, mood: posts(day, day, brand.key, mood),
        ),
        theme=None,
        alt=title,
    )  # fmt: skip
    st.html(figures.days(scene, mine, lambda one, mood: _link(scene, one, mood)))
    if rose or tested is not None:
        st.html(rises.causes(scene, rose, tested))
    if unusual:
        st.html(figures.causes(scene, unusual))
    _show_rivals(scene, span, days, names, shares, nets, inks, formats, posts)
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


def _link(scene: Scene, one: insight.DayCount, mood: str | None) -> str:
    number = one.mentions if mood is None else getattr(one, mood)
    wanted = Wanted(one.day, one.day, one.brand, sentiment=mood)
    return wire.link("posts", scene.query(wanted.to_query()), marks.number(scene, number))


def _show_rivals(
    scene: Scene,
    span: Span,
    days: Sequence[insight.DayCount],
    names: Mapping[str, str],
    shares: Sequence[insight.Share],
    nets: Mapping[str, insight.Net | None],
    inks: Mapping[str, str],
    formats: Mapping[str, str],
    posts: Callable[[date, date, str], str],
) -> None:
    if len(names) < 2:
        return
    left, right = st.columns([3, 2], gap="large")
    title = scene.t(N_("Our brand beside the competitors"))
    length = 1
    with left:
        st.html(f'<h2 class="e-h2">{escape(title)}</h2>')
        if len(span.period.days) > _BY_WEEK:
            words = scene.t(N_("sums of seven days; a stretch not wholly heard is left open"))
            st.html(f'<p class="e-sub">{escape(words)}</p>')
            days, length = charts.by_sevens(days), 7
        chart = charts.daily_voices(
            days, names, span.brand.key, inks, formats, lambda day, key: posts(charts.first_of(day, length), day, key)
        )
        st.altair_chart(chart, theme=None, alt=title)
    with right:
        st.html(figures.share_of_voice(scene, shares, nets, len(span.period.days)))


def _formats(scene: Scene, days: Sequence[insight.DayCount], now: datetime) -> dict[str, str]:
    """Word every day, the running one as such, and the names in the charts' notes, in the reader's language."""
    told = {
        one.day.isoformat(): marks.day(scene, datetime.combine(one.day, time(12), scene.config.zone)).replace("'", "’")
        for one in days
    }
    today = now.astimezone(scene.config.zone).date().isoformat()
    if today in told:
        told[today] = scene.t(N_("today"))
    return told | {
        "day": scene.t(N_("day")),
        "mentions": scene.t(N_("mentions")),
        "all": scene.t(N_("mentions that day")),
    }
