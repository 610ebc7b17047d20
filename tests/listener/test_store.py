"""The store: pages and cursors together, nothing twice, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import sentiment.store  # noqa: F401 - hangs its tables on the metadata
import stakeholders.store  # noqa: F401 - hangs its tables on the metadata
from listener.database import Store, metadata
from listener.errors import StoreError
from listener.intake import digest_of, save_page
from listener.mention import Author, Mention, Metrics, Post, Rejected, Term
from listener.store import authors, cursors, finish_run, mentions, posts, quarantine, read_cursor, runs, tombstones

NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)


def post(native_id: str, text: str = "Nítido no anda", **more: object) -> Post:
    values = {"source": "x", "native_id": native_id, "text": text, "published_at": NOW, **more}
    return Post(**values)  # type: ignore[arg-type]


def count(store: Store, table: sa.Table) -> int:
    with store.read() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_the_migrated_database_is_what_the_tables_say(store: Store) -> None:
    # Formulas are SQL of one database each, so they stand in the migration alone; its own test asks what they give.
    computed = {("cases", name) for name in ("opened_quarter", "acknowledge_took", "answer_took", "ends")}

    # an index for each of the databases; alembic does not ask for which
    others = {"sqlite": "ix_mention_brand_hour_id", "postgresql": "ix_mention_brand_hour"}[store.engine.dialect.name]

    def ours(item: object, name: str | None, kind: str, *_: object) -> bool:
        if isinstance(item, sa.Column) and (item.table.name, name) in computed:
            return False
        if name == others:
            return False
        if name == "ix_author_handle":  # of a handle without regard to capitals, which each database says in its way
            return False
        words = ("post_words", "case_words")  # the full-text indexes: listener/query/index and caseindex
        return kind != "table" or not (name or "").startswith(words)

    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours})
        difference = compare_metadata(context, metadata)
    assert difference == []


def test_migrating_twice_changes_nothing(store: Store) -> None:
    store.migrate()
    assert count(store, posts) == 0


def test_a_database_of_a_newer_program_is_refused_and_not_touched(store: Store) -> None:
    with store.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError, match="nothing was changed"):
        store.migrate()


def test_a_page_its_mentions_and_its_cursor_are_stored_together(store: Store) -> None:
    found = post("1")
    heard = Mention(found, "nitido", "own", (Term(0, 6, "Nítido"),))
    with store.write() as connection:
        saved = save_page(connection, "x", [found], [heard], [], "c1", NOW)
        assert (saved.new, saved.mentions) == (1, 1)
    with store.read() as connection:
        assert read_cursor(connection, "x") == "c1"
        assert connection.execute(sa.select(mentions.c.terms, mentions.c.hour)).one() == (
            [[0, 6, "Nítido"]],
            int(NOW.timestamp() // 3600),
        )


def test_a_page_that_fails_half_way_leaves_neither_posts_nor_cursor(store: Store) -> None:
    def fail_half_way() -> None:
        with store.write() as connection:
            save_page(connection, "x", [post("1")], [], [], "c1", NOW)
            raise RuntimeError("killed here")

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert (count(store, posts), count(store, cursors), count(store, authors)) == (0, 0, 0)


def test_the_same_page_twice_adds_nothing(store: Store) -> None:
    page = [post("1"), post("2"), post("2", "the same id twice in a page")]
    with store.write() as connection:
        saved = save_page(connection, "x", page, [], [Rejected("line 3", "no text", "{}")], "c", NOW)
        assert (saved.new, saved.mentions) == (2, 0)
    with store.write() as connection:
        saved = save_page(connection, "x", page, [], [Rejected("line 3", "no text", "{}")], "c", NOW)
        assert (saved.new, saved.mentions) == (0, 0)
    assert count(store, quarantine) == 1


def test_an_edit_replaces_the_text_and_where_it_names_the_brand(store: Store) -> None:
    before, after = post("1", "Nítido falla"), post("1", "Hoy falla Nítido y también Brisa")
    heard = Mention(before, "nitido", "own", (Term(0, 6, "Nítido"),))
    now = [
        Mention(after, "nitido", "own", (Term(10, 16, "Nítido"),)),
        Mention(after, "brisa", "competitor", (Term(27, 32, "Brisa"),)),
    ]
    with store.write() as connection:
        save_page(connection, "x", [before], [heard], [], None, NOW)
    with store.write() as connection:
        saved = save_page(connection, "x", [after], now, [], None, NOW)
        again = save_page(connection, "x", [after], now, [], None, NOW)
    assert (saved.new, saved.mentions, len(saved.edited)) == (0, 1, 1)
    assert again.edited == ()
    with store.read() as connection:
        row = connection.execute(sa.select(posts.c.text, posts.c.edited_at)).one()
        terms = connection.execute(sa.select(mentions.c.brand, mentions.c.terms).order_by(mentions.c.id)).all()
    assert tuple(row) == ("Hoy falla Nítido y también Brisa", NOW)
    assert [tuple(one) for one in terms] == [("nitido", [[10, 16, "Nítido"]]), ("brisa", [[27, 32, "Brisa"]])]


def test_what_an_edit_no_longer_tells_is_not_untold(store: Store) -> None:
    with store.write() as connection:
        save_page(connection, "x", [post("1", metrics=Metrics(likes=3), lang="es")], [], [], None, NOW)
        save_page(connection, "x", [post("1", "otra cosa")], [], [], None, NOW)
    with store.read() as connection:
        row = connection.execute(sa.select(posts.c.text, posts.c.likes, posts.c.lang)).one()
    assert tuple(row) == ("otra cosa", 3, "es")


def test_a_post_that_was_removed_never_comes_back(store: Store) -> None:
    grave = {"digest": digest_of("x", "1"), "source": "x", "why": "deleted", "at": NOW}
    with store.write() as connection:
        connection.execute(tombstones.insert().values(**grave))
        removed = post("1", author=Author("ana"))
        saved = save_page(connection, "x", [removed, post("2")], [Mention(removed, "a", "own", ())], [], None, NOW)
        other = save_page(connection, "y", [post("1", source="y")], [], [], None, NOW)
    assert (saved.new, saved.mentions, other.new) == (1, 0, 1)
    assert count(store, authors) == 0


def test_two_sources_may_use_the_same_native_id(store: Store) -> None:
    with store.write() as connection:
        save_page(connection, "x", [post("1")], [], [], None, NOW)
        saved = save_page(connection, "y", [post("1", source="y")], [], [], None, NOW)
        assert (saved.new, saved.mentions) == (1, 0)


def test_an_author_is_refreshed_and_what_was_told_is_never_untold(store: Store) -> None:
    with store.write() as connection:
        save_page(connection, "x", [post("1", author=Author("Ana", bio="periodista", followers=10))], [], [], None, NOW)
        save_page(connection, "x", [post("2", author=Author("ana", followers=12))], [], [], None, NOW)
    with store.read() as connection:
        row = connection.execute(sa.select(authors)).one()
    assert (row.bio, row.followers) == ("periodista", 12)


def test_unknown_numbers_stay_unknown_and_zero_stays_zero(store: Store) -> None:
    with store.write() as connection:
        save_page(connection, "x", [post("1", metrics=Metrics(likes=0))], [], [], None, NOW)
    with store.read() as connection:
        row = connection.execute(sa.select(posts)).one()
    assert (row.likes, row.shares, row.author_id) == (0, None, None)


def test_times_come_back_aware_and_in_utc(store: Store) -> None:
    lima = datetime(2026, 5, 4, 9, 12, tzinfo=timezone(timedelta(hours=-5)))
    with store.write() as connection:
        save_page(connection, "x", [post("1", published_at=lima)], [], [], None, NOW)
    with store.read() as connection:
        stored = connection.scalar(sa.select(posts.c.published_at))
    assert stored == lima
    assert stored is not None
    assert stored.utcoffset() == timedelta(0)


def test_text_that_a_database_cannot_hold_is_mended_and_stored(store: Store) -> None:
    hostile = "nul \x00 lone \ud83d surrogate"
    with store.write() as connection:
        page = [post("1", hostile, raw={"text": hostile})]
        saved = save_page(connection, "x", page, [], [Rejected("1", "x", hostile)], None, NOW)
        assert (saved.new, saved.mentions) == (1, 0)


def test_a_place_that_is_no_text_is_kept_once_and_stops_nothing(store: Store) -> None:
    bad = Rejected("caf\udce9\x00.jsonl line 2", "no text", "{}")
    for new in (1, 0):
        with store.write() as connection:
            saved = save_page(connection, "x", [post("1")], [], [bad], None, NOW)
            assert (saved.new, saved.mentions) == (new, 0)
    with store.read() as connection:
        assert connection.scalars(sa.select(quarantine.c.position)).all() == ["caf?.jsonl line 2"]


def test_every_text_of_a_post_is_mended(store: Store) -> None:
    bad = "a\x00\ud83d"
    author = Author(bad, bad, bad, bad, bad)
    found = post(
        bad, bad, url=bad, lang=bad, country=bad, in_reply_to=bad, thread=bad, author=author, raw={bad: [bad, 0.5]}
    )
    heard = Mention(found, "nitido", "own", (Term(0, 3, bad),))
    with store.write() as connection:
        saved = save_page(connection, "x", [found], [heard], [], None, NOW)
        assert (saved.new, saved.mentions) == (1, 1)
    with store.read() as connection:
        row = connection.execute(sa.select(posts)).one()
        assert connection.scalar(sa.select(mentions.c.terms)) == [[0, 3, "a?"]]
    assert {row.native_id, row.text, row.url, row.lang, row.country, row.in_reply_to, row.thread} == {"a?"}
    assert row.raw == {"a": ["a", 0.5]}


def test_a_run_that_failed_on_a_file_with_a_broken_name_is_closed(store: Store) -> None:
    with store.write() as connection:
        opened = runs.insert().values(source="x", started_at=NOW, outcome="running").returning(runs.c.id)
        run_id = connection.execute(opened).scalar_one()
        finish_run(connection, run_id, finished_at=NOW, outcome="unreachable", error="caf\udce9.jsonl: gone")
    with store.read() as connection:
        assert connection.scalar(sa.select(runs.c.error)) == "caf?.jsonl: gone"


@pytest.mark.parametrize("first", ["1", "1\x00"])
def test_the_same_id_twice_in_a_page_keeps_the_mentions_of_the_post_that_is_kept(store: Store, first: str) -> None:
    page = [post(first, "Nítido no anda"), post("1", "Móvil no anda")]
    heard = [Mention(page[0], "nitido", "own", ()), Mention(page[1], "movil", "competitor", ())]
    with store.write() as connection:
        saved = save_page(connection, "x", page, heard, [], None, NOW)
        assert (saved.new, saved.mentions) == (1, 1)
    with store.read() as connection:
        assert connection.scalar(sa.select(posts.c.text)) == "Móvil no anda"
        assert connection.scalars(sa.select(mentions.c.brand)).all() == ["movil"]


def test_a_page_larger_than_one_statement_is_stored_whole(store: Store) -> None:
    with store.write() as connection:
        saved = save_page(connection, "x", [post(str(n)) for n in range(1203)], [], [], None, NOW)
        assert (saved.new, saved.mentions) == (1203, 0)
