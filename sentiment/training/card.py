"""Write the model's card: where it comes from, what it learnt from, how it does by head, label and language."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment.encoder import CONFIG, HEADS, ONNX, TOKENIZER
from sentiment.training.examples import Example

if TYPE_CHECKING:
    from sentiment.training.run import Material

__all__ = ["FIGURES", "write_card"]

FIGURES = "figures.json"
_PARTS = {
    "test": "Held-out scenarios (8 %: neither learnt from nor chosen by)",
    "val": "Validation scenarios (8 %: temperatures and bars were chosen on them)",
    "train": "A sixth of what it learnt from (to show how much it remembers)",
}


def write_card(folder: Path, figures: Mapping[str, Mapping[str, Any]], material: Material) -> None:
    """Write README.md and figures.json beside the weights; every figure in them comes from this run."""
    (folder / FIGURES).write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    (folder / "README.md").write_text("\n".join(_lines(folder, figures, material)) + "\n", "utf-8")


def _lines(folder: Path, figures: Mapping[str, Mapping[str, Any]], material: Material) -> Iterator[str]:
    told = json.loads((folder / CONFIG).read_text("utf-8"))
    size = {name: (folder / name).stat().st_size / 1e6 for name in (ONNX, TOKENIZER, HEADS)}
    yield _TOP.format(
        engine=told["escucha"]["engine"],
        model=f"{size[ONNX]:.1f}",
        tokenizer=f"{size[TOKENIZER]:.1f}",
        heads=f"{size[HEADS] * 1000:.0f}",
        posts=len({one.id for one in material.posts}),
        asked=len(material.posts),
        filtered=len(material.relevance),
        common=len(material.common),
        tweets=len(material.tweets),
        langs=_counted(material.tweets),
        plain=len(material.plain),
        accounts=len(material.accounts),
    )
    for part, title in _PARTS.items():
        yield f"\n### {title}\n"
        yield _head("head | items | macro-F1 | accuracy | ECE | unsure | accuracy without them")
        for name, row in figures[part].items():
            yield f"| {name} | {_row(row)} | {row['unsure']:.2f} | {row['accuracy_sure'] or 0:.3f} |"
        hard = figures[part].get("sentiment", {}).get("hard")
        if hard:
            yield f"| sentiment, hard ones | {_row(hard)} | | |"
    yield "\n## Held-out scenarios by language\n"
    yield _head("head | language | items | macro-F1 | accuracy | ECE")
    for name, row in figures["test"].items():
        for lang, one in row["by_lang"].items():
            yield f"| {name} | {lang} | {_row(one)} |"
    yield "\n## Public tweets (UMSAB, validation part; the test part was not at hand)\n"
    yield _head("head | language | items | macro-F1 | accuracy | ECE")
    for lang, one in figures["val"]["mood"]["by_lang"].items():
        yield f"| mood | {lang} | {_row(one)} |"
    yield "\n## Held-out scenarios by label\n"
    yield _head("head | label | precision | recall | F1 | items")
    for name, row in figures["test"].items():
        for label, one in row["per_class"].items():
            rates = " | ".join(f"{one[key]:.2f}" for key in ("precision", "recall", "f1"))
            yield f"| {name} | {label} | {rates} | {one['support']} |"
    yield "\n## Temperatures and bars\n"
    yield _head("head | temperature | by language | unsure below")
    for name, head in told["escucha"]["heads"].items():
        heat = dict(head["temperatures"])
        common = heat.pop("")
        langs = ", ".join(f"{lang} {value:.2f}" for lang, value in heat.items())
        yield f"| {name} | {common:.2f} | {langs} | {told['escucha']['bars'].get(name, 0.5):.2f} |"
    yield _END


def _head(names: str) -> str:
    return f"| {names} |\n" + "|---" * len(names.split("|")) + "|"


def _counted(examples: Sequence[Example]) -> str:
    return ", ".join(f"{lang} {count}" for lang, count in Counter(one.lang for one in examples).most_common())


def _row(row: Mapping[str, Any]) -> str:
    return f"{row['items']} | {row['macro_f1']:.3f} | {row['accuracy']:.3f} | {row['ece']:.3f}"


_TOP = """---
language: [es, en, pt]
license: apache-2.0
base_model: intfloat/multilingual-e5-small
---
# {engine}: what a post does to a brand, what it is about, what its author wants, who speaks

One encoder ({model} MB, ONNX, 8-bit weights), a tokenizer ({tokenizer} MB) and nine linear heads ({heads} kB).
This page was written by
`make train`; every figure on it was measured in that run on the files that ship. How a post is read: docs/model.md.

## Origin and licences
- Encoder: multilingual-e5-small (Microsoft, MIT; Wang et al., 2024), 12 layers of 384, its vocabulary cut to
  49,937 pieces of Spanish,
  English and Portuguese, and four marks of our own.
- Learnt from, and only from what a company may use:
    - our own corpus (Apache-2.0, openly synthetic, sentiment/corpus): {posts} posts asked {asked} times (once a
    brand with a label),
    {filtered} posts for relevance, {plain} plain ones;
    - UMSAB (Barbieri et al., XLM-T, LREC 2022; repository Apache-2.0) and SemEval-2017 task 4A (Rosenthal et al.,
    2017; CC BY 3.0):
    {tweets} tweets ({langs}), of which {common} taught what a brand's name means as an ordinary word;
    - tweetpie/twitter-account-classification (Apache-2.0): {accounts} profiles, organisation or person (a head
    that does not ship).
  No set with a research-only or non-commercial licence taught it. No tweet is in the project.

## How
Four teachers learn the mood of tweets; the mean of their weights is where the student begins. It learns every head
at once in two courses, the second over blunt posts and comparisons. Temperatures by head and language and the bars of
doubt (a fifth of the answers) are fitted on validation scenarios with the 8-bit model itself. A scenario never stands
on both sides of a split. "relevant" is the head alone; places, accounts and fixed phrases are asked before it.

## Figures
"sentiment" is the effect on the brand asked about; "mood" the writer's, for texts that name nobody we watch.
"Hard" are facts in neutral
words, comparisons and irony."""

_END = """
## Known weaknesses
- The corpus is synthetic: irony, slang and institutions are as its writers imagined them. Figures on it flatter
  against posts by strangers.
- Peru, Mexico, Chile, Colombia, Argentina, Spain, Brazil, the United States and Britain are what it knows;
  telecom operators are half of it.
- Mood in Portuguese was learnt from few public tweets. Texts of over 190 pieces are cut, and the verdict says so.
- Who speaks is guessed from public profile and text; a registry entry (docs/registry.md) always outweighs it."""
