"""Matching: whole words, folded, with the original characters pointed at."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.match import Matcher, fold, fold_with_offsets
from listener.mention import Brand, Post

CLARO = Brand(
    "claro",
    "Claro",
    names=("Claro", "Claro Perú", "Plan Max"),
    handles=("ClaroPeru",),
    hashtags=("ClaroPeru",),
    exclude=("claro que sí", "más claro"),
)
RIVAL = Brand("movil", "Móvil Sur", kind="competitor", handles=("movilsur",))
MATCHER = Matcher([CLARO, RIVAL])


def terms(text: str, brand: str = "claro") -> list[str]:
    return [term.text for term in MATCHER.find(text).get(brand, ())]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("CLARO no anda", ["CLARO"]),
        ("aclaro que es clarooo", []),
        ("Claro, Claro y @claroperu #CLAROPERU", ["Claro", "Claro", "@claroperu", "#CLAROPERU"]),
        ("@claroperuano y #claroperuana", []),
        ("@claro no es nuestro", []),
        ("claro que si, pero Claro falló", ["Claro"]),
        ("¡más claro, imposible!", []),
        ("hablé con claro perú ayer", ["claro perú"]),
        ("me vendieron el PLAN MÁX.", ["PLAN MÁX"]),
        ("Cl\u200baro y c\u0301laro", ["Cl\u200baro", "c\u0301laro"]),
        ("Ｃｌａｒｏ 🙄", ["Ｃｌａｒｏ"]),
        ("Claro\nPerú", ["Claro\nPerú"]),
        ("«Claro»/Claro-Claro", ["Claro", "Claro", "Claro"]),
        ("", []),
    ],
)
def test_a_brand_is_found_as_a_whole_word_whatever_its_case_and_accents(text: str, found: list[str]) -> None:
    assert terms(text) == found


def test_a_post_that_names_two_brands_makes_two_mentions() -> None:
    post = Post("x", "1", "Movil Sur es mejor que Claro", datetime(2026, 1, 1, tzinfo=UTC))
    assert [(one.brand, one.kind) for one in MATCHER.mentions(post)] == [("claro", "own"), ("movil", "competitor")]


def test_a_review_on_the_brands_own_page_is_a_mention_without_a_term() -> None:
    post = Post("reviews", "1", "no abre", datetime(2026, 1, 1, tzinfo=UTC), about="claro")
    assert [(one.brand, one.terms) for one in MATCHER.mentions(post)] == [("claro", ())]


def test_without_brands_nothing_is_found() -> None:
    assert Matcher([]).find("Claro") == {}


@given(st.text(max_size=300))
def test_offsets_point_into_the_original_text_and_folding_never_raises(text: str) -> None:
    folded, offsets = fold_with_offsets(text)
    assert len(folded) == len(offsets)
    assert all(0 <= place < len(text) for place in offsets)
    assert list(offsets) == sorted(offsets)
    for found in MATCHER.find(text).values():
        assert all(text[term.start : term.end] == term.text for term in found)


@given(st.text(alphabet="claro @#áé,.\n🙂Xñ_", max_size=60))
def test_the_scan_finds_what_a_plain_regular_expression_finds(text: str) -> None:
    """The oracle: one brand with one name, words bounded by anything that is not a letter, digit, _, @ or #."""
    one = Matcher([Brand("b", "claro")])
    expected = [m.span() for m in re.finditer(r"(?<![\w@#])claro(?!\w)", fold(text))]
    assert [(term.start, term.end) for term in one.find(text).get("b", ())] == expected
