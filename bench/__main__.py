"""Run every benchmark of this folder: `python -m bench [NAME …]`; each prints JSON lines; some have options."""

from __future__ import annotations

import sys
from importlib import import_module

__all__ = ["main"]

NAMES = ("match", "queries", "dedup", "spikes", "ingest", "pages", "sessions", "classify")


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all; a name with its own options stands alone: `pages --large`."""
    if names[:1] in (["pages"], ["sessions"]):
        import_module(f"bench.{names[0]}").main(names[1:])
        return
    large = "--large" in names
    for name in [one for one in names if one != "--large"] or NAMES:
        if name == "pages":
            import_module("bench.pages").main(["--large"] if large else [])
        else:
            import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
