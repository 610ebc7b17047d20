"""Write how often a label is right: a line for each label, and one label by class, language and source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from listener.reason import N_
from stakeholders.counting.breakdown import Part, break_down
from stakeholders.pages import marks, wire
from stakeholders.pages.card import HEAD_WORDS
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["HEADS", "draw_parts", "draw_rows", "percent", "say_value"]

HEADS = ("sentiment", "stakeholder", "dimension", "intent", "relevant")
_FEW = 30  # items, under which a calibration error tells nothing and the interval is the message
_SHOWN = 12  # parts of one panel


def draw_rows(
    scene: Scene,
    labels: Mapping[str, Any],
    confirmed: Mapping[str, int],
    shipped: Mapping[str, Mapping[str, Any]],
    chosen: str,
    query: Mapping[str, object],
) -> str:
    """Write a line for each label: how often it was right, with its interval, beside the shipped model's figures."""
    rows = []
    for head in HEADS:
        told = labels.get(head)
        word = scene.t(HEAD_WORDS[head])
        name = escape(word[:1].upper() + word[1:])
        on = head == chosen
        link = wire.link("accuracy", scene.query({**query, "label": head}), name, label="")
        mark = ' aria-current="true"' if on else ""
        beside = escape(_shipped(scene, shipped[head])) if head in shipped else ""
        rows.append(
            f'<div class="e-score{" on" if on else ""}"{mark}><div class="name"><b>{link}</b></div>'
            f'<div>{_state(scene, told, confirmed.get(head, 0))}</div><div class="e-sub">{beside}</div></div>'
        )
    return f'<div class="e-list">{"".join(rows)}</div>'


def _state(scene: Scene, told: Mapping[str, Any] | None, confirmed: int) -> str:
    if told is None:
        return _line(scene.t(N_("Nobody has checked this label yet.")))
    if not confirmed:
        words = N_("Corrected: {n}; confirmed: none. That tells nothing of how often it is right.")
        return _line(scene.t(words, n=marks.number(scene, told["items"])))
    few = N_("{right} of {all} right; with so few, anything from {low} to {high} is possible")
    many = N_("{right} of {all} right; by chance alone it could be {low} to {high}")
    low, high = told["accuracy_interval"]
    words = scene.t(
        few if told["items"] < _FEW else many,
        right=marks.number(scene, told["right"]),
        all=marks.number(scene, told["items"]),
        low=percent(scene, low),
        high=percent(scene, high),
    )
    figure = f'<b class="e-figure">{escape(percent(scene, told["accuracy"]))}</b>'
    return f'<div class="e-scored">{figure}{_bar(told["accuracy"], (low, high))}</div>{_line(words)}'


def _bar(share: float, interval: tuple[float, float] | None) -> str:
    """Draw a share with its interval; the words beside it say the same."""
    span = ""
    if interval is not None:
        low, high = interval
        span = f'<span class="range" style="left:{low:.1%};width:{high - low:.1%}"></span>'
    fill = f'<span class="fill" style="width:{share:.1%}"></span>'
    return f'<div class="e-track own" aria-hidden="true">{fill}{span}</div>'


def draw_parts(scene: Scene, rows: Sequence[Mapping[str, Any]], head: str, told: Mapping[str, Any]) -> str:
    """Write one label in full: its other figures, and its accuracy by class, language and source."""
    word = scene.t(HEAD_WORDS[head])
    title = escape(scene.t(N_("In detail: {label}"), label=word))
    facts = "".join(f"<dt>{escape(scene.t(name))}</dt><dd>{escape(value)}</dd>" for name, value in _facts(scene, told))
    parts = break_down(rows, head)
    panels = (
        (N_("When it was said, how often it was right"), "said"),
        (N_("When it is so, how often it was found"), "gold"),
        (N_("By language"), "lang"),
        (N_("By source"), "source"),
    )
    drawn = "".join(_panel(scene, words, way, parts[way]) for words, way in panels if way in parts)
    return (
        f'<h2 class="e-h2">{title}</h2><div class="e-card"><dl class="e-facts">{facts}</dl></div>'
        f'<div class="e-grid e-parts">{drawn}</div>'
    )


def _panel(scene: Scene, title: str, way: str, parts: Sequence[Part]) -> str:
    lines = []
    for part in parts[:_SHOWN]:
        share = part.right / part.items
        counted = scene.t(
            N_("{right} of {all}"), right=marks.number(scene, part.right), all=marks.number(scene, part.items)
        )
        if part.interval is None:
            words = scene.t(N_("too few to say more"))
        else:
            low, high = part.interval
            words = scene.t(N_("{low} to {high}"), low=percent(scene, low), high=percent(scene, high))
        bar = _bar(share, part.interval) if part.interval is not None else ""
        lines.append(
            f"<li><span>{escape(_name(scene, way, part.name))}</span><span>{bar}</span>"
            f'<span class="n"><b>{escape(counted)}</b> <span class="e-muted">{escape(words)}</span></span></li>'
        )
    if len(parts) > _SHOWN:
        more = scene.t(N_("and {n} more"), n=marks.number(scene, len(parts) - _SHOWN))
        lines.append(f'<li><span class="e-muted">{escape(more)}</span></li>')
    return f'<div class="e-card"><h3>{escape(scene.t(title))}</h3><ul>{"".join(lines)}</ul></div>'


def _name(scene: Scene, way: str, name: str) -> str:
    if way in ("said", "gold"):
        return say_value(scene, name)
    if way == "source":
        return scene.source(name)
    if name == "?":
        return scene.t(N_("language not known"))
    from babel import Locale, UnknownLocaleError

    try:
        return str(Locale.parse(name.replace("-", "_")).get_language_name(scene.lang) or name)
    except (UnknownLocaleError, ValueError):
        return name


def say_value(scene: Scene, name: str) -> str:
    """Word a label's value: yes and no for whether a post is about the brand."""
    if name in ("true", "false"):
        return scene.t(N_("yes")) if name == "true" else scene.t(N_("no"))
    return scene.t("{name}", name=name)


def _line(words: str) -> str:
    return f'<p class="e-sub">{escape(words)}</p>'


def _facts(scene: Scene, told: Mapping[str, Any]) -> list[tuple[str, str]]:
    low, high = told["macro_f1_interval"]
    span = scene.t(
        N_("{value} ({low} to {high})"),
        value=_score(scene, told["macro_f1"]),
        low=_score(scene, low),
        high=_score(scene, high),
    )
    facts = [(N_("macro-F1"), span)]
    if told["confidence"] is not None:
        sure = scene.t(
            N_("{sure} sure on average, {right} right"),
            sure=percent(scene, told["confidence"]),
            right=percent(scene, told["accuracy"]),
        )
        if told["items"] >= _FEW:
            sure += " · " + scene.t(N_("error {error}"), error=percent(scene, told["ece"]))
        facts.append((N_("calibration"), sure))
    if told["unsure"]:
        unsure = percent(scene, told["unsure"])
        if told["accuracy_sure"] is not None:
            unsure += " · " + scene.t(N_("{right} right without them"), right=percent(scene, told["accuracy_sure"]))
        facts.append((N_("unsure"), unsure))
    return facts


def percent(scene: Scene, share: float | None) -> str:
    """Write a share as a percentage that never begins a line with its sign."""
    return marks.percent(scene, share).replace(" %", "\u00a0%")


def _score(scene: Scene, value: float) -> str:
    from babel.numbers import format_decimal

    return str(format_decimal(value, "0.00", locale=scene.locale))  # 0.70 beside 0.78, not 0.7


def _shipped(scene: Scene, told: Mapping[str, Any]) -> str:
    return scene.t(
        N_("Shipped model: {right} right, macro-F1 {score}, on {n} held-out posts"),
        right=percent(scene, told["accuracy"]),
        score=_score(scene, told["macro_f1"]),
        n=marks.number(scene, told["items"]),
    )
