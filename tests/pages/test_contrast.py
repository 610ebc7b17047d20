"""Count the contrast of every ink on every ground of the theme, light and dark: at least 4.5 : 1 (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from stakeholders.pages import heat, theme
from stakeholders.pages.theme import INKS, OPTIONS

INK = ("ink", "muted", "teal", "harm", "alert", "amber")
GROUND = ("card", "soft", "hover", "teal-soft", "alert-soft", "amber-soft", "mark")
SCHEMES = ("light", "dark")
FOLDER = Path(theme.__file__).parent


def colours(scheme: str) -> dict[str, str]:
    """Read the colours of style.css and of Streamlit's own parts for a scheme."""
    sheet = (FOLDER / "style.css").read_text("utf-8")
    pairs = re.findall(r"--e-([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", sheet)
    found = {name: (light, dark)[SCHEMES.index(scheme)] for name, light, dark in pairs}
    for name in ("backgroundColor", "sidebar.backgroundColor", "textColor", "linkColor", "primaryColor"):
        found[name] = str(OPTIONS[f"theme.{scheme}.{name}"])
    return found


def parts(colour: str) -> list[float]:
    return [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]


def contrast(one: list[float], other: list[float]) -> float:
    """Count the contrast of two colours of 0..1 (WCAG 2.2, relative luminance)."""
    lights = []
    for colour in (one, other):
        straight = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
        lights.append(0.2126 * straight[0] + 0.7152 * straight[1] + 0.0722 * straight[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def test_the_formula_is_that_of_the_norm() -> None:
    assert contrast(parts("#000000"), parts("#ffffff")) == pytest.approx(21)
    assert contrast(parts("#777777"), parts("#ffffff")) == pytest.approx(4.48, abs=0.01)


def test_every_colour_is_named_once_and_used() -> None:
    sheet = (FOLDER / "style.css").read_text("utf-8")
    drawn = sheet + "".join(path.read_text("utf-8") for path in FOLDER.glob("*.py"))
    named = re.findall(r"(--e-[\w-]+):", sheet)
    assert sorted(named) == sorted(set(re.findall(r"var\((--e-[\w-]+)", drawn)))


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_ink_can_be_read_on_every_ground(scheme: str) -> None:
    known = colours(scheme)
    inks = [*INK, "textColor", "linkColor"]
    grounds = [*GROUND, "backgroundColor", "sidebar.backgroundColor"]
    pale = {
        (ink, ground): round(contrast(parts(known[ink]), parts(known[ground])), 2)
        for ink, ground in product(inks, grounds)
        if contrast(parts(known[ink]), parts(known[ground])) < 4.5
    }
    assert pale == {}
    assert contrast(parts("#ffffff"), parts(known["primaryColor"])) >= 4.5, "words on a main button"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_words_can_be_read_on_the_deepest_cell_of_the_table(scheme: str) -> None:
    known = colours(scheme)
    for name in ("teal", "harm"):
        mixed = zip(parts(known[name]), parts(known["soft"]), strict=True)
        cell = [heat._DEEP / 100 * deep + (1 - heat._DEEP / 100) * pale for deep, pale in mixed]
        assert contrast(parts(known["ink"]), cell) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_charts_are_readable_too(scheme: str) -> None:
    inks = {name: parts(colour) for name, colour in INKS[scheme].items()}
    for name in ("ink", "muted"):
        assert contrast(inks[name], inks["ground"]) >= 4.5
    for name in ("positive", "negative", "other"):
        assert contrast(inks[name], inks["ground"]) >= 3, "a line or a bar (WCAG 2.2, 1.4.11)"
