"""Keep sums beside the rows they count, by hour and local day, changed by triggers in the same transaction."""

from __future__ import annotations

__all__: list[str] = []
