"""Ask people to sign in, and tell those who may not enter whom to ask."""

from __future__ import annotations

import logging
from base64 import b64encode

import streamlit as st

from listener.reason import N_
from stakeholders.pages.marks import note
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape
from stakeholders.pages.theme import LOGO

__all__ = ["refuse", "show_door"]

log = logging.getLogger(__name__)


def show_door(scene: Scene, *, refused: bool) -> None:
    """Draw the page before the dashboard: a button to sign in; `refused`: that this account sees nothing, or no longer.

    Nothing of the instance but its name is on it.
    """
    # As a picture: what st.html shows is cleaned of drawings that stand in it.
    logo = f'<img alt="" src="data:image/svg+xml;base64,{b64encode(LOGO.encode()).decode()}">'
    st.html(f'<div class="e-door">{logo}<h1>{escape(scene.config.settings.instance.name)}</h1></div>')
    if refused:
        # The provider's own number for the account: enough to find it there, and no address in a log.
        log.warning("login: no role fits the account with sub %s, or its login is too old", st.user.get("sub", "?"))
        st.html(note(scene.t(N_("Your account may not see this dashboard, or you signed in too long ago.")), "warn"))
        _line(scene.t(N_("Sign in again, or ask whoever runs Escucha to add you to [login] roles.")))
        st.button(scene.t(N_("Sign in with another account")), on_click=st.logout, type="primary")
        return
    _line(scene.t(N_("What is said here belongs to people: sign in with your company account.")))
    st.button(scene.t(N_("Sign in")), on_click=st.login, type="primary")


def _line(words: str) -> None:
    st.html(f'<p class="e-sub">{escape(words)}</p>')


def refuse(scene: Scene, page: str) -> None:
    """Say on a page that it is not for this reader, and log it by the role: no name, no address."""
    log.warning("login: a %s asked for the page %s: refused", scene.viewer.role, page)
    st.html(note(scene.t(N_("This page is for whoever runs Escucha here.")), "warn"))
