"""Post files are read whatever they hold, and come back in order with their verdicts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from listener.mention import Author, Brand, Rejected
from listener.settings import SentimentTable
from listener.sources.file import NO_TEXT, NO_TIME, post_from, read_post_file
from sentiment.engine import load
from sentiment.postfile import answered, item_of, read_posts, short_names

NOW = datetime(2026, 5, 4, 14, 0, tzinfo=UTC)
KNOWN = (
    Brand("claro", "Claro", "own", "PE", names=("Claro",), handles=("claroperu",), exclude=("claro que sí",)),
    Brand("entel", "Entel", "competitor", "PE", names=("Entel",)),
)


def test_a_broken_line_is_set_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    lines = [
        '\ufeff{"text": "uno"}\n',
        "{broken\n",
        "\n",
        "[1]\n",
        '{"text": [3]}\n',
        '{"text": "x", "author": "me"}\n',
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(lines) + "[" * 100_000 + '\n{"text": "dos", "kept": 1}\n', "utf-8")
    rows, rejected = read_posts(path)
    assert [row["text"] for row in rows] == ["uno", "dos"]
    assert [one.position for one in rejected] == [f"a.jsonl line {number}" for number in (2, 4, 5, 6, 7)]
    assert all(one.reason for one in rejected)


def test_only_text_is_required_when_the_configuration_watches_a_brand() -> None:
    found = item_of({"text": "Entel anda lento"}, KNOWN, NOW)
    assert found is not None
    assert found.brand.key == "entel"
    assert [one.key for one in found.rivals] == ["claro"]
    assert found.post.published_at == NOW
    unnamed = item_of({"text": "nada"}, KNOWN, NOW)
    assert unnamed is not None
    assert (unnamed.brand.key, unnamed.post.about) == ("claro", None)


def test_a_file_carries_its_own_brand_when_the_configuration_does_not_know_it() -> None:
    row = {
        "text": "Sumapaz cobra caro",
        "brand": "Banco Sumapaz",
        "watched_country": "CO",
        "competitors": ["Banco Cumbal", 7],
    }
    found = item_of(row, KNOWN, NOW)
    assert found is not None
    assert (found.brand.name, found.brand.country, found.brand.names) == (
        "Banco Sumapaz", "CO", ("Banco Sumapaz", "Sumapaz"),
    )  # fmt: skip
    assert [one.name for one in found.rivals] == ["Banco Cumbal"]
    assert item_of({"text": "hola"}, (), NOW) is None


def test_a_brand_that_the_configuration_knows_keeps_its_exclusions() -> None:
    found = item_of({"text": "claro que sí", "brand": "CLARO", "watched_country": "PE"}, KNOWN, NOW)
    assert found is not None
    assert found.brand.exclude == ("claro que sí",)
    other = item_of({"text": "Claro anda mal", "brand": "Claro", "watched_country": "MX"}, KNOWN, NOW)
    assert other is not None
    assert other.brand.country == "MX"


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Banco Sumapaz", ("Sumapaz",)),
        ("Universidad del Ceibal", ("Ceibal",)),
        ("Claro Perú", ("Claro",)),
        ("Wexcombe University", ("Wexcombe",)),
        ("Banco Azul", ()),
        ("Telmira", ()),
        ("Banco", ()),
    ],
)
def test_short_names_leave_out_trade_and_country(name: str, short: tuple[str, ...]) -> None:
    assert short_names(name) == short


def test_a_post_is_read_as_the_file_source_reads_it() -> None:
    row = {
        "text": "x", "brand": "Entel", "lang": "ES", "country": "pe", "published_at": "2026-05-04T09:12:00", "id": 9.0,
        "source": "x", "author": {"handle": "@ana", "followers": "250000", "verified": "sí"},
        "metrics": {"likes": "3"}, "url": "javascript:alert(1)",
    }  # fmt: skip
    found = item_of(row, KNOWN, NOW)
    assert found is not None
    assert found.post == post_from(row, source="x", now=NOW)
    assert found.author == Author(handle="ana", followers=250_000, verified=True)
    assert found.post.published_at == datetime(2026, 5, 4, 9, 12, tzinfo=UTC)
    assert (found.post.native_id, found.post.about, found.post.url) == ("9", "Entel", None)


@pytest.mark.parametrize(
    "when", ["yesterday", {"a": 1}, True, 10**400, "2026-05-04\ud80009:12:00x", "9999-12-31T23:59-05:00"]
)
def test_a_wrong_time_is_now_and_odd_values_are_not_told(when: object) -> None:
    row = {
        "text": "x", "brand": "Entel", "lang": [5], "country": ["PE"], "published_at": when,
        "author": {"handle": {}, "followers": True, "verified": "maybe"}, "labels": None,
    }  # fmt: skip
    found = item_of(row, KNOWN, NOW)
    assert found is not None
    assert (found.post.lang, found.post.country, found.author) == (None, None, Author())
    assert found.post.published_at == NOW


def test_without_a_text_nothing_is_asked() -> None:
    for row in ({}, {"text": None}, {"text": " "}, {"text": ["x"]}):
        assert item_of({**row, "brand": "Entel"}, KNOWN, NOW) is None


def test_a_table_and_a_file_of_lines_give_the_same_question(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "id;text;handle;followers;verified;published_at\n7;Entel no anda;@ana;250000;sí;2026-05-04T09:12:00-05:00\n"
    )
    line = {
        "id": 7, "text": "Entel no anda", "published_at": "2026-05-04T14:12:00Z",
        "author": {"handle": "ana", "followers": 250_000, "verified": True},
    }  # fmt: skip
    (tmp_path / "a.jsonl").write_text(json.dumps(line))
    table, lines = (item_of(read_posts(tmp_path / name)[0][0], KNOWN, NOW) for name in ("a.csv", "a.jsonl"))
    assert table is not None
    assert table == lines
    assert table.author.followers == 250_000


def test_what_the_file_source_rejects_is_set_aside_with_the_same_reason(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"text": " "}\n{"text": "x", "published_at": "ayer"}\n{"text": {"a": 1}}\n{"text": "uno"}\n{"text": 5}\n'
    )
    rows, rejected = read_posts(path)
    assert [row["text"] for row in rows] == ["uno", 5]
    assert [(one.position, one.reason) for one in rejected] == [
        ("a.jsonl line 1", NO_TEXT), ("a.jsonl line 2", NO_TIME), ("a.jsonl line 3", NO_TEXT),
    ]  # fmt: skip
    assert [one for one in read_post_file(path) if isinstance(one, Rejected)] == rejected


def test_the_object_comes_back_with_its_verdict_and_unknown_keys() -> None:
    row = {
        "id": "r001",
        "text": "otra vez sin señal 🙄 @ClaroPeru",
        "brand": "Claro",
        "watched_country": "PE",
        "own": {"a": 1},
    }
    found = item_of(row, (), NOW)
    assert found is not None
    verdict = load(SentimentTable(unsure_below=1.0), Path()).judge([found])[0]
    more = {"stakeholder": {"is": "customer"}, "priority": {"is": "important"}, "department": {"is": "network_quality"}}
    back = answered(row, found, verdict, "en", lambda asked, said: more)
    assert json.loads(json.dumps(back)) == back
    assert {key: back[key] for key in row} == row
    said = back["verdict"]
    assert list(said) == [
        "relevant",
        "sentiment",
        "stakeholder",
        "dimension",
        "intent",
        "priority",
        "department",
        "engine",
    ]
    assert said["relevant"]["is"] is True
    assert said["relevant"]["because"] == ["account @ClaroPeru"]
    assert said["sentiment"]["is"] == "negative"
    assert said["sentiment"]["unsure"] is True
    assert set(said["sentiment"]["scores"]) == {"negative", "neutral", "positive"}
    assert "verdict" not in row
