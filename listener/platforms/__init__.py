"""Speak to the platforms whose sources need more than one file."""

from __future__ import annotations

__all__: list[str] = []
