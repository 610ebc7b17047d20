"""Keep what pages read for all who look at the same, until anything in the database changes.

Fifty people at one inbox ask the same questions every few seconds. An answer is given again only while the stamp of the
database stands (listener/stamp.py): no commit of this or another process can be missed. What changes by the clock alone
(a case is overdue since a second ago) is at most AGE old.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

__all__ = ["AGE", "Memory"]

AGE = 10.0  # seconds; as often as an open inbox looks by itself
_MOST = 1_000  # answers of one state of a database
_PLACES = 4  # databases

T = TypeVar("T")


@dataclass
class _Answer:
    lock: threading.Lock = field(default_factory=threading.Lock)
    made: float | None = None
    value: Any = None


class Memory:
    """Hold answers by database and question; what is given is shared and must not be changed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[Hashable, dict[Hashable, _Answer]]] = {}

    def keep(self, place: str, stamp: Hashable, question: Hashable, ask: Callable[[], T], age: float = AGE) -> T:
        """Give the answer that is kept for this stamp and question, else ask; several who ask at once ask once."""
        with self._lock:
            known, answers = self._kept.get(place, (None, {}))
            if known != stamp or len(answers) >= _MOST:
                answers = {}
                self._kept.pop(place, None)
                while len(self._kept) >= _PLACES:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[place] = stamp, answers
            answer = answers.setdefault(question, _Answer())
        with answer.lock:
            now = self._clock()
            if answer.made is None or now - answer.made >= age:
                answer.value = ask()
                answer.made = now
            value: T = answer.value
            return value
