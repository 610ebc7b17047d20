"""Show one case: its posts, who speaks, what was judged and why, where it was sent, its history; and move it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from listener.reason import N_, Reason, reason
from listener.taxonomy import DIMENSIONS, INTENTS, SENTIMENTS, STAKEHOLDERS
from stakeholders import case as steps
from stakeholders import draft as replies
from stakeholders.dossier import CaseMention
from stakeholders.draft import Draft
from stakeholders.facts import Case
from stakeholders.merging import split
from stakeholders.pages import card, crisis, marks, moves, presence, queue, reply, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import clip, escape
from stakeholders.regulation import RegulatoryClock, describe
from stakeholders.regulation.mark import read_clock
from stakeholders.signature import signing_department
from stakeholders.step import OVER
from stakeholders.wording import Wording

__all__ = ["show"]

_CHOICES: dict[str, tuple[str, ...]] = {
    "sentiment": SENTIMENTS,
    "stakeholder": STAKEHOLDERS,
    "dimension": DIMENSIONS,
    "intent": INTENTS,
    "relevant": ("true", "false"),
}
_SHOWN = 30  # posts of one case that the page draws


def show(scene: Scene) -> None:
    """Draw the case that the address names."""
    now = scene.now
    given = st.query_params.get("id", "")
    number = int(given) if given.isdecimal() and len(given) < 16 else None
    filters = queue.read_filters(scene)
    with scene.store.read() as connection:
        found = steps.read_case(connection, number) if number is not None else None
        happened = steps.history(connection, found.id, merged=True) if found else []
        posts = steps.case_mentions_of(connection, found.id) if found else []
        following = queue.next_case(connection, filters, number, now)
        clock = read_clock(connection, scene.config.settings, found.id) if found else None
        draft = replies.current(connection, found.id) if found else None
        why_not = replies.answer_allowed(connection, scene.config.settings, found) if found else None
        rise = crisis.read(connection, found) if found else None
    _forget_other(number)
    _show_ways(scene, filters, following)
    told = st.session_state.pop("told", None)
    if told is not None:
        style, why = told
        st.html(marks.note(why.say(scene.lang), style))
    if found is None:
        words = scene.t(N_("Open one from the inbox; a shared link may name a case of another instance."))
        st.html(marks.empty(scene.t(N_("There is no such case")), words))
        return
    opened = next((one for one in posts if one.how == "opened"), posts[0] if posts else None)
    st.html(_title(scene, found, now, why_not))
    moves.show_heir(scene, found)
    presence.show(scene, found)
    moves.show_bar(scene, found, draft, why_not)
    # Keyed containers: on a phone style.css puts what was said, what can be done and why in this order.
    with st.container(key="case"):
        left, right = st.columns([3, 2], gap="medium")
    with left:
        with st.container(key="case-post"):
            if rise is not None:
                st.html(crisis.rise(scene, rise, now))
            if opened is not None:
                st.html(card.post(scene, opened.mention, now, masked=opened.masked))
            if clock is not None:
                st.html(_legal(scene, clock))
        with st.container(key="case-steps"):
            _show_work(scene, found, opened, [one for one in posts if one is not opened], draft, now)
        with st.container(key="case-history"):
            newest = sorted(happened, key=lambda one: (one.at, one.id), reverse=True)
            st.html(f'<h2 class="e-h2">{escape(scene.t(N_("History")))}</h2>{card.events(scene, newest, found.id)}')
    with right:
        with st.container(key="case-owner"):
            moves.show_owner(scene, found)
        with st.container(key="case-sent"):
            if rise is None:
                st.html(_sent(scene, found, opened))
            else:
                st.html(crisis.members(scene, rise, now))
                st.html(_sent(scene, found, None))
        if opened is not None:
            with st.container(key="case-labels"):
                _show_judgement(scene, opened)


def _forget_other(number: int | None) -> None:
    """Forget what was typed for another case: nobody writes a note into the wrong one."""
    if st.session_state.get("case-open") != number:
        for key in ("words", "tell", "why-noise", "merge-into", "return-note", "splitting"):
            st.session_state.pop(key, None)
        st.session_state["case-open"] = number


def _show_work(
    scene: Scene, case: Case, opened: CaseMention | None, others: list[CaseMention], draft: Draft | None, now: datetime
) -> None:
    """Draw what is worked on: the reply, a note, the other posts; one in view at a time."""
    names = [scene.t(N_("Reply")), scene.t(N_("Note"))]
    if others:
        names.append(f"{scene.t(N_('Other posts'))} · {marks.number(scene, len(others))}")
    tabs = st.tabs(names)
    with tabs[0]:
        reply.show_reply(scene, case, opened, draft)
    with tabs[1]:
        reply.show_note(scene, case)
    if others:
        with tabs[2]:
            _show_others(scene, case, others, now)


def _show_ways(scene: Scene, filters: queue.Filters, following: int | None) -> None:
    query = scene.query(filters.to_query())
    back = wire.link("inbox", query, f"← {escape(scene.t(N_('Inbox')))} <kbd>u</kbd>", key="u")
    onward = ""
    if following is not None:
        words = escape(scene.t(N_("Next case")))
        onward = wire.link("case", query | {"id": following}, f"<kbd>n</kbd> {words} →", key="n")
    st.html(f'<nav class="e-nav">{back}{onward}</nav>')


def _title(scene: Scene, case: Case, now: datetime, why_not: Reason | None) -> str:
    name = scene.t(N_("Case {number}"), number=case.id)
    over = case.answered_at is not None or case.status in OVER
    parts = [
        crisis.mark(scene) if case.kind == "crisis" else "",
        marks.priority(scene, case.priority),
        f'<span class="e-tag">{escape(scene.t("{name}", name=case.status))}</span>',
        marks.due(scene, case.due_at, now, answered=over),
        _until(scene, case),
        _unsigned(scene, case) if why_not is not None and not over else "",
        f"<b>{escape(scene.t('{name}', name=case.department))}</b>",
        f"<bdi>{escape(case.owner)}</bdi>" if case.owner else escape(scene.t(N_("nobody's yet"))),
        escape(scene.brand(case.brand)),
    ]
    if case.people > 1:
        parts.append(escape(scene.t(N_("{n} people"), n=marks.number(scene, case.people))))
    line = " ".join(f"<span>{part}</span>" for part in parts if part)
    return f'<div class="e-head"><h1>{escape(name)}</h1><div class="e-by">{line}</div></div>'


def _until(scene: Scene, case: Case) -> str:
    if case.status != "snoozed" or case.snoozed_until is None:
        return ""
    return escape(scene.t(N_("until {when}"), when=marks.moment(scene, case.snoozed_until)))


def _unsigned(scene: Scene, case: Case) -> str:
    department = signing_department(scene.config.settings, case)
    words = scene.t(N_("{department} signs first"), department=department)
    return f'<span class="e-soon">✎ {escape(words)}</span>'


def _show_others(scene: Scene, case: Case, others: list[CaseMention], now: datetime) -> None:
    """List the other posts; ticked ones can be taken out into a case of their own."""
    ticking = case.status not in OVER and st.toggle(
        scene.t(N_("Take posts out into a case of their own")), key="splitting"
    )
    ticked = []
    for one in others[:_SHOWN]:
        said = one.mention.post
        mood = marks.mood(scene, one.verdict.sentiment.name, unsure=one.verdict.sentiment.unsure) if one.verdict else ""
        line = clip(said.text, one.mention.terms, 110)
        body = card.post(scene, one.mention, now, masked=one.masked)
        drawn = f"<details><summary>{line} {mood}</summary>{body}</details>"
        if not ticking:
            st.html(drawn)
            continue
        row = st.container(horizontal=True, gap="small", vertical_alignment="top")
        label = scene.t(N_("Take this post out"))
        if row.checkbox(label, key=f"split-{case.id}-{one.mention_id}", label_visibility="collapsed"):
            ticked.append(one.mention_id)
        row.html(drawn, width="stretch")
    if len(others) > _SHOWN:
        st.html(
            f'<p class="e-sub">{escape(scene.t(N_("and {n} more"), n=marks.number(scene, len(others) - _SHOWN)))}</p>'
        )

    def take_out(connection: Connection, now: datetime) -> object:
        made = split(connection, scene.config, case.id, ticked, scene.who, now)
        st.session_state["told"] = "", reason(N_("Taken out: they are case {number} now"), number=made.id)
        return made

    if ticking:
        label = marks.count(scene, len(ticked), N_("Take 1 post out"), N_("Take {n} posts out"))
        args = (scene, take_out)
        st.button(label, key="split", type="primary", disabled=not ticked, on_click=moves.take, args=args)


def _show_judgement(scene: Scene, one: CaseMention) -> None:
    decision = one.decision
    speaker = decision.speaker.label if decision else None
    judged = card.labels(scene, one.verdict, speaker) + card.corrections(scene, decision)
    st.html(
        f'<section class="e-card"><h2 class="e-h2">{escape(scene.t(N_("What was understood")))}</h2>{judged}</section>'
    )
    if one.verdict is not None:
        with st.expander(scene.t(N_("Correct or confirm a label"))):
            _show_correction(scene, one)
    about = card.author_facts(scene, one.mention.post.author, masked=one.masked)
    if about:
        title = escape(scene.t(N_("Who wrote it")))
        st.html(f'<section class="e-card"><h2 class="e-h2">{title}</h2>{about}</section>')


def _legal(scene: Scene, clock: RegulatoryClock) -> str:
    """Write the legal clock of a case: the matter, the days, the norm."""
    instance = scene.config.settings.instance
    wording = Wording(scene.lang, instance.country, scene.config.zone)
    lines = "".join(
        f"<li>{escape(line)}</li>" for line in describe(clock.rule, clock.resolve_by, scene.config.settings, wording)
    )
    return (
        f'<section class="e-card"><h2 class="e-h2">{escape(scene.t(N_("Legal clock")))}</h2><ul>{lines}</ul></section>'
    )


def _sent(scene: Scene, case: Case, one: CaseMention | None) -> str:
    """Write where the case was sent, why, and what would have changed it."""
    decision = one.decision if one else None
    because = decision.route.because if decision else case.reasons
    otherwise = decision.route.otherwise if decision else ()
    sent = card.route(scene, case.department, case.copies, because, otherwise)
    return f'<section class="e-card"><h2 class="e-h2">{escape(scene.t(N_("Why it came here")))}</h2>{sent}</section>'


def _show_correction(scene: Scene, one: CaseMention) -> None:
    def word(name: str) -> str:
        if name in ("true", "false"):
            return scene.t(N_("yes")) if name == "true" else scene.t(N_("no"))
        return scene.t("{name}", name=name)

    heads = list(_CHOICES)
    left, right = st.columns(2)
    head = left.selectbox(
        scene.t(N_("label")), heads, key="head", format_func=lambda name: scene.t(card.HEAD_WORDS[name])
    )
    current = _current(one, head)
    options = [name for name in _CHOICES[head] if name != current]
    value = right.selectbox(scene.t(N_("is in truth")), options, key=f"value-{head}", format_func=word)

    def correct(connection: Connection, now: datetime) -> None:
        from stakeholders.desk import Desk

        Desk(scene.config).correct(connection, one.mention_id, head, value, scene.who, now)

    def confirm(connection: Connection, now: datetime) -> None:
        from stakeholders.correction import confirm as keep
        from stakeholders.desk import Desk

        keep(Desk(scene.config), connection, one.mention_id, head, scene.who, now)

    row = st.container(horizontal=True, gap="small")
    row.button(
        scene.t(N_("Correct")),
        key="correct",
        on_click=moves.take,
        args=(scene, correct),
        help=scene.t(N_("Both values are kept, and the case is sent anew.")),
    )
    said = any(kept.head == head for kept in one.decision.corrections) if one.decision else True
    row.button(
        scene.t(N_("Right as it is: {label}"), label=word(current or "")),
        key="confirm",
        on_click=moves.take,
        args=(scene, confirm),
        disabled=said,
        help=scene.t(N_("It counts for the accuracy and changes nothing else. What a person said already stands.")),
    )


def _current(one: CaseMention, head: str) -> str | None:
    if head == "stakeholder":
        return one.decision.speaker.label.name if one.decision else None
    label: Any = getattr(one.verdict, head)
    return str(label.name)
