"""Lay the figures of `escucha evaluate` out for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from listener.reason import N_, label, say

__all__ = ["show_figures"]


def show_figures(figures: Mapping[str, Any], lang: str) -> Iterator[str]:
    """Give the lines of a table: each label with its figures and their 95 % intervals, then its classes and parts."""
    yield say(N_("{n} posts"), lang, n=figures["items"])
    if figures["labels"]:
        yield say(
            N_("In brackets: 95 % intervals, what so few posts leave uncertain if they are a random sample."), lang
        )
    for name, told in figures["labels"].items():
        yield ""
        yield f"{name}: {_scores(told, lang)}"
        if "f_rs" in told:
            yield f"  R {told['reliability']:.3f} · S {told['sensitivity']:.3f} · F(R,S) {told['f_rs']:.3f}"
        for key, row in told["per_class"].items():
            yield (
                f"  {key:<22}{label(key, lang):<28} P {row['precision']:.3f}  R {row['recall']:.3f}  "
                f"F1 {row['f1']:.3f}  n = {row['support']}"
            )
        for split in ("by_lang", "by_source"):
            for key, row in told[split].items():
                yield f"  {key:<22}{_scores(row, lang)}"


def _scores(told: Mapping[str, Any], lang: str) -> str:
    return (
        f"macro-F1 {told['macro_f1']:.3f} {_interval(told['macro_f1_interval'])} · "
        f"{say(N_('accuracy'), lang)} {told['accuracy']:.3f} {_interval(told['accuracy_interval'])} · "
        f"ECE {_number(told['ece'])} · {say(N_('unsure'), lang)} {told['unsure']:.1%} · "
        f"{say(N_('accuracy without them'), lang)} {_number(told['accuracy_sure'])} · n = {told['items']}"
    )


def _interval(ends: Sequence[float]) -> str:
    return f"[{ends[0]:.2f}–{ends[1]:.2f}]"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
