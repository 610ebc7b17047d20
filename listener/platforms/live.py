"""Listen to streams whose library blocks: each runs in a thread of its own, and what it hears comes out in batches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, Queue
from types import TracebackType
from typing import Generic, TypeVar

__all__ = ["Live"]

_BATCH = 500
_ROOM = 10_000  # events that may wait; a library that brings more is held back, as the wire would hold it

Event = TypeVar("Event")


class Live(Generic[Event]):
    """Run streams from `with` to its end; each is given a function to call with every event.

    `stops` must make the streams return soon (close their connections); each is called once, at the end.
    """

    def __init__(
        self, streams: Sequence[Callable[[Callable[[Event], None]], None]], stops: Sequence[Callable[[], None]] = ()
    ) -> None:
        self.stopping = threading.Event()
        self._stops = tuple(stops)
        self._heard: Queue[Event] = Queue(_ROOM)
        self._failed: list[Exception] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(stream,), daemon=True) for stream in streams]

    def _run(self, stream: Callable[[Callable[[Event], None]], None]) -> None:
        try:
            stream(self._put)
        except Exception as error:  # noqa: BLE001 - raised again by batches(), in the thread that can tell it
            self._failed.append(error)
        self._ended.set()

    def _put(self, event: Event) -> None:
        self._heard.put(event)
        if self.stopping.is_set():
            raise _Stopped

    def batches(self, seconds: float, every: float = 2.0) -> Iterator[list[Event]]:
        """Yield what was heard, at least every `every` seconds, for so many seconds or until a stream ends.

        What a stream raised is raised here, after everything that was heard before it; a stream that ends by itself
        raises ConnectionError.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            ended = self._ended.is_set()
            batch = self._take(0 if ended else min(every, left))
            if ended and not batch:
                raise self._failed[0] if self._failed else ConnectionError("the stream ended")
            yield batch

    def _take(self, seconds: float) -> list[Event]:
        batch: list[Event] = []
        until = time.monotonic() + seconds
        while len(batch) < _BATCH:
            left = until - time.monotonic()
            try:
                # Short waits, so that the end of a stream is noticed while nothing comes.
                batch.append(self._heard.get(timeout=min(left, 0.1)) if left > 0 else self._heard.get_nowait())
            except Empty:
                if left <= 0 or self._ended.is_set():
                    break
        return batch

    def __enter__(self) -> Live[Event]:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        for stop in self._stops:
            stop()
        while not self._heard.empty():  # a thread that waits for room must be able to leave
            self._heard.get_nowait()
        for thread in self._threads:
            thread.join(timeout=5)


class _Stopped(Exception):
    """Leave a stream from within, once nobody listens any more."""
