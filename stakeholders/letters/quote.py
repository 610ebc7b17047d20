"""Shorten what a stranger wrote for a letter: one line, plain characters, personal data masked, nothing to click."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

__all__ = ["quote", "thin", "veil_quote", "veil_words"]

_MARK = "[…]"
_ADDRESS = re.compile(r"(?:https?:|www\.)\S*", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@<>,;:]+@[^\s@<>,;:]+\.[^\s@<>,;:]+")
_NUMBER = re.compile(r"\+?\d(?:[\s().-]{0,2}\d){7,}")  # a phone, an identity card, an account
_AMOUNT = re.compile(r"\d{1,3}([.,])\d{3}(?:\1\d{3})*")  # 12.000.000
_DOT = re.compile(r"(?<=\w)\.(?=[^\W\d_])")
_SAID = re.compile("«[^»]*»")
# Signs that stand over or under the one before: no writing piles up more than a few, and floods cover other lines.
_SIGNS = (
    r"[\u0300-\u036f\u0483-\u0489\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f]"
)
_FLOOD = re.compile(f"({_SIGNS}{{4}}){_SIGNS}+")
_JOINERS = "\u200c\u200d\ufe0f"  # they hold an emoji or a word together and show nothing else


def thin(text: str) -> str:
    """Give a text with at most four combining signs on one letter: a flood of them cannot be broken into lines."""
    return text if text.isascii() else _FLOOD.sub(r"\1", text)


def quote(text: str, limit: int = 160) -> str:
    """Give a post's text in one line of at most `limit` characters; addresses, mails and long numbers are masked.

    A word joiner after the dot of "example.org" keeps mail programs from making a link of it.
    """
    plain = "".join(
        " " if char in "\n\r\t\u2028\u2029" else "" if _hidden(char) else char
        for char in thin(unicodedata.normalize("NFC", text[: 20 * limit]))
    )
    plain = _ADDRESS.sub(_MARK, plain)
    plain = _MAIL.sub(_MARK, plain)
    plain = _NUMBER.sub(lambda found: found[0] if _AMOUNT.fullmatch(found[0]) else _MARK, plain)
    plain = " ".join(plain.split())
    if len(plain) > limit:
        cut = plain[: limit - 1]
        plain = (cut[: cut.rfind(" ")] if " " in cut[limit // 2 :] else cut).rstrip(" ,;:.") + "…"
    return _DOT.sub(".\u2060", plain)


def veil_quote(quoted: str, veil: Callable[[str], str]) -> str:
    """Give a quote as a veil leaves it; the joiners that keep it from being a link do not hide a name from the veil."""
    return _DOT.sub(".\u2060", veil(quoted.replace("\u2060", "")))


def veil_words(words: str, veil: Callable[[str], str]) -> str:
    """Give a sentence of ours with what it quotes («…») as a veil leaves it; its own figures stay."""
    return _SAID.sub(lambda found: veil_quote(found[0], veil), words)


def _hidden(char: str) -> bool:
    """Tell whether a character shows nothing or turns the direction of what follows."""
    return char not in _JOINERS and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn")
