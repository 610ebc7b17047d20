"""Say in plain words that the configuration cannot be read or the database is away, what is safe and what to do."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import streamlit as st
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError

from listener.database import Store
from listener.errors import ConfigError, StoreError
from listener.reason import N_, say
from listener.taxonomy import LANGUAGES
from stakeholders.pages.text import escape

__all__ = ["AWAY", "look_again", "run_guarded", "show_trouble", "spoken"]

log = logging.getLogger(__name__)

# What a database raises that is away, locked or damaged; a wrong statement of ours is another kind and stays loud.
AWAY = (OperationalError, InterfaceError)
_AGAIN = "5s"  # how often a page that found no database looks for it


def spoken() -> str:
    """Give the language to speak while no configuration says one: the address's, this browser's, else English."""
    told = (
        st.query_params.get("lang"),
        st.context.cookies.get("escucha_lang"),
        str(st.context.locale or "").partition("-")[0],
    )
    return next((one for one in told if one in LANGUAGES), "en")


def run_guarded(draw: Callable[[], Any], store: Store, lang: str) -> None:
    """Draw a page; a database that is away is told on it, and the page comes back by itself."""
    try:
        draw()
    except DatabaseError as error:
        if not isinstance(error, AWAY) and type(error) is not DatabaseError:
            raise
        _show_away(error, store, lang)
    except (InterfaceError, StoreError) as error:
        _show_away(error, store, lang)


def _show_away(error: Exception, store: Store, lang: str) -> None:
    log.error("pages: the database cannot be read (%s)", type(error).__name__)  # its words may hold values
    show_trouble(error, lang)

    def look() -> None:
        with store.read() as connection:
            connection.execute(text("SELECT 1"))

    look_again(look)


@st.fragment(run_every=_AGAIN)
def look_again(look: Callable[[], object]) -> None:
    """Look for the database every few seconds, and draw the page anew as soon as it answers."""
    try:
        look()
    except (DatabaseError, InterfaceError, StoreError, ConfigError):
        return
    if st.session_state.get("trouble-tried", 0) < 3:  # it answers and the page fails all the same: do not turn around
        st.session_state["trouble-tried"] = st.session_state.get("trouble-tried", 0) + 1
        st.rerun()


def show_trouble(error: Exception, lang: str) -> None:
    """Draw what is wrong, what is safe, and what to do next; never words that a database or a secret stands in."""
    if isinstance(error, ConfigError):
        title = N_("The configuration cannot be read")
        safe = N_("Nothing is lost: what was heard stays in the database. Mend the file, then load this page again.")
        lines = "".join(f"<li>{escape(str(fault))}</li>" for fault in error.faults) or f"<li>{escape(str(error))}</li>"
        words = escape(say(N_("To check it in a terminal:"), lang))
        more = f'<ul class="e-why">{lines}</ul><p class="e-sub">{words} <code>escucha check</code></p>'
    elif isinstance(error, StoreError):
        title = N_("The database cannot be used as it is")
        safe = N_("Nothing was changed in it.")
        more = f'<ul class="e-why"><li>{escape(str(error))}</li></ul>'
    else:
        title = N_("Not connected: the database does not answer")
        safe = N_(
            "What was heard is safe in it, and nothing here reads as zero. This page looks again every 5 seconds."
        )
        words = N_("If it stays so: is the server running, and is [store] url in config.toml right?")
        more = f'<p class="e-sub">{escape(say(words, lang))} <code>escucha check</code></p>'
    st.html(
        f'<section class="e-trouble" role="alert"><b class="e-brand">Escucha</b><h1>{escape(say(title, lang))}</h1>'
        f"<p>{escape(say(safe, lang))}</p>{more}</section>"
    )
