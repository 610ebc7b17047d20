"""Correct or confirm a label of a case's post in two keys, or two touches: which label, then what it is in truth."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import streamlit as st
from sqlalchemy import Connection

from listener.reason import N_, reason
from stakeholders.casework.correction import LABELS_OF
from stakeholders.casework.dossier import CaseMention, read_case
from stakeholders.deciding.facts import Case
from stakeholders.pages.card import HEAD_WORDS
from stakeholders.pages.moves import take
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape
from stakeholders.pages.triage import name_keys, script

__all__ = ["HEADS", "connect", "draw_sheets", "mark"]

# The label that stands at place n is opened by the key n; `l` opens the list of all five.
HEADS: tuple[str, ...] = ("sentiment", "stakeholder", "dimension", "intent", "relevant")


def mark(scene: Scene, head: str) -> str:
    """Write the button beside a label that opens its values; its key stands on it."""
    key = HEADS.index(head) + 1
    words = escape(scene.t(N_("Correct or confirm: {label}"), label=scene.t(HEAD_WORDS[head])))
    return (
        f'<button type="button" class="e-mend" data-label="{head}" aria-keyshortcuts="{key}" aria-label="{words}" '
        f'title="{words}"><span aria-hidden="true">✎</span><kbd>{key}</kbd></button>'
    )


def draw_sheets(scene: Scene, one: CaseMention) -> str:
    """Write the sheets of a post's labels: one with all labels, and one for each with its values and their keys."""
    shut = f'<div class="e-buttons"><button type="button" data-shut>{escape(scene.t(N_("Leave it")))}</button></div>'
    title = escape(scene.t(N_("Correct or confirm a label")))
    heads = [head for head in HEADS if _current(one, head) is not None]
    rows = "".join(
        f'<button type="button" data-label="{head}" data-press="{HEADS.index(head) + 1}">'
        f"<kbd>{HEADS.index(head) + 1}</kbd><span>{escape(scene.t(HEAD_WORDS[head]))}</span>"
        f"<b>{escape(_word(scene, _current(one, head) or ''))}</b></button>"
        for head in heads
    )
    opened = f'<h2 class="e-h2">{title}</h2><div class="e-values">{rows}</div>{shut}'
    sheets = f'<dialog class="e-sheet e-labels" id="e-labels" aria-label="{title}">{opened}</dialog>'
    return sheets + "".join(_sheet(scene, one, head, shut) for head in heads)


def _sheet(scene: Scene, one: CaseMention, head: str, shut: str) -> str:
    """Write the values of one label; the one that stands comes first, and choosing it confirms it."""
    current = _current(one, head)
    values = sorted(LABELS_OF[head], key=lambda value: value != current)
    words = [_word(scene, value) for value in values]
    rows = []
    for value, word, key in zip(values, words, name_keys(words), strict=True):
        mine = value == current
        said = escape(scene.t(N_("Right as it is: {label}"), label=word) if mine else word)
        state = ' class="on" autofocus' if mine else ""
        rows.append(
            f'<button type="button"{state} data-head="{head}" data-value="{value}" data-press="{key}">'
            f"<kbd>{key}</kbd><span>{said}</span></button>"
        )
    title = escape(scene.t(N_("In truth, {label} is:"), label=scene.t(HEAD_WORDS[head])))
    told = escape(scene.t(N_("Both values are kept, and the case is sent anew.")))
    return (
        f'<dialog class="e-sheet e-labels" id="e-label-{head}" aria-label="{title}"><h2 class="e-h2">{title}</h2>'
        f'<div class="e-values">{"".join(rows)}</div><p class="e-sub">{told}</p>{shut}</dialog>'
    )


def connect(scene: Scene, case: Case, one: CaseMention | None) -> None:
    """Mount the script that answers the keys of a case and hands over what is chosen; without a post, keys alone."""
    component = st.components.v2.component("escucha.labelling", js=script("labelling.js"))
    data = {"mention": one.mention_id if one is not None else None}
    component(data=data, key="labelling", height=1, on_label_change=lambda: _act(scene, case, one))


def _act(scene: Scene, case: Case, one: CaseMention | None) -> None:
    """Keep what the browser says of a label; what it says is read as a stranger's."""
    told = st.session_state["labelling"].get("label")
    if one is None or not isinstance(told, Mapping) or told.get("mention") != one.mention_id:
        return
    head, value = told.get("head"), told.get("value")
    if not isinstance(head, str) or head not in LABELS_OF or value not in LABELS_OF[head]:
        return
    right = value == _current(one, head)

    def keep(connection: Connection, now: datetime) -> object:
        from stakeholders.casework.correction import confirm
        from stakeholders.desk import Desk

        desk = Desk(scene.config)
        if right:
            done = confirm(desk, connection, one.mention_id, head, scene.who, now)
            st.session_state["told"] = "", reason(N_("Kept: right as it is"))
            return done
        done = desk.correct(connection, one.mention_id, head, str(value), scene.who, now)
        after = read_case(connection, case.id)
        stays = after is None or after.department == case.department
        sentence = N_("Corrected; the case stays with {department}")
        if not stays:
            sentence = N_("Corrected; the case goes to {department}")
        st.session_state["told"] = "", reason(sentence, department=(after or case).department)
        return done

    take(scene, keep)


def _word(scene: Scene, name: str) -> str:
    if name in ("true", "false"):
        return scene.t(N_("yes")) if name == "true" else scene.t(N_("no"))
    return scene.t("{name}", name=name)


def _current(one: CaseMention, head: str) -> str | None:
    if head == "stakeholder":
        return one.decision.speaker.label.name if one.decision is not None else None
    if one.verdict is None:
        return None
    return str(getattr(one.verdict, head).name)
