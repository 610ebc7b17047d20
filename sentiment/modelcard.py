"""Write the model's card for people: where it comes from, what it was measured at, what it cannot do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["write_card"]

_HEAD = """# {engine}

Four small linear heads (relevance, reputational polarity, dimension, intent) over hashed words, letters and signs, for
Spanish, English and Portuguese posts. They answer in well under a millisecond on one core, without torch, and quote
the words that moved them. They are the first heads of Escucha and will be replaced by an embedded encoder behind the
same interface.

This file is written by `escucha train`; do not edit it by hand.

## Learnt from

| data | posts | licence | used for |
|---|---|---|---|
| our own corpus, openly synthetic (sentiment/corpus/CARD.md) | {corpus_posts} | Apache-2.0, ours | every head |
| UMSAB es, en, pt, training part (Barbieri et al., LREC 2022; cardiffnlp/xlm-t) | {umsab} | Apache-2.0 | polarity |
| SemEval-2017 task 4A, a part balanced by label (Rosenthal et al., 2017) | {semeval} | CC BY 3.0 | polarity |

No text of the public sets is in this project: only weights. Trained with {trained_with}.

## Measured

Our corpus: {folds} folds over scenarios, so that no scenario is in both parts; relevance by the head alone, without the
rules on evidence, on posts whose text names the brand. ECE: expected calibration error, 15 bins, each fold's
temperature fitted on the others. UMSAB: its validation part, on which choices were compared but nothing was trained;
those tweets name no brand.
"""

_TAIL = """
## Known weaknesses

- Bags of words do not follow an argument. In the folds of November 2026, ironic posts were right in 56 % (of 72), posts
  that name two brands in 54 % (of 160), polar facts in neutral words in 61 % (of 143); under the bar is `unsure`.
- The corpus is small and invented; whoever wrote the word lists had read a part of it, so the figures on it flatter.
  Rare intents and dimensions have a few dozen examples each, and accuracy on real
  posts of your sector may differ: measure it with `escucha evaluate` on posts that you have labelled.
- Names that are also common words are decided by their surroundings; very short posts give little to decide by.
- Cues and mood words are lists for Spanish (Latin America and Spain), English and Portuguese (Brazil) only.
- A text is judged by its first 2,000 characters.
- Confidences are calibrated on the corpus; on other kinds of text they can be off.

Not meant for judging persons, for hiring, or for any decision without a human reader.
"""


def write_card(card: Mapping[str, Any], folder: Path) -> None:
    """Write README.md beside the weights."""
    semeval = min(card["public_tweets"], 6000)
    head = _HEAD.format(**card, umsab=card["public_tweets"] - semeval, semeval=semeval, folds=4)
    (folder / "README.md").write_text(head + "\n".join(_tables(card["figures"])) + "\n" + _TAIL, "utf-8")


def _tables(figures: Mapping[str, Any]) -> Iterator[str]:
    for name, told in figures.items():
        yield from _table(f"{name}, our corpus", told)
        if "umsab_val" in told:
            yield from _table(f"{name}, UMSAB validation", told["umsab_val"])


def _table(title: str, told: Mapping[str, Any]) -> Iterator[str]:
    yield f"\n### {title}\n\n| | items | macro-F1 | accuracy | ECE |\n|---|---|---|---|---|"
    for name, row in {"all": told, **told["by_lang"]}.items():
        yield f"| {name} | {row['items']} | {row['macro_f1']:.3f} | {row['accuracy']:.3f} | {row['ece']:.3f} |"
    yield "\n| label | precision | recall | F1 | support |\n|---|---|---|---|---|"
    for name, row in told["per_class"].items():
        yield f"| {name} | {row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f} | {row['support']} |"
