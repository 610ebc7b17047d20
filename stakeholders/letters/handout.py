"""Print a letter as a PDF: the first page is the five minutes, the rest is for who wants to know more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from stakeholders.letters.blocks import Block, Outline, Section
from stakeholders.letters.paper import INNER, Paper

__all__ = ["print_letter"]

_WIDE = INNER * 0.74  # a picture's width: the letters in it are then as large as the text beside it
_TALL = 88.0  # millimetres that a heading and its picture need at most


def print_letter(outline: Outline, pictures: Mapping[str, bytes], lang: str, at: datetime) -> bytes:
    """Give the bytes of a letter on A4; `at` is the moment that the document says it was made, `pictures` by name."""
    paper = Paper(outline.subject, lang, " · ".join(outline.foot), at)
    paper.heading(outline.title, over=outline.overline)
    paper.text(f"{outline.days}\n", muted=True)
    bad = [block.words for block in outline.sentences if block.bad]
    if bad:
        paper.callout(outline.attention, "\n".join(f"– {one}" for one in bad) if len(bad) > 1 else bad[0], "bad")
    for block in outline.sentences:
        if not block.bad:
            paper.text(block.words)
    if outline.glance:
        paper.table(outline.glance, widths=(30, 34, 36))
    for section in outline.sections:
        # A picture's heading never stands alone at the foot of a page.
        if section.blocks[0].kind == "picture" and section.blocks[0].name in pictures:
            paper.keep(_TALL)
        _print_section(paper, section, pictures)
    paper.rule()
    paper.link(*outline.how)
    return paper.finish()


def _print_section(paper: Paper, section: Section, pictures: Mapping[str, bytes]) -> None:
    paper.heading(section.title, 2)
    for block in section.blocks:
        _print_block(paper, block, pictures)


def _print_block(paper: Paper, block: Block, pictures: Mapping[str, bytes]) -> None:
    if block.kind == "picture":
        if block.name in pictures:
            paper.picture(pictures[block.name], block.words, _WIDE)
    elif block.kind == "table":
        rows = [[f"   {label}" if label.startswith("–") else label, value, note] for label, value, note in block.rows]
        if block.name or not any(note for _, _, note in block.rows):
            noted = any(note for _, _, note in block.rows)
            paper.table(rows if noted else [row[:2] for row in rows], widths=(30, 34, 36) if noted else (70, 30))
        else:
            paper.table(rows, widths=(50, 22, 28))
    elif block.kind == "case":
        paper.link(f"{block.tag} · {block.words}", block.link)
        about = " · ".join(part for part in (block.who, block.more) if part)
        paper.quote(f"«{block.quote}»" if block.quote else about, about if block.quote else None)
    elif block.kind == "item":
        paper.bullet(block.words)
    elif block.bad:
        paper.bullet(block.words, "bad")
    elif block.link:
        paper.link(block.words, block.link)
    else:
        paper.text(block.words)
