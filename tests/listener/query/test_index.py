"""The full-text index: filled, kept, forgotten; what a database says of a query is what a match says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from listener.database import Store
from listener.mention import Brand, Post
from listener.query import parse
from listener.query.index import compact, forget_posts, index_all, index_posts
from listener.query.search import count, search
from listener.query.sql import where
from listener.store import posts, select_mentions

Keep = Callable[..., list[int]]


def texts(store: Store, query: str, limit: int = 50) -> list[str]:
    with store.read() as connection:
        return [one.post.text for one in search(connection, parse(query), limit=limit).found]


def test_the_newest_post_comes_first_and_pages_go_on_where_the_last_one_ended(
    store: Store, keep: Keep, written: Callable[..., Post]
) -> None:
    keep([written(f"claro {number}", number // 2) for number in range(0, 12, 2)])
    keep([written("otra cosa", 20)])
    with store.read() as connection:
        first = search(connection, parse("claro"), limit=4)
        rest = search(connection, parse("claro"), after=first.after, limit=4)
        assert count(connection, parse("claro")) == 6
    assert [one.post.text for one in (*first.found, *rest.found)] == [f"claro {number}" for number in range(0, 12, 2)]
    assert rest.after is None


def test_posts_of_one_moment_are_all_found_once(store: Store, keep: Keep, written: Callable[..., Post]) -> None:
    same = written("claro", 0)
    keep([Post("x", f"s{number}", "claro", same.published_at) for number in range(7)])
    found: list[int] = []
    after = None
    with store.read() as connection:
        while True:
            page = search(connection, parse("claro"), after=after, limit=3)
            found += [one.id for one in page.found]
            after = page.after
            if after is None:
                break
    assert len(found) == len(set(found)) == 7


def test_a_query_that_the_database_cannot_say_exactly_is_tried_on_what_it_finds(
    store: Store, keep: Keep, written: Callable[..., Post]
) -> None:
    many = [written(f"banco viejo de credito {number}", number) for number in range(600)]
    keep([*many, written("bancos de crédito", 700), written("claro", 701), written("claro claro", 702)])
    assert texts(store, '"banc* de cred*"') == ["bancos de crédito"]
    assert texts(store, "claro NEAR/3 clar*") == ["claro claro"]
    with store.read() as connection:
        assert count(connection, parse('"banc* de cred*"')) == 1
        assert count(connection, parse('NOT "banc* de cred*"')) == 602


def test_long_posts_and_words_that_stand_hundreds_of_times_are_found_in_their_order(
    store: Store, keep: Keep, written: Callable[..., Post]
) -> None:
    # PostgreSQL's own positions end at 256 a word and 16,383 a text.
    often = "de " * 400 + "banco de credito fin"
    late = "palabra " * 17_000 + "banco de credito"
    keep([written(often, 1), written(late, 2), written("x " * 20_000 + "banco de credito", 3)])
    assert texts(store, '"banco de credito"') == [often, late]
    assert texts(store, '"credito de banco"') == []
    assert texts(store, "fin NEAR/100 de") == [often]
    assert texts(store, '"de banco de"') == [often]


def test_a_thousand_words_and_a_hundred_groups_are_asked_at_once(
    store: Store, keep: Keep, written: Callable[..., Post]
) -> None:
    keep([written("palabra500 y palabra7"), written("nada", 1)])
    words = [f"palabra{number}" for number in range(900)]
    assert len(texts(store, " OR ".join(words))) == 1
    assert len(texts(store, " ".join(f"-{word}" for word in words if word not in ("palabra500", "palabra7")))) == 2
    groups = " OR ".join(f"({one} -{other} lang:es)" for one, other in zip(words[:300], words[300:600], strict=True))
    assert len(texts(store, groups)) == 1
    assert len(texts(store, "(" * 49 + "palabra7" + ")" * 49 + " " + " OR ".join(f'"a {word}"' for word in words))) == 0


def test_an_edited_post_is_found_by_its_new_words_only(store: Store, keep: Keep, written: Callable[..., Post]) -> None:
    (place,) = keep([written("claro")])
    with store.write() as connection:
        connection.execute(posts.update().where(posts.c.id == place).values(text="oscuro"))
        index_posts(connection, [place])
        index_posts(connection, [place])  # harmless
    assert texts(store, "claro") == []
    assert texts(store, "oscuro") == ["oscuro"]


def test_a_deleted_post_leaves_the_index_by_itself_and_a_forgotten_one_is_not_found(
    store: Store, keep: Keep, written: Callable[..., Post]
) -> None:
    gone, hidden, _ = keep([written("claro a", 0), written("claro b", 1), written("claro c", 2)])
    with store.write() as connection:
        connection.execute(posts.delete().where(posts.c.id == gone))
        forget_posts(connection, [hidden])
        left = connection.scalar(sa.text("SELECT count(*) FROM post_words"))
    assert left == 1
    assert texts(store, "claro") == ["claro c"]
    with store.write() as connection:
        assert index_all(connection) == 2
    assert texts(store, "claro") == ["claro b", "claro c"]


def test_forgotten_words_are_in_no_file_of_the_index(tmp_path: Path) -> None:
    path = tmp_path / "escucha.db"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    with store.write() as connection:
        for number in range(300):
            text = "xilófono quetzalcóatl" if number % 3 == 0 else f"otra cosa {number}"
            row = {"source": "x", "native_id": str(number), "text": text, "raw": {}}
            moment = sa.func.datetime("2026-05-04")
            connection.execute(
                posts.insert().values(**row, published_at=sa.text("'2026-05-04 00:00:00'"), collected_at=moment)
            )
        index_posts(connection, range(1, 301))
    _close(store)
    assert b"quetzalcoatl" in path.read_bytes()
    store = Store(f"sqlite:///{path}")
    with store.write() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")
        forget_posts(connection, range(1, 301, 3))
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
        connection.execute(posts.delete().where(posts.c.id.in_(range(1, 301, 3))))
    with store.write() as connection:
        connection.exec_driver_sql("PRAGMA secure_delete = OFF")  # some builds of SQLite begin with ON
        compact(connection)
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar() == 0
    assert len(texts(store, '"otra cosa"', limit=500)) == 200
    _close(store)
    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"quetzalcoatl" not in left
    assert b"xilofono" not in left


def _close(store: Store) -> None:
    with store.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


def test_postgres_drops_forgotten_rows_when_it_is_compacted(
    postgres_database: Callable[[], str], written: Callable[..., Post]
) -> None:
    store = Store(postgres_database())
    try:
        store.migrate()
        with store.write() as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO post (source, native_id, text, published_at, collected_at, raw) "
                    "SELECT 'x', n::text, 'claro ' || n, now(), now(), '{}' FROM generate_series(1, 200) AS n"
                )
            )
            index_all(connection)
        with store.write() as connection:
            forget_posts(connection, range(1, 200))
        with store.write() as connection:
            compact(connection)
        with store.read() as connection:
            connection.exec_driver_sql("CHECKPOINT")
            dead = connection.scalar(sa.text("SELECT count(*) FROM post_words"))
            page = connection.scalar(sa.text("SELECT pg_read_binary_file(pg_relation_filepath('post_words'))"))
        assert dead == 1
        assert b"claro 200" in bytes(page)
        assert b"claro 199" not in bytes(page)
    finally:
        store.close()


def test_posts_that_were_stored_before_the_index_are_in_it_after_the_migration(store_url: str) -> None:
    from alembic import command
    from alembic.config import Config

    import listener.migrations

    store = Store(store_url)
    config = Config()
    config.set_main_option("script_location", str(Path(listener.migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.exec_driver_sql(
            "INSERT INTO post (id, source, native_id, text, published_at, collected_at, raw) VALUES "
            "(7, 'x', '1', 'Señal de ayer', '2026-05-04 00:00:00', '2026-05-04 00:00:00', '{}')"
        )
    store.migrate()
    assert texts(store, "senal NEAR/1 ayer") == ["Señal de ayer"]
    store.close()


def test_a_clause_stands_in_statements_that_read_mentions_and_authors_too(
    store: Store, keep: Keep, written: Callable[..., Post]
) -> None:
    acme = Brand("acme", "Acme")
    mine, other = written("acme", 1, followers=2000, handle="ana"), written("acme", 2, followers=5, handle="bob")
    keep([mine, other], [(mine, acme), (other, acme)])
    with store.read() as connection:
        for query in ("acme reach>1000 brand:acme", "from:ana", "brand:acme -from:bob"):
            asked = where(parse(query), connection.dialect.name)
            rows = connection.execute(select_mentions().where(asked.clause)).all()
            assert [row.native_id for row in rows] == [mine.native_id]


def test_the_full_text_index_is_used(store: Store, keep: Keep, written: Callable[..., Post]) -> None:
    keep([written(f"claro {number}", number) for number in range(20)])
    with store.read() as connection:
        asked = where(parse('claro "claro 7"'), connection.dialect.name)
        statement = sa.select(posts.c.id).where(asked.clause)
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")
            prefix = "EXPLAIN "
        else:
            prefix = "EXPLAIN QUERY PLAN "
        plan = connection.execute(
            sa.text(prefix + str(statement.compile(connection, compile_kwargs={"literal_binds": True})))
        ).all()
    told = " ".join(str(row) for row in plan)
    assert "ix_post_words_lexemes" in told or "VIRTUAL TABLE INDEX" in told


@pytest.mark.parametrize("query", ["claro", '"sin señal"', "-claro", "claro NEAR/2 red", "lang:es"])
def test_an_empty_store_answers(store: Store, query: str) -> None:
    assert texts(store, query) == []


def test_counting_may_begin_at_a_moment(store: Store, keep: Keep, written: Callable[..., Post]) -> None:
    newest = written("claro", 0)
    keep([newest, written("claro", 60), written("claro claro", 120)])
    with store.read() as connection:
        since = newest.published_at - timedelta(minutes=90)
        assert count(connection, parse("claro"), since=since) == 2
        assert count(connection, parse("claro NEAR/1 clar*"), since=since) == 0
        assert count(connection, parse("claro NEAR/1 clar*")) == 1
