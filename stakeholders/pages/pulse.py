"""Show the pulse: how much is said by day, in what mood, by whom, beside the competitors; with honest counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time

import streamlit as st

from listener.reason import N_
from listener.taxonomy import SENTIMENTS
from stakeholders import insight
from stakeholders.pages import charts, figures, marks, rises, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape
from stakeholders.pages.theme import INKS
from stakeholders.period import Period, last_days
from stakeholders.spike import spikes

__all__ = ["show"]

_LENGTHS = (7, 30, 90)
_BY_WEEK = 45  # days: beyond, lines of single days hide what changes


def show(scene: Scene) -> None:
    """Draw the page of the pulse for the period and the brand that the address names."""
    now = scene.now
    given = st.query_params.get("days", "")
    length = int(given) if given in map(str, _LENGTHS) else 30
    own = [brand for brand in scene.config.brands if brand.kind == "own"]
    brand = next((one for one in own if one.key == st.query_params.get("brand")), own[0])
    period = last_days(length, now, scene.config.zone)
    _show_head(scene, length, brand.key, [one.key for one in own])
    names = {one.key: one.name for one in scene.config.brands}
    with scene.store.read() as connection:
        days = insight.volume_by_day(connection, period, list(names))
        shares = insight.shares(connection, period, scene.config.brands)
        net = insight.net_sentiment(connection, period, brand.key)
        nets = {key: insight.net_sentiment(connection, period, key) for key in names}
        voices = insight.voices(connection, period, brand.key)
        counts = insight.case_counts(connection, period, brand.key, now)
        honest = insight.honest_counts(connection, period, brand.key, now)
        unusual = insight.unusual_days(connection, period, brand.key)
        rose = rises.together(spikes(connection, period, brand.key))
        tested = rises.tested(connection, scene.config, now, brand.key)
    if not honest.mentions and not any(one.mentions for one in shares):
        why = scene.t(
            N_("No mention was published in this period. Look at the sources to see whether they were heard.")
        )
        more = f"<p>{wire.link('sources', scene.query(), escape(scene.t(N_('Sources'))))}</p>"
        st.html(marks.empty(scene.t(N_("Nothing was heard yet")), why, more))
        return
    st.html(figures.strip(scene, honest, net, shares, counts, brand.key))
    inks = INKS["dark" if st.context.theme.type == "dark" else "light"]
    mine = [one for one in days if one.brand == brand.key]
    formats = _formats(scene, mine)
    words: dict[str, str] = {name: scene.t("{name}", name=name) for name in SENTIMENTS}
    legend = " ".join(marks.mood(scene, name) for name in SENTIMENTS)
    title = scene.t(N_("Mentions of {quote_brand} by day"), quote_brand=brand.name)
    st.html(f'<div class="e-top"><h2 class="e-h2">{escape(title)}</h2><span class="e-by">{legend}</span></div>')
    signs = {one.day: str(place) for place, one in enumerate(unusual, start=1)}
    unknown = scene.t(N_("not heard: unknown, not zero"))
    st.altair_chart(
        charts.daily_polarity(mine, words, inks, signs, unknown, formats, rises.letters(scene, rose)),
        theme=None,
        alt=title,
    )
    if rose or tested is not None:
        st.html(rises.causes(scene, rose, tested))
    if unusual:
        st.html(figures.causes(scene, unusual))
    _show_rivals(scene, period, days, names, brand.key, shares, nets, inks, formats)
    if voices:
        st.html(figures.who_speaks(scene, voices, brand.key))
    st.html(figures.honesty(scene, honest))


def _show_head(scene: Scene, length: int, brand: str, own: Sequence[str]) -> None:
    chips = []
    for days in _LENGTHS:
        query = scene.query({"days": days, "brand": brand if brand != own[0] else None})
        words = escape(scene.t(N_("{n} days"), n=days))
        chips.append(wire.link("pulse", query, words, style="e-chip on" if days == length else "e-chip"))
    for key in own if len(own) > 1 else ():
        query = scene.query({"days": length, "brand": key})
        chips.append(
            wire.link("pulse", query, escape(scene.brand(key)), style="e-chip on" if key == brand else "e-chip")
        )
    line = f'<span class="e-chips">{"".join(chips)}</span>'
    st.html(f'<div class="e-top">{marks.head(scene.t(N_("Pulse")))}{line}</div>')


def _show_rivals(
    scene: Scene,
    period: Period,
    days: Sequence[insight.DayCount],
    names: Mapping[str, str],
    own: str,
    shares: Sequence[insight.Share],
    nets: Mapping[str, insight.Net | None],
    inks: Mapping[str, str],
    formats: Mapping[str, str],
) -> None:
    if len(names) < 2:
        return
    left, right = st.columns([3, 2], gap="large")
    title = scene.t(N_("Our brand beside the competitors"))
    with left:
        st.html(f'<h2 class="e-h2">{escape(title)}</h2>')
        if len(period.days) > _BY_WEEK:
            words = scene.t(N_("sums of seven days; a stretch not wholly heard is left open"))
            st.html(f'<p class="e-sub">{escape(words)}</p>')
            days = charts.by_sevens(days)
        st.altair_chart(charts.daily_voices(days, names, own, inks, formats), theme=None, alt=title)
    with right:
        st.html(figures.share_of_voice(scene, shares, nets, len(period.days)))


def _formats(scene: Scene, days: Sequence[insight.DayCount]) -> dict[str, str]:
    """Word every day and the names in the charts' notes, in the reader's language."""
    told = {
        one.day.isoformat(): marks.day(scene, datetime.combine(one.day, time(12), scene.config.zone)).replace("'", "’")
        for one in days
    }
    return told | {
        "day": scene.t(N_("day")),
        "mentions": scene.t(N_("mentions")),
        "all": scene.t(N_("mentions that day")),
    }
