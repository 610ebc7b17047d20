"""Do ten whole tasks with the mouse alone, in two languages, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.pages.errands import TASKS
from tests.pages.mouse import Mouse

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HAND = Mouse


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
def test_task(hand: Mouse, task: Callable[[Mouse], None]) -> None:
    task(hand)
    hand.check()
