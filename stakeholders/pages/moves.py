"""Move a case: seen, answered, put off, noise, closed, open again, merged, exported; each step says what was seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial
from typing import Literal

import streamlit as st
from sqlalchemy import Connection

from listener.reason import N_, Reason, reason
from listener.taxonomy import LANGUAGES, OPEN_STATUSES
from stakeholders import case as steps
from stakeholders.casework import draft as replies
from stakeholders.casework.dossier import case_mentions_of, read_case
from stakeholders.casework.mentioning import colleagues
from stakeholders.casework.merging import merge, resolve
from stakeholders.casework.step import OVER, NotPossible, Stale
from stakeholders.deciding.facts import Case
from stakeholders.pages import marks, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import clip, escape, web_link
from stakeholders.sla import hours_of

__all__ = ["Step", "run", "show_bar", "show_heir", "show_owner", "take", "until_choices"]

Step = Callable[[Connection, datetime], object]

_EARLY = time(9, 0)
_MOST = 2**53  # what a number in a box may be; databases take no more than 2**63


def run(scene: Scene, step: Step) -> bool:
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
            if isinstance(error, Stale):
                st.session_state["stale"] = True
    if told is not None:
        st.session_state["told"] = told
    return told is None


def take(scene: Scene, step: Step) -> None:
    """Take one step, as a button's callback."""
    run(scene, step)


def until_choices(now: datetime, zone: tzinfo) -> list[tuple[str, datetime]]:
    """Offer times to put a case off to: in an hour, tomorrow and on Monday at nine, in the zone of who answers.

    The times are aware; Monday is left out on a Sunday, when tomorrow is one.
    """
    today = now.astimezone(zone).date()
    tomorrow, monday = today + timedelta(days=1), today + timedelta(days=7 - today.weekday())
    found = [(N_("1 hour"), (now + timedelta(hours=1)).astimezone(zone))]
    found.append((N_("Tomorrow"), datetime.combine(tomorrow, _EARLY, zone)))
    if monday != tomorrow:
        found.append((N_("Monday"), datetime.combine(monday, _EARLY, zone)))
    return found


def show_bar(scene: Scene, case: Case, draft: replies.Draft | None, why_not: Reason | None) -> None:
    """Draw every step that a case can take as it stands; the one that is next is the main one."""
    with st.container(horizontal=True, gap="small", key="case-bar"):
        if case.status == "new":
            _button(scene, N_("I have seen it"), "acknowledge", _see(scene, case), "visibility", main=True)
        if case.status == "snoozed":
            _button(scene, N_("Wake it now"), "wake", _wake(scene, case), "alarm", main=True)
        if case.status in (*OPEN_STATUSES, "snoozed"):
            _show_answered(scene, case, draft, why_not)
            _show_snooze(scene, case)
            _show_noise(scene, case)
        if case.status not in OVER:
            main = case.status == "answered"
            _button(scene, N_("Close"), "close", _close(scene, case), "done_all", main=main)
        if case.status in ("answered", *OVER):
            _button(scene, N_("Open again"), "reopen", _reopen(scene, case), "undo")
        _show_more(scene, case)


def _button(scene: Scene, words: str, key: str, step: Step, icon: str, *, main: bool = False) -> None:
    kind: Literal["primary", "secondary"] = "primary" if main else "secondary"
    label = scene.t(words)
    st.button(label, key=key, type=kind, icon=f":material/{icon}:", on_click=take, args=(scene, step))


def _see(scene: Scene, case: Case) -> Step:
    return lambda connection, now: steps.acknowledge(connection, case.id, scene.who, now, case.version)


def _wake(scene: Scene, case: Case) -> Step:
    return lambda connection, now: steps.wake(connection, case.id, scene.who, now, case.version)


def _close(scene: Scene, case: Case) -> Step:
    return lambda connection, now: steps.close(connection, case.id, scene.who, now, None, case.version)


def _reopen(scene: Scene, case: Case) -> Step:
    settings = scene.config.settings
    return lambda connection, now: steps.reopen(connection, settings, case.id, scene.who, now, None, case.version)


def _show_answered(scene: Scene, case: Case, draft: replies.Draft | None, why_not: Reason | None) -> None:
    """Draw the button that says the author was answered; without a signature that is needed it cannot be pressed."""
    settings = scene.config.settings
    seen: replies.Draft | replies.Unseen = draft if draft is not None else "none"

    def answer(connection: Connection, now: datetime) -> object:
        return replies.answer(connection, settings, case.id, scene.who, now, None, case.version, seen)

    st.button(
        scene.t(N_("Answered")),
        key="answer",
        type="primary" if case.status == "acknowledged" and why_not is None else "secondary",
        icon=":material/reply:",
        on_click=take,
        args=(scene, answer),
        disabled=why_not is not None,
        help=marks.reason(scene, why_not) if why_not is not None else None,
    )


def _show_snooze(scene: Scene, case: Case) -> None:
    zone = hours_of(scene.config.settings, case.department).zone

    def put_off(until: datetime) -> Step:
        return lambda connection, now: steps.snooze(connection, case.id, scene.who, now, until, case.version)

    def chosen(connection: Connection, now: datetime) -> object:
        day, at = st.session_state["snooze-day"], st.session_state["snooze-at"]
        if not isinstance(day, date) or not isinstance(at, time):
            raise NotPossible(reason(N_("Choose a day and an hour")))
        return put_off(datetime.combine(day, at, zone).astimezone(UTC))(connection, now)

    with st.popover(scene.t(N_("Snooze")), icon=":material/snooze:"):
        for place, (words, until) in enumerate(until_choices(scene.now, zone)):
            label = f"{scene.t(words)} · {_hour(scene, until)}"
            step = put_off(until.astimezone(UTC))
            st.button(label, key=f"snooze-{place}", width="stretch", on_click=take, args=(scene, step))
        today = scene.now.astimezone(zone).date()
        left, right = st.columns(2)
        left.date_input(
            scene.t(N_("Day")), today + timedelta(days=2), min_value=today, key="snooze-day", format="DD/MM/YYYY"
        )
        right.time_input(scene.t(N_("Hour")), _EARLY, key="snooze-at")
        st.button(scene.t(N_("Snooze until then")), key="snooze-then", on_click=take, args=(scene, chosen))
        words = scene.t(N_("Times of {zone}. The clock of the case runs on."), zone=str(zone).replace("_", " "))
        st.html(f'<p class="e-sub">{escape(words)}</p>')


def _hour(scene: Scene, when: datetime) -> str:
    from babel.dates import format_datetime

    return str(format_datetime(when, "EEE d, HH:mm", tzinfo=when.tzinfo, locale=scene.locale))


def _show_noise(scene: Scene, case: Case) -> None:
    def dismiss(connection: Connection, now: datetime) -> object:
        why = str(st.session_state.get("why-noise") or "")
        done = steps.dismiss(connection, case.id, scene.who, now, why, case.version)
        st.session_state["why-noise"] = ""
        return done

    with st.popover(scene.t(N_("Noise")), icon=":material/block:"):
        st.text_input(scene.t(N_("Why is this noise?")), key="why-noise", max_chars=400)
        st.button(scene.t(N_("Dismiss as noise")), key="dismiss", type="primary", on_click=take, args=(scene, dismiss))
        words = scene.t(N_("It leaves the inbox and counts as nobody's case. The reason is kept."))
        st.html(f'<p class="e-sub">{escape(words)}</p>')


def _show_more(scene: Scene, case: Case) -> None:
    with st.popover(scene.t(N_("More")), icon=":material/more_horiz:"):
        if case.merged_into is None:
            _show_merge(scene, case)
            _show_ticket(scene, case)
        _show_export(scene, case)


def _show_merge(scene: Scene, case: Case) -> None:
    st.text_input(scene.t(N_("Merge this case into case number")), key="merge-into", max_chars=17, placeholder="123")
    given = str(st.session_state.get("merge-into") or "").strip().lstrip("#")
    if not given:
        return
    number = int(given) if given.isascii() and given.isdecimal() and int(given) < _MOST else None
    with scene.store.read() as connection:
        number = resolve(connection, number) if number is not None else None
        other = read_case(connection, number) if number is not None else None
        posts = case_mentions_of(connection, other.id) if other is not None else []
    if other is None or other.id == case.id:
        wrong = N_("There is no such case") if other is None else N_("That is this case")
        st.html(marks.note(scene.t(wrong), "warn"))
        return
    opened = next((one for one in posts if one.how == "opened"), posts[0] if posts else None)
    said = clip(opened.mention.post.text, opened.mention.terms, 160) if opened is not None else ""
    line = " ".join(
        f"<span>{part}</span>"
        for part in (
            f"<b>{escape(scene.t(N_('Case {number}'), number=other.id))}</b>",
            marks.priority(scene, other.priority),
            f'<span class="e-tag">{escape(scene.t("{name}", name=other.status))}</span>',
            escape(scene.t("{name}", name=other.department)),
            escape(scene.brand(other.brand)),
            escape(marks.count(scene, other.people, N_("1 person"), N_("{n} people"))),
        )
    )
    st.html(f'<div class="e-card"><div class="e-by">{line}</div><div>{said}</div></div>')

    def join(connection: Connection, now: datetime) -> object:
        done = merge(connection, case.id, other.id, scene.who, now, case.version)
        st.session_state["merge-into"] = ""
        return done

    label = scene.t(N_("Merge into case {number}"), number=other.id)
    st.button(label, key="merge", type="primary", on_click=take, args=(scene, join))
    told = scene.t(N_("Its posts move there, both histories stay, and this case closes."))
    st.html(f'<p class="e-sub">{escape(told)}</p>')


def _show_ticket(scene: Scene, case: Case) -> None:
    from stakeholders.casework.ticket import set_ticket

    def keep(connection: Connection, now: datetime) -> object:
        number = str(st.session_state.get(f"ticket-id-{case.id}") or "").strip() or None
        address = str(st.session_state.get(f"ticket-url-{case.id}") or "").strip() or None
        return set_ticket(connection, case.id, number, address, scene.who, now, case.version)

    left, right = st.columns(2)
    left.text_input(scene.t(N_("Ticket")), case.ticket_id or "", key=f"ticket-id-{case.id}", max_chars=100)
    right.text_input(scene.t(N_("Its address")), case.ticket_url or "", key=f"ticket-url-{case.id}", max_chars=1000)
    st.button(scene.t(N_("Keep the ticket")), key="ticket", on_click=take, args=(scene, keep))


def _show_export(scene: Scene, case: Case) -> None:
    def make(kind: Literal["pdf", "json"]) -> bytes:
        from stakeholders.casework.export import export_case

        with scene.store.read() as connection:
            lang = next((one for one in LANGUAGES if one == scene.lang), None)
            return export_case(connection, scene.config, case.id, kind, scene.now, lang)

    row = st.container(horizontal=True, gap="small")
    kinds: tuple[tuple[Literal["pdf", "json"], str], ...] = (("pdf", "application/pdf"), ("json", "application/json"))
    for kind, mime in kinds:
        row.download_button(
            kind.upper(),
            partial(make, kind),
            f"case-{case.id}.{kind}",
            mime,
            key=f"export-{kind}",
            icon=":material/download:",
            on_click="ignore",
            help=scene.t(N_("The whole case for a file: posts, history and its seals")),
        )


def show_heir(scene: Scene, case: Case) -> None:
    """Say that a case is part of another, and lead there."""
    if case.merged_into is None:
        return
    words = escape(scene.t(N_("This case is part of case {number} now"), number=case.merged_into))
    way = wire.link("case", scene.query({"id": case.merged_into}), f"{words} →")
    st.html(f'<div class="e-note" role="status">{way}</div>')


def show_owner(scene: Scene, case: Case) -> None:
    """Draw who has the case, and its ticket."""
    here = [one.name for one in colleagues(scene.config.settings) if one.department == case.department]
    elsewhere = [one.name for one in colleagues(scene.config.settings) if one.department != case.department]
    names = [name for name in dict.fromkeys((*here, scene.who, case.owner, *elsewhere)) if name]

    def give() -> None:
        chosen = st.session_state["owner"]
        take(scene, lambda c, now: steps.assign(c, case.id, scene.who, now, chosen, case.version))

    st.session_state["owner"] = case.owner
    st.selectbox(
        scene.t(N_("Assigned to")),
        names,
        key="owner",
        index=None,
        placeholder=scene.t(N_("nobody yet")),
        accept_new_options=True,
        on_change=give,
        disabled=case.status in OVER,
    )
    if case.ticket_id or case.ticket_url:
        shown = web_link(case.ticket_url, case.ticket_id or (case.ticket_url or "")[:60])
        st.html(f'<p class="e-sub">{escape(scene.t(N_("Ticket")))}: {shown}</p>')
