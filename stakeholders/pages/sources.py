"""Show how each source is, in plain words, and what could not be read; "not connected" is never a zero."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby

import streamlit as st

from listener.failure import worded
from listener.health import STATES, Health, Quarantined, read_cycle_error, read_health, read_quarantine
from listener.reason import N_
from sentiment.refusal import refusal
from stakeholders.pages import marks
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["show"]

_LOOKS = {
    "connected": ("good", "●"), "late": ("slow", "◐"), "failed": ("bad", "✕"), "waiting": ("slow", "◔"),
    "not connected": ("off", "○"), "never asked": ("off", "◌"),
}  # fmt: skip
_OUTCOMES = {
    "limited": N_("The platform asked to wait; it will be asked again by itself."),
    "not allowed": N_("The key is wrong, has expired, or the plan is too small. Renew it and restart."),
    "unreachable": N_("The platform does not answer. It is tried again by itself."),
    "unreadable": N_("What came is not what the platform promises. Nothing of it was counted."),
    "refused": N_("The address is not on the list of hosts that Escucha may reach ([egress] in config.toml)."),
}
_LIMIT = 100


def show(scene: Scene) -> None:
    """Draw the page of the sources."""
    now = scene.now
    refused = refusal(scene.config.settings.sentiment, scene.config.folder)
    with scene.store.read() as connection:
        found = read_health(connection, scene.config, now)
        aside = read_quarantine(connection, _LIMIT)
        stuck = read_cycle_error(connection)
    well = marks.number(scene, sum(one.state == "connected" for one in found))
    line = escape(scene.t(N_("{well} of {all} connected"), well=well, all=marks.number(scene, len(found))))
    st.html(marks.head(scene.t(N_("Sources")), line))
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
    st.html(f'<div class="e-grid">{"".join(_card(scene, one, now) for one in found)}</div>')
    _show_quarantine(scene, aside, sum(one.quarantined for one in found))


def _card(scene: Scene, one: Health, now: datetime) -> str:
    style, shape = _LOOKS.get(one.state, ("off", "○"))
    word = escape(scene.t(STATES[one.state]))
    state = f'<span class="e-state {style}"><span aria-hidden="true">{shape}</span> {word}</span>'
    facts: list[tuple[str, str]] = []
    if one.state == "not connected":
        words = scene.t(
            N_("Not asked: enabled = false in config.toml. It brings no posts, which is not the same as none.")
        )
        return _body(one, state, [], f'<p class="e-sub">{escape(words)}</p>')
    posts = marks.number(scene, one.posts_24h)
    if one.posts_24h is None:
        posts = escape(scene.t(N_("not known")))
    facts.append((scene.t(N_("Posts, last 24 h")), f"<b>{posts}</b>"))
    if one.posts_total is not None:
        facts.append((scene.t(N_("Posts in all")), marks.number(scene, one.posts_total)))
    last = marks.ago(scene, one.last_ok, now) if one.last_ok else escape(scene.t(N_("never")))
    facts.append((scene.t(N_("Last answer")), last))
    facts.append((scene.t(N_("Next")), _next(scene, one, now)))
    if one.quarantined:
        facts.append((scene.t(N_("Set aside")), marks.number(scene, one.quarantined)))
    more = ""
    if one.state in ("failed", "waiting"):
        known = _OUTCOMES.get(one.last_outcome or "", N_("The last poll failed. It is tried again by itself."))
        more = f'<p class="e-sub">{escape(scene.t(known))}</p>'
        if one.error:
            more += f'<div class="e-raw">{escape(worded(one.error, scene.lang)[:600])}</div>'
    return _body(one, state, facts, more)


def _body(one: Health, state: str, facts: list[tuple[str, str]], more: str) -> str:
    kind = f' <span class="e-muted">{escape(one.kind)}</span>' if one.kind != one.source else ""
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in facts)
    shown = f'<dl class="e-facts">{lines}</dl>' if lines else ""
    top = f'<div class="e-top"><span><b>{escape(one.source)}</b>{kind}</span>{state}</div>'
    return f'<div class="e-card">{top}{shown}{more}</div>'


def _next(scene: Scene, one: Health, now: datetime) -> str:
    every = scene.t(N_("every {span}"), span=marks.span(scene, one.every))
    if one.next_due is None:
        return escape(every)
    if one.next_due <= now:
        return escape(scene.t(N_("due now")) + " · " + every)
    return escape(scene.t(N_("in {span}"), span=marks.span(scene, one.next_due - now)) + " · " + every)


def _show_quarantine(scene: Scene, aside: list[Quarantined], total: int) -> None:
    title = f'<h2 class="e-h2">{escape(scene.t(N_("Set aside: what could not be read")))}</h2>'
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
