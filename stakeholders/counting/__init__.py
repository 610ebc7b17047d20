"""Count: hourly sums, changes that can be measured, work, and what is behind each figure."""

from __future__ import annotations

__all__: list[str] = []
