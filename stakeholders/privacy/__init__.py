"""Keep private people out of what is shown and sent: numbers, addresses, telephones."""

from __future__ import annotations

__all__: list[str] = []
