"""What is kept for lists is what a plain look at the rows gives, whatever was written, on both databases."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from listener.database import Store
from listener.query.listed import fill_listed, fill_places, post_ids
from listener.store import authors, mentions, posts
from sentiment.store import save_verdicts, verdicts
from sentiment.verdict import Label, Verdict
from stakeholders.store import case_mentions, cases, decisions
from tests.race import race
from tests.stakeholders.weeks import open_case, say

START = datetime(2026, 11, 9, 5, 30, tzinfo=UTC)
MOODS = ("negative", "neutral", "positive")
DIMENSIONS = ("governance", "innovation", "leadership")
HOWS = ("opened", "thread", "merged")


def check(connection: Connection) -> None:
    """Hold what is kept against a look at every row."""
    judged = {row.mention_id: row for row in connection.execute(sa.select(verdicts).where(verdicts.c.current))}
    heard = {row.id: row for row in connection.execute(sa.select(mentions))}
    openers: dict[int, int] = {}
    opened = sa.select(case_mentions).where(case_mentions.c.how == "opened").order_by(case_mentions.c.mention_id)
    for row in connection.execute(opened):
        openers.setdefault(row.case_id, row.mention_id)
    for row in connection.execute(sa.select(cases)):
        one = openers.get(row.id)
        said = judged.get(one) if one is not None else None
        source = heard[one].source if one is not None else None
        plain = (source, said.sentiment, said.unsure) if said else (source, None, None)
        assert (row.opener_source, row.opener_sentiment, row.opener_unsure) == plain
    for row in connection.execute(sa.select(decisions)):
        mention = heard[row.mention_id]
        assert (row.source, row.brand, row.hour) == (mention.source, mention.brand, mention.hour)
        if row.mention_id in judged:
            assert row.dimension == judged[row.mention_id].dimension
    written = {row.id: row for row in connection.execute(sa.select(posts))}
    for row in connection.execute(sa.select(case_mentions)):
        post = written[heard[row.mention_id].post_id]
        held = (row.post_id, row.source, row.lang, row.country, row.author_id, row.published_at)
        assert held == (post.id, post.source, post.lang, post.country, post.author_id, post.published_at)
    places = [(int(row.published_at.timestamp() // 3600), row.id) for row in connection.execute(sa.select(posts))]
    for hour, post_id in (*places, *((row.hour, row.post_id) for row in heard.values())):
        found = post_ids(connection, hour, hour)
        assert found is not None
        assert found[0] <= post_id <= found[1]


def one_of(connection: Connection, draw: random.Random, column: sa.Column[Any]) -> Any:
    known = connection.scalars(sa.select(column).order_by(column)).all()
    return draw.choice(known) if known else None


def judge(connection: Connection, mention_id: int, mood: str, dimension: str, by: Any = "person") -> None:
    labels = Label("true", 0.9), Label(mood, 0.9, unsure=mood == "neutral"), Label(dimension, 0.9)
    save_verdicts(connection, [(mention_id, Verdict(*labels, Label("other", 0.9), "test", by))], START, "Ana")


def change(connection: Connection, draw: random.Random) -> None:
    """Do one random thing that the program does, and some that it may do one day."""
    mention_id, case_id = one_of(connection, draw, mentions.c.id), one_of(connection, draw, cases.c.id)
    kind, mine = draw.randrange(16), case_mentions.c.mention_id == mention_id
    if kind < 4 or mention_id is None:
        said = say(
            connection, START + timedelta(minutes=draw.randrange(300)), source=draw.choice(("x", "news")),
            sentiment=draw.choice((*MOODS, None)), unsure=draw.random() < 0.3, dimension=draw.choice(DIMENSIONS),
            stakeholder=draw.choice(("customer", "press", None)),
        )  # fmt: skip
        if draw.random() < 0.7:
            open_case(connection, [said], START)
    elif kind in (4, 5):
        judge(connection, mention_id, draw.choice(MOODS), draw.choice(DIMENSIONS), draw.choice(("model", "person")))
    elif kind == 6:  # the judge is asked again
        connection.execute(verdicts.update().where(verdicts.c.mention_id == mention_id).values(current=False))
    elif kind == 7:
        told = {"sentiment": draw.choice(MOODS), "unsure": draw.random() < 0.5, "dimension": draw.choice(DIMENSIONS)}
        connection.execute(verdicts.update().where(verdicts.c.mention_id == mention_id).values(**told))
    elif kind in (8, 9, 10):  # merged, split, another post stands for the case
        values = {"how": draw.choice(HOWS)} | ({"case_id": case_id} if case_id and draw.random() < 0.6 else {})
        connection.execute(case_mentions.update().where(mine).values(**values))
    elif kind == 11:
        gone = draw.choice((case_mentions.delete().where(mine), cases.delete().where(cases.c.id == case_id)))
        connection.execute(gone)
    elif kind == 12:  # erased at the source: everything goes by cascade
        connection.execute(posts.delete().where(posts.c.id == one_of(connection, draw, posts.c.id)))
    elif kind == 13:
        gone_from = draw.choice((mentions, verdicts, decisions))
        key = mentions.c.id if gone_from is mentions else gone_from.c.mention_id
        connection.execute(gone_from.delete().where(key == mention_id))
    elif kind == 14:
        values = draw.choice(({"brand": "brisatel"}, {"hour": 7}, {"source": "news"}, {"terms": []}))
        connection.execute(mentions.update().where(mentions.c.id == mention_id).values(**values))
    else:
        told = {
            "published_at": START + timedelta(hours=draw.randrange(-90, 90)), "lang": draw.choice(("es", "pt", None)),
            "country": draw.choice(("PE", None)), "author_id": one_of(connection, draw, authors.c.id),
        }  # fmt: skip
        one = draw.choice(list(told))
        connection.execute(posts.update().where(posts.c.id == mention_id).values({one: told[one]}))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), steps=st.integers(5, 50))
def test_what_lists_keep_is_what_a_look_at_the_rows_gives_after_any_writes(store: Store, seed: int, steps: int) -> None:
    draw = random.Random(seed)
    with store.write() as connection:
        for table in (cases, posts):
            connection.execute(table.delete())
    for _ in range(steps):
        with store.write() as connection:
            change(connection, draw)
    with store.read() as connection:
        check(connection)
    with store.write() as connection:
        fill_listed(connection)
        fill_places(connection)
        check(connection)


def test_who_corrects_a_post_while_it_comes_to_stand_for_another_case_is_heard(store: Store) -> None:
    with store.write() as connection:
        ids = [say(connection, START, sentiment="negative") for _ in range(24)]
        first = open_case(connection, ids[:12], START)
        other = open_case(connection, ids[12:], START)

    def work(change: Any) -> None:
        for place in range(12):
            with store.write() as connection:
                change(connection, place)

    def correct(connection: Connection, place: int) -> None:
        judge(connection, ids[place], "positive", "leadership")

    def move(connection: Connection, place: int) -> None:
        mine = case_mentions.c.mention_id == ids[place]
        connection.execute(case_mentions.update().where(mine).values(case_id=other, how="opened"))

    with store.write() as connection:
        connection.execute(case_mentions.update().where(case_mentions.c.case_id == other).values(how="merged"))
    race(partial(work, correct), partial(work, move))
    with store.read() as connection:
        check(connection)
        told = {row.id: row.opener_sentiment for row in connection.execute(sa.select(cases))}
    assert told == {first: None, other: "positive"}


def test_what_is_edited_while_it_joins_a_case_is_found_as_it_is_now(store: Store) -> None:
    with store.write() as connection:
        ids = [say(connection, START) for _ in range(24)]
        case = open_case(connection, ids[:1], START)

    def work(change: Any) -> None:
        for one in ids[1:]:
            with store.write() as connection:
                change(connection, one)

    def edit(connection: Connection, one: int) -> None:
        of = sa.select(mentions.c.post_id).where(mentions.c.id == one).scalar_subquery()
        connection.execute(posts.update().where(posts.c.id == of).values(lang="pt", country="BR"))

    def join(connection: Connection, one: int) -> None:
        connection.execute(case_mentions.insert().values(mention_id=one, case_id=case, how="thread"))

    race(partial(work, edit), partial(work, join))
    with store.read() as connection:
        check(connection)
        joined = connection.execute(sa.select(case_mentions.c.lang).where(case_mentions.c.how == "thread")).scalars()
        assert set(joined) == {"pt"}


def test_an_archive_that_is_there_already_has_it_all_after_the_migration(store_url: str) -> None:
    from alembic import command
    from alembic.config import Config

    import listener.migrations

    store = Store(store_url)
    config = Config()
    config.set_main_option("script_location", str(Path(listener.migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0013")
        for mood in (*MOODS, None):
            open_case(connection, [say(connection, START, sentiment=mood, stakeholder="press")], START)
    store.migrate()
    with store.read() as connection:
        check(connection)
        kept = set(map(tuple, connection.execute(sa.select(cases.c.opener_source, cases.c.opener_sentiment))))
        assert kept == {("x", mood) for mood in (*MOODS, None)}
        assert None not in set(connection.scalars(sa.select(decisions.c.dimension)))
    store.close()
