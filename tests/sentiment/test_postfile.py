"""Post files are read whatever they hold, and come back in order with their verdicts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from listener.mention import Brand
from listener.settings import SentimentTable
from sentiment.engine import load
from sentiment.postfile import answered, item_of, read_posts, short_names

NOW = datetime(2026, 5, 4, 14, 0, tzinfo=UTC)
KNOWN = (
    Brand("claro", "Claro", "own", "PE", names=("Claro",), handles=("claroperu",), exclude=("claro que sí",)),
    Brand("entel", "Entel", "competitor", "PE", names=("Entel",)),
)


def test_a_broken_line_is_set_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    lines = ['\ufeff{"text": "uno"}\n', "{broken\n", "\n", "[1]\n", '{"text": 3}\n', '{"text": "x", "author": "me"}\n']
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


def test_odd_values_are_read_as_not_told() -> None:
    row = {
        "text": "x", "brand": "Entel", "lang": 5, "country": ["PE"], "published_at": "yesterday", "id": 9,
        "author": {"handle": 3, "followers": True, "verified": "yes"}, "labels": None,
    }  # fmt: skip
    found = item_of(row, KNOWN, NOW)
    assert found is not None
    assert (found.post.lang, found.post.country, found.author.handle, found.author.followers) == (None,) * 4
    assert found.author.verified is None
    assert found.post.published_at == NOW


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
