"""Turn what strangers wrote into harmless HTML: the only door by which their words reach a page as markup.

Every page hands strangers' text to `escape()` or `highlight()`; nothing of theirs is ever read as Markdown, as HTML, as
an address to load or as a direction of writing (WHATWG HTML, https://html.spec.whatwg.org/#the-bdi-element).
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from listener.mention import Term
from stakeholders.letters.quote import thin

__all__ = ["clip", "escape", "handle", "highlight", "straight", "web_link"]

LONGEST = 12_000  # characters of one post that a page shows

# Signs that turn the direction of what follows: shown, so that «txt.exe» cannot be dressed up as «exe.txt».
_TURNS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "⇄")
_PLAIN = re.compile("[^&<>\"'\u0300-\U0010ffff]*").fullmatch  # letters of Latin alone: nothing to guard against


def escape(text: object) -> str:
    """Escape anything for an element or a quoted attribute.

    Control characters and floods of combining signs go, turns of direction are shown.
    """
    shown = thin(str(text))
    if shown.isprintable() and _PLAIN(shown):
        return shown  # most of what a page shows, at a fifth of the price
    shown = shown.translate(_TURNS)
    if not shown.isprintable():
        shown = "".join(c for c in shown if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cs"))
    return html.escape(shown, quote=True)


def straight(text: str) -> str:
    """Take the signs out of a text that turn the direction of what follows: it is copied as it is read."""
    return text.translate(dict.fromkeys(_TURNS))


def handle(name: str) -> str:
    """Write an account's name as its platform does: u/name stays, others get their @."""
    bare = name.removeprefix("@")
    return bare if bare.startswith("u/") else f"@{bare}"


def highlight(
    text: str, terms: Iterable[Term] = (), limit: int = LONGEST, spoken: Mapping[str, str] | None = None
) -> str:
    """Escape a post's text with the words that named the brand in <mark>; its direction stays inside a <bdi>.

    `spoken` holds words of the text that decided a label, each with what it decided, which its tooltip says; the first
    place of each is underlined. Offsets that do not fit the text (it was edited at the source) are left out.
    """
    parts: list[str] = []
    place = 0
    shown = text[:limit]
    named = [(term.start, term.end, "") for term in terms if 0 <= term.start < term.end <= len(shown)]
    for start, end, why in sorted((*named, *_places(shown, spoken or {}, named))):
        if place <= start:
            tag = f'<mark class="e-spoke" title="{escape(why)}">' if why else "<mark>"
            parts.append(f"{escape(shown[place:start])}{tag}{escape(shown[start:end])}</mark>")
            place = end
    parts.append(escape(shown[place:]) + ("…" if len(text) > limit else ""))
    return f'<bdi dir="auto">{"".join(parts)}</bdi>'


def _places(text: str, spoken: Mapping[str, str], named: Iterable[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Find where the words stand that decided a label, beside those that named the brand."""
    taken = [(start, end) for start, end, _ in named]
    found = []
    for words, why in sorted(spoken.items(), key=lambda one: -len(one[0])):
        place = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", text)
        if place is not None and all(place.end() <= start or end <= place.start() for start, end in taken):
            taken.append(place.span())
            found.append((*place.span(), why))
    return found


def clip(text: str, terms: Iterable[Term] = (), width: int = 220) -> str:
    """Give one line of a post around the first word that named the brand, escaped and highlighted."""
    found = sorted(terms, key=lambda one: one.start)
    start = 0
    if found and found[0].end > width - 40:
        start = max(0, found[0].start - 60)
        start = text.rfind(" ", 0, start) + 1
    shifted = [Term(term.start - start, term.end - start, term.text) for term in found]
    line = text[start : start + 4 * width].replace("\r", " ").replace("\n", " ").replace("\t", " ")
    return ("… " if start else "") + highlight(line, shifted, width)


def web_link(url: str | None, words: str) -> str:
    """Link to a web address in a new tab, telling it nothing about us; any other scheme gives the words alone."""
    try:
        parts = urlsplit(url or "")
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good:
        return escape(words)
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer nofollow">{escape(words)}</a>'
