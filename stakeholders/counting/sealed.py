"""Write figures as plain JSON for the archive, read them back as they were, and seal them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

__all__ = ["from_json", "seal", "to_json"]

T = TypeVar("T")


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def to_json(figures: object) -> dict[str, Any]:
    """Turn figures, a dataclass, into plain JSON for the archive."""
    plain: dict[str, Any] = _adapter(type(figures)).dump_python(figures, mode="json")
    return plain


def from_json(kind: type[T], plain: Mapping[str, Any]) -> T:
    """Read figures of a kind back from the archive, as they were when they were counted."""
    figures: T = _adapter(kind).validate_python(plain)
    return figures


def seal(figures: object) -> str:
    """Give a SHA-256 of the figures: same data, same seal, in whatever language they are read."""
    text = json.dumps(to_json(figures), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
