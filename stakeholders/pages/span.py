"""Read the period and the brand of a page of figures from its address, and draw the chips that choose them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import streamlit as st

from listener.mention import Brand
from listener.reason import N_
from stakeholders.counting.change import before
from stakeholders.counting.period import Period, last_days
from stakeholders.lists.postlist import Wanted
from stakeholders.pages import marks, wire
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["Span", "show_head"]

_LENGTHS = (7, 30, 90)


@dataclass(frozen=True, slots=True)
class Span:
    """Hold what a page of figures is about: a brand of ours and some local days up to today or to the day `until`."""

    brand: Brand
    length: int
    until: date | None  # None: today
    now: datetime
    period: Period

    @classmethod
    def of_address(cls, scene: Scene) -> Span:
        """Read it; what the address says wrongly or not at all is the first brand and the last thirty days."""
        query, now = st.query_params, scene.now
        given = query.get("days", "")
        length = int(given) if given in map(str, _LENGTHS) else 30
        own = [brand for brand in scene.config.brands if brand.kind == "own"]
        brand = next((one for one in own if one.key == query.get("brand")), own[0])
        try:
            until = date.fromisoformat(query.get("until", ""))
        except ValueError:
            until = None
        today = now.astimezone(scene.config.zone).date()
        if until is not None and not timedelta() < today - until <= timedelta(days=3650):
            until = None
        noon = datetime.combine(until or today, time(12), scene.config.zone)
        return cls(brand, length, until, now, last_days(length, noon, scene.config.zone))

    @property
    def stretches(self) -> tuple[Period, Period]:
        """Give the period as far as it is over, and the one before it up to the same hour."""
        return before(self.period, self.now)

    def query(self, more: Mapping[str, object] | None = None) -> dict[str, object]:
        """Give the query of an address of this period and brand, with what is told over it."""
        own: dict[str, object] = {"days": self.length, "brand": self.brand.key}
        return own | ({"until": self.until.isoformat()} if self.until else {}) | dict(more or {})

    def wanted(self, **labels: str | None) -> Wanted:
        """Give the list of mentions of this period and brand, with labels."""
        return Wanted(self.period.first_day, self.period.last_day, **{"brand": self.brand.key, **labels})


def show_head(scene: Scene, page: str, title: str, span: Span, keep: Mapping[str, object] | None = None) -> None:
    """Draw the title, what is compared, and the chips; `keep` is what else the address of the page holds."""
    kept = dict(keep or {})
    chips = []
    for days in _LENGTHS:
        query = scene.query(span.query(kept | {"days": days}))
        style = "e-chip on" if days == span.length else "e-chip"
        chips.append(wire.link(page, query, escape(scene.t(N_("{n} days"), n=days)), style=style))
    back = span.period.first_day - timedelta(days=1)
    words = escape(scene.t(N_("earlier")))
    chips.append(
        wire.link(page, scene.query(span.query(kept | {"until": back.isoformat()})), f"← {words}", style="e-chip")
    )
    if span.until is not None:
        ahead = span.until + timedelta(days=span.length)
        today = span.now.astimezone(scene.config.zone).date()
        later = None if ahead >= today else ahead.isoformat()
        words = escape(scene.t(N_("later")))
        chips.append(wire.link(page, scene.query(span.query(kept | {"until": later})), f"{words} →", style="e-chip"))
    own = [brand for brand in scene.config.brands if brand.kind == "own"]
    for brand in own if len(own) > 1 else ():
        style = "e-chip on" if brand.key == span.brand.key else "e-chip"
        query = scene.query(span.query(kept | {"brand": brand.key}))
        chips.append(wire.link(page, query, escape(brand.name), style=style))
    now, then = span.stretches
    sentence = N_("{quote_first} – {quote_last}, beside {quote_before_first} – {quote_before_last}")
    if now.end < span.period.end:
        sentence = N_(
            "{quote_first} – {quote_last}, beside {quote_before_first} – {quote_before_last} up to the same hour"
        )
    line = scene.t(
        sentence,
        quote_first=_day(scene, now.first_day),
        quote_last=_day(scene, now.last_day),
        quote_before_first=_day(scene, then.first_day),
        quote_before_last=_day(scene, then.last_day),
    )
    head = marks.head(scene.t(title), escape(line))
    st.html(f'<div class="e-top e-wrap">{head}<span class="e-chips">{"".join(chips)}</span></div>')


def _day(scene: Scene, day: date) -> str:
    return marks.day(scene, datetime.combine(day, time(12), scene.config.zone))
