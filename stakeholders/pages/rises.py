"""Write the spikes of the pulse: what rose, since when, why, the case that it made, and how often the rule is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import streamlit as st
from sqlalchemy import Connection

from listener.config import Config
from listener.reason import N_
from stakeholders.backtest import BackTest, back_test
from stakeholders.outbreak import say_cause
from stakeholders.pages import marks, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape
from stakeholders.spike import Spike

__all__ = ["causes", "letters", "tested", "together"]

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def together(found: Sequence[Spike]) -> list[Spike]:
    """Give one spike for a rise in both measures, the larger, oldest first; the newest 26 at most."""
    kept: dict[object, Spike] = {}
    for one in found:
        same = one.case_id if one.case_id is not None else one.onset
        if same not in kept or one.observed > kept[same].observed:
            kept[same] = one
    return sorted(kept.values(), key=lambda one: one.onset)[-len(_LETTERS) :]


def tested(connection: Connection, config: Config, now: datetime, brand: str) -> BackTest | None:
    """Give the back-test of a brand, made once an hour; None when there is nothing to say yet."""
    if not config.settings.spikes.enabled:
        return None
    known = st.session_state.get("back_test")
    at = (brand, now.replace(minute=0, second=0, microsecond=0))
    if known is None or known[0] != at:
        known = (at, back_test(connection, config, now, brand))
        st.session_state["back_test"] = known
    told: BackTest = known[1]
    return told if told.days >= 14 else None


def letters(scene: Scene, found: Sequence[Spike]) -> dict[date, str]:
    """Give each day on which a spike began its letter, the first one's where a day has several."""
    signs: dict[date, str] = {}
    for letter, one in zip(_LETTERS, found, strict=False):
        signs.setdefault(one.onset.astimezone(scene.config.zone).date(), letter)
    return signs


def causes(scene: Scene, found: Sequence[Spike], told: BackTest | None) -> str:
    """List the lettered spikes with their cause and case, and what the rule did over the brand's own past."""
    lines = []
    for letter, one in zip(_LETTERS, found, strict=False):
        when = marks.clock(scene, one.onset)
        until = marks.clock(scene, one.ended_at) if one.ended_at else f"<b>{escape(scene.t(N_('still on')))}</b>"
        # The words in it are strangers' words: escaped with the rest of the sentence.
        words = escape(say_cause(one.because, scene.lang))
        link = ""
        if one.case_id is not None:
            name = escape(scene.t(N_("Case {count}"), count=one.case_id))
            link = " · " + wire.link("case", scene.query({"id": one.case_id}), name)
        lines.append(f"<li><b>{letter}</b> · {when} – {until} · {words}{link}</li>")
    title = escape(scene.t(N_("Spikes")))
    shown = f'<p class="e-sub">{title}</p><ul class="e-why e-plain">{"".join(lines)}</ul>' if lines else ""
    if told is None or told.at_most is None:
        return shown
    figures = {"alarms": told.alarms, "days": round(told.days), "dismissed": told.dismissed}
    rate = f"{told.at_most:.1f}".replace(".", "." if scene.lang == "en" else ",")
    sentence = N_(
        "Spikes, tried on the last {days} days that were heard. Alarms: {alarms}; false ones a month, at most: "
        "{quote_rate}; dismissed by a person: {dismissed}."
    )
    return f'{shown}<p class="e-sub">{escape(scene.t(sentence, quote_rate=rate, **figures))}</p>'
