"""Open the engine that config.toml names and let it judge: one pass of the encoder answers every head."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import exp
from pathlib import Path
from typing import Any

from listener.errors import ClassifierError
from listener.mention import Brand
from listener.reason import Reason, reason
from listener.settings import SentimentTable
from sentiment.encoder import MODEL, Encoder, Encoding
from sentiment.quotes import Phrase, Words
from sentiment.relevance import by_evidence, certain_terms, leaning
from sentiment.sequence import Named, Row, entity_of, profile_of
from sentiment.tokens import Namer, Reading
from sentiment.verdict import SURELY_NOT, Classifier, Item, Label, Verdict

__all__ = ["EncoderClassifier", "load"]

log = logging.getLogger("escucha.sentiment")

_AT_ONCE = 32
_MOVED, _MOST = 0.01, 3  # share that a label must lose without a word for it to be a reason; reasons
_QUOTED = ("sentiment", "mood", "dimension", "intent", "stakeholder")


def load(settings: SentimentTable, folder: Path) -> Classifier:
    """Open the engine of [sentiment]: "embedded" ships with Escucha, "embedded:FOLDER" is one that training wrote.

    `folder` is where relative paths start. A model of the user's that is missing or damaged is refused: the log and
    `refused` tell why, and the shipped one stays in use. Raises ClassifierError when that one is damaged, or the
    engine's name is unknown.
    """
    kind, _, place = settings.engine.partition(":")
    if kind not in ("embedded", "transformers"):
        raise ClassifierError(
            f'[sentiment] engine = "{settings.engine}" is unknown; use "embedded", "embedded:FOLDER" or "transformers"'
        )
    own = None
    refused = ""
    if place:
        try:
            own = Encoder.open(folder / place, settings.threads)
        except ClassifierError as error:
            refused = str(error)
            log.error("%s; the shipped model stays in use", refused)
    classifier = EncoderClassifier(own or Encoder.open(MODEL, settings.threads), settings.unsure_below, refused)
    if kind == "transformers":
        from sentiment.transformer import open_heads

        return open_heads(classifier, settings, folder)
    return classifier


@dataclass(frozen=True, slots=True)
class _Asked:
    """Hold a question as the encoder reads it."""

    item: Item
    reading: Reading
    row: Row
    lang: str | None
    plain: bool  # the text names no brand and stands on no page about it


class EncoderClassifier:
    """Judge by the embedded encoder; a post gets the same verdict alone and in any batch."""

    def __init__(self, encoder: Encoder, unsure_below: float | None = None, refused: str = "") -> None:
        self.encoder = encoder
        self.refused = refused  # why another model than the configured one judges
        self.engine = encoder.name
        self._bar = unsure_below

    def judge(self, items: Sequence[Item], *, closely: bool = False) -> list[Verdict]:
        """Judge the items, in order; `closely` leaves each word out in turn (24 at most) for the reasons."""
        namer = _namer(tuple(dict.fromkeys(brand for item in items for brand in (item.brand, *item.rivals))))
        verdicts: list[Verdict] = []
        for start in range(0, len(items), _AT_ONCE):  # a vector a token is much to hold; verdicts do not notice
            asked = [self._asked(item, namer) for item in items[start : start + _AT_ONCE]]
            read = self.encoder.read([one.row for one in asked])
            verdicts += [self._verdict(one, encoding, closely) for one, encoding in zip(asked, read, strict=True)]
        return verdicts

    def _asked(self, item: Item, namer: Namer) -> _Asked:
        reading = namer.read(item.post.text, item.brand, item.rivals)
        plain = not reading.brand and item.post.about is None
        return _Asked(item, reading, self._row(item, reading, namer, plain), item.post.lang, plain)

    def _row(self, item: Item, reading: Reading, namer: Namer, plain: bool) -> Row:
        profile = profile_of(item.post)
        who = namer.read(profile, item.brand, item.rivals)
        text = Named(reading.text, reading.brand, () if plain else reading.rivals)
        entity = None if plain else entity_of(item.brand)
        return self.encoder.sequencer.row(text, entity, Named(profile, who.brand, who.rivals))

    def _verdict(self, asked: _Asked, encoding: Encoding, closely: bool) -> Verdict:
        item, reading = asked.item, asked.reading
        said = _Said(self, asked, encoding, closely)
        relevant = by_evidence(reading, item.post, item.brand, item.rivals)
        if relevant is None:
            odds, told = leaning(reading, item.brand, item.post, item.rivals)
            relevant = _leant(said.label("relevant"), odds)
            around = _around(reading, item.brand, relevant.name == "true")
            relevant = replace(relevant, because=(told, around) if told and relevant.name == "true" else (around,))
            relevant = self.barred("relevant", relevant)
        sentiment = said.label("mood" if asked.plain else "sentiment")
        if encoding.row.cut or reading.cut:
            read = max((end for _, end in encoding.row.spans), default=0)
            note = reason("only the first {count} characters were judged", count=read)
            sentiment = replace(sentiment, because=(*sentiment.because, note))
        irony = said.label("irony")
        if irony.name == "true" and not irony.unsure:
            sentiment = replace(sentiment, because=(*sentiment.because, reason("it is meant the other way round")))
        if relevant.name == "false" and relevant.confidence >= SURELY_NOT:
            # What is not about the brand has no driver of its reputation and asks nothing of it.
            why = (reason("the post is not about {brand}", brand=item.brand.name),)
            dimension = Label("undefined", relevant.confidence, why)
            intent = Label("other", relevant.confidence, why)
        else:
            dimension, intent = said.label("dimension"), said.label("intent")
        return Verdict(
            relevant,
            sentiment,
            dimension,
            intent,
            self.engine,
            irony=irony,
            stakeholder=said.label("stakeholder"),
            department=said.label("department"),
            priority=said.label("priority"),
        )

    def means_without(self, item: Item, phrase: Phrase, plain: bool) -> Mapping[str, Any]:
        """Give what the encoder makes of a post that lacks a phrase (occlusion; Zeiler, Fergus, ECCV 2014)."""
        text = item.post.text
        left = replace(item, post=replace(item.post, text=text[: phrase[0]] + text[phrase[1] :]))
        namer = _namer((item.brand, *item.rivals))
        row = self._row(left, namer.read(left.post.text, item.brand, item.rivals), namer, plain)
        return self.encoder.read([row])[0].means

    def barred(self, head: str, label: Label) -> Label:
        """Mark a label unsure under the configured bar, or the head's own bar of the model's validation."""
        bar = self.encoder.bars.get(head, 0.5) if self._bar is None else self._bar
        return replace(label, unsure=label.confidence < bar)


class _Said:
    """Hold what the heads say of one question."""

    def __init__(self, classifier: EncoderClassifier, asked: _Asked, encoding: Encoding, closely: bool) -> None:
        self._classifier = classifier
        self._asked = asked
        self._encoding = encoding
        self._closely = closely
        self._words = Words(asked.reading.text, encoding)
        self._without: dict[Phrase, Mapping[str, Any]] = {}

    def label(self, name: str) -> Label:
        """Give a head's answer with its confidence, reasons and scores."""
        head = self._classifier.encoder.heads[name]
        scores = head.scores(head.logits(self._encoding.means), self._asked.lang)
        best = max(scores, key=lambda one: scores[one])
        because: tuple[Reason, ...] = ()
        if name in _QUOTED:  # the others are advice, and nobody is shown their words
            quoted = self._quoted(name, best, scores[best])
            because = tuple(reason("{quote}", quote=quote) for quote in quoted) or (reason("the text as a whole"),)
        return self._classifier.barred(name, Label(best, scores[best], because, scores))

    def _quoted(self, name: str, label: str, share: float) -> list[str]:
        text = self._asked.reading.text
        found = self._words.phrases(self._classifier.encoder.heads[name], label)
        if self._closely:
            lost = {phrase: share - self._share_without(phrase, name, label) for phrase in self._words.singles()}
            found = sorted((one for one in lost if lost[one] > _MOVED), key=lambda one: -lost[one])[:_MOST] or found
        return list(dict.fromkeys(text[start:end] for start, end in found))

    def _share_without(self, phrase: Phrase, name: str, label: str) -> float:
        """Give the share that a label keeps when a phrase is left out; one pass serves every head."""
        head = self._classifier.encoder.heads[name]
        if phrase not in self._without:
            self._without[phrase] = self._classifier.means_without(self._asked.item, phrase, self._asked.plain)
        return head.scores(head.logits(self._without[phrase]), self._asked.lang)[label]


def _leant(label: Label, odds: float) -> Label:
    """Move the share of "true" by log odds that the head did not know."""
    power = exp(odds)
    true = label.scores["true"] * power / (label.scores["true"] * power + label.scores["false"])
    scores = {"false": 1 - true, "true": true}
    best = "true" if true >= 0.5 else "false"
    return replace(label, name=best, confidence=scores[best], scores=scores)


def _around(reading: Reading, brand: Brand, is_brand: bool) -> Reason:
    if not reading.brand:
        return reason("the text as a whole")
    quote = reading.brand[0].text
    if is_brand:
        return reason("what surrounds “{quote}” speaks for the brand", quote=quote)
    if certain_terms(reading, brand):
        return reason("what surrounds “{quote}” speaks for something else of that name", quote=quote)
    return reason("what surrounds “{quote}” speaks for the common word", quote=quote)


@lru_cache(maxsize=16)
def _namer(brands: tuple[Brand, ...]) -> Namer:
    return Namer(brands)
