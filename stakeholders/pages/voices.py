"""Show who speaks: stakeholders with volume, polarity and change, the known bodies among them, and companies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import streamlit as st

from listener.reason import N_
from listener.taxonomy import SENTIMENTS
from stakeholders import insight
from stakeholders.bodies import Body, count_bodies, institutions
from stakeholders.change import Direction, growth
from stakeholders.crosstab import count_days
from stakeholders.desk import Desk
from stakeholders.insight import net_of
from stakeholders.pages import exchanges, figures, marks, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.span import Span, show_head
from stakeholders.pages.text import clip, escape
from stakeholders.period import Period
from stakeholders.postlist import UNROUTED, Heard, read_some

__all__ = ["show"]

_BODIES = 12


def show(scene: Scene) -> None:
    """Draw the page for the period and the brand that the address names."""
    span = Span.of_address(scene)
    st.html(figures.sheet())
    show_head(scene, "voices", N_("Voices"), span)
    known = institutions(Desk(scene.config).registry.entries)
    now, then = span.stretches
    with scene.store.read() as connection:
        voices = insight.voices(connection, span.period, span.brand.key)
        bodies = count_bodies(connection, span.period, span.brand.key, known)[:_BODIES]
        latest = read_some(connection, [number for body in bodies for number in body.latest])
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
        st.html(_bodies(scene, span, bodies, latest))
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
            every = wire.link("inbox", query, escape(all_of_them), label=f"{worded}: {all_of_them}")
        net = net_of(one.mentions, one.negative, one.neutral, one.positive, one.unsure)
        mood = "—" if net is None else f"{marks.signed(net.net)}"
        far = "" if net is None else f"{marks.signed(net.low)} … {marks.signed(net.high)}"
        cells = "".join(
            f'<td class="n">{_link(scene, span, who, getattr(one, name), name)}</td>' for name in SENTIMENTS
        )
        rows.append(
            f'<tr><th scope="row">{escape(worded)}</th><td class="n">{_link(scene, span, who, one.mentions)}</td>'
            f"<td>{figures.turn(scene, changes[one.stakeholder], short=True)}</td>"
            f'<td class="n">{escape(mood)}<br><span class="e-muted">{escape(far)}</span></td>'
            f'<td style="width:12%">{_stack(one)}</td>{cells}'
            f'<td class="n">{marks.number(scene, one.cases)}<br>{every}</td></tr>'
        )
    title = escape(scene.t(N_("Who speaks, and how")))
    names = (N_("who"), N_("mentions"), N_("volume since before"), N_("net sentiment"), N_("cases"))
    words = [escape(scene.t(one)) for one in names]
    return (
        f'<h2 class="e-h2">{title}</h2><div class="e-scroll"><table class="e-table e-voices"><thead><tr>'
        f'<th>{words[0]}</th><th class="n">{words[1]}</th><th>{words[2]}</th><th class="n">{words[3]}</th><th></th>'
        f'{heads}<th class="n">{words[4]}</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _link(scene: Scene, span: Span, who: str, number: int, mood: str | None = None) -> str:
    if not number:
        return "0"
    wanted = span.wanted(stakeholder=who, sentiment=mood)
    return wire.link("posts", scene.query(wanted.to_query()), marks.number(scene, number))


def _stack(one: insight.Voice | Body) -> str:
    total = one.mentions or 1
    parts = "".join(
        f'<span class="{mood}" style="width:{getattr(one, mood) / total:.1%}"></span>' for mood in SENTIMENTS
    )
    return f'<div class="e-stack" aria-hidden="true">{parts}</div>'


def _bodies(scene: Scene, span: Span, bodies: Sequence[Body], latest: Mapping[int, Heard]) -> str:
    """Write the known bodies that spoke, loudest first, with their newest posts."""
    title = f'<h2 class="e-h2">{escape(scene.t(N_("Known bodies")))}</h2>'
    if not bodies:
        words = scene.t(N_("No institution, outlet or company of the registries spoke of the brand in this period."))
        return f'{title}<p class="e-muted">{escape(words)}</p>'
    foot = scene.t(N_("Institutions, press and companies that a registry names by account or address; never a person."))
    cards = []
    for one in bodies:
        counted = marks.count(scene, one.mentions, N_("1 mention"), N_("{n} mentions"))
        link = wire.link("posts", scene.query(span.wanted(body=one.name).to_query()), escape(counted))
        moods = (("▼", "negative", one.negative), ("●", "neutral", one.neutral), ("▲", "positive", one.positive))
        told = " · ".join(
            f"{shape} {scene.t('{name}', name=name)} {marks.number(scene, n)}" for shape, name, n in moods if n
        )
        said = "".join(f"<li>{_line(scene, latest[number])}</li>" for number in one.latest if number in latest)
        cards.append(
            f'<div class="e-card"><div class="e-by"><b>{escape(one.name)}</b>'
            f"<span>{escape(scene.t('{name}', name=one.stakeholder))}</span><span>{link}</span></div>"
            f'<p class="e-sub">{escape(told)}</p>{_stack(one)}<ul>{said}</ul></div>'
        )
    return f'{title}<p class="e-sub">{escape(foot)}</p><div class="e-speaks">{"".join(cards)}</div>'


def _line(scene: Scene, one: Heard) -> str:
    """Write a body's post in two lines: when, in what mood, its case; then its words."""
    by = [marks.clock(scene, one.published_at), marks.mood(scene, one.sentiment, unsure=one.unsure)]
    if one.case_id is not None:
        words = escape(scene.t(N_("case {n}"), n=one.case_id))
        by.append(wire.link("case", scene.query({"id": one.case_id}), words))
    line = "".join(f"<span>{part}</span>" for part in by)
    return f'<div class="e-by">{line}</div><span>{clip(one.text, one.terms, 160)}</span>'
