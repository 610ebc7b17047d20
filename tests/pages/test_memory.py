"""What pages keep of the database: given again while nothing changed, never after a commit, never to another reader."""

from __future__ import annotations

import html
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from listener.database import Store
from listener.stamp import Watch
from listener.store import cursors
from stakeholders.case import assign
from stakeholders.pages.memory import AGE, Memory
from stakeholders.pages.scene import Scene
from stakeholders.pages.text import escape
from stakeholders.scope import limit
from stakeholders.store import cases
from tests.pages.conftest import fill

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    found = fill(tmp_path)
    monkeypatch.setenv("ESCUCHA_CONFIG", str(tmp_path / "config.toml"))
    yield found
    found.store.close()


def write(store: Store, name: str) -> None:
    with store.write() as connection:
        connection.execute(cursors.insert().values(source=name, value="1", updated_at=datetime.now(UTC)))


def test_a_stamp_stands_until_a_commit_of_this_or_another_process(store: Store) -> None:
    stamp = store.stamp()
    assert store.stamp() == stamp
    with store.read() as connection:
        connection.execute(sa.select(cursors)).all()
    assert store.stamp() == stamp
    write(store, "mine")
    after = store.stamp()
    assert after != stamp
    other = Store(store.url)  # another pool, as another process has
    write(other, "theirs")
    other.close()
    assert store.stamp() not in (stamp, after)


def test_what_was_not_committed_changes_no_stamp(store: Store) -> None:
    stamp = store.stamp()
    with store.engine.connect() as connection:
        connection.execute(cursors.insert().values(source="never", value="1", updated_at=datetime.now(UTC)))
        connection.rollback()
    if store.engine.dialect.name == "sqlite":  # PostgreSQL counts what was undone, too: then it is only read again
        assert store.stamp() == stamp


def test_a_stamp_of_before_a_new_connection_is_never_met_again(store: Store) -> None:
    seen = {store.stamp()}
    for _ in range(3):
        store.close()
        if store.engine.dialect.name == "sqlite":
            assert store.stamp() not in seen
        seen.add(store.stamp())


def test_a_database_in_memory_is_never_taken_for_unchanged() -> None:
    watch = Watch(sa.create_engine("sqlite://"))
    assert watch.read() != watch.read()


def test_an_answer_is_asked_once_for_a_stamp_and_anew_for_the_next_and_when_it_is_old() -> None:
    now, asked = [0.0], []
    memory = Memory(lambda: now[0])

    def keep(stamp: object, question: str = "q", place: str = "a") -> int:
        return memory.keep(place, stamp, question, lambda: asked.append(1) or len(asked))

    assert [keep(1), keep(1), keep(1, "other"), keep(1)] == [1, 1, 2, 1]
    assert [keep(1, place="b"), keep(1)] == [3, 1]
    assert [keep(2), keep(2), keep(1), keep(2)] == [4, 4, 5, 6]
    now[0] = AGE - 0.01
    assert keep(2) == 6
    now[0] = AGE
    assert keep(2) == 7


def test_several_who_ask_at_once_ask_once_and_a_fault_is_not_kept() -> None:
    memory, inside, go, asked = Memory(), threading.Event(), threading.Event(), []

    def slow() -> str:
        asked.append(1)
        inside.set()
        assert go.wait(20)
        return "answer"

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(memory.keep, "a", 1, "q", slow)
        assert inside.wait(20)
        rest = [pool.submit(memory.keep, "a", 1, "q", slow) for _ in range(7)]
        go.set()
        assert {one.result(20) for one in (first, *rest)} == {"answer"}
    assert len(asked) == 1

    def fail() -> str:
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError):
        memory.keep("a", 1, "fault", fail)
    assert memory.keep("a", 1, "fault", lambda: "mended") == "mended"


def test_memory_is_bounded() -> None:
    memory = Memory()
    for number in range(5_000):
        memory.keep(f"place {number % 50}", 1, number, lambda: 1)
        memory.keep("busy", 1, number, lambda: 1)
    assert sum(len(answers) for _, answers in memory._kept.values()) <= 4_000


def test_what_is_kept_for_one_who_sees_all_is_not_given_to_a_limited_reader(filled: Any) -> None:
    def count(store: Store) -> int:
        scene = Scene(filled.config, store, "en", "Ana Flores")
        return scene.keep("cases", lambda one: one.scalar(sa.select(sa.func.count()).select_from(cases)) or 0)

    every = count(filled.store)
    mine = count(limit(filled.store, ["customer_care"]))
    theirs = count(limit(filled.store, ["legal_regulatory"]))
    assert 0 < mine < every
    assert (count(filled.store), count(limit(filled.store, ["customer_care"]))) == (every, mine)
    assert theirs != mine


def test_an_inbox_asks_again_only_when_something_changed_and_shows_it_at_once(
    filled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stakeholders.pages import inbox

    read, asked = inbox.read_rows, []
    monkeypatch.setattr(inbox, "read_rows", lambda *args: asked.append(1) or read(*args))
    test = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=60)

    def shown() -> str:
        test.run()
        assert not test.exception
        return "".join(str(one.proto.body) for one in test.get("html"))

    first = shown()
    before = len(asked)
    assert shown() == first or len(asked) == before
    assert "Elsa Quispe</bdi>" not in first
    with filled.store.write() as connection:
        number = connection.scalar(sa.select(cases.c.id).order_by(cases.c.rank, cases.c.due_at)) or 0
        assign(connection, number, "Ana Flores", datetime.now(UTC), "Elsa Quispe")
    assert "Elsa Quispe</bdi>" in shown()
    assert len(asked) > before


@given(st.text(st.characters(max_codepoint=0x2FF)))
def test_letters_of_latin_are_escaped_as_any_other_text(text: str) -> None:
    if text.isprintable():
        assert escape(text) == html.escape(text)


def test_a_database_that_is_put_aside_or_written_over_is_never_taken_for_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "one.db"
    store = Store(f"sqlite:///{path}")
    store.migrate()
    stamp = store.stamp()
    path.rename(tmp_path / "aside.db")
    assert store.stamp() not in (stamp, store.stamp())
    (tmp_path / "aside.db").rename(path)
    stamp = store.stamp()
    path.write_bytes(b"no database" * 1_000)
    assert store.stamp() != stamp
    store.close()
