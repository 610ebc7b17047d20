from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from listener.errors import Unreadable
from listener.platforms.letterfile import read_eml, read_mbox
from listener.postfile import BadRow, Row
from tests.letters import letter, written


def rows(path: Path, offset: int = 0, number: int = 0) -> list[Row | BadRow]:
    return list(read_mbox(path, "archive", offset, number))


def test_only_a_postmark_after_a_blank_line_starts_a_letter(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.mbox", letter(1, "hola\n\nFrom here on nothing works\nFrom x Mon May  4 09:12:00 2026\n")
    )
    (row,) = rows(path)
    assert isinstance(row, Row)
    assert "From here on nothing works" in row.raw["text"]


def test_a_file_that_is_no_mailbox_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "a.mbox"
    path.write_bytes(b"{}\n")
    with pytest.raises(Unreadable):
        rows(path)
    path.write_bytes(b"")
    assert rows(path) == []


def test_line_ends_of_windows_are_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mbox", letter(1), letter(2))
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert [row.raw["native_id"] for row in rows(path) if isinstance(row, Row)] == ["m1@x", "m2@x"]


def test_a_letter_with_a_large_attachment_takes_little_memory(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mbox", letter(1))
    with path.open("ab") as stream:
        stream.write(b"From x Mon May  4 09:12:00 2026\nFrom: b@x.org\nSubject: foto\nMessage-ID: <big@x>\n\nhola\n")
        for _ in range(400):
            stream.write(b"QUJD" * 25_000 + b"\n")
        stream.write(b"\n")
    written(path, letter(3))
    tracemalloc.start()
    found = [row.raw["native_id"] for row in rows(path) if isinstance(row, Row)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == ["m1@x", "big@x", "m3@x"]
    assert peak < 8_000_000


def test_every_place_in_a_mailbox_is_the_start_of_a_letter(tmp_path: Path) -> None:
    path = written(tmp_path / "a.mbox", *map(letter, range(5)))
    for row in rows(path):
        assert path.read_bytes()[row.offset :].startswith(b"From ")
        rest = rows(path, row.offset, row.number)
        assert [one.position for one in rest] == [f"a.mbox letter {n}" for n in range(row.number + 1, 6)]


def test_one_letter_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(letter(4).as_bytes())
    row = read_eml(path)
    assert isinstance(row, Row)
    assert row.raw["native_id"] == "m4@x"
