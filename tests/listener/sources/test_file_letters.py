from __future__ import annotations

from pathlib import Path
from typing import Any

from listener.platforms.mailpost import NO_LETTER
from listener.sources import file
from tests.letters import letter, written


def source(path: Path, **settings: Any) -> file.Source:
    return file.Source("archive", file.Settings(path=str(path), **settings))


def test_a_mailbox_is_stored_once_and_new_letters_are_read_alone(tmp_path: Path, collect: Any) -> None:
    path = written(tmp_path / "care.mbox", *map(letter, range(7)))
    reading = source(path, page_size=3)
    assert collect(reading) == 7
    assert [len(page.posts) for page in collect.pages] == [3, 3, 1]
    assert collect(reading) == 0
    assert collect.pages == []
    written(path, letter(7), letter(8))
    assert collect(reading) == 2
    assert sum(len(page.posts) for page in collect.pages) == 3  # the last one known and the new ones
    assert collect.ids() == [f"m{n}@x" for n in range(9)]


def test_a_letter_that_is_still_being_written_is_read_again_when_it_is_whole(tmp_path: Path, collect: Any) -> None:
    path = written(tmp_path / "care.mbox", letter(0), letter(1, "primera línea\nsegunda línea\n"))
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.index(b"segunda")])
    reading = source(path)
    assert collect(reading) == 2
    path.write_bytes(whole)
    collect(reading)
    assert collect.pages[0].posts[-1].text == "Reclamo 1\nprimera línea\nsegunda línea"
    assert len(collect.ids()) == 2


def test_a_mailbox_that_was_rewritten_is_read_from_its_start(tmp_path: Path, collect: Any) -> None:
    path = written(tmp_path / "care.mbox", *(letter(n, "x" * (100 + 31 * n)) for n in range(6)))
    reading = source(path)
    collect(reading)
    head = path.read_bytes().split(b"\n", 1)[0]  # a mail program kept the first postmark and removed letters
    path.unlink()
    written(path, letter(0), *(letter(n, "y" * 200) for n in range(10, 30)))
    path.write_bytes(head + b"\n" + path.read_bytes().split(b"\n", 1)[1])
    collect(reading)
    assert {f"m{n}@x" for n in range(10, 30)} <= set(collect.ids())


def test_letters_are_about_the_brand_that_the_settings_name(tmp_path: Path, collect: Any) -> None:
    collect(source(written(tmp_path / "care.mbox", letter(1)), about="nitido"))
    (post,) = collect.pages[0].posts
    assert (post.about, post.author.handle, post.text) == ("nitido", "ana@x.org", "Reclamo 1\nsin señal")
    assert post.published_at.isoformat() == "2026-05-04T14:12:00+00:00"


def test_single_letters_of_a_folder_are_read(tmp_path: Path, collect: Any) -> None:
    (tmp_path / "a.eml").write_bytes(letter(1).as_bytes())
    (tmp_path / "b.eml").write_bytes(b"hola")
    assert collect(source(tmp_path)) == 1
    assert collect.rejected() == [("b.eml", NO_LETTER)]
    assert collect(source(tmp_path)) == 0


def test_a_broken_letter_is_kept_aside_and_the_rest_of_the_mailbox_goes_on(tmp_path: Path, collect: Any) -> None:
    path = written(tmp_path / "care.mbox", letter(1))
    with path.open("ab") as stream:
        stream.write(b"From x Mon May  4 09:12:00 2026\n\xff\xfe\n\n")
    written(path, letter(2))
    assert collect(source(path)) == 2
    assert collect.rejected() == [("care.mbox letter 2", NO_LETTER)]
