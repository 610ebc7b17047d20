"""Show one case: its posts, who speaks, what was judged and why, where it was sent, its history; and move it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

import streamlit as st
from sqlalchemy import Connection

from listener.reason import N_, Reason, reason
from listener.taxonomy import DIMENSIONS, INTENTS, SENTIMENTS, STAKEHOLDERS
from stakeholders import case as steps
from stakeholders.case import NotPossible, Stale
from stakeholders.dossier import CaseMention
from stakeholders.facts import Case
from stakeholders.pages import card, marks, queue, wire
from stakeholders.pages.scene import Scene, list_people
from stakeholders.pages.text import clip, escape
from stakeholders.regulation import RegulatoryClock, describe
from stakeholders.regulation.mark import read_clock
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
    filters = queue.read_filters()
    with scene.store.read() as connection:
        found = steps.read_case(connection, number) if number is not None else None
        happened = steps.history(connection, found.id) if found else []
        posts = steps.case_mentions_of(connection, found.id) if found else []
        following = queue.next_case(connection, filters, number, now)
        clock = read_clock(connection, scene.config.settings, found.id) if found else None
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
    with st.container(horizontal=True, vertical_alignment="center"):
        st.html(_title(scene, found, now))
        if found.status == "new":
            _show_acknowledge(scene, found)
    # Keyed containers: on a phone style.css puts the steps right below the post, and the history at the end.
    with st.container(key="case"):
        left, right = st.columns([3, 2], gap="medium")
    with left:
        if opened is not None:
            with st.container(key="case-post"):
                st.html(card.post(scene, opened.mention, now, masked=opened.masked))
        if clock is not None:
            st.html(_legal(scene, clock))
        with st.container(key="case-sent"):
            others = [one for one in posts if one is not opened]
            if others:
                st.html(_others(scene, others, now))
            st.html(_sent(scene, found, opened))
        with st.container(key="case-history"):
            newest = sorted(happened, key=lambda one: (one.at, one.id), reverse=True)
            st.html(f'<h2 class="e-h2">{escape(scene.t(N_("History")))}</h2>{card.events(scene, newest)}')
    with right:
        with st.container(key="case-steps"):
            _show_steps(scene, found)
        if opened is not None:
            with st.container(key="case-labels"):
                _show_judgement(scene, opened)


def _show_ways(scene: Scene, filters: queue.Filters, following: int | None) -> None:
    query = scene.query(filters.to_query())
    back = wire.link("inbox", query, f"← {escape(scene.t(N_('Inbox')))} <kbd>u</kbd>", key="u")
    onward = ""
    if following is not None:
        words = escape(scene.t(N_("Next case")))
        onward = wire.link("case", query | {"id": following}, f"<kbd>n</kbd> {words} →", key="n")
    st.html(f'<nav class="e-nav">{back}{onward}</nav>')


def _title(scene: Scene, case: Case, now: datetime) -> str:
    name = scene.t(N_("Case {number}"), number=case.id)
    over = case.answered_at is not None or case.status == "closed"
    parts = [
        marks.priority(scene, case.priority),
        f'<span class="e-tag">{escape(scene.t("{name}", name=case.status))}</span>',
        marks.due(scene, case.due_at, now, answered=over),
        f"<b>{escape(scene.t('{name}', name=case.department))}</b>",
        f"<bdi>{escape(case.owner)}</bdi>" if case.owner else escape(scene.t(N_("nobody's yet"))),
        escape(scene.brand(case.brand)),
    ]
    if case.people > 1:
        parts.append(escape(scene.t(N_("{n} people"), n=marks.number(scene, case.people))))
    line = " ".join(f"<span>{part}</span>" for part in parts if part)
    return f'<div class="e-head"><h1>{escape(name)}</h1><div class="e-by">{line}</div></div>'


def _others(scene: Scene, others: list[CaseMention], now: datetime) -> str:
    lines = []
    for one in others[:_SHOWN]:
        said = one.mention.post
        mood = marks.mood(scene, one.verdict.sentiment.name, unsure=one.verdict.sentiment.unsure) if one.verdict else ""
        line = clip(said.text, one.mention.terms, 110)
        body = card.post(scene, one.mention, now, masked=one.masked)
        lines.append(f"<details><summary>{line} {mood}</summary>{body}</details>")
    title = marks.count(scene, len(others), N_("1 more post in this case"), N_("{n} more posts in this case"))
    return f'<h2 class="e-h2">{escape(title)}</h2><div class="e-list">{"".join(lines)}</div>'


def _show_acknowledge(scene: Scene, case: Case) -> None:
    """Draw the button that says who has seen the case; on a phone it stands above all else."""

    def see(connection: Connection, now: datetime) -> object:
        return steps.acknowledge(connection, case.id, scene.who, now, case.version)

    label = scene.t(N_("I have seen it"))
    st.button(label, type="primary", key="acknowledge", icon=":material/visibility:", on_click=_take, args=(scene, see))


def _show_steps(scene: Scene, case: Case) -> None:
    """Draw what a person can do with the case; each step says which version of the case was seen."""

    def take(step: Callable[[Connection, datetime], object]) -> None:
        _take(scene, step)

    with st.container(border=True):
        if case.status != "closed":
            _show_owner(scene, case, take)
        st.text_area(scene.t(N_("Note or answer given")), key="words", height=72, max_chars=4000)

        def written() -> str:
            return str(st.session_state.get("words") or "").strip()

        def answer(c: Connection, now: datetime) -> None:
            steps.answer(c, case.id, scene.who, now, written() or None, case.version)
            st.session_state["words"] = ""

        def close(c: Connection, now: datetime) -> None:
            steps.close(c, case.id, scene.who, now, written() or None, case.version)
            st.session_state["words"] = ""

        def note(c: Connection, now: datetime) -> None:
            steps.note(c, case.id, scene.who, now, written())
            st.session_state["words"] = ""

        row = st.container(horizontal=True, gap="small")
        if case.status in ("new", "acknowledged"):
            main: Literal["primary", "secondary"] = "primary" if case.status == "acknowledged" else "secondary"
            row.button(scene.t(N_("Answered")), key="answer", type=main, on_click=take, args=(answer,))
        if case.status != "closed":
            row.button(scene.t(N_("Close")), key="close", on_click=take, args=(close,))
        row.button(scene.t(N_("Add note")), key="note", on_click=take, args=(note,))
        words = scene.t(N_("Escucha publishes nothing: answer where it was said, and write it down here."))
        st.html(f'<p class="e-sub">{escape(words)}</p>')


def _show_owner(scene: Scene, case: Case, take: Callable[[Callable[[Connection, datetime], object]], None]) -> None:
    table = scene.config.settings.departments.get(case.department)
    people = list_people([table] if table else ())
    names = [name for name in dict.fromkeys((*people, scene.who, case.owner)) if name]

    def give() -> None:
        chosen = st.session_state["owner"]
        take(lambda c, now: steps.assign(c, case.id, scene.who, now, chosen, case.version))

    st.session_state["owner"] = case.owner
    st.selectbox(
        scene.t(N_("Assigned to")),
        names,
        key="owner",
        index=None,
        placeholder=scene.t(N_("nobody yet")),
        accept_new_options=True,
        on_change=give,
    )


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
        on_click=_take,
        args=(scene, correct),
        help=scene.t(N_("Both values are kept, and the case is sent anew.")),
    )
    said = any(kept.head == head for kept in one.decision.corrections) if one.decision else True
    row.button(
        scene.t(N_("Right as it is: {label}"), label=word(current or "")),
        key="confirm",
        on_click=_take,
        args=(scene, confirm),
        disabled=said,
        help=scene.t(N_("It counts for the accuracy and changes nothing else. What a person said already stands.")),
    )


def _current(one: CaseMention, head: str) -> str | None:
    if head == "stakeholder":
        return one.decision.speaker.label.name if one.decision else None
    label: Any = getattr(one.verdict, head)
    return str(label.name)


def _take(scene: Scene, step: Callable[[Connection, datetime], object]) -> None:
    """Take one step in one transaction; what stands in its way is told to the reader, and nothing is changed."""
    told: tuple[str, Reason] | None = None
    if not scene.who:
        told = "warn", reason(N_("Say who you are first: the history names who did what"))
    else:
        try:
            with scene.store.write() as connection:
                done = step(connection, scene.now)
            if isinstance(done, steps.Acknowledgement) and done.again:
                told = "warn", reason(N_("{quote_who} had seen this case already"), quote_who=done.who)
        except (Stale, NotPossible) as error:
            told = "warn", error.reason
    if told is not None:
        st.session_state["told"] = told
