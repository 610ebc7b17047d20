"""Write the small marks that all pages share, as HTML: priority, mood, clocks, dates, notices. Never colour alone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache

from listener.reason import N_, Reason
from stakeholders.lists.facet import Bounded
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = [
    "ago",
    "clock",
    "confidence",
    "count",
    "day",
    "due",
    "empty",
    "head",
    "moment",
    "mood",
    "note",
    "number",
    "percent",
    "priority",
    "reason",
    "reasons",
    "signed",
    "span",
]

_SHAPES = {"alert": "◆", "important": "◈", "routine": "◇", "negative": "▼", "neutral": "●", "positive": "▲"}


def priority(scene: Scene, name: str) -> str:
    """Mark a priority by shape, word and colour."""
    word = escape(scene.t("{name}", name=name))
    return f'<span class="e-pri {escape(name)}"><span aria-hidden="true">{_SHAPES.get(name, "◇")}</span>{word}</span>'


def mood(scene: Scene, name: str, *, unsure: bool = False) -> str:
    """Mark whether a post harms or helps the brand; `unsure` is said in words."""
    word = escape(scene.t("{name}", name=name))
    if unsure:
        word = f'<span class="e-unsure">{word} · {escape(scene.t("unsure"))}</span>'
    return f'<span class="e-mood {escape(name)}"><span aria-hidden="true">{_SHAPES.get(name, "●")}</span>{word}</span>'


def span(scene: Scene, length: timedelta) -> str:
    """Word a span of time shortly: 35 min, 2 h, 3 d."""
    minutes = int(abs(length.total_seconds()) // 60)
    if minutes < 1:
        return scene.t(N_("less than a minute"))
    if minutes < 100:
        return scene.t(N_("{n} min"), n=minutes)
    if minutes < 48 * 60:
        return scene.t(N_("{n} h"), n=round(minutes / 60))
    return scene.t(N_("{n} days"), n=round(minutes / 1440))


def ago(scene: Scene, when: datetime, now: datetime) -> str:
    """Say how long ago something was, as escaped HTML with the moment in a tooltip."""
    words = scene.t(N_("{span} ago"), span=span(scene, now - when))
    return f'<time datetime="{escape(when.isoformat())}" title="{escape(moment(scene, when))}">{escape(words)}</time>'


def due(scene: Scene, due_at: datetime | None, now: datetime, *, answered: bool = False) -> str:
    """Say when an answer is owed: in 35 min, or overdue since 2 h."""
    if due_at is None or answered:
        return ""
    if due_at < now:
        words, style = scene.t(N_("overdue by {span}"), span=span(scene, now - due_at)), "e-late"
    else:
        words = scene.t(N_("due in {span}"), span=span(scene, due_at - now))
        style = "e-soon" if due_at - now <= timedelta(hours=1) else ""
    return f'<span class="{style}" title="{escape(moment(scene, due_at))}">{escape(words)}</span>'


def moment(scene: Scene, when: datetime) -> str:
    """Word a moment in the instance's zone: 20 nov, 14:05."""
    return _written(when, "d MMM, HH:mm", scene.config.zone, scene.locale)


@lru_cache(maxsize=8_192)
def _written(when: datetime, pattern: str, zone: tzinfo, locale: str) -> str:
    from babel.dates import format_datetime

    return str(format_datetime(when, pattern, tzinfo=zone, locale=locale))


def clock(scene: Scene, when: datetime) -> str:
    """Word a moment as a <time> element."""
    return f'<time datetime="{escape(when.isoformat())}">{escape(moment(scene, when))}</time>'


def day(scene: Scene, when: datetime) -> str:
    """Word a day in the instance's zone: 20 nov."""
    return _written(when, "d MMM", scene.config.zone, scene.locale)


def number(scene: Scene, value: float | Bounded | None) -> str:
    """Write a count with the language's separators; None is «not told», never zero; 500+ is at least so many."""
    more = isinstance(value, Bounded) and value.more
    if value is None or (more and value == 0):
        return "—"
    return _decimal(value, scene.locale) + ("+" if more else "")


@lru_cache(maxsize=4_096, typed=True)
def _decimal(value: float, locale: str) -> str:
    from babel.numbers import format_decimal

    return str(format_decimal(value, locale=locale))


def count(scene: Scene, value: int, one: str, many: str) -> str:
    """Word a count: `one` is the sentence for a single one, `many` has its {n}."""
    return scene.t(one) if value == 1 else scene.t(many, n=number(scene, value))


def percent(scene: Scene, share: float | None, places: int = 0) -> str:
    """Write a share of 0..1 as a percentage."""
    if share is None:
        return "—"
    from babel.numbers import format_percent

    return str(format_percent(share, "0" + ("." + "0" * places if places else "") + " %", locale=scene.locale))


def signed(share: float) -> str:
    """Write a figure of −1..1 as a percentage with its sign."""
    return (
        f"{share:+.0%}".replace("%", "\u00a0%")
        .replace("-", "−")
        .replace("+0\u00a0%", "0\u00a0%")
        .replace("−0\u00a0%", "0\u00a0%")
    )


def confidence(scene: Scene, value: float, *, unsure: bool) -> str:
    """Draw how sure a label is, as a bar with its figure."""
    words = percent(scene, value) + (" · " + scene.t("unsure") if unsure else "")
    bar = f'<span class="e-bar" aria-hidden="true"><i style="width:{round(100 * value)}%"></i></span>'
    return f'<span class="e-sure">{bar}{escape(words)}</span>'


def reasons(scene: Scene, because: Iterable[Reason]) -> str:
    """List reasons as text; quotes in them may be a stranger's words."""
    items = "".join(f"<li>{escape(reason(scene, one))}</li>" for one in because)
    return f'<ul class="e-why">{items}</ul>' if items else ""


def reason(scene: Scene, one: Reason) -> str:
    """Word a reason, its counts and countries as the reader's language writes them."""
    from babel import Locale

    facts = dict(one.facts)
    for name, fact in one.facts.items():
        if isinstance(fact, int) and abs(fact) >= 10_000:  # below, it may be a year
            facts[name] = number(scene, fact)
        elif name in ("country", "quote3") and isinstance(fact, str):  # quote3: the country of a register's entry
            facts[name] = Locale.parse(scene.locale).territories.get(fact.upper(), fact)
    return Reason(one.sentence, facts).say(scene.lang)


def head(title: str, line: str = "") -> str:
    """Head a page with its title and one line of our own escaped HTML."""
    return f'<div class="e-head"><h1>{escape(title)}</h1><p class="e-nums">{line}</p></div>'


def note(words: str, style: str = "") -> str:
    """Show a message of ours, as text."""
    return f'<div class="e-note {escape(style)}" role="status">{escape(words)}</div>'


def empty(title: str, words: str, more: str = "") -> str:
    """Say that there is nothing here, and why that is so; `more` is our own HTML."""
    return f'<div class="e-empty"><b>{escape(title)}</b>{escape(words)}{more}</div>'
