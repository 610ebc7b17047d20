"""Write what a crisis is: its rise in one sentence and in figures, and the single cases that are part of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from listener.reason import N_
from stakeholders.deciding.facts import Case
from stakeholders.pages import marks, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape
from stakeholders.spikes.outbreak import say_cause, word_surge
from stakeholders.spikes.surge import Surge, read_surge, single_cases

__all__ = ["Rise", "mark", "members", "read", "rise"]

_SHOWN = 12  # single cases that the page lists; the inbox has all


@dataclass(frozen=True, slots=True)
class Rise:
    """Hold the rise of a crisis and the first of its single cases."""

    surge: Surge
    cases: tuple[Case, ...]


def read(connection: Connection, case: Case) -> Rise | None:
    """Read what the page shows of a crisis; None for a single case."""
    surge = read_surge(connection, case.id) if case.kind == "crisis" else None
    return Rise(surge, tuple(single_cases(connection, surge.members, _SHOWN))) if surge is not None else None


def mark(scene: Scene) -> str:
    """Mark a case as a crisis, by shape and word."""
    word = escape(scene.t(N_("Crisis")))
    return f'<span class="e-pri alert"><span aria-hidden="true">▲</span>{word}</span>'


def rise(scene: Scene, shown: Rise, now: datetime) -> str:
    """Write the sentence of the rise on top, and its figures; words in it may be strangers'."""
    sentence = escape(say_cause(shown.surge.because, scene.lang))
    facts = "".join(
        f'<dt>{escape(label)}</dt><dd><bdi dir="auto">{escape(value)}</bdi></dd>'
        for label, value in word_surge(shown.surge, scene.lang, scene.config.zone, now)
    )
    title = escape(scene.t(N_("What rises")))
    return (
        f'<section class="e-card"><h2 class="e-h2">{title}</h2>'
        f'<p class="e-post">{sentence}</p><dl class="e-facts">{facts}</dl></section>'
    )


def members(scene: Scene, shown: Rise, now: datetime) -> str:
    """List the single cases of the crisis, those that still owe an answer first, each a link."""
    name = escape(scene.t(N_("Single cases")))
    title = f'<h2 class="e-h2">{name}</h2>'
    pane = f'<section class="e-card e-pane" role="region" tabindex="0" aria-label="{name}">'
    if not shown.cases:
        words = escape(scene.t(N_("Nobody in it has a case of their own: they are answered here.")))
        return f'{pane}{title}<p class="e-sub">{words}</p></section>'
    told = scene.t(N_("They are answered one by one; while this crisis is open, it speaks for their alerts."))
    lines = "".join(f"<li>{_line(scene, one, now)}</li>" for one in shown.cases)
    rest = len(shown.surge.members.cases) - len(shown.cases)
    more = f'<p class="e-sub">{escape(scene.t(N_("and {n} more"), n=marks.number(scene, rest)))}</p>' if rest else ""
    return f'{pane}{title}<p class="e-sub">{escape(told)}</p><ul class="e-why e-plain">{lines}</ul>{more}</section>'


def _line(scene: Scene, one: Case, now: datetime) -> str:
    name = escape(scene.t(N_("Case {number}"), number=one.id))
    over = one.answered_at is not None or one.status in ("answered", "closed", "dismissed")
    parts = (
        wire.link("case", scene.query({"id": one.id}), name),
        marks.priority(scene, one.priority),
        f'<span class="e-tag">{escape(scene.t("{name}", name=one.status))}</span>',
        escape(scene.t("{name}", name=one.department)),
        marks.due(scene, one.due_at, now, answered=over),
    )
    return f'<div class="e-by">{" ".join(f"<span>{part}</span>" for part in parts if part)}</div>'
