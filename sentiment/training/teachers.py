"""Train several readers of plain mood on public tweets, keep their opinions, and average them into one start."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from listener.taxonomy import SENTIMENTS
from sentiment.training.examples import plain_tweets
from sentiment.training.network import Encoder, Network, open_encoder

__all__ = ["TEACHERS", "Mood", "Teacher", "begin_from", "opinions_of", "train_teacher"]

log = logging.getLogger("escucha.train")

_EIGHT = ("es", "en", "pt", "fr", "it", "de", "ar", "hi")
_SIZE, _LONGEST, _WARM, _DECAY = 32, 64, 0.06, 0.92


@dataclass(frozen=True, slots=True)
class Teacher:
    """Hold the choices of one teacher: they differ, so that their errors do."""

    name: str
    langs: tuple[str, ...]
    semeval: int  # balanced tweets of SemEval-2017 besides
    seed: int
    epochs: int
    rate: float
    smoothing: float


TEACHERS = (
    Teacher("t1", _EIGHT, 0, 1, 3, 1e-4, 0.05),
    Teacher("t2", _EIGHT[:5], 9000, 2, 2, 1e-4, 0.1),
    Teacher("t3", _EIGHT, 6000, 3, 2, 1e-4, 0.1),
    Teacher("t4", _EIGHT[:6], 0, 4, 3, 8e-5, 0.1),
)


class Mood(nn.Module):
    """The encoder and one head over the mean of its tokens."""

    def __init__(self, start: Path) -> None:
        super().__init__()
        self.encoder = open_encoder(start)
        self.encoder.words.weight.requires_grad_(True)  # a teacher may move its words; the student does not
        self.head = nn.Linear(self.encoder.width, len(SENTIMENTS))
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor, there: Tensor) -> Tensor:
        """Give the logits of the moods."""
        bias = ((1 - there) * -1e4)[:, None, None, :]
        hidden = self.encoder(ids, torch.arange(ids.shape[1]).expand_as(ids), bias)
        mean = (hidden * there[..., None]).sum(1) / there.sum(1, keepdim=True)
        out: Tensor = self.head(F.dropout(mean, 0.1, self.training))
        return out


def train_teacher(teacher: Teacher, start: Path, data: Path, tokenizer: Any) -> Mood:
    """Train one teacher on one thread, bfloat16 (5 minutes an epoch of 15,000 tweets)."""
    torch.manual_seed(teacher.seed)
    chance = random.Random(teacher.seed)
    examples = plain_tweets(data, teacher.langs, "train", teacher.semeval, teacher.seed)
    rows = [_ids(one.text, tokenizer) for one in examples]
    gold = [SENTIMENTS.index(one.answers["mood"]) for one in examples]
    model = Mood(start)
    optimiser, rates = _optimiser(model, teacher)
    total = teacher.epochs * (len(rows) // _SIZE + 1)
    step, begun = 0, time.monotonic()
    for epoch in range(teacher.epochs):
        model.train()
        order = list(range(len(rows)))
        chance.shuffle(order)
        pools = [sorted(order[at : at + 1600], key=lambda i: len(rows[i])) for at in range(0, len(order), 1600)]
        batches = [pool[at : at + _SIZE] for pool in pools for at in range(0, len(pool), _SIZE)]
        chance.shuffle(batches)
        for batch in batches:
            warm = step / (_WARM * total)
            share = warm if warm <= 1 else max(0.0, (total - step) / total)
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * share
            ids, there = _filled([rows[i] for i in batch])
            with torch.autocast("cpu", torch.bfloat16):
                out = model(ids, there)
            wanted = torch.tensor([gold[i] for i in batch])
            loss = F.cross_entropy(out.float(), wanted, label_smoothing=teacher.smoothing)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            step += 1
        log.info(
            "teacher %s: epoch %d, loss %.3f, %.0f s", teacher.name, epoch + 1, loss.item(), time.monotonic() - begun
        )
    return model.eval()


def opinions_of(model: Mood, texts: Sequence[str], tokenizer: Any) -> Tensor:
    """Give a teacher's shares (texts, moods)."""
    rows = [_ids(text, tokenizer) for text in texts]
    order = sorted(range(len(rows)), key=lambda place: len(rows[place]))
    out = torch.zeros(len(rows), len(SENTIMENTS))
    model.eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for at in range(0, len(order), _SIZE):
            places = order[at : at + _SIZE]
            out[places] = model(*_filled([rows[place] for place in places])).float().softmax(1)
    return out


def begin_from(network: Network, teachers: Sequence[Mood]) -> None:
    """Let a network begin at the mean of its teachers' weights (Wortsman et al., "Model soups", ICML 2022)."""
    with torch.no_grad():
        _average(network.encoder, [one.encoder for one in teachers])
        head = network.heads["mood"]
        head.weight.copy_(torch.stack([one.head.weight for one in teachers]).mean(0))
        head.bias.copy_(torch.stack([one.head.bias for one in teachers]).mean(0))


def _average(encoder: Encoder, others: Sequence[Encoder]) -> None:
    states = [other.state_dict() for other in others]
    mean = {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}
    encoder.load_state_dict(mean)


def _ids(text: str, tokenizer: Any) -> list[int]:
    plain = re.sub(r"@\w+", "@user", re.sub(r"https?://\S+|www\.\S+", "http", text))
    ids: list[int] = tokenizer.encode(plain).ids[:_LONGEST]
    return ids


def _filled(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    longest = max(map(len, rows))
    ids, there = torch.ones(len(rows), longest, dtype=torch.long), torch.zeros(len(rows), longest)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        there[place, : len(row)] = 1
    return ids, there


def _optimiser(model: Mood, teacher: Teacher) -> tuple[torch.optim.Optimizer, list[float]]:
    encoder = model.encoder
    groups = [
        (list(layer.parameters()), teacher.rate * _DECAY ** (len(encoder.layers) - 1 - at))
        for at, layer in enumerate(encoder.layers)
    ]
    low = [value for name, value in encoder.named_parameters() if not name.startswith("layers.")]
    groups += [(low, teacher.rate * _DECAY ** len(encoder.layers)), (list(model.head.parameters()), 1e-3)]
    told = [{"params": values, "lr": rate} for values, rate in groups]
    return torch.optim.AdamW(told, weight_decay=0.01), [rate for _, rate in groups]
