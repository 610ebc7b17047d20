"""Tell people: gather, hold back, climb, send; the rows themselves stand in stakeholders.alerts."""

from __future__ import annotations

__all__: list[str] = []
