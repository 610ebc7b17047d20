"""Word what the pages say: numbers, countries, handles, and the names at the ends of lines."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from listener.reason import Reason
from stakeholders.pages import marks
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import handle


def test_numbers_and_countries_in_reasons_are_worded_for_the_reader(instance: Any) -> None:
    scene = Scene(instance.config, instance.store, "es", "")
    assert marks.reason(scene, Reason("{n} followers", {"n": 36200})) != "36200 followers"
    assert "Perú" in marks.reason(scene, Reason("the platform places the post in {country}", {"country": "PE"}))


def test_a_handle_is_written_as_its_platform_does() -> None:
    assert [handle("rosa"), handle("@rosa"), handle("u/rosa")] == ["@rosa", "@rosa", "u/rosa"]


def test_names_at_the_ends_of_lines_keep_apart_and_in_order(instance: Any) -> None:
    from stakeholders.insight import DayCount
    from stakeholders.pages.charts import _ends

    day = datetime.now(UTC).date()
    days = [DayCount(day, name, n, 0, n, 0, 0) for name, n in (("a", 50), ("b", 49), ("c", 50), ("d", 0))]
    ends = _ends(days, {name: name for name in "abcd"})
    places = [one["at"] for one in ends]
    assert [one["brand"] for one in ends] == ["d", "b", "a", "c"]
    assert all(later - sooner > 5 for sooner, later in itertools.pairwise(places))
    assert places[0] >= 0
    assert places[-1] <= 50.01
