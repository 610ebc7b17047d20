"""Open the engine that config.toml names and let it judge: linear heads, in one pass a post."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from listener.errors import ClassifierError
from listener.mention import Brand
from listener.reason import Reason, reason
from listener.settings import SentimentTable
from sentiment.features import extract
from sentiment.heads import MODEL, Heads, Judged
from sentiment.relevance import by_evidence
from sentiment.tokens import LONGEST, Namer, Reading
from sentiment.verdict import Classifier, Head, Item, Label, Verdict

__all__ = ["LinearClassifier", "load"]

_SURELY_NOT = 0.8  # below it the other heads still speak: a legal threat must not vanish behind a doubtful name


def load(settings: SentimentTable, folder: Path) -> Classifier:
    """Open the engine of [sentiment]: "linear" ships with Escucha, "linear:FOLDER" is one that `escucha train` wrote.

    `folder` is where relative paths start. Raises ClassifierError when the model is missing, damaged or unknown.
    """
    kind, _, place = settings.engine.partition(":")
    if kind != "linear":
        raise ClassifierError(f'[sentiment] engine = "{settings.engine}" is unknown; use "linear" or "linear:FOLDER"')
    return LinearClassifier(Heads.open(folder / place if place else MODEL), settings.unsure_below)


class LinearClassifier:
    """Judge by linear heads; a post gets the same verdict alone and in any batch."""

    def __init__(self, heads: Heads, unsure_below: float = 0.5) -> None:
        self.heads = heads
        self.engine = str(heads.card.get("engine", "escucha-linear"))
        self._bar = unsure_below

    def judge(self, items: Sequence[Item]) -> list[Verdict]:
        """Judge the items, in order."""
        namer = _namer(tuple(dict.fromkeys(brand for item in items for brand in (item.brand, *item.rivals))))
        return [self._verdict(item, namer.read(item.post.text, item.brand, item.rivals)) for item in items]

    def _verdict(self, item: Item, reading: Reading) -> Verdict:
        lang = item.post.lang
        judged = self.heads.judge(extract(reading))
        relevant = by_evidence(reading, item.post, item.brand)
        if relevant is None:
            relevant = self._label(judged, "relevant", lang, reading)
            if not relevant.because:
                relevant = replace(relevant, because=(_around(reading, relevant.name == "true"),))
        relevant = self._barred(relevant)
        sentiment = self._label(judged, "sentiment", lang, reading)
        if reading.cut:
            note = reason("only the first {count} characters were judged", count=LONGEST)
            sentiment = replace(sentiment, because=(*sentiment.because, note))
        if relevant.name == "false" and relevant.confidence >= _SURELY_NOT:
            # What is not about the brand has no driver of its reputation and asks nothing of it.
            why = (reason("the post is not about {brand}", brand=item.brand.name),)
            dimension = Label("undefined", relevant.confidence, why)
            intent = Label("other", relevant.confidence, why)
        else:
            dimension = self._label(judged, "dimension", lang, reading)
            intent = self._label(judged, "intent", lang, reading)
        return Verdict(relevant, sentiment, dimension, intent, self.engine)

    def _label(self, judged: Judged, head: Head, lang: str | None, reading: Reading) -> Label:
        scores = judged.scores(head, lang)
        name = max(scores, key=lambda one: scores[one])
        because = judged.because(head, name, reading)
        if not because and head != "relevant":
            because = (reason("the text as a whole"),)
        return self._barred(Label(name, scores[name], because, scores))

    def _barred(self, label: Label) -> Label:
        return replace(label, unsure=label.confidence < self._bar)


def _around(reading: Reading, is_brand: bool) -> Reason:
    quote = reading.brand[0].text
    if is_brand:
        return reason("what surrounds “{quote}” speaks for the brand", quote=quote)
    return reason("what surrounds “{quote}” speaks for the common word", quote=quote)


@lru_cache(maxsize=16)
def _namer(brands: tuple[Brand, ...]) -> Namer:
    return Namer(brands)
