from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from pydantic import ValidationError

from listener.errors import Unreachable, Unreadable
from listener.mention import Author, Metrics, Post, Rejected
from listener.postfile import NO_HEADINGS, NOT_JSON, NOT_UTF8, TOO_MANY_CELLS
from listener.sources import file, kinds, load, settings_of

WHOLE = {
    "id": "r001",
    "source": "x",
    "native_id": "1790",
    "url": "https://x.com/a/status/1790",
    "lang": "es",
    "country": "PE",
    "published_at": "2026-05-04T09:12:00-05:00",
    "text": "otra vez sin señal 🙄 @NitidoPE",
    "author": {"handle": "@ana", "name": "Ana", "bio": None, "url": None, "verified": False, "followers": 83},
    "in_reply_to": None,
    "thread": None,
    "metrics": {"likes": 0, "replies": 2, "shares": 1},
    "brand": "Nítido",
    "labels": {"sentiment": "negative"},
    "something_new": [1, 2],
}


def source(path: Path, **settings: Any) -> file.Source:
    return file.Source("archive", file.Settings(path=str(path), **settings))


def write(path: Path, *objects: Any, mode: str = "w") -> Path:
    with path.open(mode, encoding="utf-8") as stream:
        stream.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)
    return path


def posts(collect: Any) -> list[Post]:
    return [post for one in collect.pages for post in one.posts]


# ---- the object


def test_every_field_of_a_post_file_arrives_and_the_object_is_kept_whole(tmp_path: Path, collect: Any) -> None:
    assert collect(source(write(tmp_path / "a.jsonl", WHOLE))) == 1
    (post,) = posts(collect)
    assert post == Post(
        source="archive",
        native_id="1790",
        text="otra vez sin señal 🙄 @NitidoPE",
        published_at=datetime(2026, 5, 4, 14, 12, tzinfo=UTC),
        author=Author(handle="ana", name="Ana", verified=False, followers=83),
        url="https://x.com/a/status/1790",
        lang="es",
        country="PE",
        metrics=Metrics(likes=0, replies=2, shares=1),
        about="Nítido",
    )
    assert post.raw == WHOLE


def test_only_the_text_is_required(tmp_path: Path, collect: Any, clock: Any) -> None:
    settings = file.Settings(
        path=str(write(tmp_path / "a.jsonl", {"text": "hola"}, {"text": "hola"}, {"text": "otra"}))
    )
    assert collect(file.Source("archive", settings, now=clock)) == 2
    assert {post.published_at for post in posts(collect)} == {clock()}
    assert {post.author for post in posts(collect)} == {Author()}


def test_a_time_without_a_zone_is_read_in_the_configured_one(tmp_path: Path, collect: Any) -> None:
    path = write(tmp_path / "a.jsonl", {"text": "hola", "published_at": "2026-05-04T09:12:00"})
    collect(source(path, timezone="America/Lima"))
    assert posts(collect)[0].published_at == datetime(2026, 5, 4, 14, 12, tzinfo=UTC)


def test_language_and_country_are_compared_whatever_their_spelling() -> None:
    now = datetime(2026, 5, 4, tzinfo=UTC)
    for lang, country in (("ES", "pe"), ("es-PE", " PE "), ("es_419", "Pe")):
        post = file.post_from({"text": "x", "lang": lang, "country": country}, source="a", now=now)
        assert (post.lang, post.country) == ("es", "PE")


def test_a_time_with_a_broken_sign_needs_no_id(tmp_path: Path, collect: Any) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "uno", "published_at": "2026-05-04\\ud80009:12:00"}\n')
    assert collect(source(path)) == 1


# ---- lines


def test_a_bad_line_is_kept_aside_with_its_place_and_the_rest_goes_on(tmp_path: Path, collect: Any) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        b'{"text": "uno"}\n{"text": "broken\n[1]\n\n{"text": ""}\n{"text": "\xff"}\n'
        b'{"text": "x", "published_at": "ayer"}\n{"text": {"a": 1}}\n'
        + b"[" * 50_000
        + b'\n{"text": "\\ud800dos", "n": NaN}\n'
    )
    assert collect(source(path)) == 2
    assert collect.error is None
    assert collect.rejected() == [
        ("a.jsonl line 2", NOT_JSON),
        ("a.jsonl line 3", NOT_JSON),
        ("a.jsonl line 5", file.NO_TEXT),
        ("a.jsonl line 6", NOT_UTF8),
        ("a.jsonl line 7", file.NO_TIME),
        ("a.jsonl line 8", file.NO_TEXT),
        ("a.jsonl line 9", NOT_JSON),
    ]
    assert collect.texts() == ["uno", "dos"]


def test_appended_lines_are_read_and_nothing_is_read_twice(tmp_path: Path, collect: Any) -> None:
    path = write(tmp_path / "a.jsonl", {"id": 1, "text": "uno"}, {"id": 2, "text": "dos"})
    reading = source(path)
    assert collect(reading) == 2
    assert collect(reading) == 0
    assert collect.pages == []
    write(path, {"id": 3, "text": "tres"}, "bad", mode="a")
    assert collect(reading) == 1
    assert [post.native_id for post in posts(collect)] == ["3"]
    assert collect.rejected() == [("a.jsonl line 4", NOT_JSON)]


def test_a_line_that_is_still_being_written_is_read_when_it_is_whole(tmp_path: Path, collect: Any) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "uno"}\n{"text": "do')
    reading = source(path)
    assert collect(reading) == 1
    assert collect.rejected() == []
    with path.open("a") as stream:
        stream.write('s"}\n')
    assert collect(reading) == 1
    assert collect.texts() == ["uno", "dos"]


@pytest.mark.parametrize(
    ("body", "cut"),
    [
        ('{"text": "señal"}\n'.encode(), 13),  # inside of the ñ
        (b'{"text": "uno"}\n' + '{"text": "mañana"}\n'.encode(), 29),
        (b'{"text": "x", "more": "' + b"x" * 1_200_000 + b'"}\n', 1_100_000),
    ],
)
def test_a_line_that_stops_anywhere_is_judged_when_it_is_whole(
    body: bytes, cut: int, tmp_path: Path, collect: Any
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(body[:cut])
    reading = source(path)
    collect(reading)
    assert collect.rejected() == []
    path.write_bytes(body)
    collect(reading)
    long = len(body) > 1_000_000
    assert len(collect.texts()) == body.count(b"\n") - long
    assert len(collect.rejected()) == long
    assert collect(reading) == 0
    assert len(collect.rejected()) == long


def test_a_file_whose_name_is_no_text_gives_its_good_lines(tmp_path: Path, collect: Any) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.jsonl")
    try:
        path.write_text('bad\n{"text": "uno"}\n')
    except OSError:
        pytest.skip("this file system holds only names in UTF-8")
    reading = source(tmp_path)
    assert [collect(reading), collect(reading)] == [1, 0]
    assert collect.rejected() == [("caf?.jsonl line 1", NOT_JSON)]


def test_a_half_line_that_stays_one_is_kept_aside(tmp_path: Path, collect: Any) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "uno"}\n{"text": "do')
    reading = source(path)
    collect(reading)
    assert collect(reading) == 0
    assert collect.rejected() == [("a.jsonl line 2", NOT_JSON)]
    assert collect(reading) == 0
    assert collect.pages == []


def test_another_file_under_the_same_name_is_read_from_its_start(tmp_path: Path, collect: Any) -> None:
    path = write(tmp_path / "a.jsonl", {"text": "uno"})
    reading = source(path)
    collect(reading)
    write(path, {"text": "otro principio"}, {"text": "uno"}, {"text": "y más"})
    assert collect(reading) == 2


def test_a_large_file_comes_in_pages_and_a_kill_between_two_loses_nothing(tmp_path: Path, collect: Any) -> None:
    path = write(tmp_path / "a.jsonl", *({"id": n, "text": f"post {n}"} for n in range(1203)))
    reading = source(path)
    first = next(reading.collect((), None))
    assert len(first.posts) == 500
    assert first.cursor is not None
    rest = [len(page.posts) for page in reading.collect((), first.cursor)]
    assert rest == [500, 203]
    assert collect(reading) == 1203


def test_a_line_of_many_megabytes_does_not_fill_memory(tmp_path: Path, collect: Any) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "' + "x" * 5_000_000 + '"}\n{"text": "dos"}\n')
    assert collect(source(path)) == 1
    assert len(collect.rejected()) == 1


# ---- tables


def test_a_table_with_plain_and_dotted_headings_semicolons_and_a_bom(tmp_path: Path, collect: Any) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "id;published_at;Text;handle;followers;author.bio;labels.sentiment;competitors;extra\n"
        '7;2026-05-04T09:12:00-05:00;"sin señal;\nhace horas";@ana;83;clienta;negative;Móvil|Otra;y\n'
        "8;;corto;;;;;;\n",
        encoding="utf-8-sig",
    )
    assert collect(source(path)) == 2
    first, second = posts(collect)
    assert (first.native_id, first.text) == ("7", "sin señal;\nhace horas")
    assert first.author == Author(handle="ana", followers=83, bio="clienta")
    assert first.raw["labels"] == {"sentiment": "negative"}
    assert first.raw["competitors"] == ["Móvil", "Otra"]
    assert first.raw["extra"] == "y"
    assert second.author == Author()


def test_a_bad_row_is_kept_aside(tmp_path: Path, collect: Any) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"text,lang\nuno,es\ndos,es,zu,viel\n" + b"se\xf1al,es\ntres,es\n")
    assert collect(source(path)) == 2
    assert collect.rejected() == [("a.csv line 3", TOO_MANY_CELLS), ("a.csv line 4", NOT_UTF8)]


def test_a_table_that_changed_gives_its_new_rows_wherever_they_stand(tmp_path: Path, collect: Any) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text\n1,uno\n2,dos\n")
    reading = source(path)
    assert collect(reading) == 2
    assert collect(reading) == 0
    assert collect.pages == []
    path.write_text("id,text\n3,tres\n1,uno\n2,dos\n")
    assert collect(reading) == 1


def test_a_workbook_is_read_like_a_table(tmp_path: Path, collect: Any) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "text", "published_at", "handle", "followers", "verified"])
    sheet.append([1, "sin señal", datetime(2026, 5, 4, 9, 12), "ana", 83.0, True])  # noqa: DTZ001 - Excel knows no zone
    sheet.append([])
    sheet.append([2, None, None, "luis", None, None])
    sheet.append([3, "=1+1", "2026-05-04T09:12:00Z", None, None, "no"])
    book.save(tmp_path / "a.xlsx")
    reading = source(tmp_path / "a.xlsx", timezone="America/Lima")
    assert collect(reading) == 1
    (post,) = posts(collect)
    assert post.native_id == "1"
    assert post.published_at == datetime(2026, 5, 4, 14, 12, tzinfo=UTC)
    assert post.author == Author(handle="ana", followers=83, verified=True)
    assert [place for place, _ in collect.rejected()] == ["a.xlsx row 4", "a.xlsx row 5"]
    assert collect(reading) == 0


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("a.xlsx", b"PK\x03\x04 damaged", "a.xlsx: "),
        ("a.xlsx", b"", "a.xlsx: "),
        ("a.csv", b"id,message\n1,hola\n", NO_HEADINGS),
        ("a.pdf", b"%PDF", "a.pdf: "),
    ],
)
def test_a_file_that_is_no_post_file_is_a_failure_of_the_source(
    name: str, body: bytes, reason: str, tmp_path: Path, collect: Any
) -> None:
    (tmp_path / name).write_bytes(body)
    collect(source(tmp_path / name))
    assert type(collect.error) is Unreadable
    assert reason in str(collect.error)


# ---- files, folders, patterns


def test_a_folder_and_a_pattern_and_one_bad_file_that_stops_nobody(tmp_path: Path, collect: Any) -> None:
    write(tmp_path / "a.jsonl", {"text": "uno"})
    (tmp_path / "b.xlsx").write_bytes(b"damaged")
    (tmp_path / "c.csv").write_text("text\ntres\n")
    (tmp_path / "notes.txt").write_text("not a post file")
    assert collect(source(tmp_path)) == 2
    assert type(collect.error) is Unreadable
    assert "b.xlsx" in str(collect.error)
    assert collect(source(tmp_path / "*.jsonl")) == 0
    assert collect.error is None
    write(tmp_path / "deep.jsonl", {"text": "cuatro"})
    assert collect(source(tmp_path / "*.jsonl")) == 1


@pytest.mark.parametrize("path", ["nothing.jsonl", "no/such/*.csv"])
def test_a_file_that_is_not_there_is_not_no_posts(path: str, tmp_path: Path, collect: Any) -> None:
    collect(source(tmp_path / path))
    assert type(collect.error) is Unreachable
    with pytest.raises(Unreachable):
        source(tmp_path / path).probe()


def test_a_post_file_is_read_in_order_for_classify_and_evaluate(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", {"text": "uno"}, {"no": "text"}, {"text": "dos"})
    read = list(file.read_post_file(path))
    assert [type(one) for one in read] == [Post, Rejected, Post]
    with pytest.raises(Unreachable):
        list(file.read_post_file(tmp_path / "nothing.jsonl"))


# ---- the folder of sources


def test_every_source_is_found_by_its_file_and_opened_by_its_settings(tmp_path: Path) -> None:
    assert {"file", "reddit", "rss", "x"} <= set(kinds())
    settings = settings_of("file").model_validate({"path": "a.jsonl"})
    opened: Any = load("archive", settings, None, folder=tmp_path)  # type: ignore[arg-type]
    assert isinstance(opened, file.Source)
    assert opened.settings.path == str(tmp_path / "a.jsonl")
    with pytest.raises(ValueError, match="not a source"):
        settings_of("myspace")


def test_settings_refuse_what_they_do_not_know() -> None:
    for wrong in ({}, {"path": "a", "pth": "b"}, {"path": "a", "timezone": "Peru/Lima"}):
        with pytest.raises(ValidationError):
            file.Settings.model_validate(wrong)
