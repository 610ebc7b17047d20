"""Show the work of each department: what came, how fast and how often in time, what waits; never that of a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

import streamlit as st

from listener.reason import N_
from sentiment.interval import wilson
from stakeholders.counting.change import Direction, growth, median_interval, part_direction, span_direction
from stakeholders.counting.period import Period
from stakeholders.counting.workload import Routed, Waiting, Work, count_routed, count_waiting, read_work
from stakeholders.pages import figures, marks, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.span import Span, show_head
from stakeholders.pages.text import escape

__all__ = ["show"]

_FEWEST = 3  # cases that a median is of: below, the letter leaves it out, too
_FASTER: dict[Direction, str] = {"up": N_("▲ measurably slower"), "down": N_("▼ measurably faster")}
_HEADS = (
    N_("department"),
    N_("new cases, by day"),
    N_("time to acknowledge"),
    N_("time to answer"),
    N_("within the clock"),
    N_("right first time"),
    N_("waiting now"),
)


def show(scene: Scene) -> None:
    """Draw the page for the period and the brand that the address names."""
    span = Span.of_address(scene)
    st.html(figures.sheet())
    show_head(scene, "departments", N_("Departments"), span)
    now, then = span.stretches
    brand = span.brand.key
    works, earlier, waiting, routed = scene.keep(
        ("departments", brand, span.period),
        lambda connection: (
            read_work(connection, now, brand, span.now),
            {one.department: one for one in read_work(connection, then, brand, span.now)},
            count_waiting(connection, brand, (), span.now),
            count_routed(connection, now, brand, ()),
        ),
    )
    if not works:
        words = scene.t(N_("No case was opened in this period and none waits."))
        more = f"<p>{wire.link('pulse', scene.query(span.query()), escape(scene.t(N_('Pulse'))))}</p>"
        st.html(marks.empty(scene.t(N_("Nothing came")), words, more))
        return
    st.html(_strip(scene, works, waiting, routed))
    most = max((count for one in works for count in one.came.values()), default=1)
    heads = "".join(f"<span>{escape(scene.t(words))}</span>" for words in _HEADS)
    rows = "".join(_row(scene, span, one, earlier.get(one.department), (now, then), most) for one in works)
    title = escape(scene.t(N_("The work of each department")))
    st.html(
        f'<h2 class="e-h2">{title}</h2><div class="e-work"><div class="row heads" aria-hidden="true">{heads}</div>'
        f"{rows}</div>"
    )
    st.html(_notes(scene))


def _strip(scene: Scene, works: Sequence[Work], waiting: Waiting, routed: Routed) -> str:
    """Write the sums: what came, what waits, and how often the first address was right."""
    came = sum(one.response.cases for one in works if one.response)
    kept, over = (sum(one.clocks[place] for one in works) for place in (0, 1))
    parts = [
        (marks.number(scene, came), N_("new cases"), ""),
        (_part(scene, kept, over), N_("within the clock"), _told(scene, kept, over)),
        (_part(scene, routed.right, routed.first), N_("right first time"), _told(scene, routed.right, routed.first)),
        (marks.number(scene, waiting.open), N_("waiting now"), _nobody(scene, waiting)),
        (
            marks.number(scene, waiting.overdue),
            N_("overdue"),
            scene.t(N_("snoozed: {n}"), n=marks.number(scene, waiting.snoozed)),
        ),
    ]
    boxes = "".join(
        f'<div><span class="what">{escape(scene.t(words))}</span><b>{escape(figure)}</b>'
        f"<span>{escape(more)}</span></div>"
        for figure, words, more in parts
    )
    return f'<div class="e-figures e-first">{boxes}</div>'


def _nobody(scene: Scene, waiting: Waiting) -> str:
    return scene.t(N_("of them nobody's yet: {n}"), n=marks.number(scene, waiting.nobody)) if waiting.nobody else ""


def _row(scene: Scene, span: Span, one: Work, before: Work | None, stretches: tuple[Period, Period], most: int) -> str:
    """Write one department; the words of the columns stand in it for a phone and for who hears the page."""
    cells = (
        _came(scene, one, before, stretches, most),
        _time(scene, one, before, "acknowledge"),
        _time(scene, one, before, "answer"),
        _share(scene, one.clocks, before.clocks if before else (0, 0), bar=True),
        _share(scene, _right(one.routed), _right(before.routed) if before else (0, 0)),
        _waits(scene, span, one),
    )
    told = "".join(
        f'<div><span class="lab">{escape(scene.t(words))}</span>{cell}</div>'
        for words, cell in zip(_HEADS[1:], cells, strict=True)
    )
    name = escape(scene.t("{name}", name=one.department))
    query = scene.query({"department": one.department, "brand": span.brand.key, "status": "all"})
    every = wire.link("inbox", query, escape(scene.t(N_("all cases, whenever"))))
    return f'<section class="row"><div class="name"><b>{name}</b>{every}</div>{told}</section>'


def _came(scene: Scene, one: Work, before: Work | None, stretches: tuple[Period, Period], most: int) -> str:
    """Write how many cases came and draw them by day, all departments on one scale."""
    number = marks.number(scene, one.response.cases if one.response else 0)
    series = [
        [work.came.get(day.date, 0) if work else 0 for day in stretch.days]
        for work, stretch in zip((one, before), stretches, strict=True)
    ]
    days = [day.date for day in stretches[0].days]
    bars = []
    for day, count in zip(days, series[0], strict=True):
        when = marks.day(scene, datetime.combine(day, time(12), scene.config.zone))
        height = f'<b style="height:{count / most:.0%}"></b>' if count else ""
        bars.append(f'<i title="{escape(when)}: {count}">{height}</i>')
    strip = f'<div class="e-strip" aria-hidden="true">{"".join(bars)}</div>'
    return f"<b>{number}</b>{strip}{_turn(scene, growth(*series).direction)}"


def _time(scene: Scene, one: Work, before: Work | None, what: str) -> str:
    """Write a median time with its interval and what it is of; too few say so."""
    spans: tuple[timedelta, ...] = getattr(one, what)
    told = one.response
    if told is None or len(spans) < _FEWEST:
        sentence = N_("{n} answered: too few") if what == "answer" else N_("{n} acknowledged: too few")
        return f'<b>—</b><span class="in">{escape(scene.t(sentence, n=len(spans)))}</span>' if told else "<b>—</b>"
    median = told.median_answer if what == "answer" else told.median_acknowledge
    assert median is not None
    found = median_interval(spans)
    far = f"{marks.span(scene, found[0])} … {marks.span(scene, found[1])}" if found else ""
    of = _of(scene, len(spans), told.cases - told.dismissed)
    turn = span_direction(spans, getattr(before, what) if before else ())
    lines = "".join(f'<span class="in">{escape(line)}</span>' for line in (far, of) if line)
    return f"<b>{escape(marks.span(scene, median))}</b>{lines}{_turn(scene, turn, time=True)}"


def _share(scene: Scene, part: tuple[int, int], before: tuple[int, int], *, bar: bool = False) -> str:
    """Write k of n as a percentage with Wilson's interval; of none nothing is said."""
    if not part[1]:
        return f'<b>—</b><span class="in">{escape(scene.t(N_("none yet")))}</span>'
    low, high = wilson(*part)
    track = ""
    if bar:
        track = (
            f'<span class="e-track" style="display:block" aria-hidden="true">'
            f'<span class="fill" style="width:{part[0] / part[1]:.1%}"></span>'
            f'<span class="range" style="left:{low:.1%};width:{high - low:.1%}"></span></span>'
        )
    far = f"{marks.percent(scene, low)} … {marks.percent(scene, high)}"
    lines = f'<span class="in">{escape(_of(scene, *part))}</span>{track}<span class="in">{escape(far)}</span>'
    return f"<b>{escape(_part(scene, *part))}</b>{lines}{_turn(scene, part_direction(part, before))}"


def _waits(scene: Scene, span: Span, one: Work) -> str:
    """Link to the inbox with the filters by which each number was counted."""
    lines = []
    for number, words, more in (
        (one.waiting.open, N_("open: {n}"), {}),
        (one.waiting.overdue, N_("overdue: {n}"), {"overdue": "1"}),
        (one.waiting.nobody, N_("nobody's yet: {n}"), {"owner": "-"}),
        (one.waiting.snoozed, N_("snoozed: {n}"), {"status": "snoozed"}),
    ):
        if not number and more:
            continue
        query = scene.query({"department": one.department, "brand": span.brand.key} | more)
        told = escape(scene.t(words, n=marks.number(scene, number)))
        late = ' class="in e-late"' if "overdue" in more else ' class="in"'
        lines.append(f"<span{late}>{wire.link('inbox', query, told) if number else told}</span>")
    return "".join(lines)


def _turn(scene: Scene, where: Direction, *, time: bool = False) -> str:
    """Word a change that can be told; where there is none, nothing stands."""
    words = _FASTER.get(where) if time else None
    if where not in ("up", "down"):
        return ""
    told = f'<span class="e-turn told">{escape(scene.t(words))}</span>' if words else figures.turn(scene, where)
    return f'<span class="in">{told}</span>'


def _right(routed: Routed) -> tuple[int, int]:
    return routed.right, routed.first


def _part(scene: Scene, part: int, whole: int) -> str:
    return marks.percent(scene, part / whole) if whole else "—"


def _of(scene: Scene, part: int, whole: int) -> str:
    if not whole:
        return ""
    return scene.t(N_("{n} of {all}"), n=marks.number(scene, part), all=marks.number(scene, whole))


def _told(scene: Scene, part: int, whole: int) -> str:
    """Say what a part is of, with Wilson's interval."""
    if not whole:
        return ""
    low, high = wilson(part, whole)
    return f"{marks.percent(scene, low)} … {marks.percent(scene, high)} · {_of(scene, part, whole)}"


def _notes(scene: Scene) -> str:
    """Say what the figures are of."""
    told = (
        N_("Cases count in the department in which they lie now, and in the period in which they were opened."),
        N_(
            "A median is of the cases that got so far; those still open are not in it, so read both. "
            "Of fewer than 3 none is shown."
        ),
        N_(
            "Within the clock: answered in time, of all whose clock is over (answered, or waiting and overdue). "
            "A clock that still runs is not counted."
        ),
        N_("Right first time: not sent on to another department since, counted for the department that got it first."),
        N_(
            "… is a 95 % interval. ▲ and ▼ stand only where the intervals of this period and the one before "
            "do not meet."
        ),
        N_("There are no figures of persons here, by design."),
    )
    lines = "".join(f"<li>{escape(scene.t(words))}</li>" for words in told)
    return f'<h2 class="e-h2">{escape(scene.t(N_("How to read this")))}</h2><ul class="e-why">{lines}</ul>'
