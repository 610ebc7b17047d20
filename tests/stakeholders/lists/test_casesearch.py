"""The words of posts in cases are those of the posts, whatever becomes of either."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from listener.database import Store
from listener.query.caseindex import case_index, index_cases
from listener.query.index import compact, forget_posts, index_all, index_posts
from listener.query.words import words_of
from listener.store import mentions, posts
from stakeholders.store import case_mentions, cases

NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)
WORDS = ("claro", "señal", "banco", "nitido", "caída", "cobro")
COUNT = 40


def held(connection: Connection) -> set[tuple[int, int, str]]:
    index = case_index(connection.dialect.name)
    rows = connection.execute(sa.select(index.case_id, index.mention_id, index.table.c.words))
    return {(row[0], row[1], row[2]) for row in rows}


def wanted(connection: Connection, hidden: frozenset[int] = frozenset()) -> set[tuple[int, int, str]]:
    tables = case_mentions.join(mentions, mentions.c.id == case_mentions.c.mention_id).join(posts)
    query = sa.select(case_mentions.c.case_id, case_mentions.c.mention_id, posts.c.text, posts.c.id).select_from(tables)
    rows = connection.execute(query)
    return {(row[0], row[1], f" {' '.join(words_of(row[2]))} ") for row in rows if row[3] not in hidden}


def add_post(connection: Connection, number: int, text: str) -> None:
    """Add a post that names two brands, so that it may stand in two cases."""
    row = {"id": number, "source": "x", "native_id": f"n{number}", "text": text, "raw": {}}
    connection.execute(posts.insert().values(row | {"published_at": NOW, "collected_at": NOW}))
    for place, brand in enumerate(("nitido", "brisatel")):
        told = {"id": 2 * number + place, "post_id": number, "brand": brand, "kind": "own", "terms": []}
        connection.execute(mentions.insert().values(told | {"source": "x", "published_at": NOW, "hour": 1}))
    index_posts(connection, [number])


def add_case(connection: Connection, number: int) -> None:
    row = {"id": number, "key": f"k{number}", "brand": "nitido", "department": "sales", "copies": [], "rank": 1}
    row |= {"priority": "important", "stakeholder": "customer", "status": "new", "opened_at": NOW}
    connection.execute(cases.insert().values(row))


def step(connection: Connection, draw: Random, hidden: set[int]) -> None:
    """Do one thing to a post, a mention or a case."""
    there = list(connection.scalars(sa.select(posts.c.id).order_by(posts.c.id)))
    open_now = list(connection.scalars(sa.select(cases.c.id).order_by(cases.c.id)))
    one, case = draw.choice(there), draw.choice(open_now)
    mention = 2 * one + draw.randrange(2)
    mine = case_mentions.c.mention_id == mention
    standing = connection.scalar(sa.select(case_mentions.c.case_id).where(mine))
    kind = draw.randrange(10)
    if kind < 4 and standing is None:
        if one in hidden:
            hidden.discard(one)
            index_posts(connection, [one])
        connection.execute(case_mentions.insert().values(mention_id=mention, case_id=case, how="thread"))
    elif kind < 5:
        connection.execute(case_mentions.update().where(mine).values(case_id=case, how="merged"))
    elif kind == 5:
        connection.execute(case_mentions.delete().where(mine))
    elif kind == 6:
        connection.execute(posts.update().where(posts.c.id == one).values(text=" ".join(draw.choices(WORDS, k=5))))
        index_posts(connection, [one, one])
        hidden.discard(one)
    elif kind == 7:
        forget_posts(connection, [one])
        hidden.add(one)
    elif kind == 8 and len(there) > COUNT // 2:
        connection.execute(posts.delete().where(posts.c.id == one))
    elif kind == 9 and len(open_now) > 3:
        connection.execute(cases.delete().where(cases.c.id == case))


@pytest.mark.parametrize("seed", range(3))
def test_whatever_becomes_of_posts_and_cases_their_words_stand_where_the_posts_stand(store: Store, seed: int) -> None:
    draw, hidden = Random(seed), set[int]()
    with store.write() as connection:
        for number in range(1, COUNT + 1):
            add_post(connection, number, " ".join(draw.choices(WORDS, k=draw.randrange(1, 6))))
        for number in range(1, 9):
            add_case(connection, number)
        for _ in range(150):
            step(connection, draw, hidden)
            # A post that was forgotten and then moved has no words to take along: it is found in no case.
            assert {one for one in held(connection) if one[1] // 2 not in hidden} == wanted(
                connection, frozenset(hidden)
            )
        assert wanted(connection), "else nothing is shown"
        assert all(one[1] // 2 not in hidden for one in held(connection))
        if connection.dialect.name == "sqlite":  # raises where the index and its content differ
            connection.exec_driver_sql("INSERT INTO case_words (case_words) VALUES ('integrity-check')")
        before = held(connection)
        index_cases(connection)
        assert held(connection) == before
        index_all(connection)
        assert held(connection) == wanted(connection)


def test_words_that_left_a_case_with_their_post_are_in_no_file_after_compaction(store: Store) -> None:
    with store.write() as connection:
        add_post(connection, 1, "canaria0001zq habla")
        add_post(connection, 2, "otra cosa")
        add_case(connection, 1)
        for mention in (2, 3, 4):
            connection.execute(case_mentions.insert().values(mention_id=mention, case_id=1, how="thread"))
        assert len(held(connection)) == 3
        connection.execute(posts.delete().where(posts.c.id == 1))
        assert {one[1] for one in held(connection)} == {4}
    with store.write() as connection:
        compact(connection)
    with store.read() as connection:
        if connection.dialect.name == "sqlite":
            blocks = connection.exec_driver_sql("SELECT block FROM case_words_data").scalars().all()
            assert not any(b"canaria" in block for block in blocks)
            assert any(b"cosa" in block for block in blocks)
        else:
            page = connection.scalar(sa.text("SELECT pg_read_binary_file(pg_relation_filepath('case_words'))"))
            assert b"canaria" not in page
            assert b"cosa" in page
