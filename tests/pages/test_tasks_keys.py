"""Do ten whole tasks with the keys alone, in two languages, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.pages.errands import TASKS
from tests.pages.keys import Keys

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HAND = Keys


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
def test_task(hand: Keys, task: Callable[[Keys], None]) -> None:
    task(hand)
    hand.check()
