"""Show the inbox: what is owed, most urgent first; every filter stands in the address, so that a view is a link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st

from listener.reason import N_
from listener.taxonomy import DEPARTMENTS, OPEN_STATUSES, PRIORITIES, SENTIMENTS, STAKEHOLDERS
from stakeholders.casework.step import UNFINISHED
from stakeholders.inbox import NOBODY, Filters, Key, list_inbox, read_rows
from stakeholders.lists.attention import arrange, looking, unread
from stakeholders.lists.facet import FACETS, add, count_choices, count_some, of
from stakeholders.pages import marks, queue, triage, views, wire
from stakeholders.pages.rows import draw_rows
from stakeholders.pages.scene import Scene
from stakeholders.pages.searchbox import show_fault, show_search
from stakeholders.pages.text import escape
from stakeholders.pages.welcome import draw_welcome, is_empty

__all__ = ["show"]

_LIMIT = 50
_FRESH = "10s"  # how often an open inbox looks for what is new by itself
_VIEWS = {
    "open": N_("to answer"),
    "snoozed": N_("snoozed"),
    "answered": N_("answered"),
    "closed": N_("closed"),
    "dismissed": N_("noise"),
    "all": N_("in all"),
}


def show(scene: Scene) -> None:
    """Draw the inbox with the filters of the address."""
    filters, after = queue.read_filters(scene), st.query_params.get("after")
    now = scene.now
    facets, (total, late, free) = scene.keep(
        ("inbox", filters, filters.zone),
        lambda connection: (
            count_choices(connection, filters, now, FACETS),
            [
                count_some(connection, one, now)
                for one in (filters, replace(filters, overdue=True), replace(filters, owner=NOBODY))
            ],
        ),
    )
    mine = queue.count(scene, replace(filters, owner=scene.who), now) if scene.who else 0
    first = ""
    if not total:
        with scene.store.read() as connection:
            first = draw_welcome(scene, connection) if is_empty(connection) else ""
    with st.sidebar:
        views.show_views(scene, filters, facets["department"])
    said = _VIEWS[filters.status] if filters.status in ("open", "all") else N_("in this view")
    line = f"<b>{marks.number(scene, total)}</b> {escape(scene.t(said))}"
    if late:
        words = escape(scene.t(N_("overdue")))
        line += f' · <span class="late"><b>{marks.number(scene, late)}</b> {words}</span>'
    st.html(marks.head(scene.t(N_("Inbox")), line))
    if first:
        st.html(first)
        return
    with st.container(horizontal=True, vertical_alignment="top", gap="small", key="inbox-top"):
        _show_more_filters(scene, filters, facets)
        with st.container(key="inbox-search"):
            show_search(scene, filters)
    st.html(_chips(scene, filters, facets["priority"], late, free, mine))
    show_fault(scene, filters)
    _forget_place(filters, after)
    st.html(triage.draw_sheets(scene))
    _show_list(scene, filters, after)
    triage.connect(scene)


def _forget_place(filters: Filters, after: str | None) -> None:
    """Keep the rows where they stand after a step of the reader; draw them anew for another view."""
    kept, back = triage.take_kept(), st.session_state.pop("inbox-back", False)
    place = (filters, after)
    if not kept or back or st.session_state.get("inbox-place") != place:
        st.session_state.pop("inbox-shown", None)
    st.session_state["inbox-place"] = place
    st.session_state["inbox-settle"] = kept


@st.fragment(run_every=_FRESH)
def _show_list(scene: Scene, filters: Filters, after: str | None) -> None:
    """Draw the rows; runs again by itself, and then no row moves: what is new is counted, and shown when asked for."""
    now = scene.now
    start = queue.read_after(after)
    shown: tuple[int, ...] | None = st.session_state.get("inbox-shown")
    settles = st.session_state.pop("inbox-settle", False)
    keys = scene.keep(
        ("inbox keys", filters, filters.zone, start),
        lambda connection: list_inbox(connection, filters, now, start, 2 * _LIMIT),
    )
    fresh = [key.id for key in keys]
    if not shown:
        order, waiting = tuple(fresh[:_LIMIT]), 0
    elif settles:
        moved, waiting = arrange(shown, fresh)
        order = moved[:_LIMIT]
    else:
        order = shown
        waiting = len(set(fresh[: max(_LIMIT, len(shown))]).difference(shown))
    rows = scene.keep(("inbox rows", order), lambda connection: read_rows(connection, order, now))
    owed = {row.case.id: row.case.version for row in rows if row.case.status in UNFINISHED}
    new, others = scene.keep(
        ("inbox marks", scene.who, order, tuple(owed)),
        lambda connection: (unread(connection, scene.who, owed), looking(connection, scene.who, order, now)),
    )
    st.session_state["inbox-shown"] = order
    st.html(triage.draw_undo(scene, now) or '<span class="e-nil"></span>')
    if not rows:
        st.html(_nothing(scene, filters))
        return
    st.html(triage.draw_bar(scene, waiting) + draw_rows(scene, filters, rows, new, others, now))
    paging = _paging(scene, filters, _next(keys, order), later=start is not None)
    if paging:
        st.html(paging)


def _next(keys: Sequence[Key], order: Sequence[int]) -> Key | None:
    """Find where the next page starts: behind the last row shown; None when nothing comes after it."""
    shown = set(order)
    places = [place for place, key in enumerate(keys) if key.id in shown]
    return keys[places[-1]] if places and places[-1] + 1 < len(keys) else None


def _chips(scene: Scene, filters: Filters, counts: Mapping[str, int], late: int, free: int, mine: int) -> str:
    """Write the filters used most as one row of links, each with what it would show; a second touch takes it off."""
    chips = []

    def add(inner: str, number: int | None, wanted: Filters, *, on: bool) -> None:
        if number == 0 and not on:
            return
        count = f"<i>{marks.number(scene, number)}</i>" if number is not None else ""
        style = "e-chip on" if on else "e-chip"
        chips.append(wire.link("inbox", scene.query(wanted.to_query()), inner + count, style=style))

    for name in PRIORITIES:
        on = name in filters.priority
        if counts.get(name) or on:
            add(marks.priority(scene, name), counts.get(name, 0), queue.toggle(filters, "priority", name), on=on)
    add(escape(scene.t(N_("overdue"))), late, replace(filters, overdue=not filters.overdue), on=filters.overdue)
    if scene.who:
        on = filters.owner == scene.who
        add(escape(scene.t(N_("mine"))), mine, replace(filters, owner=None if on else scene.who), on=on)
    on = filters.owner == NOBODY
    add(escape(scene.t(N_("nobody's yet"))), free, replace(filters, owner=None if on else NOBODY), on=on)
    for facet, value, less in _others(filters):
        words = escape(_word(scene, facet, value))
        add(f'{words} <span aria-hidden="true">×</span>', None, less, on=True)
    return f'<div class="e-chips">{"".join(chips)}</div>'


def _others(filters: Filters) -> list[tuple[str, str, Filters]]:
    """List the filters that have no chip of their own, each with the filters that remain without it."""
    found = []
    for name in ("department", "stakeholder", "sentiment", "source", "brand"):
        chosen: tuple[str, ...] = getattr(filters, name)
        for value in chosen:
            rest = tuple(one for one in chosen if one != value)
            found.append((name, value, replace(filters, **{name: rest})))  # type: ignore[arg-type]
    if filters.status != "open":
        found.append(("status", filters.status, replace(filters, status="open")))
    if filters.unsure:
        found.append(("unsure", "unsure", replace(filters, unsure=False)))
    if filters.q:
        found.append(("q", filters.q, replace(filters, q="")))
    return found


def _word(scene: Scene, name: str, value: str) -> str:
    if name == "q":
        return f"«{value}»"
    if name == "brand":
        return scene.brand(value)
    if name == "status":
        return scene.t(_VIEWS.get(value, "{name}"), name=value)
    return scene.source(value) if name == "source" else scene.t("{name}", name=value)


def _show_more_filters(scene: Scene, filters: Filters, facets: Mapping[str, Mapping[str, int]]) -> None:
    """Draw the filters that are chosen from lists, each with what it would show; the choice goes into the address."""
    lists: dict[str, Sequence[str]] = {
        "department": DEPARTMENTS,
        "stakeholder": STAKEHOLDERS,
        "sentiment": SENTIMENTS,
        "source": list(scene.config.settings.sources),
        "brand": [brand.key for brand in scene.config.brands],
    }
    labels = {
        "department": scene.t(N_("Department")),
        "stakeholder": scene.t(N_("Who speaks")),
        "sentiment": scene.t(N_("For the brand")),
        "source": scene.t(N_("Source")),
        "brand": scene.t(N_("Brand")),
    }

    def change() -> None:
        told: dict[str, Any] = {name: tuple(st.session_state[f"f-{name}"]) for name in lists}
        state = st.session_state["f-status"] or "open"
        queue.write_filters(scene, replace(filters, **told, status=state, unsure=st.session_state["f-unsure"]))

    with st.popover(scene.t(N_("Filter")), icon=":material/filter_list:"):
        st.session_state["f-status"] = filters.status if filters.status in _VIEWS else "open"
        st.segmented_control(
            scene.t(N_("Show")),
            list(_VIEWS),
            key="f-status",
            format_func=lambda one: _counted(scene, scene.t(_VIEWS[one]), _in_view(facets["status"], one)),
            on_change=change,
        )
        for name, options in lists.items():
            st.session_state[f"f-{name}"] = [one for one in getattr(filters, name) if one in options]
            st.multiselect(
                labels[name],
                options,
                key=f"f-{name}",
                format_func=partial(_choice, scene, name, facets[name]),
                placeholder=scene.t(N_("any")),
                on_change=change,
            )
        st.session_state["f-unsure"] = filters.unsure
        st.checkbox(scene.t(N_("only where the judge is unsure")), key="f-unsure", on_change=change)


def _choice(scene: Scene, name: str, counts: Mapping[str, int], value: str) -> str:
    return _counted(scene, _word(scene, name, value), of(counts, value))


def _counted(scene: Scene, words: str, count: int) -> str:
    return f"{words} · {marks.number(scene, count)}"


def _in_view(counts: Mapping[str, int], view: str) -> int:
    wanted = OPEN_STATUSES if view == "open" else counts if view == "all" else (view,)
    return add(counts[one] for one in wanted if one in counts)


def _paging(scene: Scene, filters: Filters, onto: Key | None, *, later: bool) -> str:
    query = scene.query(filters.to_query())
    first = wire.link("inbox", query, "← " + escape(scene.t(N_("Most urgent")))) if later else ""
    onward = ""
    if onto is not None:
        onward = wire.link("inbox", query | {"after": queue.write_after(onto)}, escape(scene.t(N_("Next page"))) + " →")
    return f'<nav class="e-nav"><span>{first}</span><span>{onward}</span></nav>' if first or onward else ""


def _nothing(scene: Scene, filters: Filters) -> str:
    if filters != Filters():
        every = wire.link("inbox", scene.query(), escape(scene.t(N_("Show everything that waits"))))
        words = scene.t(N_("No case fits all of these filters."))
        return marks.empty(scene.t(N_("Nothing here")), words, f"<p>{every}</p>")
    words = scene.t(N_("Nobody waits for an answer. New cases appear here by themselves."))
    health = wire.link("sources", scene.query(), escape(scene.t(N_("See whether all sources are heard"))))
    return marks.empty(scene.t(N_("All answered")), words, f"<p>{health}</p>")
