"""Lay out a document on A4 in the house's look: headings, text, quotes, tables, pictures and callouts, as PDF.

The same content gives the same bytes: nothing of the clock enters but the moment handed in. The letters are those of
DejaVu, which comes with matplotlib and knows accents, arrows and most signs; a sign it lacks is shown as ▯. What a
stranger wrote is text only: no markup is read in it and no link of theirs becomes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

if TYPE_CHECKING:
    from fpdf import FPDF

__all__ = ["INNER", "Paper", "Tone"]

Tone = Literal["plain", "good", "bad", "warn"]
INNER = 174.0  # millimetres between the margins

_MARGIN = 18.0
_INK, _SOFT, _LINE, _OURS = (29, 42, 44), (88, 103, 105), (213, 221, 220), (15, 107, 92)
_TONES: dict[Tone, tuple[tuple[int, int, int], tuple[int, int, int]]] = {  # ground, bar
    "plain": ((243, 246, 245), (138, 154, 154)),
    "good": ((232, 243, 240), _OURS),
    "bad": ((250, 236, 232), (179, 69, 44)),
    "warn": ((252, 244, 226), (176, 122, 24)),
}
_SIZES = {1: 17.0, 2: 12.5, 3: 10.5}
_BODY, _SMALL = 9.5, 8.0
_ROW = 5.0  # millimetres of one line of body text
_CELL = 40  # lines of one row of a table: more are torn into rows below one another, since no row crosses a page
_LACKING = "▯"
_PAGES = "\uf6c5" * 2  # stands for the number of pages, as wide as it: of private use, so that no text can hold it


class Paper:
    """Hold a PDF while it is written from top to bottom; `finish` gives its bytes."""

    def __init__(self, title: str, lang: str, footer: str, at: datetime) -> None:
        """Open a document; `footer` stands on each page before its number, `at` becomes its date of creation."""
        self._pdf = pdf = _open(footer)
        pdf.set_title(title)
        pdf.set_lang(lang)
        pdf.set_creator("Escucha")
        pdf.set_producer("Escucha")
        pdf.set_creation_date(at)
        pdf.add_page()

    def heading(self, text: str, level: Literal[1, 2, 3] = 1, over: str | None = None) -> None:
        """Write a heading and put it into the outline; `over` is a small line above it."""
        pdf = self._pdf
        self.keep(_SIZES[level] * 0.36 * 1.4 + 3 * _ROW)
        if level > 1 and pdf.get_y() > _MARGIN + 1:
            pdf.ln(4.0 if level == 2 else 2.0)
        if over:
            self._write(over, _SMALL, _OURS, style="B")
        with pdf.local_context():
            pdf.start_section(self._known(text), level=level - 1)
        self._write(text, _SIZES[level], _INK, style="B", leading=1.32)
        pdf.ln(1.2)

    def text(self, words: str, muted: bool = False, small: bool = False, bold: bool = False) -> None:
        """Write a paragraph; line breaks in it are kept."""
        self._write(words, _SMALL if small else _BODY, _SOFT if muted else _INK, style="B" if bold else "")
        self._pdf.ln(1.0)

    def bullet(self, words: str, tone: Tone = "plain", after: str | None = None) -> None:
        """Write one point of a list with a mark in its tone; `after` stands muted on the next line."""
        pdf = self._pdf
        self.keep(2 * _ROW)
        pdf.set_fill_color(*_TONES[tone][1])
        pdf.rect(_MARGIN + 0.6, pdf.get_y() + 1.75, 1.6, 1.6, style="F")
        self._write(words, _BODY, _INK, indent=5.0)
        if after:
            self._write(after, _SMALL, _SOFT, indent=5.0)
        pdf.ln(0.8)

    def quote(self, words: str, source: str | None = None) -> None:
        """Write what somebody said, with a bar beside it and who said it below."""
        self._boxed([(words, _BODY, _INK, "I"), *([(source, _SMALL, _SOFT, "")] if source else [])], None, _LINE)

    def callout(self, title: str, words: str | None = None, tone: Tone = "plain") -> None:
        """Write what must not be overlooked, on a coloured ground with a bar of its tone."""
        ground, bar = _TONES[tone]
        self._boxed([(title, _BODY, _INK, "B"), *([(words, _BODY, _INK, "")] if words else [])], ground, bar)

    def table(
        self,
        rows: Sequence[Sequence[str]],
        headers: Sequence[str] | None = None,
        widths: Sequence[float] | None = None,
        numbers: Sequence[int] = (),
    ) -> None:
        """Write a table, its head repeated on each page; `widths` are shares, `numbers` columns set to the right."""
        if not rows:
            return
        from fpdf.fonts import FontFace

        pdf = self._pdf
        many = len(rows[0])
        self._font(_SMALL + 0.5, _INK)
        pdf.set_draw_color(*_LINE)
        pdf.set_fill_color(255, 255, 255)  # a table's cells take the colour that was last used
        aligned = tuple("RIGHT" if column in numbers else "LEFT" for column in range(many))
        with pdf.table(
            borders_layout="HORIZONTAL_LINES",
            col_widths=tuple(widths) if widths else None,
            text_align=aligned,
            first_row_as_headings=headers is not None,
            headings_style=FontFace(emphasis="BOLD", color=_SOFT, size_pt=_SMALL),
            line_height=4.6,
            padding=(0.9, 1.5, 0.9, 1.0),
            width=INNER,
            align="LEFT",
        ) as table:
            if headers is not None:
                table.row([self._known(name) for name in headers])
            for row in rows:
                for part in self._torn([self._known(cell) for cell in row], widths or [1] * many):
                    table.row(part)
        pdf.ln(2.5)

    def _torn(self, row: list[str], widths: Sequence[float]) -> list[list[str]]:
        """Give a row as it is, or the rows that follow one another where a cell of it is longer than a page takes."""
        if all(len(cell) < 300 and cell.count("\n") < _CELL // 2 for cell in row):
            return [row]
        lines = []
        for cell, width in zip(row, widths, strict=True):
            inner = INNER * width / sum(widths) - 3.0  # its padding, and a hair: a line must not be broken again
            told = self._pdf.multi_cell(inner, 4.6, cell, dry_run=True, output="LINES", align="L")
            lines.append(cast("list[str]", told))
        starts = range(0, max(map(len, lines)), _CELL)
        return [["\n".join(cell[start : start + _CELL]) for cell in lines] for start in starts]

    def picture(self, png: bytes, words: str, width: float = INNER) -> None:
        """Put a picture of `width` millimetres; `words` say what it shows to who cannot see it."""
        pdf = self._pdf
        from PIL import Image

        with Image.open(BytesIO(png)) as image:
            high = width * image.height / image.width
        self.keep(high)
        pdf.image(BytesIO(png), x=_MARGIN, w=width, h=high, alt_text=self._known(words))
        pdf.ln(2.0)

    def rule(self) -> None:
        """Draw a thin line across the page."""
        pdf = self._pdf
        pdf.ln(1.5)
        pdf.set_draw_color(*_LINE)
        pdf.line(_MARGIN, pdf.get_y(), _MARGIN + INNER, pdf.get_y())
        pdf.ln(2.5)

    def link(self, words: str, address: str) -> None:
        """Write a link to an address of our own, never of a stranger's text."""
        self._font(_BODY, _OURS, "B")
        self._pdf.multi_cell(INNER, _ROW, self._known(words), link=address, new_x="LMARGIN", new_y="NEXT", align="L")
        self._pdf.ln(1.0)

    def new_page(self) -> None:
        """Go on at the top of the next page."""
        self._pdf.add_page()

    def keep(self, high: float) -> None:
        """Begin a new page where `high` millimetres no longer fit, but not for what is longer than a page."""
        pdf = self._pdf
        longest = pdf.page_break_trigger - _MARGIN
        if longest >= high > pdf.page_break_trigger - pdf.get_y() and pdf.get_y() > _MARGIN + 1:
            pdf.add_page()

    def finish(self) -> bytes:
        """Give the document's bytes."""
        return bytes(self._pdf.output())

    def _boxed(
        self,
        parts: Sequence[tuple[str, float, tuple[int, int, int], str]],
        ground: tuple[int, int, int] | None,
        bar: tuple[int, int, int],
    ) -> None:
        """Write parts beside a bar, on a ground where one is given, and never torn unless longer than a page."""
        pdf = self._pdf
        inner = INNER - 9.0
        high = 0.0
        for words, size, ink, style in parts:
            self._font(size, ink, style)
            told = pdf.multi_cell(inner, size * 0.5, self._known(words), dry_run=True, output="HEIGHT", align="L")
            high += cast("float", told)
        around = 2.2 if ground else 0.4
        self.keep(high + 2 * around)
        top, page = pdf.get_y(), pdf.page_no()
        fits = top + high + 2 * around < pdf.page_break_trigger
        if fits:
            if ground:
                pdf.set_fill_color(*ground)
                pdf.rect(_MARGIN, top, INNER, high + 2 * around, style="F")
            pdf.set_fill_color(*bar)
            pdf.rect(_MARGIN, top, 1.1, high + 2 * around, style="F")
        pdf.set_y(top + around)
        for words, size, ink, style in parts:
            self._font(size, ink, style)
            pdf.set_x(_MARGIN + 5.0)
            pdf.multi_cell(inner, size * 0.5, self._known(words), new_x="LMARGIN", new_y="NEXT", align="L")
        if pdf.page_no() == page and fits:
            pdf.set_y(top + high + 2 * around)
        pdf.ln(2.4)

    def _write(
        self,
        words: str,
        size: float,
        ink: tuple[int, int, int],
        style: str = "",
        indent: float = 0.0,
        leading: float = 1.49,
    ) -> None:
        self._font(size, ink, style)
        self._pdf.set_x(_MARGIN + indent)
        self._pdf.multi_cell(
            INNER - indent, size * 0.3528 * leading, self._known(words), new_x="LMARGIN", new_y="NEXT", align="L"
        )

    def _font(self, size: float, ink: tuple[int, int, int], style: str = "") -> None:
        self._pdf.set_font("DejaVu", style, size)
        self._pdf.set_text_color(*ink)

    @staticmethod
    def _known(words: str) -> str:
        """Give the text with each sign that the letters lack as ▯, and without signs that only steer a line."""
        known = _signs()
        return "".join(sign if sign == "\n" or sign in known else _stand_in(sign) for sign in words)


def _stand_in(sign: str) -> str:
    import unicodedata

    if sign == "\t":
        return "    "
    # Joiners, variation selectors, bidi marks and other controls have no picture of their own.
    return "" if unicodedata.category(sign) in ("Cc", "Cf", "Mn") else _LACKING


def _fonts() -> Path:
    import matplotlib as mpl

    return Path(mpl.get_data_path()) / "fonts" / "ttf"


@cache
def _signs() -> frozenset[str]:
    """Read once which signs the letters know; controls that steer the direction of text are left out."""
    import unicodedata

    from fontTools.ttLib import TTFont

    with TTFont(_fonts() / "DejaVuSans-Oblique.ttf") as font:
        oblique = set(font.getBestCmap())
    with TTFont(_fonts() / "DejaVuSans.ttf") as font:
        upright = set(font.getBestCmap())
    with TTFont(_fonts() / "DejaVuSans-Bold.ttf") as font:
        bold = set(font.getBestCmap())
    return frozenset(
        chr(code) for code in upright & oblique & bold if unicodedata.category(chr(code)) not in ("Cc", "Cf", "Co")
    )


def _open(footer: str) -> FPDF:
    from fpdf import FPDF

    class Sheet(FPDF):
        def footer(self) -> None:
            self.set_y(-13)
            self.set_font("DejaVu", "", 7.5)
            self.set_text_color(*_SOFT)
            self.cell(INNER - 20, 4, Paper._known(footer), align="L")
            self.cell(20, 4, f"{self.page_no()} / {_PAGES}", align="R")

    pdf = Sheet(format="A4")
    pdf.alias_nb_pages(_PAGES)
    for style, name in (("", "DejaVuSans"), ("B", "DejaVuSans-Bold"), ("I", "DejaVuSans-Oblique")):
        pdf.add_font("DejaVu", style, _fonts() / f"{name}.ttf")
    pdf.add_font("DejaVu", "BI", _fonts() / "DejaVuSans-BoldOblique.ttf")
    pdf.set_margins(_MARGIN, _MARGIN, _MARGIN)
    pdf.set_auto_page_break(auto=True, margin=_MARGIN)
    pdf.c_margin = 0.0
    return pdf
