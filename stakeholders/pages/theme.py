"""Hold the one look of all pages: Streamlit's options, and the style of what we compose ourselves, light and dark.

Colours are chosen for contrast of at least 4.5 : 1 on their ground (WCAG 2.2, 1.4.3); each also has a shape and a word.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

__all__ = ["FONT", "ICON", "INKS", "LOGO", "OPTIONS", "prepare", "style"]

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"

# Marks of charts, by the theme that the reader sees: charts are drawn on a canvas and know no style sheet.
INKS = {
    "light": {
        "ink": "#1d2a2c", "muted": "#586769", "line": "#dfe5e4", "ground": "#ffffff",
        "positive": "#0f6b5c", "neutral": "#b4bfbf", "negative": "#b3452c", "gap": "#eceff0", "other": "#839395",
    },
    "dark": {
        "ink": "#e7eded", "muted": "#a3b2b4", "line": "#2c393b", "ground": "#172022",
        "positive": "#4fb8a3", "neutral": "#62716f", "negative": "#e98a6f", "gap": "#263235", "other": "#7f8f91",
    },
}  # fmt: skip

OPTIONS: dict[str, object] = {
    "theme.font": FONT,
    "theme.headingFont": FONT,
    "theme.baseFontSize": 15,
    "theme.baseRadius": "6px",
    "theme.buttonRadius": "6px",
    "theme.showWidgetBorder": True,
    "theme.showSidebarBorder": True,
    "theme.linkUnderline": False,
    "theme.light.primaryColor": "#0f6b5c",
    "theme.light.backgroundColor": "#ffffff",
    "theme.light.secondaryBackgroundColor": "#f3f6f5",
    "theme.light.textColor": "#1d2a2c",
    "theme.light.linkColor": "#0f6b5c",
    "theme.light.borderColor": "#d5dddc",
    "theme.light.sidebar.backgroundColor": "#f3f6f5",
    "theme.light.sidebar.secondaryBackgroundColor": "#ffffff",
    "theme.dark.primaryColor": "#1d7867",
    "theme.dark.backgroundColor": "#111819",
    "theme.dark.secondaryBackgroundColor": "#1b2527",
    "theme.dark.textColor": "#e7eded",
    "theme.dark.linkColor": "#5fc7b2",
    "theme.dark.borderColor": "#334244",
    "theme.dark.sidebar.backgroundColor": "#0c1213",
    "theme.dark.sidebar.secondaryBackgroundColor": "#172022",
    # gc.collect() after each run costs 8 to 19 times the work of a small page (docs/dashboard.md)
    "runner.postScriptGC": False,
    "browser.gatherUsageStats": False,
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",  # a traceback may hold a post
}

LOGO = """<svg xmlns="http://www.w3.org/2000/svg" width="150" height="30" viewBox="0 0 150 30">
<g fill="none" stroke="#2a917d" stroke-width="2.6" stroke-linecap="round">
<path d="M6 21a9 9 0 1 1 12.5-8.3c0 4.6-4.6 5.2-5.6 9.2a4 4 0 0 1-6.9 1.6"/><path d="M8.6 13.2a3.6 3.6 0 1 1 5.4 3.1"/>
<path d="M22.4 6.4a11 11 0 0 1 0 12.4"/></g>
<text x="34" y="21" font-family="system-ui, 'Segoe UI', Roboto, sans-serif" font-size="18" font-weight="650"
 letter-spacing="-.2" fill="#2a917d">Escucha</text></svg>"""

# Drawn here: an icon by name would be fetched from a font server by the reader's browser.
ICON = LOGO.replace('width="150" height="30" viewBox="0 0 150 30"', 'width="30" height="30" viewBox="0 0 30 30"')
ICON = ICON.partition("<text")[0] + "</svg>"


@cache
def style() -> str:
    """Give the style sheet of what the pages compose, as one element."""
    return "<style>\n" + Path(__file__).with_name("style.css").read_text("utf-8") + "</style>"


def prepare() -> bool:
    """Set Streamlit's options in this process; True when they were not set yet, so that the page must be sent again."""
    from streamlit import config

    if config.get_option("theme.light.primaryColor") == OPTIONS["theme.light.primaryColor"]:
        return False
    for name, value in OPTIONS.items():
        config.set_option(name, value)
    return True
