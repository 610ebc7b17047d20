"""Scanning: whole words only, every hit, and the same ones whatever engine scans."""

from __future__ import annotations

import builtins
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from listener.scan import TermScanner, is_word

ENGINES: tuple[Any, ...] = ("aho", "hyperscan")


def plain(terms: list[str], text: str) -> list[tuple[int, int, int]]:
    """The oracle: every place is tried with every term."""
    found = []
    for number, term in enumerate(terms):
        prefix, literal = term.endswith("*"), term.removesuffix("*")
        for start in range(len(text)):
            end = start + len(literal)
            if not literal or text[start:end] != literal:
                continue
            if start and is_word(text[start - 1]) and is_word(text[start]):
                continue
            runs_on = end < len(text) and (text[end].isalnum() or text[end] == "_")
            if runs_on and is_word(text[end - 1]) and not prefix:
                continue
            while prefix and end < len(text) and (text[end].isalnum() or text[end] == "_"):
                end += 1
            found.append((start, end, number))
    return sorted(found)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("claro", ["claro", "claro", "clar*"]),
        ("aclaro clarooo _claro", ["clar*"]),
        ("@claro #claro x@claro", ["@claro"]),
        ("claro@x claro#x", ["claro", "claro", "clar*"] * 2),
        ("claro peru, claro, peru", ["claro", "claro", "claro peru", "clar*", "claro", "claro", "clar*"]),
        ("at&t y at t", ["at&t"]),
        ("🙂🙂claro🙂", ["🙂", "🙂", "claro", "claro", "clar*", "🙂"]),
        ("c++ y c", ["c++"]),
        ("ærø straße", ["straße"]),
        ("¿claro? ¿c++", ["¿claro", "claro", "claro", "clar*", "c++"]),
        ("", []),
    ],
)
def test_a_term_is_found_as_a_whole_word(engine: Any, text: str, found: list[str]) -> None:
    terms = ["claro", "claro peru", "@claro", "clar*", "at&t", "🙂", "", "*", "claro", "c++", "straße", "¿claro"]
    assert sorted(terms[number] for _, _, number in TermScanner(terms, engine).find(text)) == sorted(found)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_hit_of_a_prefix_ends_with_the_word(engine: Any) -> None:
    assert TermScanner(["viaj*"], engine).find("los viajeros_1, viajan@x") == [(4, 14, 0), (16, 22, 0)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_star_may_be_a_character_like_any_other(engine: Any) -> None:
    assert TermScanner(["yahoo*"], engine, prefixes=False).find("yahoos, yahoo* y yahoo") == [(8, 14, 0)]


@pytest.mark.parametrize("engine", ENGINES)
def test_no_hit_reaches_from_one_text_into_the_next(engine: Any) -> None:
    scanner = TermScanner(["claro peru", "\n", "a\nb", "x"], engine)
    assert scanner.find_many(["claro", "peru", "a", "b", "🙂 x", "x"]) == [[], [], [], [], [(2, 3, 3)], [(0, 1, 3)]]
    assert scanner.find("a\nb") == [(0, 3, 2), (1, 2, 1)]


TERMS = st.lists(st.text(alphabet="ab @#*.🙂Жé\n", max_size=3), max_size=8)
TEXTS = st.lists(st.text(alphabet="ab @#.🙂Жé\n", max_size=20), min_size=1, max_size=5)


FILL = [f"marca{number}" for number in range(200)]


@given(TERMS, TEXTS)
def test_both_engines_find_what_trying_every_place_finds(terms: list[str], texts: list[str]) -> None:
    expected = [plain(terms, text) for text in texts]
    for engine in ENGINES:
        scanner = TermScanner(terms, engine)
        assert [scanner.find(text) for text in texts] == expected
        assert scanner.find_many(texts) == expected


@given(TERMS, TEXTS)
@settings(max_examples=50)
def test_many_terms_are_found_as_few_are(terms: list[str], texts: list[str]) -> None:
    """From 200 terms on, texts are sieved by a word of each term before they are scanned."""
    many = [*terms, *FILL]
    expected = [plain(terms, text) for text in texts]
    for engine in ENGINES:
        assert TermScanner(many, engine).find_many(texts) == expected


@given(st.lists(st.text(max_size=4), max_size=5), st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_any_text_at_all_is_scanned_alike(terms: list[str], texts: list[str]) -> None:
    expected = [plain(terms, text) for text in texts]
    for engine in ENGINES:
        assert TermScanner(terms, engine).find_many(texts) == expected


def test_lone_surrogates_break_no_engine() -> None:
    for engine in ENGINES:
        assert TermScanner(["\udc80a", "b"], engine).find("\udc80a b") == [(0, 2, 0), (3, 4, 1)]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_batch_larger_than_one_scan_is_cut_between_texts(engine: Any) -> None:
    long = "claro " * 20_000
    found = TermScanner(["claro"], engine).find_many([long, "claro", long, "x", long])
    assert [len(hits) for hits in found] == [20_000, 1, 20_000, 0, 20_000]
    assert found[2][-1] == (119_994, 119_999, 0)


@pytest.mark.parametrize("engine", ENGINES)
def test_threads_share_one_scanner(engine: Any) -> None:
    scanner = TermScanner(["claro"], engine)
    text = "claro nada " * 5_000
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(len(scanner.find(text)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [5_000] * 4


def test_without_the_extra_the_default_engine_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "hyperscan":
            raise ModuleNotFoundError(name=name)
        return real(name, *args, **kwargs)

    many = ["claro", *(f"marca{number}" for number in range(300))]
    assert (TermScanner(many).engine, TermScanner(["claro"]).engine) == ("hyperscan", "aho")
    monkeypatch.setattr(builtins, "__import__", without)
    scanner = TermScanner(many)
    assert (scanner.engine, scanner.find("es claro")) == ("aho", [(3, 8, 0)])
    with pytest.raises(ImportError):
        TermScanner(["claro"], "hyperscan")
