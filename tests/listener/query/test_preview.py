"""A preview says what a query finds among stored posts and what a change of it loses and gains; in people's words."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from listener.database import Store
from listener.mention import Post
from listener.query import parse
from listener.query.explain import explain
from listener.query.preview import preview

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def test_a_preview_counts_and_shows_the_newest(
    store: Store, keep: Callable[..., list[int]], written: Callable[..., Post]
) -> None:
    keep([written(f"claro {number}", number) for number in range(15)] + [written("claro viejo", 60 * 24 * 40)])
    with store.read() as connection:
        seen = preview(connection, parse("claro"), now=NOW)
    assert (seen.count, seen.month) == (16, 15)
    assert [one.post.text for one in seen.newest] == [f"claro {number}" for number in range(10)]
    assert seen.before is seen.lost is seen.gained is None


def test_a_change_says_what_it_would_lose_and_gain(
    store: Store, keep: Callable[..., list[int]], written: Callable[..., Post]
) -> None:
    keep([written(text, number) for number, text in enumerate(["claro", "claro video", "@claro", "claro NEAR video"])])
    with store.read() as connection:
        seen = preview(connection, parse("(claro -video) OR @claro"), parse("claro"), now=NOW + timedelta(days=1))
    assert (seen.count, seen.before) == (2, 3)
    assert seen.lost is not None
    assert seen.gained is not None
    assert (seen.lost.count, seen.gained.count) == (2, 1)
    assert [one.post.text for one in seen.lost.newest] == ["claro video", "claro NEAR video"]
    assert [one.post.text for one in seen.gained.newest] == ["@claro"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("claro", "Posts with the word «claro»."),
        ('"sin señal" -vid*', "Posts with «sin señal» in these words and without a word that begins with «vid»."),
        ("@claro OR #red", "Posts with the account @claro or the hashtag #red."),
        ("claro (a1 OR b1)", "Posts with the word «claro» and (the word «a1» or the word «b1»)."),
        ("claro NEAR/3 wifi", "Posts with the word «claro» with at most 3 words between it and the word «wifi»."),
        ("claro country:pe", "Posts with the word «claro» and the country PE."),
        ("reach>=1000", "Posts with an author of at least 1000 followers."),
        ("since:2026-01-31", "Posts with a date of 2026-01-31 or later."),
        ("from:ana", "Posts with @ana as author."),
    ],
)
def test_a_query_is_said_in_words(query: str, words: str) -> None:
    assert explain(parse(query), "en") == words
