"""Hear companies speak of companies: exchanges, occasions, praise that nobody took up."""

from __future__ import annotations

__all__: list[str] = []
