"""Hold the pieces a letter is laid out in: sections of blocks, already worded."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Block", "Section"]


@dataclass(frozen=True, slots=True)
class Block:
    """Hold one piece of a section; `kind` is text, case, picture or table and says which fields count."""

    kind: str
    words: str = ""  # text: the sentence; case: what it is; picture: its figures in words
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
