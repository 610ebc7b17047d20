"""Gather what the heads learn from: our own corpus (one example a brand named) and public tweets with a polarity."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from listener.errors import ClassifierError
from listener.match import fold
from listener.mention import Term
from listener.taxonomy import DIMENSIONS, INTENTS, SENTIMENTS, STAKEHOLDERS
from sentiment.comparisons import COMPARISONS
from sentiment.features import Features, extract
from sentiment.lexicon import COMMON_NAMES
from sentiment.postfile import item_of, read_posts
from sentiment.relevance import elsewhere
from sentiment.tokens import LONGEST, Namer, Reading, read
from sentiment.verdict import Item

__all__ = [
    "LANGUAGES",
    "Example",
    "corpus_rows",
    "label_examples",
    "polarity_examples",
    "relevance_examples",
    "sentiment_examples",
]

LANGUAGES = ("es", "en", "pt")
_NOW = datetime(2026, 1, 1, tzinfo=UTC)  # posts of the corpus carry no date, and no head looks at one
_PSEUDO, _LOWERED, _REAL = 1.0, 0.6, 3.0  # weights of made, varied and written examples of relevance
_IRONY = 0.3  # words of praise in ironic posts would teach that thanks are a complaint
_LEXICAL = re.compile(r"[^\W\d_]{3,}")


@dataclass(frozen=True, slots=True)
class Example:
    """Hold one thing to learn: features, the right label, its scenario (never split between folds), its language."""

    features: Features
    label: str
    scenario: str
    lang: str
    weight: float = 1.0
    written: bool = True  # as a person wrote it, not varied or made for training


def corpus_rows(path: Path) -> list[dict[str, Any]]:
    """Read our corpus; raises ClassifierError for a line that is no labelled post or carries an unknown label."""
    rows, rejected = read_posts(path)
    faults = [f"{one.position}: {one.reason}" for one in rejected]
    known = {"sentiment": SENTIMENTS, "dimension": DIMENSIONS, "intent": INTENTS, "stakeholder": STAKEHOLDERS}
    for row in rows:
        labels = row.get("labels") or {}
        if not row.get("brand") or not isinstance(labels.get("relevant"), bool):
            faults.append(f"{row.get('id')}: no brand or no label for relevant")
        for head, names in known.items():
            given = {labels.get(head), *(labels.get("sentiments", {}).values() if head == "sentiment" else ())}
            if not given - {None} <= set(names):
                faults.append(f"{row.get('id')}: {head} {labels.get(head)!r}")
    if faults or not rows:
        raise ClassifierError(f"{path} cannot be learnt from: {'; '.join(faults[:5]) or 'it is empty'}")
    return rows


def _reading(row: Mapping[str, Any]) -> tuple[Item, Reading]:
    item = item_of(row, (), _NOW)
    assert item is not None, "corpus_rows has seen a brand in every row"
    return item, Namer((item.brand, *item.rivals)).read(item.post.text, item.brand, item.rivals)


def sentiment_examples(rows: Sequence[Mapping[str, Any]]) -> list[Example]:
    """Give one example for each brand that a post carries a polarity for, read toward that brand."""
    examples = []
    for row in rows:
        labels = row["labels"]
        if not labels["relevant"]:
            continue
        named = labels.get("sentiments") or {row["brand"]: labels["sentiment"]}
        everyone = [row["brand"], *row.get("competitors", ())]
        for brand, label in named.items():
            _, reading = _reading({**row, "brand": brand, "competitors": [one for one in everyone if one != brand]})
            weight = _IRONY if row.get("irony") else 1.0
            examples.append(Example(extract(reading), label, row["scenario"], row["lang"], weight))
    return examples + list(_comparisons())


def _comparisons() -> Iterator[Example]:
    for lang, sentences in COMPARISONS.items():
        for number, sentence in enumerate(sentences):
            text = sentence.format(up="Quilmara", down="Torbexa")
            for brand, rival, label in (("Quilmara", "Torbexa", "positive"), ("Torbexa", "Quilmara", "negative")):
                _, reading = _reading({"text": text, "brand": brand, "competitors": [rival]})
                yield Example(extract(reading), label, f"comparison {lang} {number}", lang, written=False)


def label_examples(rows: Sequence[Mapping[str, Any]], head: str) -> list[Example]:
    """Give the relevant posts with their dimension or intent."""
    return [
        Example(extract(_reading(row)[1]), row["labels"][head], row["scenario"], row["lang"])
        for row in rows
        if row["labels"]["relevant"]
    ]


def relevance_examples(rows: Sequence[Mapping[str, Any]]) -> list[Example]:
    """Give examples of a name in its context, brand or common word.

    Written posts come as they are and, where they mean the brand, again with its name in lower case (a quarter of
    true mentions are). Every common word of the corpus that brands like to be called is an example too, read as if
    it were the brand: it never means one there.
    """
    examples: list[Example] = []
    for row in rows:
        item, reading = _reading(row)
        where = (row["scenario"], row["lang"])
        plain = [term for term in reading.brand if term.text[0] not in "@#"]
        if row["labels"]["relevant"] and plain:
            examples.append(Example(extract(reading), "true", *where))
            lower = item.post.text
            for term in plain:
                lower = lower[: term.start] + lower[term.start : term.end].lower() + lower[term.end :]
            if lower != item.post.text:
                varied = extract(_reading({**row, "text": lower})[1])
                examples.append(Example(varied, "true", *where, _LOWERED, written=False))
        elif not row["labels"]["relevant"] and reading.brand and elsewhere(reading, item.post, item.brand) is None:
            examples.append(Example(extract(reading), "false", *where, _REAL))  # another country's teaches no context
        examples += [Example(made, "false", *where, _PSEUDO, written=False) for made in _common_words(reading)]
    return examples


def _common_words(reading: Reading) -> Iterator[Features]:
    named = {place for term in (*reading.brand, *reading.rivals) for place in range(term.start, term.end)}
    for hit in _LEXICAL.finditer(reading.text):
        if hit.start() not in named and fold(hit.group()) in COMMON_NAMES:
            yield extract(read(reading.text, [Term(*hit.span(), hit.group())], ()))


def polarity_examples(data: Path, split: str, each: int = 2000) -> list[Example]:
    """Read public tweets with a polarity: UMSAB es, en, pt; for "train" also SemEval-2017 at half weight.

    `each` SemEval tweets a label, evenly spread over the file; those that stand in UMSAB's validation part are left
    out. Raises ClassifierError when a file is missing.
    """
    folder = data / "sentiment"
    examples = []
    for lang in LANGUAGES:
        examples += [_tweet(row, lang, 1.0) for row in _tweets(folder / f"umsab_{lang}_{split}.jsonl")]
    if split != "train":
        return examples
    held_out = {_bare(row["text"]) for row in _tweets(folder / "umsab_en_val.jsonl")}
    by_label: dict[str, list[dict[str, Any]]] = {name: [] for name in SENTIMENTS}
    for row in _tweets(folder / "semeval2017_en.jsonl"):
        if _bare(row["text"]) not in held_out:
            by_label[row["sentiment"]].append(row)
    for chosen in by_label.values():
        step = max(len(chosen) // each, 1)
        examples += [_tweet(row, "en", 0.5) for row in chosen[::step][:each]]
    return examples


def _tweets(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    except OSError as error:
        raise ClassifierError(f"{path} is missing; train without --data to use our own corpus alone") from error


def _tweet(row: Mapping[str, Any], lang: str, weight: float) -> Example:
    return Example(extract(read(row["text"][:LONGEST], (), ())), row["sentiment"], "", lang, weight)


def _bare(text: str) -> str:
    return re.sub(r"\W+", " ", re.sub(r"@\w+|https?://\S+|http", "", fold(text))).strip()
