"""Read rows with the embedded encoder: ONNX, 8-bit weights, one row at a time on as many threads as are allowed.

Dynamic 8-bit arithmetic scales a whole batch together, so a post would be judged differently in other company
(measured: 64.8 against 63.6 macro-F1). Here a row is always alone: the same row gives the same numbers in any batch, no
row is filled up to the length of another, and threads give back the speed that batches would have given.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from listener.errors import ClassifierError
from sentiment.heads import SPECS, Head
from sentiment.sequence import MARKS, Named, Row, Sequencer

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.floating[Any]]

__all__ = ["CONFIG", "HEADS", "MODEL", "ONNX", "TOKENIZER", "Encoder", "Encoding"]

MODEL = Path(__file__).parent / "model"  # what ships with Escucha: a standard Hugging Face folder
CONFIG, TOKENIZER, HEADS = "config.json", "tokenizer.json", "heads.safetensors"
ONNX = "onnx/model_int8.onnx"
_HELP = "reinstall escucha, or train again with: make train"
_MOST_THREADS = 8
_SHUT = -1e4


@dataclass(frozen=True, slots=True)
class Encoding:
    """Hold what the encoder made of a row: a vector a token, and their means over text, brand and profile."""

    row: Row
    hidden: Floats  # (tokens, width)
    means: Mapping[str, Floats]


class Encoder:
    """Hold an open model folder: tokenizer, encoder and heads."""

    def __init__(self, folder: Path, config: Mapping[str, Any], threads: int) -> None:
        self.folder, self.config, self.threads = folder, config, threads
        self.name = str(config["escucha"]["engine"])
        self.bars: Mapping[str, float] = {name: float(bar) for name, bar in config["escucha"]["bars"].items()}

    @classmethod
    def open(cls, folder: Path = MODEL, threads: int = 0) -> Encoder:
        """Open a model folder and check it; `threads` 0 means one a core, eight at most.

        Raises ClassifierError, naming what is wrong, when a file is missing, is not the one that config.json names, or
        carries labels that are not ours.
        """
        try:
            return cls._checked(folder, threads)
        except ClassifierError:
            raise
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError, OverflowError) as error:
            raise ClassifierError(f"the model in {folder} is damaged: {error!r}; {_HELP}") from error

    @classmethod
    def _checked(cls, folder: Path, threads: int) -> Encoder:
        config = _config(folder)
        for name, wanted in config["escucha"]["sha256"].items():
            try:
                with (folder / name).open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
            except (OSError, ValueError) as error:
                raise ClassifierError(f"the model in {folder} is incomplete: {name} is missing; {_HELP}") from error
            if found != wanted:
                raise ClassifierError(
                    f"the model in {folder} is damaged: {name} is not the file that {CONFIG} names; {_HELP}"
                )
        encoder = cls(folder, config, threads or min(os.cpu_count() or 1, _MOST_THREADS))
        _ = encoder.heads, encoder.sequencer, encoder._session
        if not all(isfinite(bar) for bar in encoder.bars.values()):
            raise ClassifierError(f"the model in {folder} is damaged: a bar is no number; {_HELP}")
        tried = encoder.read([encoder.sequencer.row(Named("hola"), "hola", Named("hola"))])[0]
        if tried.hidden.shape != (len(tried.row.ids), config["hidden_size"]) or not isfinite(float(tried.hidden.sum())):
            raise ClassifierError(f"the model in {folder} is damaged: {ONNX} gives no vectors; {_HELP}")
        return encoder

    @cached_property
    def sequencer(self) -> Sequencer:
        """Open the tokenizer."""
        from tokenizers import Tokenizer

        try:
            sequencer = Sequencer(Tokenizer.from_file(str(self.folder / TOKENIZER)))
        except Exception as error:
            raise ClassifierError(f"the model in {self.folder} is damaged: {TOKENIZER}: {error}; {_HELP}") from error
        if max(sequencer.marks.values()) + 1 != self.config.get("vocab_size"):
            raise ClassifierError(f"the model in {self.folder} and its {TOKENIZER} do not belong together; {_HELP}")
        return sequencer

    @cached_property
    def _session(self) -> Any:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # rows go side by side, not parts of a row
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return ort.InferenceSession(str(self.folder / ONNX), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ClassifierError(f"the model in {self.folder} is damaged: {ONNX} cannot be opened; {_HELP}") from error

    def _run(self, fed: Mapping[str, Any]) -> Any:
        try:
            return self._session.run(None, fed)[0][0]
        except Exception as error:
            raise ClassifierError(f"the model in {self.folder} is damaged: {ONNX} cannot be run; {_HELP}") from error

    @cached_property
    def heads(self) -> Mapping[str, Head]:
        """Read the heads."""
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        told = self.config["escucha"]["heads"]
        width = self.config["hidden_size"]
        try:
            arrays = load_file(self.folder / HEADS)
            heads = {}
            for name, spec in SPECS.items():
                if tuple(told[name]["labels"]) != spec.labels:
                    raise ClassifierError(
                        f"the model in {self.folder} has another label map for {name}: "
                        f"{', '.join(told[name]['labels'])}; wanted: {', '.join(spec.labels)}"
                    )
                weights, bias = arrays[f"{name}.weight"], arrays[f"{name}.bias"]
                shapes = (len(spec.reads) * width, len(spec.labels)), (len(spec.labels),)
                if (weights.shape, bias.shape) != shapes or tuple(told[name]["reads"]) != spec.reads:
                    raise ClassifierError(f"the model in {self.folder} is of another version of escucha; {_HELP}")
                heat = {str(lang): float(value) for lang, value in told[name]["temperatures"].items()}
                if not all(isfinite(value) and value > 0 for value in heat.values()):
                    raise ClassifierError(f"the model in {self.folder} is damaged: a temperature of {name}; {_HELP}")
                heads[name] = Head(spec, weights, bias, {"": 1.0} | heat)
        except (KeyError, TypeError, ValueError, OSError, SafetensorError) as error:
            raise ClassifierError(f"the model in {self.folder} is damaged: {error!r}; {_HELP}") from error
        return heads

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, "escucha-encoder")

    def read(self, rows: Sequence[Row]) -> list[Encoding]:
        """Read rows, in order; equal rows are read once."""
        distinct = list({row.ids: row for row in rows}.values())
        if len(distinct) == 1 or self.threads == 1:
            found: Iterable[Floats] = map(self._hidden, distinct)
        else:
            # The longest first: a long row that begins last would keep the other threads waiting.
            order = sorted(range(len(distinct)), key=lambda place: -len(distinct[place].ids))
            made = dict(zip(order, self._pool.map(self._hidden, [distinct[place] for place in order]), strict=True))
            found = [made[place] for place in range(len(distinct))]
        hidden = {row.ids: vectors for row, vectors in zip(distinct, found, strict=True)}
        return [Encoding(row, hidden[row.ids], _means(row, hidden[row.ids])) for row in rows]

    def _hidden(self, row: Row) -> Floats:
        import numpy as np

        size = len(row.ids)
        bias = np.zeros((1, 1, size, size), dtype=np.float32)
        bias[0, 0, : row.seen, row.seen :] = _SHUT  # what the post does to a brand does not see who wrote it
        fed = {"ids": np.array([row.ids]), "places": np.arange(size)[None], "bias": bias}
        hidden: Floats = self._run(fed)
        return hidden


def _means(row: Row, hidden: Floats) -> dict[str, Floats]:
    import numpy as np

    words = hidden[: row.words + 2]
    profile = hidden[row.seen :]
    return {
        "text": words.mean(axis=0),
        "brand": hidden[list(row.brand)].mean(axis=0) if row.brand else words.mean(axis=0),
        "profile": profile.mean(axis=0) if len(profile) else np.zeros(hidden.shape[1], dtype=np.float32),
    }


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / CONFIG).read_text("utf-8"))
    except FileNotFoundError as error:
        raise ClassifierError(f"the model in {folder} is incomplete: {CONFIG} is missing; {_HELP}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ClassifierError(f"the model in {folder} cannot be read: {error}; {_HELP}") from error
    ours = config.get("escucha") if isinstance(config, dict) else None
    keys = {"engine": str, "bars": dict, "sha256": dict, "heads": dict}
    if not isinstance(ours, dict) or any(not isinstance(ours.get(key), kind) for key, kind in keys.items()):
        raise ClassifierError(f"the model in {folder} is not one of Escucha's: {CONFIG} does not tell its heads")
    wanted = {TOKENIZER, HEADS, ONNX}
    if missing := wanted - set(ours["sha256"]):
        raise ClassifierError(f"the model in {folder} is damaged: {CONFIG} has no checksum of {min(missing)}; {_HELP}")
    if len(MARKS) != ours.get("marks"):
        raise ClassifierError(f"the model in {folder} is of another version of escucha; {_HELP}")
    checked: dict[str, Any] = config
    return checked
