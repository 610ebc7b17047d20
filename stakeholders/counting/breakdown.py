"""Break the accuracy of a label down: by what was said, by what is right, by language and by source, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sentiment.interval import wilson

__all__ = ["FEWEST", "Part", "break_down"]

FEWEST = 5  # items, under which an interval spans nearly everything: the counts alone are told


@dataclass(frozen=True, slots=True)
class Part:
    """Hold one part of the items of a label: how many, how many right, and the 95 % interval of their share.

    The interval (Wilson 1927) is None under FEWEST items.
    """

    name: str
    items: int
    right: int
    interval: tuple[float, float] | None


_WAYS: Mapping[str, Callable[[Mapping[str, Any], str, str], str]] = {
    "said": lambda _row, said, _gold: said,
    "gold": lambda _row, _said, gold: gold,
    "lang": lambda row, _said, _gold: str(row["lang"] or "?"),
    "source": lambda row, _said, _gold: str(row["source"] or "?"),
}


def break_down(rows: Iterable[Mapping[str, Any]], head: str) -> dict[str, list[Part]]:
    """Give the parts of a label's checked items by each way to cut them, those with the most items first.

    The ways are "said" (of what the program called so, how much was right: precision), "gold" (of what is so, how much
    it found: recall), "lang" and "source". `rows` are those of accuracy.checked_rows.
    """
    counts: dict[str, dict[str, list[int]]] = {way: {} for way in _WAYS}
    for row in rows:
        if head not in row["labels"]:
            continue
        said, gold = str(row["verdict"][head]["is"]), str(row["labels"][head])
        for way, name in _WAYS.items():
            counted = counts[way].setdefault(name(row, said, gold), [0, 0])
            counted[0] += 1
            counted[1] += said == gold
    return {way: sorted((_part(*one) for one in found.items()), key=_order) for way, found in counts.items() if found}


def _part(name: str, counted: list[int]) -> Part:
    items, right = counted
    return Part(name, items, right, wilson(right, items) if items >= FEWEST else None)


def _order(part: Part) -> tuple[int, str]:
    return -part.items, part.name
