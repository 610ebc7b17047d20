"""A platform is asked for all that a query means and more, within its limits; what it cannot be asked is said."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from listener.mention import Brand, Post
from listener.query import parse
from listener.query.dialects import DIALECTS
from listener.query.match import matches
from listener.query.translate import translate, translate_tree
from listener.query.tree import Fact, Near, Node, Not, Phrase, Query, Word, all_of, any_of
from listener.question import ask, ask_platform

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "platform", "asked"),
    [
        ("señal (internet OR wifi) -video", "x", ["señal (internet OR wifi) -video"]),
        ('"Sin Señal" lang:es from:Osiptel', "x", ['"Sin Señal" lang:es from:osiptel']),
        ("claro NEAR/2 wifi", "x", ["claro wifi"]),
        ("claro NEAR/2 wifi", "gdelt", ['near3:"claro wifi"']),
        ("claro -(wifi OR red)", "x", ["claro -wifi -red"]),
        ("claro -(wifi red)", "x", ["claro"]),
        ("claro wif*", "x", ["claro"]),
        ("wif*", "x", ["wif"]),
        ("@Claro OR #Claro", "x", ["(@Claro OR #Claro)"]),
        ("@Claro OR #Red", "reddit", ["(Claro OR Red)"]),
        ("claro -wifi", "reddit", ["claro"]),
        ("claro from:ana", "reddit", ["claro author:ana"]),
        ("(uno OR dos) (tres OR cuatro)", "mastodon", ["uno tres", "uno cuatro", "dos tres", "dos cuatro"]),
        ("claro lang:es since:2026-01-31", "mastodon", ["claro language:es after:2026-01-30"]),
        ("claro until:2026-01-31", "bluesky", ["claro until:2026-02-02"]),
        ("claro OR wifi OR red", "youtube", ["claro|wifi|red"]),
        ("claro (wifi OR red)", "youtube", ["claro wifi", "claro red"]),
        ("claro (wifi OR red) lang:es", "gdelt", ["claro (wifi OR red) sourcelang:spanish"]),
        ("claro OR (wifi red)", "gdelt", ["claro", "wifi red"]),
        ("claro OR wifi", "hacker_news", ["claro", "wifi"]),
        ("claro (wifi OR red) since:2026-01-31", "google_news", ["claro (wifi OR red) after:2026-01-30"]),
        ("lang:es", "x", []),
        ("-claro", "x", []),
        ("claro OR reach>10", "x", ["claro"]),
        ("claro (wifi OR -red)", "x", ["claro"]),
        ("claro (wifi OR reach>10)", "x", ["claro"]),
    ],
)
def test_each_platform_is_asked_in_its_own_words(query: str, platform: str, asked: list[str]) -> None:
    assert list(translate(parse(query), platform).queries) == asked


@pytest.mark.parametrize(
    ("query", "platform", "said", "complete"),
    [
        ("claro", "x", "", True),
        ("claro reach>1000", "x", "X is not asked for «reach>1000»", True),
        ("claro country:PE", "x", "X is not asked for «country:pe»", True),
        ("claro NEAR/2 wifi", "x", "X knows no NEAR", True),
        ("claro wif*", "x", "it is asked without «wif*»", True),
        ("wif*", "x", "only the word «wif» itself", False),
        ("claro lang:es", "x", "whose language it does not tell", False),
        ("claro lang:es", "gdelt", "", True),
        ("@claro", "reddit", "without the sign", True),
        ("claro -wifi", "reddit", "not told what to leave out («wifi»)", True),
        ("claro -(wifi red)", "x", "not told what to leave out («wifi AND red»)", True),
        ("claro -wif*", "x", "not told what to leave out («wif*»)", True),
        ("lang:es", "x", "X needs a word to look for", False),
        ("claro OR lang:es", "x", "«lang:es» finds only what other queries bring", False),
    ],
)
def test_what_a_platform_cannot_be_asked_is_said(query: str, platform: str, said: str, complete: bool) -> None:
    told = translate(parse(query), platform)
    assert told.complete is complete
    words = [one.say("en") for one in told.lost]
    assert any(said in one for one in words) if said else words == []


WORDS = st.sampled_from(["claro", "sin", "senal", "red", "redes", "portar", "@claro", "#red", "wifi"]).flatmap(
    lambda text: st.sampled_from([Word(text)] * 9 + [Word(text, True)])
)
SAID = st.one_of(WORDS, st.lists(WORDS, min_size=1, max_size=3).map(lambda row: Phrase(tuple(row))))
TREES: st.SearchStrategy[Node] = st.recursive(
    st.one_of(SAID, SAID, st.builds(Near, SAID, SAID, st.integers(0, 3)), st.just(Fact("from", "ana"))),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(all_of),
        st.lists(inner, min_size=2, max_size=4).map(any_of),
        inner.map(Not),
    ),
    max_leaves=10,
)
SAYINGS = ["claro", "sin", "señal", "red", "redes", "portar", "@claro", "#red", "wifi", "no"]
TEXTS = st.lists(st.sampled_from(SAYINGS), max_size=9)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    tree=st.one_of(TREES, st.tuples(SAID, TREES).map(all_of)),
    texts=st.lists(TEXTS.map(" ".join), min_size=4, max_size=8),
    limit=st.integers(40, 512),
)
@pytest.mark.parametrize("platform", ["x", "bluesky", "google_news"])
def test_what_fits_is_always_asked_for(platform: str, tree: Node, texts: list[str], limit: int) -> None:
    """The answers of X, Bluesky and Google are played by our own matcher, which understands what they are asked."""
    told = translate_tree(tree, DIALECTS[platform], limit=limit)
    assert all(len(query) <= limit for query in told.queries)
    assume(told.complete)
    asked = [parse(query) for query in told.queries]
    for text in texts:
        post = Post("x", "1", text, NOW)
        if matches(Query("", tree), post):
            found = post if platform != "google_news" else Post("x", "1", text.replace("@", "").replace("#", ""), NOW)
            assert any(matches(query, found) for query in asked), (text, told.queries)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(tree=TREES, limit=st.integers(30, 200))
@pytest.mark.parametrize("platform", sorted(DIALECTS))
def test_no_platform_is_asked_more_than_it_takes(platform: str, tree: Node, limit: int) -> None:
    dialect = DIALECTS[platform]
    told = translate_tree(tree, dialect, limit=limit)
    for query in told.queries:
        assert 0 < len(query) <= limit
        assert dialect.most_words is None or len(query.split()) <= dialect.most_words
        assert dialect.either is not None or " OR " not in query
        assert dialect.minus or "-" not in query
        assert query.count("(") == query.count(")")
        assert query.count('"') % 2 == 0
        assert dialect.nested or "((" not in query
    assert told.queries or not told.complete


def test_hundreds_of_alternatives_become_a_few_queries_of_the_length_that_fits() -> None:
    words = [f"palabra{number}" for number in range(300)]
    told = translate(parse(f"claro ({' OR '.join(words)}) -video"), "x")
    assert max(map(len, told.queries)) <= 512
    assert len(told.queries) < 30
    assert {word for query in told.queries for word in query.replace("(", " ").replace(")", " ").split()} >= set(words)
    assert all(query.startswith("claro ") and "-video" in query.split() for query in told.queries)


def test_deep_and_wide_groups_end_soon_and_are_asked_wider() -> None:
    text = " ".join(f"(w{number} OR v{number})" for number in range(40))
    told = translate(parse(text), "mastodon")
    assert 0 < len(told.queries) <= 60
    assert "too long" in " ".join(one.say("en") for one in told.lost)
    group = "a1"
    for number in range(20):
        group = f"(b{number} OR ({group} c{number}))"
    assert translate(parse(group), "bluesky").queries


BRANDS = (
    Brand("claro", "Claro", names=("Claro", "Claro Perú"), handles=("ClaroPeru",), hashtags=("claro",)),
    Brand("acme", 'Acme "SA"', query="acme (banco OR caja) -dibujos"),
)


def test_a_brand_is_asked_for_by_its_names_handles_tags_and_its_own_query() -> None:
    (asked,) = ask(BRANDS, 512, suffix=" -is:retweet")
    assert asked == (
        '("Claro" OR "Claro Perú" OR @ClaroPeru OR #claro OR "Acme SA" OR (acme (banco OR caja) -dibujos)) -is:retweet'
    )
    assert ask(BRANDS, 512, signs=False) == ['("Claro" OR "Claro Perú" OR "Acme SA" OR (acme (banco OR caja)))']
    assert all(len(one) <= 20 for one in ask(BRANDS[:1], 20))
    assert len(ask(BRANDS[:1], 20)) > 1
    assert ask((), 512) == []


def test_a_brand_whose_query_no_platform_can_be_asked_is_still_asked_for_by_its_names() -> None:
    brand = Brand("acme", "Acme", query="reach>1000 lang:es")
    told = ask_platform([brand], "x")
    assert told.queries == ('("Acme")',)
    assert not told.complete


def test_a_name_of_no_letters_is_asked_for_as_it_stands() -> None:
    assert ask([Brand("heart", "♥", names=("♥",))], 512) == ['("♥")']
