"""Write the table that one can turn: who spoke, of what and where, two labels at a time, by volume or net sentiment."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st
from sqlalchemy import Connection

from listener.reason import N_
from stakeholders.counting.crosstab import AXES, Axis, Cell, count_cells, sum_by
from stakeholders.insight import net_of
from stakeholders.lists.postlist import UNROUTED
from stakeholders.pages import marks, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.span import Span
from stakeholders.pages.text import escape

__all__ = ["Pivot", "draw"]

_NAMES: dict[Axis, str] = {"stakeholder": N_("who speaks"), "dimension": N_("what of"), "source": N_("where")}
_SHOWN = {"mentions": N_("mentions"), "net": N_("net sentiment")}
_NARROW = 8  # columns: beyond, their names are written smaller
_DEEP, _PALE = 45, 6  # per cent of colour of the fullest and the emptiest cell; words stay readable on both


@dataclass(frozen=True, slots=True)
class Pivot:
    """Hold which labels stand in rows and columns, and what a cell shows."""

    rows: Axis = "stakeholder"
    columns: Axis = "dimension"
    show: str = "mentions"

    @classmethod
    def of_address(cls) -> Pivot:
        """Read it; what nobody knows is left at what is usual."""
        query = st.query_params
        rows: Axis = next((axis for axis in AXES if axis == query.get("rows")), "stakeholder")
        others = [axis for axis in AXES if axis != rows]
        columns = next((axis for axis in others if axis == query.get("columns")), None)
        show = query.get("show", "")
        return cls(
            rows,
            columns or ("dimension" if rows != "dimension" else "stakeholder"),
            show if show in _SHOWN else "mentions",
        )

    def query(self) -> dict[str, str]:
        """Give its part of an address; what is usual is left out."""
        usual = Pivot()
        pairs = {"rows": self.rows, "columns": self.columns, "show": self.show}
        if (self.rows, self.columns) == (usual.rows, usual.columns):
            pairs = {"show": self.show}
        return {name: value for name, value in pairs.items() if (name, value) != ("show", usual.show)}


def draw(scene: Scene, connection: Connection, span: Span, pivot: Pivot) -> str:
    """Count and write the table with its sums and the chips that turn it; each number is a link to its posts."""
    cells = count_cells(connection, span.period, span.brand.key, pivot.rows, pivot.columns)
    if not cells:
        return ""
    title = f'<h2 class="e-h2">{escape(scene.t(N_("Who, what of, where")))}</h2>'
    rows, columns = sum_by(cells, "row"), sum_by(cells, "column")
    found = {(cell.row, cell.column): cell for cell in cells}
    most = max(cell.mentions for cell in cells)
    heads = "".join(f'<th scope="col">{_name(scene, pivot.columns, name)}</th>' for name in columns)
    every = escape(scene.t(N_("in all")))
    lines = []
    for row, total in rows.items():
        shown = "".join(
            f"<td>{_cell(scene, span, pivot, found.get((row, column)), row, column, most)}</td>" for column in columns
        )
        last = _cell(scene, span, pivot, total, row, "", 0)
        lines.append(f'<tr><th scope="row">{_name(scene, pivot.rows, row)}</th><td class="sum">{last}</td>{shown}</tr>')
    sums = "".join(
        f'<td class="sum">{_cell(scene, span, pivot, cell, "", name, 0)}</td>' for name, cell in columns.items()
    )
    whole = _cell(scene, span, pivot, _whole(rows), "", "", 0)
    lines.append(f'<tr><th scope="row">{every}</th><td class="sum">{whole}</td>{sums}</tr>')
    many = " many" if len(columns) > _NARROW else ""
    turned = escape(scene.t(_NAMES[pivot.rows]))
    foot = scene.t(N_("A darker cell holds more mentions. Every number opens its posts."))
    if pivot.show == "net":
        sentence = N_(
            "▲ and ▼ stand only where the 95 % interval lies wholly above or below zero; grey: too few to tell."
        )
        foot = scene.t(sentence)
    return (
        f'{title}{_chips(scene, span, pivot)}<div class="e-scroll"><table class="e-heat{many}"><thead><tr>'
        f'<th><span class="e-hidden">{turned}</span></th>'
        f'<th scope="col">{every}</th>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'
        f'<p class="e-sub">{escape(foot)}</p>'
    )


def _chips(scene: Scene, span: Span, pivot: Pivot) -> str:
    """Write the choices: rows, columns, and what a cell shows."""
    groups = []
    for title, name in ((N_("rows"), "rows"), (N_("columns"), "columns"), (N_("show"), "show")):
        options: Mapping[str, str] = _SHOWN if name == "show" else _NAMES  # type: ignore[assignment]
        chips = []
        for value, words in options.items():
            chosen = _turned(pivot, name, value)
            style = "e-chip on" if getattr(pivot, name) == value else "e-chip"
            query = scene.query(span.query(chosen.query()))
            chips.append(wire.link("pulse", query, escape(scene.t(words)), style=style))
        groups.append(f'<span>{escape(scene.t(title))} <span class="e-chips">{"".join(chips)}</span></span>')
    return f'<div class="e-pivot">{"".join(groups)}</div>'


def _turned(pivot: Pivot, name: str, value: str) -> Pivot:
    """Give the table with one choice changed; a label that already stands on the other side changes places."""
    told = {"rows": pivot.rows, "columns": pivot.columns, "show": pivot.show} | {name: value}
    if told["rows"] == told["columns"]:
        other = "columns" if name == "rows" else "rows"
        told[other] = getattr(pivot, name)
    return Pivot(**told)  # type: ignore[arg-type]  # the values are those of the choices


def _cell(
    scene: Scene, span: Span, pivot: Pivot, cell: Cell | None, row: str | None, column: str | None, most: int
) -> str:
    """Write one cell as a link to its posts; `row` or `column` of "" is a sum; `most` of 0 leaves the ground plain."""
    if cell is None or not cell.mentions:
        return '<span class="nil">·</span>'
    asked = {
        axis: UNROUTED if value is None else value
        for axis, value in ((pivot.rows, row), (pivot.columns, column))
        if value != ""
    }
    number = marks.number(scene, cell.mentions)
    label = marks.count(scene, cell.mentions, N_("1 mention"), N_("{n} mentions"))
    style, heat, inner = "", 0, escape(number)
    if pivot.show == "net":
        net = net_of(cell.mentions, cell.negative, cell.neutral, cell.positive, cell.unsure)
        assert net is not None
        sure = net.low > 0 or net.high < 0
        shape = ("▲ " if net.net > 0 else "▼ ") if sure else ""
        inner = f"{shape}{escape(marks.signed(net.net))}"
        label += f" · {marks.signed(net.low)} … {marks.signed(net.high)}"
        style = "few" if not sure else "negative" if net.net < 0 else "positive"
        heat = round(_PALE + (_DEEP - _PALE) * abs(net.net)) if sure else 0
    elif most:
        heat = round(_PALE + (_DEEP - _PALE) * math.sqrt(cell.mentions / most))
    names = [_name(scene, axis, value) for axis, value in ((pivot.rows, row), (pivot.columns, column)) if value != ""]
    link = wire.link("posts", scene.query(span.wanted(**asked).to_query()), inner, style=f"heat {style}".strip())
    # The ground and the words for who hovers or hears; both are ours or escaped.
    told = " · ".join([*names, escape(label)])
    ground = f' style="--heat:{heat if most else 0}"'
    return link.replace("<a ", f'<a title="{told}" aria-label="{told}"{ground} ', 1)


def _name(scene: Scene, axis: Axis, value: str | None) -> str:
    if value is None:
        return escape(scene.t(N_("not routed yet")))
    return escape(scene.source(value) if axis == "source" else scene.t("{name}", name=value))


def _whole(rows: Mapping[str | None, Cell]) -> Cell:
    return next(
        iter(
            sum_by(
                (Cell("", None, c.mentions, c.negative, c.neutral, c.positive, c.unsure) for c in rows.values()), "row"
            ).values()
        )
    )
