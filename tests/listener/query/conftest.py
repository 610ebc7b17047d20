"""Give the tests of the query language posts, and both databases with them stored and indexed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from listener.database import Store
from listener.intake import save_page
from listener.mention import Author, Brand, Mention, Post
from listener.query.index import index_posts
from listener.store import posts

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def _written(text: str, number: int = 0, /, **told: object) -> Post:
    """Make a post of a text, a minute older for each number."""
    author = Author(
        handle=told.pop("handle", "ana"),  # type: ignore[arg-type]
        followers=told.pop("followers", None),  # type: ignore[arg-type]
    )
    facts: dict[str, object] = {"source": "x", "lang": "es", **told}
    return Post(
        native_id=f"n{number}", text=text, published_at=NOW - timedelta(minutes=number), author=author,
        **facts,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture
def written() -> Callable[..., Post]:
    return _written


@pytest.fixture
def keep(store: Store) -> Callable[..., list[int]]:
    """Store posts, mentions and their words as the pipeline does; give their ids in the order of the posts."""

    def save(found: Sequence[Post], brands: Sequence[tuple[Post, Brand]] = ()) -> list[int]:
        heard = [Mention(post, brand.key, brand.kind, ()) for post, brand in brands]
        with store.write() as connection:
            for source in sorted({post.source for post in found}):
                of = [post for post in found if post.source == source]
                save_page(connection, source, of, [one for one in heard if one.post.source == source], (), None, NOW)
            rows = connection.execute(sa.select(posts.c.source, posts.c.native_id, posts.c.id))
            ids = {(row.source, row.native_id): row.id for row in rows}
            made = [ids[post.source, post.native_id] for post in found]
            index_posts(connection, made)
        return made

    return save
