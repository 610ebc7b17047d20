"""Show one case: its posts, who speaks, what was judged and why, where it was sent, its history; and move it."""

from __future__ import annotations

from datetime import datetime

import streamlit as st
from sqlalchemy import Connection

from listener.reason import N_, Reason, reason
from stakeholders import case as steps
from stakeholders.casework import draft as replies
from stakeholders.casework.dossier import CaseMention
from stakeholders.casework.draft import Draft
from stakeholders.casework.merging import split
from stakeholders.casework.signature import signing_department
from stakeholders.casework.step import OVER
from stakeholders.deciding.facts import Case
from stakeholders.pages import card, crisis, judgement, labelling, marks, moves, presence, queue, reply, triage, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import clip, escape
from stakeholders.regulation import RegulatoryClock, describe
from stakeholders.regulation.mark import read_clock
from stakeholders.wording import Wording

__all__ = ["show"]

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
    st.html(_head(scene, filters, following, found, now, why_not))
    told = st.session_state.pop("told", None)
    if told is not None:
        style, why = told
        st.html(marks.note(why.say(scene.lang), style))
    if found is None:
        words = scene.t(N_("Open one from the inbox; a shared link may name a case of another instance."))
        st.html(marks.empty(scene.t(N_("There is no such case")), words))
        return
    opened = next((one for one in posts if one.how == "opened"), posts[0] if posts else None)
    others = [one for one in posts if one is not opened]
    moves.show_heir(scene, found)
    presence.show(scene, found)
    moves.show_bar(scene, found, draft, why_not)
    # Keyed containers: style.css fits them into one screen, each a panel that scrolls by itself; on a phone it puts
    # what was said, what can be done and why in this order.
    with st.container(key="case"):
        left, right = st.columns([11, 9], gap="small")
    with left:
        with st.container(key="case-post"):
            st.html(_what_was_said(scene, opened, others, clock, rise, now))
        with st.container(key="case-steps"):
            _show_work(scene, found, opened, others, draft)
        with st.container(key="case-history"):
            newest = sorted(happened, key=lambda one: (one.at, one.id), reverse=True)
            st.html(_pane(scene, N_("History"), card.events(scene, newest, found.id)))
    with right:
        with st.container(key="case-owner"):
            moves.show_owner(scene, found)
        if opened is not None:
            with st.container(key="case-labels"):
                judgement.show_labels(scene, opened)
        with st.container(key="case-sent"):
            if rise is not None:
                st.html(crisis.members(scene, rise, now))
            st.html(_sent(scene, found, opened if rise is None else None))
    st.html(triage.draw_undo(scene, now) or '<span class="e-nil"></span>')
    st.html(triage.draw_sheets(scene))
    triage.connect(scene)
    labelling.connect(scene, found, opened)


def _pane(scene: Scene, title: str, inner: str, style: str = "") -> str:
    """Write a panel with its title; it scrolls by itself, also from the keyboard."""
    words = escape(scene.t(title))
    return (
        f'<section class="e-card e-pane{style}" role="region" tabindex="0" aria-label="{words}">'
        f'<h2 class="e-h2">{words}</h2>{inner}</section>'
    )


def _what_was_said(
    scene: Scene,
    opened: CaseMention | None,
    others: list[CaseMention],
    clock: RegulatoryClock | None,
    rise: crisis.Rise | None,
    now: datetime,
) -> str:
    """Write the panel of the posts: what rises in a crisis, the post that opened the case, its author, its thread."""
    parts = [crisis.rise(scene, rise, now) if rise is not None else ""]
    parts.append(_legal(scene, clock) if clock is not None else "")
    if opened is not None:
        spoken = judgement.find_spoken(scene, opened)
        parts.append(card.post(scene, opened.mention, now, masked=opened.masked, spoken=spoken))
        parts.append(card.author_facts(scene, opened.mention.post.author, masked=opened.masked))
    elif rise is None:
        parts.append(f'<p class="e-sub">{escape(scene.t(N_("all posts removed")))}</p>')
    parts.append(card.thread(scene, others, now, _SHOWN))
    title = escape(scene.t(N_("What was said")))
    inner = "".join(parts)
    return f'<section class="e-card e-pane e-told" role="region" tabindex="0" aria-label="{title}">{inner}</section>'


def _forget_other(number: int | None) -> None:
    """Forget what was typed for another case: nobody writes a note into the wrong one."""
    if st.session_state.get("case-open") != number:
        for key in ("words", "tell", "why-noise", "merge-into", "return-note", "splitting"):
            st.session_state.pop(key, None)
        st.session_state["case-open"] = number


def _show_work(
    scene: Scene, case: Case, opened: CaseMention | None, others: list[CaseMention], draft: Draft | None
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
            _show_others(scene, case, others)


def _head(
    scene: Scene,
    filters: queue.Filters,
    following: int | None,
    case: Case | None,
    now: datetime,
    why_not: Reason | None,
) -> str:
    """Write the first line: the way back, the case and how it stands, the next case."""
    query = scene.query(filters.to_query())
    back = wire.link("inbox", query, f"← {escape(scene.t(N_('Inbox')))} <kbd>u</kbd>", key="u")
    onward = ""
    if following is not None:
        words = escape(scene.t(N_("Next case")))
        onward = wire.link("case", query | {"id": following}, f"<kbd>n</kbd> {words} →", key="n")
    title = _title(scene, case, now, why_not) if case is not None else ""
    keys = f'<button type="button" data-do="help">{escape(scene.t(N_("Keys")))} <kbd>?</kbd></button>'
    return f'<div class="e-nav e-ahead">{back}{title}<span class="e-way">{keys}{onward}</span></div>'


def _title(scene: Scene, case: Case, now: datetime, why_not: Reason | None) -> str:
    name = scene.t(N_("Case {number}"), number=case.id)
    over = case.answered_at is not None or case.status in OVER
    parts = [
        crisis.mark(scene) if case.kind == "crisis" else "",
        marks.priority(scene, case.priority),
        f'<span class="e-tag">{escape(scene.t("{name}", name=case.status))}</span>',
        marks.due(scene, case.due_at, now, answered=over) or _answered(scene, case),
        _until(scene, case),
        _unsigned(scene, case) if why_not is not None and not over else "",
        f"<b>{escape(scene.t('{name}', name=case.department))}</b>",
        escape(scene.brand(case.brand)),
    ]
    if case.people > 1:
        parts.append(escape(scene.t(N_("{n} people"), n=marks.number(scene, case.people))))
    line = " ".join(f"<span>{part}</span>" for part in parts if part)
    return (
        f'<div class="e-head" data-case="{case.id}" data-version="{case.version}"><h1>{escape(name)}</h1>'
        f'<div class="e-by">{line}</div></div>'
    )


def _answered(scene: Scene, case: Case) -> str:
    """Say how long an answer took, and whether its clock was kept."""
    if case.answered_at is None:
        return ""
    words = scene.t(N_("answered after {span}"), span=marks.span(scene, case.answered_at - case.opened_at))
    if case.due_at is not None:
        late = case.answered_at > case.due_at
        words += " · " + (scene.t(N_("past its time")) if late else scene.t(N_("in time")))
    return escape(words)


def _until(scene: Scene, case: Case) -> str:
    if case.status != "snoozed" or case.snoozed_until is None:
        return ""
    return escape(scene.t(N_("until {when}"), when=marks.moment(scene, case.snoozed_until)))


def _unsigned(scene: Scene, case: Case) -> str:
    department = signing_department(scene.config.settings, case)
    words = scene.t(N_("{department} signs first"), department=department)
    return f'<span class="e-soon">✎ {escape(words)}</span>'


def _show_others(scene: Scene, case: Case, others: list[CaseMention]) -> None:
    """Offer to take posts out into a case of their own; what they say stands above, beneath the post."""
    if case.status in OVER:
        words = scene.t(N_("This case is over: open it again to take posts out."))
        st.html(f'<p class="e-sub">{escape(words)}</p>')
        return
    ticking = st.toggle(scene.t(N_("Take posts out into a case of their own")), key="splitting")
    ticked = []
    for one in others[:_SHOWN] if ticking else ():
        said = one.mention.post
        row = st.container(horizontal=True, gap="small", vertical_alignment="center")
        label = scene.t(N_("Take this post out"))
        if row.checkbox(label, key=f"split-{case.id}-{one.mention_id}", label_visibility="collapsed"):
            ticked.append(one.mention_id)
        row.html(f'<div class="e-line1">{clip(said.text, one.mention.terms, 110)}</div>', width="stretch")

    def take_out(connection: Connection, now: datetime) -> object:
        made = split(connection, scene.config, case.id, ticked, scene.who, now)
        st.session_state["told"] = "", reason(N_("Taken out: they are case {number} now"), number=made.id)
        return made

    if ticking:
        label = marks.count(scene, len(ticked), N_("Take 1 post out"), N_("Take {n} posts out"))
        args = (scene, take_out)
        st.button(label, key="split", type="primary", disabled=not ticked, on_click=moves.take, args=args)


def _legal(scene: Scene, clock: RegulatoryClock) -> str:
    """Write the legal clock of a case: the matter, the days, the norm."""
    instance = scene.config.settings.instance
    wording = Wording(scene.lang, instance.country, scene.config.zone)
    first, *rest = describe(clock.rule, clock.resolve_by, scene.config.settings, wording)
    more = "".join(f"<li>{escape(line)}</li>" for line in rest)
    more = f'<ul class="e-why">{more}</ul>' if more else ""
    title = escape(scene.t(N_("Legal clock")))
    return f'<details class="e-legal"><summary><b>{title}</b> {escape(first)}</summary>{more}</details>'


def _sent(scene: Scene, case: Case, one: CaseMention | None) -> str:
    """Write where the case was sent, why, and what would have changed it."""
    decision = one.decision if one else None
    because = decision.route.because if decision else case.reasons
    otherwise = decision.route.otherwise if decision else ()
    sent = card.route(scene, case.department, case.copies, because, otherwise)
    return _pane(scene, N_("Why it came here"), sent)
