"""Build the encoder and its heads in torch, from a Hugging Face BERT folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from sentiment.heads import SPECS, Spec
from sentiment.sequence import MARKS, Row

__all__ = ["LEARNT", "Batch", "Encoder", "Layer", "Network", "open_encoder"]

# What is learnt and not shipped: whether a profile is an organisation's teaches the encoder to read profiles.
LEARNT: Mapping[str, Spec] = {**SPECS, "organisation": Spec(("false", "true"), ("profile",))}
_SHUT = -1e4
_PAD = 1

_PARTS = {
    "attention.self.query": "query",
    "attention.self.key": "key",
    "attention.self.value": "value",
    "attention.output.dense": "out",
    "attention.output.LayerNorm": "norm",
    "intermediate.dense": "up",
    "output.dense": "down",
    "output.LayerNorm": "norm2",
}


class Layer(nn.Module):
    """One transformer layer of BERT (Devlin et al., 2019), norms behind."""

    def __init__(self, width: int, inner: int, heads: int, eps: float, drop: float) -> None:
        super().__init__()
        self.heads, self.drop = heads, drop
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=eps)
        self.up, self.down = nn.Linear(width, inner), nn.Linear(inner, width)
        self.norm2 = nn.LayerNorm(width, eps=eps)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Give the vectors of the next layer."""
        b, t, w = x.shape
        q, k, v = (f(x).view(b, t, self.heads, -1).transpose(1, 2) for f in (self.query, self.key, self.value))
        drop = self.drop if self.training else 0.0
        a = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype), dropout_p=drop)
        a = a.transpose(1, 2).reshape(b, t, w)
        x = self.norm(x + F.dropout(self.out(a), self.drop, self.training))
        return self.norm2(x + F.dropout(self.down(F.gelu(self.up(x))), self.drop, self.training))


class Encoder(nn.Module):
    """BERT without its pooler; `bias` (batch, 1, tokens, tokens) says who sees whom."""

    def __init__(self, config: Mapping[str, Any], drop: float) -> None:
        super().__init__()
        width, eps = config["hidden_size"], config["layer_norm_eps"]
        self.width = width
        # The words stay as they were learnt from far more text than ours; only our marks are new.
        self.words = nn.Embedding(config["vocab_size"], width)
        self.words.weight.requires_grad_(False)
        self.marks = nn.Embedding.from_pretrained(torch.zeros(len(MARKS), width), freeze=False)
        self.places = nn.Embedding(config["max_position_embeddings"], width)
        self.types = nn.Embedding(config["type_vocab_size"], width)
        self.norm = nn.LayerNorm(width, eps=eps)
        self.drop = drop
        self.layers = nn.ModuleList(
            Layer(width, config["intermediate_size"], config["num_attention_heads"], eps, drop)
            for _ in range(config["num_hidden_layers"])
        )

    def forward(self, ids: Tensor, places: Tensor, bias: Tensor) -> Tensor:
        """Give a vector a token."""
        size = self.words.num_embeddings
        marked = self.marks((ids - size).clamp(min=0))
        x = torch.where((ids >= size)[..., None], marked, self.words(ids.clamp(max=size - 1)))
        x = F.dropout(self.norm(x + self.places(places) + self.types.weight[0]), self.drop, self.training)
        for layer in self.layers:
            x = layer(x, bias)
        return x


def open_encoder(folder: Path, drop: float = 0.1) -> Encoder:
    """Read a Hugging Face BERT folder and add a row of the vocabulary for each of our marks."""
    from safetensors.torch import load_file

    config = json.loads((folder / "config.json").read_text("utf-8"))
    state = {
        name.removeprefix("bert."): value.float() for name, value in load_file(folder / "model.safetensors").items()
    }
    words = state["embeddings.word_embeddings.weight"]
    # A new mark begins near the mean word, so that it disturbs little before it has been trained.
    chance = torch.Generator().manual_seed(0)
    noise = torch.randn(len(MARKS), words.shape[1], generator=chance)
    encoder = Encoder(config, drop)
    new = {"words.weight": words, "marks.weight": words[4:].mean(0) + 0.3 * words[4:].std(0) * noise}
    new["places.weight"] = state["embeddings.position_embeddings.weight"]
    new["types.weight"] = state["embeddings.token_type_embeddings.weight"]
    for part in ("weight", "bias"):
        new[f"norm.{part}"] = state[f"embeddings.LayerNorm.{part}"]
        for layer in range(config["num_hidden_layers"]):
            for old, short in _PARTS.items():
                new[f"layers.{layer}.{short}.{part}"] = state[f"encoder.layer.{layer}.{old}.{part}"]
    encoder.load_state_dict(new)
    return encoder


class Batch:
    """Hold rows side by side, filled up to the longest."""

    def __init__(self, rows: Sequence[Row]) -> None:
        longest = max(len(row.ids) for row in rows)
        shape = (len(rows), longest)
        self.ids = torch.full(shape, _PAD)
        seen, there = torch.zeros(shape, dtype=torch.bool), torch.zeros(shape, dtype=torch.bool)
        self.means = {name: torch.zeros(shape) for name in ("text", "brand", "profile")}
        for place, row in enumerate(rows):
            size = len(row.ids)
            self.ids[place, :size] = torch.tensor(row.ids)
            there[place, :size], seen[place, : row.seen] = True, True
            self.means["text"][place, : row.words + 2] = 1  # <s> and </s> too, so that an empty text has a mean
            self.means["brand"][place, list(row.brand) or list(range(row.words + 2))] = 1
            self.means["profile"][place, row.seen : size] = 1
        # The text and the entity see each other; the profile sees everything.
        sees = there[:, None, :] & (seen[:, None, :] | ~seen[:, :, None])
        self.bias = torch.where(sees, 0.0, _SHUT)[:, None]
        self.places = torch.arange(longest).expand(shape)


class Network(nn.Module):
    """The encoder and every head over the means of what it read."""

    def __init__(self, encoder: Encoder, drop: float = 0.1) -> None:
        super().__init__()
        self.encoder, self.drop = encoder, drop
        self.heads = nn.ModuleDict(
            {name: nn.Linear(len(spec.reads) * encoder.width, len(spec.labels)) for name, spec in LEARNT.items()}
        )
        for head in self.heads.values():
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def forward(self, batch: Batch, names: Sequence[str]) -> dict[str, Tensor]:
        """Give the logits of the named heads."""
        hidden = self.encoder(batch.ids, batch.places, batch.bias)
        means = {
            name: (hidden * share[..., None]).sum(1) / share.sum(1, keepdim=True).clamp(min=1)
            for name, share in batch.means.items()
        }
        read = {name: torch.cat([means[one] for one in LEARNT[name].reads], dim=1) for name in names}
        return {name: self.heads[name](F.dropout(read[name], self.drop, self.training)).float() for name in names}
