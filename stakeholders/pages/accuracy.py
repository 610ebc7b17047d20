"""Show how often the judges are right, by what people of this instance corrected or confirmed; honest about how few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from listener.match import Matcher
from listener.reason import N_
from sentiment.evaluate import evaluate
from stakeholders.counting.accuracy import Checks, Mistake, checked_rows, count_checks, list_mistakes, shipped_figures
from stakeholders.counting.lesson import Question, list_questions
from stakeholders.pages import marks, scorecard, wire
from stakeholders.pages.card import HEAD_WORDS
from stakeholders.pages.scene import Scene
from stakeholders.pages.scorecard import say_value
from stakeholders.pages.text import clip, escape

__all__ = ["show"]

_LISTED = 6  # cases named beside one mistake


def show(scene: Scene) -> None:
    """Draw the page of the accuracy for the engine and the label that the address names."""
    with scene.store.read() as connection:
        every = checked_rows(connection)
        engines = list(count_checks(every).engines)
        chosen = st.query_params.get("engine")
        rows = [row for row in every if row["engine"] == chosen] if chosen in engines else every
        checks = count_checks(rows)
        label = _label(checks)
        questions = list_questions(connection, label)
    query = {"engine": chosen if chosen in engines else None}
    _show_head(scene, checks, engines, chosen)
    labels = evaluate(rows)["labels"] if rows else {}
    shipped = shipped_figures()
    if not rows:
        st.html(_nothing(scene))
        title = escape(scene.t(N_("Until then: what the shipped model reached on posts that it never saw")))
        st.html(f'<h2 class="e-h2">{title}</h2>')
    else:
        st.html(marks.note(_caution(scene, checks), "warn"))
    if rows or shipped:
        st.html(scorecard.draw_rows(scene, labels, checks.confirmed, shipped, label, query))
    if label in labels and checks.confirmed.get(label):
        st.html(scorecard.draw_parts(scene, rows, label, labels[label]))
    st.html(_next(scene, questions, label))
    if rows:
        st.html(_mistakes(scene, list_mistakes(rows)))
        st.html(_basis(scene, checks, rows))


def _label(checks: Checks) -> str:
    """Give the label that is looked at: the address's, else the one with the most checks."""
    told = st.query_params.get("label")
    if told in scorecard.HEADS:
        return str(told)
    counts = {head: checks.corrected.get(head, 0) + checks.confirmed.get(head, 0) for head in scorecard.HEADS}
    return max(scorecard.HEADS, key=lambda head: counts[head])


def _next(scene: Scene, questions: Sequence[Question], label: str) -> str:
    """List the posts whose check teaches most about a label, each a link to its case."""
    title = escape(
        scene.t(N_("To check next: where the program wavers most ({label})"), label=scene.t(HEAD_WORDS[label]))
    )
    told = N_("Checking these teaches most; for figures to rely on, also check thirty cases as they come.")
    head = f'<h2 class="e-h2">{title}</h2><p class="e-sub">{escape(scene.t(told))}</p>'
    if not questions:
        return f'{head}<p class="e-sub">{escape(scene.t(N_("Nothing is left to check among the newest cases.")))}</p>'
    matcher = Matcher(scene.config.brands)
    lines = []
    for one in questions:
        words = f"<b>{escape(say_value(scene, one.said))}</b>"
        if one.rival is not None:
            words = scene.t(
                N_("{said} or {rival}?"), said=say_value(scene, one.said), rival=say_value(scene, one.rival)
            )
            words = f"<b>{escape(words)}</b>"
        said = clip(one.text, matcher.find(one.text).get(one.brand, ()), 150)
        case = escape(scene.t(N_("Case {number}"), number=one.case_id))
        inner = (
            f'<span class="e-first">{words}</span><span class="e-said">{said}</span><span class="e-last">{case}</span>'
        )
        lines.append(wire.link("case", scene.query({"id": one.case_id}), inner, style="e-row"))
    return f'{head}<div class="e-list e-next">{"".join(lines)}</div>'


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
            "Open a case. Beside each label, ✎ corrects one that is wrong, or keeps that it is «Right as it is». With "
            "thirty of a label, this page begins to say something."
        )
    )
    back = wire.link("inbox", scene.query(), escape(scene.t(N_("Inbox"))))
    return marks.empty(scene.t(N_("Nobody has checked a label yet")), words, f"<p>{back}</p>")


def _caution(scene: Scene, checks: Checks) -> str:
    if not any(checks.confirmed.values()):
        return scene.t(
            N_(
                "Only mistakes were corrected so far, and nobody confirmed what is right: this shows which mistakes "
                "are made, not how often. Say «Right as it is» where a label is right."
            )
        )
    return scene.t(
        N_(
            "These posts are no random sample: people correct what is wrong and confirm only some of what is right. "
            "Read the figures as a lower bound; the intervals speak of chance alone."
        )
    )


def _mistakes(scene: Scene, mistakes: Sequence[Mistake]) -> str:
    title = f'<h2 class="e-h2">{escape(scene.t(N_("The most frequent mistakes")))}</h2>'
    if not mistakes:
        words = scene.t(N_("No label was corrected: all that people checked was right."))
        return f'{title}<p class="e-sub">{escape(words)}</p>'
    lines = []
    for one in mistakes:
        words = scene.t(N_("said {said}, was {gold}"), said=say_value(scene, one.said), gold=say_value(scene, one.gold))
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
    return f'{title}<div class="e-card"><ul class="e-time e-wide">{"".join(lines)}</ul></div>'


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
