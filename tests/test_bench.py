"""What `python -m bench` understands, and what archives it makes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import bench.pages
from bench.__main__ import NAMES, plan


def test_no_word_asks_for_every_benchmark() -> None:
    assert plan([]) == [(name, []) for name in NAMES]


def test_options_belong_to_the_name_before_them() -> None:
    words = ["ingest", "pages", "--sizes", "1000", "sessions", "--rounds", "1"]
    assert plan(words) == [("ingest", []), ("pages", ["--sizes", "1000"]), ("sessions", ["--rounds", "1"])]


@pytest.mark.parametrize("words", [["--large"], ["matches"], ["match", "--large"]])
def test_what_is_no_name_and_no_option_is_said(words: list[str]) -> None:
    with pytest.raises(SystemExit, match="not understood"):
        plan(words)


def test_an_archive_that_was_kept_is_asked_again_and_not_built_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ["--sizes", "600", "--folder", str(tmp_path), "--keep", "--calls", "1"]
    bench.pages.main(told)
    kept = (tmp_path / "sqlite_600" / "archive.db").stat().st_ino
    first = json.loads(capsys.readouterr().out)
    bench.pages.main(told)
    second = json.loads(capsys.readouterr().out)
    assert (tmp_path / "sqlite_600" / "archive.db").stat().st_ino == kept
    assert set(first["ms"]) == set(second["ms"])
    assert (first["sums_unlike_group_by"], second["sums_unlike_group_by"]) == (0, 0)


def test_archives_are_kept_in_a_folder_with_a_name_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.pages.main(["--sizes", "600", "--keep"])
    assert "--folder" in capsys.readouterr().err
