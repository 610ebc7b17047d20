"""Run every benchmark of this folder: `python -m bench [NAME …]`; each prints one JSON line."""

from __future__ import annotations

import sys
from importlib import import_module

__all__ = ["main"]

NAMES = ("match", "queries", "dedup", "spikes", "classify")


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    for name in names or NAMES:
        import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
