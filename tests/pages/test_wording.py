"""Word what the pages say: numbers, countries and handles."""

from __future__ import annotations

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
