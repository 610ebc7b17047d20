"""Train the embedded model: teachers, one student for every head, export, calibration, card (`make train`)."""

from __future__ import annotations

__all__: list[str] = []
