"""Open links between pages without loading everything anew, and answer the keyboard: j, k, g, and the keys links name.

A link is an ordinary <a href>: it can be shared, opened in a new tab, and works without this script, only slower. The
script pushes the address to the browser's history and says so; Streamlit then runs the page of that address, which
keeps the session and makes Back and Forward go where a reader expects.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

import streamlit as st

__all__ = ["address", "connect", "link"]

# The second key after g, and the page that it goes to.
_GO = {
    "i": "inbox", "p": "pulse", "v": "voices", "d": "departments", "s": "sources", "a": "accuracy", "m": "letters",
}  # fmt: skip

_SCRIPT = """
export default function (component) {
  // Data that changed mounts this anew: what was mounted before must not answer too.
  (document.escucha ??= {}).wire?.();
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
  // A mark of a chart holds an address, too. Left alone, the chart would load the whole page in a new session.
  const draw = (event) => {
    const told = event.target.__data__?.href;
    const plain = !(event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!told || !plain) return;
    const target = new URL(told, location.href);
    if (target.origin !== location.origin) return;
    event.preventDefault();
    event.stopPropagation();
    open(target);
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
  let going = false;
  const $ = (wanted) => document.querySelector(wanted);
  // The side bar is folded away on a phone, and comes in slowly.
  const unfold = (wanted, then) => {
    const folded = () => $('[data-testid="stExpandSidebarButton"]');
    folded()?.click();
    soon(() => {
      const one = !folded() && $('[data-testid="stSidebar"] ' + wanted);
      return one && one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().left >= 0 && one;
    }, then);
  };
  const save = () => {
    unfold(".st-key-view-box button", (button) => {
      button.scrollIntoView({ block: "center" });
      let again = 0;
      const opened = () => { // a page that is drawn meanwhile may have closed it
        const now = Date.now();
        if (now > again && $(".st-key-view-box button")?.getAttribute("aria-expanded") !== "true") {
          again = now + 500;
          $(".st-key-view-box button")?.click();
        }
        return $(".st-key-view-name input, .st-key-view-gone input");
      };
      soon(opened, (box) => box.focus());
    });
  };
  const soon = (find, then, end = Date.now() + 3000) => {
    const one = find();
    if (one) then(one);
    else if (Date.now() < end) requestAnimationFrame(() => soon(find, then, end));
  };
  const press = (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], [role=combobox]");
    if (event.key === "Escape" && event.target.closest?.('[data-testid="stSidebar"]')) fold(); // it covers a phone
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]") || localStorage.getItem("escucha-keys") === "off") return;
    const view = going && /^[1-9]$/.test(event.key) && document.querySelectorAll(".e-views a")[event.key - 1]?.href;
    const where = view || (going && data.go[event.key]);
    if (going && event.key === "b") {
      going = false;
      event.stopImmediatePropagation();
      unfold('[data-testid="stSidebarNav"] a', (first) => first.focus());
      return;
    }
    going = !going && event.key === "g";
    if (where) {
      event.preventDefault();
      event.stopImmediatePropagation();
      open({ href: new URL(where, document.baseURI).href });
      return;
    }
    const named = document.querySelector('a[data-key="' + CSS.escape(event.key) + '"]');
    if (named) { event.preventDefault(); open(named); return; }
    if (event.key === "v") { save(); return; }
    if ((event.key !== "j" && event.key !== "k") || document.querySelector(".e-item")) return; // triage.js knows more
    const kinds = ["a.e-row", ".e-heard .e-card a[data-go]", "a[data-go]"];
    const found = kinds.map((kind) => document.querySelectorAll('[data-testid="stMain"] ' + kind));
    const rows = [...(found.find((some) => some.length) ?? [])];
    const next = rows.indexOf(document.activeElement) + (event.key === "j" ? 1 : -1);
    rows[Math.max(0, Math.min(rows.length - 1, next))]?.focus();
  };
  document.addEventListener("click", draw, true);
  document.addEventListener("click", click);
  document.addEventListener("keydown", press, true); // before the keys of a page: the second key after g is no step
  window.addEventListener("popstate", seek);
  seek();
  return (document.escucha.wire = () => {
    window.removeEventListener("popstate", seek);
    document.removeEventListener("click", draw, true);
    document.removeEventListener("click", click);
    document.removeEventListener("keydown", press, true);
  });
}
"""


def connect(lang: str, who: str | None, *, keep: bool) -> None:
    """Mount the script; `who`, and with `keep` the language, are remembered in this browser."""
    component = st.components.v2.component("escucha.wire", js=_SCRIPT)
    data = {"lang": lang, "who": who, "keep": keep, "go": {key: address(page) for key, page in _GO.items()}}
    component(data=data, key="wire", height=1)


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
