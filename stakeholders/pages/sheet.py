"""Show a letter in a frame of its own: it may run no script and load nothing from anywhere."""

from __future__ import annotations

import streamlit as st

__all__ = ["show_sheet"]

# The frame may run no script and load nothing from anywhere; links open beside it.
_RULES = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
    '<base target="_blank">'
)
_SCRIPT = """
export default function ({ data, parentElement }) {
  let frame = parentElement.querySelector("iframe");
  if (!frame) {
    frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-same-origin allow-popups allow-popups-to-escape-sandbox");
    frame.style.cssText = "width:100%;border:0;background:#fff;border-radius:8px;min-height:420px;color-scheme:light";
    parentElement.appendChild(frame);
  }
  frame.title = data.title;
  frame.onload = () => {
    const body = frame.contentDocument?.documentElement;
    if (body) frame.style.height = Math.min(6000, body.scrollHeight + 8) + "px";
    // Who comes by Tab sees where they are.
    frame.contentWindow?.addEventListener("focus", () => { frame.style.outline = "2px solid #2a917d"; });
    frame.contentWindow?.addEventListener("blur", () => { frame.style.outline = "none"; });
  };
  frame.srcdoc = data.page;
}
"""


def show_sheet(page: str, title: str) -> None:
    """Draw an HTML page of a mail as its reader sees it; `title` names the frame for who cannot see it."""
    component = st.components.v2.component("escucha.letter", js=_SCRIPT)
    component(data={"page": _RULES + page, "title": title}, key="letter")
