"""Hold a sequence-classification model of Hugging Face: open its folder and read rows with it."""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Sequence
from importlib import import_module
from inspect import signature
from pathlib import Path
from threading import Lock
from typing import Any

from listener.reason import N_
from listener.settings import TransformerTable
from sentiment.refusal import refuse

__all__ = ["CANNOT_OPEN", "Checkpoint", "open_checkpoint"]

log = logging.getLogger("escucha.sentiment")

_MOST_TOKENS = 256  # a longer window would let one long post take more than ten times a usual one's time
_GROUP = 32  # rows in one pass

CANNOT_OPEN = N_("transformers cannot open the model")
UNTRAINED = N_("weights that the file lacks, the model was not trained to classify")
STRANGERS = N_("the tokenizer and the weights do not belong together")
NO_NUMBERS = N_("the model's answers are not as many numbers as it has labels")


class Checkpoint:
    """Hold an open model and its tokenizer; rows of one length go together, so that no row is filled up."""

    def __init__(self, name: str, tokenizer: Any, network: Any) -> None:
        self.name = name
        self._tokenizer, self._network = tokenizer, network
        self._lock = Lock()  # a tokenizer keeps its settings for truncation between calls
        # What a tokenizer gives and this kind of model does not take (token types, often) is left out.
        self._takes = frozenset(signature(network.forward).parameters)
        self._group = 1 if getattr(network.config, "pad_token_id", None) is None else _GROUP
        self._most = min(_MOST_TOKENS, tokenizer.model_max_length, _positions(network))

    def count(self, row: tuple[str, ...]) -> int:
        """Count the tokens of a row."""
        with self._lock:
            return len(list(self._tokenizer(*row)["input_ids"]))

    def fits(self, row: tuple[str, ...], share: float = 1.0) -> bool:
        """Tell whether a row fits into (a share of) what the model reads."""
        return bool(self.count(row) <= self._most * share)

    def logits(self, rows: Sequence[tuple[str, ...]]) -> list[list[float]]:
        """Give the model's numbers for each row, in order; equal rows are read once."""
        torch: Any = import_module("torch")
        distinct = list(dict.fromkeys(rows))
        with self._lock:
            read = [dict(self._tokenizer(*row, truncation=True, max_length=self._most)) for row in distinct]
        by_length: dict[int, list[int]] = {}
        for place, one in enumerate(read):
            by_length.setdefault(len(one["input_ids"]), []).append(place)
        found: dict[tuple[str, ...], list[float]] = {}
        with torch.inference_mode():
            for places in by_length.values():
                for at in range(0, len(places), self._group):
                    group = places[at : at + self._group]
                    keys = self._takes & read[group[0]].keys()
                    fed = {key: torch.tensor([read[place][key] for place in group]) for key in keys}
                    answers = self._network(**fed).logits.float().tolist()
                    found.update(zip((distinct[place] for place in group), answers, strict=True))
        return [found[row] for row in rows]


def _positions(network: Any) -> int:
    """Give how many tokens a model has places for (RoBERTa's begin behind the one for padding)."""
    for name, part in network.named_modules():
        if name.endswith("position_embeddings") and hasattr(part, "num_embeddings"):
            return int(part.num_embeddings) - (0 if part.padding_idx is None else part.padding_idx + 1)
    return int(getattr(network.config, "max_position_embeddings", None) or _MOST_TOKENS)


def open_checkpoint(head: str, table: TransformerTable, place: Path, threads: int, labels: int) -> Checkpoint:
    """Open a folder whose files were checked (sentiment/refusal.py); `labels` is how many its config.json tells.

    Weights are read as 32-bit numbers from safetensors only, code of the model's own is never run, nothing is fetched.
    Raises ClassifierError, naming what is wrong.
    """
    torch: Any = import_module("torch")
    transformers: Any = import_module("transformers")
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    same = {"trust_remote_code": False, "local_files_only": True}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(place), **same)
        network, told = transformers.AutoModelForSequenceClassification.from_pretrained(
            str(place), use_safetensors=True, dtype=torch.float32, output_loading_info=True, **same
        )
        network.eval()
    except Exception as error:
        raise refuse(head, table.model, CANNOT_OPEN, f"{type(error).__name__}, {_first_line(error)}") from error
    if lacking := sorted(told["missing_keys"]):
        raise refuse(head, table.model, UNTRAINED, ", ".join(lacking[:3]))
    known = len(tokenizer) - len(tokenizer.all_special_ids)
    if known < 1 or len(tokenizer) > network.get_input_embeddings().num_embeddings:
        raise refuse(head, table.model, STRANGERS)
    if threads:
        torch.set_num_threads(threads)
    model = Checkpoint(f"{Path(table.model).name}@{_version(table, place)}", tokenizer, network)
    try:
        (answer,) = model.logits([("hola",)])
    except Exception as error:
        raise refuse(head, table.model, CANNOT_OPEN, f"{type(error).__name__}, {_first_line(error)}") from error
    if len(answer) != labels or not all(map(math.isfinite, answer)):
        raise refuse(head, table.model, NO_NUMBERS)
    log.info("%s: %s opened, %d labels", head, model.name, labels)
    return model


def _version(table: TransformerTable, place: Path) -> str:
    """Give eight digits that name the weights: of the pinned revision, else of the files' checksum."""
    if table.revision is not None:
        return table.revision[:8]
    digest = hashlib.sha256()
    for path in sorted(place.glob("*.safetensors")):
        with path.open("rb") as weights:
            digest.update(hashlib.file_digest(weights, "sha256").digest())
    return digest.hexdigest()[:8]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]
