"""Do ten whole tasks with the mouse alone, in two languages, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.pages.errands import TASKS
from tests.pages.hand import COMBINATIONS, sit_down
from tests.pages.mouse import Mouse

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def desk(chromium: str, tmp_path_factory: pytest.TempPathFactory, filled: Any) -> Iterator[Callable[[str, int], Mouse]]:
    with sit_down(Mouse, chromium, tmp_path_factory.mktemp("site"), filled) as hire:
        yield hire


@pytest.fixture(scope="module", params=COMBINATIONS, ids=lambda one: f"{one[0]}-{one[1]}")
def hand(desk: Callable[[str, int], Mouse], request: pytest.FixtureRequest) -> Iterator[Mouse]:
    hired = desk(*request.param)
    yield hired
    hired.shut()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
def test_task(hand: Mouse, task: Callable[[Mouse], None]) -> None:
    task(hand)
    hand.check()
