"""Erasure: the post goes with all that hangs on it, a tombstone without words stays, and it never comes back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from listener.database import Store
from listener.erasure import compact, count_removed, erase_posts, find_by_handle
from listener.intake import digest_of, save_page
from listener.mention import Author, Mention, Post, Rejected, Term
from listener.store import authors, mentions, posts, quarantine, tombstones

NOW = datetime(2026, 5, 4, 15, tzinfo=UTC)
CANARY = "palabracanaria"


def post(native_id: str, author: str | None = None, text: str | None = None, source: str = "x") -> Post:
    words = text or f"Nítido {CANARY}{native_id} no anda"
    return Post(source, native_id, words, NOW, Author(handle=author), raw={"id": native_id, "text": words})


def store_posts(store: Store, *found: Post, rejected: tuple[Rejected, ...] = ()) -> None:
    heard = [Mention(one, "nitido", "own", (Term(0, 6, "Nítido"),)) for one in found]
    with store.write() as connection:
        save_page(connection, found[0].source, found, heard, rejected, None, NOW)


def erase(store: Store, *native_ids: str, source: str = "x", always: bool = False) -> tuple[int, ...]:
    with store.write() as connection:
        return erase_posts(connection, source, native_ids, "deleted", NOW, always=always)


def ids(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.scalars(sa.select(posts.c.native_id).order_by(posts.c.native_id)))


def test_a_removed_post_leaves_a_tombstone_that_tells_only_a_digest_the_source_why_and_when(store: Store) -> None:
    store_posts(store, post("id-0001"), post("id-0002"))
    assert len(erase(store, "id-0001", "never-stored")) == 1
    assert ids(store) == ["id-0002"]
    with store.read() as connection:
        (row,) = connection.execute(sa.select(tombstones)).all()
        left = list(connection.scalars(sa.select(mentions.c.post_id)))
    assert (row.digest, row.source, row.why, row.at) == (digest_of("x", "id-0001"), "x", "deleted", NOW)
    assert len(left) == 1


def test_a_removed_post_never_comes_back_and_a_second_removal_changes_nothing(store: Store) -> None:
    store_posts(store, post("id-0001"))
    assert len(erase(store, "id-0001")) == 1
    store_posts(store, post("id-0001"), post("id-0002"))
    assert ids(store) == ["id-0002"]
    assert erase(store, "id-0001") == ()
    with store.read() as connection:
        assert count_removed(connection, NOW, NOW + timedelta(seconds=1)) == 1
        assert count_removed(connection, NOW - timedelta(days=1), NOW) == 0


def test_the_same_id_of_another_source_stays(store: Store) -> None:
    store_posts(store, post("id-0001"))
    store_posts(store, post("id-0001", source="reddit"))
    erase(store, "id-0001", source="reddit")
    with store.read() as connection:
        assert list(connection.scalars(sa.select(posts.c.source))) == ["x"]


def test_what_was_never_stored_is_buried_only_when_a_person_asks(store: Store) -> None:
    erase(store, "id-0009", always=True)
    store_posts(store, post("id-0009"), post("id-0010"))
    assert ids(store) == ["id-0010"]


def test_an_author_goes_with_the_last_post_and_not_before(store: Store) -> None:
    store_posts(store, post("id-0001", "ana"), post("id-0002", "ana"), post("id-0003", "luis"))
    erase(store, "id-0001", "id-0003")
    with store.read() as connection:
        assert list(connection.scalars(sa.select(authors.c.handle))) == ["ana"]
    erase(store, "id-0002")
    with store.read() as connection:
        assert list(connection.scalars(sa.select(authors.c.handle))) == []


def test_set_aside_items_that_hold_the_post_go_too_and_others_stay(store: Store) -> None:
    text = "¡Qué mal servicio, señores, esto es «increíble»!"
    rejected = (
        Rejected("id id-0001", "bad date", "{}"),
        Rejected("answer", "cut off", '{"data": [{"id": "id-0001", "x": 1}'),
        Rejected("line 7", "no id", json.dumps({"body": text})),
        Rejected("line 8", "no id", json.dumps({"body": text}, ensure_ascii=False)),
        Rejected("line 9", "no id", '{"id": "id-00011"}'),
        Rejected("id 2", "bad date", '{"n": 1}'),
    )
    store_posts(store, post("id-0001", text=text), post("1"), rejected=rejected)
    erase(store, "id-0001", "1")
    with store.read() as connection:
        left = list(connection.scalars(sa.select(quarantine.c.position).order_by(quarantine.c.id)))
    assert left == ["line 9", "id 2"], "a longer id is another post, and an id of one character stands anywhere"


def test_an_account_is_found_by_handle_name_or_id_in_any_case(store: Store) -> None:
    store_posts(store, post("id-0001", "AnaR"), post("id-0002", "luis"))
    store_posts(store, post("c1", "anar", source="reddit"))
    with store.read() as connection:
        assert find_by_handle(connection, "@anar") == {"x": ["id-0001"], "reddit": ["c1"]}
        assert find_by_handle(connection, "ANAR", "x") == {"x": ["id-0001"]}
        assert find_by_handle(connection, "nobody") == {}


def test_after_rewriting_no_byte_of_a_removed_post_is_left_in_any_file(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/escucha.db")
    store.migrate()
    found = [post(f"id-{number:04d}", f"autor{number:04d}zz") for number in range(400)]
    for start in range(0, 400, 50):
        store_posts(store, *found[start : start + 50])
    gone = [one.native_id for one in found[::3]]
    erase(store, *gone)
    assert compact(store, NOW) is True
    assert compact(store, NOW) is False, "nothing was erased since"
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert [one for one in gone if f"{CANARY}{one}".encode() in held] == []
    assert [one for one in gone if f"autor{one[3:]}zz".encode() in held] == []
    assert all(f"{CANARY}{one.native_id}".encode() in held for one in found if one.native_id not in gone)
    erase(store, found[1].native_id)
    assert compact(store, NOW) is True
    store.close()


def test_where_a_reader_is_in_the_way_the_next_call_rewrites(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/escucha.db")
    store.migrate()
    store_posts(store, post("id-0001"))
    with store.read() as reader:
        reader.execute(sa.select(posts.c.id)).all()
        erase(store, "id-0001")
        assert compact(store, NOW) is False
    assert compact(store, NOW) is True
    assert f"{CANARY}id-0001".encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    store.close()
