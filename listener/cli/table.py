"""Lay the figures of `escucha evaluate` out for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from listener.reason import N_, label, say

__all__ = ["show_figures"]


def show_figures(figures: Mapping[str, Any], lang: str) -> Iterator[str]:
    """Give the lines of a table: each label with its figures, then its classes."""
    yield say(N_("{n} posts"), lang, n=figures["items"])
    for name, told in figures["labels"].items():
        yield ""
        yield (
            f"{name}: macro-F1 {told['macro_f1']:.3f} · {say(N_('accuracy'), lang)} {told['accuracy']:.3f} · "
            f"ECE {_number(told['ece'])} · {say(N_('unsure'), lang)} {told['unsure']:.1%} · "
            f"{say(N_('accuracy without them'), lang)} {_number(told['accuracy_sure'])} · n = {told['items']}"
        )
        if "f_rs" in told:
            yield f"  R {told['reliability']:.3f} · S {told['sensitivity']:.3f} · F(R,S) {told['f_rs']:.3f}"
        for key, row in told["per_class"].items():
            yield (
                f"  {key:<22}{label(key, lang):<28} P {row['precision']:.3f}  R {row['recall']:.3f}  "
                f"F1 {row['f1']:.3f}  n = {row['support']}"
            )
        for split in ("by_lang", "by_source"):
            for key, row in told[split].items():
                yield f"  {key:<22}macro-F1 {row['macro_f1']:.3f} · {row['accuracy']:.3f} · n = {row['items']}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
