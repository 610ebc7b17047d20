"""Let a Hugging Face model of the user's answer some heads; every other head stays with the engine behind it.

Two kinds: a sequence classifier, whose labels config.toml maps to ours, and an NLI model, which is asked how far a post
entails a sentence for each of our labels (zero-shot; Yin, Hay and Roth, EMNLP 2019). How a text is prepared, what is
refused and what to expect: docs/models.md.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from listener.errors import ClassifierError
from listener.match import fold
from listener.mention import Brand
from listener.reason import N_, reason
from listener.settings import SentimentTable, TransformerTable
from sentiment.checkpoint import CANNOT_OPEN, Checkpoint, open_checkpoint
from sentiment.quotes import says_little
from sentiment.refusal import check_extra, check_folder, check_map, is_entailment, locate, note_refusal, refuse
from sentiment.sequence import profile_of
from sentiment.tokens import LONGEST
from sentiment.verdict import SURELY_NOT, Classifier, Item, Label, Verdict

__all__ = ["TransformerClassifier", "open_heads", "prepare"]

log = logging.getLogger("escucha.sentiment")

_PASSES = 24  # of occlusion, for one post and head
_QUOTES = 3
_PROFILE = 200  # characters of the author's profile that a model of `stakeholder` reads before the text
_BAR = 0.5  # under which a label is unsure when config.toml sets no bar: nobody has calibrated this model

WORDY = N_("the hypothesis is too long for this model")
BROKE = N_("the model broke while it judged, and the shipped model answered instead")

_LEFT_OUT = re.compile(r"(?:https?://|www\.)\S+|(?<!\w)@\w+")
_WORD = re.compile(r"\S+")


def prepare(text: str) -> str:
    """Prepare a text as models of tweets expect it: handles become @user, links http, blanks one blank."""
    whole = text.encode("utf-8", "replace").decode()  # half a surrogate pair is no text that a tokenizer takes
    return " ".join(_LEFT_OUT.sub(lambda hit: "@user" if hit.group()[0] == "@" else "http", whole).split())


def open_heads(fallback: Classifier, settings: SentimentTable, folder: Path) -> Classifier:
    """Open the models of [sentiment.transformers]; `folder` is where relative paths start.

    Never raises: a model that is missing, damaged or unfit is refused with its reason in the log and in `refused`, and
    its head stays with `fallback`.
    """
    heads: list[_Head] = []
    wrong: list[str] = []
    opened: dict[Path, Checkpoint] = {}
    try:
        check_extra()
    except ClassifierError as error:
        wrong.append(str(error))
    else:
        for name, table in settings.transformers.items():
            try:
                heads.append(_open_head(name, table, folder, settings.threads, opened))
            except ClassifierError as error:
                wrong.append(str(error))
            except Exception as error:  # noqa: BLE001 - whatever a library makes of a stranger's files, the rest goes on
                wrong.append(str(refuse(name, table.model, CANNOT_OPEN, type(error).__name__)))
    told = "; ".join(wrong)
    note_refusal(settings, folder, "; ".join(one for one in (getattr(fallback, "refused", ""), told) if one))
    if told:
        log.error("%s; the embedded model stays in use", told)
    return TransformerClassifier(fallback, heads, settings.unsure_below, told)


class TransformerClassifier:
    """Judge by models of the user's where there are some, and by the engine behind them in all else."""

    def __init__(
        self, fallback: Classifier, heads: Sequence[_Head], unsure_below: float | None = None, refused: str = ""
    ) -> None:
        self.fallback = fallback
        self.refused = "; ".join(one for one in (getattr(fallback, "refused", ""), refused) if one)
        names = ", ".join(dict.fromkeys(head.model.name for head in heads))
        self.engine = f"transformers {names} + {fallback.engine}" if heads else fallback.engine
        self._heads = tuple(heads)
        self._bar = _BAR if unsure_below is None else unsure_below

    def judge(self, items: Sequence[Item], *, closely: bool = False) -> list[Verdict]:
        """Judge the items, in order; `closely` leaves out words in turn to find those that decided."""
        verdicts = self.fallback.judge(items, closely=closely)
        try:
            given = [self._labels(head, items, verdicts, closely) for head in self._heads]
        except Exception as error:  # noqa: BLE001 - a stranger's model may break in any way, and the posts still wait
            broke = f"{type(error).__name__}: {BROKE}"
            if broke not in self.refused:
                self.refused = "; ".join(one for one in (self.refused, broke) if one)
                log.error("%s", broke)
            return verdicts
        changed: list[dict[str, Any]] = [{} for _ in items]
        for head, labels in zip(self._heads, given, strict=True):
            for place, label in labels.items():
                changed[place][head.name] = label
        if not self._heads:
            return verdicts
        return [replace(one, engine=self.engine, **more) for one, more in zip(verdicts, changed, strict=True)]

    def _labels(
        self, head: _Head, items: Sequence[Item], verdicts: Sequence[Verdict], closely: bool
    ) -> dict[int, Label]:
        """Give a head's labels by the place of the item; a post without words is left to the engine behind."""
        asked: dict[int, _Asked] = {}
        for place, (item, verdict) in enumerate(zip(items, verdicts, strict=True)):
            aside = verdict.relevant.name == "false" and verdict.relevant.confidence >= SURELY_NOT
            if item.post.text.strip() and not (aside and head.name in ("dimension", "intent")):
                asked[place] = head.ask(item)
        found = head.shares(list(asked.values()))
        labels = {}
        for (place, one), shares in zip(asked.items(), found, strict=True):
            if not shares:
                continue
            best = max(shares, key=lambda name: shares[name])
            quoted = _quotes(head, one, best) if closely else []
            because = tuple(reason("{quote}", quote=quote) for quote in quoted)
            because = because or (reason("the model {quote} says so", quote=head.model.name),)
            if one.read < len(one.item.post.text.rstrip()):
                note = reason("only the first {count} characters were judged", count=one.read)
                because = (*because, note)
            labels[place] = Label(best, shares[best], because, shares, shares[best] < self._bar)
        return labels


@dataclass(frozen=True, slots=True)
class _Asked:
    """Hold a question: the item, what stands before its text, and how many of its characters the model reads."""

    item: Item
    before: str
    read: int

    def premise(self, left_out: tuple[int, int] = (0, 0)) -> str:
        """Give what the model reads, without a span of the text."""
        text = self.item.post.text[: self.read]
        return f"{self.before}{prepare(text[: left_out[0]] + text[left_out[1] :])}"


@dataclass(frozen=True, slots=True)
class _Head:
    """Hold a head: its model, and our label for each of the model's answers or for each hypothesis."""

    name: str
    model: Checkpoint
    ours: tuple[str, ...]
    hypotheses: tuple[str, ...] = ()
    entailment: int = 0

    def ask(self, item: Item) -> _Asked:
        """Prepare a question; a text that does not fit into the model is cut."""
        before = f"{prepare(profile_of(item.post))[:_PROFILE]} : " if self.name == "stakeholder" else ""
        text = item.post.text

        def fits(count: int) -> bool:
            premise = _Asked(item, before, count).premise()
            return self.model.fits(max(self._rows(premise, item.brand), key=lambda row: len(row[-1])))

        low, high = 0, min(len(text), LONGEST)
        if fits(high):
            return _Asked(item, before, high)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(middle) else (low, middle - 1)
        return _Asked(item, before, low)

    def _rows(self, premise: str, brand: Brand) -> list[tuple[str, ...]]:
        if not self.hypotheses:
            return [(premise,)]
        return [(premise, one.replace("{brand}", brand.name)) for one in self.hypotheses]

    def shares(self, asked: Sequence[_Asked]) -> list[dict[str, float]]:
        """Give the share of each label for each question; none where the model's numbers are no numbers."""
        rows = [self._rows(one.premise(), one.item.brand) for one in asked]
        found = iter(self.model.logits([row for more in rows for row in more]))
        out = []
        for more in rows:
            answers = [next(found) for _ in more]
            numbers = [answer[self.entailment] for answer in answers] if self.hypotheses else answers[0]
            out.append(self._shares(numbers))
        return out

    def _shares(self, numbers: Sequence[float]) -> dict[str, float]:
        if not all(map(math.isfinite, numbers)):
            return {}
        powers = [math.exp(number - max(numbers)) for number in numbers]
        shares = dict.fromkeys(self.ours, 0.0)
        for name, power in zip(self.ours, powers, strict=True):
            shares[name] += power / sum(powers)
        return shares

    def support(self, premises: Sequence[str], brand: Brand, name: str) -> list[float]:
        """Give how much each premise speaks for one label: its share, or its own hypothesis's entailment (0..1)."""
        if not self.hypotheses:
            found = self.model.logits([(premise,) for premise in premises])
            return [self._shares(numbers).get(name, 0.0) for numbers in found]
        place = self.ours.index(name)
        found = self.model.logits([self._rows(premise, brand)[place] for premise in premises])
        powers = [[math.exp(number - max(numbers)) for number in numbers] for numbers in found]
        return [one[self.entailment] / sum(one) for one in powers]


def _quotes(head: _Head, asked: _Asked, name: str) -> list[str]:
    """Give the words whose absence costs a label most (occlusion; Zeiler and Fergus, ECCV 2014), at most 24 passes."""
    text = asked.item.post.text[: asked.read]
    brand = {fold(one) for one in (asked.item.brand.name, *asked.item.brand.names)}
    words = []
    for hit in _WORD.finditer(text):
        bare = re.sub(r"\W", "", fold(hit.group()))
        if bare and bare not in brand and not says_little([bare]) and not _LEFT_OUT.match(hit.group()):
            words.append(hit.span())
    if not words:
        return []
    size = -(-len(words) // (_PASSES - 1))  # one of the passes reads the whole
    spans = [(run[0][0], run[-1][1]) for run in (words[at : at + size] for at in range(0, len(words), size))]
    whole, *without = head.support([asked.premise(), *(asked.premise(span) for span in spans)], asked.item.brand, name)
    lost = {span: whole - share for span, share in zip(spans, without, strict=True)}
    most = max(lost.values())
    found = sorted((span for span in spans if lost[span] > max(most / 10, 1e-4)), key=lambda span: -lost[span])
    quotes = (re.sub(r"^\W+|\W+$", "", text[start:end]) for start, end in found[:_QUOTES])
    return list(dict.fromkeys(quote for quote in quotes if quote))


def _open_head(head: str, table: TransformerTable, folder: Path, threads: int, opened: dict[Path, Checkpoint]) -> _Head:
    place = locate(head, table, folder, fetch=True)
    theirs = check_map(head, table, check_folder(head, table, place))
    if place not in opened:
        opened[place] = open_checkpoint(head, table, place, threads, len(theirs))
    model = opened[place]
    if not table.hypotheses:
        return _Head(head, model, tuple(table.labels[one] for one in theirs))
    for one in table.hypotheses.values():
        if not model.fits((one,), 0.5):
            raise refuse(head, table.model, WORDY, one)
    model.logits([("hola", one) for one in table.hypotheses.values()])  # a model that cannot read pairs fails here
    entailment = next(at for at, one in enumerate(theirs) if is_entailment(one))
    return _Head(head, model, tuple(table.hypotheses), tuple(table.hypotheses.values()), entailment)
