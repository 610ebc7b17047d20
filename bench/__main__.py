"""Run every benchmark of this folder: `python -m bench [NAME [OPTION …]] …`; each prints JSON lines.

`python -m bench pages --help` tells the options of one that has some.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

__all__ = ["main", "plan"]

NAMES = ("match", "queries", "dedup", "spikes", "ingest", "pages", "sessions", "classify")
_OPTIONS = frozenset({"pages", "sessions"})  # those whose main takes options


def plan(words: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Give the benchmarks to run, each with the options behind its name; all of them when no word is given.

    Raises SystemExit for a name that is none and for options of a benchmark that has none.
    """
    asked: list[tuple[str, list[str]]] = []
    for word in words:
        if word in NAMES:
            asked.append((word, []))
        elif asked and asked[-1][0] in _OPTIONS:
            asked[-1][1].append(word)
        else:
            after = f"{asked[-1][0]} has no options" if asked else f"the benchmarks are {', '.join(NAMES)}"
            raise SystemExit(f"bench: {word!r} is not understood: {after}")
    return asked or [(name, []) for name in NAMES]


def main(words: Sequence[str]) -> None:
    """Run what the words ask for, in their order."""
    for name, options in plan(words):
        run = import_module(f"bench.{name}").main
        run(options) if name in _OPTIONS else run()


if __name__ == "__main__":
    main(sys.argv[1:])
