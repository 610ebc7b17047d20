"""Open links between pages without loading everything anew, and answer the keyboard: j, k, and the keys links name.

A link is an ordinary <a href>: it can be shared, opened in a new tab, and works without this script, only slower. The
script pushes the address to the browser's history and says so; Streamlit then runs the page of that address, which
keeps the session and makes Back and Forward go where a reader expects.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

__all__ = ["address", "connect", "link"]

_SCRIPT = """
export default function (component) {
  const { data } = component;
  if (data.who !== null) {
    document.cookie = "escucha_who=" + encodeURIComponent(data.who) + "; path=/; SameSite=Lax; max-age=31536000";
  }
  if (data.keep) {
    document.cookie = "escucha_lang=" + data.lang + "; path=/; SameSite=Lax; max-age=31536000";
  }
  document.documentElement.lang = data.lang;
  const here = new URL(location.href);
  if (data.keep && here.searchParams.has("lang") && here.searchParams.get("lang") !== data.lang) {
    here.searchParams.set("lang", data.lang);
    history.replaceState(history.state, "", here);
  }
  const fold = () => {
    if (innerWidth < 768) document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
  };
  const open = (anchor) => {
    history.pushState({}, "", anchor.href);
    window.dispatchEvent(new PopStateEvent("popstate"));
    document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0);
  };
  const click = (event) => {
    if (event.target.closest?.('[data-testid="stSidebar"] a')) setTimeout(fold, 0);
    const anchor = event.target.closest?.("a[data-go]");
    const plain = !(event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (anchor && plain && anchor.origin === location.origin) {
      event.preventDefault();
      open(anchor);
    }
  };
  // A link may ask for the reply of a case: its box is drawn a moment later, and then it is the place to write.
  const seek = () => {
    if (new URL(location.href).searchParams.get("at") !== "reply") return;
    const until = Date.now() + 10000;
    const look = () => {
      const box = document.querySelector(".st-key-case-steps textarea");
      if (box && new URL(location.href).searchParams.get("at") === "reply") {
        const url = new URL(location.href);
        url.searchParams.delete("at"); // done once: going back and forth later does not take the cursor
        history.replaceState(history.state, "", url);
        box.scrollIntoView({ block: "center" });
        box.focus();
      } else if (Date.now() < until) setTimeout(look, 80);
    };
    look();
  };
  const press = (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], [role=combobox]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const named = document.querySelector('a[data-key="' + CSS.escape(event.key) + '"]');
    if (named) { event.preventDefault(); open(named); return; }
    if ((event.key !== "j" && event.key !== "k") || document.querySelector(".e-item")) return; // triage.js knows more
    const rows = [...document.querySelectorAll("a.e-row")];
    const next = rows.indexOf(document.activeElement) + (event.key === "j" ? 1 : -1);
    rows[Math.max(0, Math.min(rows.length - 1, next))]?.focus();
  };
  document.addEventListener("click", click);
  document.addEventListener("keydown", press);
  window.addEventListener("popstate", seek);
  seek();
  return () => {
    window.removeEventListener("popstate", seek);
    document.removeEventListener("click", click);
    document.removeEventListener("keydown", press);
  };
}
"""


def connect(lang: str, who: str | None, *, keep: bool) -> None:
    """Mount the script; `who`, and with `keep` the language, are remembered in this browser."""
    component = st.components.v2.component("escucha.wire", js=_SCRIPT)
    component(data={"lang": lang, "who": who, "keep": keep}, key="wire", height=1)


def address(page: str, query: Mapping[str, object] | None = None) -> str:
    """Give the relative address of a page ("inbox", "case"…) with a query; values that are None or "" are left out."""
    told = [(key, value) for key, value in (query or {}).items() if value not in (None, "")]
    return ("./" if page == "inbox" else page) + ("?" + urlencode(told, doseq=True) if told else "")


def link(
    page: str, query: Mapping[str, object] | None, inner: str, *, style: str = "", key: str = "", label: str = ""
) -> str:
    """Write a link to a page around escaped HTML; `key` opens it from the keyboard."""
    from stakeholders.pages.text import escape

    more = f' class="{style}"' if style else ""
    more += f' data-key="{escape(key)}"' if key else ""
    more += f' aria-label="{escape(label)}"' if label else ""
    return f'<a href="{escape(address(page, query))}" target="_self" data-go="1"{more}>{inner}</a>'
