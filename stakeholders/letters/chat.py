"""Shape a message for a chat: few words, a stranger's text as text, and never more than a channel takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from stakeholders.letters.letter import plain

if TYPE_CHECKING:
    from stakeholders.channels import Message

__all__ = ["Bubble", "bubble_of", "cut", "defuse", "one_line", "spoken", "text_of", "units"]

TITLE = 150  # UTF-16 units: the header of Slack, the shortest of all
LINE = 400
QUOTE = 1200
LABEL = 75
URL = 2000
LINES = 6
LINKS = 4
MORE = " …"

_JOINER = "\N{WORD JOINER}"


@dataclass(frozen=True, slots=True)
class Bubble:
    """Hold what a chat shows; every part is text without controls, cut to what every channel takes."""

    title: str
    lines: tuple[str, ...]
    quote: str
    links: tuple[tuple[str, str], ...]


def bubble_of(message: Message, *, internal: bool) -> Bubble:
    """Give what a chat shows of a message.

    A message that was written for mail alone is shown by its subject, and by the start of its text only where the
    channel is internal: in that text nothing is masked.
    """
    lines = message.lines
    if not (lines or message.quote) and internal:
        lines = tuple(line for line in message.text.splitlines() if line.strip())[:LINES]
    return Bubble(
        cut(one_line(message.title or message.subject), TITLE) or "Escucha",
        tuple(cut(shown, LINE) for line in lines[:LINES] if (shown := one_line(line))),
        cut(plain(message.quote), QUOTE),
        tuple(
            (cut(one_line(label), LABEL) or "→", url) for label, url in message.links if len(url) <= URL and _web(url)
        )[:LINKS],
    )


def text_of(bubble: Bubble, longest: int, *, links: bool = True) -> str:
    """Write a bubble as plain text of at most `longest` UTF-16 units; what a stranger wrote is defused and gives way.

    With links=False they are left out: the channel shows them as buttons.
    """
    head = "\n".join((defuse(bubble.title), *(defuse(line) for line in bubble.lines)))
    foot = "\n".join(f"{label}: {url}" for label, url in bubble.links) if links else ""
    room = longest - units(head) - units(foot) - 20
    quote = "\n".join(f"> {line}" for line in defuse(bubble.quote).splitlines()) if bubble.quote else ""
    told = [part for part in (head, cut(quote, max(room, 0)), foot) if part]
    text = "\n\n".join(told)
    return text if units(text) <= longest else cut(head, longest)


def defuse(text: str) -> str:
    """Put signs without width where a chat would call people, run a command or make a link of a stranger's text.

    A reader sees no difference.
    """
    told = text
    for sign in "@<[(":
        told = told.replace(sign, sign + _JOINER)
    lines = (_JOINER + line if line.startswith(("/", "!", "#", ">")) else line for line in told.split("\n"))
    return "\n".join(lines).replace("://", f":{_JOINER}//")


def one_line(text: str) -> str:
    """Give a text on one line, without controls."""
    return " ".join(plain(text).split())


def units(text: str) -> int:
    """Count a text as chats do: in UTF-16 units, so that an emoji counts two."""
    return len(text.encode("utf-16-le", "replace")) // 2


def cut(text: str, longest: int) -> str:
    """Cut a text to at most `longest` UTF-16 units, between words where there are any; a cut is shown."""
    if units(text) <= longest:
        return text
    if longest <= len(MORE):
        return ""
    kept = text.encode("utf-16-le", "replace")[: (longest - len(MORE)) * 2].decode("utf-16-le", "ignore")
    words = kept.rsplit(None, 1)
    return (words[0] if len(words) == 2 and len(words[0]) > len(kept) // 2 else kept).rstrip() + MORE


def _web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not any(sign <= " " for sign in url)


def spoken(told: Mapping[str, Any], *, internal: bool, known: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Give what a channel other than mail shows of a letter: by when, why, where to press; from its template's parts.

    Unless only our own people read the channel, personal data in a stranger's words is masked, in the reasons too,
    which may quote them; `known` are accounts that may be named (stakeholders.privacy.masking.known_accounts).
    """
    from stakeholders.privacy.masking import mask

    lang = told.get("lang", "en")

    def shown(text: str) -> str:
        return text if internal else mask(text, known=known, lang=lang).text

    reasons = [shown(line) for _, listed in told["lists"][:1] for line in listed]
    button = told["button"]
    press = [(button["label"], button["url"])] if button else []
    quote = told["quote"]
    return {
        "title": f"{told['chip']} · {told['crumbs']}",
        "lines": tuple(line for line in (told["headline"], told["subline"], *reasons[:2]) if line),
        "quote": shown("\n".join(quote["lines"])) if quote else "",
        "links": (*press, *told.get("press", ()), (told["link"][1], told["link"][0])),
    }
