"""Write the known bodies that spoke, by authority, reach, reactions or mentions, each with its newest post."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from listener.reason import N_
from listener.taxonomy import Stakeholder
from stakeholders.counting.bodies import Body
from stakeholders.lists.postlist import Heard
from stakeholders.pages import marks, wire
from stakeholders.pages.figures import stack
from stakeholders.pages.scene import Scene
from stakeholders.pages.span import Span
from stakeholders.pages.text import clip, escape

__all__ = ["Order", "draw", "order_of_address", "weight"]

_SHOWN = 12
_ORDERS = {
    "authority": N_("authority"),
    "reach": N_("reach"),
    "reactions": N_("reactions"),
    "mentions": N_("mentions"),
}
Order = str
# Who can do most to the company's standing first: who may fine or forbid, who is believed, who is heard.
_AUTHORITY: tuple[Stakeholder, ...] = (
    "regulator", "government", "consumer_association", "press", "investor", "civil_society", "peer_company", "partner",
)  # fmt: skip


def order_of_address() -> Order:
    """Read by what the bodies stand in order; what nobody knows is authority."""
    told = st.query_params.get("order", "")
    return told if told in _ORDERS else "authority"


def weight(body: Body) -> int:
    """Give the place of a body's kind by authority, 0 the highest."""
    return next((place for place, name in enumerate(_AUTHORITY) if name == body.stakeholder), len(_AUTHORITY))


def draw(scene: Scene, span: Span, bodies: Sequence[Body], latest: Mapping[int, Heard], order: Order) -> str:
    """Write the first twelve in the order that is asked; `latest` holds their newest posts by the mention's id."""
    title = f'<h2 class="e-h2">{escape(scene.t(N_("Known bodies")))}</h2>'
    if not bodies:
        words = scene.t(N_("No institution, outlet or company of the registries spoke of the brand in this period."))
        return f'{title}<p class="e-muted">{escape(words)}</p>'
    told = {one.name: [latest[number] for number in one.latest if number in latest] for one in bodies}

    def place(one: Body) -> tuple[float, ...]:
        reach, reactions = _most(told[one.name], "followers"), _sum(told[one.name])
        by = {"authority": weight(one), "reach": -(reach or 0), "reactions": -(reactions or 0)}
        return (by.get(order, 0), -one.mentions, -(reach or 0))

    rows = "".join(_row(scene, span, one, told[one.name]) for one in sorted(bodies, key=place)[:_SHOWN])
    foot = scene.t(N_("Institutions, press and companies that a registry names by account or address; never a person."))
    names = (N_("body"), N_("newest post"), N_("mentions"), N_("followers"), N_("reactions"))
    heads = "".join(
        f"<th{' class=n' if number > 1 else ''}>{escape(scene.t(words))}</th>" for number, words in enumerate(names)
    )
    more = ""
    if len(bodies) > _SHOWN:
        more = scene.t(N_("Shown: {n} of {all}."), n=_SHOWN, all=marks.number(scene, len(bodies))) + " "
    explained = more + scene.t(
        N_("Followers and reactions are those that the platform told with the newest posts; — is not told, not none.")
    )
    return (
        f'<div class="e-top e-wrap">{title}{_chips(scene, span, order)}</div><p class="e-sub">{escape(foot)}</p>'
        f'<div class="e-scroll"><table class="e-table e-bodies"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody>'
        f'</table></div><p class="e-sub">{escape(explained)}</p>'
    )


def _chips(scene: Scene, span: Span, order: Order) -> str:
    chips = []
    for name, words in _ORDERS.items():
        query = scene.query(span.query({"order": name if name != "authority" else None}))
        style = "e-chip on" if name == order else "e-chip"
        chips.append(wire.link("voices", query, escape(scene.t(words)), style=style))
    words = escape(scene.t(N_("in order of")))
    return f'<span class="e-pivot">{words} <span class="e-chips">{"".join(chips)}</span></span>'


def _row(scene: Scene, span: Span, one: Body, told: Sequence[Heard]) -> str:
    counted = marks.count(scene, one.mentions, N_("1 mention"), N_("{n} mentions"))
    query = scene.query(span.wanted(body=one.name).to_query())
    link = wire.link("posts", query, marks.number(scene, one.mentions), label=f"{one.name}: {counted}")
    moods = (("▼", "negative", one.negative), ("●", "neutral", one.neutral), ("▲", "positive", one.positive))
    said = " · ".join(
        f"{shape} {scene.t('{name}', name=name)} {marks.number(scene, number)}"
        for shape, name, number in moods
        if number
    )
    kind = escape(scene.t("{name}", name=one.stakeholder))
    reach, reactions = marks.number(scene, _most(told, "followers")), marks.number(scene, _sum(told))
    return (
        f'<tr><th scope="row"><b>{escape(one.name)}</b><span>{kind}</span></th>'
        f'<td class="newest">{_line(scene, told[0]) if told else ""}</td>'
        f'<td class="n"{_named(scene, N_("mentions"))}>{link}{stack(one)}'
        f'<span class="e-hidden">{escape(said)}</span></td>'
        f'<td class="n"{_named(scene, N_("followers"))}>{reach}</td>'
        f'<td class="n"{_named(scene, N_("reactions"))}>{reactions}</td></tr>'
    )


def _named(scene: Scene, words: str) -> str:
    """Name a cell for a phone, where the heads of the columns are not shown."""
    return f' data-name="{escape(scene.t(words))}"'


def _line(scene: Scene, one: Heard) -> str:
    """Write a body's post in two lines: its words, then when, in what mood, its case."""
    by = [marks.clock(scene, one.published_at), marks.mood(scene, one.sentiment, unsure=one.unsure)]
    if one.case_id is not None:
        words = escape(scene.t(N_("case {n}"), n=one.case_id))
        by.append(wire.link("case", scene.query({"id": one.case_id}), words))
    line = "".join(f"<span>{part}</span>" for part in by)
    return f'<span class="said">{clip(one.text, one.terms, 160)}</span><div class="e-by">{line}</div>'


def _most(told: Sequence[Heard], name: str) -> int | None:
    known = [getattr(one, name) for one in told if getattr(one, name) is not None]
    return max(known) if known else None


def _sum(told: Sequence[Heard]) -> int | None:
    known = [one.reactions for one in told if one.reactions is not None]
    return sum(known) if known else None
