"""Do several things at once, as two processes or a person and the program may."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

__all__ = ["race"]


def race(*works: Callable[[], None]) -> None:
    """Begin all of them at one moment, each in a thread of its own; raise what the first that failed met."""
    start = Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        start.wait(10)
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(run, work) for work in works]:
            done.result(60)
