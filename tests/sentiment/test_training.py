"""Training is one command: the same posts give the same model, which opens, judges and carries its card."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from listener.errors import ClassifierError
from listener.taxonomy import DEPARTMENTS, DIMENSIONS, INTENTS, PRIORITIES, SENTIMENTS, STAKEHOLDERS
from sentiment.encoder import HEADS, MODEL, TOKENIZER, Encoder
from sentiment.training.examples import (
    PARTS,
    common_words,
    part_of,
    plain_tweets,
    posts,
    relevance_posts,
    rows_of,
)
from sentiment.training.names import swapped

CORPUS = Path(__file__).parents[2] / "sentiment" / "corpus"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return rows_of(CORPUS / "posts.jsonl")


def test_the_corpus_is_whole_and_covers_every_label(rows: list[dict[str, Any]]) -> None:
    assert len(rows) >= 4000
    assert len({row["id"] for row in rows}) == len({row["text"] for row in rows}) == len(rows)
    langs = Counter(row["lang"] for row in rows)
    assert langs["es"] / len(rows) > 0.6
    assert min(langs["en"], langs["pt"]) / len(rows) > 0.13
    assert {row["watched_country"] for row in rows} == {"PE", "MX", "CL", "CO", "AR", "ES", "BR", "US", "GB"}
    every = {
        "sentiment": SENTIMENTS, "stakeholder": STAKEHOLDERS, "dimension": DIMENSIONS, "intent": INTENTS,
        "priority": PRIORITIES, "department": DEPARTMENTS,
    }  # fmt: skip
    for head, names in every.items():
        counts = Counter(row["labels"].get(head) for row in rows)
        assert {name: counts[name] for name in names if counts[name] < 120} == {}, head
        assert set(counts) - {None} == set(names)
    assert sum(not row["labels"]["relevant"] for row in rows) >= 120
    assert sum(len(row["labels"].get("sentiments", {})) > 1 for row in rows) >= 500
    assert sum(row["polar_fact"] for row in rows) >= 500
    assert sum(row["irony"] for row in rows) >= 300
    assert sum(row["sector"] == "telecom operator" for row in rows) / len(rows) > 0.45


def test_the_relevance_posts_are_balanced_over_many_names() -> None:
    rows = rows_of(CORPUS / "relevance.jsonl")
    assert len(rows) >= 2000
    assert len({row["brand"] for row in rows}) >= 60
    assert 0.45 < sum(row["labels"]["relevant"] for row in rows) / len(rows) < 0.55


def triples(text: str) -> frozenset[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return frozenset(tuple(words[at : at + 3]) for at in range(len(words) - 2)) or frozenset({tuple(words)})


@pytest.mark.parametrize("name", ["posts.jsonl", "relevance.jsonl", "plain.jsonl"])
def test_near_duplicates_are_under_one_in_a_hundred(name: str) -> None:
    """Half of the word triples of the shorter one, three at least, make two texts alike."""
    made: list[frozenset[tuple[str, ...]]] = []
    where: dict[tuple[str, ...], list[int]] = {}
    alike = 0
    pairs: list[str] = []
    for row in rows_of(CORPUS / name):
        here = triples(row["text"])
        shared = Counter(other for triple in here for other in where.get(triple, ()))
        near = [o for o, count in shared.items() if count >= 3 and count / min(len(here), len(made[o])) >= 0.5]
        # Minimal pairs of the relevance set are meant to be alike; they share their scenario.
        alike += any(pairs[other] != row.get("scenario", row["id"]) for other in near)
        for triple in here:
            where.setdefault(triple, []).append(len(made))
        made.append(here)
        pairs.append(row.get("scenario", row["id"]))
    assert alike / len(made) < 0.01


def test_a_scenario_never_stands_on_both_sides_of_a_split(rows: list[dict[str, Any]]) -> None:
    sides: dict[str, set[str]] = {}
    for example in posts(rows):
        sides.setdefault(example.scenario, set()).add(example.part)
    assert max(map(len, sides.values())) == 1
    shares = Counter(part_of(scenario) for scenario in sides)
    assert set(shares) == set(PARTS)
    assert shares["train"] / len(sides) == pytest.approx(0.84, abs=0.02)


def test_each_brand_that_a_post_names_is_asked_for(rows: list[dict[str, Any]]) -> None:
    two = next(row for row in rows if set(row["labels"].get("sentiments", {}).values()) == {"positive", "negative"})
    asked = list(posts([two]))
    assert {one.item.brand.name: one.answers["sentiment"] for one in asked if one.item} == two["labels"]["sentiments"]


def test_other_names_stand_where_the_brands_stood(rows: list[dict[str, Any]]) -> None:
    row = {
        "id": "1", "text": "@quipucel_ayuda Quipucel peor que ANDAFONE #quipucel", "lang": "es", "brand": "Quipucel",
        "competitors": ["Andafone"], "scenario": "s", "author": {"handle": "fan_quipucel", "bio": "ex Quipucel"},
        "labels": {"sentiment": "negative"},
    }  # fmt: skip
    item = next(iter(posts([row]))).item
    assert item is not None
    new = swapped(item, random.Random(3))
    told = " ".join(filter(None, (new.post.text, new.post.author.bio)))
    assert "quipu" not in told.lower()
    assert "andafone" not in told.lower()
    assert told.lower().count(new.brand.name.lower().replace(" ", "")) >= 3
    assert new.rivals[0].name.upper() in new.post.text


@pytest.fixture
def tiny(tmp_path: Path, torch: Any) -> tuple[Path, Path, Path]:
    """Build an encoder of two layers, public sets of a few lines, and a tenth of our corpus."""
    from safetensors.torch import save_file

    start, data, corpus = tmp_path / "start", tmp_path / "data", tmp_path / "corpus"
    for folder in (start, data / "sentiment", data / "accounts", corpus):
        folder.mkdir(parents=True)
    (start / TOKENIZER).write_bytes((MODEL / TOKENIZER).read_bytes())
    size = len(json.loads((start / TOKENIZER).read_text("utf-8"))["model"]["vocab"])
    config = {
        "model_type": "bert", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "intermediate_size": 32, "max_position_embeddings": 512, "type_vocab_size": 2, "layer_norm_eps": 1e-12,
        "vocab_size": size, "pad_token_id": 1, "hidden_act": "gelu",
    }  # fmt: skip
    (start / "config.json").write_text(json.dumps(config), "utf-8")
    chance = torch.Generator().manual_seed(5)
    shapes = {"embeddings.word_embeddings.weight": (size, 16), "embeddings.position_embeddings.weight": (512, 16)}
    shapes |= {"embeddings.token_type_embeddings.weight": (2, 16), "embeddings.LayerNorm.weight": (16,)}
    shapes |= {"embeddings.LayerNorm.bias": (16,)}
    for layer in range(2):
        at = f"encoder.layer.{layer}."
        for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes |= {f"{at}{name}.weight": (16, 16), f"{at}{name}.bias": (16,)}
        shapes |= {f"{at}intermediate.dense.weight": (32, 16), f"{at}intermediate.dense.bias": (32,)}
        shapes |= {f"{at}output.dense.weight": (16, 32), f"{at}output.dense.bias": (16,)}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"{at}{name}.weight": (16,), f"{at}{name}.bias": (16,)}
    save_file(
        {name: torch.randn(shape, generator=chance) * 0.1 for name, shape in shapes.items()},
        start / "model.safetensors",
    )
    for lang in ("es", "en", "pt", "fr", "it", "de", "ar", "hi"):
        for part in ("train", "val"):
            lines = [
                json.dumps({"text": f"{mood} claro {at}", "sentiment": mood}) for at in range(4) for mood in SENTIMENTS
            ]
            (data / "sentiment" / f"umsab_{lang}_{part}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    (data / "sentiment" / "semeval2017_en.jsonl").write_text(
        "\n".join(json.dumps({"text": f"so {mood} {at}", "sentiment": mood}) for at in range(9) for mood in SENTIMENTS)
        + "\n"
    )
    (data / "accounts" / "humanizr_balanced.csv").write_text(
        "name,username,bio,url,followers,following,tweets,verified,label\n"
        "Ana,ana,mamá,,7.0,1.0,1.0,0.0,individual\nShop,shop,deals,http://x.example,9.0,1.0,1.0,1.0,organization\n"
    )
    for name, step in (("posts.jsonl", 90), ("relevance.jsonl", 60), ("plain.jsonl", 90)):
        lines = (CORPUS / name).read_text("utf-8").splitlines(keepends=True)[::step]
        (corpus / name).write_text("".join(lines), "utf-8")
    return start, data, corpus


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # torch's exporter warns of its own parts
def test_training_twice_gives_the_same_model_that_opens(tiny: tuple[Path, Path, Path], tmp_path: Path) -> None:
    from sentiment.training.run import train

    start, data, corpus = tiny
    figures = train(start, data, tmp_path / "one", corpus, tmp_path / "w1")
    assert train(start, data, tmp_path / "two", corpus, tmp_path / "w2") == figures
    assert (tmp_path / "one" / HEADS).read_bytes() == (tmp_path / "two" / HEADS).read_bytes()
    again = train(start, data, tmp_path / "three", corpus, tmp_path / "w1")  # goes on from what the first run kept
    assert again == figures
    encoder = Encoder.open(tmp_path / "one")
    assert encoder.heads["intent"].spec.labels == INTENTS
    card = (tmp_path / "one" / "README.md").read_text("utf-8")
    told = f"{figures['test']['stakeholder']['macro_f1']:.3f}"
    assert re.search(rf"\| stakeholder \| \d+ \| {told} \|", card)
    assert json.loads((tmp_path / "one" / "figures.json").read_text("utf-8")) == figures


@pytest.mark.usefixtures("torch")
def test_missing_public_data_is_named(tmp_path: Path) -> None:
    from sentiment.training.run import train

    for name in (TOKENIZER, "config.json", "model.safetensors"):
        with pytest.raises(ClassifierError, match=f"where {name} is missing"):
            train(tmp_path, tmp_path, tmp_path / "out", CORPUS, tmp_path / "work")
        (tmp_path / name).touch()
    with pytest.raises(ClassifierError, match=r"umsab_es_train\.jsonl, which is missing"):
        train(tmp_path, tmp_path, tmp_path / "out", CORPUS, tmp_path / "work")


def test_ordinary_words_of_tweets_teach_that_they_are_no_brand(shared: Path) -> None:
    found = list(common_words(plain_tweets(shared / "data", ("es", "pt"), "train", 0, 1), 1))
    assert len(found) > 50
    assert all(one.answers == {"relevant": "false"} for one in found)
    assert all(one.item and one.item.brand.name.lower() in one.text for one in found)


def test_relevance_posts_ask_about_their_brand() -> None:
    found = list(relevance_posts(rows_of(CORPUS / "relevance.jsonl")[:50]))
    assert {one.answers["relevant"] for one in found} == {"true", "false"}
