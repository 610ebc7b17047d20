"""Search the inbox in the query language: a count while one writes, the place of a fault, and what could come next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from listener.query import QueryError, parse
from listener.reason import N_
from listener.taxonomy import LANGUAGES
from stakeholders.inbox import LONGEST_SEARCH, Filters
from stakeholders.lists.facet import count_some
from stakeholders.pages import marks
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape
from stakeholders.pages.triage import script

__all__ = ["show_fault", "show_search"]

_FIELDS: tuple[tuple[str, str], ...] = (
    ("from:", N_("author")),
    ("source:", N_("source")),
    ("brand:", N_("brand")),
    ("lang:", N_("language")),
    ("country:", N_("country")),
    ("reach>", N_("followers")),
    ("since:", N_("from day")),
    ("until:", N_("to day")),
    ("OR ", N_("either")),
    ("NOT ", N_("without")),
    ("NEAR/5 ", N_("close to")),
)


@st.fragment
def show_search(scene: Scene, filters: Filters) -> None:
    """Draw the search box with what it says below; while one writes, only this runs."""
    label = escape(scene.t(N_("Search the cases")))
    hint = escape(scene.t(N_("Search: words, from:osiptel, since:2026-11-01")))
    find = escape(scene.t(N_("Search")))
    st.html(
        f'<div class="e-search" role="search"><input id="e-q" type="search" value="{escape(filters.q)}" '
        f'maxlength="{LONGEST_SEARCH}" placeholder="{hint}" aria-label="{label}" aria-describedby="e-peek" '
        'autocomplete="off" spellcheck="false" enterkeyhint="search"><kbd>/</kbd>'
        f'<button type="button" data-find aria-label="{find}" title="{find}">'
        '<span aria-hidden="true">⌕</span></button></div>'
    )
    component = st.components.v2.component("escucha.search", js=script("search.js"))
    told = component(key="search", height=1, on_peek_change=lambda: None).get("peek")
    text, place = filters.q, len(filters.q)
    if isinstance(told, Mapping):
        text = str(told.get("text") or "")[:LONGEST_SEARCH]
        given = told.get("place")
        place = given if isinstance(given, int) and 0 <= given <= len(text) else len(text)
    below = _answer(scene, filters, text) + _next(scene, text, place)
    st.html(f'<div class="e-peek" id="e-peek" role="status">{below}</div>')


def show_fault(scene: Scene, filters: Filters) -> None:
    """Say why the search in the address cannot be read, and that the list below is not searched."""
    fault = _fault(scene, filters.q)
    if fault:
        words = escape(scene.t(N_("This search cannot be read, so the list below shows all cases:")))
        st.html(f'<div class="e-note warn" role="status">{words}{fault}</div>')


def _fault(scene: Scene, text: str) -> str:
    """Show a fault with a caret under its place; empty for a search that can be read and for none."""
    if not text.strip():
        return ""
    try:
        parse(text, zone=str(scene.config.zone))
    except QueryError as error:
        return f'<pre class="e-caret"><bdi dir="ltr">{escape(error.show(scene.lang))}</bdi></pre>'
    return ""


def _answer(scene: Scene, filters: Filters, text: str) -> str:
    if not text.strip():
        words = scene.t(
            N_('Words side by side must all be there; "a phrase" in quotation marks; port* for beginnings.')
        )
        return f'<p class="e-sub">{escape(words)}</p>'
    fault = _fault(scene, text)
    if fault:
        return fault
    with scene.store.read() as connection:
        found = count_some(connection, replace(filters, q=text), scene.now)
        every = count_some(connection, Filters(status="all", q=text, zone=filters.zone), scene.now)
    words = marks.count(scene, found, N_("1 case"), N_("{n} cases"))
    line = f"<b>{escape(words)}</b> {escape(scene.t(N_('in this view')))}"
    if every != found or every.more != found.more:
        line += f' <span class="e-muted">· {marks.number(scene, every)} {escape(scene.t(N_("in all")))}</span>'
    return f'<p class="e-sub">{line} <span class="e-muted"><kbd>↵</kbd></span></p>'


def _next(scene: Scene, text: str, place: int) -> str:
    """Offer what could be written at the cursor: the values of a condition that was begun, else the conditions."""
    word = text[:place].replace("(", " ").split(" ")[-1]
    name, colon, begun = word.partition(":")
    values = _values(scene).get(name.lower(), ()) if colon else ()
    offered = [(f"{name}:{value} ", value) for value in values if value.casefold().startswith(begun.casefold())]
    if not offered:
        fitting = [one for one in _FIELDS if word and one[0].casefold().startswith(word.casefold())]
        offered = [(sign, f"{sign.strip()} {scene.t(words)}") for sign, words in fitting or _FIELDS]
    chips = "".join(
        f'<button type="button" tabindex="-1" data-insert="{escape(sign)}">{escape(words)}</button>'
        for sign, words in offered[:12]
    )
    return f'<div class="e-offer">{chips}</div>'


def _values(scene: Scene) -> dict[str, tuple[str, ...]]:
    return {
        "source": tuple(scene.config.settings.sources),
        "brand": tuple(brand.key for brand in scene.config.brands),
        "lang": LANGUAGES,
        "country": (scene.config.settings.instance.country.upper(),),
    }
