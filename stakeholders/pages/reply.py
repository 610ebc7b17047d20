"""Write the reply to a case: a template that suits, a draft, a signature, a text to copy; and notes to colleagues."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import streamlit as st
from sqlalchemy import Connection

from listener.reason import N_, reason
from listener.tables.reply import LONGEST
from listener.taxonomy import LANGUAGES
from stakeholders.casework import draft as replies
from stakeholders.casework.dossier import CaseMention
from stakeholders.casework.draft import Draft
from stakeholders.casework.mentioning import Noted, colleagues, mentioned_in, write_note
from stakeholders.casework.signature import may_sign, signers, signing_department
from stakeholders.casework.step import OVER, UNFINISHED
from stakeholders.casework.template import Template, blanks, fill, find, load, suggest
from stakeholders.deciding.facts import Case
from stakeholders.pages import marks
from stakeholders.pages.moves import Step, run, take
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape, handle, straight

__all__ = ["show_note", "show_reply"]

# Characters that one post may have, by the source's kind: docs.x.com, docs.bsky.app, docs.joinmastodon.org.
_ROOM = {"x": 280, "bluesky": 300, "mastodon": 500}
_STATES = {
    "draft": N_("draft"),
    "waiting": N_("waits for a signature"),
    "signed": N_("signed"),
    "returned": N_("returned"),
    "used": N_("posted"),
}


def show_reply(scene: Scene, case: Case, opened: CaseMention | None, draft: Draft | None) -> None:
    """Draw the draft as it stands, and what its reader may do with it."""
    if draft is None and case.status in OVER:
        st.html(f'<p class="e-sub">{escape(scene.t(N_("This case is over: open it again to write a reply.")))}</p>')
        return
    if draft is None or draft.state == "returned" or st.session_state.get(f"editing-{case.id}"):
        _show_editor(scene, case, opened, draft)
    else:
        _show_kept(scene, case, opened, draft)
    words = N_("Escucha publishes nothing: copy the text, post it where it was said, and say so here.")
    st.html(f'<p class="e-sub">{escape(scene.t(words))}</p>')


def _show_editor(scene: Scene, case: Case, opened: CaseMention | None, draft: Draft | None) -> None:
    state, text = st.session_state, f"draft-{case.id}"
    row = st.container(horizontal=True, gap="small", vertical_alignment="center")
    said = opened.mention.post.lang if opened is not None else None
    usual = draft.lang if draft is not None else said if said in LANGUAGES else scene.lang
    place = row.container(width="stretch")  # what fits is known when the language is
    lang = row.segmented_control(
        scene.t(N_("Language of the reply")),
        LANGUAGES,
        default=state.get(f"lang-{case.id}", usual),
        format_func=str.upper,
        key=f"lang-{case.id}",
        on_change=lambda: _refill(scene, case, opened, None),
        required=True,
        label_visibility="collapsed",
    )
    fitting = {one.key: one for one in _fitting(scene, case, opened, str(lang or usual))}
    place.selectbox(
        scene.t(N_("Template")),
        list(fitting),
        key=f"template-{case.id}-{lang}",
        format_func=lambda key: _title(scene, fitting.get(key)),
        on_change=lambda: _refill(scene, case, opened, state.get(f"template-{case.id}-{lang}")),
        label_visibility="collapsed",
    )
    if text not in state:
        first = next(iter(fitting.values()), None)
        state[text] = draft.text if draft is not None else _filled(scene, case, opened, first)
        state[f"base-{case.id}"] = state[text]
    if draft is not None and (draft.state == "returned" or draft.text != state[text]):
        _show_other(scene, draft)
    st.text_area(scene.t(N_("Reply")), key=text, height=118, max_chars=LONGEST, label_visibility="collapsed")

    def keep(connection: Connection, now: datetime) -> object:
        words = str(state.get(text) or "")
        seen: Draft | replies.Unseen = draft if draft is not None else "none"
        chosen = state.get(f"template-{case.id}-{lang}")
        return replies.write(connection, case.id, scene.who, now, words, str(lang or usual), chosen, seen)

    def save() -> None:
        state[f"editing-{case.id}"] = not run(scene, keep)
        if not state[f"editing-{case.id}"]:
            state.pop(f"mine-{case.id}", None)

    row = st.container(horizontal=True, gap="small")
    row.button(scene.t(N_("Keep the draft")), key="draft-save", on_click=save)
    if draft is not None and draft.state != "returned":
        row.button(scene.t(N_("Leave it as it was")), key="draft-leave", on_click=lambda: _leave(case, draft))
    if state.get(f"mine-{case.id}"):
        row.button(scene.t(N_("Bring my text back")), key="draft-mine", on_click=lambda: _bring_back(case))


def _show_other(scene: Scene, draft: Draft) -> None:
    """Show what a colleague returned, or wrote meanwhile, above the box that holds one's own words."""
    if draft.state == "returned":
        words = scene.t(N_("{quote_who} returned it:"), quote_who=draft.signer or "")
        st.html(f'<div class="e-note warn">{escape(words)} <b><bdi>{escape(draft.note or "")}</bdi></b></div>')
        return
    words = scene.t(N_("As it stands now, by {quote_who}:"), quote_who=draft.who)
    st.html(
        f'<details class="e-card"><summary>{escape(words)}</summary>'
        f'<div class="e-post"><bdi dir="auto">{escape(draft.text)}</bdi></div></details>'
    )


def _fitting(scene: Scene, case: Case, opened: CaseMention | None, lang: str) -> tuple[Template, ...]:
    """List what suits the case; a label that is unsure chooses nothing."""
    verdict = opened.verdict if opened is not None else None
    intent = verdict.intent.name if verdict is not None and not verdict.intent.unsure else None
    dimension = verdict.dimension.name if verdict is not None and not verdict.dimension.unsure else None
    return suggest(load(scene.config), lang, case.stakeholder, intent, dimension, case.department)


def _title(scene: Scene, template: Template | None) -> str:
    if template is None:
        return ""
    own = f" · {scene.t(N_('your own'))}" if template.own else ""
    return f"{scene.t(N_('Template'))}: {template.reply.title}{own}"


def _filled(scene: Scene, case: Case, opened: CaseMention | None, template: Template | None) -> str:
    if template is None:
        return ""
    name = None
    if opened is not None and not opened.masked:
        author, decision = opened.mention.post.author, opened.decision
        name = decision.speaker.entry if decision is not None else None
        name = name or (handle(author.handle) if author.handle else author.name)
    return fill(template, name, scene.brand(case.brand), case.id, case.department)


def _refill(scene: Scene, case: Case, opened: CaseMention | None, key: str | None) -> None:
    """Fill the box anew from a template; words that a person wrote there are kept aside."""
    state, text = st.session_state, f"draft-{case.id}"
    lang = str(state.get(f"lang-{case.id}") or scene.lang)
    fitting = _fitting(scene, case, opened, lang)
    chosen = find(fitting, key) if key else next(iter(fitting), None)
    if chosen is None:
        return
    mine = str(state.get(text) or "")
    if mine.strip() and mine != state.get(f"base-{case.id}"):
        state[f"mine-{case.id}"] = mine
    state[text] = state[f"base-{case.id}"] = _filled(scene, case, opened, chosen)


def _bring_back(case: Case) -> None:
    st.session_state[f"draft-{case.id}"] = st.session_state.pop(f"mine-{case.id}")


def _leave(case: Case, draft: Draft) -> None:
    st.session_state[f"draft-{case.id}"] = draft.text
    st.session_state[f"editing-{case.id}"] = False


def _show_kept(scene: Scene, case: Case, opened: CaseMention | None, draft: Draft) -> None:
    """Show a kept text: to copy when it may be used, else to read until it is signed."""
    settings = scene.config.settings
    department = signing_department(settings, case)
    free = department is None or draft.state == "signed"
    who = draft.signer if draft.state == "signed" and draft.signer else draft.who
    at = draft.signed_at or draft.at
    line = f'<span class="e-tag">{escape(scene.t(_STATES[draft.state]))}</span>'
    st.html(
        f'<div class="e-by">{line}<bdi>{escape(who)}</bdi>{marks.clock(scene, at)}{_room(scene, opened, draft)}</div>'
    )
    if free:
        st.code(straight(draft.text), language=None, wrap_lines=True)
    else:
        words = f'<div class="e-post"><bdi dir="auto">{escape(draft.text)}</bdi></div>'
        st.html(f'<article class="e-card">{words}</article>')
    left = blanks(draft.text)
    if left:
        st.html(marks.note(scene.t(N_("Still to fill in: {quote_blanks}"), quote_blanks=" ".join(left)), "warn"))
    row = st.container(horizontal=True, gap="small")
    if free:
        _show_use(scene, case, draft, row, ready=not left)
    elif draft.state == "draft":

        def ask(connection: Connection, now: datetime) -> object:
            return replies.submit(connection, scene.config, case.id, scene.who, now, draft)

        label = scene.t(N_("Send to {department} to be signed"), department=department)
        row.button(label, key="draft-submit", type="primary", on_click=take, args=(scene, ask), disabled=bool(left))
    elif draft.state == "waiting" and department is not None:
        _show_signing(scene, case, draft, row)
    row.button(scene.t(N_("Change the text")), key="draft-edit", on_click=lambda: _edit(case, draft))
    if draft.state == "waiting" and department is not None:
        names = ", ".join(one.name for one in signers(settings, department)) or scene.t(N_("a second person"))
        words = scene.t(N_("To be signed by {department}: {quote_names}"), department=department, quote_names=names)
        st.html(f'<p class="e-sub">{escape(words)}</p>')


def _room(scene: Scene, opened: CaseMention | None, draft: Draft) -> str:
    """Say when a text is longer than the platform takes in one post."""
    source = opened.mention.post.source if opened is not None else ""
    table = scene.config.settings.sources.get(source)
    most = _ROOM.get((table.kind if table is not None else "") or scene.source(source))
    if most is None or len(draft.text) <= most:
        return ""
    words = scene.t(N_("{n} characters; this platform takes {most} in one post"), n=len(draft.text), most=most)
    return f'<span class="e-soon">{escape(words)}</span>'


def _show_use(scene: Scene, case: Case, draft: Draft, row: Any, *, ready: bool) -> None:
    settings, owed = scene.config.settings, case.status in UNFINISHED

    def posted(connection: Connection, now: datetime) -> object:
        if not owed:
            return replies.use(connection, settings, case.id, scene.who, now, draft)
        who, seen = scene.who, draft
        return replies.answer(connection, settings, case.id, who, now, None, case.version, seen, with_draft=True)

    label = scene.t(N_("I have posted it: answered") if owed else N_("I have posted it"))
    row.button(label, key="draft-use", type="primary", on_click=take, args=(scene, posted), disabled=not ready)


def _show_signing(scene: Scene, case: Case, draft: Draft, row: Any) -> None:
    """Draw what only a signer is offered: to sign, or to return it with what must change."""
    settings = scene.config.settings
    if not may_sign(settings, case, draft.who, scene.who):
        return

    def sign(connection: Connection, now: datetime) -> object:
        return replies.sign(connection, settings, case.id, scene.who, now, draft)

    def give_back(connection: Connection, now: datetime) -> object:
        words = str(st.session_state.get("return-note") or "")
        done = replies.give_back(connection, settings, case.id, scene.who, now, words, draft)
        st.session_state["return-note"] = ""
        st.session_state[f"draft-{case.id}"] = draft.text
        return done

    row.button(scene.t(N_("Sign")), key="draft-sign", type="primary", on_click=take, args=(scene, sign))
    with row.popover(scene.t(N_("Return"))):
        st.text_area(scene.t(N_("What must change?")), key="return-note", max_chars=1000, height=80)
        label = scene.t(N_("Return to its author"))
        st.button(label, key="draft-return", type="primary", on_click=take, args=(scene, give_back))


def _edit(case: Case, draft: Draft) -> None:
    st.session_state[f"draft-{case.id}"] = st.session_state[f"base-{case.id}"] = draft.text
    st.session_state[f"editing-{case.id}"] = True


def show_note(scene: Scene, case: Case) -> None:
    """Draw the box for a note to colleagues; whoever it names with @ is told by mail."""
    names = [one.name for one in colleagues(scene.config.settings) if one.name != scene.who]
    st.text_area(
        scene.t(N_("Note to colleagues")),
        key="words",
        height=90,
        max_chars=4000,
        placeholder=scene.t(N_("Only colleagues read this. @Name tells a colleague by mail.")),
    )
    row = st.container(horizontal=True, gap="small", vertical_alignment="bottom")
    row.multiselect(scene.t(N_("Tell")), names, key="tell", placeholder=scene.t(N_("@ colleagues")), width="stretch")

    def note(connection: Connection, now: datetime) -> object:
        text = str(st.session_state.get("words") or "").strip()
        named = {one.name for one in mentioned_in(text, scene.config.settings)}
        more = [f"@{name}" for name in st.session_state.get("tell") or () if name not in named]
        done = write_note(
            connection, scene.config, case.id, scene.who, now, " ".join((text, *more)).strip() if text else ""
        )
        st.session_state["words"], st.session_state["tell"] = "", []
        _say(done)
        return done

    step: Step = note
    row.button(scene.t(N_("Add note")), key="note", type="primary", on_click=take, args=(scene, step))


def _say(done: Noted) -> None:
    told = ", ".join(one.name for one in done.told)
    lost = ", ".join(one.name for one in done.unreached)
    if lost:
        sentence = N_("The note is kept. No mail address is known of {quote_names}: [people] in config.toml")
        st.session_state["told"] = "warn", reason(sentence, quote_names=lost)
    elif told:
        st.session_state["told"] = "", reason(N_("The note is kept; {quote_names} is told by mail"), quote_names=told)
