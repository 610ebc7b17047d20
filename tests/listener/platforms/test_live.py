from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from listener.platforms.live import Live


def test_what_several_streams_say_comes_out_and_they_are_stopped_at_the_end() -> None:
    stop = threading.Event()
    left: list[int] = []

    def stream(number: int) -> Callable[[Callable[[int], None]], None]:
        def run(put: Callable[[int], None]) -> None:
            put(number)
            stop.wait(10)
            left.append(number)

        return run

    heard: list[int] = []
    with Live([stream(1), stream(2)], [stop.set]) as live:
        for batch in live.batches(5, every=0.2):
            heard += batch
            if len(heard) == 2:
                break
    assert (sorted(heard), sorted(left)) == ([1, 2], [1, 2])


def test_a_silent_stream_gives_empty_batches_and_ends_in_time() -> None:
    stop = threading.Event()
    with Live([lambda put: stop.wait(10) and None], [stop.set]) as live:
        assert list(live.batches(0.3, every=0.1)) in ([[], [], []], [[], [], [], []])


def test_what_was_heard_before_a_stream_broke_comes_first() -> None:
    def run(put: Callable[[int], None]) -> None:
        put(1)
        put(2)
        raise ValueError("broken")

    with Live([run]) as live:
        batches = live.batches(5)
        assert next(batches) == [1, 2]
        with pytest.raises(ValueError, match="broken"):
            next(batches)


def test_a_stream_that_ends_by_itself_is_a_failure() -> None:
    with Live([lambda put: None]) as live, pytest.raises(ConnectionError):
        list(live.batches(5))


def test_a_stream_that_brings_more_than_there_is_room_for_can_still_be_left() -> None:
    def run(put: Callable[[int], None]) -> None:
        while True:
            put(0)

    with Live([run]) as live:
        assert len(next(live.batches(5))) == 500
    assert all(not thread.is_alive() for thread in live._threads)
