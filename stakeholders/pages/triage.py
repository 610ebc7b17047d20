"""Work through the inbox: keys, ticked rows, one step for many cases, and half a minute to take it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from listener.reason import N_, Reason, reason
from stakeholders.attention import mark_seen
from stakeholders.batch import STEPS, Batch, BulkStep, take_all, take_back
from stakeholders.mentioning import colleagues
from stakeholders.pages import marks, wire
from stakeholders.pages.moves import until_choices
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape
from stakeholders.sla import hours_of

__all__ = ["connect", "draw_bar", "draw_sheets", "draw_undo", "script", "take_kept"]

_REGRETS = timedelta(seconds=30)  # how long a step can be taken back with one touch
_MOST = 200  # cases of one step; the list shows fewer
_NAMED = 5  # cases that were left alone and are named

_DONE: Mapping[str, tuple[str, str]] = {
    "acknowledge": (N_("1 case seen"), N_("{n} cases seen")),
    "assign": (N_("1 case has its owner"), N_("{n} cases have their owner")),
    "close": (N_("1 case closed"), N_("{n} cases closed")),
    "dismiss": (N_("1 case put away as noise"), N_("{n} cases put away as noise")),
    "snooze": (N_("1 case put off to tomorrow, 9:00"), N_("{n} cases put off to tomorrow, 9:00")),
    "back": (N_("1 case is as it was"), N_("{n} cases are as they were")),
}
_KEYS = (
    ("j k", N_("next and previous case")),
    ("↵ o", N_("open the case")),
    ("r", N_("reply: open at its draft")),
    ("a", N_("I have seen it")),
    ("e", N_("it is mine")),
    ("m", N_("give it to somebody")),
    ("s", N_("snooze until tomorrow, 9:00")),
    ("c", N_("close")),
    ("d", N_("noise")),
    ("x", N_("choose; with Shift and the mouse, all between")),
    ("*", N_("choose all that are shown")),
    ("Esc", N_("choose nothing")),
    ("z", N_("undo")),
    (".", N_("show what is new")),
    ("/", N_("search")),
    ("?", N_("this help")),
)


def connect(scene: Scene) -> None:
    """Mount the script that answers keys and ticks, and takes the steps that it asks for."""
    component = st.components.v2.component("escucha.triage", js=script("triage.js"))
    data = {"who": scene.who, "one": scene.t(N_("1 chosen")), "many": scene.t(N_("{n} chosen"))}
    component(data=data, key="triage", height=1, on_act_change=lambda: _act(scene))


def take_kept() -> bool:
    """Tell whether this run follows a step of the reader, whose rows then stay where they stand; asked once."""
    return bool(st.session_state.pop("inbox-kept", False))


@cache
def script(name: str) -> str:
    """Read a script that stands beside the pages."""
    return Path(__file__).with_name(name).read_text("utf-8")


def _act(scene: Scene) -> None:
    """Take the step that the browser asks for; what it says is read as a stranger's."""
    told = st.session_state["triage"].get("act")
    what = told.get("what") if isinstance(told, Mapping) else None
    if what == "show":
        return
    st.session_state["inbox-kept"] = True
    if not scene.who:
        _say(reason(N_("Say who you are first: the history names who did what")))
    elif what == "undo":
        _undo(scene)
    elif what in STEPS:
        _step(scene, what, told)


def _step(scene: Scene, what: BulkStep, told: Mapping[str, Any]) -> None:
    wanted = _wanted(told.get("cases"))
    if not wanted:
        return
    owner = str(told.get("owner") or "").strip()[:80] or None
    now = scene.now

    def until(department: Any) -> datetime:
        zone = hours_of(scene.config.settings, department).zone
        return until_choices(now, zone)[1][1].astimezone(UTC)

    with scene.store.write() as connection:
        why = str(told.get("why") or "")[:400]
        batch = take_all(connection, what, wanted, scene.who, now, owner=owner, why=why, until=until)
        mark_seen(connection, scene.who, {one.case_id: one.version for one in batch.done}, now)
    st.session_state["inbox-undo"] = {"words": what, "batch": batch, "at": now, "undo": bool(batch.done)}


def _undo(scene: Scene) -> None:
    kept = st.session_state.get("inbox-undo")
    if not kept or not kept.get("undo"):
        return
    now = scene.now
    with scene.store.write() as connection:
        batch = take_back(connection, kept["batch"], scene.who, now)
        mark_seen(connection, scene.who, {one.case_id: one.version for one in batch.done}, now)
    st.session_state["inbox-undo"] = {"words": "back", "batch": batch, "at": now, "undo": False}
    st.session_state["inbox-back"] = True  # what came back is shown where it belongs


def _say(why: Reason) -> None:
    st.session_state["inbox-undo"] = {"why": why, "at": datetime.now(UTC)}


def _wanted(given: Any) -> dict[int, int]:
    if not isinstance(given, Mapping):
        return {}
    found = {}
    for number, version in list(given.items())[:_MOST]:
        good = isinstance(number, str) and number.isascii() and number.isdecimal() and len(number) < 16
        if good and isinstance(version, int) and 0 <= version < 2**31:
            found[int(number)] = version
    return found


def draw_bar(scene: Scene, waiting: int) -> str:
    """Write the line above the rows: what can be done with the chosen ones, and what is new."""

    def button(do: str, words: str, key: str = "") -> str:
        hint = f" <kbd>{key}</kbd>" if key else ""
        return f'<button type="button" data-do="{do}">{escape(scene.t(words))}{hint}</button>'

    steps = (
        button("acknowledge", N_("Seen"), "a")
        + button("assign", N_("To me"), "e")
        + button("ask-give", N_("Give to…"), "m")
        + button("snooze", N_("Tomorrow"), "s")
        + button("close", N_("Close"), "c")
        + button("ask-noise", N_("Noise"), "d")
        + button("none", N_("Choose none"), "Esc")
    )
    every = escape(scene.t(N_("Choose all that are shown")))
    fresh = ""
    if waiting:
        words = escape(marks.count(scene, waiting, N_("1 new · show"), N_("{n} new · show")))
        fresh = f'<button type="button" class="e-fresh" data-do="show">↑ {words}</button>'
    idle = (
        f'<span class="e-idle e-muted"><kbd>j</kbd> <kbd>k</kbd> <kbd>x</kbd> {button("help", N_("Keys"), "?")}</span>'
    )
    tools = escape(scene.t(N_("What to do with the chosen cases")))
    return (
        f'<div class="e-act"><label class="e-tick"><input type="checkbox" data-all aria-label="{every}"></label>'
        f'<div class="e-some" role="toolbar" aria-label="{tools}"><b data-count></b>{steps}</div>'
        f'{idle}<span class="e-new" role="status">{fresh}</span></div>'
    )


def draw_undo(scene: Scene, now: datetime) -> str:
    """Say what was done last and offer to take it back, for half a minute; cases left alone are named."""
    kept = st.session_state.get("inbox-undo")
    left = (kept["at"] + _REGRETS - now).total_seconds() if kept else 0.0
    if kept is None or left <= 0:
        st.session_state.pop("inbox-undo", None)
        return ""
    inner = escape(kept["why"].say(scene.lang)) if "why" in kept else _told(scene, kept["words"], kept["batch"])
    if kept.get("undo"):
        words = escape(scene.t(N_("Undo")))
        inner += f' <button type="button" data-do="undo">{words} <kbd>z</kbd></button>'
    stamp = escape(kept["at"].isoformat())
    return f'<div class="e-undo" role="status" data-at="{stamp}" data-left="{left:.0f}">{inner}</div>'


def _told(scene: Scene, words: str, batch: Batch) -> str:
    one, many = _DONE[words]
    said = f"<b>{escape(marks.count(scene, len(batch.done), one, many))}</b>" if batch.done else ""
    if not batch.left:
        return said
    lines = []
    for number, why in batch.left[:_NAMED]:
        case = wire.link("case", scene.query({"id": number}), escape(scene.t(N_("Case {number}"), number=number)))
        lines.append(f"<li>{case}: {escape(marks.reason(scene, why))}</li>")
    if len(batch.left) > _NAMED:
        rest = marks.number(scene, len(batch.left) - _NAMED)
        lines.append(f"<li>{escape(scene.t(N_('and {n} more'), n=rest))}</li>")
    head = marks.count(scene, len(batch.left), N_("1 case left as it is:"), N_("{n} cases left as they are:"))
    return f"<div>{said}<div>{escape(head)}</div><ul>{''.join(lines)}</ul></div>"


def draw_sheets(scene: Scene) -> str:
    """Write the sheets that a key opens: the keys themselves, why it is noise, whom to give it to."""
    shut = f'<button type="button" data-shut>{escape(scene.t(N_("Leave it")))}</button>'
    keys = "".join(
        f"<dt>{' '.join(f'<kbd>{escape(one)}</kbd>' for one in names.split())}</dt><dd>{escape(scene.t(words))}</dd>"
        for names, words in _KEYS
    )
    close = f'<button type="button" data-shut>{escape(scene.t(N_("Close")))}</button>'
    names = [scene.who, *(one.name for one in colleagues(scene.config.settings))]
    give = escape(scene.t(N_("Give to…")))
    people = "".join(f"<option>{escape(one)}</option>" for one in dict.fromkeys(names) if one)
    nobody = escape(scene.t(N_("nobody")))
    return (
        _sheet("help", scene.t(N_("Keys")), f'<dl class="e-facts">{keys}</dl>', close)
        + _sheet(
            "noise",
            scene.t(N_("Why is this noise?")),
            f'<input type="text" maxlength="400" aria-label="{escape(scene.t(N_("Why is this noise?")))}">',
            f'<button type="button" class="main" data-do="dismiss">{escape(scene.t(N_("Dismiss as noise")))}</button>'
            + shut,
        )
        + _sheet(
            "give",
            scene.t(N_("Give to…")),
            f'<select aria-label="{give}">{people}<option value="">{nobody}</option></select>',
            f'<button type="button" class="main" data-do="assign">{escape(scene.t(N_("Give")))}</button>' + shut,
        )
    )


def _sheet(name: str, title: str, inner: str, buttons: str) -> str:
    return (
        f'<dialog class="e-sheet" id="e-{name}" aria-label="{escape(title)}"><h2 class="e-h2">{escape(title)}</h2>'
        f'{inner}<div class="e-buttons">{buttons}</div></dialog>'
    )
