"""Show which companies spoke of which, and what press and peers said well of us that our accounts took up or missed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import streamlit as st

from listener.reason import N_, Reason
from stakeholders.companies.opportunity import Opportunity, State
from stakeholders.companies.outlook import Outlook, survey_opportunities
from stakeholders.companies.peer import Direction, Exchange, Total, peers_of
from stakeholders.companies.survey import Survey, survey_exchanges
from stakeholders.counting.period import Period
from stakeholders.pages import marks, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import clip, escape, handle, web_link

__all__ = ["draw"]

_FIRST = 5  # of each list that stand open
_MOST = 20  # of each list; the rest is counted and said
_DIRECTIONS: dict[Direction, str] = {
    "us_to_them": N_("we of other companies"),
    "them_to_us": N_("other companies of us"),
    "them_to_them": N_("other companies of competitors"),
}
_STATES: dict[State, tuple[str, str]] = {  # style, words
    "open": ("e-state slow", N_("◷ to do")),
    "missed": ("e-state bad", N_("✕ missed")),
    "untold": ("e-state off", N_("? cannot be told")),
    "taken": ("e-state good", N_("✓ taken up")),
}


def draw(scene: Scene, period: Period, brand: str) -> None:
    """Draw both parts for a period and one of our brands; the foot of Voices."""
    settings, now = scene.config.settings, scene.now
    peers = peers_of(settings)
    found, told = scene.keep(
        ("exchanges", brand, period, peers.made_of, settings.opportunities.within),
        lambda connection: (
            survey_exchanges(connection, settings, period, brand, _MOST, peers),
            survey_opportunities(connection, settings, period, brand, now, _MOST, peers),
        ),
    )
    st.html(_opportunities(scene, told))
    st.html(_exchanges(scene, found))


def _opportunities(scene: Scene, told: Outlook) -> str:
    title = scene.t(N_("Said well of us: taken up or missed"))
    hours = f"{told.within.total_seconds() / 3600:g}"
    sentence = N_(
        "Praise by press or a peer, and words of our people. One of our accounts has {hours} h to take it up."
    )
    lead = scene.t(sentence, hours=hours)
    if told.accounts:
        lead += " " + scene.t(N_("Heard of ours: {quote_accounts}."), quote_accounts=", ".join(told.accounts))
    parts = [f'<h2 class="e-h2">{escape(title)}</h2><p class="e-sub" style="margin-bottom:.5rem">{escape(lead)}</p>']
    if told.why_not is not None and told.items:
        parts.append(marks.note(told.why_not.say(scene.lang), "warn"))
    if not told.items:
        words = scene.t(N_("Neither press nor peers spoke well of us in these days, as far as we heard."))
        return "".join(parts) + f'<p class="e-muted">{escape(words)}</p>'
    if told.why_not is None:
        boxes = "".join(
            f"<div><b>{marks.number(scene, told.counts[state])}</b><span>{escape(scene.t(words))}</span></div>"
            for state, (_, words) in _STATES.items()
        )
        parts.append(f'<div class="e-figures">{boxes}</div>')
    cards = [_opportunity(scene, one) for one in told.items]
    return f"{''.join(parts)}{_list(scene, cards)}{_rest(scene, told.count)}"


def _opportunity(scene: Scene, one: Opportunity) -> str:
    style, words = _STATES[one.state]
    state = f'<span class="{style}">{escape(scene.t(words))}</span>'
    by = [state, f"<b>{escape(one.who)}</b>", escape(scene.t("{name}", name=one.stakeholder))]
    by += [marks.mood(scene, one.sentiment, unsure=one.unsure), marks.clock(scene, one.at)]
    if one.copies:
        by.append(escape(marks.count(scene, one.copies, N_("and one copy"), N_("and {n} copies"))))
    more = ""
    if one.state in ("open", "missed") and one.answer is None:
        head = escape(scene.t(N_("What would count")))
        more = f'<details><summary class="e-sub">{head}</summary>{marks.reasons(scene, one.wanted)}</details>'
    if one.answer is not None:
        answer = scene.t(N_("our post of {quote_time}"), quote_time=marks.moment(scene, one.answer.at))
        more = f'<p class="e-sub">{web_link(one.answer.url, answer)}</p>'
    return _card(scene, by, one.text, one.because, one.case_id, one.url, more=more)


def _exchanges(scene: Scene, found: Survey) -> str:
    title = f'<h2 class="e-h2">{escape(scene.t(N_("Who spoke of whom")))}</h2>'
    boxes = "".join(_total(scene, one) for one in found.totals)
    parts = [title, f'<div class="e-figures">{boxes}</div>']
    if not found.count:
        words = scene.t(N_("No company spoke of another in these days, as far as we heard."))
        return "".join(parts) + f'<p class="e-muted">{escape(words)}</p>'
    cards = [_exchange(scene, one) for one in found.newest]
    return f"{''.join(parts)}{_list(scene, cards)}{_rest(scene, found.count)}"


def _total(scene: Scene, one: Total) -> str:
    # One line of plain words with their shapes: boxes of figures set every span inside them on a line of its own.
    moods = (("▲", "positive", one.positive), ("●", "neutral", one.neutral), ("▼", "negative", one.negative))
    said = (f"{shape} {scene.t('{name}', name=name)} {marks.number(scene, n)}" for shape, name, n in moods if n)
    told = escape(" · ".join(said))
    sample = ""
    if one.exchanges:
        facts = {"texts": one.texts, "companies": one.companies, "events": one.at_events}
        sentence = N_("different texts: {texts} · companies: {companies} · at events: {events}")
        sample = f"<span>{escape(scene.t(sentence, **facts))}</span>"
    name = escape(scene.t(_DIRECTIONS[one.direction]))
    return f"<div><b>{marks.number(scene, one.exchanges)}</b><span>{name}</span><span>{told}</span>{sample}</div>"


def _exchange(scene: Scene, one: Exchange) -> str:
    spoken = f"<b>{escape(one.speaker.name)}</b> <span aria-hidden='true'>→</span> <b>{escape(one.brand_name)}</b>"
    word = escape(scene.t(_DIRECTIONS[one.direction]))
    by = [f"<span>{spoken}</span>", word, marks.mood(scene, one.sentiment, unsure=one.unsure)]
    if one.handle:
        by.append(escape(handle(one.handle)))
    by.append(marks.clock(scene, one.at))
    tags = [person.name for person in one.people] + ([one.event.name] if one.event and one.event.name else [])
    shown = "".join(f'<span class="e-tag">{escape(tag)}</span> ' for tag in tags)
    return _card(scene, by, one.text, one.because, one.case_id, one.url, f"<div>{shown}</div>" if shown else "")


def _card(
    scene: Scene,
    by: Iterable[str],
    text: str,
    because: Sequence[Reason],
    case_id: int | None,
    url: str | None,
    tags: str = "",
    more: str = "",
) -> str:
    """Write a post with who, why and where to; `by`, `tags` and `more` are escaped already."""
    links = []
    if case_id is not None:
        words = escape(scene.t(N_("case {n}"), n=case_id))
        links.append(wire.link("case", scene.query({"id": case_id}), words))
    if url:
        links.append(web_link(url, scene.t(N_("the post"))))
    foot = f'<p class="e-sub" style="margin:.35rem 0">{" · ".join(links)}</p>' if links else ""
    said = f'<div class="e-post">{clip(text, width=320)}</div>'
    line = f'<div class="e-by">{"".join(f"<span>{part}</span>" for part in by)}</div>'
    return f'<div class="e-card">{line}{said}{tags}{marks.reasons(scene, because)}{foot}{more}</div>'


def _list(scene: Scene, cards: Sequence[str]) -> str:
    """Write the first cards, and the others behind a touch: a page that is too long hides all."""
    shown = f'<div class="e-heard">{"".join(cards[:_FIRST])}</div>'
    if len(cards) <= _FIRST:
        return shown
    words = escape(scene.t(N_("{n} more"), n=marks.number(scene, len(cards) - _FIRST)))
    rest = "".join(cards[_FIRST:])
    return f'{shown}<details class="e-more"><summary>{words}</summary><div class="e-heard">{rest}</div></details>'


def _rest(scene: Scene, count: int) -> str:
    if count <= _MOST:
        return ""
    words = scene.t(N_("and {n} more: “escucha exchanges” and “escucha opportunities” list them all"), n=count - _MOST)
    return f'<p class="e-sub">{escape(words)}</p>'
