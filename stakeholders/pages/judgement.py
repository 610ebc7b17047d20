"""Show what was understood of a post: each label with how sure it is, why, what a person said of it, and its key."""

from __future__ import annotations

from collections.abc import Iterator

import streamlit as st

from listener.reason import N_
from sentiment.verdict import HEADS, Label, Verdict
from stakeholders.casework.dossier import CaseMention
from stakeholders.deciding.decision import Correction, Decision
from stakeholders.pages import labelling, marks
from stakeholders.pages.card import HEAD_WORDS
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["find_spoken", "show_labels", "write_labels"]


def show_labels(scene: Scene, one: CaseMention) -> None:
    """Draw the labels of a post beside the sheets by which they are corrected or confirmed in two keys."""
    title = escape(scene.t(N_("What was understood")))
    hint = f'<span class="e-keyed"><kbd>l</kbd> {escape(scene.t(N_("correct or confirm")))}</span>'
    if one.verdict is None:
        hint = ""
    st.html(
        f'<section class="e-card e-pane" role="region" tabindex="0" aria-label="{title}">'
        f'<div class="e-top"><h2 class="e-h2">{title}</h2>{hint}</div>{write_labels(scene, one)}</section>'
    )
    if one.verdict is not None:
        st.html(labelling.draw_sheets(scene, one))


def write_labels(scene: Scene, one: CaseMention) -> str:
    """Write every label with how sure it is and why; `unsure` and a person's word are said in words."""
    if one.verdict is None:
        return f'<p class="e-sub">{escape(scene.t(N_("waiting to be judged")))}</p>'
    return f'<dl class="e-judged">{"".join(_row(scene, one.decision, *found) for found in _labels(one))}</dl>'


def _labels(one: CaseMention) -> Iterator[tuple[str, Label]]:
    """Give the labels in the order of their keys; who speaks is left out until it is decided."""
    for head in labelling.HEADS:
        if head == "stakeholder" and one.decision is not None:
            yield head, one.decision.speaker.label
        elif head in HEADS and one.verdict is not None:
            yield head, getattr(one.verdict, head)


def _row(scene: Scene, decision: Decision | None, head: str, label: Label) -> str:
    """Write one label: its name, its value, how sure, its key; below, why and what people said of it."""
    plain = head == "relevant" and label.name == "true"  # it names the brand: the marked words of the post say why
    why = "" if plain else " · ".join(escape(marks.reason(scene, one)) for one in label.because)
    said = [one for one in decision.corrections if one.head == head] if decision is not None else []
    below = [f'<span class="e-because">{why}</span>'] if why else []
    below += [f'<span class="e-because">{_said(scene, one)}</span>' for one in said]
    return (
        f'<div class="e-judge" data-row="{head}"><dt>{escape(scene.t(HEAD_WORDS[head]))}</dt>'
        f"<dd><b>{_word(scene, head, label)}</b>{_sure(scene, label)}{''.join(below)}</dd>"
        f'<dd class="e-do">{labelling.mark(scene, head)}</dd></div>'
    )


def _word(scene: Scene, head: str, label: Label) -> str:
    if head == "sentiment":
        return marks.mood(scene, label.name)
    if head == "relevant":
        return escape(scene.t(N_("yes")) if label.name == "true" else scene.t(N_("no")))
    return escape(scene.t("{name}", name=label.name))


def _sure(scene: Scene, label: Label) -> str:
    if label.confidence >= 1 and not label.because:
        return f' <span class="e-tag">{escape(scene.t(N_("by a person")))}</span>'
    return marks.confidence(scene, label.confidence, unsure=label.unsure)


def _said(scene: Scene, one: Correction) -> str:
    """Write what a person corrected, where both values stay to be seen, or found right."""

    def word(value: str) -> str:
        if one.head == "relevant":
            return escape(scene.t(N_("yes")) if value == "true" else scene.t(N_("no")))
        return escape(scene.t("{name}", name=value))

    change = f"<s>{word(one.before)}</s> → <b>{word(one.after)}</b>"
    if one.before == one.after:
        change = f"<b>{word(one.after)}</b> ✓ {escape(scene.t(N_('right as it was')))}"
    return f"{change} · <bdi>{escape(one.who)}</bdi>, {marks.clock(scene, one.at)}"


def find_spoken(scene: Scene, one: CaseMention) -> dict[str, str]:
    """Give the words of a post that decided a label, each with what it spoke for, worded; strangers' text unescaped."""
    verdict: Verdict | None = one.verdict
    if verdict is None:
        return {}
    found: dict[str, list[str]] = {}
    for head, label in _labels(one):
        if head == "relevant":
            continue  # what named the brand is marked as such
        value = scene.t("{name}", name=label.name)
        for why in label.because:
            for name, fact in why.facts.items():
                if name.startswith("quote") and isinstance(fact, str) and len(fact) > 1:
                    found.setdefault(fact, []).append(f"{scene.t(HEAD_WORDS[head])}: {value}")
    return {quote: "; ".join(dict.fromkeys(told)) for quote, told in found.items()}
