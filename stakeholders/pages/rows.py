"""Draw the rows of the inbox: urgency, who and what, where it waits, who else looks at it; each can be ticked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from listener.match import Matcher
from listener.mention import Brand
from listener.reason import N_
from stakeholders.casework.step import OVER
from stakeholders.inbox import Filters, InboxRow
from stakeholders.lists.attention import Unread
from stakeholders.pages import marks, queue, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import clip, escape, handle

__all__ = ["draw_rows"]

_FRESH: Mapping[Unread, str] = {"new": N_("not seen by you yet"), "changed": N_("changed since you saw it")}

_Drawn = dict[tuple[int, Unread | None, tuple[str, ...]], tuple[InboxRow, str]]


def draw_rows(
    scene: Scene,
    filters: Filters,
    rows: Sequence[InboxRow],
    unread: Mapping[int, Unread],
    looking: Mapping[int, Sequence[str]],
    now: datetime,
) -> str:
    """Write the list; `unread` and `looking` are by the number of the case."""
    # A row looks the same to all who read it in one language; rows that are kept (Scene.keep) are the same objects.
    config, known = scene.keep(("inbox drawn", filters, scene.lang), lambda _: (scene.config, _Drawn()))
    if config is not scene.config:
        known = {}
    drawn = []
    for row in rows:
        variant = id(row), unread.get(row.case.id), tuple(looking.get(row.case.id, ()))
        kept = known.get(variant)
        if kept is None or kept[0] is not row:
            kept = known[variant] = row, _item(scene, filters, row, *variant[1:], now)
        drawn.append(kept[1])
    return f'<div class="e-list">{"".join(drawn)}</div>'


def _item(
    scene: Scene, filters: Filters, row: InboxRow, unread: Unread | None, looking: Sequence[str], now: datetime
) -> str:
    case = row.case
    label = escape(scene.t(N_("Choose case {number}"), number=case.id))
    state = f" {unread}" if unread else ""
    return (
        f'<div class="e-item{state}" data-id="{case.id}" data-version="{case.version}">'
        f'<label class="e-tick"><input type="checkbox" aria-label="{label}"></label>'
        f"{_row(scene, filters, row, unread, looking, now)}</div>"
    )


@lru_cache(maxsize=4)
def _matcher(brands: tuple[Brand, ...]) -> Matcher:
    return Matcher(brands)


def _row(
    scene: Scene, filters: Filters, row: InboxRow, unread: Unread | None, looking: Sequence[str], now: datetime
) -> str:
    """Write one case in two lines."""
    case = row.case
    over = case.answered_at is not None or case.status in OVER
    terms = _matcher(scene.config.brands).find(row.snippet).get(case.brand, ())
    due = marks.due(scene, case.due_at, now, answered=over) or escape(scene.t("{name}", name=case.status))
    said = clip(row.snippet, terms)
    if case.kind == "crisis" and case.reasons:  # what rose, since when and why says more than any one post
        said = escape(marks.reason(scene, case.reasons[0]))
    told = " ".join(f"<span>{part}</span>" for part in _facts(scene, row, unread, now) if part)
    inner = (
        f'<span class="e-first">{marks.priority(scene, case.priority)}<span>{due}</span></span>'
        f'<span class="e-mid"><span class="e-line">{told}</span>'
        f'<span class="e-said">{said}</span></span>'
        f'<span class="e-last"><span>{escape(scene.t("{name}", name=case.department))}</span>'
        f"<span>{_last(scene, row, looking)}</span></span>"
    )
    style = f"e-row {case.priority}" + (" done" if over else "")
    return wire.link("case", queue.case_query(scene, filters, case.id), inner, style=style)


def _facts(scene: Scene, row: InboxRow, unread: Unread | None, now: datetime) -> list[str]:
    case = row.case
    who = scene.t(N_("author withheld")) if row.masked else _author(row) or scene.t(N_("author not told"))
    mark = ""
    if unread is not None:
        words = escape(scene.t(_FRESH[unread]))
        mark = f'<span class="e-dot" title="{words}"></span><span class="e-hidden">{words}</span>'
    name = f"<b><bdi>{escape(who)}</bdi></b>"
    if case.kind == "crisis":  # many posts at once: no single author stands for it
        name = f'<b class="e-late"><span aria-hidden="true">▲▲ </span>{escape(scene.t(N_("Crisis")))}</b>'
    line = [
        mark + name,
        escape(marks.count(scene, case.mentions, N_("1 post"), N_("{n} posts")))
        if case.kind == "crisis"
        else escape(scene.t("{name}", name=case.stakeholder)),
        marks.mood(scene, row.sentiment, unsure=row.unsure) if row.sentiment else "",
        escape(scene.source(row.source)) if row.source else "",
        marks.ago(scene, row.published_at, now) if row.published_at else escape(scene.t(N_("all posts removed"))),
    ]
    if case.people > 1:
        line.append(f"<b>{escape(scene.t(N_('{n} people'), n=marks.number(scene, case.people)))}</b>")
    if case.brand != scene.config.brands[0].key:
        line.append(escape(scene.brand(case.brand)))
    return line


def _last(scene: Scene, row: InboxRow, looking: Sequence[str]) -> str:
    """Write whose the case is and how it stands; a colleague who has it open now comes first."""
    case = row.case
    if looking:
        words = scene.t(N_("{quote_who} is looking"), quote_who=looking[0])
        if len(looking) > 1:
            words = scene.t(N_("{n} colleagues are looking"), n=marks.number(scene, len(looking)))
        return f'<span class="e-looking"><bdi>{escape(words)}</bdi></span>'
    owner = f"<bdi>{escape(case.owner)}</bdi>" if case.owner else ""
    stands = ""
    if case.status == "snoozed" and case.snoozed_until is not None:
        stands = escape(scene.t(N_("until {when}"), when=marks.moment(scene, case.snoozed_until)))
    elif case.status == "acknowledged" and not owner:
        stands = escape(scene.t("{name}", name=case.status))
    return " · ".join(part for part in (owner, stands) if part)


def _author(row: InboxRow) -> str | None:
    return handle(row.author) if row.author and row.author.startswith("@u/") else row.author
