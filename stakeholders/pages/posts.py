"""List the posts behind a figure, newest first, each with its labels and case; filters and words are in the address."""

from __future__ import annotations

from datetime import UTC, datetime, time

import streamlit as st

from listener.query import Query, QueryError, parse
from listener.reason import N_
from stakeholders.lists.postlist import UNROUTED, Heard, HeardPage, Place, Wanted, finds_exactly, read_counted
from stakeholders.pages import figures, marks, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import clip, escape, handle, web_link

__all__ = ["card", "show"]

_LIMIT = 30


def show(scene: Scene) -> None:
    """Draw the posts that the address asks for."""
    st.html(figures.sheet())
    today = scene.now.astimezone(scene.config.zone).date()
    told = {name: st.query_params.get(name, "") for name in st.query_params}
    wanted = Wanted.from_query(told, today)
    words = told.get("q", "").strip()[:500]
    asked: Query | None = None
    fault = ""
    if words:
        try:
            asked = parse(words, zone=scene.config.settings.instance.timezone)
        except QueryError as error:
            fault = error.say(scene.lang)
    with scene.store.read() as connection:
        exact = asked is None or finds_exactly(connection, asked)
        after = _place(told.get("after", ""))
        page, total = read_counted(connection, wanted, scene.config.zone, asked, after, _LIMIT)
    number = f"<b>{marks.number(scene, total)}</b> {escape(scene.t(N_('mentions')))}"
    days = " – ".join(
        marks.day(scene, datetime.combine(day, time(12), scene.config.zone))
        for day in dict.fromkeys((wanted.since, wanted.until))
    )
    st.html(marks.head(scene.t(N_("Posts")), f"{number} · {escape(days)}"))
    _ask_words(scene, wanted, words)
    if fault:
        st.html(marks.note(fault, "bad"))
    if not exact:
        words_of_it = N_("The database cannot say this search exactly: some of what is shown may not fit.")
        st.html(marks.note(scene.t(words_of_it), "warn"))
    st.html(_chips(scene, wanted, words))
    if not page.rows:
        more = scene.t(
            N_("No mention that counts fits all of this. Take a filter off, or choose other days on the pulse.")
        )
        back = wire.link("pulse", scene.query(), escape(scene.t(N_("Pulse"))))
        st.html(marks.empty(scene.t(N_("Nothing here")), more, f"<p>{back}</p>"))
        return
    st.html(f'<div class="e-heard">{"".join(card(scene, one, named=wanted.brand is None) for one in page.rows)}</div>')
    st.html(_paging(scene, wanted, words, page, later=bool(told.get("after"))))


def card(scene: Scene, one: Heard, *, named: bool = False) -> str:
    """Write one post: who, when, where, its labels and its case; a stranger's words as text only.

    `named` says which brand the labels are about: a post that names two brands stands in the list twice.
    """
    who = scene.t(N_("author withheld")) if one.masked else _author(one) or scene.t(N_("author not told"))
    name = scene.t(N_("not routed yet")) if one.stakeholder is None else scene.t("{name}", name=one.stakeholder)
    by = [
        f"<b><bdi>{escape(who)}</bdi></b>",
        escape(name),
        *([f'<span class="e-tag">{escape(scene.brand(one.brand))}</span>'] if named else []),
        marks.mood(scene, one.sentiment, unsure=one.unsure),
        escape(scene.t("{name}", name=one.dimension)),
        escape(scene.source(one.source)),
        marks.clock(scene, one.published_at),
    ]
    links = []
    if one.case_id is not None:
        words = escape(scene.t(N_("case {n}"), n=one.case_id))
        links.append(wire.link("case", scene.query({"id": one.case_id}), words))
    if one.url:
        links.append(web_link(one.url, scene.t(N_("the post"))))
    by += links
    line = "".join(f"<span>{part}</span>" for part in by)
    said = f'<div class="e-post">{clip(one.text, one.terms, 320)}</div>'
    return f'<div class="e-card">{said}<div class="e-by">{line}</div></div>'


def _author(one: Heard) -> str | None:
    return handle(one.author) if one.author and one.author.startswith("@u/") else one.author


def _ask_words(scene: Scene, wanted: Wanted, words: str) -> None:
    def change() -> None:
        told = dict(wanted.to_query()) | {"q": st.session_state["p-words"].strip()[:500]}
        st.query_params.from_dict({name: str(value) for name, value in scene.query(told).items() if value})

    st.session_state["p-words"] = words
    st.text_input(
        scene.t(N_("Words")),
        key="p-words",
        on_change=change,
        placeholder=scene.t(N_('words, "a phrase", -without, NEAR: as in the configuration')),
        label_visibility="collapsed",
    )


def _chips(scene: Scene, wanted: Wanted, words: str) -> str:
    """Write what is filtered, each with a touch that takes it off."""
    chips = []
    for name in ("brand", "stakeholder", "dimension", "source", "sentiment", "body"):
        value = getattr(wanted, name)
        if value is None:
            continue
        less = _without(wanted, name) | ({"q": words} if words else {})
        if name == "brand":
            shown = scene.brand(value)
        elif name == "source":
            shown = scene.source(value)
        elif value == UNROUTED:
            shown = scene.t(N_("not routed yet"))
        else:
            shown = value if name == "body" else scene.t("{name}", name=value)
        inner = f'{escape(shown)} <span aria-hidden="true">×</span>'
        chips.append(wire.link("posts", scene.query(less), inner, style="e-chip on"))
    return f'<div class="e-chips">{"".join(chips)}</div>'


def _without(wanted: Wanted, name: str) -> dict[str, str]:
    return {key: value for key, value in wanted.to_query().items() if key != name}


def _paging(scene: Scene, wanted: Wanted, words: str, page: HeardPage, *, later: bool) -> str:
    query = scene.query(wanted.to_query() | ({"q": words} if words else {}))
    first = wire.link("posts", query, "← " + escape(scene.t(N_("Newest")))) if later else ""
    onward = ""
    if page.next is not None:
        after = f"{page.next.published_at.isoformat()}~{page.next.id}"
        onward = wire.link("posts", query | {"after": after}, escape(scene.t(N_("Next page"))) + " →")
    return f'<nav class="e-nav"><span>{first}</span><span>{onward}</span></nav>'


def _place(told: str) -> Place | None:
    """Read where a page starts; what is no place is the first page."""
    moment, _, number = told.partition("~")
    try:
        at = datetime.fromisoformat(moment).astimezone(UTC)
        return Place(at, int(number)) if len(number) <= 18 else None
    except (ValueError, OverflowError):
        return None
