"""Gather what one brand's cases hold and what says the same: the program's one likeness, a memory for each brand."""

from __future__ import annotations

from datetime import datetime, timedelta

from listener.likeness import Likeness, normalise

__all__ = ["Gatherer", "normalise"]


class Gatherer(Likeness):
    """Remember the texts of one brand; brands never gather, so each has its own."""

    def __init__(self, window: timedelta = timedelta(days=14), most: int = 20_000) -> None:
        super().__init__(window, most)

    def find(self, text: str, at: datetime) -> int | None:
        """Give the id of the text that says the same, the nearest one; None when there is none."""
        found = self.matches(text, at)
        return found[0] if found else None
