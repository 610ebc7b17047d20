"""Notice: what is usual at such an hour, what rises above it, why, and when it is a crisis."""

from __future__ import annotations

__all__: list[str] = []
