"""Work a case: its moves, its history under seal, what joins and parts it, replies and who signs them."""

from __future__ import annotations

__all__: list[str] = []
