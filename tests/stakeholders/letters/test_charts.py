"""The pictures of a letter: valid, the same for the same figures, and told in words."""

from __future__ import annotations

import struct
import subprocess
import sys
from datetime import date, timedelta
from io import BytesIO

import pytest

from stakeholders.insight import DayCount, Share, Voice, wilson
from stakeholders.letters import charts
from stakeholders.wording import Wording

EN = Wording("en")
MONDAY = date(2026, 11, 9)
DAYS = [
    DayCount(MONDAY, "nitido", 12, 5, 4, 3, 1),
    DayCount(MONDAY + timedelta(days=1), "nitido", None, None, None, None, None),
    DayCount(MONDAY + timedelta(days=2), "nitido", 0, 0, 0, 0, 0),
]
SHARES = [
    Share("nitido", "own", 12, 0.6, *wilson(12, 20)),
    Share("brisatel", "competitor", 8, 0.4, *wilson(8, 20)),
]
VOICES = [Voice("customer", 9, 5, 2, 2, 1), Voice("regulator", 2, 0, 2, 0, 0), Voice(None, 1, 0, 0, 1, 0)]
NAMES = {"nitido": "Nítido $x^2$", "brisatel": "Brisatel"}


def drawn() -> list[bytes]:
    return [
        charts.draw_volume(DAYS, EN),
        charts.draw_shares(SHARES, NAMES, "nitido", EN),
        charts.draw_voices(VOICES, EN),
    ]


def test_each_picture_is_a_png_at_twice_its_width_without_transparent_pixels() -> None:
    from PIL import Image

    for body in drawn():
        assert body.startswith(b"\x89PNG\r\n\x1a\n")
        assert struct.unpack(">I", body[16:20])[0] == 2 * charts.WIDTH
        with Image.open(BytesIO(body)) as picture:
            picture.load()
            assert picture.convert("RGBA").getextrema()[3] == (255, 255)
            assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_the_same_figures_give_the_same_bytes_and_no_word_about_the_machine() -> None:
    first, second = drawn(), drawn()
    assert first == second
    assert not any(b"Software" in body or b"matplotlib" in body for body in first)


def test_other_figures_give_another_picture() -> None:
    assert charts.draw_volume(DAYS, EN) != charts.draw_volume(DAYS[:2], EN)


def test_a_reader_of_words_gets_every_figure_and_a_gap_is_no_zero() -> None:
    assert charts.describe_volume(DAYS, EN) == (
        "Mentions by day. Mon 9: 12, 5 harm, 3 help; Tue 10: not heard; Wed 11: 0, 0 harm, 0 help."
    )
    shares = charts.describe_shares(SHARES, NAMES, EN)
    assert "Nítido $x^2$ 60% (39–78%)" in shares
    assert "Brisatel 40% (22–61%)" in shares
    assert charts.describe_voices(VOICES, EN).endswith("not decided yet 1, 0 harm, 1 help.")


def test_the_three_polarities_differ_without_colour() -> None:
    fills = [(fill, hatch) for _, fill, hatch in charts._LOOKS]
    assert len({hatch for _, hatch in fills}) == 3


@pytest.mark.parametrize("days", [[], [DAYS[1]], [DAYS[2]]], ids=["none", "only a gap", "only a zero"])
def test_poor_data_is_drawn_without_a_fault(days: list[DayCount]) -> None:
    assert charts.draw_volume(days, EN).startswith(b"\x89PNG")


def test_a_long_period_a_strange_name_and_an_empty_market_are_drawn() -> None:
    many = [DayCount(MONDAY + timedelta(days=n), "nitido", n, n, 0, 0, 0) for n in range(90)]
    assert charts.draw_volume(many, EN).startswith(b"\x89PNG")
    nothing = [Share("nitido", "own", 0, None, None, None)]
    assert charts.draw_shares(nothing, {"nitido": "<b>" + "N" * 300}, "nitido", EN).startswith(b"\x89PNG")


def test_importing_the_charts_does_not_load_matplotlib() -> None:
    code = "import sys, stakeholders.digest; print(*(name in sys.modules for name in ('matplotlib', 'jinja2')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
