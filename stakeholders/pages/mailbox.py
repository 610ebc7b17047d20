"""Show the mails that the demo's own sink received, as their readers see them; a real instance has no such page."""

from __future__ import annotations

import os
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

import streamlit as st

from listener.reason import N_
from stakeholders.pages import marks, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.sheet import show_sheet
from stakeholders.pages.text import escape

__all__ = ["Letter", "show_mailbox"]

_NEWEST = 200


@dataclass(frozen=True, slots=True)
class Letter:
    """Hold what the list shows of one mail."""

    name: str
    to: str
    subject: str
    at: datetime
    message: EmailMessage
    weekly: bool


def show_mailbox(scene: Scene) -> None:
    """Draw the list of mails, or the one that the address names; nothing where there is no folder of them."""
    told = os.environ.get("ESCUCHA_DEMO_INBOX")
    if not told:
        return
    folder = Path(told)
    there = folder.rglob("*.eml") if folder.is_dir() else ()
    paths = sorted(there, key=lambda path: path.stat().st_mtime, reverse=True)
    weekly = [path for path in paths if _is_digest(path)]
    alerts = [path for path in paths if path not in set(weekly)]
    found = _read(folder, [*weekly, *alerts[:_NEWEST]])
    line = escape(
        scene.t(N_("{n} mails that Escucha sent; nothing left this machine"), n=marks.number(scene, len(paths)))
    )
    st.html(f'<h2 class="e-h2">{escape(scene.t(N_("Mail that was sent")))}</h2><p class="e-sub">{line}</p>')
    if not found:
        words = scene.t(N_("Alerts and digests appear here as soon as they are sent."))
        st.html(marks.empty(scene.t(N_("No mail yet")), words))
        return
    wanted = st.query_params.get("mail")
    opened = next((one for one in found if one.name == wanted), None)
    if opened is None:
        cut = len(alerts) > _NEWEST
        titles = (N_("Weekly letters"), True), (N_("Alerts, the newest {n} of {all}") if cut else N_("Alerts"), False)
        facts = {"n": marks.number(scene, _NEWEST), "all": marks.number(scene, len(alerts))}
        for title, kind in titles:
            shown = [one for one in found if one.weekly is kind]
            rows = "".join(_row(scene, one) for one in shown)
            if shown:
                head = f'<h2 class="e-h2">{escape(scene.t(title, **facts))}</h2>'
                st.html(f'{head}<div class="e-list e-letters">{rows}</div>')
        return
    _show_one(scene, opened)


def _is_digest(path: Path) -> bool:
    """Tell a weekly letter by its Message-ID, which starts a mail of ours, without reading the whole of it."""
    with path.open("rb") as lines:
        return b"Message-ID: <digest/" in lines.read(2048)


def _read(folder: Path, paths: list[Path]) -> list[Letter]:
    """Read mails, the newest first."""
    letters = []
    for path in paths:
        message = message_from_bytes(path.read_bytes(), policy=default)
        try:
            at = parsedate_to_datetime(str(message["Date"]))
        except (TypeError, ValueError):
            at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        name = path.relative_to(folder).as_posix()
        to, subject = str(message["To"] or ""), str(message["Subject"] or "")
        letters.append(Letter(name, to, subject, at, message, str(message["Message-ID"] or "").startswith("<digest/")))
    return sorted(letters, key=lambda letter: letter.at, reverse=True)


def _row(scene: Scene, letter: Letter) -> str:
    inner = (
        f'<span class="e-first">{marks.clock(scene, letter.at)}</span>'
        f'<span class="e-said"><b>{escape(letter.subject)}</b></span>'
        f'<span class="e-last"><span>{escape(letter.to)}</span></span>'
    )
    return wire.link("letters", scene.query({"mail": letter.name}), inner, style="e-row")


def _show_one(scene: Scene, letter: Letter) -> None:
    back = wire.link("letters", scene.query(), "← " + escape(scene.t(N_("All mail"))), key="u")
    st.html(
        f'<div class="e-nav">{back}</div><div class="e-card"><h2 class="e-h2">{escape(letter.subject)}</h2>'
        f'<p class="e-sub">{escape(scene.t(N_("to")))} {escape(letter.to)} · {marks.clock(scene, letter.at)}</p></div>'
    )
    body = letter.message.get_body(("html",))
    if body is None:
        plain = letter.message.get_body(("plain",))
        st.text(str(plain.get_content()) if plain is not None else "")
        return
    page = str(body.get_content())
    for part in letter.message.walk():
        mark = str(part.get("Content-ID") or "").strip("<>")
        content = part.get_payload(decode=True)
        if mark and isinstance(content, bytes) and part.get_content_maintype() == "image":
            page = page.replace(f"cid:{mark}", f"data:{part.get_content_type()};base64,{b64encode(content).decode()}")
    show_sheet(page, letter.subject)
