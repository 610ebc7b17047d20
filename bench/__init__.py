"""Measure ours and the alternative in one run; every command prints the ratio."""

from __future__ import annotations

__all__: list[str] = []
