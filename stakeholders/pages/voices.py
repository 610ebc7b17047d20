"""Show who speaks: stakeholders with volume, polarity and change, the known bodies among them, and companies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import streamlit as st

from listener.reason import N_
from listener.taxonomy import SENTIMENTS
from stakeholders import insight
from stakeholders.counting.bodies import count_bodies, institutions
from stakeholders.counting.change import Direction, growth
from stakeholders.counting.crosstab import count_days
from stakeholders.counting.period import Period
from stakeholders.desk import Desk
from stakeholders.insight import net_of
from stakeholders.lists.postlist import UNROUTED, read_some
from stakeholders.pages import bodies, exchanges, figures, marks, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.span import Span, show_head
from stakeholders.pages.text import escape

__all__ = ["show"]

_READ = 60  # bodies of which the newest posts are read, those of most authority


def show(scene: Scene) -> None:
    """Draw the page for the period and the brand that the address names."""
    span = Span.of_address(scene)
    st.html(figures.sheet())
    order = bodies.order_of_address()
    show_head(scene, "voices", N_("Voices"), span, {"order": order if order != "authority" else None})
    known = institutions(Desk(scene.config).registry.entries)
    now, then = span.stretches
    with scene.store.read() as connection:
        voices = insight.voices(connection, span.period, span.brand.key)
        found = count_bodies(connection, span.period, span.brand.key, known, _READ, bodies.weight)
        latest = read_some(connection, [number for body in found for number in body.latest])
        heard = []
        for stretch in (now, then):
            days = insight.volume_by_day(connection, stretch, [span.brand.key])
            heard.append(
                (
                    {day.day for day in days if day.mentions is not None},
                    count_days(connection, stretch, span.brand.key, "stakeholder"),
                    stretch,
                )
            )
    if not any(one.mentions or one.cases for one in voices):
        why = scene.t(
            N_("No mention was published in this period. Look at the sources to see whether they were heard.")
        )
        more = f"<p>{wire.link('sources', scene.query(), escape(scene.t(N_('Sources'))))}</p>"
        st.html(marks.empty(scene.t(N_("Nobody was heard in this period")), why, more))
    else:
        changes = {one.stakeholder: _change(one.stakeholder, *heard) for one in voices}
        st.html(_table(scene, span, voices, changes))
        st.html(bodies.draw(scene, span, found, latest, order))
    exchanges.draw(scene, span.period, span.brand.key)


_Heard = tuple[set[date], Mapping[str | None, Mapping[date, int]], Period]


def _change(who: str | None, now: _Heard, then: _Heard) -> Direction:
    """Tell whether a stakeholder said measurably more a day than before."""
    series = []
    for heard, counts, stretch in (now, then):
        days = counts.get(who, {})
        series.append([days.get(day.date, 0) if day.date in heard else None for day in stretch.days])
    return growth(*series).direction


def _table(scene: Scene, span: Span, voices: Sequence[insight.Voice], changes: Mapping[str | None, Direction]) -> str:
    """Write the stakeholders by volume; counts of mentions open the posts of this period, cases those of all times."""
    heads = "".join(f'<th class="n">{marks.mood(scene, name)}</th>' for name in SENTIMENTS)
    rows = []
    for one in voices:
        if not one.mentions and not one.cases:
            continue
        who = UNROUTED if one.stakeholder is None else one.stakeholder
        worded = scene.t(N_("not routed yet")) if one.stakeholder is None else scene.t("{name}", name=one.stakeholder)
        every = ""
        if one.stakeholder is not None and one.cases:
            query = scene.query({"stakeholder": one.stakeholder, "brand": span.brand.key, "status": "all"})
            all_of_them = scene.t(N_("all cases, whenever"))
            short = escape(scene.t(N_("see all")))
            every = wire.link("inbox", query, short, label=f"{worded}: {all_of_them}")
        net = net_of(one.mentions, one.negative, one.neutral, one.positive, one.unsure)
        mood = "—"
        if net is not None:
            far = f"{marks.signed(net.low)} … {marks.signed(net.high)}"
            mood = f'<b>{escape(marks.signed(net.net))}</b> <span class="far">{escape(far)}</span>'
        turned = changes[one.stakeholder]
        told = figures.turn(scene, turned) if turned in ("up", "down") else ""
        cells = "".join(
            f'<td class="n">{_link(scene, span, who, getattr(one, name), name)}</td>' for name in SENTIMENTS
        )
        rows.append(
            f'<tr><th scope="row">{escape(worded)}</th><td class="n">{_link(scene, span, who, one.mentions)}{told}</td>'
            f'<td class="track">{figures.balance(net)}</td><td>{mood}</td>{cells}'
            f'<td class="n">{marks.number(scene, one.cases)}</td><td>{every}</td></tr>'
        )
    title = escape(scene.t(N_("Who speaks, and how")))
    names = (N_("who"), N_("mentions"), N_("net sentiment"), N_("cases"))
    words = [escape(scene.t(one)) for one in names]
    foot = scene.t(
        N_("The line is the 95 % interval. A change since the period before is told only where it can be measured.")
    )
    return (
        f'<h2 class="e-h2">{title}</h2><div class="e-scroll"><table class="e-table e-voices"><thead><tr>'
        f'<th>{words[0]}</th><th class="n">{words[1]}</th><td class="track"></td><th>{words[2]}</th>'
        f'{heads}<th class="n">{words[3]}</th><td></td></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        f'<p class="e-sub">{escape(foot)}</p>'
    )


def _link(scene: Scene, span: Span, who: str, number: int, mood: str | None = None) -> str:
    if not number:
        return "0"
    wanted = span.wanted(stakeholder=who, sentiment=mood)
    return wire.link("posts", scene.query(wanted.to_query()), marks.number(scene, number))
