"""A case's history is held to its seals: whatever is changed behind the program's back shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
import sqlalchemy as sa

from listener.database import Store
from stakeholders.case import acknowledge, answer, assign, close, history, note, record
from stakeholders.casework.export import export_case
from stakeholders.casework.seal import has_seal, rewrite, seal_of, verify
from stakeholders.erasure import erase
from stakeholders.store import cases, events
from tests.stakeholders.newsroom import NOW, make_config, open_one


def make_case(store: Store, folder: Path) -> int:
    """Give a case with six lines of history."""
    config = make_config(folder, store.url)
    with store.write() as connection:
        case, _ = open_one(connection, config)
        acknowledge(connection, case.id, "Rosa", NOW + timedelta(minutes=1))
        assign(connection, case.id, "Rosa", NOW + timedelta(minutes=2), "Luis")
        note(connection, case.id, "Luis", NOW + timedelta(minutes=3, microseconds=7), "llamar mañana ☎ \x00")
        answer(connection, case.id, "Luis", NOW + timedelta(minutes=4), note="por mensaje")
        close(connection, case.id, "Luis", NOW + timedelta(minutes=5))
    return case.id


@pytest.fixture
def case_id(store: Store, tmp_path: Path) -> int:
    return make_case(store, tmp_path)


def broken_at(store: Store, case_id: int) -> int | None:
    with store.read() as connection:
        broken = verify(connection, case_id)
        return None if broken is None else broken.place


def ids(connection: sa.Connection, case_id: int) -> list[int]:
    return [event.id for event in history(connection, case_id)]


def test_an_untouched_history_fits_its_seals_and_each_line_has_its_own(store: Store, case_id: int) -> None:
    assert broken_at(store, case_id) is None
    with store.read() as connection:
        seals = [event.seal for event in history(connection, case_id)]
    assert len(set(seals)) == len(seals) == 6
    assert all(seal is not None and len(seal) == 64 for seal in seals)


def test_a_seal_is_the_same_wherever_the_time_was_told() -> None:
    lima = NOW.astimezone(tz=datetime(2026, 1, 1, tzinfo=UTC).astimezone().tzinfo)
    first = seal_of("", 1, NOW, "Rosa", "note", None, {"b": 1, "a": ("x", 2)})
    assert first == seal_of("", 1, lima, "Rosa", "note", None, {"a": ["x", 2], "b": 1})
    assert first != seal_of("", 1, NOW, "Rosa", "note", {}, {"a": ["x", 2], "b": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("at", NOW + timedelta(days=1)),
        ("who", "Ana"),
        ("what", "told"),
        ("before", {"status": "snoozed"}),
        ("after", {"status": "acknowledged", "note": "nothing to see"}),
        ("seal", "0" * 64),
        ("seal", None),
    ],
)
@pytest.mark.parametrize("place", [1, 2, 4, 6])
def test_a_changed_column_is_found_at_its_line(store: Store, case_id: int, name: str, value: Any, place: int) -> None:
    with store.write() as connection:
        event_id = ids(connection, case_id)[place - 1]
        connection.execute(events.update().where(events.c.id == event_id).values({name: value}))
    # The first line without a seal counts as one from before there were seals, which the second then does not fit.
    assert broken_at(store, case_id) == (2 if (name, value, place) == ("seal", None, 1) else place)


@pytest.mark.parametrize("place", [1, 2, 3, 4, 5])
def test_a_line_that_was_taken_out_is_found(store: Store, case_id: int, place: int) -> None:
    with store.write() as connection:
        connection.execute(events.delete().where(events.c.id == ids(connection, case_id)[place - 1]))
    assert broken_at(store, case_id) == place


def test_two_lines_that_changed_places_are_found(store: Store, case_id: int) -> None:
    with store.write() as connection:
        first, second = ids(connection, case_id)[2:4]
        for old, new in ((first, -1), (second, first), (-1, second)):
            connection.execute(events.update().where(events.c.id == old).values(id=new))
    assert broken_at(store, case_id) == 3


def test_a_line_moved_to_another_case_is_found_in_both(store: Store, case_id: int, tmp_path: Path) -> None:
    other = make_case(store, tmp_path)
    with store.write() as connection:
        connection.execute(events.update().where(events.c.id == ids(connection, case_id)[3]).values(case_id=other))
    assert broken_at(store, case_id) == 4
    assert broken_at(store, other) is not None


def test_a_line_written_past_the_program_is_found(store: Store, case_id: int) -> None:
    line = {"case_id": case_id, "at": NOW, "who": "Ana", "what": "note", "after": {"note": "I was never here"}}
    with store.write() as connection:
        connection.execute(events.insert().values(**line))
    assert broken_at(store, case_id) == 7


def test_an_end_cut_off_is_found_when_it_told_what_the_case_holds(store: Store, case_id: int) -> None:
    with store.write() as connection:
        connection.execute(events.delete().where(events.c.id == ids(connection, case_id)[-1]))
        broken = verify(connection, case_id)
    assert broken is not None
    assert broken.place == 6
    assert broken.why.say("en") == "the history ends with status = answered, and the case holds closed"


def test_a_cut_note_shows_only_by_a_seal_that_left_the_house(store: Store, case_id: int) -> None:
    with store.write() as connection:
        record(connection, case_id, NOW, "Luis", "note", after={"note": "last"})
        kept = history(connection, case_id)[-1].seal
        assert kept is not None
        assert has_seal(connection, case_id, kept)
        connection.execute(events.delete().where(events.c.id == ids(connection, case_id)[-1]))
        assert verify(connection, case_id) is None  # docs/cases.md says so
        assert not has_seal(connection, case_id, kept)


def test_an_empty_history_and_a_changed_case_are_found(store: Store, case_id: int) -> None:
    with store.write() as connection:
        connection.execute(cases.update().where(cases.c.id == case_id).values(owner="Ana"))
    assert broken_at(store, case_id) == 7
    with store.write() as connection:
        connection.execute(events.delete())
    assert broken_at(store, case_id) == 1


def test_lines_from_before_there_were_seals_are_covered_by_the_first_seal_after_them(
    store: Store, case_id: int
) -> None:
    with store.write() as connection:
        connection.execute(events.update().values(seal=None))
    assert broken_at(store, case_id) is None
    with store.write() as connection:
        record(connection, case_id, NOW, "Rosa", "note", after={"note": "the first with a seal"})
    assert broken_at(store, case_id) is None
    with store.write() as connection:
        old = ids(connection, case_id)[1]
        connection.execute(events.update().where(events.c.id == old).values(who="Ana"))
    assert broken_at(store, case_id) == 7


def test_a_lawful_removal_seals_anew_and_names_the_seals_it_replaced(store: Store, tmp_path: Path) -> None:
    config = make_config(tmp_path, store.url)
    with store.write() as connection:
        case, _ = open_one(connection, config)
        open_text = "Nítido me cobró dos veces"
        note(connection, case.id, "Luis", NOW, f"escribió: {open_text}")
        assign(connection, case.id, "Rosa", NOW, "Luis")
        kept = [event.seal or "" for event in history(connection, case.id)]
        erase(connection, "x", ["1"], "deleted", NOW + timedelta(hours=1))
        lines = history(connection, case.id)
        assert verify(connection, case.id) is None
        assert open_text not in json.dumps([line.after for line in lines])
        assert [line.what for line in lines][3] == "resealed"
        assert all(has_seal(connection, case.id, seal) for seal in kept)
        assert b'"whole": true' in export_case(connection, config, case.id, "json", NOW)


def test_what_did_not_fit_before_is_not_sealed_anew(store: Store, case_id: int) -> None:
    with store.write() as connection:
        second, fourth = (ids(connection, case_id)[place] for place in (1, 3))
        connection.execute(events.update().where(events.c.id == second).values(who="Ana"))
        rewrite(connection, case_id, {fourth: (None, {"note": "–"})}, "escucha", NOW)
        assert history(connection, case_id)[3].after == {"note": "–"}
    assert broken_at(store, case_id) == 2


def test_two_people_at_once_never_share_a_seal(store: Store, case_id: int) -> None:
    barrier, faults = Barrier(4), []

    def write(name: str) -> None:
        try:
            barrier.wait(10)
            for number in range(5):
                with store.write() as connection:
                    record(connection, case_id, NOW, name, "note", after={"note": str(number)})
        except Exception as error:  # noqa: BLE001 - told by the main thread
            faults.append(error)

    threads = [Thread(target=write, args=(f"person {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert faults == []
    assert broken_at(store, case_id) is None
    with store.read() as connection:
        assert len(history(connection, case_id)) == 26
