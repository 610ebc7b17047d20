"""Matching: whole words, folded, with the original characters pointed at."""

from __future__ import annotations

import random
import re
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from listener.match import Matcher, fold, fold_with_offsets, spot
from listener.mention import Brand, Post, Term
from listener.scan import TermScanner

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


@given(st.lists(st.text(alphabet="claro @#áé,.\n🙂Xñ_\u200b\xadсЖ＠", max_size=40), max_size=6))
def test_many_texts_at_once_give_what_each_gives_alone(texts: list[str]) -> None:
    assert MATCHER.find_many(texts) == [MATCHER.find(text) for text in texts]


@given(st.lists(st.text(max_size=60), max_size=4), st.lists(st.text(min_size=1, max_size=4), max_size=4))
def test_whatever_the_names_many_texts_give_what_each_gives_alone(texts: list[str], names: list[str]) -> None:
    matcher = Matcher([Brand(str(place), name, hashtags=(name,)) for place, name in enumerate(names)])
    assert matcher.find_many(texts) == [matcher.find(text) for text in texts]


def test_a_thousand_names_are_found_as_few_are() -> None:
    brands = [CLARO, RIVAL, *(Brand(f"m{number}", f"Marca {number}", names=("*",)) for number in range(1000))]
    texts = ["CLARO no anda", "marca 77 y Móvil Sur 🙂", "marca 1000", "Marca 99, claro que sí", "уберу claro"]
    assert [sorted(found) for found in Matcher(brands).find_many(texts)] == [
        ["claro"], ["m77", "movil"], [], ["m99"], ["claro"]
    ]  # fmt: skip


ALIKE = {"a": "аαᴀ", "e": "еε", "o": "оο", "r": "гʀ", "l": "ӏł", "c": "сᴄ", "i": "іι", "t": "тτ", "n": "п", "d": "ԁ"}
FANCY = (0xFF21, 0x1D400, 0x1D5D4, 0x24B6, 0x1F150, 0x1F170)  # full-width, bold, sans, circled, in black circles, boxes


def disguised(name: str, chance: random.Random) -> str:
    """Write a name as people do who fear a filter; each way alone or several at once."""
    ways = chance.sample(("alike", "hidden", "marks", "fancy"), chance.randint(1, 3))
    letters = list(name)
    if "alike" in ways:
        able = [place for place, letter in enumerate(letters) if letter in ALIKE]
        for place in chance.sample(able, chance.randint(1, max(1, min(len(able), len(letters) - 2)))):
            letters[place] = chance.choice(ALIKE[letters[place]])
    if "fancy" in ways:
        first = chance.choice(FANCY)
        letters = [
            chr(first + ord(one) - 97) if "a" <= one <= "z" and chance.random() < 0.6 else one for one in letters
        ]
    if "hidden" in ways:
        letters = [
            one + chance.choice(("", "\u200b", "\u200d", "\xad", "\u2060", "\ufe0f", "\u034f")) for one in letters
        ]
    if "marks" in ways:
        letters = [one + chance.choice(("", "\u0301", "\u0336", "\u0338")) for one in letters]
    return "".join(letters)


@pytest.mark.parametrize("name", ["claro", "nitido", "brisatel", "ondavia"])
def test_fifty_disguises_of_a_name_are_all_found(name: str) -> None:
    chance = random.Random(name)
    matcher = Matcher([Brand("b", name)])
    texts = [f"otra vez {disguised(name, chance)}, sin señal" for _ in range(50)]
    assert len(set(texts)) > 45
    assert [text for text in texts if not matcher.find(text)] == []
    for text in texts:
        (term,) = matcher.find(text)["b"]
        assert text[term.start : term.end] == term.text
        assert fold(term.text) == name


def test_real_words_of_other_alphabets_are_no_latin_names() -> None:
    """Each looks, wholly or nearly, like the Latin word; none is written with a Latin letter."""
    lookalikes = {"pot": "рот", "cop": "сор", "coma": "сома", "mope": "море", "hop": "нор", "top": "тор", "tom": "том"}
    lookalikes |= {"poct": "рост", "cok": "сок", "bec": "вес", "mama": "мама", "tok": "ток", "ton": "τον", "ov": "ου"}
    matcher = Matcher([Brand(name, name) for name in lookalikes])
    for name, word in lookalikes.items():
        for text in (word, word.upper(), f"la palabra «{word}» en otro alfabeto", f"2{word} {word}_ #{word}"):
            assert matcher.find(text) == {}, (name, text)
    assert sorted(matcher.find("t\u043ep y c\u043ek")) == ["cok", "top"]


def test_folding_keeps_a_place_for_every_character_that_shows() -> None:
    folded, offsets = fold_with_offsets("Ñ\u200bandú ✌️ ﬁ Σ ＠Х")
    assert folded == "nandu ✌ f σ @х"
    assert len(offsets) == len(folded)
    assert fold("Сlаrо СLАRО Нοtel") == "claro claro hotel"
    assert all(len(fold(chr(code))) <= 1 for code in range(0x3000))
    assert fold("é" * 3 + "\u0301") == "eee"
    assert unicodedata.category(fold("\xad") or " ") == "Zs"  # the soft hyphen leaves nothing


def test_hits_of_a_scan_over_raw_texts_point_into_them() -> None:
    texts = ["CL\xadARO 🙂", "el 🙂 Sur", "Ñu claro", "x"]
    found = spot(TermScanner(["claro", "🙂 sur"]), texts)
    named = [[text[start:end] for start, end, _ in hits] for text, hits in zip(texts, found, strict=True)]
    assert named == [["CL\xadARO"], ["🙂 Sur"], ["claro"], []]


def post(text: str, **told: Any) -> Post:
    return Post("x", "1", text, datetime(2026, 1, 1, tzinfo=UTC), **told)


def test_a_post_that_fits_a_brands_query_is_a_mention_by_the_words_that_fitted() -> None:
    brand = Brand("luz", "Luz Andina", query='(apagón OR "sin luz") AND lima')
    matcher = Matcher([brand, CLARO])
    (mention,) = matcher.mentions(post("Apagón en todo Lima"))
    assert mention.brand == "luz"
    assert mention.terms == (Term(0, 6, "Apagón"), Term(15, 19, "Lima"))
    assert [one.brand for one in matcher.mentions(post("sin luz en LIMA y Claro tampoco"))] == ["luz", "claro"]
    assert matcher.mentions(post("apagón en Piura")) == ()
    (named,) = matcher.mentions(post("Luz Andina: apagón en Lima"))
    assert [term.text for term in named.terms] == ["Luz Andina"]


def test_a_query_may_ask_which_brands_a_post_names() -> None:
    matcher = Matcher([Brand("rivals", "Contienda", query="brand:claro AND brand:movil"), CLARO, RIVAL])
    assert [one.brand for one in matcher.mentions(post("Claro o Móvil Sur"))] == ["rivals", "claro", "movil"]
    assert [one.brand for one in matcher.mentions(post("Claro"))] == ["claro"]


def test_a_page_of_posts_gives_what_each_post_gives() -> None:
    page = [post("Claro"), post("nada"), post("no abre", about="claro"), post("Móvil Sur y @claroperu")]
    assert MATCHER.mentions_many(page) == [MATCHER.mentions(one) for one in page]
    assert [len(found) for found in MATCHER.mentions_many(page)] == [1, 0, 1, 2]
