"""Teach one encoder every head at once, from our corpus, public tweets with the teachers' opinion, and profiles."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from sentiment.sequence import Row, Sequencer
from sentiment.training.examples import Example, sequence
from sentiment.training.names import swapped
from sentiment.training.network import LEARNT, Batch, Network

__all__ = ["Course", "Lesson", "study"]

log = logging.getLogger("escucha.train")

_WEIGHTS = {
    "sentiment": 1.2, "stakeholder": 1.0, "intent": 1.0, "dimension": 0.7, "department": 0.7, "priority": 0.4,
    "irony": 0.3, "relevant": 0.8, "mood": 1.0, "organisation": 0.3,
}  # fmt: skip
_EVERY = 8  # steps between two looks of the running mean


@dataclass(frozen=True, slots=True)
class Lesson:
    """Hold examples of one kind, how often each is seen, and what the teachers think of them (rows, labels) or None."""

    examples: Sequence[Example]
    heads: tuple[str, ...]
    times: float
    opinions: Tensor | None = None  # of the first head: shares a label
    swaps: float = 0.0  # how often names are exchanged


@dataclass(frozen=True, slots=True)
class Course:
    """Hold the choices of a run."""

    seed: int = 1
    rate: float = 1e-4
    head_rate: float = 1e-3
    decay: float = 0.92  # of the rate, a layer down
    mark_rate: float | None = None  # of our own marks; None: as the words would learn
    batch: int = 32
    smoothing: float = 0.05
    warm: float = 0.06
    average: float = 0.998  # of the weights that are kept


def study(network: Network, lessons: Sequence[Lesson], sequencer: Sequencer, course: Course, name: str = "") -> Network:
    """Train in place on one thread, bfloat16; give a copy with the running mean of the weights."""
    torch.manual_seed(course.seed)
    chance = random.Random(course.seed)
    plans = [plan for lesson in lessons for plan in _plans(lesson, sequencer, course, chance)]
    chance.shuffle(plans)
    optimiser, rates = _optimiser(network, course)
    weights = {head: _balance(lessons, head) for head in LEARNT}
    kept = deepcopy(network)
    begun, total = time.monotonic(), len(plans)
    log.info("%s: %d steps", name, total)
    network.train()
    for step, (lesson, places, rows) in enumerate(plans):
        share = step / total
        now = share / course.warm if share < course.warm else (1 - share) / (1 - course.warm)
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * now
        with torch.autocast("cpu", torch.bfloat16):
            out = network(Batch(rows), lesson.heads)
        loss = _loss(lesson, places, out, weights, course)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        if step % _EVERY == 0 or step + 1 == total:
            keep = min(course.average**_EVERY, (step + 1) / (step + 10 * _EVERY))
            with torch.no_grad():
                for old, new in zip(kept.parameters(), network.parameters(), strict=True):
                    if new.requires_grad:
                        old.lerp_(new, 1 - keep)
        if (step + 1) % 100 == 0:
            log.info(
                "%s: step %d of %d, loss %.3f, %.0f s", name, step + 1, total, loss.item(), time.monotonic() - begun
            )
    return kept.eval()


def _plans(
    lesson: Lesson, sequencer: Sequencer, course: Course, chance: random.Random
) -> Iterator[tuple[Lesson, list[int], list[Row]]]:
    """Give the batches of a lesson, each of rows of like length."""
    left = lesson.times
    while left > 0:
        order = list(range(len(lesson.examples)))
        chance.shuffle(order)
        if left < 1:
            order = order[: round(left * len(order))]
        left -= 1
        rows = {place: _row(lesson, place, sequencer, chance) for place in order}
        pool = course.batch * 40
        for start in range(0, len(order), pool):
            near = sorted(order[start : start + pool], key=lambda place: len(rows[place].ids))
            for at in range(0, len(near), course.batch):
                places = near[at : at + course.batch]
                yield lesson, places, [rows[place] for place in places]


def _row(lesson: Lesson, place: int, sequencer: Sequencer, chance: random.Random) -> Row:
    example = lesson.examples[place]
    if example.item and example.answers.get("relevant") != "false" and chance.random() < lesson.swaps:
        return sequence(example, sequencer, swapped(example.item, chance))
    return sequence(example, sequencer)


def _optimiser(network: Network, course: Course) -> tuple[torch.optim.Optimizer, list[float]]:
    encoder = network.encoder
    depth = len(encoder.layers)
    groups = [(list(layer.parameters()), course.decay ** (depth - 1 - at)) for at, layer in enumerate(encoder.layers)]
    marks = list(encoder.marks.parameters())
    apart = ("layers.", "marks.")
    low = [value for key, value in encoder.named_parameters() if value.requires_grad and not key.startswith(apart)]
    groups.append((low, course.decay**depth))
    slow = course.rate * course.decay**depth
    rates = [*(course.rate * share for _, share in groups), course.mark_rate or slow, course.head_rate]
    told = [{"params": values} for values, _ in groups]
    told += [{"params": marks}, {"params": list(network.heads.parameters())}]
    return torch.optim.AdamW(told, lr=course.rate, weight_decay=0.01, fused=True), rates


def _balance(lessons: Sequence[Lesson], head: str) -> Tensor:
    """Weigh each label by the root of its rarity, so that a rare one is not forgotten and a common one not doubted."""
    labels = LEARNT[head].labels
    counts = dict.fromkeys(labels, 0.0)
    for lesson in lessons:
        if head in lesson.heads:
            for one in lesson.examples:
                if head in one.answers:
                    counts[one.answers[head]] += lesson.times * one.weight
    raw = torch.tensor([(1 / max(counts[label], 1)) ** 0.5 for label in labels])
    shares = torch.tensor([counts[label] for label in labels])
    return raw * shares.sum() / (raw * shares).sum() if shares.sum() else torch.ones(len(labels))


def _loss(
    lesson: Lesson, places: Sequence[int], out: Mapping[str, Tensor], weights: Mapping[str, Tensor], course: Course
) -> Tensor:
    total = torch.zeros(())
    examples = [lesson.examples[place] for place in places]
    each = torch.tensor([one.weight for one in examples])
    for head in lesson.heads:
        labels = LEARNT[head].labels
        known = [at for at, one in enumerate(examples) if head in one.answers]
        if known:
            gold = torch.tensor([labels.index(examples[at].answers[head]) for at in known])
            loss = F.cross_entropy(
                out[head][known], gold, weights[head], reduction="none", label_smoothing=course.smoothing
            )
            total = total + _WEIGHTS[head] * (loss * each[known]).mean() * len(known) / len(examples)
        if lesson.opinions is not None and head == lesson.heads[0]:
            opinion = lesson.opinions[list(places)]
            apart = -(opinion * out[head].log_softmax(1)).sum(1)
            total = total + 1.5 * _WEIGHTS[head] * apart.mean()
    return total
