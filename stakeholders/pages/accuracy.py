"""Show how often the judges are right, by what people of this instance corrected or confirmed; honest about how few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from listener.reason import N_
from sentiment.evaluate import evaluate
from stakeholders.accuracy import Checks, Mistake, checked_rows, count_checks, list_mistakes, shipped_figures
from stakeholders.pages import marks, wire
from stakeholders.pages.card import HEAD_WORDS
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape

__all__ = ["show"]

_ORDER = ("sentiment", "stakeholder", "dimension", "intent", "relevant")
_FEW = 30  # items, under which a calibration error tells nothing and the interval is the message
_LISTED = 6  # cases named beside one mistake


def show(scene: Scene) -> None:
    """Draw the page of the accuracy for the engine that the address names, or for all that judged."""
    with scene.store.read() as connection:
        every = checked_rows(connection)
    engines = list(count_checks(every).engines)
    chosen = st.query_params.get("engine")
    rows = [row for row in every if row["engine"] == chosen] if chosen in engines else every
    checks = count_checks(rows)
    _show_head(scene, checks, engines, chosen)
    shipped = shipped_figures()
    if not rows:
        st.html(_nothing(scene))
        if shipped:
            title = escape(scene.t(N_("Until then: what the shipped model reached on posts that it never saw")))
            st.html(f'<h2 class="e-h2">{title}</h2>{_cards(scene, {}, checks, shipped)}')
        return
    st.html(marks.note(_caution(scene, checks), "warn"))
    st.html(_cards(scene, evaluate(rows)["labels"], checks, shipped))
    st.html(_mistakes(scene, list_mistakes(rows)))
    st.html(_basis(scene, checks, rows))


def _show_head(scene: Scene, checks: Checks, engines: Sequence[str], chosen: str | None) -> None:
    line = ""
    if checks.posts:
        words = scene.t(
            N_("posts checked: {posts} · labels corrected: {corrected} · confirmed: {confirmed}"),
            posts=marks.number(scene, checks.posts),
            corrected=marks.number(scene, sum(checks.corrected.values())),
            confirmed=marks.number(scene, sum(checks.confirmed.values())),
        )
        line = escape(words)
    head = marks.head(scene.t(N_("Accuracy")), line)
    if len(engines) < 2:
        st.html(head)
        return
    chips = []
    for name in (None, *engines):
        on = name == chosen or (name is None and chosen not in engines)
        words = scene.t(N_("all engines")) if name is None else name
        query = scene.query({"engine": name})
        chips.append(wire.link("accuracy", query, escape(words), style="e-chip on" if on else "e-chip"))
    st.html(f'{head}<div class="e-chips">{"".join(chips)}</div>')


def _nothing(scene: Scene) -> str:
    words = scene.t(
        N_(
            "Open a case. Under «Correct or confirm a label», correct a label that is wrong and press «Right as it is» "
            "for one that is right. With thirty of a label, this page begins to say something."
        )
    )
    back = wire.link("inbox", scene.query(), escape(scene.t(N_("Inbox"))))
    return marks.empty(scene.t(N_("Nobody has checked a label yet")), words, f"<p>{back}</p>")


def _caution(scene: Scene, checks: Checks) -> str:
    if not any(checks.confirmed.values()):
        return scene.t(
            N_(
                "Only mistakes were corrected so far, and nobody confirmed what is right: this shows which mistakes "
                "are made, not how often. Press «Right as it is» where a label is right."
            )
        )
    return scene.t(
        N_(
            "These posts are no random sample: people correct what is wrong and confirm only some of what is right. "
            "Read the figures as a lower bound; the intervals speak of chance alone."
        )
    )


def _cards(scene: Scene, labels: Mapping[str, Any], checks: Checks, shipped: Mapping[str, Mapping[str, Any]]) -> str:
    cards = []
    for head in _ORDER:
        told, confirmed = labels.get(head), checks.confirmed.get(head, 0)
        facts: list[tuple[str, str]] = []
        body = ""
        if told is None and checks.posts:
            body = _line(scene.t(N_("Nobody has checked this label yet.")))
        elif told is not None and not confirmed:
            words = N_("Corrected: {n}; confirmed: none. That tells nothing of how often it is right.")
            body = _line(scene.t(words, n=marks.number(scene, told["items"])))
        elif told is not None:
            body = _measured(scene, told)
            facts = _facts(scene, told)
        beside = _line(_shipped(scene, shipped[head])) if head in shipped else ""
        word = scene.t(HEAD_WORDS[head])
        title = f'<div class="e-top"><b>{escape(word[:1].upper() + word[1:])}</b>{_tally(scene, told, confirmed)}</div>'
        lines = "".join(f"<dt>{escape(scene.t(name))}</dt><dd>{escape(value)}</dd>" for name, value in facts)
        listed = f'<dl class="e-facts">{lines}</dl>' if lines else ""
        cards.append(f'<div class="e-card">{title}{body}{listed}{beside}</div>')
    return f'<div class="e-grid">{"".join(cards)}</div>'


def _tally(scene: Scene, told: Mapping[str, Any] | None, confirmed: int) -> str:
    if told is None or not confirmed:
        return ""
    return f'<span class="e-state">{escape(_percent(scene, told["accuracy"]))}</span>'


def _measured(scene: Scene, told: Mapping[str, Any]) -> str:
    """Draw a label's accuracy with its interval, and say it in words."""
    low, high = told["accuracy_interval"]
    bar = (
        '<div class="e-track own" aria-hidden="true">'
        f'<span class="fill" style="width:{told["accuracy"]:.1%}"></span>'
        f'<span class="range" style="left:{low:.1%};width:{high - low:.1%}"></span></div>'
    )
    few = N_("{right} of {all} right; with so few, anything from {low} to {high} is possible")
    many = N_("{right} of {all} right; by chance alone it could be {low} to {high}")
    words = scene.t(
        few if told["items"] < _FEW else many,
        right=marks.number(scene, told["right"]),
        all=marks.number(scene, told["items"]),
        low=_percent(scene, low),
        high=_percent(scene, high),
    )
    return bar + _line(words)


def _line(words: str) -> str:
    return f'<p class="e-sub" style="margin:.35rem 0 .5rem">{escape(words)}</p>'


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
            sure=_percent(scene, told["confidence"]),
            right=_percent(scene, told["accuracy"]),
        )
        if told["items"] >= _FEW:
            sure += " · " + scene.t(N_("error {error}"), error=_percent(scene, told["ece"]))
        facts.append((N_("calibration"), sure))
    if told["unsure"]:
        unsure = _percent(scene, told["unsure"])
        if told["accuracy_sure"] is not None:
            rest = scene.t(N_("{right} right without them"), right=_percent(scene, told["accuracy_sure"]))
            unsure += " · " + rest
        facts.append((N_("unsure"), unsure))
    for lang, part in told["by_lang"].items():
        low, high = part["accuracy_interval"]
        share = scene.t(
            N_("{value} ({low} to {high})"),
            value=_percent(scene, part["accuracy"]),
            low=_percent(scene, low),
            high=_percent(scene, high),
        )
        facts.append((lang.upper(), share))
    return facts


def _percent(scene: Scene, share: float | None) -> str:
    return marks.percent(scene, share).replace(" %", "\u00a0%")  # never at the start of a line


def _score(scene: Scene, value: float) -> str:
    from babel.numbers import format_decimal

    return str(format_decimal(value, "0.00", locale=scene.locale))  # 0.70 beside 0.78, not 0.7


def _shipped(scene: Scene, told: Mapping[str, Any]) -> str:
    return scene.t(
        N_("Shipped model: {right} right, macro-F1 {score}, on {n} held-out posts"),
        right=_percent(scene, told["accuracy"]),
        score=_score(scene, told["macro_f1"]),
        n=marks.number(scene, told["items"]),
    )


def _mistakes(scene: Scene, mistakes: Sequence[Mistake]) -> str:
    title = f'<h2 class="e-h2">{escape(scene.t(N_("The most frequent mistakes")))}</h2>'
    if not mistakes:
        words = scene.t(N_("No label was corrected: all that people checked was right."))
        return f'{title}<p class="e-sub">{escape(words)}</p>'
    lines = []
    for one in mistakes:
        words = scene.t(N_("said {said}, was {gold}"), said=_word(scene, one.said), gold=_word(scene, one.gold))
        links = [
            wire.link("case", scene.query({"id": number}), escape(scene.t(N_("Case {number}"), number=number)))
            for number in one.cases[:_LISTED]
        ]
        if len(one.cases) > _LISTED:
            more = scene.t(N_("and {n} more"), n=marks.number(scene, len(one.cases) - _LISTED))
            links.append(f'<span class="e-muted">{escape(more)}</span>')
        lines.append(
            f'<li><span class="e-muted">{escape(scene.t(HEAD_WORDS[one.head]))}</span>'
            f"<span>{escape(words)}: <b>{marks.number(scene, one.count)}</b>"
            f"{' · ' if links else ''}{' · '.join(links)}</span></li>"
        )
    return f'{title}<div class="e-card"><ul class="e-time">{"".join(lines)}</ul></div>'


def _word(scene: Scene, name: str) -> str:
    if name in ("true", "false"):
        return scene.t(N_("yes")) if name == "true" else scene.t(N_("no"))
    return scene.t("{name}", name=name)


def _basis(scene: Scene, checks: Checks, rows: Sequence[Mapping[str, Any]]) -> str:
    """Say what the figures stand on: who had judged, and what was checked."""
    lines = [
        (scene.t(N_("posts of which a person checked a label")), checks.posts),
        (scene.t(N_("labels corrected by a person")), sum(checks.corrected.values())),
        (scene.t(N_("labels confirmed as right")), sum(checks.confirmed.values())),
        (scene.t(N_("of these posts, in no case")), sum(row["case"] is None for row in rows)),
        *((scene.t(N_("judged by {quote_engine}"), quote_engine=name), n) for name, n in checks.engines.items()),
    ]
    facts = "".join(f"<dt>{escape(words)}</dt><dd>{marks.number(scene, value)}</dd>" for words, value in lines)
    title = escape(scene.t(N_("What these figures stand on")))
    return f'<h2 class="e-h2">{title}</h2><div class="e-card"><dl class="e-facts two">{facts}</dl></div>'
