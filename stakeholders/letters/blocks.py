"""Hold the pieces a letter is laid out in: sections of blocks, already worded."""

from __future__ import annotations

from dataclasses import dataclass

from listener.reason import Reason

__all__ = ["HOW", "SPOKEN", "Block", "Outline", "Section", "Sentence"]

HOW = "https://github.com/escucha/escucha/blob/main/docs/figures.md"  # how the figures of a letter are made
SPOKEN = 4  # sentences on top of a letter; what else did not work follows in a section of its own


@dataclass(frozen=True, slots=True)
class Block:
    """Hold one piece of a section; `kind` is text, item, case, picture or table and says which fields count."""

    kind: str
    words: str = ""  # text, item: the sentence; case: what it is; picture: its figures in words
    bad: bool = False
    tag: str = ""  # case: its priority
    more: str = ""  # case: people, posts, due time
    link: str = ""  # case: its page; text: where the whole sentence leads
    quote: str = ""
    who: str = ""
    name: str = ""  # picture: volume, shares or voices; table: departments, whose rows need the width of a telephone
    rows: tuple[tuple[str, str, str], ...] = ()  # table: label, value, note; a label that starts with a dash is a part


@dataclass(frozen=True, slots=True)
class Section:
    """Hold a titled part of the letter."""

    title: str
    blocks: tuple[Block, ...]
    boxed: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """Hold one sentence of the headline, whether it is bad news, and what must be said right after it."""

    reason: Reason
    bad: bool = False
    notes: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Outline:
    """Hold the whole letter in words."""

    subject: str
    title: str
    days: str
    overline: str
    sentences: tuple[Block, ...]
    sections: tuple[Section, ...]
    attention: str
    open: tuple[str, str]  # words, link
    how: tuple[str, str]
    foot: tuple[str, ...] = ()
    glance: tuple[tuple[str, str, str], ...] = ()  # the first page of a PDF: label, value, what it was before
