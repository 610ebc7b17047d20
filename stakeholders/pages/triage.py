"""Work through cases: keys, ticked rows, one step for many cases, and half a minute to take it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from string import ascii_lowercase, digits
from typing import Any
from unicodedata import normalize

import streamlit as st

from listener.reason import N_, Reason, reason
from stakeholders.casework.mentioning import colleagues
from stakeholders.lists.attention import mark_seen
from stakeholders.lists.batch import STEPS, Batch, BulkStep, take_all, take_back
from stakeholders.pages import marks, wire
from stakeholders.pages.moves import until_choices
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape
from stakeholders.sla import hours_of

__all__ = ["connect", "draw_bar", "draw_sheets", "draw_undo", "name_keys", "script", "take_kept"]

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
_Keys = tuple[tuple[str, str], ...]
_BOTH: _Keys = (
    ("a", N_("I have seen it")),
    ("e", N_("it is mine")),
    ("m", N_("give it to somebody")),
    ("s", N_("snooze until tomorrow, 9:00")),
    ("c", N_("close")),
    ("d", N_("noise")),
    ("z", N_("undo")),
    ("g i", N_("go to: i inbox, p pulse, v voices, d departments, s sources, a accuracy, m digests, b the side bar")),
    ("?", N_("this help")),
)
_LIST: _Keys = (
    ("j k", N_("next and previous case")),
    ("↵ o", N_("open the case")),
    ("r", N_("reply: open at its draft")),
    ("x", N_("choose; with Shift and the mouse, all between")),
    ("*", N_("choose all that are shown")),
    ("Esc", N_("choose nothing")),
    (".", N_("show what is new")),
    ("/", N_("search")),
    ("v", N_("save this view")),
    ("g 1", N_("the first view beside the list, g 2 the second, and so on")),
)
_CASE: _Keys = (
    ("1 … 5", N_("correct or confirm a label: its number, then the key of what is true")),
    ("l", N_("all labels")),
    ("r", N_("reply: write")),
    ("t", N_("choose a template")),
    ("w", N_("write a note")),
    ("Ctrl ↵", N_("keep the draft or the note that is being written")),
    ("p", N_("it is posted: answered")),
    ("b", N_("wake it from its snooze")),
    ("u n", N_("back to the inbox, next case")),
)


def connect(scene: Scene) -> None:
    """Mount the script that answers keys and ticks, and takes the steps that it asks for."""
    component = st.components.v2.component("escucha.triage", js=script("triage.js"))
    data = {"who": scene.who, "one": scene.t(N_("1 chosen")), "many": scene.t(N_("{n} chosen"))}
    component(data=data, key="triage", height=1, on_act_change=lambda: _act(scene))


def take_kept() -> bool:
    """Tell whether this run follows a step of the reader, whose rows then stay where they stand; asked once."""
    return bool(st.session_state.pop("inbox-kept", False))


def name_keys(words: Sequence[str]) -> tuple[str, ...]:
    """Give each word a key of its own: a letter of the word where one is free, its first before others.

    Letters are a to z without accents; a word whose letters are all taken gets another letter or digit, and behind 36
    words there are none left: "".
    """
    free = dict.fromkeys(ascii_lowercase + digits)
    found = []
    for word in words:
        letters = (sign for sign in normalize("NFKD", word.casefold()) if sign in ascii_lowercase)
        key = next((sign for sign in letters if sign in free), None) or next(iter(free), "")
        free.pop(key, None)
        found.append(key)
    return tuple(found)


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
    keys = (
        _list(scene, N_("In the list and in a case"), _BOTH)
        + _list(scene, N_("In the list"), _LIST)
        + _list(scene, N_("In a case"), _CASE)
    )
    switch = escape(scene.t(N_("Answer single keys in this browser")))
    keys += f'<label class="e-switch"><input type="checkbox" data-keys checked>{switch}</label>'
    close = f'<button type="button" data-shut>{escape(scene.t(N_("Close")))}</button>'
    names = [scene.who, *(one.name for one in colleagues(scene.config.settings))]
    people = [*dict.fromkeys(one for one in names if one), scene.t(N_("nobody"))]
    rows = "".join(
        f'<button type="button" data-do="assign" data-owner="{escape(one if place < len(people) - 1 else "")}" '
        f'data-press="{key}"><kbd>{key}</kbd><span><bdi>{escape(one)}</bdi></span></button>'
        for place, (one, key) in enumerate(zip(people, name_keys(people), strict=True))
    )
    return (
        _sheet("help", scene.t(N_("Keys")), keys, close)
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
            f'<div class="e-values">{rows}</div>',
            shut,
        )
    )


def _list(scene: Scene, title: str, keys: _Keys) -> str:
    """Write some keys with what they do."""
    rows = "".join(
        f"<dt>{' '.join(f'<kbd>{escape(one)}</kbd>' for one in names.split())}</dt><dd>{escape(scene.t(words))}</dd>"
        for names, words in keys
    )
    return f'<h3 class="e-sub">{escape(scene.t(title))}</h3><dl class="e-facts">{rows}</dl>'


def _sheet(name: str, title: str, inner: str, buttons: str) -> str:
    return (
        f'<dialog class="e-sheet" id="e-{name}" aria-label="{escape(title)}"><h2 class="e-h2">{escape(title)}</h2>'
        f'{inner}<div class="e-buttons">{buttons}</div></dialog>'
    )
