"""Do ten whole tasks with the keys alone, in two languages, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.pages.errands import TASKS
from tests.pages.hand import COMBINATIONS, sit_down
from tests.pages.keys import Keys

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def desk(chromium: str, tmp_path_factory: pytest.TempPathFactory, filled: Any) -> Iterator[Callable[[str, int], Keys]]:
    with sit_down(Keys, chromium, tmp_path_factory.mktemp("site"), filled) as hire:
        yield hire


@pytest.fixture(scope="module", params=COMBINATIONS, ids=lambda one: f"{one[0]}-{one[1]}")
def hand(desk: Callable[[str, int], Keys], request: pytest.FixtureRequest) -> Iterator[Keys]:
    hired = desk(*request.param)
    yield hired
    hired.shut()


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
def test_task(hand: Keys, task: Callable[[Keys], None]) -> None:
    task(hand)
    hand.check()
