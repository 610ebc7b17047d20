"""Name what stood out on the pulse: spikes and unusual days on one list, what rose, why, its case and its posts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

import streamlit as st
from sqlalchemy import Connection

from listener.config import Config
from listener.reason import N_
from stakeholders.pages import marks, wire
from stakeholders.pages.charts import Mark
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape
from stakeholders.spikes.backtest import BackTest, back_test
from stakeholders.spikes.outbreak import say_cause
from stakeholders.spikes.spike import Spike
from stakeholders.spikes.unusual import Unusual

__all__ = ["Peak", "causes", "peaks", "signs", "tested", "together"]

_MOST = 26  # spikes: a period with more of them is read in the digests
_WORDS = 2  # of what was new, on the chart itself
_LETTERS = 26  # of them


@dataclass(frozen=True, slots=True)
class Peak:
    """Hold what stood out on a local day: the spikes that began on it, and how unusual the whole day was."""

    day: date
    sign: str
    spikes: tuple[Spike, ...]
    unusual: Unusual | None

    @property
    def words(self) -> tuple[str, ...]:
        """Give what was said that day and not before, strongest first; a stranger's words."""
        found = self.unusual.words if self.unusual else ()
        return found or next((one.words for one in self.spikes if one.words), ())


def together(found: Sequence[Spike]) -> list[Spike]:
    """Give one spike for a rise in both measures, the larger, oldest first; the newest 26 at most."""
    kept: dict[object, Spike] = {}
    for one in found:
        same = one.case_id if one.case_id is not None else one.onset
        if same not in kept or one.observed > kept[same].observed:
            kept[same] = one
    return sorted(kept.values(), key=lambda one: one.onset)[-_MOST:]


def peaks(scene: Scene, rose: Sequence[Spike], unusual: Sequence[Unusual]) -> list[Peak]:
    """Bring spikes and unusual days together by local day, numbered from the oldest."""
    odd = {one.day: one for one in unusual}
    began: dict[date, list[Spike]] = {}
    for one in rose:
        began.setdefault(one.onset.astimezone(scene.config.zone).date(), []).append(one)
    days = sorted(odd.keys() | began.keys())
    return [Peak(day, str(place), tuple(began.get(day, ())), odd.get(day)) for place, day in enumerate(days, start=1)]


def signs(found: Sequence[Peak]) -> dict[date, Mark]:
    """Give each day its sign on the chart, with a word or two of what was new."""
    told = {}
    for one in found:
        words = ", ".join(one.words[:_WORDS])
        told[one.day] = Mark(one.sign, words if len(words) <= _LETTERS else words[: _LETTERS - 1] + "…")
    return told


def tested(connection: Connection, config: Config, now: datetime, brand: str) -> BackTest | None:
    """Give the back-test of a brand, made once an hour; None when there is nothing to say yet."""
    if not config.settings.spikes.enabled:
        return None
    known = st.session_state.get("back_test")
    at = (brand, now.replace(minute=0, second=0, microsecond=0))
    if known is None or known[0] != at:
        known = (at, back_test(connection, config, now, brand))
        st.session_state["back_test"] = known
    told: BackTest = known[1]
    return told if told.days >= 14 else None


def causes(scene: Scene, found: Sequence[Peak], told: BackTest | None, link: Callable[[date, str], str]) -> str:
    """List what stood out with its cause, case and posts, and what the rule for spikes did over the brand's own past.

    `link` writes a link to a day's posts around escaped words.
    """
    lines = []
    for one in found:
        when = link(one.day, escape(marks.day(scene, datetime.combine(one.day, time(12), scene.config.zone))))
        parts = [_spike(scene, spike) for spike in one.spikes]
        if one.unusual is not None:
            parts.append(escape(_unusual(scene, one.unusual, bare=bool(one.spikes))))
        said = "<br>".join(parts)
        lines.append(f'<li><b class="sign" aria-hidden="true">{one.sign}</b><span><b>{when}</b> · {said}</span></li>')
    shown = f'<ol class="e-peaks">{"".join(lines)}</ol>' if lines else ""
    if told is None or told.at_most is None:
        return shown
    figures = {"alarms": told.alarms, "days": round(told.days), "dismissed": told.dismissed}
    rate = marks.number(scene, round(told.at_most, 1))
    sentence = N_(
        "Spikes, tried on the last {days} days that were heard. Alarms: {alarms}; false ones a month, at most: "
        "{quote_rate}; dismissed by a person: {dismissed}."
    )
    return f'{shown}<p class="e-sub">{escape(scene.t(sentence, quote_rate=rate, **figures))}</p>'


def _spike(scene: Scene, one: Spike) -> str:
    """Say one spike: its cause, how long it lasted, its case."""
    until = marks.clock(scene, one.ended_at) if one.ended_at else f"<b>{escape(scene.t(N_('still on')))}</b>"
    # The words in it are strangers' words: escaped with the rest of the sentence.
    words = escape(say_cause(one.because, scene.lang))
    link = ""
    if one.case_id is not None:
        name = escape(scene.t(N_("Case {count}"), count=one.case_id))
        link = " · " + wire.link("case", scene.query({"id": one.case_id}), name)
    return f"{words} ({marks.clock(scene, one.onset)} – {until}){link}"


def _unusual(scene: Scene, one: Unusual, *, bare: bool) -> str:
    """Say what came on an unusual day, what was expected, and what drove it; `bare` where a spike tells the cause."""
    words = scene.t(
        N_("{n} mentions, where {low} to {high} are usual; {negative} harm"),
        n=marks.number(scene, one.mentions),
        low=marks.number(scene, math.floor(one.low)),
        high=marks.number(scene, math.ceil(one.high)),
        negative=marks.number(scene, one.negative),
    )
    if bare:
        return words
    if one.stakeholder is not None:
        words += " · " + scene.t(N_("who spoke most: {stakeholder}"), stakeholder=one.stakeholder)
    if one.words:
        words += " · " + scene.t(N_("new that day: {quote_words}"), quote_words=", ".join(one.words))
    return words
