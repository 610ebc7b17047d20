"""Show the inbox: what is owed, most urgent first; every filter stands in the address, so that a view is a link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import streamlit as st

from listener.match import Matcher
from listener.reason import N_
from listener.taxonomy import DEPARTMENTS, PRIORITIES, SENTIMENTS, STAKEHOLDERS
from stakeholders.inbox import NOBODY, Filters, InboxPage, InboxRow, count_facets, count_inbox, read_inbox
from stakeholders.pages import marks, queue, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import clip, escape, handle

__all__ = ["show"]

_LIMIT = 50
_FRESH = "60s"  # how often an open inbox looks for new cases by itself
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
    filters = queue.read_filters()
    with scene.store.read() as connection:
        facets = count_facets(connection, filters, scene.now)
    with st.sidebar:
        st.html(_departments(scene, filters, facets["department"]))
    _show_list(scene, filters, st.query_params.get("after"))


@st.fragment(run_every=_FRESH)
def _show_list(scene: Scene, filters: Filters, after: str | None) -> None:
    """Draw what changes by itself; runs again every minute, so that a new alert appears without a touch."""
    if st.session_state.pop("chosen", False):
        st.rerun()  # a filter was chosen in here: the queues beside the list must follow
    now = scene.now
    start = queue.read_after(after)
    with scene.store.read() as connection:
        page = read_inbox(connection, filters, now, start, _LIMIT)
        facets = count_facets(connection, filters, now)
        total = count_inbox(connection, filters, now)
        late = count_inbox(connection, replace(filters, overdue=True), now)
        free = count_inbox(connection, replace(filters, owner=NOBODY), now)
        mine = count_inbox(connection, replace(filters, owner=scene.who or NOBODY), now)
    said = _VIEWS[filters.status] if filters.status in ("open", "all") else N_("in this view")
    line = f"<b>{marks.number(scene, total)}</b> {escape(scene.t(said))}"
    if late:
        words = escape(scene.t(N_("overdue")))
        line += f' · <span class="late"><b>{marks.number(scene, late)}</b> {words}</span>'
    st.html(marks.head(scene.t(N_("Inbox")), line))
    bar = st.container(horizontal=True, vertical_alignment="center", gap="small")
    with bar:
        _show_more_filters(scene, filters)
        st.html(_chips(scene, filters, facets["priority"], late, free, mine), width="content")
    if not page.rows:
        st.html(_nothing(scene, filters))
        return
    st.html(_list(scene, filters, page, now))
    st.html(_paging(scene, filters, page, later=start is not None))


def _departments(scene: Scene, filters: Filters, counts: Mapping[str, int]) -> str:
    """List the departments as queues with what waits in each."""
    lines = []
    everything = replace(filters, department=())
    words = escape(scene.t(N_("All departments")))
    total = f"<i>{marks.number(scene, sum(counts.values()))}</i>"
    on = "" if filters.department else "on"
    lines.append(wire.link("inbox", scene.query(everything.to_query()), f"<span>{words}</span>{total}", style=on))
    for department in DEPARTMENTS:
        if not counts.get(department) and department not in filters.department:
            continue
        words = escape(scene.t("{name}", name=department))
        chosen = queue.toggle(filters, "department", department)
        inner = f"<span>{words}</span><i>{marks.number(scene, counts.get(department, 0))}</i>"
        on = "on" if department in filters.department else ""
        lines.append(wire.link("inbox", scene.query(chosen.to_query()), inner, style=on))
    label = escape(scene.t(N_("Departments")))
    return f'<nav class="e-queues" aria-label="{label}">{"".join(lines)}</nav>'


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
    return found


def _word(scene: Scene, name: str, value: str) -> str:
    if name == "brand":
        return scene.brand(value)
    if name == "status":
        return scene.t(_VIEWS.get(value, "{name}"), name=value)
    return scene.source(value) if name == "source" else scene.t("{name}", name=value)


def _show_more_filters(scene: Scene, filters: Filters) -> None:
    """Draw the filters that are chosen from lists; whatever is chosen goes into the address."""
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
        st.session_state["chosen"] = True
        queue.write_filters(scene, replace(filters, **told, status=state, unsure=st.session_state["f-unsure"]))

    with st.popover(scene.t(N_("Filter")), icon=":material/filter_list:"):
        st.session_state["f-status"] = filters.status if filters.status in _VIEWS else "open"
        st.segmented_control(
            scene.t(N_("Show")),
            list(_VIEWS),
            key="f-status",
            format_func=lambda one: scene.t(_VIEWS[one]),
            on_change=change,
        )
        for name, options in lists.items():
            st.session_state[f"f-{name}"] = [one for one in getattr(filters, name) if one in options]
            st.multiselect(
                labels[name],
                options,
                key=f"f-{name}",
                format_func=partial(_word, scene, name),
                placeholder=scene.t(N_("any")),
                on_change=change,
            )
        st.session_state["f-unsure"] = filters.unsure
        st.checkbox(scene.t(N_("only where the judge is unsure")), key="f-unsure", on_change=change)


def _list(scene: Scene, filters: Filters, page: InboxPage, now: datetime) -> str:
    matcher = Matcher(scene.config.brands)
    rows = "".join(_row(scene, filters, row, matcher, now) for row in page.rows)
    return f'<div class="e-list">{rows}</div>'


def _row(scene: Scene, filters: Filters, row: InboxRow, matcher: Matcher, now: datetime) -> str:
    """Write one case in two lines: urgency, who and what, where it waits."""
    case = row.case
    over = case.answered_at is not None or case.status in ("closed", "dismissed")
    terms = matcher.find(row.snippet).get(case.brand, ())
    who = scene.t(N_("author withheld")) if row.masked else _author(row) or scene.t(N_("author not told"))
    line = [
        f"<b><bdi>{escape(who)}</bdi></b>",
        escape(scene.t("{name}", name=case.stakeholder)),
        marks.mood(scene, row.sentiment, unsure=row.unsure) if row.sentiment else "",
        escape(scene.source(row.source)) if row.source else "",
        marks.ago(scene, row.published_at, now) if row.published_at else escape(scene.t(N_("all posts removed"))),
    ]
    if case.people > 1:
        line.append(f"<b>{escape(scene.t(N_('{n} people'), n=marks.number(scene, case.people)))}</b>")
    if case.brand != scene.config.brands[0].key:
        line.append(escape(scene.brand(case.brand)))
    due = marks.due(scene, case.due_at, now, answered=over) or escape(scene.t("{name}", name=case.status))
    owner = f"<bdi>{escape(case.owner)}</bdi>" if case.owner else ""
    stands = case.status == "snoozed" or (case.status == "acknowledged" and not owner)
    seen = escape(scene.t("{name}", name=case.status)) if stands else ""
    last = " · ".join(part for part in (owner, seen) if part)
    told = " ".join(f"<span>{part}</span>" for part in line if part)
    inner = (
        f'<span class="e-first">{marks.priority(scene, case.priority)}<span>{due}</span></span>'
        f'<span class="e-mid"><span class="e-line">{told}</span>'
        f'<span class="e-said">{clip(row.snippet, terms)}</span></span>'
        f'<span class="e-last"><span>{escape(scene.t("{name}", name=case.department))}</span>'
        f"<span>{last}</span></span>"
    )
    style = f"e-row {case.priority}" + (" done" if over else "")
    return wire.link("case", queue.case_query(scene, filters, case.id), inner, style=style)


def _author(row: InboxRow) -> str | None:
    return handle(row.author) if row.author and row.author.startswith("@u/") else row.author


def _paging(scene: Scene, filters: Filters, page: InboxPage, *, later: bool) -> str:
    query = scene.query(filters.to_query())
    first = wire.link("inbox", query, "← " + escape(scene.t(N_("Most urgent")))) if later else ""
    onward = ""
    if page.next is not None:
        onward = wire.link(
            "inbox", query | {"after": queue.write_after(page.next)}, escape(scene.t(N_("Next page"))) + " →"
        )
    keys = '<span class="e-muted"><kbd>j</kbd> <kbd>k</kbd> <kbd>↵</kbd></span>'
    return f'<nav class="e-nav"><span>{first}</span>{keys}<span>{onward}</span></nav>'


def _nothing(scene: Scene, filters: Filters) -> str:
    if filters != Filters():
        every = wire.link("inbox", scene.query(), escape(scene.t(N_("Show everything that waits"))))
        words = scene.t(N_("No case fits all of these filters."))
        return marks.empty(scene.t(N_("Nothing here")), words, f"<p>{every}</p>")
    words = scene.t(N_("Nobody waits for an answer. New cases appear here by themselves."))
    health = wire.link("sources", scene.query(), escape(scene.t(N_("See whether all sources are heard"))))
    return marks.empty(scene.t(N_("All answered")), words, f"<p>{health}</p>")
