"""Write a trained network as a standard Hugging Face folder: ONNX with 8-bit weights, tokenizer, heads, config."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - as everybody writes it

from sentiment.encoder import CONFIG, HEADS, ONNX, TOKENIZER
from sentiment.heads import SPECS
from sentiment.sequence import MARKS, Row
from sentiment.training.checksums import sums_of
from sentiment.training.network import Batch, Encoder, Network

__all__ = ["ENGINE", "write_config", "write_model"]

ENGINE = "escucha-small 2026.11"


class _Layer(nn.Module):
    """One layer as the machine likes it: query, key and value in one product, every shape known but the tokens."""

    def __init__(self, layer: nn.Module, loud: Tensor) -> None:
        super().__init__()
        self.layer = layer
        parts = (layer.query, layer.key, layer.value)
        width = parts[0].in_features
        self.three = nn.Linear(width, 3 * width)
        self.three.weight = nn.Parameter(torch.cat([part.weight for part in parts]))
        self.three.bias = nn.Parameter(torch.cat([part.bias for part in parts]))
        self.width, self.heads = width, layer.heads
        # A few of the inputs are far louder than the rest and would leave these no steps of the 8 bits: half of the
        # loudness moves into the weights (SmoothQuant; Xiao et al., ICML 2023).
        weighs = self.three.weight.detach().abs().amax(0).clamp(min=1e-4)
        scale = (loud.clamp(min=1e-4) / weighs).sqrt()
        self.scale = nn.Parameter(1 / (scale / scale.log().mean().exp()))
        self.three.weight = nn.Parameter(self.three.weight.detach() / self.scale.detach())

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        each = self.width // self.heads
        q, k, v = self.three(x * self.scale).view(1, -1, 3, self.heads, each).permute(2, 0, 3, 1, 4).unbind(0)
        a = torch.softmax(q @ k.transpose(2, 3) / math.sqrt(each) + bias, -1) @ v
        x = self.layer.norm(x + self.layer.out(a.transpose(1, 2).reshape(1, -1, self.width)))
        out: Tensor = self.layer.norm2(x + self.layer.down(F.gelu(self.layer.up(x))))
        return out


class _Spelled(nn.Module):
    """The encoder for one row, with attention spelled out so that every product becomes one with 8-bit weights."""

    def __init__(self, encoder: Encoder, rows: Sequence[Row]) -> None:
        super().__init__()
        self.encoder = encoder
        self.words = nn.Embedding.from_pretrained(torch.cat([encoder.words.weight, encoder.marks.weight]).detach())
        loud = _loudness(encoder, rows)
        self.layers = nn.ModuleList(_Layer(layer, one) for layer, one in zip(encoder.layers, loud, strict=True))

    def forward(self, ids: Tensor, places: Tensor, bias: Tensor) -> Tensor:
        encoder = self.encoder
        x = encoder.norm(self.words(ids) + encoder.places(places) + encoder.types.weight[0])
        for layer in self.layers:
            x = layer(x, bias)
        return x


def _loudness(encoder: Encoder, rows: Sequence[Row]) -> list[Tensor]:
    """Give how loud each input of each layer gets over some rows (99.9th percentile, the loudest row)."""
    loudest = [torch.zeros(encoder.width) for _ in encoder.layers]

    def listen(at: int, heard: Tensor) -> None:
        loud = torch.quantile(heard.detach().abs().reshape(-1, encoder.width), 0.999, dim=0)
        loudest[at] = torch.maximum(loudest[at], loud)

    hooks = [
        layer.query.register_forward_pre_hook(lambda _, heard, at=at: listen(at, heard[0]))
        for at, layer in enumerate(encoder.layers)
    ]
    with torch.no_grad():
        for row in rows:
            batch = Batch([row])
            encoder(batch.ids, batch.places, batch.bias)
    for hook in hooks:
        hook.remove()
    return loudest


def write_model(
    network: Network, start: Path, folder: Path, heat: Mapping[str, Mapping[str, float]], rows: Sequence[Row]
) -> None:
    """Write every file but the card; `heat` holds the temperatures by head, `start` the tokenizer's folder.

    `rows` are some that it learnt from: they show how loud each number inside gets.
    """
    from safetensors.torch import save_file

    (folder / ONNX).parent.mkdir(parents=True, exist_ok=True)
    network.eval()
    _write_onnx(network.encoder, rows, folder / ONNX)
    shutil.copyfile(start / TOKENIZER, folder / TOKENIZER)
    state: dict[str, Tensor] = {}
    for name in SPECS:
        head = network.heads[name]
        state[f"{name}.weight"] = head.weight.detach().T.contiguous()
        state[f"{name}.bias"] = head.bias.detach().contiguous()
    save_file(state, folder / HEADS)
    (folder / HEADS).chmod(0o644)  # the library leaves it to its owner alone
    write_config(folder, json.loads((start / CONFIG).read_text("utf-8")), heat, dict.fromkeys(SPECS, 0.5))


def _write_onnx(encoder: Encoder, rows: Sequence[Row], path: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    size = 9  # any: the axes are free
    example = (torch.ones(1, size, dtype=torch.long), torch.arange(size)[None], torch.zeros(1, 1, size, size))
    free = {"ids": {1: "tokens"}, "places": {1: "tokens"}, "hidden": {1: "tokens"}, "bias": {2: "tokens", 3: "seen"}}
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        full, shaped = Path(scratch, "full.onnx"), Path(scratch, "shaped.onnx")
        torch.onnx.export(
            _Spelled(encoder, rows),
            example,
            str(full),
            input_names=["ids", "places", "bias"],
            output_names=["hidden"],
            dynamic_axes=free,
            opset_version=17,
            dynamo=False,
        )
        quant_pre_process(str(full), str(shaped), skip_symbolic_shape=True)
        quantize_dynamic(
            str(shaped),
            str(path),
            weight_type=QuantType.QInt8,
            per_channel=True,
            extra_options={"MatMulConstBOnly": True},
        )


def write_config(
    folder: Path, config: Mapping[str, Any], heat: Mapping[str, Mapping[str, float]], bars: Mapping[str, float]
) -> None:
    """Write config.json: BERT's own keys, and under `escucha` labels, temperatures, bars and checksums."""
    told = {key: value for key, value in config.items() if key not in ("escucha", "torch_dtype", "vocab_size")}
    size = json.loads((folder / TOKENIZER).read_text("utf-8"))["model"]["vocab"]
    told["vocab_size"] = len(size) + len(MARKS)
    told["escucha"] = {
        "engine": ENGINE,
        "marks": len(MARKS),
        "heads": {
            name: {
                "labels": list(spec.labels),
                "reads": list(spec.reads),
                "temperatures": dict(heat.get(name, {"": 1.0})),
            }
            for name, spec in SPECS.items()
        },
        "bars": {name: round(bar, 3) for name, bar in bars.items()},
        "sha256": sums_of(folder),
    }
    (folder / CONFIG).write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
