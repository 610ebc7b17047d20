"""Hold that a query means the same on a text, on SQLite, on PostgreSQL and among a thousand others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from listener.database import Store
from listener.mention import Author, Brand, Post
from listener.query.match import facts_of, fits
from listener.query.queries import QuerySet
from listener.query.search import count, search
from listener.query.sql import where
from listener.query.tree import Day, Fact, Near, Node, Not, Phrase, Query, Reach, Word, all_of, any_of
from listener.query.words import words_of

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

# What stands in texts, in the forms that people and pranksters write.
PIECES = st.sampled_from(
    [
        "claro", "Claro", "CLARÓ", "@claro", "#claro", "aclaro", "claro_pe", "cla\u200bro", "ｃｌａｒｏ", "señal",
        "senal", "sen\u0303al", "sin", "red", "Red", "redes", "portar", "portabilidad", "porto", "número", "número 5",
        "24/7", "5G", "correo@claro.pe", "@@claro", "##red", "#red#claro", "claro@red", "😡", "👍🏽", "مرحبا", "שלום",
        "\u202eclaro\u202c", "связь", "信号", "ß", "Straße", "İ", "ﬁn", "a", "o", "de", "'", '"', "\\", "%", "_", "-",
        "\n", "!", "(claro)", "«red»", "claro,red", "C.L.A.R.O", "x" * 130, "x" * 128 + "y", "'claro'", "½", "\xad",
    ]
)  # fmt: skip
OFTEN = st.sampled_from(["claro", "Sin", "señal", "red", "redes", "portar", "@claro", "de"])  # so that rows are hit
TEXTS = st.one_of(
    st.lists(OFTEN, max_size=8), st.lists(st.one_of(OFTEN, PIECES, st.text(max_size=8)), max_size=10)
).map(" ".join)
_SAID = (
    "claro @claro #claro aclaro claro_pe senal sin red redes portar portabilidad porto numero 5 24 7 5g correo pe "
    "مرحبا שלום связь 信号 ß strasse straße i fin a o de _ #red c"
)
WORDS = sorted({word for piece in _SAID.split() for word in words_of(piece)})


def word(text: str) -> st.SearchStrategy[Word]:
    bare = text.lstrip("@#")
    prefixed = st.integers(3, len(bare)).map(
        lambda size: Word(text[: len(text) - len(bare) + size], True)
    ) if len(bare) >= 3 else st.nothing()  # fmt: skip
    return st.one_of(st.just(Word(text)), st.just(Word(text)), prefixed)


SOME = st.sampled_from(["claro", "sin", "senal", "red", "redes", "portar", "@claro", "de"]).flatmap(word)
TERMS = st.one_of(SOME, SOME, st.sampled_from(WORDS).flatmap(word))
PHRASES = st.lists(st.one_of(SOME, SOME, TERMS), min_size=1, max_size=3).map(lambda row: Phrase(tuple(row)))
SAID = st.one_of(TERMS, TERMS, PHRASES)
SIDES = st.one_of(SAID, st.lists(SAID, min_size=2, max_size=3).map(any_of))
NEARS = st.builds(Near, SIDES, SIDES, st.integers(0, 5))
FACTS = st.one_of(
    st.sampled_from([("lang", "es"), ("lang", "pt"), ("lang", "pt-br"), ("from", "ana"), ("from", "bob_1"),
                     ("source", "x"), ("source", "news"), ("country", "pe"), ("brand", "acme")])
    .map(lambda pair: Fact(*pair)),  # type: ignore[arg-type]
    st.builds(Reach, st.sampled_from([">", ">=", "<", "<="]), st.sampled_from([0, 100, 1000])),
    st.builds(lambda name, hours: Day(name, NOW.date(), NOW + timedelta(hours=hours)),
              st.sampled_from(["since", "until"]), st.integers(-3, 3)),
)  # fmt: skip
TREES: st.SearchStrategy[Node] = st.recursive(
    st.one_of(SAID, SAID, NEARS, FACTS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(all_of),
        st.lists(inner, min_size=2, max_size=3).map(any_of),
        inner.map(Not),
    ),
    max_leaves=6,
)
AUTHORS = st.builds(
    Author,
    handle=st.sampled_from([None, "ana", "Ana", "BOB_1", "ana.x", "ANÁ"]),
    followers=st.sampled_from([None, 0, 99, 100, 1000, 10**9]),
)
POSTS = st.builds(
    lambda text, hours, author, source, lang, country: Post(
        source, "", text.replace("\x00", "").encode("utf-8", "replace").decode(), NOW + timedelta(hours=hours), author,
        lang=lang, country=country,
    ),
    TEXTS, st.integers(-3, 3), AUTHORS, st.sampled_from(["x", "news"]),
    st.sampled_from([None, "es", "ES", "pt", "pt-BR", "en", "ptx"]), st.sampled_from([None, "PE", "pe", "MX"]),
)  # fmt: skip
CASES = st.tuples(st.lists(POSTS, min_size=3, max_size=10), st.lists(TREES, min_size=4, max_size=12), st.integers(0, 3))


@settings(max_examples=80, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # fmt: skip
@given(case=CASES)
def test_a_query_finds_the_same_posts_on_a_text_and_in_the_database(
    store: Store, keep: Callable[..., list[int]], case: tuple[list[Post], list[Node], int]
) -> None:
    found, trees, named = case
    # An author's facts are those that were told last, so each post here has an author of its own.
    found = [
        Post(
            post.source, str(number), post.text, post.published_at,
            Author(post.author.handle, native_id=str(number), followers=post.author.followers),
            lang=post.lang, country=post.country,
        )
        for number, post in enumerate(found)
    ]  # fmt: skip
    with store.write() as connection:
        for table in ("mention", "post", "author"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
    acme = Brand("acme", "Acme")
    ids = keep(found, [(post, acme) for post in found[:named]])
    facts = [facts_of(post, ("acme",) if number < named else ()) for number, post in enumerate(found)]
    queries = {str(number): Query("", tree) for number, tree in enumerate(trees)}
    wanted = [{key for key, query in queries.items() if fits(query, one)} for one in facts]
    with store.read() as connection:
        for key, query in queries.items():
            mine = {number for number, place in enumerate(ids) if place in _found(connection, query)}
            assert mine == {number for number, keys in enumerate(wanted) if key in keys}, query.tree
            assert count(connection, query) == len(mine)
            assert where(query, connection.dialect.name).exact or connection.dialect.name == "sqlite"
    several = QuerySet(queries)
    assert [several.match(one) for one in facts] == wanted
    assert several.match_many(facts) == wanted


def _found(connection: object, query: Query) -> set[int]:
    found: list[int] = []
    after = None
    while True:
        page = search(connection, query, after=after, limit=2)  # type: ignore[arg-type]
        found += [one.id for one in page.found]
        after = page.after
        if after is None:
            assert len(found) == len(set(found))
            return set(found)
