"""Frame all pages: find the configuration, open the store once, draw the side bar, run the page of the address."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

import streamlit as st

from listener.config import Config, find_file, load
from listener.database import Store
from listener.errors import ConfigError, StoreError
from listener.reason import N_
from listener.redaction import install
from listener.taxonomy import LANGUAGES
from stakeholders.pages import marks, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.theme import ICON, LOGO, prepare, style

__all__ = ["run"]

_PAGES = (
    ("inbox", N_("Inbox"), ":material/inbox:"),
    ("case", N_("Case"), ":material/chat_bubble:"),
    ("pulse", N_("Pulse"), ":material/monitoring:"),
    ("sources", N_("Sources"), ":material/sensors:"),
    ("letters", N_("Mail"), ":material/mail:"),
)


def run(folder: Path) -> None:
    """Draw the dashboard; `folder` is where config.toml is looked for after ESCUCHA_CONFIG and the current folder."""
    again = prepare()
    st.set_page_config(page_title="Escucha", page_icon=ICON, layout="wide", initial_sidebar_state=248)
    st.html(style())
    try:
        config, store = _find(folder)
    except (ConfigError, StoreError) as error:
        st.html(marks.note(str(error), "bad"))
        st.stop()
    scene = Scene(config, store, _language(config), _name(config))
    page = st.navigation(_pages(scene), position="sidebar")
    if again:
        st.rerun()  # options were set after the browser was told the theme: once in the life of a process
    st.logo(LOGO, size="large")
    wire.connect(scene.lang, st.session_state.get("who"))
    page.run()
    with st.sidebar:
        _ask_who(scene)
        _ask_language(scene)


def _pages(scene: Scene) -> list[st.Page]:
    """List the pages; the letters of a demo are there only when a folder of them is."""
    shown = []
    for name, title, icon in _PAGES:
        if name == "letters" and not os.environ.get("ESCUCHA_DEMO_INBOX"):
            continue

        def show(name: str = name) -> None:
            import_module(f"stakeholders.pages.{name}").show(scene)

        visibility: Literal["visible", "hidden"] = "hidden" if name == "case" else "visible"
        first = name == "inbox"
        worded = scene.t(title)
        shown.append(st.Page(show, title=worded, icon=icon, url_path=name, default=first, visibility=visibility))
    return shown


def _language(config: Config) -> str:
    """Take the language of the address, else the one of this session, else the instance's."""
    given = st.query_params.get("lang") or st.session_state.get("lang") or config.language
    lang = given if given in LANGUAGES else config.language
    st.session_state["lang"] = lang
    return lang


def _name(config: Config) -> str:
    """Take who is working: chosen in this session, remembered by this browser, or the first person of the config."""
    if "who" not in st.session_state:
        kept = unquote(st.context.cookies.get("escucha_who", ""))[:80]
        st.session_state["who"] = kept or next(iter(_people(config)), "")
    return str(st.session_state["who"])


def _people(config: Config) -> list[str]:
    """Give every name that the configuration knows, once, in its order."""
    known = (name for table in config.settings.departments.values() for name in (*table.people, table.lead) if name)
    return list(dict.fromkeys(known))


def _ask_who(scene: Scene) -> None:
    people = list(dict.fromkeys((*_people(scene.config), *([scene.who] if scene.who else []))))
    st.selectbox(
        scene.t(N_("I am")),
        people,
        index=people.index(scene.who) if scene.who else None,
        placeholder=scene.t(N_("Your name")),
        accept_new_options=True,
        key="_who",
        on_change=lambda: st.session_state.update(who=(st.session_state["_who"] or "")[:80]),
    )


def _ask_language(scene: Scene) -> None:
    def change() -> None:
        st.session_state["lang"] = st.session_state["_lang"] or scene.lang
        st.query_params["lang"] = st.session_state["lang"]

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
    config = _load(str(path.resolve()), path.stat().st_mtime_ns, os.environ.get("ESCUCHA_STORE"))
    return config, _open(config.store_url)


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
