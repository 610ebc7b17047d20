"""Draw the views of the inbox beside it: those everybody needs, those that were saved, the departments as queues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from listener.reason import N_, Reason
from listener.taxonomy import DEPARTMENTS
from stakeholders.casework.step import NotPossible
from stakeholders.inbox import Filters
from stakeholders.lists.facet import add, of
from stakeholders.lists.view import SavedView, list_views, remove_view, save_view, usual_views
from stakeholders.pages import marks, queue, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["show_views"]

_COUNTED = 12  # saved views whose cases are counted


def show_views(scene: Scene, filters: Filters, departments: Mapping[str, int]) -> None:
    """Draw all views with their counts; `departments` are the counts of the facet."""
    now, zone = scene.now, str(scene.config.zone)
    saved = scene.keep(("views", scene.who), lambda connection: list_views(connection, scene.who))
    usual = [(name, one, queue.count(scene, replace(one, zone=zone), now)) for name, one in usual_views(scene.who)]
    counts = {one.id: queue.count(scene, one.filters(zone), now) for one in saved[:_COUNTED]}
    lines = [_line(scene, escape(scene.t(name)), one, count, filters) for name, one, count in usual]
    for view in saved:
        words = f"<bdi>{escape(view.name)}</bdi>"
        if view.owner != scene.who:
            words += f' <span class="e-muted">· <bdi>{escape(view.owner)}</bdi></span>'
        lines.append(_line(scene, words, view.filters(zone), counts.get(view.id), filters))
    label = escape(scene.t(N_("Views")))
    st.html(f'<nav class="e-queues e-views" aria-label="{label}"><h2>{label}</h2>{"".join(lines)}</nav>')
    _show_saving(scene, filters, saved)
    st.html(_departments(scene, filters, departments))


def _line(scene: Scene, words: str, wanted: Filters, count: int | None, filters: Filters) -> str:
    faint = "" if count else ' class="none"'
    number = f"<i{faint}>{marks.number(scene, count)}</i>" if count is not None else ""
    on = "on" if wanted == filters else ""
    return wire.link("inbox", scene.query(wanted.to_query()), f"<span>{words}</span>{number}", style=on)


def _show_saving(scene: Scene, filters: Filters, saved: tuple[SavedView, ...]) -> None:
    """Draw the box in which this view is kept under a name, and one's own views are removed."""
    names = {one.name: one.id for one in saved if one.owner == scene.who}
    if filters == Filters() and not names:
        return

    def keep() -> None:
        name = str(st.session_state.get("view-name") or "")
        try:
            with scene.store.write() as connection:
                shared = bool(st.session_state.get("view-shared"))
                save_view(connection, scene.who, name, filters, scene.now, shared=shared)
        except NotPossible as error:
            st.session_state["view-told"] = error.reason
        else:
            st.session_state["view-name"] = ""

    def forget() -> None:
        gone = names.get(st.session_state.get("view-gone") or "")
        if gone is not None:
            with scene.store.write() as connection:
                remove_view(connection, scene.who, gone)
            st.session_state["view-gone"] = None

    label = scene.t(N_("Save this view"))
    with st.popover(label, icon=":material/bookmark_add:", width="stretch", key="view-box"):
        told = st.session_state.pop("view-told", None)
        if isinstance(told, Reason):
            st.html(marks.note(told.say(scene.lang), "warn"))
        if filters != Filters():
            st.text_input(scene.t(N_("Name of the view")), key="view-name", max_chars=60)
            st.checkbox(scene.t(N_("for all colleagues")), key="view-shared")
            st.button(scene.t(N_("Save")), key="view-save", type="primary", on_click=keep)
        if names:
            st.selectbox(
                scene.t(N_("Remove one of my views")),
                list(names),
                index=None,
                key="view-gone",
                placeholder=scene.t(N_("choose")),
                on_change=forget,
            )


def _departments(scene: Scene, filters: Filters, counts: Mapping[str, int]) -> str:
    """List the departments as queues with what waits in each."""
    lines = []
    words = escape(scene.t(N_("All departments")))
    total = f"<i>{marks.number(scene, add(counts.values()))}</i>"
    everything = scene.query(replace(filters, department=()).to_query())
    on = "" if filters.department else "on"
    lines.append(wire.link("inbox", everything, f"<span>{words}</span>{total}", style=on))
    for department in DEPARTMENTS:
        count = of(counts, department)
        if not (count or count.more) and department not in filters.department:
            continue
        words = escape(scene.t("{name}", name=department))
        chosen = queue.toggle(filters, "department", department)
        inner = f"<span>{words}</span><i>{marks.number(scene, count)}</i>"
        on = "on" if department in filters.department else ""
        lines.append(wire.link("inbox", scene.query(chosen.to_query()), inner, style=on))
    label = escape(scene.t(N_("Departments")))
    return f'<nav class="e-queues" aria-label="{label}"><h2>{label}</h2>{"".join(lines)}</nav>'
