"""Name the files of a model folder by their content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sentiment.encoder import HEADS, ONNX, TOKENIZER

__all__ = ["sums_of"]


def sums_of(folder: Path) -> dict[str, str]:
    """Give the SHA-256 of every file that config.json vouches for."""
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (HEADS, ONNX, TOKENIZER)}
