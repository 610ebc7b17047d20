"""List: what a reader asked for, the rows that fit, their counts, kept views, and many cases in one step."""

from __future__ import annotations

__all__: list[str] = []
