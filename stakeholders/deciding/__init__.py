"""Decide who answers: rules, grid, matrix, doubts, and all of it in words."""

from __future__ import annotations

__all__: list[str] = []
