"""Tell others that a case is open here, and the reader who else has it open; and that it was seen."""

from __future__ import annotations

from datetime import datetime, timedelta

import streamlit as st

from listener.reason import N_
from stakeholders.casework.dossier import read_case
from stakeholders.deciding.facts import Case
from stakeholders.lists.attention import look, looking
from stakeholders.pages import wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["show"]

_SIGN = "20s"  # a third of the minute after which nobody is thought to look any more
_ENOUGH = timedelta(seconds=15)  # a sign is younger than the next run by itself


def _tell(scene: Scene, case: Case, now: datetime) -> None:
    """Say that the case is open here, unless it was just said: after each write all pages read anew."""
    sign = scene.who, case.id, case.version
    last, at = st.session_state.get("presence", (None, now))
    if not scene.who or (last == sign and timedelta() <= now - at < _ENOUGH):
        return
    with scene.store.write() as connection:
        if read_case(connection, case.id) is not None:
            look(connection, scene.who, case.id, case.version, now)
    st.session_state["presence"] = sign, now


@st.fragment(run_every=_SIGN)
def show(scene: Scene, case: Case) -> None:
    """Draw who else looks at the case, and say so when it changed since it was drawn; runs again by itself."""
    now = scene.now
    _tell(scene, case, now)
    others, stands = scene.keep(
        ("presence", scene.who, case.id),
        lambda connection: (
            looking(connection, scene.who, [case.id], now).get(case.id, ()),
            read_case(connection, case.id),
        ),
    )
    lines = []
    if others:
        sentence = N_("{quote_who} is looking at this case too")
        if len(others) > 1:
            sentence = N_("{quote_who} are looking at this case too")
        lines.append(f"<bdi>{escape(scene.t(sentence, quote_who=', '.join(others)))}</bdi>")
    if stands is not None and stands.version != case.version:
        words = escape(scene.t(N_("This case changed meanwhile: show it as it is now")))
        query = {name: st.query_params.get_all(name) for name in st.query_params}
        lines.append(wire.link("case", query, f"{words} ↻"))
    if lines:
        st.html(f'<div class="e-note e-here" role="status">{" · ".join(lines)}</div>')
