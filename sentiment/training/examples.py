"""Gather what the encoder learns from: our corpus, our relevance posts, public tweets and public profiles."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from listener.match import fold
from listener.mention import Author, Brand, Post
from sentiment.heads import SPECS
from sentiment.postfile import item_of
from sentiment.sequence import Named, Row, Sequencer, entity_of, profile_of
from sentiment.tokens import Namer
from sentiment.verdict import Item

__all__ = [
    "PARTS",
    "Example",
    "Part",
    "accounts",
    "common_words",
    "part_of",
    "plain_posts",
    "plain_tweets",
    "posts",
    "relevance_posts",
    "rows_of",
    "sequence",
    "toward_a_brand",
]

Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = ("train", "val", "test")
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Example:
    """Hold one thing to learn: a question and the answers known of it, by head."""

    text: str
    answers: Mapping[str, str]
    lang: str
    scenario: str = ""
    item: Item | None = None  # None: plain speech
    weight: float = 1.0
    part: Part = "train"
    hard: bool = False
    pair: bool = False  # whether the post names two brands and carries a label for each
    id: str = ""


def part_of(scenario: str) -> Part:
    """Split by scenario: 84 % to learn, 8 % to choose and calibrate, 8 % to report; stable for ever."""
    share = int(hashlib.sha256(scenario.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return "train" if share < 0.84 else "val" if share < 0.92 else "test"


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Read a JSONL file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def posts(rows: Sequence[Mapping[str, Any]]) -> Iterator[Example]:
    """Give an example for the watched brand of each labelled post, and one for each rival with a label of its own."""
    for row in rows:
        item = item_of(row, (), _NOW)
        if item is None:
            continue
        labels = row["labels"]
        answers = {
            "relevant": str(labels.get("relevant", True)).lower(),
            **{name: labels[name] for name in SPECS if labels.get(name) and name != "relevant"},
            "irony": str(bool(row.get("irony"))).lower(),
        }
        if answers["relevant"] == "false":
            answers = {name: answers[name] for name in ("relevant", "stakeholder") if name in answers}
        both = labels.get("sentiments") or {}
        hard = bool(row.get("irony") or row.get("polar_fact") or len(both) > 1)
        part = part_of(row["scenario"])
        told = {
            "lang": row["lang"],
            "scenario": row["scenario"],
            "part": part,
            "hard": hard,
            "pair": len(both) > 1,
            "id": row["id"],
        }
        yield Example(row["text"], answers, item=item, **told)
        for name, polarity in both.items():
            rival = next((one for one in item.rivals if fold(one.name) == fold(name)), None)
            if rival is not None:
                others = tuple(one for one in (item.brand, *item.rivals) if one != rival)
                asked = replace(item, brand=rival, rivals=others)
                yield Example(row["text"], {"sentiment": polarity, "relevant": "true"}, item=asked, **told)


def relevance_posts(rows: Sequence[Mapping[str, Any]]) -> Iterator[Example]:
    """Give an example for each post of the relevance set."""
    for row in rows:
        item = item_of(row, (), _NOW)
        if item is not None:
            answers = {"relevant": str(row["labels"]["relevant"]).lower()}
            yield Example(
                row["text"], answers, row["lang"], row["scenario"], item, part=part_of(row["scenario"]), id=row["id"]
            )


def plain_tweets(data: Path, langs: Sequence[str], part: str, more: int, seed: int) -> list[Example]:
    """Give public tweets with the mood of their writer (UMSAB), and `more` balanced ones of SemEval-2017."""
    found = [
        Example(row["text"], {"mood": row["sentiment"]}, lang)
        for lang in langs
        for row in rows_of(data / "sentiment" / f"umsab_{lang}_{part}.jsonl")
    ]
    if more:
        by: dict[str, list[str]] = {}
        for row in rows_of(data / "sentiment" / "semeval2017_en.jsonl"):
            by.setdefault(row["sentiment"], []).append(row["text"])
        chance = random.Random(seed)
        for mood in sorted(by):
            chance.shuffle(by[mood])
            found += [Example(text, {"mood": mood}, "en") for text in by[mood][: more // len(by)]]
    return found


def plain_posts(rows: Sequence[Mapping[str, Any]]) -> Iterator[Example]:
    """Give our own posts that name nobody, with the mood of their writer."""
    for row in rows:
        yield Example(row["text"], {"mood": row["labels"]["sentiment"]}, row["lang"], id=row["id"])


def toward_a_brand(spoken: Sequence[Example], seed: int, share: float) -> Iterator[Example]:
    """Give tweets in our three languages as if they stood on a brand's page: the mood of a text that names nobody.

    A mood is not yet a reputation, so they weigh little; without them the head forgets what "I love it" means.
    """
    chance = random.Random(seed)
    for one in spoken:
        if one.lang in _HOME and "mood" in one.answers and chance.random() < share:
            row = {
                "text": one.text, "lang": one.lang, "brand": chance.choice(_PAGES), "sector": chance.choice(_TRADES),
                "watched_country": _HOME[one.lang],
            }  # fmt: skip
            item = item_of(row, (), _NOW)
            yield Example(one.text, {"sentiment": one.answers["mood"]}, one.lang, item=item, weight=0.4)


_HOME = {"es": "PE", "pt": "BR", "en": "US"}
_PAGES = (
    "Quipucel",
    "Andafone",
    "Telmira",
    "Sumapaz",
    "Brisanet",
    "Lumora",
    "Fibrix",
    "Onyxtel",
    "Pampared",
    "Volantia",
)
_ORDINARY = {
    "es": [
        "claro",
        "vivo",
        "personal",
        "sol",
        "victoria",
        "gloria",
        "luz",
        "estado",
        "éxito",
        "metro",
        "extra",
        "inter",
        "gol",
        "azul",
        "oi",
        "tigo",
    ],
    "pt": [
        "claro",
        "vivo",
        "personal",
        "sol",
        "vitória",
        "luz",
        "estado",
        "extra",
        "gol",
        "azul",
        "oi",
        "natura",
        "inter",
        "original",
        "caixa",
    ],
    "en": ["three", "next", "gap", "original", "delta", "visible", "boost", "personal", "sky", "target"],
}
_TRADES = ("telecom operator", "bank", "retail chain", "airline")


def common_words(tweets: Sequence[Example], seed: int) -> Iterator[Example]:
    """Give tweets in which a word that is also a brand stands in lower case as the ordinary word, at most 60 a word."""
    chance = random.Random(seed)
    for lang, words in _ORDINARY.items():
        texts = [one.text for one in tweets if one.lang == lang]
        for word in words:
            told = re.compile(rf"(?<![\w@#]){word}(?!\w)")
            chosen = [text for text in texts if told.search(text)][:60]
            for text in chosen:
                row = {
                    "text": text, "lang": lang, "brand": word.capitalize(), "sector": chance.choice(_TRADES),
                    "watched_country": _HOME[lang],
                }  # fmt: skip
                yield Example(text, {"relevant": "false"}, lang, item=item_of(row, (), _NOW), weight=0.5)


def accounts(data: Path) -> Iterator[Example]:
    """Give public profiles that are an organisation's or a person's (tweetpie/twitter-account-classification)."""
    with (data / "accounts" / "humanizr_balanced.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield _account(row)


def _account(row: Mapping[str, str]) -> Example:
    followers = int(float(row["followers"])) if row["followers"] else None
    author = Author(
        row["username"], row["name"], None, row["bio"] or None, row["url"] or None, row["verified"] == "1.0", followers
    )
    brand = Brand("-", "-", "own", None, None, ())
    post = Post("x", "-", "", _NOW, author)
    return Example("", {"organisation": str(row["label"] == "organization").lower()}, "en", item=Item(post, brand, ()))


def sequence(example: Example, sequencer: Sequencer, item: Item | None = None) -> Row:
    """Give the row of an example, as the engine makes it."""
    item = item or example.item
    if item is None:
        return sequencer.row(Named(example.text))
    namer = Namer((item.brand, *item.rivals))
    reading = namer.read(item.post.text, item.brand, item.rivals)
    profile = profile_of(item.post)
    who = namer.read(profile, item.brand, item.rivals)
    return sequencer.row(
        Named(reading.text, reading.brand, reading.rivals), entity_of(item.brand), Named(profile, who.brand, who.rivals)
    )
