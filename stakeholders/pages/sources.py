"""Show how each source is, in plain words, and what could not be read; "not connected" is never a zero."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import streamlit as st

from listener.failure import worded
from listener.health import Health, Quarantined, read_cycle_error, read_health, read_quarantine
from listener.reason import N_
from sentiment.refusal import refusal
from stakeholders.counting.hearing import gaps, new_by_day
from stakeholders.counting.period import last_days
from stakeholders.pages import marks, strip
from stakeholders.pages.scene import Scene
from stakeholders.pages.source import row
from stakeholders.pages.text import escape

__all__ = ["show"]

_LIMIT = 100
_TROUBLED = ("failed", "stopped", "not installed", "silent", "late")  # the worst first
_DAYS = 14


def show(scene: Scene) -> None:
    """Draw the page of the sources."""
    now = scene.now
    refused = refusal(scene.config.settings.sentiment, scene.config.folder)
    period = last_days(_DAYS, now, scene.config.zone)
    with scene.store.read() as connection:
        found = read_health(connection, scene.config, now)
        aside = read_quarantine(connection, _LIMIT)
        stuck = read_cycle_error(connection)
        missed = gaps(connection, period, now)
        brought = new_by_day(connection, period)
    troubled = sorted((one for one in found if one.state in _TROUBLED), key=lambda one: _TROUBLED.index(one.state))
    listening = [one for one in found if one.state in ("connected", "waiting", "never asked")]
    apart = [one for one in found if one.state == "not connected"]
    st.html(marks.head(scene.t(N_("Sources")), _line(scene, found, troubled)))
    if refused:
        words = N_("The model that config.toml names is not in use, the one that ships with Escucha judges: {quote}.")
        st.html(marks.note(scene.t(words, quote=worded(refused, scene.lang)), "bad"))
    if not found:
        words = scene.t(N_("Add a table [sources.rss] to config.toml, or write a new file with: escucha init"))
        st.html(marks.empty(scene.t(N_("No source is configured")), words))
        return
    if stuck:
        words = N_("What was collected is not being judged, routed or sent: {quote}. It is tried again by itself.")
        st.html(marks.note(scene.t(words, quote=worded(stuck, scene.lang)), "bad"))

    def rows(some: Sequence[Health]) -> str:
        drawn = []
        for one in some:
            own = [gap for gap in missed if gap.source == one.source]
            drawn.append(row(scene, one, own, brought.get(one.source, {}), period, now))
        return f'<div class="e-list e-sources">{"".join(drawn)}</div>'

    axis = strip.axis(scene, period)
    if troubled:
        st.html(_title(scene.t(N_("Need attention"))) + axis + rows(troubled))
    if listening:
        title = scene.t(N_("Listening") if troubled else N_("All that is connected works"))
        st.html(_title(title) + ("" if troubled else axis) + rows(listening))
    if troubled or listening:
        st.html(strip.legend(scene))
    if apart:
        st.html(_show_apart(scene, apart))
    _show_quarantine(scene, aside, sum(one.quarantined for one in found))


def _title(words: str) -> str:
    return f'<h2 class="e-h2">{escape(words)}</h2>'


def _line(scene: Scene, found: Sequence[Health], troubled: Sequence[Health]) -> str:
    well = marks.number(scene, sum(one.state == "connected" for one in found))
    parts = [escape(scene.t(N_("{well} of {all} connected"), well=well, all=marks.number(scene, len(found))))]
    if troubled:
        words = marks.count(scene, len(troubled), N_("1 needs attention"), N_("{n} need attention"))
        parts.append(f'<span class="late"><b>{escape(words)}</b></span>')
    return " · ".join(parts)


def _show_apart(scene: Scene, apart: Sequence[Health]) -> str:
    words = scene.t(N_("Not asked: enabled = false in config.toml. It brings no posts, which is not the same as none."))
    lines = "".join(
        f'<li class="e-apart"><span class="e-state off" aria-hidden="true">○</span> <b>{escape(one.source)}</b>'
        f"{_kind(one)}</li>"
        for one in apart
    )
    title = _title(scene.t(N_("Not connected")))
    return f'{title}<p class="e-sub">{escape(words)}</p><ul class="e-aparts">{lines}</ul>'


def _kind(one: Health) -> str:
    return f' <span class="e-muted">{escape(one.kind)}</span>' if one.kind != one.source else ""


def _show_quarantine(scene: Scene, aside: list[Quarantined], total: int) -> None:
    title = _title(scene.t(N_("Set aside: what could not be read")))
    if not aside:
        words = scene.t(N_("Nothing was set aside: every line and every entry could be read."))
        st.html(title + f'<p class="e-sub">{escape(words)}</p>')
        return
    words = scene.t(
        N_("The rest of each page went on. Shown: {shown} of {total}."),
        shown=marks.number(scene, len(aside)),
        total=marks.number(scene, max(total, len(aside))),
    )
    lists = []
    for source, group in groupby(sorted(aside, key=lambda one: one.source), key=lambda one: one.source):
        lines = "".join(_aside(scene, one) for one in group)
        lists.append(f'<p class="e-sub">{escape(source)}</p><div class="e-list">{lines}</div>')
    st.html(title + f'<p class="e-sub">{escape(words)}</p>' + "".join(lists))


def _aside(scene: Scene, one: Quarantined) -> str:
    return (
        f"<details><summary><b>{escape(one.position)}</b> · {escape(worded(one.reason, scene.lang)[:300])} "
        f'<span class="e-muted">· {marks.clock(scene, one.at)}</span></summary>'
        f'<div class="e-raw"><bdi>{escape(one.body[:4000])}</bdi></div></details>'
    )
