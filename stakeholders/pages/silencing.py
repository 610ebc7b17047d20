"""Show silences with who asked and why; start one after a look at what it would mute; end one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from listener.reason import N_, reason
from listener.tables.alerting import Matchers
from listener.taxonomy import DEPARTMENTS, STAKEHOLDERS
from stakeholders.outbox.silences import Silence, add_silence, end_silence, preview_silence, read_silences
from stakeholders.pages import marks
from stakeholders.pages.moves import take
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["show_silences"]

_HOURS = (1, 2, 4, 8, 24, 72)
_NAMES = {
    "kind": N_("kind"),
    "department": N_("department"),
    "brand": N_("brand"),
    "stakeholder": N_("who speaks"),
    "priority": N_("priority"),
    "source": N_("source"),
    "rule": N_("rule"),
    "intent": N_("what they want"),
    "dimension": N_("theme"),
    "query": N_("query"),
    "legal": N_("also regulators and legal clocks"),
}
_FIELDS = ("brand", "department", "stakeholder", "source")


def show_silences(scene: Scene, now: datetime) -> None:
    """Draw the list with a button to end each, and the sheet that starts another."""
    with scene.store.read() as connection:
        found = read_silences(connection, now)
    if not found:
        words = scene.t(N_("Nothing is silenced: every alert goes out as the departments ask for it."))
        st.html(f'<p class="e-sub">{escape(words)}</p>')
    for one in found:
        row = st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"silence-{one.id}")
        row.html(_row(scene, one, now), width="stretch")
        row.button(
            scene.t(N_("End it now")), key=f"silence-end-{one.id}", on_click=take, args=(scene, _ending(scene, one.id))
        )
    with st.popover(scene.t(N_("Silence for a while")), icon=":material/notifications_paused:"):
        _show_new(scene, now)


def _row(scene: Scene, one: Silence, now: datetime) -> str:
    """Write one silence: what, why, who, from when until when."""
    state = scene.t(N_("silent now")) if one.active(now) else scene.t(N_("to come"))
    span = scene.t(
        N_("{start} to {end}"), start=marks.moment(scene, one.starts_at), end=marks.moment(scene, one.ends_at)
    )
    style = "slow" if one.active(now) else "off"
    return (
        f'<div class="e-card e-silence"><div class="e-top"><span>{_matchers(scene, one.matchers.told())}</span>'
        f'<span class="e-state {style}">{escape(state)}</span></div>'
        f'<div class="e-by"><bdi>{escape(one.why)}</bdi><span>· <bdi>{escape(one.author)}</bdi></span>'
        f"<span>· {escape(span)}</span></div></div>"
    )


def _matchers(scene: Scene, told: Mapping[str, Any]) -> str:
    parts = []
    for name, value in told.items():
        values: Sequence[object] = value if isinstance(value, list) else [value]
        words = ", ".join(_value(scene, name, one) for one in values)
        key = escape(scene.t(_NAMES.get(name, "{name}"), name=name))
        parts.append(f'<span class="e-muted">{key}</span> <b>{escape(words)}</b>')
    return " · ".join(parts)


def _value(scene: Scene, name: str, value: object) -> str:
    if name == "brand":
        return scene.brand(str(value))
    if name == "source":
        return scene.source(str(value))
    if name == "query":
        return f"«{value}»"
    return scene.t(N_("yes")) if value is True else scene.t("{name}", name=str(value))


def _ending(scene: Scene, number: int) -> Any:
    def end(connection: Connection, now: datetime) -> object:
        done = end_silence(connection, number, scene.who, now)
        sentence = N_("Silence {number} has ended; what it muted and nobody has seen to is told.")
        st.session_state["told"] = "", reason(sentence, number=number)
        return done

    return end


def _show_new(scene: Scene, now: datetime) -> None:
    settings = scene.config.settings
    offered: dict[str, tuple[str, Sequence[str]]] = {
        "brand": (scene.t(N_("Brand")), [brand.key for brand in scene.config.brands]),
        "department": (scene.t(N_("Department")), DEPARTMENTS),
        "stakeholder": (scene.t(N_("Who speaks")), STAKEHOLDERS),
        "source": (scene.t(N_("Source")), list(settings.sources)),
    }
    labels = {name: words for name, (words, _) in offered.items()}
    for name in _FIELDS:
        st.multiselect(
            labels[name],
            offered[name][1],
            key=f"silence-{name}",
            format_func=partial(_value, scene, name),
            placeholder=scene.t(N_("any")),
        )
    st.text_input(scene.t(N_("Posts that fit this query")), key="silence-query", max_chars=400)
    longest = int(settings.alerts.longest_silence.total_seconds() // 3600)
    hours = st.segmented_control(
        scene.t(N_("For how long")),
        [one for one in _HOURS if one <= longest] or [longest],
        default=2 if longest >= 2 else longest,
        format_func=lambda number: marks.span(scene, timedelta(hours=number)),
        key="silence-hours",
        required=True,
    )
    st.text_input(scene.t(N_("Why? Whoever looks for an alert reads it")), key="silence-why", max_chars=400)
    given = {name: list(st.session_state.get(f"silence-{name}") or ()) for name in _FIELDS}
    query = str(st.session_state.get("silence-query") or "").strip() or None
    matchers = Matchers.model_validate({name: value for name, value in given.items() if value} | {"query": query})
    if matchers.told():
        st.html(f'<p class="e-sub">{escape(_meaning(scene, matchers, now))}</p>')

    def start(connection: Connection, now: datetime) -> object:
        why, ends = str(st.session_state.get("silence-why") or ""), now + timedelta(hours=int(hours or 1))
        made = add_silence(connection, scene.config, scene.who, why, matchers, now, ends, now)
        for name in (*_FIELDS, "query", "why"):
            st.session_state.pop(f"silence-{name}", None)
        return made

    st.button(
        scene.t(N_("Start the silence")),
        key="silence-start",
        type="primary",
        on_click=take,
        args=(scene, start),
        disabled=not matchers.told(),
    )


def _meaning(scene: Scene, matchers: Matchers, now: datetime) -> str:
    """Say what a silence would mean before it begins."""
    from listener.tables.alertcheck import check_matchers

    if list(check_matchers(matchers, "silence", scene.config.settings, "matchers")):
        return scene.t(N_("This query cannot be read."))
    with scene.store.read() as connection:
        seen = preview_silence(connection, matchers, now)
    words = [
        marks.count(scene, len(seen.cases), N_("1 open case is like this."), N_("{n} open cases are like this.")),
        scene.t(
            N_("Messages of the last {days} days that it would have muted: {count}."),
            days=seen.days,
            count=marks.number(scene, seen.told),
        ),
    ]
    if seen.spared:
        sentence = N_("{n} of them stay loud: a regulator speaks or a legal clock runs.")
        words.append(scene.t(sentence, n=marks.number(scene, seen.spared)))
    return " ".join(words)
