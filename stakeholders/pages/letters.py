"""Show the digests: those kept, as their readers got them, in three languages and as PDF; and drafts of the next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from listener.errors import EscuchaError
from listener.reason import N_
from listener.taxonomy import LANGUAGES
from stakeholders import digest as digests
from stakeholders.archive import Kept, NotKnown, known_readers, list_digests, queue_test
from stakeholders.edition import running
from stakeholders.pages import marks, wire
from stakeholders.pages.mailbox import show_mailbox
from stakeholders.pages.scene import Scene
from stakeholders.pages.sheet import show_sheet
from stakeholders.pages.text import escape

__all__ = ["show"]


def show(scene: Scene) -> None:
    """Draw the digest or the mail that the address names; else the list of both."""
    asked = st.query_params
    if asked.get("mail"):
        show_mailbox(scene)
    elif asked.get("digest"):
        _show_kept(scene, str(asked["digest"]))
    elif asked.get("draft"):
        _show_draft(scene, str(asked["draft"]), asked.get("brand"))
    else:
        _show_list(scene)
        show_mailbox(scene)


def _show_list(scene: Scene) -> None:
    with scene.store.read() as connection:
        kept = list_digests(connection)
    line = scene.t(N_("What went out, as it was counted then; and what would go out now"))
    st.html(marks.head(scene.t(N_("Digests")), escape(line)))
    st.html(_drafts(scene))
    if not kept:
        words = scene.t(N_("The first one is kept here when it goes out: [digest] and [[digests]] say when."))
        st.html(marks.empty(scene.t(N_("No digest went out yet")), words))
        return
    groups: dict[str, list[Kept]] = {}
    for one in kept:
        groups.setdefault(one.name, []).append(one)
    for name in sorted(groups):
        rows = "".join(_row(scene, one) for one in groups[name])
        head = f'<h2 class="e-h2">{escape(_name(scene, groups[name][0]))}</h2>'
        st.html(f'{head}<div class="e-list e-letters">{rows}</div>')


def _name(scene: Scene, one: Kept) -> str:
    if not one.name:
        return scene.t(N_("The directors' week"))
    areas = " · ".join(scene.t("{name}", name=name) for name in one.departments)
    return f"{one.name}: {areas}" if areas else one.name


def _row(scene: Scene, one: Kept) -> str:
    told = scene.t(N_("{sent} of {readers} sent"), sent=one.sent, readers=one.readers)
    counted = escape(scene.t(N_("counted on {when}"), when=marks.moment(scene, one.created_at)))
    inner = (
        f'<span class="e-first"><b>{escape(_days(scene, one))}</b></span>'
        f'<span class="e-said"><b>{escape(scene.brand(one.brand))}</b> '
        f'<span class="e-muted">{escape(one.lang.upper())} · {counted} · {escape(one.label)}</span></span>'
        f'<span class="e-last"><span>{escape(told)}</span></span>'
    )
    return wire.link("letters", scene.query({"digest": one.key}), inner, style="e-row")


def _days(scene: Scene, one: Kept) -> str:
    """Word the days that a digest is about: 9 – 15 Nov 2026; a label of another kind stays as it is."""
    from babel.dates import format_date, format_interval

    year, sign, number = one.label.partition("-W")
    try:
        if not sign:
            return str(format_date(date.fromisoformat(one.label), "medium", locale=scene.locale))
        first = date.fromisocalendar(int(year), int(number), 1)
    except ValueError:
        return one.label
    return str(format_interval(first, first + timedelta(days=6), "yMMMd", locale=scene.locale))


def _drafts(scene: Scene) -> str:
    """Write the links to what each digest of the configuration would say now."""
    settings = scene.config.settings
    chips = []
    names = [("-", scene.t(N_("The directors' week")), list(settings.brands))]
    names += [(table.name, table.name, table.brands or list(settings.brands)) for table in settings.digests]
    for name, words, brands in names:
        for brand in brands:
            shown = words if len(brands) == 1 else f"{words} · {scene.brand(brand)}"
            query = scene.query({"draft": name, "brand": brand})
            chips.append(wire.link("letters", query, escape(shown), style="e-chip"))
    words = escape(scene.t(N_("Preview of what would be sent, counted up to now:")))
    return f'<p class="e-sub">{words}</p><div class="e-chips">{"".join(chips)}</div>'


def _show_draft(scene: Scene, name: str, brand: str | None) -> None:
    now = scene.now
    try:
        edition = running(scene.config, None if name == "-" else name, brand, now)
        with scene.store.read() as connection:
            written = digests.build(
                connection, scene.config, edition, edition.brand, _asked_lang() or edition.lang, now
            )
    except EscuchaError as error:
        st.html(marks.note(str(error), "bad"))
        return
    words = scene.t(N_("A draft: counted now, kept nowhere and sent to nobody."))
    _show_digest(scene, written, {"draft": name, "brand": brand}, words)


def _show_kept(scene: Scene, key: str) -> None:
    with scene.store.read() as connection:
        try:
            written = digests.read_digest(connection, scene.config, key, _asked_lang())
        except LookupError:
            st.html(marks.empty(scene.t(N_("This digest is not kept any more")), "", _back(scene)))
            return
    words = scene.t(N_("Kept as it was counted when it went out. Seal: {quote_seal}"), quote_seal=written.hash[:12])
    _show_digest(scene, written, {"digest": key}, words)
    _ask_test(scene, key, written)


def _asked_lang() -> str | None:
    """Give the language that the address asks for; None: the digest's own, as its readers got it."""
    told = st.query_params.get("as")
    return str(told) if told in LANGUAGES else None


def _back(scene: Scene) -> str:
    return wire.link("letters", scene.query(), "← " + escape(scene.t(N_("All digests"))), key="u")


def _show_digest(scene: Scene, written: digests.Digest, query: dict[str, str | None], words: str) -> None:
    lang = written.wording.lang
    chips = "".join(
        wire.link(
            "letters", scene.query({**query, "as": one}), one.upper(), style="e-chip on" if one == lang else "e-chip"
        )
        for one in LANGUAGES
    )
    subject = written.outline.subject
    st.html(
        f'<div class="e-nav">{_back(scene)}</div><div class="e-card"><h2 class="e-h2">{escape(subject)}</h2>'
        f'<p class="e-sub">{escape(words)}</p><span class="e-chips">{chips}{_behind(scene, written)}</span></div>'
    )
    st.download_button(
        scene.t(N_("Download as PDF")),
        data=lambda: digests.render_pdf(written),
        file_name=f"{written.figures.brand}-{_file(query)}-{lang}.pdf",
        mime="application/pdf",
        on_click="ignore",
    )
    show_sheet(digests.render_html(written), subject)


def _behind(scene: Scene, written: digests.Digest) -> str:
    """Link to the same days in the pulse, where each figure opens its posts."""
    told = written.figures
    last = (told.end - timedelta(microseconds=1)).astimezone(ZoneInfo(told.zone)).date()
    query = scene.query({"days": 7, "until": last.isoformat(), "brand": told.brand})
    words = escape(scene.t(N_("These days in the pulse: every figure with its posts")))
    return wire.link("pulse", query, f"{words} →", style="e-chip")


def _file(query: dict[str, str | None]) -> str:
    told = str(query.get("digest") or query.get("draft") or "").split("/")[0]
    return "".join(sign for sign in told if sign.isalnum() or sign in "-_").strip("-") or "digest"


def _ask_test(scene: Scene, key: str, written: digests.Digest) -> None:
    readers: Sequence[str] = known_readers(scene.config)
    if not readers:
        return
    with st.expander(scene.t(N_("Send a test to me"))):
        person = scene.config.settings.people.get(scene.who)
        own = scene.viewer.mail or (person.mail if person is not None else None)
        place = readers.index(own) if own in readers else 0
        address = st.selectbox(scene.t(N_("Address, of those in config.toml")), readers, place, key="digest_test")
        if st.button(scene.t(N_("Send the test")), type="primary") and address:
            try:
                with scene.store.write() as connection:
                    queue_test(connection, scene.config, key, address, written.wording.lang, scene.now)
            except NotKnown as error:
                st.html(marks.note(scene.t(error.reason.sentence, **error.reason.facts), "bad"))
                return
            st.html(marks.note(scene.t(N_("Queued: it goes out with the next round."))))
