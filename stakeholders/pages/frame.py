"""Frame all pages: find the configuration, open the store once, draw the side bar, run the page of the address."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

import streamlit as st

from listener.config import Config, find_file, load
from listener.database import Store
from listener.errors import ConfigError, StoreError
from listener.reason import N_, label
from listener.redaction import install
from listener.store import clean
from listener.taxonomy import LANGUAGES
from stakeholders.pages import trouble, wire
from stakeholders.pages.door import refuse, show_door
from stakeholders.pages.scene import Scene, list_people
from stakeholders.pages.text import escape
from stakeholders.pages.theme import ICON, LOGO, prepare, style
from stakeholders.viewer import HERE, Viewer, recognise

__all__ = ["PAGES", "list_pages", "run"]

PAGES = (
    ("inbox", N_("Inbox"), ":material/inbox:"),
    ("case", N_("Case"), ":material/chat_bubble:"),
    ("pulse", N_("Pulse"), ":material/monitoring:"),
    ("voices", N_("Voices"), ":material/record_voice_over:"),
    ("departments", N_("Departments"), ":material/groups:"),
    ("posts", N_("Posts"), ":material/article:"),
    ("sources", N_("Sources"), ":material/sensors:"),
    ("accuracy", N_("Accuracy"), ":material/fact_check:"),
    ("letters", N_("Digests"), ":material/mail:"),
    ("settings", N_("Settings"), ":material/tune:"),
)
_FOR_ADMINS = frozenset({"settings"})


def run(folder: Path) -> None:
    """Draw the dashboard; `folder` is where config.toml is looked for after ESCUCHA_CONFIG and the current folder."""
    again = prepare()
    st.set_page_config(page_title="Escucha", page_icon=ICON, layout="wide", initial_sidebar_state=248)
    st.html(style())
    try:
        config, store = _find(folder)
    except (ConfigError, StoreError, *trouble.AWAY) as error:
        if again:
            st.rerun()
        trouble.show_trouble(error, trouble.spoken())
        trouble.look_again(lambda: _find(folder))
        st.stop()
    outside = Scene(config, store, _language(config), "")
    viewer = _viewer(outside)
    scene = replace(outside, store=viewer.see(store), who=viewer.name or _name(), viewer=viewer)
    page = st.navigation(list_pages(scene), position="sidebar")
    if again:
        st.rerun()  # options were set after the browser was told the theme: once in the life of a process
    st.logo(LOGO, size="large")
    known = st.session_state.get("who") if viewer is HERE else None
    wire.connect(scene.lang, known, keep="lang" in st.session_state)
    trouble.run_guarded(page.run, store, scene.lang)
    with st.sidebar:
        if viewer is HERE:
            _ask_who(scene)
        else:
            _show_who(scene)
        _ask_language(scene)


def list_pages(scene: Scene) -> list[st.Page]:
    """List the pages; one that this reader may not open stands in no menu, and its address says so."""
    shown = []
    for name, title, icon in PAGES:
        refused = name in _FOR_ADMINS and scene.viewer.role != "admin"

        def show(name: str = name, refused: bool = refused) -> None:
            if refused:
                refuse(scene, name)
            else:
                import_module(f"stakeholders.pages.{name}").show(scene)

        visibility: Literal["visible", "hidden"] = "hidden" if refused or name == "case" else "visible"
        first = name == "inbox"
        worded = scene.t(title)
        shown.append(st.Page(show, title=worded, icon=icon, url_path=name, default=first, visibility=visibility))
    return shown


def _language(config: Config) -> str:
    """Take the language of a new address, else of this session, else of this browser, else the instance's.

    The address counts once: a language that is chosen afterwards needs no address of its own to be gone back through.
    """
    told = st.query_params.get("lang")
    if told in LANGUAGES and told != st.session_state.get("lang_told"):
        st.session_state["lang"] = told
    st.session_state["lang_told"] = told
    kept = st.session_state.get("lang") or st.context.cookies.get("escucha_lang")
    return str(kept) if kept in LANGUAGES else config.language


def _name() -> str:
    """Take who is working: chosen in this session, or remembered by this browser; nobody until it is said."""
    if "who" not in st.session_state:
        kept = clean(unquote(st.context.cookies.get("escucha_who", "")))
        st.session_state["who"] = (kept or "")[:80]
    return str(st.session_state["who"])


def _viewer(scene: Scene) -> Viewer:
    """Give who looks; without [login] whoever sits at this machine, else who signed in, or the page that asks to."""
    login = scene.config.settings.login
    if login is None:
        return HERE
    signed_in = bool(getattr(st.user, "is_logged_in", False))
    viewer = recognise(st.user.to_dict(), login, datetime.now(UTC)) if signed_in else None
    if viewer is None:
        show_door(scene, refused=signed_in)
        st.stop()
    return viewer


def _show_who(scene: Scene) -> None:
    """Say who is signed in and what is shown, with the way out."""
    viewer = scene.viewer
    if viewer.departments is None:
        seen = scene.t(N_("every department"))
    else:
        seen = ", ".join(label(name, scene.lang) for name in sorted(viewer.departments))
    st.html(f'<p class="e-who"><b>{escape(viewer.name)}</b><br>{escape(seen)}</p>')
    st.button(scene.t(N_("Sign out")), on_click=st.logout)


def _ask_who(scene: Scene) -> None:
    known = list_people(scene.config.settings.departments.values())
    people = [name for name in dict.fromkeys((*known, scene.who)) if name]
    st.selectbox(
        scene.t(N_("I am")),
        people,
        index=people.index(scene.who) if scene.who else None,
        placeholder=scene.t(N_("Your name")),
        accept_new_options=True,
        key="_who",
        on_change=lambda: st.session_state.update(who=(clean(st.session_state["_who"]) or "")[:80]),
    )


def _ask_language(scene: Scene) -> None:
    def change() -> None:
        st.session_state["lang"] = st.session_state["_lang"] or scene.lang

    st.segmented_control(
        scene.t(N_("Language")),
        LANGUAGES,
        default=scene.lang,
        format_func=str.upper,
        key="_lang",
        on_change=change,
        label_visibility="collapsed",
    )


def _find(folder: Path) -> tuple[Config, Store]:
    """Find and open what the pages read; both are kept for the life of the process, until the file changes."""
    try:
        path = find_file(None)
    except ConfigError:
        path = find_file(str(folder / "config.toml"))
    config = _load_or_keep(str(path.resolve()), path.stat().st_mtime_ns, os.environ.get("ESCUCHA_STORE"))
    return config, _open(config.store_url)


def _load_or_keep(path: str, changed: int, store_url: str | None) -> Config:
    """Read the file; while it has faults, go on with what was read before, so that a slip takes no page away."""
    kept = _kept()
    try:
        kept[path] = _load(path, changed, store_url)
    except ConfigError:
        if path not in kept:
            raise
    return kept[path]


@st.cache_resource(show_spinner=False)
def _kept() -> dict[str, Config]:
    return {}


@st.cache_resource(show_spinner=False, max_entries=2)
def _load(path: str, changed: int, store_url: str | None) -> Config:  # noqa: ARG001 - they name the version
    config = load(Path(path), secrets=False)
    install(config.secrets)
    return config


@st.cache_resource(show_spinner=False, max_entries=2)
def _open(url: str) -> Store:
    store = Store(url)
    store.migrate()
    return store
