"""Tell by when: working time, forecasts from the team's own past."""

from __future__ import annotations

__all__: list[str] = []
